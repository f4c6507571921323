"""A worker node's side: run one job with our own runner and limits, send its result.

A job is a process of its own and never code in the Dask worker: it has its own time
limit and dies with the worker. What a node keeps is the sealed releases, each once,
under their seals; they hold answer keys, so a node is an examiner's machine.
"""

import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from tempfile import mkdtemp
from threading import Event, Thread
from typing import Any

from lab_env import warm
from lab_env.durable import settle
from lab_env.engine.local import Seat, gpu_seats, gpus_here
from lab_env.engine.process import run_one
from lab_env.engine.wire import Answer, Files, Kind, Spec, code_hash, pack, unpack
from lab_env.errors import BrokenError, LabError
from lab_env.files import write_json
from lab_env.release import check_seal, open_release
from lab_env.sandbox import Isolation, require_isolation

CACHE_VARIABLE = "LAB_CACHE"
GRADE = "lab_env.grade"
RELEASE_MB = 4_000
HAND_IN_MB = 2_000


def cache_folder() -> Path:
    """Return where this node keeps releases and its jobs' folders."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "ai-trainer-lab"


def grade(spec: Spec, worker: str, wanted: Callable[[], bool]) -> Answer:
    """Run one job and return its result folder, or why there is none."""
    node = f"{socket.gethostname()}:{cache_folder()}"
    try:
        if lacks(spec.release, spec.seal):
            return Answer("lacks release", node, worker)
        code, said, files = _result(spec, wanted)
    except (LabError, BrokenError) as error:
        code, said, files = BrokenError.exit_code, f"{node}: {error}", None
    kind: Kind = "ended" if wanted() else "called off"
    return Answer(kind, node, worker, code, said, files)


def lacks(release: str, seal: str) -> bool:
    """Say whether this node must be sent a release first."""
    return not _sealed(release, seal).is_dir()


def keep_release(release: str, seal: str, files: Files) -> None:
    """Keep a sealed release on this node, once for all its workers."""
    final = _sealed(release, seal)
    if final.is_dir():
        return
    final.parent.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(mkdtemp(prefix=".", dir=final.parent.parent))
    try:
        unpack(files, fresh / release, RELEASE_MB)
        found = open_release(fresh / release)
        check_seal(found)
        if found.seal != seal:
            raise BrokenError(f"{release} arrived with the seal {found.seal[:12]}.")
        (fresh / release / "key").chmod(0o700)
        fresh.chmod(0o755)
        settle(fresh, final.parent)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _sealed(release: str, seal: str) -> Path:
    return cache_folder() / "releases" / seal / release


@cache
def _check_once(sealed: Path) -> None:
    check_seal(open_release(sealed))


def _result(spec: Spec, wanted: Callable[[], bool]) -> tuple[int, str, Files | None]:
    if spec.code != code_hash():
        raise BrokenError("Another version of lab than the examiner's; install that.")
    sealed = _sealed(spec.release, spec.seal)
    _check_once(sealed)
    with _job_folder() as folder:
        code, said = _run(spec, sealed, folder, wanted)
        made = folder / "result"
        return code, said, pack(made, spec.result_mb) if made.is_dir() else None


def _run(
    spec: Spec, sealed: Path, folder: Path, wanted: Callable[[], bool]
) -> tuple[int, str]:
    handed_in, job = folder / "handed_in", folder / "job.json"
    handed_in.mkdir()
    unpack(spec.handed_in, handed_in, HAND_IN_MB)
    # Whoever trusts submissions on their own machine does so on their nodes.
    isolation = require_isolation(spec.facts["isolation"]["tier"] == "none")
    here: dict[str, Any] = {
        "release": str(sealed),
        "handed_in": str(handed_in),
        "result": str(folder / "result"),
        "isolation": asdict(isolation),
    }
    write_json(job, dict(spec.facts) | here)
    cold = spec.cold or spec.device == "gpu" or spec.program != GRADE
    with _seat(spec.device) as seat:
        return run_one(
            _cold(spec.program, job) if cold else _warm(isolation)(job),
            folder,
            timeout_seconds=spec.timeout_seconds,
            seat=seat,
            stopped=lambda: not wanted(),
        )


def _cold(program: str, job: Path) -> list[str]:
    return [sys.executable, "-m", program, str(job)]


@cache
def _warm(isolation: Isolation) -> Callable[[Path], list[str]]:
    """Return how jobs are started, warm if it can be, while this worker lives.

    In a thread of its own: a server ends with the thread that started it.
    """
    started: SimpleQueue[Callable[[Path], list[str]]] = SimpleQueue()

    def keep() -> None:
        with warm.commands(isolation) as chosen:
            started.put(chosen.command)
            Event().wait()

    Thread(target=keep, daemon=True).start()
    return started.get()


@cache
def _gpus() -> SimpleQueue[Seat]:
    free: SimpleQueue[Seat] = SimpleQueue()
    for seat in gpu_seats(gpus_here()):
        free.put(seat)
    return free


@contextmanager
def _seat(device: str) -> Iterator[Seat]:
    """Hold a GPU of this worker, if the job is for one and CUDA has numbered it."""
    if device != "gpu" or _gpus().empty():
        yield {}
        return
    seat = _gpus().get()
    try:
        yield seat
    finally:
        _gpus().put(seat)


@contextmanager
def _job_folder() -> Iterator[Path]:
    jobs = cache_folder() / "jobs"
    jobs.mkdir(parents=True, exist_ok=True)
    for left in jobs.iterdir():
        pid = left.name.partition("-")[0]
        if not Path("/proc", pid).is_dir():
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(mkdtemp(prefix=f"{os.getpid()}-", dir=jobs))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
