"""What a run in room A is given and what comes back."""

from dataclasses import dataclass
from typing import Literal

from lab_env.errors import BrokenError

MB = 1024 * 1024

Ended = Literal[
    "finished", "wall time", "cpu time", "memory", "disk", "output", "killed"
]


Tier = Literal["none", "landlock", "bubblewrap"]
# From the weakest to the strongest.
TIERS: tuple[Tier, ...] = ("none", "landlock", "bubblewrap")


class SandboxError(BrokenError):
    """The sandbox itself failed; this says nothing about the trainee's work."""


@dataclass(frozen=True)
class Limits:
    """How much one run may use; ``processes`` counts threads too."""

    memory_mb: int = 4096
    wall_seconds: float = 600
    cell_seconds: float = 300
    cpu_seconds: float = 900
    processes: int = 128
    file_mb: int = 256
    work_mb: int = 512
    output_mb: int = 16
    deliverable_mb: int = 64
    deliverables_total_mb: int = 128
    deliverable_count: int = 64


@dataclass(frozen=True)
class Isolation:
    """What keeps the code in: one sentence for the record, and what is missing.

    ``options`` are bubblewrap's; a layer that is ``required`` must be in force, else
    no code starts.
    """

    tier: Tier
    sentence: str
    missing: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    required: tuple[str, ...] = ("landlock", "seccomp")


@dataclass(frozen=True)
class JailRun:
    """How a run ended, what it used, what came out and what was refused."""

    ended: Ended
    exit_code: int | None
    wall_seconds: float
    cpu_seconds: float
    peak_memory_mb: float
    log: str
    collected: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    start: Literal["cold", "warm"] = "cold"
