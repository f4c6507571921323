"""The bubblewrap command line of one jail: what its code can see.

Read-only: the OS programs and libraries, the interpreter, ``lab_env`` (without the
graders and labs that an installed wheel carries inside it).
Writable, in memory, each with a size: work folder, ``/tmp``, ``/dev/shm``,
``/lab/run``.
Nothing else of this machine is there; no host path shows in a command line.
"""

import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab_env.sandbox.environment import PACKAGE
from lab_env.sandbox.runs import MB, SandboxError

WORK = "/lab/work"
RUN = "/lab/run"
TEMPORARY_MB = 256
PLAIN_USER = 1000
# Ids without an owner on any usual system; one for each run, so that the limit on
# processes, which the kernel counts for each uid, counts one run.
ROOT_UIDS = range(58000, 59000)
OS_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
OS_PARTS = (
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/sys/devices/system/cpu",
)
NAMESPACES = (
    "--unshare-pid",
    "--unshare-net",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--die-with-parent",
    "--new-session",
    "--clearenv",
)


@contextmanager
def free_uid() -> Iterator[int | None]:
    """Hold a uid that no other run has; None for an ordinary user.

    The hold is an abstract socket: it needs no file and ends with this process.
    """
    if os.geteuid() != 0:
        yield None
        return
    with socket.socket(socket.AF_UNIX) as hold:
        for uid in ROOT_UIDS:
            try:
                hold.bind(f"\0lab-sandbox-uid-{uid}")
            except OSError:
                continue
            yield uid
            return
    raise SandboxError(f"All {len(ROOT_UIDS)} user ids for sandboxes are taken.")


@dataclass
class Jail:
    """One jail: ``command`` starts it; ``handles`` must stay open until it has."""

    uid: int | None
    work_mb: int
    run_mb: int
    folders: tuple[Path, ...]
    bound: Mapping[str, Path]
    variables: Mapping[str, str]
    options: tuple[str, ...] = ()
    handles: list[int] = field(default_factory=list)

    def command(self, program: list[str], info: int) -> list[str]:
        """Return the command line; the options go through a file, out of sight."""
        options = "\0".join([*self._options(), "--info-fd", str(info)])
        bwrap = shutil.which("bwrap") or "bwrap"
        return [
            bwrap,
            "--args",
            str(self._data(options)),
            "--",
            *self._drop(),
            *program,
        ]

    def close(self) -> None:
        """Close what the jail was started with."""
        while self.handles:
            os.close(self.handles.pop())

    def _options(self) -> Iterator[str]:
        yield from (*NAMESPACES, *self.options, "--hostname", "lab")
        yield from self._identity()
        yield from self._system()
        # Before the binds: an interpreter may itself live below /tmp.
        yield from room("/tmp", TEMPORARY_MB, "1777")
        yield from room(WORK, self.work_mb, "0777")
        yield from room(RUN, self.run_mb, "0777")
        yield from self._code()
        for name, path in self.bound.items():
            yield from ("--ro-bind", str(path.resolve()), f"{WORK}/{name}")
        for name, value in self.variables.items():
            yield from ("--setenv", name, value)
        yield from ("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/")

    def _identity(self) -> Iterator[str]:
        uid = PLAIN_USER if self.uid is None else self.uid
        yield from ("--cap-drop", "ALL")
        if self.uid is None:
            yield from ("--unshare-user", "--uid", str(uid), "--gid", str(uid))
        else:
            for name in ("SETUID", "SETGID", "SETPCAP"):
                yield from ("--cap-add", f"CAP_{name}")
        for path, text in small_files(uid).items():
            handle = str(self._data(text))
            yield from parents(path)
            yield from ("--perms", "0444", "--ro-bind-data", handle, path)

    def _drop(self) -> list[str]:
        # bwrap --uid would only rename root; setpriv really leaves it.
        if self.uid is None:
            return []
        who = [f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"]
        less = ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
        return ["/usr/bin/setpriv", *who, *less, "--"]

    def _system(self) -> Iterator[str]:
        yield from ("--ro-bind", "/usr", "/usr")
        for name in OS_LINKS:
            path = Path("/", name)
            if path.is_symlink():
                yield from ("--symlink", os.readlink(path), str(path))
            elif path.is_dir():
                yield from ("--ro-bind", str(path), str(path))
        for part in OS_PARTS:
            yield from parents(part)
            yield from ("--ro-bind-try", part, part)
        yield from ("--proc", "/proc", "--dev", "/dev")
        yield from room("/dev/shm", TEMPORARY_MB, "1777")

    def _code(self) -> Iterator[str]:
        shown = [str(folder) for folder in (*self.folders, PACKAGE)]
        # Else an ordinary user would own the folders above, and could write there.
        tops = {"/".join(path.split("/")[:3]) for path in shown if path[:5] == "/tmp/"}
        for top in sorted(tops):
            yield from ("--perms", "0755", "--tmpfs", top)
        for path in shown:
            yield from parents(path)
            yield from ("--ro-bind", path, path)
        for top in sorted(tops):
            yield from ("--remount-ro", top)
        # A wheel keeps labs and graders in here; an empty folder covers them.
        content = PACKAGE / "content"
        if content.is_dir():
            yield from ("--tmpfs", str(content), "--remount-ro", str(content))

    def _data(self, text: str) -> int:
        handle = os.memfd_create("lab")
        os.write(handle, text.encode("utf-8", "surrogateescape"))
        os.lseek(handle, 0, os.SEEK_SET)
        self.handles.append(handle)
        return handle


def parents(path: str) -> Iterator[str]:
    """Return the options for the folders above ``path``.

    bwrap would make them itself, for root alone to enter.
    """
    for folder in reversed(Path(path).parents[:-1]):
        yield from ("--perms", "0755", "--dir", str(folder))


def room(path: str, size_mb: int, mode: str) -> tuple[str, ...]:
    """Return the options for a folder in memory with a size."""
    size = str(size_mb * MB)
    return (*parents(path), "--perms", mode, "--size", size, "--tmpfs", path)


def small_files(uid: int) -> dict[str, str]:
    """Return the few system files that programs expect, without this machine's."""
    return {
        "/etc/passwd": f"trainee:x:{uid}:{uid}::/tmp/home:/bin/sh\n",
        "/etc/group": f"trainee:x:{uid}:\n",
        "/etc/hosts": "127.0.0.1 localhost lab\n::1 localhost\n",
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    }
