"""The cells of a graded notebook, as a page shows them: texts, pictures, rows."""

import re
import unicodedata
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mistune import create_markdown

from lab_env.checks import Text
from lab_env.graded_notebook import ROWS, as_written

PIXELS = 25_000_000
CHARACTERS = 100_000
_PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
# Bounded: a long text must not cost its length squared.
_TERMINAL = re.compile(
    r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]"
    r"|\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)"
    r"|[@-Z\\-_])"
)
_KEPT = "\n\t\N{ZERO WIDTH JOINER}"
_prose = create_markdown(escape=True, plugins=["table"])


@dataclass(frozen=True)
class Output:
    """One output of a trainee's program."""

    kind: Literal["text", "error", "picture", "left out"]
    text: str


@dataclass(frozen=True)
class Cell:
    """One cell: ours if it is locked, and else the trainee's."""

    kind: Literal["prose", "code", "answer", "added"]
    is_code: bool
    source: str
    outputs: tuple[Output, ...]
    rows: tuple[Mapping[str, Any], ...]
    grade_id: str
    is_graded: bool
    is_answer: bool
    points: float
    comment: str


def cells_of(notebook: Mapping[str, Any]) -> tuple[Cell, ...]:
    """Return what a page shows of a notebook that ``graded_notebook`` made."""
    return tuple(map(_cell, notebook["cells"]))


def readable(text: str) -> str:
    """Return text as a person would see it, with nothing that acts on the reader.

    Terminal sequences go; a character that is not seen but turns, hides or breaks the
    text is named instead. What is too long for a page is cut.
    """
    if len(text) > CHARACTERS:
        text = f"{text[:CHARACTERS]} …"
    lines = _TERMINAL.sub("", text.replace("\r\n", "\n")).split("\n")
    return "".join(map(_named, "\n".join(map(_last_drawn, lines))))


def _last_drawn(line: str) -> str:
    """A progress bar draws over its own line: only the last drawing is seen."""
    return line.rstrip("\r").rpartition("\r")[2]


def _named(char: str) -> str:
    if char.isprintable() or char in _KEPT or unicodedata.category(char) == "Zs":
        return char
    return f"‹U+{ord(char):04X}›"


def _cell(cell: Mapping[str, Any]) -> Cell:
    grading: Mapping[str, Any] = cell["metadata"].get("nbgrader", {})
    is_code = cell["cell_type"] == "code"
    locked = grading.get("locked") is True
    source = "".join(cell["source"])
    kind: Literal["prose", "code", "answer", "added"]
    if locked:
        kind = "code" if is_code else "prose"
    else:
        kind = "answer" if grading.get("solution") else "added"
    if kind == "prose":
        source = str(_prose(source))
    else:
        source = readable(source if is_code or locked else as_written(source))
    outputs = cell.get("outputs", ()) if is_code else ()
    return Cell(
        kind=kind,
        is_code=is_code,
        source=source,
        outputs=tuple(_outputs(outputs)),
        rows=tuple(_rows(outputs)) if locked else (),
        grade_id=str(grading.get("grade_id", "")),
        is_graded=grading.get("grade") is True,
        is_answer=grading.get("solution") is True,
        points=float(grading.get("points") or 0),
        comment=str(grading.get("comment") or ""),
    )


def _rows(outputs: Any) -> Iterator[Mapping[str, Any]]:
    for output in outputs:
        for row in output.get("data", {}).get(ROWS, ()):
            yield {**row, "actual": readable(row["actual"])}


def _outputs(outputs: Any) -> Iterator[Output]:
    for output in outputs:
        data = output.get("data", {})
        if ROWS in data:
            continue
        if output["output_type"] == "stream":
            yield Output("text", readable("".join(output["text"])))
        elif output["output_type"] == "error":
            trace = "\n".join(output["traceback"])
            said = f"{output['ename']}: {output['evalue']}"
            yield Output("error", readable(trace or said))
        elif "image/png" in data:
            yield _picture("".join("".join(data["image/png"]).split()))
        elif "text/plain" in data:
            yield Output("text", readable("".join(data["text/plain"])))


def _picture(encoded: str) -> Output:
    """Return the picture, unless it is none or would fill the browser's memory."""
    try:
        content = b64decode(encoded, validate=True)
    except ValueError:
        content = b""
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
    if content.startswith(_PNG) and 0 < width * height <= PIXELS:
        return Output("picture", encoded)
    return Output("left out", f"PNG, {width} × {height}, {len(content)} bytes")


WORDS = {
    "answer": Text("学员的回答", "The trainee's answer"),
    "added": Text("学员自己添加的单元", "A cell that the trainee added"),
    "printed": Text("学员程序的输出", "Printed by the trainee's program"),
    "left_out": Text("此图未显示", "This picture is not shown"),
    "sheet": Text("评分表（考评程序给出）", "Mark sheet (made by the grader)"),
    "code": Text("细则编号", "Row"),
    "sentence": Text("评分细则描述", "What is marked"),
    "actual": Text("结果或实际值", "Actual value"),
    "given": Text("得分", "Given"),
    "outcome": Text("结论", "Outcome"),
    "comment": Text("考评员意见", "The examiner's comment"),
    "open": Text("待评", "open"),
}


def words(language: str) -> dict[str, str]:
    """Return the words of the pages."""
    return {name: text.read(language) for name, text in WORDS.items()}
