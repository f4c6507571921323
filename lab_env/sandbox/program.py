"""Run one program in room A and bring named files out.

Covered: network, files of this machine, other runs, other processes, memory,
CPU time, wall time, disk, output; no process is left, however the run or the
grading process ends. Files are read only when everything of the run is dead.
Covered once more from inside, by Landlock and a filter of system calls, should the
jail have a hole (``lab_env.inside.confine``): capabilities, files, signals, abstract
sockets; and what a jail does not hold: vsock and other rare sockets, new namespaces,
kernel keyrings, memory that no process maps, other processes' memory, large parts of
the kernel. If one of the two is missing or fails, no code starts; what this machine
does not have at all is in the record (``isolation``).
Not covered: faults of the kernel in the calls that are left, CPU time of children
whose parent ignores them (wall time holds), timing side channels, GPUs.
The thread that starts a run must live until its end: the kernel takes the death of
that thread for the death of the grading process, and ends the run.
With tier "landlock" there is no jail, only what confines from inside: not covered
there is written in ``loose``. With tier "none" only the limits hold, and those only
against carelessness.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lab_env.sandbox import jail, loose, warm_room
from lab_env.sandbox.acting import acting_as
from lab_env.sandbox.collect import Collector, copy_in, parts_of, size_of, split_by_size
from lab_env.sandbox.confinement import (
    resources,
    settings_for,
    settings_without_jail,
)
from lab_env.sandbox.environment import PACKAGE, interpreter_folders, variables
from lab_env.sandbox.place import Place, Told, open_jail
from lab_env.sandbox.runs import MB, Ended, Isolation, JailRun, Limits, SandboxError
from lab_env.sandbox.warm_place import WarmPlace, open_warm
from lab_env.sandbox.watch import Watch

LAUNCH = Path(__file__).parent.parent / "inside" / "launch.py"
# A larger folder is shown read-only instead of copied, so it costs no memory.
COPIED_MB = 64
# We ended it ourselves: what it would have said does not count.
NOT_TOLD = -9

AnyPlace = Place | WarmPlace


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
        told = bury(place, passed)
        run = replace(result(watch, passed, told), start=place.start)
        return bring_out(place, task, run)


def prepare(task: Task) -> None:
    """Make the empty folder for the results; wrong names are our own mistake."""
    for name in (*task.files, *task.collect, *task.side_files):
        parts_of(name)
    task.out.mkdir(parents=True, exist_ok=True)
    if any(task.out.iterdir()):
        raise SandboxError(f"{task.out} should be empty before a run; empty it.")


def open_place(stack: ExitStack, task: Task) -> AnyPlace:
    """Have the run stand ready, warm, in a jail or loose, with its files copied in."""
    tier = task.isolation.tier
    largest = COPIED_MB * MB if tier == "bubblewrap" else sys.maxsize
    copied, bound, size = split_by_size(task.files, task.collect, largest)
    work_mb = task.limits.work_mb + size // MB + 1
    if (room := room_for(task, bound)) is not None:
        place = in_warm_room(stack, task, room, work_mb)
        with acting_as(room.uid):
            copy_all(task, place, copied, None)
        return place
    uid = None if tier == "none" else stack.enter_context(jail.free_uid())
    cold = (
        in_jail(stack, task, uid, bound, work_mb)
        if tier == "bubblewrap"
        else without_jail(stack, task, uid, work_mb)
    )
    copy_all(task, cold, copied, uid)
    return cold


def copy_all(
    task: Task, place: AnyPlace, copied: Mapping[str, Path], owner: int | None
) -> None:
    """Copy the files of the work folder, and our own beside it."""
    for name, path in copied.items():
        copy_in(path, place.work, name, owner)
    for name, path in task.side_files.items():
        copy_in(path, place.side, name, owner)


def room_for(task: Task, bound: Mapping[str, Path]) -> warm_room.WarmRoom | None:
    """Return the warm room in use, if this run is one for it."""
    room = warm_room.in_use()
    if room is None or task.isolation.tier != "bubblewrap":
        return None
    # A folder to be shown, not copied, must be known when the room starts.
    fits = task.threads == 1 and task.python == room.python and not bound
    return room if fits else None


def in_warm_room(
    stack: ExitStack, task: Task, room: warm_room.WarmRoom, work_mb: int
) -> WarmPlace:
    """Fork the run off the zygote."""
    # One more: process 1 of the run is counted with it.
    limits = replace(task.limits, processes=task.limits.processes + 1)
    folders = interpreter_folders(task.python)
    shared = jail.TEMPORARY_MB * MB
    rooms = {
        jail.WORK: work_mb * MB,
        jail.RUN: side_mb(task) * MB,
        "/tmp": shared,
        "/dev/shm": shared,
    }
    settings = {
        "argv": [part.replace("{run}", jail.RUN) for part in task.argv],
        "work": jail.WORK,
        "rooms": rooms,
        # An interpreter may itself live below /tmp.
        "kept": [
            str(folder)
            for folder in (*folders, PACKAGE)
            if any(folder.is_relative_to(path) for path in rooms)
        ],
        "confine": settings_for(limits, task.isolation, folders),
    }
    return open_warm(stack, room, settings)


def side_mb(task: Task) -> int:
    """Return the room that our own files beside the work folder need."""
    put_in = sum(size_of(path) for path in task.side_files.values()) // MB + 1
    # Twice: a file is written beside the old one before it takes its place.
    return put_in + 2 * sum(task.side_collect.values()) + 1


def in_jail(
    stack: ExitStack,
    task: Task,
    uid: int | None,
    bound: Mapping[str, Path],
    work_mb: int,
) -> Place:
    """Start the launcher in a bubblewrap jail."""
    folders = interpreter_folders(task.python)
    room = jail.Jail(
        uid=uid,
        work_mb=work_mb,
        run_mb=side_mb(task),
        folders=folders,
        bound=bound,
        variables=variables(task.python, task.threads, "/tmp"),
        options=task.isolation.options,
    )
    settings = {"confine": settings_for(task.limits, task.isolation, folders)}
    start = launcher(task, jail.WORK, jail.RUN, settings)
    return open_jail(stack, room, task.python, start)


def without_jail(stack: ExitStack, task: Task, uid: int | None, work_mb: int) -> Place:
    """Start the launcher as a plain process, confined or for practice only."""
    confined = task.isolation.tier == "landlock"
    if confined and uid is None:
        loose.wait_for_turn(stack)
    room = loose.new_room(stack, uid, work_mb + jail.TEMPORARY_MB)
    folder = room.folder
    tasks = loose.processes_of_user(os.geteuid() if uid is None else uid)
    settings: dict[str, Any] = {
        "limits": resources(task.limits, tasks + task.limits.processes)
    }
    if confined:
        folders = interpreter_folders(task.python)
        confine = settings_without_jail(task.limits, folders, folder, uid, tasks)
        settings = {
            "confine": confine,
            "supervise": {"uid": uid, "folder": str(folder)},
            "terminals": uid is not None,
        }
    start = launcher(task, f"{folder}/work", f"{folder}/run", settings)
    temporary, code = f"{folder}/tmp", folder / "code"
    known = variables(task.python, task.threads, temporary, code)
    command = [str(task.python), "-I", *start]
    return loose.open_loose(stack, room, command, known, supervised=confined)


def launcher(
    task: Task, work: str, side: str, settings: Mapping[str, Any]
) -> list[str]:
    """Return the arguments that start the task once it may go."""
    argv = [part.replace("{run}", side) for part in task.argv]
    return [str(LAUNCH), json.dumps({"work": work, **settings}), *argv]


def watch_over(stack: ExitStack, place: AnyPlace, limits: Limits) -> Watch:
    """Return the watch of a program that is about to go."""
    alive = place.watched(stack)
    os.set_blocking(place.output, False)
    warm = place.start == "warm"
    return Watch(place.pid, alive, place.output, limits, place.disk_is_full, warm)


def bury(place: AnyPlace, passed: Ended | None) -> Told:
    """Return how the program ended, when nothing of it is alive any more."""
    if not place.end():
        raise SandboxError(f"The jail of process {place.pid} could not be ended.")
    return Told(NOT_TOLD) if passed else place.told()


def result(watch: Watch, passed: Ended | None, told: Told) -> JailRun:
    """Return how the run ended; a program ended by a signal was "killed"."""
    while watch.read_output():
        continue
    by_signal = told.exit_code < 0 or told.exit_code >= 128
    ended: Ended = passed or ("killed" if by_signal else "finished")
    return JailRun(
        ended,
        told.exit_code if ended == "finished" else None,
        round(watch.wall_seconds, 3),
        round(max(watch.cpu_seconds, told.cpu_seconds), 3),
        round(watch.peak_memory_mb, 1),
        watch.log,
    )


def bring_out(place: AnyPlace, task: Task, run: JailRun) -> JailRun:
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
