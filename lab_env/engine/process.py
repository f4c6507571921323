"""One job in a process of its own, which dies with the program that started it.

Not covered: what a job may use; its sandbox limits that.
"""

import math
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

TAIL_BYTES = 4_000
LOOK_SECONDS = 0.5
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


def dying_with(parent: int, command: Sequence[str]) -> list[str]:
    """Return a command that runs ``command`` and dies when ``parent`` does.

    The kernel means the thread that starts it: that one must wait for its end.
    """
    return [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(parent), *command]


def run_one(
    command: Sequence[str],
    folder: Path,
    *,
    timeout_seconds: float | None = None,
    seat: Mapping[str, str] | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> tuple[int, str]:
    """Run a job in ``folder`` and return its exit code and the end of its stderr.

    Past its time, or once ``stopped`` says so, it is killed (exit code -9).
    """
    with tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen(
            dying_with(os.getpid(), command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            cwd=folder,
            env=dict(os.environ) | QUIET | dict(seat or {}),
        )
        try:
            code = _wait(process, timeout_seconds, stopped)
        finally:
            process.kill()
            process.wait()
        return code, _tail(stderr)


def _wait(
    process: subprocess.Popen[bytes],
    timeout_seconds: float | None,
    stopped: Callable[[], bool],
) -> int:
    end = math.inf if timeout_seconds is None else time.monotonic() + timeout_seconds
    with _until_ended(process) as ended:
        while not stopped() and (left := end - time.monotonic()) > 0:
            if ended(min(left, LOOK_SECONDS)):
                return process.wait()
    process.kill()
    return process.wait()


@contextmanager
def _until_ended(
    process: subprocess.Popen[bytes],
) -> Iterator[Callable[[float], bool]]:
    """Yield a wait of so many seconds; the kernel ends it with the process.

    Popen's own wait sleeps and looks, and a slot would idle 25 ms after each job.
    """
    handle = os.pidfd_open(process.pid)
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        yield lambda seconds: bool(poll.poll(math.ceil(seconds * 1000)))
    finally:
        os.close(handle)


def _tail(stream: BinaryIO) -> str:
    end = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, end - TAIL_BYTES))
    return stream.read().decode("utf-8", "replace").strip()
