"""Mark one row by hand: a new entry in the record, never a change of an old one."""

import math
from pathlib import Path

from lab_env import desk
from lab_env.errors import LabError, NotFoundError
from lab_env.marksheet import MarkSheet, Row
from lab_env.notebook_file import inner, read_sealed
from lab_env.record import Record
from lab_env.release import Release

STEP = 0.5


def mark_by_hand(
    course: Path,
    release: Release,
    candidate: str,
    code: str,
    given: float,
    by: str,
    reason: str,
) -> MarkSheet:
    """Give a person's points for one row and return the new sheet.

    Only rows that a person marks may be given, and rows that are broken: then a person
    decides in the machine's place, and the reason says why.
    """
    record = Record.open(course, create=False)
    with desk.one_at_a_time(course):
        entries = desk.sheets(record, candidate, release.id)
        if not entries:
            raise LabError(
                f'Candidate "{candidate}" has no mark sheet for {release.id}; '
                f"grade first: lab grade {release.id} FOLDER"
            )
        last = entries[-1]
        sheet = MarkSheet.from_json(last.body["sheet"])
        _check(_row(sheet, code), given, by, reason)
        sheet = sheet.marked(code, float(given), by.strip(), reason.strip())
        record.append(
            "marked",
            candidate=candidate,
            release=release.id,
            attempt=last.attempt,
            body=dict(last.body) | {"sheet": sheet.as_json(), "row": code},
        )
        desk.write_trainee_copy(course, sheet)
    write_hand_scores(course, release, sheet)
    return sheet


def _row(sheet: MarkSheet, code: str) -> Row:
    row = sheet.row(code)
    if row is None:
        known = [each.code for each in sheet.rows]
        raise NotFoundError("row", code, known, f"lab record show {sheet.candidate}")
    return row


def _check(row: Row, given: float, by: str, reason: str) -> None:
    decided_by_person = row.by_hand or row.marked_by is not None
    if not decided_by_person and row.outcome != "broken":
        raise LabError(
            f"Row {row.code} is marked by the grader ({row.outcome}, {row.given:g} of "
            f"{row.points}); only rows marked by hand, or broken ones, can be given."
        )
    fits = math.isfinite(given) and 0 <= given <= row.points
    if not fits or given % STEP:
        raise LabError(
            f"Row {row.code} takes 0 to {row.points} points in steps of {STEP}, "
            f"got {given:g}."
        )
    for name, value in (("name", by), ("reason", reason)):
        if not value.strip():
            raise LabError(
                f"Row {row.code}: the {name} is {value!r}; say who marks and why, "
                "it stands in the record."
            )


def write_hand_scores(course: Path, release: Release, sheet: MarkSheet) -> None:
    """Write every cell that a person marked, and that has no open row, to nbgrader."""
    if not any(row.marked_by for row in sheet.rows):
        return
    if not (course / "gradebook.db").is_file():
        return
    from lab_env import gradebook  # a second of CPU: only where it is used

    if not gradebook.has_submission(course, release.id, sheet.candidate):
        return
    for cell in read_sealed(release.notebook)["cells"]:
        codes = inner(cell, "metadata", "lab").get("rows", ())
        rows = [row for row in sheet.rows if row.code in codes]
        decided = all(row.given is not None for row in rows)
        if decided and any(row.marked_by for row in rows):
            points = MarkSheet.given(rows)
            gradebook.write_manual_score(
                course, release.id, sheet.candidate, cell["id"], points
            )
