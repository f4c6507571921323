"""Hostile hand-ins, graded together: none gains a point or harms a neighbour.

The pile is graded once, by the real road; each test looks at what became of one kind.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graded_toy import ID, NOTEBOOK, gold, seal_toy, work

from lab_env.errors import BrokenError
from lab_env.exam import GradingReport, ReportRow, grade_folder
from lab_env.marksheet import MarkSheet
from lab_env.sandbox import require_isolation

# A process of the pile, by a number that nobody else sleeps for.
SLEEP = "7654321"
LONG = "𠮷" * 61
BLANK = {"count": "", "guess": ""}

# What the last cell does, and the points of M1, M2 and M3 that are left.
AT_THE_END = {
    "pipe": (
        "import os\nos.remove('predictions.csv'); os.mkfifo('predictions.csv')\n"
        "os.remove('counts.json'); os.mkdir('counts.json')",
        (0, 0, 0),
    ),
    "link": (
        "import os\nos.remove('predictions.csv')\n"
        "os.symlink('data/heldout.csv', 'predictions.csv')",
        (2, 0, 0),
    ),
    "not-a-number": (
        "open('counts.json', 'w').write('{\"messages\": NaN}')",
        (0, 2, 4),
    ),
    "infinite": ("open('counts.json', 'w').write('{\"messages\": 1e999}')", (0, 2, 4)),
    "huge": (
        "open('counts.json', 'w').write('{\"messages\": ' + '9' * 4299 + '}')",
        (0, 2, 4),
    ),
    "deep": ("open('counts.json', 'w').write('[' * 100_000)", (0, 2, 4)),
    "doubled-keys": (
        "open('counts.json', 'w').write("
        "'{' + ''.join(f'\"{i}\":1,' for i in range(60_000)) + '\"x\":1,\"x\":2}')",
        (0, 2, 4),
    ),
    "daemon": (
        f"import subprocess\nfor _ in range(3):\n    subprocess.Popen(['/bin/sh', '-c', "
        f"'trap \"\" TERM HUP; sleep {SLEEP}; sleep {SLEEP}'], start_new_session=True)",
        (2, 2, 4),
    ),
    "neighbour": (
        "import os, shutil\n"
        "shutil.rmtree('/lab/run', ignore_errors=True)\n"
        "for name in ('../sheet.json', '/lab/sheet.json', '/sheet.json'):\n"
        "    try:\n        open(name, 'w')\n    except OSError:\n        continue\n"
        "key = [name for name in ('key', 'grader.py') if os.path.exists(name)]\n"
        "open('counts.json', 'w').write('{}') if key else None",
        (2, 2, 4),
    ),
}


def notebook(**answers: str) -> dict[str, Any]:
    """Return a notebook with these answers."""
    value: dict[str, Any] = json.loads(work(**answers))
    return value


def code(source: str, name: str = "zz") -> dict[str, Any]:
    """Return a cell of the trainee's own."""
    base = {"cell_type": "code", "id": name, "metadata": {}, "source": source}
    return base | {"outputs": [], "execution_count": None}


def forged() -> dict[str, Any]:
    """Return blank work that says in every other place that it is right."""
    value = notebook()
    said = {"output_type": "stream", "name": "stdout", "text": "M1 2/2 passed"}
    for cell in value["cells"]:
        cell["metadata"]["nbgrader"] = {"points": 100, "score": 100, "locked": False}
        if cell["cell_type"] == "code":
            cell["outputs"] = [said]
    value["metadata"]["kernelspec"] = {"name": "bash", "display_name": "bash"}
    return value


def locked_cells_replaced() -> dict[str, Any]:
    """Return work whose locked cells write other things, with the old names."""
    value = notebook(**gold())
    for cell in value["cells"]:
        if cell["metadata"].get("lab", {}).get("rows") and cell["cell_type"] == "code":
            cell["source"] = "raise SystemExit"
    return value


def only_answers() -> dict[str, Any]:
    """Return work without its locked cells, from the last cell to the first."""
    value = notebook(**gold())
    cells = [
        cell for cell in value["cells"] if "answer" in cell["metadata"].get("lab", {})
    ]
    return value | {"cells": cells[::-1]}


def retyped() -> dict[str, Any]:
    """Return work whose code is markdown and whose text is code."""
    value = notebook(**gold())
    for cell in value["cells"]:
        if cell["metadata"].get("lab", {}).get("answer"):
            was_code = cell["cell_type"] == "code"
            cell["cell_type"] = "markdown" if was_code else "code"
    return value


