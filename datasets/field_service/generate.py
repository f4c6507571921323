"""Write the data of field_service: python generate.py [--out FOLDER].

The same code writes the same bytes on every machine.
"""

from pathlib import Path

from to_annotate import main

if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    main(here, here, {"zh": 4101, "en": 4102})
