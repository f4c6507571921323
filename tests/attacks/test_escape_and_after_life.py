"""Escape and after-life: no way out of room A, and nothing lives on after it.

What tries to get out stands in one notebook of right work; what tries to live on has
a notebook of its own. A probe that could do what it should not says so.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from graded_toy import gold
from pile import (
    ALL,
    LEFT,
    TOKEN,
    Attack,
    Pile,
    cases,
    graded,
    handed,
    judged,
    running_with,
    undisturbed,
    with_cells,
)
from probes import Probe, sources, tried
from ways_out import PROBES

LIVES_ON = {
    "daemon": (
        "forks twice, leaves its session, ignores signals",
        f"""
import os, signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        left = open("{LEFT}", "w")
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                continue
        time.sleep(600)
    os._exit(0)
""",
    ),
    "shells": (
        "starts shells that trap the end",
        f"""
import subprocess
for start in (["nohup"], ["setsid"], []):
    subprocess.Popen([*start, "/bin/sh", "-c",
        "trap '' TERM HUP INT; while :; do sleep 600 # {LEFT}\\ndone"],
        start_new_session=True)
""",
    ),
    "renamed": (
        "takes the name of a thread of the kernel",
        f"""
import ctypes, os, shutil, time
shutil.copy("/bin/sleep", "kworker")
if os.fork() == 0:
    os.setsid()
    os.execve("./kworker", ["[kworker/0:1]", "600"], {{"X": "{LEFT}"}})
if os.fork() == 0:
    left = open("{LEFT}", "w")
    ctypes.CDLL(None).prctl(15, b"systemd", 0, 0, 0)
    time.sleep(600)
""",
    ),
    "hydra": (
        "has two processes that restart each other",
        f"""
import os, time
def head():
    left = open("{LEFT}", "w")
    while True:
        if os.fork() == 0:
            os.setsid()
            time.sleep(0.2)
            continue
        try:
            os.wait()
        except OSError:
            time.sleep(0.1)
if os.fork() == 0:
    head()
""",
    ),
    "sibling": (
        "makes itself the child of its parent",
        f"""
import ctypes, os, time
left = open("{LEFT}", "w")
child = ctypes.CDLL(None).syscall(56, 0x8000 | 17, 0, 0, 0, 0)
if child == 0:
    time.sleep(600)
""",
    ),
    "own-world": (
        "lives on in a world of processes of its own",
        f"""
import subprocess
subprocess.Popen(["unshare", "-Urpf", "--kill-child=SIGCONT", "sleep", "600"],
                 env={{"X": "{LEFT}", "PATH": "/usr/bin:/bin"}})
subprocess.Popen(["sleep", "600"], env={{"X": "{LEFT}", "PATH": "/usr/bin:/bin"}})
""",
    ),
    "at-exit": (
        "stays when it is asked to leave",
        f"""
import atexit, os, threading, time
left = open("{LEFT}", "w")
atexit.register(lambda: time.sleep(5))
threading.Thread(target=time.sleep, args=(600,), daemon=False).start()
""",
    ),
    "stopped": (
        "leaves stopped processes behind",
        f"""
import os, signal
left = open("{LEFT}", "w")
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        os.kill(os.getpid(), signal.SIGSTOP)
""",
    ),
    "all-at-once": (
        "ends everything that it can see, last of all itself",
        "import os\nos.kill(-1, 9)",
    ),
    "no-names": (
        "removes the folders it runs in",
        """
import os, shutil
for path in ("/lab/run", "/tmp", "/dev/shm", os.getcwd() + "/data"):
    shutil.rmtree(path, ignore_errors=True)
os.rename("scenario.toml", "counts.txt")
""",
    ),
}


def breaker() -> Attack:
    """Return the hand-in of all probes."""
    value = with_cells(*sources(PROBES), answers=gold())
    return Attack("breaker", "tries every way out", handed(value), ALL)


ATTACKS = (
    breaker(),
    *(
        Attack(name, does, handed(with_cells(source)), ALL)
        for name, (does, source) in LIVES_ON.items()
    ),
)


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pile]:
    """Return the graded pile of this family."""
    yield from graded(tmp_path_factory.mktemp("escape"), ATTACKS)


@pytest.mark.parametrize("attack", cases(ATTACKS))
def test_whoever_tries_to_leave_is_marked_as_if_not(pile: Pile, attack: Attack) -> None:
    """The work has its points and nothing of this machine is in what is kept."""
    judged(pile, attack)


@pytest.mark.parametrize("probe", PROBES, ids=str)
def test_a_way_out_is_shut(pile: Pile, probe: Probe) -> None:
    """A probe ran to its end and could do nothing that it should not."""
    said = tried(pile.printed("breaker"), PROBES)[probe.name]
    assert said.endswith(f"tried {probe.name}\n"), probe.does
    assert "ESCAPED" not in said, probe.does


def test_nothing_lives_on(pile: Pile) -> None:
    """No process of any of them is left, and the neighbours have full marks."""
    undisturbed(pile)


def test_what_lives_on_would_be_seen() -> None:
    """A process with the mark of an attack is found by it, whatever its name."""
    named = [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(60)"]
    with subprocess.Popen(
        named, env={"X": f"seen-{TOKEN}"}, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            assert running_with(f"seen-{TOKEN}") == [str(process.pid)]
        finally:
            process.kill()


def test_no_time_bomb_goes_off(pile: Pile) -> None:
    """A while after the end there are no new files and no new processes."""
    before = sorted(os.walk(pile.course))
    time.sleep(2)
    assert sorted(os.walk(pile.course)) == before
    assert running_with(LEFT) == []
