"""Warm rooms one after the other: none grows old, and a dead one is replaced."""

from contextlib import ExitStack
from dataclasses import dataclass, field

from lab_env.sandbox.runs import Isolation, SandboxError
from lab_env.sandbox.warm_room import WarmRoom, open_room

# Each runs a notebook and a model, so 200 forks.
MOST_JOBS = 100


@dataclass
class Held:
    """One room, the jobs it has had and those it has now."""

    room: WarmRoom
    closing: ExitStack
    had: int = 0
    now: int = 0

    def is_done(self) -> bool:
        """Tell whether it should take no more jobs."""
        return self.had >= MOST_JOBS or not self.room.is_alive()


@dataclass
class WarmRooms:
    """The room for the next job, and older ones that still have one."""

    isolation: Isolation
    held: list[Held] = field(default_factory=list)

    def open(self) -> Held:
        """Start a room; SandboxError if it does not come up."""
        with ExitStack() as stack:
            room = stack.enter_context(open_room(self.isolation))
            fresh = Held(room, stack.pop_all())
        self.held.append(fresh)
        return fresh

    def take(self) -> WarmRoom | None:
        """Return a room for one more job; None if there is none: it runs cold."""
        self._close_unused()
        last = self.held[-1] if self.held else None
        if last is None or last.is_done():
            try:
                last = self.open()
            except SandboxError:
                return None
        last.had += 1
        last.now += 1
        return last.room

    def give_back(self, room: WarmRoom | None) -> None:
        """Count one job less in ``room``."""
        for each in self.held:
            if each.room is room:
                each.now -= 1

    def close(self) -> None:
        """End all rooms, and every run in them."""
        while self.held:
            self.held.pop().closing.close()

    def _close_unused(self) -> None:
        for each in [held for held in self.held if held.is_done() and not held.now]:
            self.held.remove(each)
            each.closing.close()