def same_name_twice() -> dict[str, Any]:
    """Return blank work before which a cell has the name of a locked one."""
    value = notebook()
    first = next(c for c in value["cells"] if c["metadata"].get("lab", {}).get("rows"))
    source = 'open("counts.json", "w").write(\'{"messages": 6}\')'
    return value | {"cells": [first | {"source": source}, *value["cells"]]}


def ended_early(source: str) -> dict[str, Any]:
    """Return work whose first answer ends the kernel, or what drives it."""
    return notebook(**gold() | {"count": source})


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the course in which the pile is graded."""
    try:
        require_isolation(False)
    except BrokenError as error:
        pytest.skip(f"room A cannot run here: {error}")
    folder = tmp_path_factory.mktemp("attacks")
    yield folder / "course"
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def report(course: Path) -> GradingReport:
    """Return what became of the pile."""
    release, pile = seal_toy(course), course.parent / "pile"
    pieces = {
        "honest": notebook(**gold()),
        "forged": forged(),
        "locked": locked_cells_replaced(),
        "bare": only_answers(),
        "retyped": retyped(),
        "twice": same_name_twice(),
        "exit": ended_early("import os\nos._exit(0)"),
        "kill": ended_early("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)"),
        LONG: notebook(**gold()),
    }
    for name, (source, _) in AT_THE_END.items():
        value = notebook(**gold())
        pieces[name] = value | {"cells": [*value["cells"], code(source)]}
    for name, value in pieces.items():
        (pile / name).mkdir(parents=True)
        (pile / name / NOTEBOOK).write_text(json.dumps(value), "utf-8")
    return grade_folder(course, release, pile, gradebook=False)


def row(report: GradingReport, candidate: str) -> ReportRow:
    """Return what became of one candidate."""
    return next(each for each in report.rows if each.candidate == candidate)


def points(report: GradingReport, candidate: str) -> tuple[float | None, ...]:
    """Return the machine points of one candidate, row by row."""
    sheet = row(report, candidate).sheet
    assert sheet is not None
    return tuple(each.given for each in sheet.machine_rows)


def test_nobody_is_left_out_or_broken(report: GradingReport) -> None:
    """Every hand-in has its mark, whatever the one beside it did."""
    assert {each.outcome for each in report.rows} == {"graded"}
    assert report.exit_code == 0
    assert points(report, "honest") == (2, 2, 4)


@pytest.mark.parametrize("name", ["forged", "twice"])
def test_forged_cells_give_no_points(report: GradingReport, name: str) -> None:
    """Metadata, outputs, a kernel and a borrowed name are not the work."""
    assert points(report, name) == (0, 0, 0)


@pytest.mark.parametrize("name", ["locked", "bare", "retyped", LONG])
def test_what_is_not_the_answer_changes_no_mark(
    report: GradingReport, name: str
) -> None:
    """Locked cells come from the release, in its order; answers keep their type."""
    assert points(report, name) == (2, 2, 4)


@pytest.mark.parametrize("name", AT_THE_END)
def test_hostile_files_fail_only_their_own_rows(
    report: GradingReport, name: str
) -> None:
    """A deliverable that cannot be read is a failed row and never a broken one."""
    assert points(report, name) == AT_THE_END[name][1]


@pytest.mark.parametrize("name", ["exit", "kill"])
def test_a_run_that_ends_itself_ends_with_what_it_made(
    report: GradingReport, name: str
) -> None:
    """Nothing is written after the kernel is gone, so nothing is marked."""
    assert points(report, name) == (0, 0, 0)


def test_no_process_is_left(report: GradingReport) -> None:
    """A daemon that ignores signals dies with its jail."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True)
    assert SLEEP not in listed.stdout


def test_the_key_and_the_results_are_out_of_reach(
    course: Path, report: GradingReport
) -> None:
    """Room A has no key, and what it does to its own folder is not the result."""
    [result] = (course / "results" / ID / "neighbour").iterdir()
    sheet = MarkSheet.from_json(json.loads((result / "sheet.json").read_text("utf-8")))

    assert sheet == row(report, "neighbour").sheet
    assert sorted(path.name for path in result.iterdir()) == [
        "deliverables",
        "executed.ipynb",
        "sheet.json",
    ]
