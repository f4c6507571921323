"""The examiner's desk: who may write now, and which mark sheet is the valid one."""

import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab_env.errors import LabError
from lab_env.files import write_json
from lab_env.marksheet import MarkSheet
from lab_env.record import Entry, Record


@contextmanager
def only_grader(course: Path) -> Iterator[None]:
    """Hold the course for one grading; LabError if another one holds it."""
    course.mkdir(parents=True, exist_ok=True)
    path = course / "grading.lock"
    with path.open("a+", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            raise LabError(
                f"Another grading (process {stream.read().strip() or 'unknown'}) is at "
                f"work in {course}; wait until it has ended, then start again."
            ) from None
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield


@dataclass(frozen=True)
class SheetAt:
    """Where a mark sheet stands in the record; a thousand of these are small."""

    record: Record
    candidate: str
    release: str
    seq: int

    @classmethod
    def of(cls, record: Record, entry: Entry) -> "SheetAt":
        """Return where the sheet of this entry stands."""
        return cls(record, entry.candidate, entry.release, entry.seq)

    def read(self) -> MarkSheet:
        """Return the sheet."""
        found = sheets(self.record, self.candidate, self.release)
        body = next(entry.body for entry in found if entry.seq == self.seq)
        return MarkSheet.from_json(body["sheet"])


@contextmanager
def one_at_a_time(course: Path) -> Iterator[None]:
    """Wait for whoever reads a sheet and writes the next one."""
    course.mkdir(parents=True, exist_ok=True)
    with (course / "marking.lock").open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def sheets(record: Record, candidate: str, release: str) -> list[Entry]:
    """Return the entries with a mark sheet, broken ones too, the valid one last."""
    return with_sheets(record.entries(candidate=candidate, release=release))


def with_sheets(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries with a mark sheet, by attempt, then as they were entered.

    An earlier attempt that is graded once more does not become the valid one.
    """
    found = [entry for entry in entries if "sheet" in entry.body]
    return sorted(found, key=lambda entry: (entry.attempt, entry.seq))


def with_hand_marks(sheet: MarkSheet, before: Sequence[Entry]) -> MarkSheet:
    """Return the sheet with what a person gave for the same hand-in before."""
    if not before:
        return sheet
    last = MarkSheet.from_json(before[-1].body["sheet"])
    for row in last.hand_rows:
        now = sheet.row(row.code)
        if row.marked_by and row.given is not None and now is not None and now.by_hand:
            given, reason = min(row.given, now.points), row.reason or ""
            sheet = sheet.marked(row.code, given, row.marked_by, reason)
    return sheet


def write_trainee_copy(course: Path, sheet: MarkSheet) -> Path:
    """Write the sheet as the trainee may see it, and return where."""
    path = course / "feedback" / sheet.candidate / sheet.release / "sheet.json"
    write_json(path, sheet.for_trainee().as_json())
    return path
