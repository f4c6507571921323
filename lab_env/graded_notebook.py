"""A graded notebook for the examiner's browser, and where its mark sheet lies.

A hand-in is kept in ``received/<release>/<candidate>/<hash>/``; what grading made of it
under a seal in ``results/<release>/<candidate>/<hash>-<seal>/``, -2, -3 when repeated.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab_env.checks import Text
from lab_env.files import sha256
from lab_env.marksheet import MarkSheet, Outcome, Row
from lab_env.release import Release

OUTCOMES: dict[Outcome, Text] = {
    "passed": Text("通过", "passed"),
    "failed": Text("未达到", "failed"),
    "not attempted": Text("未作答", "not attempted"),
    "skipped": Text("未评", "skipped"),
    "awaiting marking": Text("待人工评分", "awaiting marking"),
    "broken": Text("考评故障", "broken"),
}
# Our table, for our pages; what a trainee prints cannot have this type.
ROWS = "application/vnd.ai-trainer-lab.rows+json"
# Each opens a way to a link that runs, and there are many spellings of "javascript:".
# A picture goes too: one whose file is missing stops the page of formgrader.
_DANGEROUS = {
    "<": "&lt;",
    "&": "&amp;",
    "](": "] (",
    "]:": "] :",
    "\\": "\N{FULLWIDTH REVERSE SOLIDUS}",  # escapes, and macros of MathJax
}
# "&" by itself is only text.
_DANGER = re.compile(r"<|&(?=#|\w+;)|\][(:]|\\")
_CHANGED = re.compile(r"&(?:lt|amp);|\N{FULLWIDTH REVERSE SOLIDUS}")
# Not the links: a space more in a link does no harm.
_WRITTEN = {now: before for before, now in _DANGEROUS.items() if "]" not in before}


@dataclass(frozen=True)
class Result:
    """A result folder and the mark sheet in it."""

    folder: Path
    sheet: MarkSheet


def find_result(course: Path, release: Release, candidate: str) -> Result | None:
    """Return what the last grading made of what lies in submitted/, or None."""
    results = course / "results" / release.id / candidate
    found = [
        sheet.parent
        for sha in _received_as(course, release, candidate)
        for sheet in results.glob(f"{sha}-{release.seal[:12]}*/sheet.json")
    ]
    newest = max(found, key=lambda folder: folder.stat().st_mtime_ns, default=None)
    if newest is None:
        return None
    value = json.loads((newest / "sheet.json").read_text("utf-8"))
    return Result(newest, MarkSheet.from_json(value))


def _received_as(course: Path, release: Release, candidate: str) -> list[str]:
    """Return the names under which the very files in submitted/ were received."""
    submitted = course / "submitted" / candidate / release.id
    received = course / "received" / release.id / candidate
    names = []
    for facts in received.glob("*/submission.json"):
        files: dict[str, str] = json.loads(facts.read_text("utf-8"))["files"]
        here = [submitted / name for name in files]
        if all(map(Path.is_file, here)) and list(map(sha256, here)) == [
            *files.values()
        ]:
            names.append(facts.parent.name)
    return names


def points_of_cell(sheet: MarkSheet, codes: Sequence[str]) -> float | None:
    """Return the points of the rows of one cell; None while one of them is open."""
    rows = [sheet.row(code) for code in codes]
    if any(row is None or row.given is None for row in rows):
        return None
    return sheet.given(row for row in rows if row is not None)


def graded_notebook(executed: Path, sheet: MarkSheet) -> dict[str, Any]:
    """Return the notebook as room A ran it, with its rows, and nothing that runs."""
    notebook: dict[str, Any] = json.loads(executed.read_text("utf-8"))
    for cell in notebook["cells"]:
        grading = cell["metadata"].get("nbgrader", {})
        codes = cell["metadata"].get("lab", {}).get("rows", ())
        if cell["cell_type"] == "markdown" and not grading.get("locked"):
            cell["source"] = inert(cell["source"])
        elif cell["cell_type"] == "code" and codes:
            # Whatever else stands here may be a forged table.
            errors = [one for one in cell["outputs"] if one["output_type"] == "error"]
            cell["outputs"] = [_table(sheet, codes), *errors]
    return notebook


def inert(markdown: str | list[str]) -> str:
    """Return a trainee's markdown with HTML, links and macros shown, not done."""
    text = markdown if isinstance(markdown, str) else "".join(markdown)
    return _DANGER.sub(lambda found: _DANGEROUS[found[0]], text)


def as_written(markdown: str) -> str:
    """Return what a trainee wrote, of what ``inert`` made of it, for a page of text."""
    return _CHANGED.sub(lambda found: _WRITTEN[found[0]], markdown)


def _table(sheet: MarkSheet, codes: Sequence[str]) -> dict[str, Any]:
    found = [row for row in map(sheet.row, codes) if row is not None]
    lines = [_line(row, sheet.language) for row in found]
    rows = [row_shown(row, sheet.language) for row in found]
    data = {"text/plain": "\n".join(lines) + "\n", ROWS: rows}
    return {"output_type": "display_data", "metadata": {}, "data": data}


def row_shown(row: Row, language: str) -> dict[str, Any]:
    """Return a row as a page shows it; a nominal value is never among it."""
    return {
        "code": row.code,
        "sentence": row.sentence.read(language),
        "actual": row.actual or "",
        "given": row.given,
        "points": row.points,
        "outcome": OUTCOMES[row.outcome].read(language),
    }


def _line(row: Row, language: str) -> str:
    given = "?" if row.given is None else f"{row.given:g}"
    outcome = OUTCOMES[row.outcome].read(language)
    return f"{row.code:<5}{given:>5} / {row.points:<4} {outcome}"
