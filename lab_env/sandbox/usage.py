"""What a tree of processes uses now, read from /proc."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

from lab_env.sandbox.runs import MB

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Usage:
    """CPU seconds used so far and memory held now."""

    cpu_seconds: float
    memory_mb: float


def usage_of(root: int, suspicious_mb: float, root_is_ours: bool = False) -> Usage:
    """Add up the processes below and with ``root``; the memory of ours is left out.

    Resident size counts a page shared by ten processes ten times. The fair share
    (PSS) is slow to read, so it is read only above ``suspicious_mb``.
    """
    members = list(tree(root))
    holders = members[1:] if root_is_ours else members
    memory = sum(resident_mb(pid) for pid in holders)
    if memory > suspicious_mb:
        memory = sum(fair_share_mb(pid) for pid in holders)
    return Usage(sum(cpu_seconds(pid) for pid in members), memory)


def tree(root: int) -> Iterator[int]:
    """Yield ``root`` and every process below it that can be seen now."""
    # Not recursive: the code in the jail decides how deep its tree is.
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        yield pid
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{pid}/task"):
                children = read(f"/proc/{pid}/task/{thread}/children").split()
                waiting.extend(map(int, children))


def read(path: str) -> str:
    """Return the text at ``path``, or nothing when its process is gone."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def resident_mb(pid: int) -> float:
    """Return the resident size, shared pages in full."""
    fields = read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * PAGE / MB if fields else 0.0


def fair_share_mb(pid: int) -> float:
    """Return the proportional share with swap; the resident size if unreadable."""
    lines = read(f"/proc/{pid}/smaps_rollup").splitlines()
    sizes = [line.split()[1] for line in lines if line.startswith(("Pss:", "SwapPss:"))]
    return sum(map(int, sizes)) / 1024 if sizes else resident_mb(pid)


def cpu_seconds(pid: int) -> float:
    """Return own CPU time and that of children already waited for."""
    # The name in brackets may hold spaces and brackets, so cut after the last one.
    fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS if fields else 0.0
