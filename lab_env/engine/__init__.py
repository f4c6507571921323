"""Where grading jobs run: on this machine, or on the nodes of a Dask cluster.

One small interface, ``Engine.run``; the same job file, the same runner, the same limits
on both. An engine writes result folders and decides nothing: marks are the business of
the one program that started it.
"""

from lab_env.engine.local import Local, gpus_here, run_jobs
from lab_env.engine.process import dying_with
from lab_env.engine.task import Device, Ended, Engine, Say, Task, run_twice
from lab_env.errors import LabError

__all__ = [
    "Device",
    "Ended",
    "Engine",
    "Local",
    "Say",
    "Task",
    "dying_with",
    "gpus_here",
    "missing_package",
    "open_cluster",
    "run_jobs",
    "run_twice",
]

SCHEMES = ("tcp://", "tls://")


def open_cluster(
    address: str,
    *,
    device: Device,
    timeout_seconds: float,
    result_mb: int,
    cold: bool,
    say: Say,
) -> Engine:
    """Return the engine at a scheduler's address; LabError if there can be none."""
    if not address.startswith(SCHEMES) or not address.rpartition(":")[2].isdecimal():
        raise LabError(
            f'The engine "{address}" should be the address of a Dask scheduler, '
            "such as tcp://10.0.0.5:8786 or tls://10.0.0.5:8786."
        )
    try:
        from lab_env.engine.dask import Dask  # half a second, and an extra
    except ModuleNotFoundError as missing:
        raise missing_package(f"The engine {address}", missing.name) from None
    return Dask(address, timeout_seconds, result_mb, device, say, cold)


def missing_package(what: str, name: str | None) -> LabError:
    """Return the error of an extra that was not installed."""
    return LabError(
        f"{what} needs the package {name}; install it with: "
        'pip install "ai-trainer-lab[dask]"'
    )
