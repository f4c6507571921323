"""Grade a pile of hand-ins: received → jobs → results → record → gradebook.

Safe to kill at any moment and start again: a hand-in is kept under its hash, a result
folder appears whole, and the record takes one entry for each key. So nothing is lost
and nothing is entered twice. Only this process writes to the record; jobs do not.

    received/<release>/<candidate>/<hash>/            what was handed in, never changed
    results/<release>/<candidate>/<hash>-<seal>[-n]/  what each grading made of it
    feedback/<candidate>/<release>/sheet.json         the trainee's copy
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal
from uuid import uuid4

from lab_env import desk
from lab_env.checks import Text
from lab_env.engine import run_jobs
from lab_env.errors import BrokenError
from lab_env.files import write_json, write_whole
from lab_env.grade import isolation_sentence
from lab_env.marking import mark_by_hand, write_hand_scores
from lab_env.marksheet import MarkSheet, broken_rows
from lab_env.receive import Received, Refused, receive_folder
from lab_env.record import Entry, Record
from lab_env.release import Release, check_seal, load_checks
from lab_env.room_a import limits_of
from lab_env.sandbox import Isolation, require_isolation

__all__ = ["GradingReport", "ReportRow", "grade_folder", "mark_by_hand"]

TRIES = 2
# Beyond the limits of both runs in the jail: only our own fault takes this long.
SPARE_SECONDS = 600

Outcome = Literal["graded", "already graded", "refused", "broken"]


@dataclass(frozen=True)
class ReportRow:
    """What became of one hand-in; ``sentence`` says why, or what is left to do."""

    candidate: str
    outcome: Outcome
    sheet: MarkSheet | None = None
    sentence: str = ""


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


def grade_folder(
    course: Path,
    release: Release,
    folder: Path,
    *,
    trust: bool = False,
    workers: int | None = None,
    force: bool = False,
    progress: Progress = lambda done, total, row: None,
    gradebook: bool = True,
    only: str | None = None,
) -> GradingReport:
    """Grade every hand-in in ``folder`` that has no mark under this seal yet.

    With ``force`` all are graded once more. ``progress`` hears of each as it is done.
    """
    # Absolute: nbgrader changes the working folder while it works.
    course, folder = course.resolve(), folder.resolve()
    isolation = require_isolation(trust)
    check_seal(release)
    with desk.only_grader(course):
        batch = _Batch(course, release, isolation, Record.open(course), force)
        batch.sweep()
        received = list(receive_folder(course, release, folder, only))
        done = batch.grade(received, workers or os.cpu_count() or 1)
        rows = []
        for row, hand_in in done:
            if gradebook and hand_in is not None:
                row = _into_gradebook(course, release, folder, row, hand_in)
            rows.append(row)
            progress(len(rows), len(received), row)
    order = [each.candidate for each in received]
    rows.sort(key=lambda row: order.index(row.candidate))
    return GradingReport(release.id, tuple(rows))


@dataclass(frozen=True)
class _Job:
    received: Received
    attempt: int
    number: int
    result: Path
    file: Path


@dataclass
class _Batch:
    course: Path
    release: Release
    isolation: Isolation
    record: Record
    force: bool
    seal: str = field(init=False)

    def __post_init__(self) -> None:
        self.seal = self.release.seal
        self.checks = load_checks(self.release.grader)

    def sweep(self) -> None:
        """Remove what killed jobs left half made."""
        for kind in ("received", "results"):
            for path in (self.course / kind / self.release.id).glob("**/.*"):
                shutil.rmtree(path, ignore_errors=True)

    def grade(
        self, received: Sequence[Received | Refused], workers: int
    ) -> Iterator[tuple[ReportRow, Received | None]]:
        """Yield a row for each hand-in, with the hand-in unless it was refused."""
        results = self.course / "results" / self.release.id
        results.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=results, prefix=".jobs-") as jobs_folder:
            jobs = []
            for each in received:
                if isinstance(each, Refused):
                    refused = ReportRow(each.candidate, "refused", None, each.sentence)
                    yield refused, None
                    continue
                attempt = self._attempt(each)
                before = self._entries(each)
                if before and before[-1].event != "broken" and not self.force:
                    yield self._already(each, before[-1]), each
                    continue
                job = self._job(each, attempt, len(before) + 1, Path(jobs_folder))
                if job.result.is_dir():
                    yield self._finish(job), each
                else:
                    jobs.append(job)
            for job in self._run(jobs, workers):
                yield self._finish(job), job.received

    def _run(self, jobs: Sequence[_Job], workers: int) -> Iterator[_Job]:
        """Yield the jobs as they end; one that died without a result is tried again."""
        limits = limits_of(self.release.lab)
        patience = 2 * limits.wall_seconds + SPARE_SECONDS
        for once_more in range(1, TRIES + 1):
            died = []
            for job, code, said in run_jobs(jobs, _command, workers, patience):
                if job.result.is_dir():
                    yield job
                    continue
                text = f"try {once_more}, exit code {code}\n{said}\n"
                log = job.file.with_suffix(f".{once_more}.log")
                write_whole(log, text)
                died.append(job)
            jobs = died
        yield from jobs

    def _attempt(self, received: Received) -> int:
        key = f"received:{self.release.id}:{received.candidate}:{received.sha256[:12]}"
        known = self.record.find(key)
        if known is not None:
            return known.attempt
        number = self.record.next_attempt(received.candidate, self.release.id)
        entry = self.record.append(
            "received",
            candidate=received.candidate,
            release=self.release.id,
            attempt=number,
            body=dict(received.facts),
            key=key,
        )
        return entry.attempt

    def _entries(self, received: Received) -> list[Entry]:
        """Return the mark sheets of this very hand-in under this very seal."""
        entries = desk.sheets(self.record, received.candidate, self.release.id)
        known = (received.sha256, self.seal)
        return [e for e in entries if (e.body["submission"], e.body["seal"]) == known]

    def _job(self, received: Received, attempt: int, number: int, folder: Path) -> _Job:
        name = f"{received.sha256[:12]}-{self.seal[:12]}"
        name = name if number == 1 else f"{name}-{number}"
        results = self.course / "results" / self.release.id / received.candidate
        # Not the candidate's name, which may be as long as a file's name can be.
        file = folder / f"{uuid4().hex}.json"
        write_json(
            file,
            {
                "release": str(self.release.folder.resolve()),
                "handed_in": str(received.folder.resolve()),
                "result": str((results / name).resolve()),
                "candidate": received.candidate,
                "attempt": attempt,
                "isolation": asdict(self.isolation),
                "threads": 1,
            },
        )
        return _Job(received, attempt, number, results / name, file)

    def _finish(self, job: _Job) -> ReportRow:
        run = uuid4().hex[:8]
        if job.result.is_dir():
            value = json.loads((job.result / "sheet.json").read_text("utf-8"))
            sheet = MarkSheet.from_json(value)
        else:
            sheet = self._broken(job, run)
        sheet = self._enter(job, sheet, run)
        desk.write_trainee_copy(self.course, sheet)
        return ReportRow(sheet.candidate, "broken" if sheet.broken else "graded", sheet)

    def _enter(self, job: _Job, sheet: MarkSheet, run: str) -> MarkSheet:
        candidate, release = job.received.candidate, self.release.id
        names = (candidate, job.received.sha256[:12], self.seal[:12])
        key = ":".join(("graded", release, *names))
        with desk.one_at_a_time(self.course):
            before = desk.sheets(self.record, candidate, release)
            mine = [e for e in before if e.attempt == job.attempt]
            sheet = desk.with_hand_marks(sheet, mine)
            decided = any(entry.event != "broken" for entry in mine)
            event = "regraded" if decided else "graded"
            entry = self.record.append(
                "broken" if sheet.broken else event,
                candidate=candidate,
                release=release,
                attempt=job.attempt,
                body={
                    "sheet": sheet.as_json(),
                    "submission": job.received.sha256,
                    "seal": self.seal,
                    "result": job.result.relative_to(self.course).as_posix(),
                    "run": {"id": run, "number": job.number},
                    "reason": "asked for again" if self.force else "",
                },
                key=key if job.number == 1 else f"{key}:{job.number}",
            )
        return MarkSheet.from_json(entry.body["sheet"])

    def _broken(self, job: _Job, run: str) -> MarkSheet:
        zh = f"评分程序中途失败，没有给分，请联系考评员（运行编号 {run}）。"
        en = f"Grading failed and no points were decided. Tell the examiner: run {run}."
        logs = sorted(job.file.parent.glob(f"{job.file.stem}.*.log"))
        said = "".join(log.read_text("utf-8") for log in logs)
        write_whole(self.course / "logs" / f"{run}.log", said)
        return MarkSheet(
            release=self.release.id,
            candidate=job.received.candidate,
            attempt=job.attempt,
            language=self.release.language,
            title=self.release.lab.title.read(self.release.language),
            isolation=isolation_sentence(self.isolation),
            rows=broken_rows(self.checks, Text(zh, en)),
            environment={"ended": "broken", "run": run, "log": said[-1000:]},
        )

    def _already(self, received: Received, entry: Entry) -> ReportRow:
        latest = desk.sheets(self.record, received.candidate, self.release.id)[-1]
        newest = MarkSheet.from_json(latest.body["sheet"])
        desk.write_trainee_copy(self.course, newest)
        sheet = MarkSheet.from_json(entry.body["sheet"])
        return ReportRow(received.candidate, "already graded", sheet)


def _command(job: _Job) -> list[str]:
    return [sys.executable, "-m", "lab_env.grade", str(job.file)]


def _into_gradebook(
    course: Path, release: Release, folder: Path, row: ReportRow, received: Received
) -> ReportRow:
    from lab_env import gradebook  # a second of CPU: only where it is used

    assert row.sheet is not None
    submitted = course / "submitted"
    try:
        known = gradebook.scores_of(course, release.id).get(row.candidate)
        if row.sheet.broken:
            if known is not None:
                gradebook.reset_scores(course, release.id, row.candidate)
            return row
        if row.outcome == "already graded" and _agrees(known, row.sheet):
            return row
        if folder.resolve() != submitted.resolve():
            _put_submitted(submitted / row.candidate / release.id, received)
        gradebook.autograde(course, release.id, row.candidate)
        write_hand_scores(course, release, row.sheet)
    except Exception as error:  # the mark itself is safe in the record
        # SQLAlchemy's second line is the statement.
        seen = str(error).partition("\n")[0]
        said = f"The mark is recorded, but not in the gradebook: {seen}"
        return ReportRow(row.candidate, row.outcome, row.sheet, said)
    return row


def _agrees(
    known: dict[str, tuple[float | None, bool]] | None, sheet: MarkSheet
) -> bool:
    if known is None:
        return False
    total = sum(points or 0 for points, _ in known.values())
    return abs(total - MarkSheet.given(sheet.rows)) < 0.01


def _put_submitted(target: Path, received: Received) -> None:
    """Show nbgrader what was marked, in its own layout."""
    shutil.rmtree(target, ignore_errors=True)
    for name in received.facts["files"]:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(received.folder / name, target / name)
