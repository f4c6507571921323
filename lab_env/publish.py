"""Publish a lab on a scenario: draft, gates, release. All languages, or none.

Everything is made in a folder of its own inside the course and moved into place when
every gate of every language has passed. A refusal, an error or Ctrl-C leaves nothing;
what a killed publish left is taken away by the next one.
"""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from lab_env.assemble import Content, draft_release, write_manifest
from lab_env.checks import LANGUAGES
from lab_env.errors import BrokenError, LabError
from lab_env.files import hashes, write_json
from lab_env.gates import check_still, check_tried, results_of, trials_of
from lab_env.gradebook import forget_release, generate_release, write_config
from lab_env.lab import load_lab
from lab_env.release import Release, find_release, releases
from lab_env.sandbox import require_isolation
from lab_env.scenario import read_scenario, scenario_folder
from lab_env.trials import Progress, try_all

DRAFT = ".publish-"
COMING = "coming.json"


def publish(
    course: Path,
    lab_name: str,
    scenario_name: str,
    *,
    languages: Sequence[str] = LANGUAGES,
    key: Path | None = None,
    exam: bool = False,
    trust: bool = False,
    workers: int | None = None,
    thorough: bool = False,
    progress: Progress = lambda text: None,
) -> tuple[Release, ...]:
    """Freeze a lab on a scenario as a release of each language; GateError refuses."""
    folder = scenario_folder(scenario_name)
    scenario = read_scenario(folder / "scenario.toml")
    content = Content(load_lab(lab_name), scenario, folder, key or folder / "key")
    return publish_content(
        course,
        content,
        languages=languages,
        exam=exam,
        trust=trust,
        workers=workers,
        thorough=thorough,
        progress=progress,
    )


def publish_content(
    course: Path,
    content: Content,
    *,
    languages: Sequence[str] = LANGUAGES,
    exam: bool = False,
    trust: bool = False,
    workers: int | None = None,
    thorough: bool = False,
    progress: Progress = lambda text: None,
) -> tuple[Release, ...]:
    """Do what ``publish`` says with a lab and a scenario that were read already."""
    isolation = require_isolation(trust)
    with _draft_folder(course) as draft:
        drafts = _draft_all(course, draft, content, languages, exam)
        progress(f"{', '.join(release.id for release in drafts)}: drafted")
        check_still(content, drafts)
        tried = try_all(
            trials_of(content, drafts, draft / "by_hand", thorough=thorough),
            course / "gates",
            draft,
            isolation=isolation,
            workers=workers,
            progress=progress,
        )
        # Closed at the first refusal: no job may still write into the draft.
        with closing(tried):
            passed = [check_tried(one) for one in tried]
        for release in drafts:
            own = [one for one in passed if one.trial.release == release]
            write_manifest(release, content, exam=exam, gates=results_of(own))
        _move_in(course, draft, drafts)
    return tuple(find_release(course, release.id) for release in drafts)


def _draft_all(
    course: Path, draft: Path, content: Content, languages: Sequence[str], exam: bool
) -> list[Release]:
    number = _next_number(course, content)
    drafts = [
        draft_release(draft, content, language, number, exam=exam)
        for language in languages
    ]
    for release in drafts:
        # The two rooms take sealed releases only; what the gates saw is not in yet.
        write_manifest(release, content, exam=exam, gates={})
    return drafts


def _next_number(course: Path, content: Content) -> int:
    made = [
        release.number
        for release in releases(course)
        if (release.lab_name, release.scenario_name)
        == (content.lab.name, content.scenario.name)
    ]
    return max(made, default=0) + 1


@contextmanager
def _draft_folder(course: Path) -> Iterator[Path]:
    """Give this publish an empty folder in the course, and remove it after."""
    course = course.resolve()
    course.mkdir(parents=True, exist_ok=True)
    with _only_publisher(course):
        _take_away_leftovers(course)
        try:
            yield Path(tempfile.mkdtemp(prefix=DRAFT, dir=course))
        finally:
            _take_away_leftovers(course)


@contextmanager
def _only_publisher(course: Path) -> Iterator[None]:
    """Hold the folder itself: a lock on it needs no file and ends with this process."""
    handle = os.open(course, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise LabError(
            f"Another lab publish is at work in {course}; wait until it is done."
        ) from error
    finally:
        os.close(handle)


def _move_in(course: Path, draft: Path, drafts: Sequence[Release]) -> None:
    """Move every release into place; the note says what to undo until all are there."""
    course = course.resolve()
    write_config(course)
    note = draft / COMING
    write_json(note, [release.id for release in drafts])
    for release in drafts:
        _rename(draft / "source" / release.id, course / "source" / release.id)
        made = generate_release(course, release.id)
        if hashes(made) != hashes(release.released):
            raise BrokenError(
                f"nbgrader made release/{release.id} differently the second time;"
                " nothing was published."
            )
    for release in drafts:
        _rename(release.folder, course / "sealed" / release.id)
    note.unlink()


def _rename(source: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    source.rename(target)


def _take_away_leftovers(course: Path) -> None:
    for draft in course.glob(f"{DRAFT}*"):
        note = draft / COMING
        if note.is_file():
            for name in json.loads(note.read_text("utf-8")):
                for kind in ("sealed", "release", "source"):
                    shutil.rmtree(course / kind / name, ignore_errors=True)
                forget_release(course, name)
        shutil.rmtree(draft, ignore_errors=True)
