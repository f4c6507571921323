"""The namespaces and the folders in memory of one run.

Everything below happens before any trainee code is there, and needs no privilege
but those that a new user namespace gives over itself.
"""

import os
from collections.abc import Mapping, Sequence

from lab_env.inside import kernel_calls as kernel

NAMESPACES = ("user", "mount", "pid", "net", "ipc", "uts", "cgroup")
WORK, RUN = "/lab/work", "/lab/run"
ROOMS = {WORK: "0777", RUN: "0777", "/tmp": "1777", "/dev/shm": "1777"}
PRIVATE = kernel.NOSUID | kernel.NODEV
FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


def enter() -> None:
    """Take namespaces of our own; the next child is the first in its pid namespace."""
    uid, gid = os.getuid(), os.getgid()
    kernel.unshare(NAMESPACES)
    # The same number inside and outside: a run sees the user it would see cold.
    for name, content in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        write(f"/proc/self/{name}", content)


def write(path: str, content: str) -> None:
    """Write a file of the kernel, in one call as it wants it."""
    handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(handle, content.encode())
    finally:
        os.close(handle)


def furnish(sizes: Mapping[str, int], kept: Sequence[str]) -> None:
    """Cover every writable folder with an empty one of its size in bytes.

    The folders ``kept`` show through. The process list, the terminals and the
    network are new as well.
    """
    kernel.mounts_stay_here()
    uncovered = {path: os.open(path, FOLDER) for path in kept}
    kernel.mount("proc", "/proc", PRIVATE | kernel.NOEXEC)
    terminals = "newinstance,ptmxmode=0666,mode=0620"
    kernel.mount("devpts", "/dev/pts", kernel.NOSUID | kernel.NOEXEC, terminals)
    for path, mode in ROOMS.items():
        kernel.mount("tmpfs", path, PRIVATE, f"size={sizes[path]},mode={mode}")
    show_through(uncovered)
    kernel.loopback_up()
    # A second lock on the door that the filter on system calls holds shut.
    write("/proc/sys/user/max_user_namespaces", "0")


def show_through(uncovered: Mapping[str, int]) -> None:
    """Show folders that a room has covered; those above them cannot be written."""
    tops = sorted({top_of(path) for path in uncovered})
    for top in tops:
        os.mkdir(top)
        kernel.mount("tmpfs", top, PRIVATE, "size=64k,mode=0755")
    for path, handle in uncovered.items():
        os.makedirs(path, exist_ok=True)
        kernel.show(handle, path)
        os.close(handle)
    for top in tops:
        flags = kernel.REMOUNT | kernel.BIND | kernel.READ_ONLY | PRIVATE
        kernel.mount("tmpfs", top, flags)


def top_of(path: str) -> str:
    """Return the folder right below the room in which ``path`` lies."""
    room = next(each for each in ROOMS if path.startswith(f"{each}/"))
    return f"{room}/{path.removeprefix(f'{room}/').partition('/')[0]}"


def open_rooms() -> list[int]:
    """Return a handle of each folder: work, run, and those of all programs."""
    return [os.open(path, FOLDER) for path in ROOMS]
