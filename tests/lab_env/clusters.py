"""A Dask scheduler and workers as real processes on loopback, ended with the test."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
# One death, and the job goes to another worker; two, and it is given up.
FEW_TRIES = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}


def children(pid: int) -> list[int]:
    """Return the processes that a process started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(path.parent.name))
    return found


def is_alive(pid: int) -> bool:
    """Say whether the process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def until(fact: Callable[[], bool], seconds: float = 60) -> bool:
    """Wait until something is so, and say whether it came to be."""
    end = time.monotonic() + seconds
    while not fact() and time.monotonic() < end:
        time.sleep(0.05)
    return fact()


@dataclass
class Cluster:
    """A scheduler and the workers that were started for it."""

    folder: Path
    address: str = ""
    scheme: str = "tcp"
    environment: dict[str, str] = field(default_factory=dict)
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def scheduler(self) -> "subprocess.Popen[bytes]":
        """The scheduler's process."""
        return self.processes[0]

    def start(self) -> None:
        """Start the scheduler, on a port that was free a moment ago."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"{self.scheme}://127.0.0.1:{port}"
        where = ["--host", f"{self.scheme}://127.0.0.1", "--port", str(port)]
        self._run("distributed.cli.dask_scheduler", *where, "--no-dashboard")

    def worker(self, *options: str) -> "subprocess.Popen[bytes]":
        """Start a worker as an examiner does."""
        return self._run("lab_env.cli", "worker", self.address, *options)

    def _run(self, module: str, *options: str) -> "subprocess.Popen[bytes]":
        paths = os.pathsep.join([str(HERE.parents[1]), str(HERE)])
        known = {"PYTHONPATH": paths, "LAB_CACHE": str(self.folder / "cache")}
        with (self.folder / f"log-{len(self.processes)}").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *options],
                env=os.environ | known | FEW_TRIES | self.environment,
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    def stop(self) -> None:
        """End every process of the cluster, children first asked for their ids."""
        known = [process.pid for process in self.processes]
        for pid in known:
            known += [each for each in children(pid) if each not in known]
        for pid in known:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        for process in self.processes:
            process.wait()


@contextmanager
def cluster(folder: Path, scheme: str = "tcp", **environment: str) -> Iterator[Cluster]:
    """Yield a cluster that has a scheduler and no worker yet."""
    folder.mkdir(parents=True)
    made = Cluster(folder, scheme=scheme, environment=environment)
    made.start()
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)
