"""Start this machine as a worker node: Dask's own worker, with what our jobs need.

One process with a thread for each job at once, so that a node has one cache; Dask's
nanny starts it again if it dies, and we start both again when the scheduler went, which
ends them. No memory limit of Dask's, which would kill the worker
for what a job uses: a job has its own limits.
"""

import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from lab_env.engine import SCHEMES, Say, dying_with, missing_package
from lab_env.engine.node import CACHE_VARIABLE, cache_folder
from lab_env.errors import LabError

AGAIN_SECONDS = 5


def worker_command(address: str, slots: int, gpus: int, scratch: Path) -> list[str]:
    """Return the command of a Dask worker with so many places for jobs."""
    if not address.startswith(SCHEMES):
        raise LabError(
            f'"{address}" should be the address of a Dask scheduler, '
            "such as tcp://10.0.0.5:8786; start one with: dask scheduler"
        )
    if find_spec("distributed") is None:
        raise missing_package("lab worker", "distributed")
    places = {"--nthreads": slots, "--nworkers": 1, "--memory-limit": 0}
    resources = f"cpu={slots} gpu={gpus}" if gpus else f"cpu={slots}"
    options = [str(word) for place in places.items() for word in place]
    options += ["--resources", resources, "--local-directory", str(scratch)]
    program = [sys.executable, "-m", "distributed.cli.dask_worker", address]
    return [*program, *options, "--no-dashboard"]


def run_worker(
    address: str, slots: int, gpus: int, cache: Path | None, say: Say
) -> NoReturn:
    """Be a worker until Ctrl+C; when the scheduler goes, wait for the next one."""
    if cache is not None:
        os.environ[CACHE_VARIABLE] = str(cache.resolve())
    scratch = cache_folder() / "dask"
    command = worker_command(address, slots, gpus, scratch)
    scratch.mkdir(parents=True, exist_ok=True)
    say(f"Up to {slots} jobs at once for {address}; Ctrl+C ends it.")
    while True:
        code = subprocess.call(dying_with(os.getpid(), command))
        say(f"The worker ended ({code}); in {AGAIN_SECONDS} s it is started again.")
        time.sleep(AGAIN_SECONDS)
