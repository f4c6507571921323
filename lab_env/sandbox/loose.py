"""The place of a run without namespaces: tier "landlock", and "none" for practice.

Covered in tier "landlock": a fresh folder; no content of other files, no network;
nothing is left alive, memory in /dev/shm included if the grader is root. What the
code may do is in ``confinement``, its end in ``lab_env.inside.supervise``.
Not covered there: names, modes and times of files; names of processes; taking all
names under which runs hold their uids, so that no other run starts; disk that only a
mapping holds. A grader that is not root shares its uid with the code: so runs take
turns, and the code can change modes of this user's files and reach this user's
sockets with a path, its /dev/shm and the priority of its processes.
Covered in tier "none": a fresh folder, the fixed environment, rlimits, the watch.
Nothing else: the code runs as the user who started it and may leave processes behind.
"""

import fcntl
import os
import select
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGTERM

from lab_env.sandbox.confinement import SHARED_MEMORY, WRITABLE
from lab_env.sandbox.environment import PACKAGE
from lab_env.sandbox.place import MOST_FILES, Place, held, start, wait_until_ready
from lab_env.sandbox.runs import MB
from lab_env.sandbox.usage import tree

DEEPEST = 100
END_SECONDS = 30


@dataclass
class Room:
    """The folder of one run, and what it has in shared memory."""

    folder: Path
    uid: int | None
    limit_mb: int
    shared_before: frozenset[str] = field(default_factory=lambda: frozenset(shared()))

    def is_full(self, root: int) -> bool:
        """Tell whether the files of the run pass the size or number allowed."""
        owner = os.geteuid() if self.uid is None else self.uid
        places = [str(self.folder), *self._own_shared(owner)]
        size = count = 0
        for entry in (each for place in places for each in files_below(place)):
            if entry is None:
                return True
            size += entry.st_blocks * 512
            count += 1
        size += unlinked_bytes(root, os.stat(self.folder).st_dev)
        return size > self.limit_mb * MB or count > MOST_FILES

    def clear(self) -> None:
        """Remove the folder and, if the uid was the run's own, its shared memory."""
        places = [str(self.folder)]
        if self.uid is None:
            # The code may have shut a folder; it had the same rights as we have.
            subprocess.run(["chmod", "-R", "u+rwX", "--", *places], check=False)
        else:
            places += self._own_shared(self.uid)
        # rm goes as deep as anyone can dig, and follows no link.
        subprocess.run(["rm", "-rf", "--", *places], check=False)

    def _own_shared(self, owner: int) -> list[str]:
        found = []
        for name in set(shared()) - self.shared_before:
            path = f"{SHARED_MEMORY}/{name}"
            with suppress(OSError):
                if os.lstat(path).st_uid == owner:
                    found.append(path)
        return found


def new_room(stack: ExitStack, uid: int | None, limit_mb: int) -> Room:
    """Return a fresh folder with "work", "run" and "tmp"; it goes with ``stack``."""
    made = Room(Path(tempfile.mkdtemp(prefix="lab-")).resolve(), uid, limit_mb)
    stack.callback(made.clear)
    (made.folder / "code").mkdir()
    (made.folder / "code" / PACKAGE.name).symlink_to(PACKAGE)
    for name in (".", *WRITABLE):
        (made.folder / name).mkdir(exist_ok=True)
        if uid is not None:
            os.chown(made.folder / name, uid, uid)
    return made


def wait_for_turn(stack: ExitStack) -> None:
    """Return when no other run of this user is on: they would share their uid."""
    handle = held(stack, os.open(PACKAGE, os.O_RDONLY | os.O_DIRECTORY))
    fcntl.flock(handle, fcntl.LOCK_EX)


def open_loose(
    stack: ExitStack,
    room: Room,
    command: Sequence[str],
    variables: Mapping[str, str],
    supervised: bool,
) -> Place:
    """Start ``command`` in ``room`` and hold its folders."""
    process = start(stack, command, [], variables)
    end = supervised_end(stack, process) if supervised else lambda: end_tree(process)
    wait_until_ready(process)
    work, side = (
        held(stack, os.open(room.folder / name, os.O_PATH | os.O_DIRECTORY))
        for name in ("work", "run")
    )
    pid = process.pid
    return Place(process, pid, work, side, lambda: room.is_full(pid), end)


def supervised_end(
    stack: ExitStack, process: subprocess.Popen[bytes]
) -> Callable[[], bool]:
    """Return what ends the run; it also happens before ``stack`` closes."""
    alive = held(stack, os.pidfd_open(process.pid))

    def end() -> bool:
        with suppress(ProcessLookupError):
            process.send_signal(SIGTERM)
            process.send_signal(SIGCONT)
        ready, _, _ = select.select([alive], [], [], END_SECONDS)
        # Ended by a signal, the supervisor did not end what is below it.
        return bool(ready) and process.wait() >= 0

    stack.callback(end)
    return end


def end_tree(process: subprocess.Popen[bytes]) -> bool:
    """Kill the tree of ``process``; what has left the tree is not found."""
    for pid in list(tree(process.pid))[1:]:
        with suppress(ProcessLookupError):
            os.kill(pid, SIGKILL)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, SIGKILL)
    return True


def files_below(place: str) -> Iterator[os.stat_result | None]:
    """Yield the facts of every file, and None for what nobody can look into."""
    waiting = [(place, 0)]
    while waiting:
        path, depth = waiting.pop()
        try:
            facts = os.lstat(path)
            if depth and not stat.S_ISDIR(facts.st_mode):
                yield facts
                continue
            names = os.listdir(path) if stat.S_ISDIR(facts.st_mode) else []
        except FileNotFoundError:
            continue
        except OSError:
            yield None
            continue
        yield facts if depth < DEEPEST else None
        waiting += [(f"{path}/{name}", depth + 1) for name in names]


def unlinked_bytes(root: int, device: int) -> int:
    """Return the size of open files that have no name any more."""
    sizes = {}
    for pid in tree(root):
        with suppress(OSError):
            for name in os.listdir(f"/proc/{pid}/fd"):
                with suppress(OSError):
                    facts = os.stat(f"/proc/{pid}/fd/{name}")
                    if not facts.st_nlink and facts.st_dev == device:
                        sizes[facts.st_ino] = facts.st_blocks * 512
    return sum(sizes.values())


def shared() -> list[str]:
    """Return the names in shared memory."""
    try:
        return os.listdir(SHARED_MEMORY)
    except FileNotFoundError:
        return []


def processes_of_user(uid: int) -> int:
    """Return how many tasks a user has: the kernel counts all of them together."""
    tasks = 0
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            if os.stat(f"/proc/{name}").st_uid == uid:
                tasks += len(os.listdir(f"/proc/{name}/task"))
    return tasks
