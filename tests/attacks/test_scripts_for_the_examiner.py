"""Scripts for the examiner: what is kept of a hand-in runs nowhere when it is read.

This is the part about files: executed notebook, graded notebook, mark sheet, tables on
a terminal, the CSV for a spreadsheet. What a browser does with them is tried in
``browser/``.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from graded_toy import gold
from pile import (
    ALL,
    NONE,
    TOKEN,
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
    with_cells,
)
from rich.console import Console

from lab_env.graded_notebook import graded_notebook
from lab_env.record import Record, export_csv
from lab_env.report import class_report, sheet_report

RUNS = f"<script>run('{TOKEN}')</script>"
HANDLER = f"<img src=x onerror=run('{TOKEN}')>"


def shown(name: str, does: str, source: str, points: Points = ALL) -> Attack:
    """Return right work at whose end something is shown."""
    return Attack(name, does, handed(with_cells(source)), points)


def answered(name: str, does: str, text: str) -> Attack:
    """Return right work with an attack in its written answer."""
    return Attack(name, does, handed(notebook(**gold() | {"why": text})), ALL)


def saved(name: str, does: str, source: str, points: Points) -> Attack:
    """Return right work whose deliverables quote an attack in the mark sheet."""
    return Attack(name, does, handed(with_cells(source)), points)


def own_text(name: str, does: str, text: str) -> Attack:
    """Return right work with a markdown cell of the trainee's own."""
    value = with_cells()
    value["cells"].append(code(text) | {"cell_type": "markdown"})
    value["cells"].append(code(text, "raw") | {"cell_type": "raw"})
    return Attack(name, does, handed(value), ALL)


BUNDLES = f"""
from IPython.display import display
for kind in ("text/html", "application/javascript", "image/svg+xml", "text/markdown",
             "text/latex", "application/json", "application/vnd.jupyter.widget-view+json",
             "application/vnd.plotly.v1+json", "application/vnd.vegalite.v5+json",
             "application/vnd.ai-trainer-lab.rows+json", "application/pdf", "text/x-evil"):
    display({{kind: {RUNS!r}, "text/plain": "plain"}}, raw=True)
"""
FALSE_PICTURES = f"""
import base64
from IPython.display import display
page = base64.b64encode({RUNS!r}.encode()).decode()
for picture in (page, {HANDLER!r}, "x' onerror='run()", "data:text/html," + page):
    for kind in ("image/png", "image/jpeg", "image/gif"):
        display({{kind: picture, "text/plain": "plain"}}, raw=True)
"""
LARGE_PICTURE = """
import base64, struct, zlib
from IPython.display import display
def part(kind, data):
    sum = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + sum
size = 60_000
pixels = zlib.compress(bytes(10_000_000))
data = b"\\x89PNG\\r\\n\\x1a\\n" + part(b"IHDR", struct.pack(">IIBBBBB", size, size, 1, 0, 0, 0, 0))
data += part(b"IDAT", pixels) + part(b"IEND", b"")
display({"image/png": base64.b64encode(data).decode(), "text/plain": "large"}, raw=True)
"""
STEERING = r"""
print("\x1b[2J\x1b]0;evil\x07\x1b]8;;http://evil.example\x07here\x1b]8;;\x07")
print("\x1b[31mred\x1b[0m \x9b2J \x1bP+q\x1b\\ \x1b]52;c;ZXZpbA==\x07 \x0e \x00 \x7f")
print("kept\tas\nwritten 文字")
"""
ERRORS = f"""
class Evil(Exception):
    def __str__(self):
        return "\\x1b]0;evil\\x07" + {HANDLER!r}
    def _render_traceback_(self):
        return ["\\x1b[2J" + {RUNS!r}, "\\x1b]52;c;ZXZpbA==\\x07"]
Evil.__name__ = {RUNS!r} + "\\x1b[2J"
raise Evil
"""
STREAMS = f"""
import sys
print({RUNS!r}); sys.stderr.write({HANDLER!r})
"""
METADATA = f"""
from IPython.display import display
display({{"text/plain": "plain"}}, raw=True, metadata={{"text/html": {{"isolated": False}},
        "widgets": {RUNS!r}}}, transient={{"display_id": {RUNS!r}}})
"""
LABELS = r"""
text = open("predictions.csv").read()
odd = "\x1b]0;evil\x07\x1b[2J<script>=cmd|'/c calc'!A0"
open("predictions.csv", "w").write(text.replace("toy-en-900", odd))
open("counts.json", "w").write('{"messages": "=HYPERLINK(\\"http://evil.example\\")"}')
"""
MARKDOWN = (
    f"{RUNS} {HANDLER} [a](javascript:run('{TOKEN}')) <svg/onload=run()>\n"
    f"![a](x) [b]: javascript:run() `x` &#60;script&#62; $\\href{{javascript:run()}}{{x}}$\n"
    f'<iframe srcdoc="{RUNS}"></iframe> <a href="vbscript:x">x</a> <style>*{{}}</style>\n'
    f"<form action=/formgrader/api><input name=score value=10></form>\n"
)
FORMULAS = "=cmd|'/c calc'!A0 @SUM(1) +1 -1 \t=1"

