"""Give up, for good, everything that code nobody has read does not need.

Covered, in this order: capabilities, and every way to gain one; limits; files,
signals, abstract sockets and TCP (``landlock``); system calls (``seccomp``).
Not covered: anything open already; the caller closes it.
A layer that is required and fails raises: then the caller must not go on.
"""

import ctypes
import os
import resource
from collections.abc import Mapping
from typing import Any

from lab_env.inside import landlock, seccomp

CAPABILITY_VERSION = 0x20080522
SET_NO_NEW_PRIVILEGES, DROP_BOUNDING, AMBIENT, CLEAR_AMBIENT = 38, 24, 47, 4
INTERNET = frozenset({"inet", "inet6"})
LIBC = ctypes.CDLL(None, use_errno=True)
LAST_CAPABILITY = "/proc/sys/kernel/cap_last_cap"


class NotConfined(Exception):
    """What is not in force, in one sentence."""


def confine(settings: Mapping[str, Any]) -> None:
    """Confine this process as ``settings`` say, and all its children with it.

    ``limits``: RLIMIT names and values. ``read``, ``write``, ``devices``, ``list``:
    paths to read and run, to write, to use as devices, to see the names in.
    ``sockets``: families that stay. ``refused``: system calls beyond the usual.
    ``required``: the layers ("landlock", "seccomp") without which this raises.
    """
    refuse_wrong_start()
    drop_capabilities()
    take_limits(settings["limits"])
    required = settings["required"]
    try:
        restrict_files(settings)
    except landlock.NoLandlock as error:
        refuse_without("landlock", required, error)
    try:
        refused = settings.get("refused", ())
        here = seccomp.machine()
        seccomp.install(seccomp.build(here, settings["sockets"], refused))
    except seccomp.NoFilter as error:
        refuse_without("seccomp", required, error)


def refuse_wrong_start() -> None:
    """Raise if what follows would not hold for this whole process."""
    if os.getuid() == 0 or os.geteuid() == 0:
        raise NotConfined("Not confined: the code would run as root (user id 0).")
    # Landlock binds the thread that asks for it, and those it starts later.
    if (threads := len(os.listdir("/proc/self/task"))) != 1:
        raise NotConfined(f"Not confined: there are {threads} threads, not one.")


def drop_capabilities() -> None:
    """Give up every capability, and every way to gain one by starting a program."""
    drop_bounding()
    prctl(AMBIENT, CLEAR_AMBIENT)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if LIBC.capset(header, nothing) or prctl(SET_NO_NEW_PRIVILEGES, 1):
        reason = os.strerror(ctypes.get_errno())
        raise NotConfined(f"Not confined: capabilities are not given up: {reason}.")


def drop_bounding() -> None:
    """Give up what programs could be given; root alone may, before it is another."""
    with open(LAST_CAPABILITY, "rb") as stream:
        last = int(stream.read())
    for capability in range(last + 1):
        prctl(DROP_BOUNDING, capability)


def prctl(*arguments: int) -> int:
    """Change one property of this process; 0 if that worked."""
    # All five as whole words: the kernel refuses leftovers in the unused ones.
    padded = (*arguments, 0, 0, 0, 0)[:5]
    return int(LIBC.prctl(*map(ctypes.c_ulong, padded)))


def take_limits(limits: Mapping[str, int]) -> None:
    """Lower this process and all its children to ``limits``."""
    for name, value in limits.items():
        number = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(number)
        lower = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(number, (lower, lower))


def restrict_files(settings: Mapping[str, Any]) -> None:
    """Put the rules on files, signals, abstract sockets and TCP in force."""
    groups = (
        (settings["read"], landlock.READ),
        (settings["write"], landlock.WRITE),
        (settings.get("devices", ()), landlock.DEVICES),
        (settings.get("list", ()), landlock.READ_DIR),
    )
    tcp = bool(INTERNET & set(settings["sockets"]))
    landlock.restrict(landlock.merged(groups), tcp)


def refuse_without(layer: str, required: list[str], error: Exception) -> None:
    """Raise if ``layer`` is required."""
    if layer in required:
        raise NotConfined(f"Not confined: {layer} is required, and {error}.") from None
