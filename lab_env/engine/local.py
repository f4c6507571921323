"""Run many jobs at once on this machine: a slot for each core, a process for each job.

A job dies with the program that started it, however that one ends, so that a killed
batch leaves nothing behind.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Event
from typing import TypeVar

from lab_env.engine.process import run_one
from lab_env.engine.task import Device, Ended, Say, Task, longest_first

JobT = TypeVar("JobT")
Seat = Mapping[str, str]
GPU_VARIABLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Local:
    """The engine of one machine; ``command`` says how a job file is run."""

    command: Callable[[Path], list[str]]
    workers: int
    timeout_seconds: float | None = None
    device: Device = "cpu"
    gpus: tuple[str, ...] = ()
    say: Say = lambda sentence: None

    def run(self, tasks: Sequence[Task]) -> Iterator[Ended]:
        """Yield each task as it ends; a task past the time limit has code -9."""
        seats = self._seats()
        ordered = longest_first(tasks)
        timeout = self.timeout_seconds
        for task, code, said in run_jobs(ordered, self._of, len(seats), timeout, seats):
            yield Ended(task, code, said)

    def _of(self, task: Task) -> list[str]:
        return self.command(task.file)

    def _seats(self) -> list[Seat]:
        if self.device == "gpu" and self.gpus:
            return gpu_seats(self.gpus[: self.workers])
        if self.device == "gpu":
            self.say("This machine has no GPU: graded on its processor, more slowly.")
        return [{}] * self.workers


def gpus_here() -> tuple[str, ...]:
    """Return the GPUs that this program may use, as CUDA numbers them."""
    named = os.environ.get(GPU_VARIABLE)
    if named is not None:
        return tuple(each.strip() for each in named.split(",") if each.strip())
    found = sorted(Path("/dev").glob("nvidia[0-9]*"))
    return tuple(str(number) for number in range(len(found)))


def gpu_seats(gpus: Sequence[str]) -> list[Seat]:
    """Return one seat for each GPU, from which a job sees that GPU alone."""
    return [{GPU_VARIABLE: gpu} for gpu in gpus]


def run_jobs(
    jobs: Sequence[JobT],
    command: Callable[[JobT], list[str]],
    workers: int,
    timeout_seconds: float | None = None,
    seats: Sequence[Seat] = (),
) -> Iterator[tuple[JobT, int, str]]:
    """Yield each job with its exit code and the end of its stderr, as they end.

    A job past ``timeout_seconds`` is killed (exit code -9). Closing the iterator, or
    an exception in its consumer, ends every job. ``seats`` are the variables of each
    slot.
    """
    # Here and now: the consumer may change the working folder between two jobs.
    folder, stop = Path.cwd(), Event()
    free: SimpleQueue[Seat] = SimpleQueue()
    for seat in seats or [{}] * max(1, workers):
        free.put(seat)

    def run(job: JobT) -> tuple[int, str]:
        seat = free.get()
        try:
            return run_one(
                command(job),
                folder,
                timeout_seconds=timeout_seconds,
                seat=seat,
                stopped=stop.is_set,
            )
        finally:
            free.put(seat)

    with ThreadPoolExecutor(max(1, workers)) as pool:
        try:
            futures = {pool.submit(run, job): job for job in jobs}
            for future in as_completed(futures):
                yield (futures[future], *future.result())
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
