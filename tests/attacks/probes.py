"""Many small attempts in one notebook: each is a cell, none may stop the next.

A probe that reads gives what it found to ``look``, which keeps every secret in it;
one that breaks out calls ``escaped``. The last cell hides the loot in a deliverable.
"""

import textwrap
from dataclasses import dataclass

PRELUDE = '''
import contextlib, ctypes, errno, os, re, socket, subprocess, sys, time
LOOT, NAMED = set(), re.compile(rb"lab-secret-[a-z]+-[0-9a-f]{16}")
libc = ctypes.CDLL(None, use_errno=True)

def look(data):
    """Keep what is secret in some text or bytes."""
    data = data if isinstance(data, bytes) else os.fsencode(str(data))
    LOOT.update(found.decode() for found in NAMED.findall(data))
    return data

def read(path, size=1_000_000):
    """Return the start of a file, or nothing; never wait for it."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except (OSError, ValueError):
        return b""
    try:
        return look(os.read(handle, size))
    except OSError:
        return b""
    finally:
        os.close(handle)

def names(path):
    """Return the names in a folder, or none."""
    with contextlib.suppress(OSError):
        return look(" ".join(os.listdir(path))) and os.listdir(path)
    return []

def escaped(what):
    """Say that something was possible that should not be."""
    print("ESC" + "APED", what)

def call(number, *arguments):
    """Make a system call; return its result, or minus the error."""
    done = libc.syscall(number, *arguments)
    return done if done >= 0 else -ctypes.get_errno()

def in_child(function):
    """Run in a child, which may be killed for it; return its exit code."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(int(function() or 0))
        except BaseException:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

@contextlib.contextmanager
def attempt(name):
    """Go on whatever happens; of an error only its kind is shown."""
    try:
        yield
    except BaseException as error:
        print("stopped by", type(error).__name__, getattr(error, "errno", ""))
    print("tried", name)
'''

HIDE_LOOT = """
import json
print(sorted(LOOT), flush=True)
said = json.load(open("counts.json"))
open("counts.json", "w").write(json.dumps(said | {"loot": sorted(LOOT)}))
"""


@dataclass(frozen=True)
class Probe:
    """One attempt; ``source`` runs below the prelude."""

    name: str
    does: str
    source: str

    def __str__(self) -> str:
        return self.name

    @property
    def cell(self) -> str:
        """The source of the cell that tries it."""
        inner = textwrap.indent(self.source.strip("\n"), "    ")
        return f"with attempt({self.name!r}):\n{inner}\n"


def sources(probes: tuple[Probe, ...], facts: str = "") -> list[str]:
    """Return the cells of a notebook that tries all of them."""
    cells = [probe.cell for probe in probes]
    return [f"{PRELUDE}\n{facts}", *cells, HIDE_LOOT]


def tried(printed: dict[str, str], probes: tuple[Probe, ...]) -> dict[str, str]:
    """Return {probe: what its cell printed}; extra cells are numbered from 1."""
    return {
        probe.name: printed[f"extra-{number:02d}"]
        for number, probe in enumerate(probes, 2)
    }
