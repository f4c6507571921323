"""The sheets that a class report counts: the newest one of each candidate."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab_env.desk import with_sheets
from lab_env.errors import LabError
from lab_env.marksheet import MarkSheet, Row
from lab_env.record import Entry, Record
from lab_env.release import Release


@dataclass(frozen=True)
class Attempt:
    """A candidate's newest mark sheet, when it was entered, and the run it is of."""

    sheet: MarkSheet
    at: str
    run: str

    @property
    def candidate(self) -> str:
        """The exam number."""
        return self.sheet.candidate

    @property
    def given_up(self) -> bool:
        """Whether nothing at all was attempted."""
        return all(row.outcome == "not attempted" for row in self.sheet.rows)


@dataclass(frozen=True)
class HandedIn:
    """All candidates of a release; ``ungraded`` handed in and have no sheet yet."""

    attempts: tuple[Attempt, ...]
    ungraded: tuple[str, ...]


def handed_in(course: Path, release: Release) -> HandedIn:
    """Return the candidates of a release; LabError if nobody has a mark sheet.

    Of several sheets that of the last attempt counts, as in ``lab record show``.
    """
    newest: dict[str, Attempt] = {}
    entries = list(_entries(course, release))
    candidates = {entry.candidate for entry in entries}
    for entry in with_sheets(entries):
        sheet = MarkSheet.from_json(entry.body["sheet"])
        run = str(entry.body.get("run", {}).get("id", ""))
        newest[entry.candidate] = Attempt(sheet, entry.at, run)
    if not newest:
        raise LabError(
            f"Nobody has a mark sheet for {release.id} yet ({len(candidates)} handed "
            f"in); grade first: lab grade {release.id} FOLDER"
        )
    attempts = tuple(newest[name] for name in sorted(newest))
    return HandedIn(attempts, tuple(sorted(candidates - newest.keys())))


def _entries(course: Path, release: Release) -> Iterator[Entry]:
    if (course / "record.db").is_file():
        yield from Record.open(course, create=False).entries(release=release.id)


def decided_points(rows: tuple[Row, ...]) -> float | None:
    """Return the points given in ``rows``; None while one of them is open."""
    if not rows or any(row.given is None for row in rows):
        return None
    return MarkSheet.given(rows)
