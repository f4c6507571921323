"""Grade one submission: room A runs the notebook, room B marks what came out.

``python -m lab_env.grade JOB.json`` is one grading job in a process of its own. The
result folder appears whole or not at all, and the first complete one stays:

    sheet.json  executed.ipynb  deliverables/
"""

import json
import os
import platform
import shutil
import sys
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any, TypedDict

from lab_env.checks import Text
from lab_env.durable import make_folder, settle
from lab_env.errors import BrokenError, LabError, SubmissionError
from lab_env.examine import examine_model
from lab_env.files import write_json
from lab_env.marksheet import MarkSheet, Row, mark
from lab_env.notebook_file import (
    MAX_BYTES,
    SubmittedNotebook,
    answers,
    check_release,
    parse_notebook,
    read_sealed,
    rebuild,
)
from lab_env.release import Release, load_checks, open_release
from lab_env.room_a import Rerun, limits_of, rerun
from lab_env.sandbox import Isolation
from lab_env.submission import Submission, TrustedFiles

PACKAGES = ("ai-trainer-lab", "torch", "transformers")


class _Place(TypedDict):
    isolation: Isolation
    threads: int


def read_submitted(folder: Path, release: Release) -> SubmittedNotebook:
    """Return the notebook handed in for ``release``; SubmissionError if it is not."""
    name = f"{release.lab_name}.ipynb"
    try:
        with (folder / name).open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise SubmissionError(
            f"{folder.name} has no {name} that can be read; hand in the notebook."
        ) from error
    notebook = parse_notebook(data, name)
    check_release(notebook, name, release.id)
    return notebook


def grade_submission(
    release: Release,
    handed_in: Path,
    out: Path,
    *,
    candidate: str,
    attempt: int,
    isolation: Isolation,
    threads: int = 1,
) -> MarkSheet:
    """Grade ``handed_in`` into ``out``; a failure of our own raises BrokenError."""
    notebook = rebuild(
        read_sealed(release.notebook), read_submitted(handed_in, release)
    )
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out, prefix=".rooms-") as rooms:
        done, rows = _through_both_rooms(
            release,
            notebook,
            handed_in,
            out / "deliverables",
            Path(rooms),
            {"isolation": isolation, "threads": threads},
        )
    sheet = MarkSheet(
        release=release.id,
        candidate=candidate,
        attempt=attempt,
        language=release.language,
        title=release.lab.title.read(release.language),
        isolation=isolation_sentence(isolation),
        rows=with_remark(rows, done.remark),
        environment=environment(release, isolation, threads) | done.used,
    )
    write_json(out / "executed.ipynb", done.executed)
    write_json(out / "sheet.json", sheet.as_json())
    return sheet


def _through_both_rooms(
    release: Release,
    notebook: dict[str, Any],
    handed_in: Path,
    deliverables: Path,
    rooms: Path,
    place: _Place,
) -> tuple[Rerun, tuple[Row, ...]]:
    done = rerun(release, notebook, handed_in, deliverables, rooms, **place)
    model_output = rooms / "model" if release.lab.model else None
    if model_output is not None:
        refused = done.refused
        examine_model(release, deliverables, model_output, refused=refused, **place)
    submission = Submission(
        folder=deliverables,
        released=TrustedFiles(release.released),
        scenario=release.scenario,
        language=release.language,
        answers=answers(notebook),
        starters=answers(read_sealed(release.notebook)),
        refused=done.refused,
        key=TrustedFiles(release.key),
        model_output=model_output,
    )
    return done, mark(load_checks(release.grader), submission)


def isolation_sentence(isolation: Isolation) -> str:
    """Return what the record says of the isolation; none at all is said first."""
    if isolation.tier == "none":
        return f"ungraded isolation: {isolation.sentence}"
    return isolation.sentence


def environment(release: Release, isolation: Isolation, threads: int) -> dict[str, Any]:
    """Return under what a sheet was made, for the record."""
    limits = limits_of(release.lab)
    names = ("memory_mb", "wall_seconds", "cpu_seconds", "cell_seconds")
    return {
        "versions": {"python": platform.python_version()}
        | {name: _version(name) for name in PACKAGES},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "threads": threads,
        "isolation": isolation.sentence,
        "seal": release.seal,
        "limits": {name: getattr(limits, name) for name in names},
    }


def with_remark(rows: tuple[Row, ...], remark: Text | None) -> tuple[Row, ...]:
    """Return the rows; machine rows not attempted also say what stopped the run."""
    if remark is None:
        return rows
    return tuple(
        replace(row, message=_joined(row.message, remark))
        if row.outcome == "not attempted" and not row.by_hand
        else row
        for row in rows
    )


def _joined(message: Text | None, remark: Text) -> Text:
    if message is None:
        return remark
    return Text(f"{message.zh}{remark.zh}", f"{message.en} {remark.en}")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def main(job_file: str) -> int:
    """Run the job; 0 when its result folder is there."""
    job = json.loads(Path(job_file).read_text("utf-8"))
    final = Path(job["result"])
    make_folder(final.parent)
    # A name with a dot: whoever grades next removes what a killed job left.
    fresh = Path(mkdtemp(prefix=".", dir=final.parent))
    # mkdtemp makes 0700, which another grading user could not read.
    fresh.chmod(0o755)
    try:
        grade_submission(
            open_release(Path(job["release"])),
            Path(job["handed_in"]),
            fresh,
            candidate=job["candidate"],
            attempt=job["attempt"],
            isolation=Isolation(**job["isolation"]),
            threads=job["threads"],
        )
        settle(fresh, final)
    except (LabError, BrokenError) as error:
        print(error, file=sys.stderr)
        return BrokenError.exit_code
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
