"""A stand-in for ``lab_env.grade`` that takes a hundredth of a second.

``python -I -S quick_grade.py SHEET JOB.json`` gives every hand-in the mark sheet SHEET.
"""

import json
import os
import sys
import time
from pathlib import Path


def main(sheet_file: str, job_file: str) -> None:
    """Leave a whole result folder."""
    job = json.loads(Path(job_file).read_text("utf-8"))
    sheet = json.loads(Path(sheet_file).read_text("utf-8"))
    sheet |= {"candidate": job["candidate"], "attempt": job["attempt"]}
    final = Path(job["result"])
    final.parent.mkdir(parents=True, exist_ok=True)
    fresh = final.with_name(f".{os.getpid()}")
    fresh.mkdir()
    (fresh / "executed.ipynb").write_text("{}", "utf-8")
    time.sleep(0.01)
    (fresh / "sheet.json").write_text(json.dumps(sheet), "utf-8")
    fresh.rename(final)


if __name__ == "__main__":
    main(*sys.argv[1:])
