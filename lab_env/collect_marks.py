"""Take the points that were given in formgrader into the record.

The record is the mark; formgrader is where a person likes to work. What is given there
becomes one entry a row, as `lab mark` writes it, with who gave it and the comment as
the reason. Doing it again adds nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab_env import desk
from lab_env.checks import Text
from lab_env.errors import LabError
from lab_env.gradebook import HandScore, hand_scores
from lab_env.marking import mark_by_hand
from lab_env.marksheet import MarkSheet
from lab_env.notebook_file import inner, read_sealed
from lab_env.record import Record
from lab_env.release import Release

SILENT = Text("在 formgrader 中评分，未写意见", "given in formgrader, no comment")


@dataclass(frozen=True)
class Collected:
    """One row of one candidate: now in the record, or not, and then why."""

    candidate: str
    row: str
    points: float
    refused: str = ""


def collect_marks(course: Path, release: Release, by: str) -> tuple[Collected, ...]:
    """Write what differs from the record; a row that cannot be given stops no other."""
    given = hand_scores(course, release.id)
    rows = _rows_of_cells(release)
    record = Record.open(course, create=False)
    found: list[Collected] = []
    for candidate, cells in sorted(given.items()):
        entries = desk.sheets(record, candidate, release.id)
        if entries:
            sheet = MarkSheet.from_json(entries[-1].body["sheet"])
            found += _collect(course, release, sheet, cells, rows, by)
    return tuple(found)


def _rows_of_cells(release: Release) -> dict[str, tuple[str, ...]]:
    return {
        cell["id"]: tuple(inner(cell, "metadata", "lab").get("rows", ()))
        for cell in read_sealed(release.notebook)["cells"]
    }


def _collect(
    course: Path,
    release: Release,
    sheet: MarkSheet,
    cells: dict[str, HandScore],
    rows: dict[str, tuple[str, ...]],
    by: str,
) -> Iterator[Collected]:
    """Write one candidate's cells that a person marked."""
    for cell, score in cells.items():
        codes = rows.get(cell, ())
        found = [row for row in sheet.rows if row.code in codes]
        if score.points == MarkSheet.given(found) and not any(
            row.given is None for row in found
        ):
            continue
        row = " ".join(codes) or cell
        refused = ""
        try:
            _give(course, release, sheet.candidate, codes, score, by)
        except LabError as error:
            refused = str(error)
        yield Collected(sheet.candidate, row, score.points, refused)


def _give(
    course: Path,
    release: Release,
    candidate: str,
    codes: tuple[str, ...],
    score: HandScore,
    by: str,
) -> None:
    if len(codes) != 1:
        raise LabError(
            f"{candidate}: {score.points:g} points were given for the rows "
            f"{', '.join(codes) or '(none)'} together; give each its own: lab mark"
        )
    reason = " ".join(score.comment.split()) or SILENT.read(release.language)
    mark_by_hand(course, release, candidate, codes[0], score.points, by, reason)
