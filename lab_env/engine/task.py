"""What an engine is given and what it gives back."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

Device = Literal["cpu", "gpu"]
Say = Callable[[str], None]

TRIES = 2


@dataclass(frozen=True)
class Task:
    """One grading job: ``file`` says all about it, see ``lab_env.grade``.

    The same work has the same ``key`` on every day. ``cost`` orders a pile.
    """

    key: str
    file: Path
    cost: tuple[float, ...] = ()


@dataclass(frozen=True)
class Ended:
    """A job that ended: 0 if its result folder is there, and what it said if not."""

    task: Task
    code: int
    said: str


class Engine(Protocol):
    """Runs grading jobs, here or elsewhere; it writes result folders and no marks."""

    def run(self, tasks: Sequence[Task]) -> Iterator[Ended]:
        """Yield each task as it ends, the longest started first.

        Closing the iterator ends what is running.
        """


def longest_first(tasks: Iterable[Task]) -> list[Task]:
    """Return the tasks so that no long one is left for the end, when others wait."""
    return sorted(tasks, key=lambda task: task.cost, reverse=True)


def run_twice(engine: Engine, tasks: Sequence[Task]) -> Iterator[Ended]:
    """Yield each task once: with success, or after its last try with all it said."""
    said: dict[str, str] = {}
    for number in range(1, TRIES + 1):
        if not tasks:
            return
        died = []
        for ended in engine.run(tasks):
            if ended.code == 0:
                yield ended
                continue
            text = f"try {number}, exit code {ended.code}\n{ended.said}\n"
            said[ended.task.key] = said.get(ended.task.key, "") + text
            if number == TRIES:
                yield Ended(ended.task, ended.code, said[ended.task.key])
            died.append(ended.task)
        tasks = died
