"""How the jobs of a pile are started: warm when that pays, else cold; marks are equal.

A warm start imports the libraries once, for some seconds, and then spares each job
those seconds; so a pile of one or two starts cold.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lab_env import warm
from lab_env.engine import Device, Say
from lab_env.sandbox import Isolation

FEW = 2
AGAIN = "A job failed after a warm start and is tried again cold; marks are equal."


def cold_command(job_file: Path) -> list[str]:
    """Return the command of a job in a process that imports everything itself."""
    return [sys.executable, "-m", "lab_env.grade", str(job_file)]


@contextmanager
def commands(
    isolation: Isolation,
    jobs: int,
    say: Say,
    *,
    cold: bool = False,
    device: Device = "cpu",
) -> Iterator[Callable[[Path], list[str]]]:
    """Yield the command of a job file; why it is not warm is said."""
    # A process that has begun with a GPU cannot be forked.
    if cold or jobs <= FEW or device == "gpu":
        yield cold_command
        return
    with warm.commands(isolation) as chosen:
        if chosen.why:
            say(f"{chosen.why} Started cold: the same marks, some seconds more each.")
        tried: set[Path] = set()
        told: set[str] = set()

        def command(job_file: Path) -> list[str]:
            """Start warm; a job that comes back failed, and its second try cold."""
            if job_file not in tried:
                tried.add(job_file)
                return chosen.command(job_file)
            if AGAIN not in told:
                told.add(AGAIN)
                say(AGAIN)
            return cold_command(job_file)

        yield command
