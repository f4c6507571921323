"""Write what one lab gets of customer_service: python generate.py [--out FOLDER].

The same code writes the same bytes on every machine.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# A script sees only its own folder; how texts are made lives with the first scenario.
sys.path.insert(0, str(HERE.parents[1] / "field_service"))

from to_annotate import main  # noqa: E402

if __name__ == "__main__":
    main(HERE, HERE.parent, {"zh": 4201, "en": 4202}, lab=HERE.name)
