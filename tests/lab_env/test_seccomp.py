"""The filter of system calls: the program itself is interpreted, for both machines."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lab_env.inside import seccomp, syscalls


def judge(program: seccomp.Program, number: int, *arguments: int, token: int) -> int:
    """Return the verdict on a call: the kernel's interpreter, as far as we use it."""
    fields = {seccomp.NUMBER: number, seccomp.ARCHITECTURE: token}
    fields |= {16 + 8 * place: value for place, value in enumerate(arguments)}
    loaded = at = 0
    tests: dict[int, Callable[[int], bool]] = {
        seccomp.IF_EQUAL: lambda value: loaded == value,
        seccomp.IF_AT_LEAST: lambda value: loaded >= value,
        seccomp.IF_ANY_BIT: lambda value: bool(loaded & value),
    }
    while True:
        operation, if_true, if_false, value = program[at]
        if operation == seccomp.RETURN:
            return value
        if operation == seccomp.LOAD:
            loaded = fields.get(value, 0)
        elif operation == seccomp.AND:
            loaded &= value
        else:
            at += if_true if tests[operation](value) else if_false
        at += 1


EPERM, ENOSYS, NO_FAMILY = (seccomp.REFUSE | number for number in (1, 38, 97))
ALLOW, KILL = seccomp.ALLOW, seccomp.KILL
JUDGEMENTS = [
    ("clone", (0x01200011,), ALLOW),
    ("clone", (0x10000011,), EPERM),
    ("clone", (0x00020000,), EPERM),
    ("clone3", (), ENOSYS),
    ("socket", (1, 0x80001, 0), ALLOW),
    ("socket", (2, 0x80802, 17), ALLOW),
    ("socket", (2, 3, 1), EPERM),
    ("socket", (10, 1, 262), EPERM),
    ("socket", (16, 3, 0), ALLOW),
    ("socket", (16, 3, 12), EPERM),
    ("socket", (17, 3, 0), NO_FAMILY),
    ("socket", (40, 1, 0), NO_FAMILY),
    ("socketpair", (40, 1, 0), NO_FAMILY),
    ("ioctl", (0, 0x5401), ALLOW),
    ("ioctl", (0, 0x5412), EPERM),
    ("prlimit64", (0,), ALLOW),
    ("prlimit64", (7,), EPERM),
    ("truncate", (), ALLOW),
    *((name, (), EPERM) for name in syscalls.REFUSED),
]


@pytest.mark.parametrize("name", seccomp.MACHINES)
def test_the_filter_judges_as_the_table_says(name: str) -> None:
    """The program itself, interpreted, for both kinds of processor."""
    here = seccomp.MACHINES[name]
    program = seccomp.build(here, seccomp.FAMILIES)
    for call, arguments, verdict in JUDGEMENTS:
        number = syscalls.EVERY[call][here.column]
        if number is not None:
            seen = judge(program, number, *arguments, token=here.token)
            assert seen == verdict, (call, arguments)
    assert judge(program, 0, token=here.token) == ALLOW
    assert judge(program, 0, token=0x40000003) == KILL
    assert judge(program, 0x40000000 | 39, token=here.token) == EPERM
    assert len(program) < 4096


@pytest.mark.parametrize("name", seccomp.MACHINES)
def test_without_a_jail_the_filter_is_stricter(name: str) -> None:
    """No internet family, and no cutting of a file by its path."""
    here = seccomp.MACHINES[name]
    program = seccomp.build(here, ["unix", "netlink"], ["truncate"])
    for call, arguments, verdict in (
        ("socket", (2, 1, 0), NO_FAMILY),
        ("socket", (1, 1, 0), ALLOW),
        ("truncate", (), EPERM),
    ):
        number = syscalls.EVERY[call][here.column]
        assert number is not None
        assert judge(program, number, *arguments, token=here.token) == verdict


def test_the_numbers_are_those_of_this_machine_s_headers() -> None:
    """Where the headers are installed, no number is a slip of the pen."""
    header = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
    if not header.exists():
        pytest.skip(f"{header} is not installed")
    known = dict(re.findall(r"#define __NR_(\w+) (\d+)", header.read_text()))
    for name, (number, _) in syscalls.EVERY.items():
        assert int(known.get(name, number)) == number, name