ATTACKS = (
    shown("bundles", "shows pages, scripts, drawings, widgets", BUNDLES),
    shown("false-pictures", "calls a page a picture", FALSE_PICTURES),
    shown("large-picture", "shows a picture of 3.6 gigapixels", LARGE_PICTURE),
    shown("steering", "prints what steers a terminal", STEERING),
    shown("errors", "fails with a page", ERRORS),
    shown("streams", "prints a page", STREAMS),
    shown("metadata", "describes its output with a page", METADATA),
    answered("answer", "answers with a page", MARKDOWN),
    answered("formula-answer", "answers with formulas", FORMULAS),
    answered(
        "steering-answer", "answers with escapes", "\x1b]0;evil\x07\x1b[2J \u202e"
    ),
    own_text("own-text", "adds a page", MARKDOWN),
    own_text("own-links", "adds links", "[x]( javascript:a ) <javascript:a> [y][z]\n"),
    saved("labels", "names labels like escapes and formulas", LABELS, NONE),
)


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pile]:
    """Return the graded pile of this family."""
    yield from graded(tmp_path_factory.mktemp("scripts"), ATTACKS)


@pytest.mark.parametrize("attack", cases(ATTACKS))
def test_a_page_in_a_hand_in_changes_no_mark(pile: Pile, attack: Attack) -> None:
    """The work beside the script has its points."""
    judged(pile, attack)


def test_the_neighbours_of_scripts_keep_their_marks(pile: Pile) -> None:
    """Honest work beside them has all its points, and nothing is left."""
    undisturbed(pile)


@pytest.mark.parametrize("attack", cases(ATTACKS))
def test_outputs_are_text_and_small_pictures(pile: Pile, attack: Attack) -> None:
    """Of all outputs only plain text, PNG, streams and errors are kept."""
    for cell in pile.executed(attack.name)["cells"]:
        for output in cell.get("outputs", ()):
            assert output["output_type"] in ("stream", "error", "display_data")
            assert set(output.get("data", ())) <= {"text/plain", "image/png"}
            assert output.get("metadata", {}) == {}
            assert "image/png" not in output.get("data", {})
        assert "attachments" not in cell


@pytest.mark.parametrize("attack", cases(ATTACKS))
def test_nothing_kept_steers_a_terminal(pile: Pile, attack: Attack) -> None:
    """Colours and line ends are all that is left of control characters in outputs."""
    steers = re.compile(r"\x1b(?!\[[\d;]*m)|[\x00-\x07\x0b\x0c\x0e-\x1a\x7f-\x9f]")
    printed = "".join(pile.printed(attack.name).values())
    assert steers.search(printed) is None


def test_plain_words_and_colours_are_kept(pile: Pile) -> None:
    """What an honest trainee prints comes through whole."""
    printed = "".join(pile.printed("steering").values())
    assert "kept\tas\nwritten 文字" in printed
    assert "\x1b[31mred\x1b[0m" in printed


@pytest.mark.parametrize("attack", cases(ATTACKS))
def test_text_of_a_graded_notebook_is_inert(pile: Pile, attack: Attack) -> None:
    """In markdown that a trainee wrote nothing opens a tag or a link that runs."""
    sheet = pile.row(attack.name).sheet
    assert sheet is not None
    shown = graded_notebook(pile.result(attack.name) / "executed.ipynb", sheet)
    for cell in shown["cells"]:
        own = not cell["metadata"].get("nbgrader", {}).get("locked")
        if cell["cell_type"] == "markdown" and own:
            source = "".join(cell["source"])
            assert "<" not in source
            assert "](" not in source
            assert "&#" not in source


@pytest.mark.parametrize("attack", cases(ATTACKS))
def test_tables_on_a_terminal_do_not_steer_it(pile: Pile, attack: Attack) -> None:
    """Mark sheet and class table hold only the colours that we give them."""
    row, stream = pile.row(attack.name), io.StringIO()
    assert row.sheet is not None
    console = Console(file=stream, width=100, force_terminal=False)
    console.print(class_report([row], "zh", width=100))
    console.print(sheet_report(row.sheet), sheet_report(row.sheet, trainee=True))
    assert (
        re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", stream.getvalue())
        is None
    )


def test_the_spreadsheet_has_no_formula(pile: Pile) -> None:
    """A cell of the CSV that a spreadsheet would run begins with an apostrophe."""
    stream = io.StringIO(newline="")
    export_csv(Record.open(pile.course).entries(), stream)
    lines = list(csv.reader(io.StringIO(stream.getvalue(), newline="")))
    cells = [cell for line in lines[1:] for cell in line]
    assert not [cell for cell in cells if re.match(r"[\s\0\ufeff]*[=+@＝＋＠]", cell)]
    assert {line[0] for line in lines[1:]} >= {attack.name for attack in ATTACKS}


def test_feedback_holds_no_page(pile: Pile) -> None:
    """The trainee's copy quotes values as text, without control characters."""
    copy = Path(pile.course, "feedback", "labels").rglob("sheet.json")
    [text] = [path.read_text("utf-8") for path in copy]
    assert json.loads(text)["candidate"] == "labels"
    assert re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text) is None
