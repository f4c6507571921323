"""The place of a run without isolation (--trust-submissions): practice only.

Covered: a fresh folder, the fixed environment, rlimits, the watch.
Not covered: everything else. The code runs as the user who started it, sees that
user's files and the network, and may leave a process behind.
"""

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from signal import SIGKILL

from lab_env.sandbox.place import MOST_FILES, Place, held, start, wait_until_ready
from lab_env.sandbox.runs import MB
from lab_env.sandbox.usage import tree


def new_folder(stack: ExitStack) -> Path:
    """Return a fresh folder with "work", "run" and "tmp"; it goes with ``stack``."""
    made = tempfile.TemporaryDirectory(prefix="lab-", ignore_cleanup_errors=True)
    folder = Path(stack.enter_context(made)).resolve()
    for name in ("work", "run", "tmp"):
        (folder / name).mkdir()
    return folder


def open_loose(
    stack: ExitStack,
    folder: Path,
    command: Sequence[str],
    variables: Mapping[str, str],
    work_mb: int,
) -> Place:
    """Start ``command`` in ``folder`` and hold its folders."""
    process = start(stack, command, [], variables)
    wait_until_ready(process)
    work, side = (
        held(stack, os.open(folder / name, os.O_PATH | os.O_DIRECTORY))
        for name in ("work", "run")
    )
    return Place(
        process,
        process.pid,
        work,
        side,
        lambda: too_much_in(folder, work_mb),
        lambda: end(process),
    )


def end(process: subprocess.Popen[bytes]) -> bool:
    """Kill the tree of ``process``; what has left the tree is not found."""
    for pid in list(tree(process.pid))[1:]:
        with suppress(ProcessLookupError):
            os.kill(pid, SIGKILL)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, SIGKILL)
    return True


def too_much_in(folder: Path, work_mb: int) -> bool:
    """Tell whether the files below ``folder`` pass the size or number allowed."""
    size = count = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                size += os.lstat(os.path.join(path, name)).st_blocks * 512
            count += 1
    return size > work_mb * MB or count > MOST_FILES


def processes_of_user() -> int:
    """Return how many tasks this user has: the kernel counts all of them together."""
    tasks = 0
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            if os.stat(f"/proc/{name}").st_uid == os.geteuid():
                tasks += len(os.listdir(f"/proc/{name}/task"))
    return tasks
