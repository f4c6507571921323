"""Grade a pile of hand-ins: received → jobs → results → record → gradebook.

Safe to kill at any moment and start again: a hand-in is kept under its hash, a result
folder appears whole, and the record takes one entry for each key. So nothing is lost
and nothing is entered twice. Only this process writes to the record; jobs do not.

    received/<release>/<candidate>/<hash>/            what was handed in, never changed
    results/<release>/<candidate>/<hash>-<seal>[-n]/  what each grading made of it
    feedback/<candidate>/<release>/sheet.json         the trainee's copy
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab_env import desk
from lab_env.batch import Batch, Done
from lab_env.desk import SheetAt
from lab_env.engine import Engine, Local, Say, gpus_here, open_cluster
from lab_env.errors import BrokenError
from lab_env.marking import mark_by_hand
from lab_env.marksheet import MarkSheet
from lab_env.receive import Received, Refused, receive_folder
from lab_env.record import Record
from lab_env.release import Release, check_seal
from lab_env.room_a import limits_of
from lab_env.sandbox import Isolation, require_isolation
from lab_env.sandbox.runs import Tier
from lab_env.scores import Book
from lab_env.start_jobs import commands

__all__ = ["GradingReport", "ReportRow", "Site", "grade_folder", "mark_by_hand"]

# Beyond the limits of both runs in the jail: only our own fault takes this long.
SPARE_SECONDS = 600
# Of a result, beside its deliverables: the executed notebook and the sheet.
SPARE_MB = 64

Outcome = Literal["graded", "already graded", "refused", "broken"]


@dataclass(frozen=True)
class ReportRow:
    """What became of one hand-in; ``sentence`` says why, or what is left to do."""

    candidate: str
    outcome: Outcome
    sentence: str = ""
    sheet_at: SheetAt | None = None

    @property
    def sheet(self) -> MarkSheet | None:
        """The mark sheet, read from the record; None if the hand-in was refused."""
        return self.sheet_at.read() if self.sheet_at else None


@dataclass(frozen=True)
class GradingReport:
    """What became of a pile."""

    release: str
    rows: tuple[ReportRow, ...]

    @property
    def exit_code(self) -> int:
        """3 if a fault of ours needs a person, 2 if a hand-in was refused, else 0."""
        outcomes = {row.outcome for row in self.rows}
        faults = any(row.sentence for row in self.rows if row.outcome != "refused")
        if "broken" in outcomes or faults:
            return BrokenError.exit_code
        return 2 if "refused" in outcomes else 0


Progress = Callable[[int, int, ReportRow], None]


@dataclass(frozen=True)
class Site:
    """Where and how jobs run; none of it moves a mark.

    ``engine`` is the address of a Dask scheduler, or "" for this machine.
    """

    engine: str = ""
    workers: int | None = None
    cold: bool = False
    say: Say = lambda sentence: None

    @contextmanager
    def open(
        self, release: Release, isolation: Isolation, jobs: int
    ) -> Iterator[Engine]:
        """Yield the engine for so many jobs of one release."""
        lab = release.lab
        device: Literal["cpu", "gpu"] = "gpu" if lab.device == "gpu" else "cpu"
        patience = 2 * limits_of(lab).wall_seconds + SPARE_SECONDS
        if self.engine:
            size = int(sum(each.max_mb for each in lab.deliverables)) + SPARE_MB
            yield open_cluster(
                self.engine,
                device=device,
                timeout_seconds=patience,
                result_mb=size,
                cold=self.cold,
                say=self.say,
            )
            return
        workers = min(jobs, self.workers or os.cpu_count() or 1)
        start = commands(isolation, jobs, self.say, cold=self.cold, device=device)
        with start as command:
            yield Local(command, workers, patience, device, gpus_here(), self.say)


def grade_folder(
    course: Path,
    release: Release,
    folder: Path,
    *,
    trust: bool = False,
    at_least: Tier = "landlock",
    workers: int | None = None,
    force: bool = False,
    progress: Progress = lambda done, total, row: None,
    gradebook: bool = True,
    only: str | None = None,
    site: Site | None = None,
) -> GradingReport:
    """Grade every hand-in in ``folder`` that has no mark under this seal yet.

    With ``force`` all are graded once more. ``progress`` hears of each as it is done.
    """
    # Absolute: nbgrader changes the working folder while it works.
    course, folder = course.resolve(), folder.resolve()
    site = site or Site(workers=workers)
    isolation = require_isolation(trust, at_least)
    check_seal(release)
    with desk.only_grader(course):
        batch = Batch(course, release, isolation, Record.open(course), force)
        batch.sweep(only)
        received = list(receive_folder(course, release, folder, only))
        order = {each.candidate: place for place, each in enumerate(received)}
        rows = []
        book = Book(course, release, folder == course / "submitted")
        for row in _rows(batch, received, site, book if gradebook else None):
            rows.append(row)
            progress(len(rows), len(received), row)
    rows.sort(key=lambda row: order[row.candidate])
    return GradingReport(release.id, tuple(rows))


def _rows(
    batch: Batch, received: list[Received | Refused], site: Site, book: Book | None
) -> Iterator[ReportRow]:
    for each in received:
        if isinstance(each, Refused):
            yield ReportRow(each.candidate, "refused", each.sentence)
    taken = [each for each in received if isinstance(each, Received)]

    def open_engine(jobs: int) -> AbstractContextManager[Engine]:
        return site.open(batch.release, batch.isolation, jobs)

    for done in batch.grade(taken, open_engine):
        yield ReportRow(
            done.received.candidate,
            done.outcome,
            _into(book, done) if book else "",
            done.sheet,
        )


def _into(book: Book, done: Done) -> str:
    graded_now = done.outcome != "already graded"
    return book.take(done.sheet.read(), done.received, graded_now)
