"""The few calls of the Linux kernel that Python 3.11 has no function for.

Every one raises OSError when it fails: nothing here goes on half done.
"""

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterable

LIBC = ctypes.CDLL(None, use_errno=True)

NEW_NAMESPACES = {
    "user": 0x10000000,
    "mount": 0x00020000,
    "cgroup": 0x02000000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "pid": 0x20000000,
    "net": 0x40000000,
}
READ_ONLY, NOSUID, NODEV, NOEXEC, REMOUNT = 0x1, 0x2, 0x4, 0x8, 0x20
BIND, REC, SLAVE = 0x1000, 0x4000, 0x80000
PARENT_DEATH, GET_PARENT_DEATH, DUMPABLE, SUBREAPER = 1, 2, 4, 36
SET_FLAGS, UP = 0x8914, 0x41
CAPABILITY_VERSION = 0x20080522


def succeed(result: int, what: str) -> None:
    """Raise OSError with the kernel's reason unless ``result`` is a success."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(names: Iterable[str]) -> None:
    """Leave the namespaces ``names``; a new pid namespace begins with a child."""
    flags = sum(NEW_NAMESPACES[name] for name in names)
    succeed(LIBC.unshare(flags), "unshare")


def mount(kind: str, target: str, flags: int, options: str = "") -> None:
    """Mount a file system without a device at ``target``."""
    result = LIBC.mount(
        kind.encode(), target.encode(), kind.encode(), flags, options.encode()
    )
    succeed(result, f"mount {kind} at {target}")


def show(handle: int, target: str) -> None:
    """Show the open folder ``handle`` at ``target`` too, with all that lies in it."""
    source = f"/proc/self/fd/{handle}"
    result = LIBC.mount(source.encode(), target.encode(), None, BIND | REC, None)
    succeed(result, f"show a folder at {target}")


def mounts_stay_here() -> None:
    """Keep what is mounted from here on out of other namespaces."""
    succeed(LIBC.mount(None, b"/", None, REC | SLAVE, None), "mount --make-rslave")


def prctl(option: int, value: int = 0) -> None:
    """Set one property of this process."""
    # All as unsigned long: the kernel reads the unused ones too.
    rest = (ctypes.c_ulong(each) for each in (value, 0, 0, 0))
    succeed(LIBC.prctl(option, *rest), f"prctl {option}")


def die_with_parent() -> None:
    """Ask for SIGKILL when the thread that made this process ends."""
    prctl(PARENT_DEATH, 9)


def parent_death_signal() -> int:
    """Return the signal asked for by ``die_with_parent``, 0 if none."""
    number = ctypes.c_int()
    succeed(LIBC.prctl(GET_PARENT_DEATH, ctypes.byref(number)), "prctl")
    return number.value


def set_capabilities(effective: int, permitted: int) -> None:
    """Set the capabilities of this thread; none are inheritable."""
    head = struct.pack("Ii", CAPABILITY_VERSION, 0)
    low, high = (0xFFFFFFFF, 32)
    data = struct.pack(
        "6I",
        *(effective & low, permitted & low, 0),
        *(effective >> high, permitted >> high, 0),
    )
    succeed(LIBC.capset(head, data), "capset")


def permitted_capabilities() -> int:
    """Return the capabilities that this process may make effective."""
    with open("/proc/self/status", encoding="ascii") as stream:
        lines = dict(line.split(":", 1) for line in stream)
    return int(lines["CapPrm"], 16)


def loopback_up() -> None:
    """Turn on the one network interface of a new network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", UP)
        fcntl.ioctl(any_socket, SET_FLAGS, request)
