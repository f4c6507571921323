"""Hand in known work to a release that is not out yet, through the real two rooms.

A result is kept in ``gates/`` of the course under a hash of everything that it depends
on, so that publishing the same content again is quick.
"""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import nbformat

from lab_env.assemble import package_versions
from lab_env.build import fill, notebook_text
from lab_env.engine import Local, Task, run_twice
from lab_env.errors import BrokenError
from lab_env.files import hashes, regular_files, sha256, write_json, write_whole
from lab_env.marksheet import MarkSheet
from lab_env.release import PUBLIC_FACTS, Release
from lab_env.sandbox import Isolation
from lab_env.start_jobs import commands

Progress = Callable[[str], None]
# What changes with each release and moves no mark.
_NUMBERED = ("release", "number", "files")
_NOT_GRADED_WITH = ("released/", "manifest.json", "lock.txt", "lab.py")


@dataclass(frozen=True, eq=False)
class Trial:
    """One known piece of work; ``loses`` are the rows that it must not pass."""

    name: str
    release: Release
    answers: Mapping[str, str]
    loses: tuple[str, ...] = ()
    # Deliverables that cannot be run again, as somebody who knows would make them.
    by_hand: Path | None = None
    # Answers after this one are blank, so a row may be lost for nothing.
    until: str = ""

    @property
    def title(self) -> str:
        """What progress and refusals call it."""
        return f"{self.name} ({self.release.language})"


@dataclass(frozen=True)
class Tried:
    """A trial, its mark sheet, and whether the sheet was made at an earlier publish."""

    trial: Trial
    sheet: MarkSheet
    reused: bool


def try_all(
    trials: Sequence[Trial],
    kept: Path,
    draft: Path,
    *,
    isolation: Isolation,
    workers: int | None,
    progress: Progress,
) -> Generator[Tried, None, None]:
    """Yield each trial with its sheet, kept ones first, the others as they end."""
    places = {
        trial: kept / f"{_fingerprint(trial, isolation)}.json" for trial in trials
    }
    new = [trial for trial in trials if not places[trial].is_file()]
    for trial in trials:
        if trial not in new:
            progress(f"{trial.title}: graded before")
            yield Tried(trial, _read(places[trial]), True)
    count = workers or os.cpu_count() or 1
    with commands(isolation, len(new), progress) as command:
        engine = Local(command, count)
        tasks = {
            Task(trial.title, _job(trial, draft, isolation)): trial for trial in new
        }
        for done, ended in enumerate(run_twice(engine, list(tasks)), 1):
            trial = tasks[ended.task]
            if ended.code:
                said = ended.said[-400:]
                raise BrokenError(f"{trial.title} could not be graded: {said}")
            progress(f"{trial.title}: graded, {done} of {len(new)}")
            sheet = _read(ended.task.file.with_suffix("") / "sheet.json")
            if not sheet.broken:
                write_json(places[trial], sheet.as_json())
            yield Tried(trial, sheet, False)


def _read(path: Path) -> MarkSheet:
    return MarkSheet.from_json(json.loads(path.read_text("utf-8")))


def _job(trial: Trial, draft: Path, isolation: Isolation) -> Path:
    """Write what is handed in, and the job that grades it; return the job."""
    folder = draft / "trials" / f"{trial.release.language}-{trial.name}"
    notebook = nbformat.read(trial.release.notebook, as_version=4)  # type: ignore[no-untyped-call]
    filled = notebook_text(fill(notebook, trial.answers))
    write_whole(folder / "in" / trial.release.notebook.name, filled)
    if trial.by_hand:
        shutil.copytree(trial.by_hand, folder / "in", dirs_exist_ok=True)
    job = folder / "out.json"
    facts: dict[str, Any] = {
        "release": str(trial.release.folder),
        "handed_in": str(folder / "in"),
        "result": str(folder / "out"),
        "candidate": "gate",
        "attempt": 1,
        "isolation": asdict(isolation),
        "threads": 1,
    }
    write_json(job, facts)
    return job


def _fingerprint(trial: Trial, isolation: Isolation) -> str:
    """Return a hash of all that the sheet depends on, the release's number left out."""
    release, package = trial.release, Path(__file__).parent
    code = {
        path.relative_to(package).as_posix(): sha256(path)
        for path in regular_files(package)
        if path.suffix == ".py" and "content" not in path.parts
    }
    sealed = hashes(release.folder)
    facts = {
        "answers": dict(trial.answers),
        "by_hand": hashes(trial.by_hand) if trial.by_hand else {},
        "released": _without_number(release),
        "sealed": {
            name: value
            for name, value in sealed.items()
            if not name.startswith(_NOT_GRADED_WITH)
        },
        "code": code,
        "packages": package_versions(),
        "python": sys.version,
        "isolation": isolation.sentence,
    }
    text = json.dumps(facts, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _without_number(release: Release) -> dict[str, str]:
    found = hashes(release.released)
    facts = json.loads((release.released / PUBLIC_FACTS).read_text("utf-8"))
    found[PUBLIC_FACTS] = str(
        {name: value for name, value in facts.items() if name not in _NUMBERED}
    )
    notebook = release.notebook.read_text("utf-8").replace(release.id, "")
    found[release.notebook.name] = hashlib.sha256(notebook.encode("utf-8")).hexdigest()
    return found
