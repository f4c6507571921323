"""Denial of service: limits end what will not end, and the work before it counts.

The limits are those of a lab, made small. Every attack stands in the last cell of
right work, so an honest grader gives all points; and the pile goes on beside it.
"""

from collections.abc import Iterator

import pytest
from graded_toy import gold
from pile import (
    ALL,
    LEFT,
    NEIGHBOURS,
    Attack,
    Pile,
    Points,
    cases,
    graded,
    handed,
    judged,
    notebook,
    undisturbed,
    with_cells,
)

WALL, CELL = 30, 3
SMALL = f"""[limits]
wall_seconds = {WALL}
cell_seconds = {CELL}
cpu_seconds = 12
memory_mb = 700
processes = 64
file_mb = 24
work_mb = 24
output_mb = 2
"""


def last(name: str, does: str, source: str, points: Points = ALL) -> Attack:
    """Return right work with an attack in its last cell."""
    return Attack(name, does, handed(with_cells(source)), points)


def answer(name: str, does: str, text: str) -> Attack:
    """Return right work with an attack in its written answer."""
    return Attack(name, does, handed(notebook(**gold() | {"why": text})), ALL)


FORKS = f"""
import os, time
left = open("{LEFT}", "w")
while True:
    try:
        os.fork()
    except OSError:
        time.sleep(0.1)
"""
THREADS = """
import threading, time
while True:
    threading.Thread(target=time.sleep, args=(600,)).start()
"""
CREEPING = """
held, size = [], 1 << 20
while True:
    held.append(bytearray(size))
"""
SHARED = f"""
import mmap, os
left = open("{LEFT}", "w")
for _ in range(4):
    if os.fork() == 0:
        break
held = []
while True:
    page = mmap.mmap(-1, 32 << 20)
    page.write(b"x" * (32 << 20))
    held.append(page)
"""
IN_MEMORY = """
import os
for folder in ("/dev/shm", "/tmp", "."):
    for number in range(100):
        with open(f"{folder}/{number}", "wb") as stream:
            stream.write(bytes(20 << 20))
"""
INODES = """
import os
for number in range(10**7):
    os.close(os.open(f"/tmp/{number}", os.O_CREAT))
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True:
    time.sleep(1)
"""
SWALLOWED = """
while True:
    try:
        time.sleep(600)
    except BaseException:
        continue
"""
GROWING = f"""
import os, time
if os.fork() == 0:
    os.setsid()
    left = open("{LEFT}", "w")
    for other in ("more.csv", "notes.txt"):
        open(other, "w").write("x")
    while True:
        with open("grown.bin", "ab") as stream:
            stream.write(bytes(4096))
        time.sleep(0.001)
"""
HANDLES = """
import os, socket
held = []
try:
    while True:
        held.append(socket.socketpair())
except OSError:
    pass
"""
TINY = """
from IPython.display import display
for number in range(200_000):
    display(number)
"""
COMMS = """
from ipykernel.comm import Comm
model = {"_model_module": "x", "_model_name": "x", "x": "x" * 100_000}
for number in range(200):
    comm = Comm(target_name="jupyter.widget", data={"state": model})
"""
FALSE_COMM = """
from ipykernel.comm import Comm
for state in ({}, {"x": 1}, [], None, "x"):
    comm = Comm(target_name="jupyter.widget", data={"state": state})
    comm.send({"method": "update", "state": state, "buffer_paths": [["x"]]})
"""
PICTURES = """
from IPython.display import Image, display
for number in range(300):
    display(Image(data=b"\\x89PNG\\r\\n\\x1a\\n" + bytes(200_000), format="png"))
"""
STOPPED_DRIVER = """
import os, signal
os.kill(os.getppid(), signal.SIGSTOP)
"""
UNSEEN = f"""
import os, signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
left = open("{LEFT}", "w")
if os.fork() == 0:
    os.setsid()
    while True:
        if os.fork() == 0:
            for _ in range(10**6):
                pass
            os._exit(0)
        os.wait
os.kill(os.getppid(), signal.SIGSTOP)
"""
NEVER_IDLE = """
kernel = get_ipython().kernel
kernel.session.send = lambda *args, **more: None
"""
DEEP = """
import sys
sys.setrecursionlimit(10**9)
def deeper(n):
    return deeper(n + 1) + 1
deeper(0)
"""
CHAIN = f"""
import os, time
left = open("{LEFT}", "w")
for _ in range(10**6):
    if os.fork():
        time.sleep(600)
"""

