"""A large pile of one notebook, graded by a process of its own with quick jobs."""

import json
import os
import subprocess
import sys
from pathlib import Path

from graded_toy import work

from lab_env.marksheet import MarkSheet, broken_rows
from lab_env.release import Release, load_checks

HERE = Path(__file__).parent
QUICK = HERE / "quick_grade.py"
SHEET = "every-sheet.json"
# The real exam.py with real processes; only what a job does is small.
GRADE = """
import sys
from pathlib import Path
from lab_env import start_jobs
from lab_env.errors import LabError
from lab_env.exam import Site, grade_folder
from lab_env.release import open_release
course, folder, quick, sheet, book = sys.argv[1:]
command = [sys.executable, "-I", "-S", quick, sheet]
start_jobs.cold_command = lambda job: [*command, str(job)]
release = open_release(next(Path(course, "sealed").iterdir()))
site = Site(workers=2, cold=True)
try:
    report = grade_folder(
        Path(course), release, Path(folder), site=site, gradebook=bool(book), trust=True
    )
except LabError as error:
    sys.exit(str(error))
print(*(f"{row.candidate} {row.outcome}" for row in report.rows), sep="\\n")
print(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])
"""


def hand_in_many(folder: Path, count: int) -> list[str]:
    """Put so many hand-ins into a folder and return the candidates."""
    folder.mkdir()
    names = [f"c{number:04}" for number in range(count)]
    data = work()
    for name in names:
        (folder / f"{name}.ipynb").write_bytes(data)
    return names


def start_grading(
    course: Path, pile: Path, release: Release, *, book: bool = False
) -> "subprocess.Popen[str]":
    """Start a grading in a process group of its own."""
    sheet = write_sheet(course, release)
    words = [str(each) for each in (course, pile, QUICK, sheet)]
    return subprocess.Popen(
        [sys.executable, "-c", GRADE, *words, "book" if book else ""],
        env=os.environ | {"PYTHONPATH": str(HERE.parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def write_sheet(course: Path, release: Release) -> Path:
    """Write the sheet that every hand-in gets: all machine rows are passed."""
    checks = load_checks(release.grader)
    rows = broken_rows(checks, checks[0].sentence)
    value = MarkSheet(release.id, "c", 1, "en", "t", "i", rows).as_json()
    for row in value["rows"]:
        row["message"] = None
        given = {"outcome": "passed", "given": row["points"]}
        row |= {"outcome": "awaiting marking"} if row["by_hand"] else given
    path = course / SHEET
    path.write_text(json.dumps(MarkSheet.from_json(value).as_json()), "utf-8")
    return path
