"""How a batch starts its grading jobs: warm through the room B server, or cold.

Marks are the same both ways. A batch that cannot start warm says why and is cold.
"""

import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from lab_env.sandbox import Isolation, SandboxError

KNOCK = Path(__file__).with_name("knock.py")
READY = "ready"
START_SECONDS = 200
END_SECONDS = 10
# One thread, or the server could not fork.
QUIET = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONDONTWRITEBYTECODE": "1",
}


@dataclass(frozen=True)
class Commands:
    """Makes the command of a job; ``why`` says what stood against a warm start."""

    start: Literal["warm", "cold"]
    why: str = ""
    server: Path | None = None

    def command(self, job_file: Path) -> list[str]:
        """Return the command that does the job and ends with its exit code."""
        if self.server is None:
            return [sys.executable, "-m", "lab_env.grade", str(job_file)]
        knock = [sys.executable, "-I", "-S", str(KNOCK)]
        return [*knock, str(self.server), str(job_file)]


@contextmanager
def commands(
    isolation: Isolation, *, cold: bool = False, threads: int = 1
) -> Iterator[Commands]:
    """Yield how to start jobs while the server is up; cold if it cannot be.

    The thread that enters must live until it leaves: the server ends with it.
    """
    with ExitStack() as stack:
        yield Commands("cold") if cold else chosen(stack, isolation, threads)


def chosen(stack: ExitStack, isolation: Isolation, threads: int) -> Commands:
    """Start the server if it can be used here."""
    if isolation.tier != "bubblewrap":
        why = (
            f'A warm start needs bubblewrap; the isolation here is "{isolation.tier}".'
        )
        return Commands("cold", why)
    if threads != 1:
        why = f"A warm start has one thread for each run; {threads} were asked for."
        return Commands("cold", why)
    with ExitStack() as started:
        try:
            server = start_server(started, isolation)
        except SandboxError as error:
            return Commands("cold", str(error))
        stack.push(started.pop_all())
    return Commands("warm", server=server)


def start_server(stack: ExitStack, isolation: Isolation) -> Path:
    """Start the room B server and return where it listens."""
    made = tempfile.TemporaryDirectory(prefix="lab-", ignore_cleanup_errors=True)
    # Its owner's alone: who can reach the socket can have anything graded.
    folder = Path(stack.enter_context(made))
    address, log = folder / "socket", folder / "log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "lab_env.room_b", str(address)),
                json.dumps(asdict(isolation)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            # Ctrl-C is for the program that started it.
            start_new_session=True,
            env=os.environ | QUIET,
        )
    stack.callback(stop, process)
    said = first_word(process) or log.read_text("utf-8", "replace").strip()
    if said != READY:
        last = said.rpartition("\n")[2] or "it said nothing"
        raise SandboxError(f"No warm start: {last}")
    return address


def first_word(process: subprocess.Popen[bytes]) -> str:
    """Return what the server says once it serves, or cannot."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    return os.read(process.stdout.fileno(), 4096).decode() if ready else ""


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the server, and with it its jobs and the warm room."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
