"""The notebook as an attack: it is data, and only sources of answers are taken.

What is no notebook of this release is refused with a sentence; whatever else it says
of itself changes no mark, and the hand-in beside it is graded as if it were not there.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from graded_toy import ID, NOTEBOOK, gold, work
from pile import (
    ALL,
    NONE,
    Attack,
    Pile,
    Points,
    cases,
    code,
    graded,
    handed,
    judged,
    notebook,
    undisturbed,
)

Change = Callable[[dict[str, Any]], object]
LONG = "𠮷" * 61
CONTAINERS_MB = 450


def refused(name: str, does: str, content: bytes | Change, said: str) -> Attack:
    """Return a notebook that is not taken: bytes, or right work that is changed."""
    if callable(content):
        value = notebook(**gold())
        content(value)
        content = json.dumps(value).encode()
    return Attack(name, does, handed(content), None, said)


def changed(name: str, does: str, change: Change, points: Points = ALL) -> Attack:
    """Return right work in a changed notebook."""
    value = notebook(**gold())
    change(value)
    return Attack(name, does, handed(value), points)


def every(**fields: Any) -> Change:
    """Return what sets fields in every cell."""
    return lambda value: [cell.update(fields) for cell in value["cells"]]


def top(**fields: Any) -> Change:
    """Return what sets fields of the notebook."""
    return lambda value: value.update(fields)


def metadata(**fields: Any) -> Change:
    """Return what sets fields in the notebook's metadata."""
    return lambda value: value["metadata"].update(fields)


