"""Landlock: this process and its children open only the files they are meant to.

Covered: reading, writing, making, moving, removing and running files (Linux 5.13),
cutting them (6.2); TCP (6.7); driver calls on devices (6.10); signals and abstract
sockets to the outside (6.12). What the kernel does not know yet is left out.
Not covered: seeing that a file exists, its modes and times; sockets with a path.
"""

import ctypes
import os
import stat
import struct
from collections.abc import Collection, Mapping

CREATE, ADD_RULE, RESTRICT = 444, 445, 446
VERSION = 1
BELOW_PATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
MAKE_CHARACTER_DEVICE, MAKE_BLOCK_DEVICE = 1 << 6, 1 << 11
TRUNCATE, DRIVER_CALL = 1 << 14, 1 << 15
# How many rights on files each version knows; from the last on, all of these.
FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | DRIVER_CALL
BIND_TCP, CONNECT_TCP = 1, 2
ABSTRACT_SOCKETS, SIGNALS = 1, 2

READ = EXECUTE | READ_FILE | READ_DIR
WRITE = ((1 << 15) - 1) & ~(MAKE_CHARACTER_DEVICE | MAKE_BLOCK_DEVICE)
DEVICES = READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | DRIVER_CALL


class NoLandlock(Exception):
    """The rules are not in force; the text is the reason."""


def version() -> int:
    """Return what the kernel's Landlock can do, 0 if there is none."""
    return max(0, _call(CREATE, None, 0, VERSION))


def restrict(rights: Mapping[str, int], tcp: bool) -> None:
    """Allow these rights below these paths, and nothing else on any file.

    A path that is not there is left out. Without ``tcp`` no port can be used.
    """
    abi = version()
    if not abi:
        raise NoLandlock("this kernel has no Landlock, or it is turned off")
    known = (1 << FILE_RIGHTS[min(abi, max(FILE_RIGHTS))]) - 1
    ruleset = _ruleset(abi, known, tcp)
    try:
        for path, allowed in rights.items():
            _allow(ruleset, path, allowed & known)
        _check(_call(RESTRICT, ruleset, 0), "the rules do not take force")
    finally:
        os.close(ruleset)


def merged(groups: Collection[tuple[Collection[str], int]]) -> dict[str, int]:
    """Return the rights of each path, added up over groups of paths."""
    rights: dict[str, int] = {}
    for paths, allowed in groups:
        for path in paths:
            rights[path] = rights.get(path, 0) | allowed
    return rights


def _ruleset(abi: int, files: int, tcp: bool) -> int:
    ports = BIND_TCP | CONNECT_TCP if abi >= 4 and not tcp else 0
    scopes = ABSTRACT_SOCKETS | SIGNALS if abi >= 6 else 0
    # An older kernel takes longer attributes if what it does not know is zero.
    attributes = struct.pack("QQQ", files, ports, scopes)
    return _check(_call(CREATE, attributes, len(attributes), 0), "no rules can be made")


def _allow(ruleset: int, path: str, allowed: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    except OSError as error:
        raise NoLandlock(f"{path} cannot be opened: {error.strerror}") from None
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            allowed &= OF_FILES
        if not allowed:
            return
        rule = struct.pack("=Qi", allowed, place)
        done = _call(ADD_RULE, ruleset, BELOW_PATH, rule, 0)
        _check(done, f"{path} cannot be allowed")
    finally:
        os.close(place)


def _check(answer: int, what: str) -> int:
    if answer < 0:
        raise NoLandlock(f"{what}: {os.strerror(ctypes.get_errno())}")
    return answer


def _call(number: int, *arguments: bytes | int | None) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    sized = (
        ctypes.c_size_t(each) if isinstance(each, int) else each for each in arguments
    )
    return int(libc.syscall(ctypes.c_long(number), *sized))
