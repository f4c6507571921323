"""Watch a running program from outside: limits, log, and a certain end.

Nothing the program says is believed; its output is only counted and kept.
"""

import os
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from lab_env.sandbox.runs import MB, Ended, Limits
from lab_env.sandbox.usage import usage_of

EVERY_SECONDS = 0.1
LOG_BYTES = 8 * 1024


@dataclass
class Watch:
    """One watched tree of processes: root ``pid``, its output, its disk use."""

    pid: int
    alive: int
    output: int
    limits: Limits
    disk_is_full: Callable[[], bool]
    # The root is ours and shares its memory with the zygote.
    root_is_ours: bool = False
    started: float = field(default_factory=time.monotonic)
    cpu_seconds: float = 0.0
    peak_memory_mb: float = 0.0
    _log: bytes = b""
    _output_bytes: int = 0

    @property
    def wall_seconds(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self.started

    @property
    def log(self) -> str:
        """Return the last few KB that the program printed outside a cell."""
        return self._log.decode("utf-8", "replace")

    def until_end(self) -> Ended | None:
        """Return the limit that was passed, or None when the program ended."""
        while not self._ended_within(EVERY_SECONDS):
            if passed := self._limit_passed():
                return passed
        return None

    def _ended_within(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            waiting = [self.alive, self.output] if self.output >= 0 else [self.alive]
            ready, _, _ = select.select(waiting, [], [], left)
            if self.output in ready:
                self.read_output()
            if self.alive in ready:
                return True
        return False

    def read_output(self) -> bool:
        """Take one block of output; False when there is none or no more."""
        if self.output < 0:
            return False
        try:
            block = os.read(self.output, 64 * 1024)
        except BlockingIOError:
            return False
        if not block:
            self.output = -1
        self._output_bytes += len(block)
        self._log = (self._log + block)[-LOG_BYTES:]
        return bool(block)

    def _limit_passed(self) -> Ended | None:
        limits = self.limits
        used = usage_of(self.pid, limits.memory_mb / 2, self.root_is_ours)
        self.cpu_seconds = max(self.cpu_seconds, used.cpu_seconds)
        self.peak_memory_mb = max(self.peak_memory_mb, used.memory_mb)
        passed: dict[Ended, bool] = {
            "wall time": self.wall_seconds > limits.wall_seconds,
            "cpu time": self.cpu_seconds > limits.cpu_seconds,
            "memory": used.memory_mb > limits.memory_mb,
            "output": self._output_bytes > limits.output_mb * MB,
            "disk": self.disk_is_full(),
        }
        return next((name for name, is_passed in passed.items() if is_passed), None)


def kill(handle: int) -> bool:
    """Kill the process of a pidfd; True once it is dead.

    The first process of a pid namespace is dead only when all others in it are.
    """
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        return True
    ready, _, _ = select.select([handle], [], [], 30)
    return bool(ready)
