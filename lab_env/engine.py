"""Run many jobs at once on this machine, each in a process of its own.

A job dies with the program that started it, however that one ends, so that a killed
batch leaves nothing behind. Not covered: what a job may use; its sandbox limits that.
"""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TypeVar

JobT = TypeVar("JobT")

TAIL_BYTES = 4_000
# One thread a job: two numeric libraries on one core cost ten times as much.
QUIET = {
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONDONTWRITEBYTECODE": "1",
}
# Between fork and exec only async-safe calls are allowed in a program with threads,
# so the parent-death signal (1, SIGKILL) is set by a first program that then execs.
_DIE_WITH_PARENT = """
import os, sys
try:
    import ctypes
    ctypes.CDLL(None).prctl(1, 9)
except (ImportError, OSError, AttributeError):
    pass
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass
class _Running:
    """The processes alive now, so that an interrupted batch can end them."""

    folder: Path
    lock: threading.Lock = field(default_factory=threading.Lock)
    processes: set[subprocess.Popen[bytes]] = field(default_factory=set)
    stopped: bool = False

    def start(self, command: list[str], stderr: BinaryIO) -> subprocess.Popen[bytes]:
        with self.lock:
            if self.stopped:
                raise RuntimeError("the batch was stopped")
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                cwd=self.folder,
                env=dict(os.environ) | QUIET,
            )
            self.processes.add(process)
            return process

    def stop(self) -> None:
        with self.lock:
            self.stopped = True
            for process in self.processes:
                process.kill()


def run_jobs(
    jobs: Sequence[JobT],
    command: Callable[[JobT], list[str]],
    workers: int,
    timeout_seconds: float | None = None,
) -> Iterator[tuple[JobT, int, str]]:
    """Yield each job with its exit code and the end of its stderr, as they end.

    A job past ``timeout_seconds`` is killed (exit code -9). Closing the iterator, or
    an exception in its consumer, ends every job.
    """
    # Here and now: the consumer may change the working folder between two jobs.
    running = _Running(Path.cwd())
    with ThreadPoolExecutor(max(1, workers)) as pool:
        try:
            futures = {
                pool.submit(_run, running, command(job), timeout_seconds): job
                for job in jobs
            }
            for future in as_completed(futures):
                yield (futures[future], *future.result())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            running.stop()


def _run(
    running: _Running, command: list[str], timeout_seconds: float | None
) -> tuple[int, str]:
    with tempfile.TemporaryFile() as stderr:
        process = running.start(dying_with(os.getpid(), command), stderr)
        try:
            code = process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        finally:
            with running.lock:
                running.processes.discard(process)
        return code, _tail(stderr)


def dying_with(parent: int, command: Sequence[str]) -> list[str]:
    """Return a command that runs ``command`` and dies when ``parent`` does."""
    return [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(parent), *command]


def _tail(stream: BinaryIO) -> str:
    end = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, end - TAIL_BYTES))
    return stream.read().decode("utf-8", "replace").strip()
