"""A filter on system calls, in the kernel's own small language (classic BPF).

Covered: every call in ``syscalls.REFUSED``; new namespaces through ``clone``; sockets
of any family but those asked for, and of those only plain streams and datagrams;
typing into a terminal; limits of other processes; the calls of another architecture
and of x32, whose numbers mean something else.
Not covered: what a pointer points to (the filter cannot look), so no paths.
"""

import ctypes
import os
import struct
from collections.abc import Callable, Collection
from errno import EAFNOSUPPORT, ENOSYS, EPERM
from typing import NamedTuple

from lab_env.inside.syscalls import EVERY, REFUSED

# One step: operation, steps to skip if true, if false, operand.
Step = tuple[int, int, int, int]
Program = list[Step]

LOAD, AND, RETURN = 0x20, 0x54, 0x06
IF_EQUAL, IF_AT_LEAST, IF_ANY_BIT = 0x15, 0x35, 0x45
KILL, REFUSE, ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
# Where the kernel puts what is judged: number, architecture, six arguments.
NUMBER, ARCHITECTURE = 0, 4
X32 = 0x40000000
NEW_NAMESPACES = 0x7E020000
FAMILIES = {"unix": 1, "inet": 2, "inet6": 10, "netlink": 16}
STREAM, DATAGRAM, TYPE_BITS = 1, 2, 0xF
DEFAULT, TCP, UDP = 0, 6, 17
# TIOCSTI and TIOCLINUX type into a terminal, TIOCSETD loads a driver for one.
TERMINAL = (0x5412, 0x541C, 0x5423)
SET_FILTER, ALL_THREADS = 1, 1


class Machine(NamedTuple):
    """How one kind of processor is told, and its place in the table of numbers."""

    token: int
    column: int


MACHINES = {"x86_64": Machine(0xC000003E, 0), "aarch64": Machine(0xC00000B7, 1)}


class NoFilter(Exception):
    """The filter is not in place; the text is the reason."""


def build(
    machine: Machine, sockets: Collection[str], refused: Collection[str] = ()
) -> Program:
    """Return the filter: ``sockets`` are the families that stay, by name."""

    def when(name: str, then: Program) -> Program:
        number = EVERY[name][machine.column]
        return [] if number is None else if_equal(number, then)

    program = [load(ARCHITECTURE), (IF_EQUAL, 1, 0, machine.token), give(KILL)]
    program += [load(NUMBER), (IF_AT_LEAST, 0, 1, X32), refuse(EPERM)]
    for name in (*REFUSED, *refused):
        program += when(name, [refuse(EPERM)])
    # The C library falls back on clone, whose flags the filter can see.
    program += when("clone3", [refuse(ENOSYS)])
    program += when("clone", unless_bits(0, NEW_NAMESPACES))
    program += when("ioctl", none_of(1, TERMINAL))
    program += when("prlimit64", only(0, [0], EPERM))
    for name in ("socket", "socketpair"):
        program += when(name, families(sockets))
    return [*program, give(ALLOW)]


def families(names: Collection[str]) -> Program:
    """Allow sockets of these families, without their rare protocols."""
    program = [argument(0)]
    for name in names:
        program += if_equal(FAMILIES[name], KINDS[name]())
    return [*program, refuse(EAFNOSUPPORT)]


def internet() -> Program:
    """Allow TCP and UDP: every other protocol is one more part of the kernel."""
    program = [argument(1), (AND, 0, 0, TYPE_BITS)]
    protocols = only(2, [DEFAULT, TCP, UDP], EPERM)
    for kind in (STREAM, DATAGRAM):
        program += if_equal(kind, protocols)
    return [*program, refuse(EPERM)]


KINDS: dict[str, Callable[[], Program]] = {
    "unix": lambda: [give(ALLOW)],
    "inet": internet,
    "inet6": internet,
    # The list of interfaces, which ZeroMQ asks for; it ends the process if refused.
    "netlink": lambda: only(2, [DEFAULT], EPERM),
}


def only(place: int, values: Collection[int], error: int) -> Program:
    """Allow the call if the argument is one of ``values``."""
    program = [argument(place)]
    for value in values:
        program += if_equal(value, [give(ALLOW)])
    return [*program, refuse(error)]


def none_of(place: int, values: Collection[int]) -> Program:
    """Allow the call unless the argument is one of ``values``."""
    program = [argument(place)]
    for value in values:
        program += if_equal(value, [refuse(EPERM)])
    return [*program, give(ALLOW)]


def unless_bits(place: int, bits: int) -> Program:
    """Allow the call unless the argument has one of ``bits``."""
    return [argument(place), (IF_ANY_BIT, 0, 1, bits), refuse(EPERM), give(ALLOW)]


def if_equal(value: int, then: Program) -> Program:
    """Go through ``then``, which must end the program, if the last load is it."""
    return [(IF_EQUAL, 0, len(then), value), *then]


def load(offset: int) -> Step:
    """Load one field of what is judged."""
    return (LOAD, 0, 0, offset)


def argument(place: int) -> Step:
    """Load the lower half of an argument; the kernel itself reads no more of these."""
    return load(16 + 8 * place)


def give(verdict: int) -> Step:
    """End with ``verdict``."""
    return (RETURN, 0, 0, verdict)


def refuse(error: int) -> Step:
    """End: the call fails with ``error``."""
    return give(REFUSE | error)


def machine() -> Machine:
    """Return this machine; raise if its numbers are not known."""
    name = os.uname().machine
    if name not in MACHINES:
        known = " and ".join(MACHINES)
        raise NoFilter(f"system calls are known for {known}, this machine is {name}")
    return MACHINES[name]


def is_known() -> bool:
    """Tell whether this machine's system calls are known here."""
    return os.uname().machine in MACHINES


def install(program: Program) -> None:
    """Put the filter on every thread of this process, for good."""
    steps = b"".join(struct.pack("HBBI", *step) for step in program)
    held = ctypes.create_string_buffer(steps)
    wrapped = struct.pack("HP", len(program), ctypes.addressof(held))
    number = EVERY["seccomp"][machine().column]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, SET_FILTER, ALL_THREADS, wrapped):
        reason = os.strerror(ctypes.get_errno())
        raise NoFilter(f"the kernel does not take the filter: {reason}")
