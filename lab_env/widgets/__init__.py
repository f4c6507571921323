"""What a notebook shows: rows of the mark sheet, the training curve, errors."""
