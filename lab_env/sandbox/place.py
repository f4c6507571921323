"""A started program that waits for "go", with its folders held open.

The folders of a jail are memory of the jail. They are opened from outside before
any trainee code has run, and an open folder outlives the jail: so files come out
when nothing is alive that could still change them.
"""

import json
import os
import select
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from lab_env.sandbox.jail import RUN, WORK, Jail
from lab_env.sandbox.runs import SandboxError
from lab_env.sandbox.watch import kill

START_SECONDS = 60
MOST_FILES = 20_000
SHARED = ("/tmp", "/dev/shm")


@dataclass(frozen=True)
class Place:
    """What the outside needs of a started program; ``WarmPlace`` offers the same."""

    process: subprocess.Popen[bytes]
    pid: int
    work: int
    side: int
    disk_is_full: Callable[[], bool]
    end: Callable[[], bool]
    start: ClassVar[Literal["cold"]] = "cold"

    def go(self) -> None:
        """Let the program start; nothing is ever sent to it after this."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"go")
        self.process.stdin.close()

    @property
    def output(self) -> int:
        """Return where the log of the program can be read."""
        assert self.process.stderr is not None
        return self.process.stderr.fileno()

    def watched(self, stack: ExitStack) -> int:
        """Return a handle that tells when the program has ended."""
        return held(stack, os.pidfd_open(self.process.pid))

    def told(self) -> "Told":
        """Return how the program ended, once nothing of it is alive."""
        return Told(self.process.wait(timeout=30))


@dataclass(frozen=True)
class Told:
    """How a program ended; CPU seconds where process 1 of the run counted them."""

    exit_code: int
    cpu_seconds: float = 0.0


def start(
    stack: ExitStack,
    command: Sequence[str],
    handles: Sequence[int],
    env: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start ``command``; it is killed and waited for when ``stack`` closes."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        command,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        pass_fds=handles,
        bufsize=0,
        env=env,
        start_new_session=True,
    )
    stack.callback(stop, process)
    return process


def stop(process: subprocess.Popen[bytes]) -> None:
    """Kill ``process`` if it still runs, wait for it and close its pipes."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def wait_until_ready(process: subprocess.Popen[bytes]) -> None:
    """Return when the launcher waits for "go"; raise what it printed otherwise."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    if ready and os.read(process.stdout.fileno(), 64) == b"ready\n":
        return
    process.kill()
    assert process.stderr is not None
    said = process.stderr.read(4096).decode("utf-8", "replace").strip()
    raise SandboxError(f"The sandbox did not start: {said or 'it said nothing'}")


def open_jail(
    stack: ExitStack, jail: Jail, python: Path, launcher: Sequence[str]
) -> Place:
    """Start ``jail`` and hold its folders and its first process."""
    reader, writer = os.pipe()
    stack.callback(os.close, reader)
    stack.callback(jail.close)
    command = jail.command([str(python), "-I", *launcher], writer)
    try:
        process = start(stack, command, [writer, *jail.handles])
    finally:
        os.close(writer)
    wait_until_ready(process)
    pid = int(json.loads(os.read(reader, 4096))["child-pid"])
    first = held(stack, os.pidfd_open(pid))
    work, side, *shared = (
        held(stack, os.open(f"/proc/{pid}/root{path}", os.O_PATH | os.O_DIRECTORY))
        for path in (WORK, RUN, *SHARED)
    )
    rooms = (work, side, *shared)
    return Place(
        process, pid, work, side, lambda: too_many_files(rooms), lambda: kill(first)
    )


def held(stack: ExitStack, handle: int) -> int:
    """Return ``handle``, closed when ``stack`` closes."""
    stack.callback(os.close, handle)
    return handle


def too_many_files(rooms: Sequence[int]) -> bool:
    """Tell whether a folder in memory holds more files than any lab needs.

    Its bytes are limited by the kernel, its number of files is not, and each
    costs kernel memory that no process is charged for.
    """
    facts = [os.fstatvfs(room) for room in rooms]
    return any(fact.f_files - fact.f_ffree > MOST_FILES for fact in facts)
