"""What the code of a run may still do, as settings for ``lab_env.inside.confine``.

In a jail this is a second wall behind the first: what the jail does not show cannot
be allowed either. Without a jail ("landlock") it is the wall.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lab_env.sandbox.environment import PACKAGE
from lab_env.sandbox.jail import OS_LINKS, RUN, WORK
from lab_env.sandbox.runs import MB, Isolation, Limits

SYSTEM = ("/usr", *(f"/{name}" for name in OS_LINKS), "/etc", "/proc", "/sys")
SHARED_MEMORY = "/dev/shm"
DEVICES = tuple(
    f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom")
)
# The terminals of a user are that user's: only a run with its own uid may have some.
TERMINALS = ("/dev/ptmx", "/dev/pts")
# The folders of a run without a jail, inside the one that is its own.
WRITABLE = ("work", "run", "tmp")
HERE, EVERYWHERE = ("unix", "netlink"), ("unix", "netlink", "inet", "inet6")
LAYERS = """
import json, sys
sys.path.append(sys.argv[1])
from lab_env.inside import landlock, seccomp
print(json.dumps([landlock.version(), seccomp.is_known()]))
"""


@dataclass(frozen=True)
class Layers:
    """What the kernel of this machine offers beside namespaces."""

    landlock: int
    seccomp: bool

    def __str__(self) -> str:
        """Return it as the record says it."""
        landlock = f"Landlock ABI {self.landlock}" if self.landlock else "no Landlock"
        return f"{landlock}, {'seccomp' if self.seccomp else 'no seccomp'}"

    @property
    def required(self) -> tuple[str, ...]:
        """Return the layers that a run here must have."""
        there = {"landlock": bool(self.landlock), "seccomp": self.seccomp}
        return tuple(name for name, is_there in there.items() if is_there)


@lru_cache(maxsize=1)
def layers() -> Layers:
    """Ask the kernel, in a process of its own: programs of the jail stay in there."""
    command = [sys.executable, "-I", "-S", "-c", LAYERS, str(PACKAGE.parent)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    return Layers(*json.loads(done.stdout))


def settings_for(
    limits: Limits, isolation: Isolation, folders: Sequence[Path]
) -> dict[str, Any]:
    """Return the settings of a run in a jail that shows these ``folders``."""
    shown = (*SYSTEM, "/lab", PACKAGE, *folders)
    return {
        "limits": resources(limits, limits.processes),
        "read": [str(path) for path in shown],
        "write": [WORK, RUN, "/tmp", SHARED_MEMORY],
        "devices": ["/dev"],
        "list": ["/"],
        "sockets": list(EVERYWHERE),
        "required": list(isolation.required),
    }


def settings_without_jail(
    limits: Limits, folders: Sequence[Path], folder: Path, uid: int | None, tasks: int
) -> dict[str, Any]:
    """Return the settings of a run beside everything else on this machine.

    ``tasks``: how many the uid of the run has now, which the kernel counts as well.
    """
    seen = [path for shown in (PACKAGE, *folders) for path in without_content(shown)]
    return {
        "limits": resources(limits, tasks + limits.processes),
        "read": [*SYSTEM, str(folder / "code"), *map(str, seen)],
        "write": [*(str(folder / name) for name in WRITABLE), SHARED_MEMORY],
        "devices": [*DEVICES, *(TERMINALS if uid is not None else ())],
        "list": [str(path) for path in above_content(folders)],
        "sockets": list(HERE),
        # Before version 3 Landlock lets a file be cut that it does not let be read.
        "refused": ["truncate"],
        "required": ["landlock", "seccomp"],
    }


def resources(limits: Limits, processes: int) -> dict[str, int]:
    """Return the limits that the kernel holds for each process, or each uid."""
    return {
        "CORE": 0,
        "NOFILE": 1024,
        "NPROC": processes,
        "FSIZE": limits.file_mb * MB,
        "DATA": limits.memory_mb * MB,
        # For one process; later than the watch, which sees all of them.
        "CPU": int(limits.cpu_seconds) + 5,
    }


def without_content(folder: Path) -> Iterator[Path]:
    """Yield paths that cover ``folder``, but for the graders that a wheel carries."""
    content, folder = PACKAGE / "content", folder.resolve()
    if not (content.is_dir() and content.is_relative_to(folder)):
        yield folder
        return
    for path in sorted(folder.iterdir()):
        # A link to what is above would lead round in a circle.
        if path != content and not (path.is_symlink() and _leads_to(path, content)):
            yield from without_content(path)


def above_content(folders: Sequence[Path]) -> Iterator[Path]:
    """Yield the folders that are not shown whole: names in there are still found."""
    content = PACKAGE / "content"
    if content.is_dir():
        shown = [path.resolve() for path in (PACKAGE, *folders)]
        yield from (path for path in shown if path in content.parents)


def _leads_to(folder: Path, content: Path) -> bool:
    return content.is_relative_to(folder.resolve())