ATTACKS = (
    last("forks", "forks without end", FORKS),
    last("threads", "starts threads without end", THREADS),
    last("chain", "is a child of a child of a child", CHAIN),
    last("at-once", "asks for 50 GB", "held = bytearray(50 << 30)"),
    last("creeping", "asks for a little more for ever", CREEPING),
    last("shared", "shares memory that no one process holds", SHARED),
    last("in-memory", "fills every folder in memory", IN_MEMORY),
    last("inodes", "makes files without size", INODES),
    last("printing", "prints without end", "while True:\n    print('文' * 33_000)"),
    last("one-message", "prints 60 MB at once", "print('x' * 60_000_000)"),
    last("tiny", "shows 200000 tiny things", TINY),
    last("comms", "opens twenty megabytes of widgets", COMMS),
    Attack("false-comm", "opens a widget that is none",
           handed(with_cells(FALSE_COMM)), ALL),
    last("pictures", "shows 60 MB of pictures", PICTURES),
    last("raw-log", "writes past the kernel", "import os\nwhile True:\n    os.write(2, b'x' * 60_000)"),
    last("traceback", "fails with 50 MB", "raise ValueError('x' * 50_000_000)"),
    last("bar", "draws a bar for ever", "n = 0\nwhile True:\n    n += 1\n    print(f'\\r{n}', end='')"),
    last("sleep", "sleeps for ever", "import time\ntime.sleep(10**6)"),
    last("in-c", "loops where no signal is seen", "import re\nre.match('(a+)+$', 'a' * 60 + 'b')"),
    last("stubborn", "ignores signals", STUBBORN),
    last("swallowed", "catches the interrupt", SWALLOWED),
    last("stops-itself", "stops its own kernel", "import os\nos.kill(os.getpid(), 19)"),
    last("stops-driver", "stops what drives it", STOPPED_DRIVER),
    last("unseen", "spends time where nobody counts", UNSEEN),
    last("never-idle", "never says that it is done", NEVER_IDLE),
    last("deep", "recurses until it breaks", DEEP),
    last("handles", "takes every file handle", HANDLES),
    last("asks", "waits for an answer", "input('?')"),
    last("breakpoint", "waits for a debugger", "breakpoint()"),
    last("growing", "writes while files are taken", GROWING),
    last("digits", "reckons with a number of 10 MB", "int('9' * 4000) ** 3000 ** 2"),
    answer("long-answer", "writes a megabyte", "a!" * 500_000),
    answer("regex-answer", "writes what regexes fear", "<!--" * 9_000 + "[" * 9_000),
)  # fmt: skip


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pile]:
    """Return the graded pile of this family."""
    yield from graded(tmp_path_factory.mktemp("service"), ATTACKS, SMALL)


@pytest.mark.parametrize("attack", cases(ATTACKS))
def test_the_work_before_the_attack_counts(pile: Pile, attack: Attack) -> None:
    """However the run is ended, what it had saved by then is marked."""
    judged(pile, attack)


@pytest.mark.parametrize("attack", cases(ATTACKS))
def test_no_run_takes_more_than_its_limits(pile: Pile, attack: Attack) -> None:
    """Time, memory and what is kept stay within what the lab allows, and a little."""
    sheet = pile.row(attack.name).sheet
    assert sheet is not None
    used = sheet.environment
    assert used["wall_seconds"] < WALL + 10
    assert used["peak_memory_mb"] < 1_500
    assert sum(len(data) for _, data in pile.kept(attack.name)) < 20_000_000


def test_the_neighbours_of_a_flood_keep_their_marks(pile: Pile) -> None:
    """Honest work beside it has all its points, and nothing is left."""
    undisturbed(pile)


def test_the_ways_to_end_are_told_apart(pile: Pile) -> None:
    """The mark sheet says which limit ended a run."""
    ended = {
        row.candidate: row.sheet.environment["ended"]
        for row in pile.report.rows
        if row.sheet is not None and row.candidate not in NEIGHBOURS
    }
    assert ended["inodes"] == "disk"
    assert ended["raw-log"] == "output"
    assert ended["stops-driver"] == "wall time"
