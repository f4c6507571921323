"""What pages make of a trainee's words, without a browser (see tests/attacks)."""

import base64
import hashlib
import re
import struct
import time
from pathlib import Path

import pytest
from jinja2 import DictLoader

from lab_env.graded_notebook import ROWS, as_written, inert
from lab_env.pages.policy import file_policy, page_policy
from lab_env.pages.render import STATIC, Pages, feedback_page
from lab_env.pages.shown import CHARACTERS, Cell, cells_of, readable


def cell_of(*outputs: dict[str, object], locked: bool = False) -> Cell:
    """Return how a code cell with these outputs is shown."""
    metadata = {"nbgrader": {"locked": locked, "solution": not locked, "grade": False}}
    cell = {"cell_type": "code", "source": "x", "metadata": metadata}
    (shown,) = cells_of({"cells": [cell | {"outputs": list(outputs)}]})
    return shown


def display(**data: object) -> dict[str, object]:
    """Return an output with data of some types."""
    return {"output_type": "display_data", "metadata": {}, "data": data}


def picture(width: int, height: int) -> str:
    """Return the head of a PNG that claims this size."""
    head = struct.pack(">8sI4sII", b"\x89PNG\r\n\x1a\n", 13, b"IHDR", width, height)
    return base64.b64encode(head).decode()


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("中文\u3000全角\u00a0空格\ttab\n行", "中文\u3000全角\u00a0空格\ttab\n行"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;https://a.cn\x07link\x1b]8;;\x07", "link"),
        ("10%\r50%\r100%\nnext\r\n", "100%\nnext\n"),
        ("0\u202e2 / \u200b\x00", "0‹U+202E›2 / ‹U+200B›‹U+0000›"),
        ("👩\u200d🎓", "👩\u200d🎓"),
    ],
)
def test_readable_text(text: str, seen: str) -> None:
    """What a person reads stays; what acts on the reader goes or is named."""
    assert readable(text) == seen


@pytest.mark.parametrize(
    "piece", ["0", "\x1b]", "\x1b[0", "\r", "a\r", "\x00", "\u202e"]
)
def test_long_text_costs_little(piece: str) -> None:
    """A text made to be slow is shown, cut, within a second or so."""
    start = time.process_time()
    readable(piece * 2_000_000)
    assert time.process_time() - start < 3
    assert len(readable("x" * 2_000_000)) == CHARACTERS + 2


@pytest.mark.parametrize("text", ["a < b &lt; c", "5 & 6 &amp;lt; \\frac{1}{2}", "[7]"])
def test_written_answers_come_back_as_they_were(text: str) -> None:
    """What was changed for other viewers is changed back for a page of text."""
    assert as_written(inert(text)) == text


@pytest.mark.parametrize(
    ("encoded", "kind"),
    [
        (picture(640, 480), "picture"),
        (picture(640, 480)[:8] + "\n" + picture(640, 480)[8:], "picture"),
        (picture(60_000, 60_000), "left out"),
        (picture(0, 5), "left out"),
        (base64.b64encode(b"<svg onload=f()>").decode(), "left out"),
        ('"><script>', "left out"),
        ("图", "left out"),
    ],
)
def test_pictures_are_png_of_a_bounded_size(encoded: str, kind: str) -> None:
    """A bomb, another format or no picture at all is named and not shown."""
    (output,) = cell_of(display(**{"image/png": encoded})).outputs
    assert output.kind == kind


def test_rows_are_taken_from_our_cells_alone() -> None:
    """The same output in a trainee's cell is not a table of the grader."""
    row = {"code": "M1", "sentence": "s", "actual": "\x1b[2Ja", "given": 2}
    output = display(**{ROWS: [row | {"points": 2, "outcome": "passed"}]})

    (shown,) = cell_of(output, locked=True).rows

    assert shown["actual"] == "a"
    assert cell_of(output).rows == ()


def test_only_locked_cells_are_prose() -> None:
    """Markdown is rendered where it is ours; HTML stays text even there."""
    ours = {"nbgrader": {"locked": True}}
    cells = [
        {"cell_type": "markdown", "source": "# a <b>", "metadata": metadata}
        for metadata in (ours, {}, {"nbgrader": {"locked": "yes"}})
    ]
    sources = [cell.source for cell in cells_of({"cells": cells})]
    assert sources == ["<h1>a &lt;b&gt;</h1>\n", "# a <b>", "# a <b>"]


def test_policy_names_no_unsafe_word() -> None:
    """Nothing inline, no evaluation, no other machine, and never 'self' for scripts."""
    policy = page_policy("http://127.0.0.1:8888")
    parts = dict(part.split(" ", 1) for part in policy.split("; "))

    assert "unsafe" not in policy
    assert "*" not in policy
    assert parts["default-src"] == "'none'"
    assert "'self'" not in parts["script-src"]
    assert all(
        word.startswith("http://127.0.0.1:8888/formgrader/")
        for word in parts["script-src"].split()
    )


def test_feedback_allows_its_own_style_alone() -> None:
    """The hash in the file is that of the style in the file, and comes before it."""
    notebook = {"cells": [], "metadata": {"lab": {"release": "r", "language": "zh"}}}
    page = feedback_page(notebook, [], "2026-0042")
    style = re.search(r"<style>(.*)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()

    assert f"sha256-{digest}" in page.replace("&#43;", "+")
    assert page.index("Content-Security-Policy") < page.index("<style>")
    assert file_policy(style[1]) in page.replace("&#39;", "'")


def test_stock_templates_are_escaped_and_lose_their_handlers() -> None:
    """A value of nbgrader's cannot leave its place; page.js knows each action."""
    source = '<a onClick="createStudentModal();">{{ student_id }}</a>{{ page }}'
    pages = Pages(DictLoader({"manage_students.tpl": source}))

    made = pages.get_template("manage_students.tpl").render(student_id="<b>")

    action = 'data-on_click="createStudentModal();"'
    assert made == f"<a {action}>&lt;b&gt;</a>manage_students"


def test_every_handler_of_nbgraders_pages_is_known() -> None:
    """An nbgrader that brings a new inline handler is noticed here."""
    formgrader = pytest.importorskip("nbgrader.server_extensions.formgrader")
    templates = Path(formgrader.__file__).parent / "templates"
    ours = {path.name for path in (STATIC.parent / "templates").iterdir()}
    script = (STATIC / "page.js").read_text("utf-8")
    for path in templates.glob("*.tpl"):
        if path.name not in ours:
            for found in re.findall(r'(?i)\bon\w+="([^"]*)"', path.read_text("utf-8")):
                assert f'"{found}"' in script, f"{path.name}: {found}"
