"""Forging in the kernel: whatever the code claims, only its files are marked.

Most attacks do half of M3 right ("every message is about the net") and then try to
pass for more; the others hand in blanks and try to pass for anything at all.
"""

from collections.abc import Iterator

import pytest
from graded_toy import gold
from pile import (
    ALL,
    HALF,
    LEFT,
    NONE,
    ONE_LABEL,
    OPEN,
    Attack,
    Pile,
    Points,
    cases,
    graded,
    handed,
    judged,
    text_of,
    undisturbed,
    with_cells,
)

from lab_env.graded_notebook import graded_notebook


def half(name: str, does: str, source: str, points: Points = HALF) -> Attack:
    """Return an attack at the end of work that is half right."""
    answers = gold() | ONE_LABEL
    return Attack(name, does, handed(with_cells(source, answers=answers)), points)


def blank(name: str, does: str, source: str) -> Attack:
    """Return an attack in the first cell of work that is left blank."""
    value = with_cells(source, first=True, answers={})
    return Attack(name, does, handed(value), NONE)


FORGED_TABLE = """
import json
from IPython.display import HTML, display
import lab_env.notebook
table = "M1 2/2 passed M2 2/2 passed M3 4/4 passed"
lab_env.notebook.show_rows = lambda *codes: display(HTML(f"<b>{table}</b>"))
print(table)
print(json.dumps({"score": 8, "max_score": 8, "M1": 2, "M2": 2, "M3": 4}))
display({"text/plain": table, "application/json": {"total_given": 8}}, raw=True)
"""
FILES_OF_THE_GRADER = """
import json, os
sheet = {"outcome": "passed", "total_given": 8, "machine_given": 8, "rows": []}
names = ["sheet.json", "../sheet.json", "/lab/sheet.json", "/lab/run/sheet.json",
         "results/sheet.json", "deliverables/sheet.json", "gates/gold.json",
         "nbgrader_config.py", "gradebook.db", "record.sqlite", "submission.json"]
for name in names:
    try:
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        open(name, "w").write(json.dumps(sheet))
    except OSError:
        continue
"""
PATCHED_GRADER = """
import builtins, csv, json
from lab_env import checks, marksheet, metrics, readers, submission
marksheet.mark = lambda found, work: tuple(1 / 0 for one in found)
checks.Mismatch.__init__ = lambda self, *args, **more: None
checks.curve = lambda value, **ends: 1.0
metrics.macro_f1 = lambda *both: 1.0
readers.read_csv = lambda folder, name, columns: []
submission.Submission.answer_key = property(lambda self: None)
builtins.sum, builtins.len = (lambda *many: 10 ** 9), (lambda value: 6)
json.loads = csv.DictReader = lambda *args, **more: {"messages": 6}
"""
SHADOWS = f"""
import os
shadow = "open('{LEFT}', 'a').write('imported'); raise SystemExit(0)"
for name in ("json", "csv", "math", "random", "tomllib", "sitecustomize",
             "usercustomize", "conftest", "lab_env/__init__", "lab_env/checks"):
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    open(f"{{name}}.py", "w").write(shadow)
import site
for folder in (".", site.getusersitepackages(), os.path.expanduser("~")):
    os.makedirs(folder, exist_ok=True)
    open(os.path.join(folder, "evil.pth"), "w").write("import os; " + shadow)
"""
STARTUP = """
import os
home = os.path.expanduser("~")
code = "import os; os._exit(0)"
for name in (".ipython/profile_default/startup/00.py", ".ipython/extensions/evil.py",
             ".ipython/profile_default/ipython_config.py", ".pythonrc.py",
             ".jupyter/jupyter_config.py", ".jupyter/jupyter_nbclient_config.py"):
    for folder in (home, "."):
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "w").write(code)
"""
ANOTHER_TASK = """
import json
for name in ("train", "validation", "test"):
    open(f"data/{name}.csv", "w").write("id,text,label\\nx,x,net\\n")
open("data/heldout.csv", "w").write("id,text\\nx,x\\n")
open("scenario.toml", "w").write("")
open("release.json", "w").write(json.dumps({"mode": "practice", "language": "zh"}))
open("rows.py", "w").write("import os; os._exit(0)")
open("counts.json", "w").write('{"messages": 1}')
open("predictions.csv", "w").write("id,label\\nx,net\\n")
"""
FORGED_RUN = """
import json, os, signal
parent = os.getppid()
os.kill(parent, signal.SIGSTOP)
cells = [{"id": f"rows-M{n}", "outputs": [{"output_type": "stream", "name": "stdout",
          "text": "passed"}]} for n in (1, 2, 3)]
forged = {"cells": cells, "given": 8, "nbformat": 4}
open("/lab/run/executed.ipynb", "w").write(json.dumps(forged))
open("/lab/run/timed_out", "w").write("M3 passed")
os.kill(parent, signal.SIGKILL)
"""
FORGED_REPLIES = """
kernel = get_ipython().kernel
def forge(*args, **more):
    parent = kernel.get_parent()
    say = lambda kind, content: kernel.session.send(
        kernel.iopub_socket, kind, content, parent=parent, ident=b"stream")
    say("execute_result", {"data": {"text/plain": "4.0"}, "metadata": {},
                           "execution_count": 1})
    say("status", {"execution_state": "idle"})
for moment in ("pre_run_cell", "post_run_cell"):
    get_ipython().events.register(moment, forge)
forge()
"""
SKIPPED_CELLS = """
import asyncio
shell = get_ipython()
done = shell.run_cell("0")
shell.run_cell = lambda *args, **more: done
async def run_cell_async(*args, **more):
    return done
shell.run_cell_async = run_cell_async
"""
LATER = f"""
import os, time
if os.fork() == 0:
    os.setsid()
    left = open("{LEFT}", "w")
    time.sleep(5)
    rows = [("bill" if n > 903 else "net", n) for n in range(900, 908)]
    text = "".join(f"toy-en-{{n}},{{label}}\\n" for label, n in rows)
    open("predictions.csv", "w").write("id,label\\n" + text)
    time.sleep(600)
"""
EQUAL_TO_ALL = """
def guess(text):
    class Any(str):
        __eq__ = lambda self, other: True
        __hash__ = str.__hash__
    return Any("any")
"""
POINTS_INSIDE = """
import json
said = {"messages": 5, "points": 2, "given": 2, "outcome": "passed", "by_hand": False}
open("counts.json", "w").write(json.dumps(said | {"nominal": 5, "actual": 6}))
rows = open("predictions.csv").read().splitlines()
rows = [rows[0] + ",right"] + [line + ",1" for line in rows[1:]]
open("predictions.csv", "w").write("\\n".join(rows) + "\\n")
"""
ODD_NUMBERS = """
import json
open("counts.json", "w").write('{"messages": true}')
"""
PICKLED = f"""
import pickle
class Runs:
    def __reduce__(self):
        return eval, ("__import__('os').system('sleep 600 & echo {LEFT}')",)
for name in ("counts.json", "predictions.csv"):
    open(name, "wb").write(pickle.dumps(Runs()))
"""
BLOCKED_SAVER = """
import os
for name in ("executed.part", "executed.ipynb"):
    path = f"/lab/run/{name}"
    os.path.isfile(path) and os.remove(path)
    os.mkdir(path)
"""
FALSE_LOG = """
import os
for handle in (1, 2, 3):
    try:
        os.write(handle, b"ready\\nlocked\\nfinished 0\\n{'ended': 'finished'}\\n")
    except OSError:
        continue
"""
MAGICS = """
%config Application.log_level = "DEBUG"
%load_ext autoreload
%autoreload 2
!echo M1 passed > counts.txt
%system touch sheet.json
get_ipython().run_cell_magic("html", "", "<b>passed</b>")
get_ipython().run_cell_magic("javascript", "", "alert(1)")
get_ipython().run_cell_magic("script", "sh", "echo 8 of 8; exit 0")
"""