def answers_of(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the answer cells."""
    return [c for c in value["cells"] if "answer" in c["metadata"].get("lab", {})]


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


def borrowed_name() -> dict[str, Any]:
    """Return blank work before which a cell has the name of a locked one."""
    value = notebook()
    first = next(c for c in value["cells"] if c["metadata"].get("lab", {}).get("rows"))
    source = 'open("counts.json", "w").write(\'{"messages": 6}\')'
    return value | {"cells": [first | {"source": source}, *value["cells"]]}


def locked_cells_replaced(value: dict[str, Any]) -> None:
    """Let locked cells end the kernel, under their old names."""
    for cell in value["cells"]:
        if cell["metadata"].get("lab", {}).get("rows") and cell["cell_type"] == "code":
            cell["source"] = "raise SystemExit"


def only_answers(value: dict[str, Any]) -> None:
    """Leave the answers alone, from the last to the first."""
    value["cells"] = answers_of(value)[::-1]


def retyped(value: dict[str, Any]) -> None:
    """Make code of text and text of code."""
    for cell in answers_of(value):
        was_code = cell["cell_type"] == "code"
        cell["cell_type"] = "raw" if was_code else "code"


def skipped(value: dict[str, Any]) -> None:
    """Tag every cell with all that any tool understands."""
    tags = ["skip-execution", "raises-exception", "remove-cell", "parameters", ""]
    for cell in value["cells"]:
        cell["metadata"] |= {"tags": tags, "deletable": True, "editable": True}
        cell["metadata"] |= {"collapsed": True, "execution": {"timeout": -1}}


def another_kernel(value: dict[str, Any]) -> None:
    """Ask for a kernel and a language of their own, with a command."""
    spec = {"name": "../../evil", "display_name": "evil", "language": "bash"}
    spec |= {"argv": ["/bin/sh", "-c", "exit 0"], "env": {"PYTHONSTARTUP": "x.py"}}
    info = {"name": "bash", "mimetype": "text/html", "file_extension": ".sh"}
    value["metadata"] |= {"kernelspec": spec, "language_info": info}


def widgets(value: dict[str, Any]) -> None:
    """Bring the state of a widget and the metadata of other tools."""
    state = {"model_module": "https://evil.example/x.js", "state": {"x": "<script>"}}
    view = {"application/vnd.jupyter.widget-state+json": {"state": {"a" * 32: state}}}
    value["metadata"] |= {"widgets": view, "papermill": {"parameters": {"x": 1}}}
    value["metadata"] |= {"jupytext": {"formats": "ipynb,py"}, "celltoolbar": "None"}


def doubled_key(key: str, value: str) -> bytes:
    """Return right work in which one key of the notebook stands twice."""
    return work(**gold()).replace(b"{", f'{{"{key}": {value}, '.encode(), 1)


def odd_ids(value: dict[str, Any]) -> None:
    """Give cells ids of every wrong kind; grade_id still names the answers."""
    odd = [None, 7, True, [], {"a": 1}, "", "x" * 10_000, "../../key", "rows-M1\u200b"]
    for place, cell in enumerate(value["cells"]):
        cell["id"] = odd[place % len(odd)]


def look_alikes(value: dict[str, Any]) -> None:
    """Add, before everything, cells whose ids look like those of locked ones."""
    names = ("rows-М1", "rows-M1\u200b", "ro\u202ews-M1", "ｒows-M1", "extra-01")
    end = "import os; os._exit(0)"
    cells = [code("print('mine')", name) for name in names]
    value["cells"] = [*cells, *value["cells"], *[code("1", n) for n in names]]
    value["cells"].append(code(f"if False:\n    {end}", "rows-m1"))


def swapped_names(value: dict[str, Any]) -> None:
    """Exchange the grade ids of all cells, the ids stay."""
    ids = [
        cell["metadata"].get("nbgrader", {}).get("grade_id") for cell in value["cells"]
    ]
    for cell, name in zip(value["cells"], ids[::-1], strict=True):
        cell["metadata"]["nbgrader"] = {"grade_id": name, "schema_version": 99}


def odd_letters(value: dict[str, Any]) -> None:
    """Put letters into sources that no file or screen should have to bear."""
    odd = "# \ud800 \udfff \x1b]0;x\x07 \u202e \u2066 \ufeff \u200b \ufffe \n"
    for cell in answers_of(value):
        letters = odd if cell["cell_type"] == "code" else f"{odd} \x00 \u2028 \x85"
        cell["source"] = f"{''.join(cell['source'])}\n{letters}"


def one_text(value: dict[str, Any]) -> None:
    """Write sources as one text with the line ends of Windows."""
    for cell in value["cells"]:
        cell["source"] = "".join(cell["source"]).replace("\n", "\r\n")


def attachments(value: dict[str, Any]) -> None:
    """Attach a page to every text."""
    page = {"a.png": {"text/html": "<script>alert(1)</script>"}}
    for cell in value["cells"]:
        if cell["cell_type"] == "markdown":
            cell["attachments"] = page


def flat_metadata(value: dict[str, Any]) -> None:
    """Give cells metadata that is no dictionary."""
    for place, cell in enumerate(value["cells"]):
        cell["metadata"] = [None, [], "x", 5, True][place % 5]


def loud(value: dict[str, Any]) -> None:
    """Bring fifteen megabytes of outputs."""
    page = {"output_type": "stream", "name": "stdout", "text": "x" * 15_000_000}
    value["cells"][-2]["outputs"] = [page]


def put_huge(place: Path) -> None:
    """Hand in a notebook of a hundred megabytes, which the disk need not hold."""
    handed(work())(place)
    with (place / NOTEBOOK).open("r+b") as stream:
        stream.truncate(100_000_000)


def crowded() -> bytes:
    """Return nine million lists, which would be a gigabyte in memory."""
    return b'{"cells": [' + (b"[" * 30 + b"]" * 30 + b",") * 300_000 + b"0]}"


NO_NOTEBOOK = "is not a complete notebook file"
ATTACKS = (
    refused("format-3", "is of a format of the past", top(nbformat=3), "format 3"),
    refused("format-99", "is of the future", top(nbformat=99), "format 99"),
    refused("format-text", "names it as text", top(nbformat="4"), "format '4'"),
    refused("format-none", "names none", lambda v: v.pop("nbformat"), "format none"),
    refused("format-true", "names a truth value", top(nbformat=True), "format True"),
    refused("cells-dict", "has cells by name", top(cells={"a": 1}), "got dict"),
    refused("cells-none", "has no cells", top(cells=None), "got NoneType"),
    refused("cells-many", "has 3000 cells", top(cells=[{}] * 3000), "got 3000"),
    refused("cell-text", "has a text for a cell", top(cells=["x"]), "cell 1 is not"),
    refused("cell-kind", "has a new cell type", every(cell_type="Code"), "cell 1 is"),
    refused("source-none", "has no sources", every(source=None), "cell 1 is not"),
    refused("source-odd", "mixes sources", every(source=["a", 1]), "cell 1 is not"),
    refused("list", "is a list", b"[1, 2]", "holds a JSON list"),
    refused("empty", "is empty", b"", NO_NOTEBOOK),
    refused("cut", "is cut off", work(**gold())[:-5], NO_NOTEBOOK),
    refused("picture", "is a picture", b"\x89PNG\r\n\x1a\n" + b"x" * 99, NO_NOTEBOOK),
    refused("utf-16", "is UTF-16", work().decode().encode("utf-16"), NO_NOTEBOOK),
    refused("nan", "has a number that is none", metadata(x=float("nan")), "NaN"),
    refused("doubled", "has cells twice", doubled_key("cells", "[]"), "stands twice"),
    refused("deep", "is very deep", b"[" * 10**5 + b"]" * 10**5, "too deeply"),
    refused("digits", "has a number of a megabyte", b"[" + b"9" * 10**6, "digits"),
    Attack("huge", "has a hundred megabytes", put_huge, None, "the limit is 20 MB"),
    refused("crowded", "has nine million lists", crowded(), "lists and objects"),
    refused("no-release", "names no release", metadata(lab={}), "no release"),
    refused(
        "other-release",
        "is the work of another release",
        metadata(lab={"release": ID.replace("r1", "r2")}),
        "r2",
    ),
    refused("odd-release", "names a list", metadata(lab={"release": [ID]}), "no rel"),
    Attack("forged", "says everywhere that it is right", handed(forged()), NONE),
    Attack("borrowed", "takes the name of a row", handed(borrowed_name()), NONE),
    changed("locked", "replaces locked cells", locked_cells_replaced),
    changed("bare", "drops and turns round all else", only_answers),
    changed("retyped", "changes every cell's type", retyped),
    changed("skipped", "tags cells as not to be run", skipped),
    changed("kernel", "asks for another kernel", another_kernel),
    changed("widgets", "brings the state of tools", widgets),
    changed("minor", "is of an impossible minor format", top(nbformat_minor=-99)),
    changed("unknown", "has unknown fields", top(worksheets=[], score=8, id="x")),
    changed("ids", "has ids of every wrong kind", odd_ids),
    changed("look-alikes", "has ids that look like ours", look_alikes),
    changed("swapped", "exchanges the grade ids", swapped_names),
    changed("letters", "uses letters that no file holds", odd_letters),
    changed("one-text", "has sources in one text", one_text),
    changed("attached", "attaches pages", attachments),
    changed("loud", "brings megabytes of outputs", loud),
    changed(LONG, "has the longest name there is", lambda value: None),
)


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pile]:
    """Return the graded pile of this family."""
    yield from graded(tmp_path_factory.mktemp("notebook"), ATTACKS)


@pytest.mark.parametrize("attack", cases(ATTACKS))
def test_a_notebook_has_one_defined_end(pile: Pile, attack: Attack) -> None:
    """It is refused with its sentence, or marked by its answers alone."""
    judged(pile, attack)


def test_the_neighbours_of_odd_notebooks_keep_their_marks(pile: Pile) -> None:
    """Honest work beside them has all its points, and nothing is left."""
    undisturbed(pile)


@pytest.mark.parametrize("name", ["huge", "crowded", "loud"])
def test_no_notebook_costs_the_examiner_much_memory(
    pile: Pile, tmp_path: Path, name: str
) -> None:
    """However it is made, reading a notebook stays far below a gigabyte and fast."""
    read = (
        "import re, resource, sys\n"
        "from lab_env.notebook_file import MAX_BYTES, parse_notebook\n"
        "try:\n    parse_notebook(open(sys.argv[1], 'rb').read(MAX_BYTES + 1), 'n')\n"
        "except Exception as error:\n    print(error)\n"
        # Not ru_maxrss: a child begins with that of its parent.
        "most = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]\n"
        "print(int(most) // 1024, resource.getrusage(resource.RUSAGE_SELF).ru_utime)\n"
    )
    path = pile.course.parent / "pile" / name / NOTEBOOK
    done = subprocess.run(
        [sys.executable, "-c", read, path], capture_output=True, text=True, check=True
    )
    memory, seconds = map(float, done.stdout.splitlines()[-1].split())
    assert memory < CONTAINERS_MB
    assert seconds < 10
