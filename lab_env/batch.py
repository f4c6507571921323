"""One pile under one seal: what is still to be graded, and what each grading gave.

Only this process writes to the record; jobs and engines write result folders. What is
kept in memory for a hand-in is its name and where its sheet stands.
"""

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal
from uuid import uuid4

from lab_env import desk
from lab_env.checks import Text
from lab_env.desk import SheetAt
from lab_env.durable import make_folder
from lab_env.engine import Engine, Task, run_twice
from lab_env.files import write_whole
from lab_env.grade import isolation_sentence
from lab_env.marksheet import MarkSheet, broken_rows
from lab_env.receive import Received
from lab_env.record import Entry, Record
from lab_env.record_store import reading
from lab_env.release import Release, load_checks
from lab_env.sandbox import Isolation

# With less, a job may fail for want of room.
LEAST_FREE_MB = 64
MB = 1024 * 1024

Outcome = Literal["graded", "already graded", "broken"]
# Opened once it is known how many jobs there are.
OpenEngine = Callable[[int], AbstractContextManager[Engine]]


@dataclass(frozen=True)
class Job:
    """One hand-in on its way to a mark; ``number`` counts gradings of the same work."""

    received: Received
    attempt: int
    number: int
    result: Path
    file: Path


@dataclass(frozen=True)
class Done:
    """A hand-in that has a sheet in the record."""

    received: Received
    outcome: Outcome
    sheet: SheetAt


