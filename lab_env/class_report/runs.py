"""Time and memory that the re-runs took, and which of them a limit stopped.

Covered: what the record keeps of a run in room A. Not covered: a cell that was stopped
after every row had been attempted; no sheet says so.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lab_env.checks import Text
from lab_env.class_report.attempts import Attempt
from lab_env.class_report.messages import shown
from lab_env.class_report.statistics import Spread, spread

_CELL = re.compile(r"In the re-run, cell (\S{1,80}) was stopped after ([\d.]{1,9}) s\.")
_DIED = "In the re-run, the kernel died"
LIMITS = {
    "wall time": Text("运行时间超出上限", "reached the limit of run time"),
    "cpu time": Text("CPU 时间超出上限", "reached the limit of CPU time"),
    "memory": Text("内存超出上限", "reached the limit of memory"),
    "disk": Text("磁盘空间超出上限", "reached the limit of disk space"),
    "output": Text("输出量超出上限", "printed more than the limit"),
    "killed": Text("Python 内核意外结束", "the kernel died"),
}


@dataclass(frozen=True)
class Measure:
    """One thing that runs use: its name in the record, and its limit there."""

    name: str
    limit_name: str
    label: Text


MEASURES = (
    Measure("wall_seconds", "wall_seconds", Text("运行时间（秒）", "Run time, s")),
    Measure("cpu_seconds", "cpu_seconds", Text("CPU 时间（秒）", "CPU time, s")),
    Measure("peak_memory_mb", "memory_mb", Text("内存峰值（MB）", "Peak memory, MB")),
)


@dataclass(frozen=True)
class Used:
    """How much of one thing the runs of a class used, and who used most."""

    label: Text
    spread: Spread
    most: str
    limit: float | None


@dataclass(frozen=True)
class Stop:
    """A run that did not reach its end."""

    candidate: str
    why: Text


def used_by(attempts: Sequence[Attempt]) -> list[Used]:
    """Return what the runs used; nothing where the record has no figures."""
    found = []
    for measure in MEASURES:
        values = {
            each.candidate: float(each.sheet.environment[measure.name])
            for each in attempts
            if measure.name in each.sheet.environment
        }
        where = spread(list(values.values()))
        if where is not None:
            most = max(values, key=values.__getitem__)
            limit = _limit(attempts, measure.limit_name)
            found.append(Used(measure.label, where, most, limit))
    return found


def stops(attempts: Iterable[Attempt]) -> list[Stop]:
    """Return the runs that a limit, or the end of their kernel, stopped."""
    found = ((each.candidate, _why(each)) for each in attempts)
    return [Stop(candidate, why) for candidate, why in found if why is not None]


def _limit(attempts: Iterable[Attempt], name: str) -> float | None:
    limits = (each.sheet.environment.get("limits", {}).get(name) for each in attempts)
    return max((float(each) for each in limits if each is not None), default=None)


def _why(attempt: Attempt) -> Text | None:
    environment = attempt.sheet.environment
    ended = LIMITS.get(str(environment.get("ended")))
    if ended is not None:
        return ended
    for row in attempt.sheet.rows:
        said = row.message.en if row.message else ""
        cell = _CELL.search(said)
        if cell and environment.get("wall_seconds", 0) >= float(cell[2]):
            name, seconds = shown(cell[1]), cell[2]
            zh = f"单元格 {name} 运行超过 {seconds} 秒，被中断"
            return Text(zh, f"cell {name} was stopped after {seconds} s")
        if _DIED in said:
            return LIMITS["killed"]
    return None
