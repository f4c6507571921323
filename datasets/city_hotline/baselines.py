"""Print the baselines table: python baselines.py [--labels 400] [--language zh].

The methods, options and columns of the table are those of customer_service.
"""

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
# A script sees only its own folder; the methods live with the first scenario.
sys.path.insert(0, str(HERE.parent / "customer_service"))

import baselines  # noqa: E402

if __name__ == "__main__":
    baselines.HERE = HERE
    baselines.SCENARIO = tomllib.loads((HERE / "scenario.toml").read_text("utf-8"))
    baselines.CODES = [label["code"] for label in baselines.SCENARIO["labels"]]
    baselines.main()
