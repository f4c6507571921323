"""The place of one run in a warm room: as a jail's, but a fork of the zygote.

Every step is answered by process 1 of the run, which is ours. No answer, or an end
without a word, is a fault of the room and says nothing about the trainee's work.
"""

import select
import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from lab_env.inside import link
from lab_env.sandbox.place import START_SECONDS, Told, held, too_many_files
from lab_env.sandbox.runs import SandboxError
from lab_env.sandbox.warm_room import WarmRoom
from lab_env.sandbox.watch import kill


@dataclass(frozen=True)
class WarmPlace:
    """A run that stands ready in a warm room."""

    end_of_run: socket.socket
    first: int
    pid: int
    output: int
    work: int
    side: int
    rooms: Sequence[int]
    start: ClassVar[Literal["warm"]] = "warm"

    def go(self) -> None:
        """Let the program start; return once it is shut in."""
        link.tell(self.end_of_run, {"go": True})
        answer(self.end_of_run, "locked")

    def disk_is_full(self) -> bool:
        """Tell whether the run holds more files than any lab needs."""
        return too_many_files(self.rooms)

    def end(self) -> bool:
        """Kill the run; True once nothing of it is alive."""
        return kill(self.first)

    def watched(self, stack: ExitStack) -> int:
        """Return a handle that tells when the run has ended."""
        return self.first

    def told(self) -> Told:
        """Return how the program ended; SandboxError if process 1 did not say."""
        message = answer(self.end_of_run, "exit")
        return Told(message["exit"], message["cpu_seconds"])


def open_warm(
    stack: ExitStack, room: WarmRoom, settings: Mapping[str, Any]
) -> WarmPlace:
    """Fork a run off ``room`` and hold its folders and its first process."""
    end = room.new_run(stack)
    try:
        link.tell(end, settings)
    except OSError as error:
        raise SandboxError(f"The warm room takes no more runs: {error}") from error
    placed, handles = hear(end)
    for handle in handles:
        held(stack, handle)
    check("placed", placed)
    first, output, *rooms = handles
    work, side = rooms[:2]
    # It ends when we close the connection; this end is certain even if it hangs.
    stack.callback(kill, first)
    return WarmPlace(end, first, pid_of(first), output, work, side, rooms)


def answer(end: socket.socket, wanted: str) -> dict[str, Any]:
    """Return the next message if it is the one wanted."""
    message, _ = hear(end)
    return check(wanted, message)


def hear(end: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Return the next message; SandboxError if none comes."""
    ready, _, _ = select.select([end], [], [], START_SECONDS)
    if not ready:
        raise SandboxError(f"The warm room was silent for {START_SECONDS} seconds.")
    try:
        return link.hear(end)
    except EOFError as error:
        raise SandboxError("The warm room ended in the middle of a run.") from error


def check(wanted: str, message: dict[str, Any]) -> dict[str, Any]:
    """Return ``message`` if it has what is wanted; else raise what it says."""
    if wanted not in message:
        said = message.get("failed", message)
        raise SandboxError(f"The sandbox did not start: {said}")
    return message


def pid_of(handle: int) -> int:
    """Return the number that the process of a pidfd has here."""
    with open(f"/proc/self/fdinfo/{handle}", encoding="ascii") as stream:
        facts = dict(line.split(":", 1) for line in stream)
    return int(facts["Pid"])