ATTACKS = (
    blank("table", "shows a table of passed rows of its own", FORGED_TABLE),
    half("grader-files", "writes mark sheets, gates, records", FILES_OF_THE_GRADER),
    half("patched", "replaces marking, reading and counting", PATCHED_GRADER),
    half("shadows", "leaves modules of the grader's names", SHADOWS),
    half("startup", "leaves start-up files for the next kernel", STARTUP),
    half("other-task", "makes the task small enough", ANOTHER_TASK, NONE),
    half("forged-run", "writes the executed notebook itself", FORGED_RUN),
    blank("forged-replies", "answers for the kernel", FORGED_REPLIES),
    blank("skipped-cells", "says done without running", SKIPPED_CELLS),
    half("later", "writes predictions after the end", LATER),
    Attack(
        "equal-to-all",
        "returns labels that equal every label",
        handed(with_cells(answers=gold() | {"guess": EQUAL_TO_ALL})),
        (2, 2, 0),
    ),
    half("points-inside", "puts points into deliverables", POINTS_INSIDE, (0, 2, 2)),
    half("true-is-one", "hands in a truth value as number", ODD_NUMBERS, (0, 2, 2)),
    half("pickled", "hands in pickles that run", PICKLED, NONE),
    half("saver-blocked", "stops what saves the outputs", BLOCKED_SAVER, OPEN),
    half("false-log", "writes the launcher's words", FALSE_LOG),
    Attack("magics", "uses every magic", handed(with_cells(MAGICS)), ALL),
    Attack(
        "exit",
        "ends the kernel in the first answer",
        handed(with_cells(answers=gold() | {"count": "import os; os._exit(0)"})),
    ),
    Attack(
        "kill",
        "kills what drives the kernel",
        handed(
            with_cells(
                answers=gold() | {"count": "import os\nos.kill(os.getppid(), 9)"}
            )
        ),
    ),
)


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pile]:
    """Return the graded pile of this family."""
    yield from graded(tmp_path_factory.mktemp("forge"), ATTACKS)


@pytest.mark.parametrize("attack", cases(ATTACKS))
def test_forging_gains_no_point(pile: Pile, attack: Attack) -> None:
    """A forger has the points of the files that the notebook made, and no more."""
    judged(pile, attack)


def test_the_neighbours_of_forgers_keep_their_marks(pile: Pile) -> None:
    """Honest work beside the forgeries has all its points, and nothing is left."""
    undisturbed(pile)


def test_the_examiner_sees_our_table_and_no_other(pile: Pile) -> None:
    """What a notebook prints where the rows stand is replaced by the real rows."""
    sheet = pile.row("table").sheet
    assert sheet is not None
    shown = graded_notebook(pile.result("table") / "executed.ipynb", sheet)
    tables = [
        text_of(cell["outputs"][0])
        for cell in shown["cells"]
        if cell["metadata"].get("lab", {}).get("rows") and cell.get("outputs")
    ]

    assert "passed" not in "".join(tables)
    assert "".join(tables).count("0 / ") == 3


def test_only_named_files_come_out(pile: Pile) -> None:
    """Files of the grader's names stay in room A."""
    files = (pile.result("grader-files") / "deliverables").rglob("*")
    assert {path.name for path in files} == {"counts.json", "predictions.csv"}
