"""Run one program in room A and bring named files out.

Covered: network, files of this machine, other runs, other processes, memory,
CPU time, wall time, disk, output; no process is left, however the run or the
grading process ends. Files are read only when everything in the jail is dead.
Not covered: faults of the kernel (no seccomp filter or Landlock yet), vsock in a
virtual machine, kernel keyrings, memory that no process maps (memfd, System V), CPU
time of children whose parent ignores them (wall time holds), timing side channels,
GPUs. Started by an ordinary user, the first process of a jail has the uid of the
code and can be changed by it: then only our own end of the run is certain, not the
end after SIGKILL. Started by root, nested user namespaces stay possible.
The thread that starts a run must live until its end: the kernel takes the death of
that thread for the death of the grading process, and ends the jail.
With tier "none" only the limits hold, and those only against carelessness.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from lab_env.sandbox import jail, loose
from lab_env.sandbox.collect import Collector, copy_in, parts_of, size_of, split_by_size
from lab_env.sandbox.environment import interpreter_folders, variables
from lab_env.sandbox.place import Place, open_jail
from lab_env.sandbox.runs import MB, Ended, Isolation, JailRun, Limits, SandboxError
from lab_env.sandbox.watch import Watch

LAUNCH = Path(__file__).parent.parent / "inside" / "launch.py"
# A larger folder is shown read-only instead of copied, so it costs no memory.
COPIED_MB = 64


@dataclass(frozen=True)
class Task:
    """One run as asked for; "side" files live beside the work folder, for us."""

    argv: Sequence[str]
    files: Mapping[str, Path]
    out: Path
    collect: Sequence[str]
    limits: Limits
    isolation: Isolation
    threads: int
    python: Path
    side_files: Mapping[str, Path] = field(default_factory=dict)
    side_collect: Mapping[str, int] = field(default_factory=dict)


def run_program(
    argv: Sequence[str],
    *,
    files: Mapping[str, Path],
    out: Path,
    collect: Sequence[str],
    limits: Limits,
    isolation: Isolation,
    threads: int = 1,
) -> JailRun:
    """Run ``argv`` beside copies of ``files`` and collect what it leaves.

    ``argv[0]`` is a full path; with ``sys.executable`` our environment is there.
    """
    python = Path(sys.executable)
    return run_task(Task(argv, files, out, collect, limits, isolation, threads, python))


def run_task(task: Task) -> JailRun:
    """Start, watch, end for certain, then collect into ``task.out``."""
    prepare(task)
    with ExitStack() as stack:
        place = open_place(stack, task)
        watch = watch_over(stack, place, task.limits)
        place.go()
        passed = watch.until_end()
        exit_code = bury(place)
        run = result(watch, passed, exit_code)
        return bring_out(place, task, run)


def prepare(task: Task) -> None:
    """Make the empty folder for the results; wrong names are our own mistake."""
    for name in (*task.files, *task.collect, *task.side_files):
        parts_of(name)
    task.out.mkdir(parents=True, exist_ok=True)
    if any(task.out.iterdir()):
        raise SandboxError(f"{task.out} should be empty before a run; empty it.")


def open_place(stack: ExitStack, task: Task) -> Place:
    """Start the launcher, in a jail or loose, and copy the files in."""
    uid = stack.enter_context(jail.free_uid())
    copied, bound, size = split_by_size(task.files, task.collect, COPIED_MB * MB)
    work_mb = task.limits.work_mb + size // MB + 1
    if task.isolation.tier == "bubblewrap":
        place = in_jail(stack, task, uid, bound, work_mb)
    else:
        uid, copied = None, dict(task.files)
        place = without_jail(stack, task, work_mb)
    for name, path in copied.items():
        copy_in(path, place.work, name, uid)
    for name, path in task.side_files.items():
        copy_in(path, place.side, name, uid)
    return place


def in_jail(
    stack: ExitStack,
    task: Task,
    uid: int | None,
    bound: Mapping[str, Path],
    work_mb: int,
) -> Place:
    """Start the launcher in a bubblewrap jail."""
    side_mb = sum(size_of(path) for path in task.side_files.values()) // MB + 1
    room = jail.Jail(
        uid=uid,
        work_mb=work_mb,
        # Twice: a file is written beside the old one before it takes its place.
        run_mb=side_mb + 2 * sum(task.side_collect.values()) + 1,
        folders=interpreter_folders(task.python),
        bound=bound,
        variables=variables(task.python, task.threads, "/tmp"),
        options=task.isolation.options,
    )
    start = launcher(task, jail.WORK, jail.RUN, task.limits.processes)
    return open_jail(stack, room, task.python, start)


def without_jail(stack: ExitStack, task: Task, work_mb: int) -> Place:
    """Start the launcher as a plain process."""
    folder = loose.new_folder(stack)
    processes = loose.processes_of_user() + task.limits.processes
    start = launcher(task, f"{folder}/work", f"{folder}/run", processes)
    known = variables(task.python, task.threads, f"{folder}/tmp")
    command = [str(task.python), "-I", *start]
    return loose.open_loose(stack, folder, command, known, work_mb)


def launcher(task: Task, work: str, side: str, processes: int) -> list[str]:
    """Return the arguments that start the task once it may go."""
    limits = task.limits
    resources = {
        "CORE": 0,
        "NOFILE": 1024,
        "NPROC": processes,
        "FSIZE": limits.file_mb * MB,
        "DATA": limits.memory_mb * MB,
        # For one process; later than the watch, which sees all of them.
        "CPU": int(limits.cpu_seconds) + 5,
    }
    settings = json.dumps({"work": work, "limits": resources})
    argv = [part.replace("{run}", side) for part in task.argv]
    return [str(LAUNCH), settings, *argv]


def watch_over(stack: ExitStack, place: Place, limits: Limits) -> Watch:
    """Return the watch of a program that is about to go."""
    alive = os.pidfd_open(place.process.pid)
    stack.callback(os.close, alive)
    assert place.process.stderr is not None
    output = place.process.stderr.fileno()
    os.set_blocking(output, False)
    return Watch(place.pid, alive, output, limits, place.disk_is_full)


def bury(place: Place) -> int:
    """Return the exit code when nothing of the program is alive any more."""
    if not place.end():
        raise SandboxError(f"The jail of process {place.pid} could not be ended.")
    return place.process.wait(timeout=30)


def result(watch: Watch, passed: Ended | None, exit_code: int) -> JailRun:
    """Return how the run ended; a program ended by a signal was "killed"."""
    while watch.read_output():
        continue
    by_signal = exit_code < 0 or exit_code >= 128
    ended: Ended = passed or ("killed" if by_signal else "finished")
    return JailRun(
        ended,
        exit_code if ended == "finished" else None,
        round(watch.wall_seconds, 3),
        round(watch.cpu_seconds, 3),
        round(watch.peak_memory_mb, 1),
        watch.log,
    )


def bring_out(place: Place, task: Task, run: JailRun) -> JailRun:
    """Collect the deliverables, then our own files, each with its own limit."""
    taken = Collector(place.work, task.out, task.limits)
    taken.collect(task.collect)
    for name, limit_mb in task.side_collect.items():
        own = replace(
            task.limits, deliverable_mb=limit_mb, deliverables_total_mb=limit_mb
        )
        side = Collector(place.side, task.out, own)
        side.collect([name])
        taken.refused += side.refused
    return replace(run, collected=tuple(taken.collected), refused=tuple(taken.refused))