@dataclass
class Batch:
    """Grades hand-ins of one release; safe to kill and to start again."""

    course: Path
    release: Release
    isolation: Isolation
    record: Record
    force: bool

    @cached_property
    def seal(self) -> str:
        """The seal of the release, read once for the whole pile."""
        return self.release.seal

    @property
    def results(self) -> Path:
        """Where results of this release lie."""
        return self.course / "results" / self.release.id

    def sweep(self, only: str | None) -> None:
        """Remove what killed jobs left half made; with ``only``, of that candidate."""
        for kind in ("received", "results"):
            top = self.course / kind / self.release.id
            for folder in list(top.iterdir()) if top.is_dir() else []:
                hidden = [folder] if folder.name[0] == "." else []
                if not hidden and only in (None, folder.name):
                    hidden = list(folder.glob(".*"))
                for path in hidden:
                    shutil.rmtree(path, ignore_errors=True)

    def grade(
        self, received: Sequence[Received], open_engine: OpenEngine
    ) -> Iterator[Done]:
        """Yield each hand-in as it has a sheet, those that had one first."""
        self._check_room()
        make_folder(self.results)
        # While one reads, each append is one wait for the disk and not three.
        with (
            reading(self.record.path),
            TemporaryDirectory(dir=self.results, prefix=".jobs-") as folder,
        ):
            jobs, tasks = {}, []
            for each in received:
                job, task = self._next(each, Path(folder))
                if isinstance(job, Done):
                    yield job
                elif task is None:
                    yield self._finish(job, "")
                else:
                    jobs[task.key] = job
                    tasks.append(task)
            if tasks:
                with open_engine(len(tasks)) as engine:
                    for ended in run_twice(engine, tasks):
                        yield self._finish(jobs.pop(ended.task.key), ended.said)

    def _next(self, received: Received, folder: Path) -> tuple[Job | Done, Task | None]:
        """Return what is to be done for a hand-in: nothing, enter a result, a task."""
        attempt = self._attempt(received)
        sheets = desk.sheets(self.record, received.candidate, self.release.id)
        before = [entry for entry in sheets if self._is_of(entry, received)]
        if before and before[-1].event != "broken" and not self.force:
            return self._already(received, before[-1], sheets[-1]), None
        job = self._job(received, attempt, len(before) + 1, folder)
        if _is_whole(job.result):
            return job, None
        shutil.rmtree(job.result, ignore_errors=True)
        self._write(job)
        names = (self.release.id, received.candidate, job.result.name)
        return job, Task(":".join(names), job.file, _cost(received, sheets))

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

    def _is_of(self, entry: Entry, received: Received) -> bool:
        """Say whether a sheet is of this very hand-in under this very seal."""
        of = (entry.body["submission"], entry.body["seal"])
        return of == (received.sha256, self.seal)

    def _already(self, received: Received, mine: Entry, latest: Entry) -> Done:
        newest = MarkSheet.from_json(latest.body["sheet"])
        desk.write_trainee_copy(self.course, newest)
        return Done(received, "already graded", SheetAt.of(self.record, mine))

    def _job(self, received: Received, attempt: int, number: int, folder: Path) -> Job:
        name = f"{received.sha256[:12]}-{self.seal[:12]}"
        name = name if number == 1 else f"{name}-{number}"
        # Not the candidate's name, which may be as long as a file's name can be.
        file = folder / f"{uuid4().hex}.json"
        result = self.results / received.candidate / name
        return Job(received, attempt, number, result, file)

    def _write(self, job: Job) -> None:
        facts: dict[str, Any] = {
            "release": str(self.release.folder.resolve()),
            "handed_in": str(job.received.folder.resolve()),
            "result": str(job.result.resolve()),
            "candidate": job.received.candidate,
            "attempt": job.attempt,
            "isolation": asdict(self.isolation),
            "threads": 1,
        }
        job.file.write_text(json.dumps(facts), "utf-8")

    def _check_room(self) -> None:
        """Stop before the disk is full: then a job fails through no fault of its own.

        Not read from what the job said, which a submission could have said.
        """
        if shutil.disk_usage(self.course).free < LEAST_FREE_MB * MB:
            said = os.strerror(errno.ENOSPC)
            raise OSError(errno.ENOSPC, said, str(self.course))

    def _finish(self, job: Job, said: str) -> Done:
        self._check_room()
        run = uuid4().hex[:8]
        if _is_whole(job.result):
            text = (job.result / "sheet.json").read_text("utf-8")
            sheet = MarkSheet.from_json(json.loads(text))
        else:
            sheet = self._broken(job, run, said)
        entry = self._enter(job, sheet, run)
        sheet = MarkSheet.from_json(entry.body["sheet"])
        desk.write_trainee_copy(self.course, sheet)
        outcome: Outcome = "broken" if sheet.broken else "graded"
        return Done(job.received, outcome, SheetAt.of(self.record, entry))

    def _enter(self, job: Job, sheet: MarkSheet, run: str) -> Entry:
        candidate, release = job.received.candidate, self.release.id
        names = (candidate, job.received.sha256[:12], self.seal[:12])
        key = ":".join(("graded", release, *names))
        with desk.one_at_a_time(self.course):
            before = desk.sheets(self.record, candidate, release)
            mine = [e for e in before if e.attempt == job.attempt]
            sheet = desk.with_hand_marks(sheet, mine)
            decided = any(entry.event != "broken" for entry in mine)
            event = "regraded" if decided else "graded"
            return self.record.append(
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

    def _broken(self, job: Job, run: str, said: str) -> MarkSheet:
        zh = f"评分程序中途失败，没有给分，请联系考评员（运行编号 {run}）。"
        en = f"Grading failed and no points were decided. Tell the examiner: run {run}."
        write_whole(self.course / "logs" / f"{run}.log", said)
        return MarkSheet(
            release=self.release.id,
            candidate=job.received.candidate,
            attempt=job.attempt,
            language=self.release.language,
            title=self.release.lab.title.read(self.release.language),
            isolation=isolation_sentence(self.isolation),
            rows=broken_rows(load_checks(self.release.grader), Text(zh, en)),
            environment={"ended": "broken", "run": run, "log": said[-1000:]},
        )


def _is_whole(result: Path) -> bool:
    """Say whether a result can be read: a disk may have lost what it was given."""
    try:
        json.loads((result / "sheet.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return True


def _cost(received: Received, sheets: Sequence[Entry]) -> tuple[float, ...]:
    """Return what orders a pile: unknown work, by its size; then known, by its time."""
    for entry in reversed(sheets):
        seconds = entry.body["sheet"]["environment"].get("wall_seconds")
        if seconds is not None:
            return (0, seconds)
    files = (path for path in received.folder.rglob("*") if path.is_file())
    return (1, sum(path.stat().st_size for path in files))
