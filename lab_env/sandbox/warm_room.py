"""The warm room from outside: start the zygote in its jail, hand it new runs.

One process owns the room and alone starts and ends it. Processes forked from that
one may use it (``use``), because a request is one message and its answer comes over
a connection of the run's own.
The thread that starts a room must live until its end, as with every jail.
"""

import json
import os
import select
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from lab_env.inside import link
from lab_env.sandbox.environment import interpreter_folders, variables
from lab_env.sandbox.jail import Jail, free_uid
from lab_env.sandbox.place import start
from lab_env.sandbox.runs import Isolation, SandboxError

ZYGOTE = "lab_env.inside.zygote"
START_SECONDS = 180
# A run may mount its own process list only where it sees a whole one, and bwrap
# covers parts of the one it makes for root.
WHOLE_PROC = 'mount -t proc proc /proc && exec "$@"'


class ZygoteJail(Jail):
    """The jail of the zygote, which must be able to make namespaces for its runs."""

    def _identity(self) -> Iterator[str]:
        yield from super()._identity()
        if self.uid is not None:
            yield from ("--cap-add", "CAP_SYS_ADMIN")

    def _drop(self) -> list[str]:
        dropped = super()._drop()
        return ["/bin/sh", "-c", WHOLE_PROC, "sh", *dropped] if dropped else []


@dataclass(frozen=True)
class WarmRoom:
    """A zygote that is ready: ``uid`` is the one its runs have, None for our own."""

    process: Popen[bytes]
    control: socket.socket
    uid: int | None
    python: Path

    def is_alive(self) -> bool:
        """Tell whether the zygote can still take a run."""
        ready, _, _ = select.select([self.control], [], [], 0)
        return not ready

    def new_run(self, stack: ExitStack) -> socket.socket:
        """Return the connection to the first process of a new run."""
        ours, theirs = link.new_pair()
        stack.callback(ours.close)
        with theirs:
            try:
                link.tell(self.control, {"run": True}, [theirs.fileno()])
            except OSError as error:
                raise SandboxError(
                    f"The warm room of process {self.process.pid} is gone: {error}"
                ) from error
        return ours


@contextmanager
def open_room(isolation: Isolation) -> Iterator[WarmRoom]:
    """Start a zygote and end it; SandboxError if it does not come up."""
    python = Path(sys.executable)
    with ExitStack() as stack:
        uid = stack.enter_context(free_uid())
        ours, theirs = link.new_pair()
        stack.enter_context(ours)
        with theirs:
            process = start_zygote(stack, python, uid, isolation, theirs)
        wait_until_imported(process, ours)
        yield WarmRoom(process, ours, uid, python)


def start_zygote(
    stack: ExitStack,
    python: Path,
    uid: int | None,
    isolation: Isolation,
    control: socket.socket,
) -> Popen[bytes]:
    """Start the zygote's jail."""
    jail = ZygoteJail(
        uid=uid,
        work_mb=1,
        run_mb=1,
        folders=interpreter_folders(python),
        bound={},
        variables=variables(python, 1, "/tmp"),
        # Its runs have namespaces inside its own; they cannot have more.
        options=tuple(each for each in isolation.options if "userns" not in each),
    )
    stack.callback(jail.close)
    reader, writer = os.pipe()
    stack.callback(os.close, reader)
    try:
        program = [str(python), "-m", ZYGOTE, str(control.fileno())]
        command = jail.command(program, writer)
        return start(stack, command, [writer, control.fileno(), *jail.handles])
    finally:
        os.close(writer)


def wait_until_imported(process: Popen[bytes], control: socket.socket) -> None:
    """Return when the zygote serves; raise what it printed otherwise."""
    ready, _, _ = select.select([control], [], [], START_SECONDS)
    with suppress(EOFError, json.JSONDecodeError):
        if ready and "ready" in link.hear(control)[0]:
            return
    process.kill()
    assert process.stderr is not None
    said = process.stderr.read(100_000).decode("utf-8", "replace").strip()
    last = said.rpartition("\n")[2] or "it said nothing"
    raise SandboxError(f"The warm room did not start: {last}")


_in_use: WarmRoom | None = None


def use(room: WarmRoom | None) -> None:
    """Run what this process runs from here on in ``room``, or cold again."""
    global _in_use
    _in_use = room


def in_use() -> WarmRoom | None:
    """Return the room that this process uses."""
    return _in_use
