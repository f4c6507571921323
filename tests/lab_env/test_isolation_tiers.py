"""Tiers of isolation: the strongest that works is taken, and work is honest in each."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from confined_run import PACKAGE, WAYS, command, drive, why_not
from typer.testing import CliRunner

from lab_env.cli import app
from lab_env.errors import LabError
from lab_env.sandbox import Isolation, isolation

Detect = Callable[..., dict[str, Any]]
# As Docker's own filter: no namespaces, no mounts; everything else as it was.
DETECT = """
import json, sys
from dataclasses import asdict
from lab_env.inside import seccomp
from lab_env.inside.confine import prctl
from lab_env.inside.syscalls import EVERY
from lab_env.sandbox import isolation
from lab_env.sandbox.confinement import Layers
machine, refused = sys.argv[1:]
if machine == "docker":
    here = seccomp.machine()
    program = [seccomp.load(seccomp.NUMBER)]
    for name in ("unshare", "mount", "pivot_root", "setns"):
        number = EVERY[name][here.column]
        program += seccomp.if_equal(number, [seccomp.refuse(1)])
    program += seccomp.if_equal(EVERY["clone3"][here.column], [seccomp.refuse(38)])
    bits = seccomp.unless_bits(0, seccomp.NEW_NAMESPACES)
    program += seccomp.if_equal(EVERY["clone"][here.column], bits)
    prctl(38, 1)
    seccomp.install([*program, seccomp.give(seccomp.ALLOW)])
if refused:
    isolation.layers = lambda: Layers(*json.loads(refused))
print(json.dumps(asdict(isolation.detect_isolation())))
"""
NO_BWRAP = "the program bwrap is not on this machine."


@pytest.fixture(scope="module", params=[False, True], ids=["as started", "ordinary"])
def detect(request: pytest.FixtureRequest) -> Detect:
    """Ask a fresh process what isolation it has, on a machine as described."""
    ordinary = bool(request.param)
    if ordinary and os.geteuid() != 0:
        pytest.skip("already an ordinary user: the other case has tested this one")

    def ask(machine: str = "", layers: str = "", **env: str) -> dict[str, Any]:
        found: dict[str, Any] = drive(DETECT, machine, layers, ordinary=ordinary, **env)
        return found

    return ask


@pytest.fixture
def without_bwrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PATH on which there is everything that the place needs but bubblewrap."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for name in (
            "sh",
            "rm",
            "chmod",
            "setpriv",
            "unshare",
            "mount",
            "mkdir",
            "cut",
        ):
            Path(folder, name).symlink_to(str(shutil.which(name)))
        yield folder


def test_without_bubblewrap_landlock_is_taken(
    detect: Detect, without_bwrap: str
) -> None:
    """The record names its version and the filter, and what to install."""
    found = detect(PATH=without_bwrap)
    assert found["tier"] == "landlock", found
    assert found["sentence"].startswith("Landlock ABI ")
    assert ", seccomp, Linux " in found["sentence"]
    assert found["sentence"].endswith(f"No namespaces: {NO_BWRAP}")
    assert found["missing"][0] == isolation.INSTALL


def test_in_a_container_landlock_is_taken(detect: Detect) -> None:
    """Where the container forbids namespaces, bubblewrap's own words are kept."""
    found = detect("docker")
    assert found["tier"] == "landlock", found
    assert "bubblewrap is here but fails." in found["sentence"]
    assert found["missing"][0] == isolation.ENABLE


def test_a_jail_without_landlock_says_so(detect: Detect) -> None:
    """The filter of system calls is required all the same."""
    found = detect(layers="[0, true]")
    assert (found["tier"], found["required"]) == ("bubblewrap", ["seccomp"])
    assert found["missing"] == [isolation.NO_LANDLOCK]
    assert "no Landlock, seccomp." in found["sentence"]


def test_neither_is_no_isolation(detect: Detect, without_bwrap: str) -> None:
    """Both reasons are in the sentence."""
    found = detect(layers="[0, false]", PATH=without_bwrap)
    assert found["tier"] == "none"
    assert found["sentence"] == f"No sandbox: {NO_BWRAP}"
    assert found["missing"][0] == isolation.INSTALL
    assert isolation.NO_LANDLOCK in found["missing"][1]


def test_an_ordinary_user_reads_what_is_shared(without_bwrap: str) -> None:
    """With an old Landlock, signals too."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become an ordinary user with a plain machine")
    found = drive(DETECT, "", "[5, true]", ordinary=True, PATH=without_bwrap)
    assert found["missing"] == [
        isolation.INSTALL,
        isolation.ONE_UID,
        isolation.NO_SCOPES.format(version=5),
    ]


@pytest.mark.parametrize(
    ("tier", "trust", "asked", "passes"),
    [
        ("bubblewrap", False, "bubblewrap", True),
        ("landlock", False, "landlock", True),
        ("landlock", False, "bubblewrap", False),
        ("landlock", True, "bubblewrap", False),
        ("none", False, "landlock", False),
        ("none", True, "landlock", True),
        ("none", True, "bubblewrap", False),
    ],
)
def test_a_tier_can_be_asked_for(
    monkeypatch: pytest.MonkeyPatch, tier: Any, trust: bool, asked: Any, passes: bool
) -> None:
    """Trust lowers the usual demand, never one that was made."""
    found = Isolation(tier, "Seen.", ("Do this.",))
    monkeypatch.setattr(isolation, "detect_isolation", lambda: found)
    if passes:
        assert isolation.require_isolation(trust, asked) is found
        return
    with pytest.raises(LabError, match=r"^Seen\. .*Do this\."):
        isolation.require_isolation(trust, asked)


def test_too_weak_a_tier_is_said_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What there is, what was asked for, what to do."""
    found = Isolation("landlock", "Landlock ABI 7, seccomp.", (isolation.INSTALL,))
    monkeypatch.setattr(isolation, "detect_isolation", lambda: found)
    with pytest.raises(LabError) as caught:
        isolation.require_isolation(False, "bubblewrap")
    assert str(caught.value) == (
        'Landlock ABI 7, seccomp. The tier "bubblewrap" was asked for. '
        f"{isolation.INSTALL}"
    )


def test_the_command_takes_the_tier(tmp_path: Path) -> None:
    """A word that is no tier is refused, with the tiers that there are."""
    asked = ["grade", "r", str(tmp_path), "--require", "docker"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 2
    assert "bubblewrap" in done.output


RUN = """
import json, sys, tempfile
from pathlib import Path
from lab_env.sandbox import Isolation, Limits, SandboxError, run_program
tier, source, marker, wall = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder:
    try:
        run = run_program(
            [sys.executable, "-c", source, marker], files={}, out=Path(folder, "out"),
            collect=("a.txt",), isolation=Isolation(tier, "under test"),
            limits=Limits(wall_seconds=float(wall), processes=60, work_mb=60),
        )
        said = [run.ended, list(run.collected), run.log]
    except SandboxError as error:
        said = [str(error)]
print(json.dumps(said))
"""
# Daemons of the stubborn kind: own sessions, double forks, signals ignored.
STUBBORN = """
import os, signal, time
for number in (1, 2, 3, 13, 15):
    signal.signal(number, signal.SIG_IGN)
for _ in range(3):
    if not os.fork():
        os.setsid()
        os.fork()
        time.sleep(120)
open("a.txt", "w").close()
"""
BOMB = """
import os, time
open("a.txt", "w").close()
while True:
    try:
        os.fork()
    except OSError:
        time.sleep(0.001)
"""


@pytest.fixture(params=["own uid", "shared uid"])
def ordinary(request: pytest.FixtureRequest) -> bool:
    """Whether the grader is an ordinary user, in tier "landlock"."""
    if reason := why_not(request.param):
        pytest.skip(reason)
    return WAYS[request.param][1]


@pytest.fixture
def marker() -> Iterator[str]:
    """A word in the command line of every process of one run."""
    word = f"lab-marker-{uuid.uuid4().hex}"
    yield word
    for pid in having(word):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def rooms() -> Iterator[Path]:
    """Where the folders of runs are made: nobody else makes any there."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        yield Path(folder)


def having(word: str) -> list[int]:
    """Return the processes with ``word`` in their command line."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            if word.encode() in Path("/proc", name, "cmdline").read_bytes():
                found.append(int(name))
    return found


def wait_for(number: range, marker: str) -> bool:
    """Wait until the run of ``marker`` has that many processes."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if len(having(marker)) in number:
            return True
        time.sleep(0.1)
    return False


def start(
    source: str, marker: str, wall: int, ordinary: bool, **env: str
) -> subprocess.Popen[str]:
    """Start a run without a jail in a process of its own."""
    return subprocess.Popen(
        [*command(ordinary), "-c", RUN, "landlock", source, marker, str(wall)],
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent), **env},
    )


@pytest.mark.parametrize(
    ("source", "wall", "ended"),
    [
        (STUBBORN + "time.sleep(1)", 20, "finished"),
        (STUBBORN + "time.sleep(120)", 2, "wall time"),
        (STUBBORN + "os.kill(os.getpid(), 9)", 20, "killed"),
        (BOMB, 2, "wall time"),
    ],
    ids=["own end", "wall limit", "suicide", "fork bomb"],
)
def test_nothing_is_left_alive_without_a_jail(
    source: str, wall: int, ended: str, ordinary: bool, marker: str
) -> None:
    """Daemons come back to the supervisor, and files come out when all are dead."""
    said = drive(RUN, "landlock", source, marker, str(wall), ordinary=ordinary)
    assert said[:2] == [ended, ["a.txt"]]
    assert having(marker) == []


def test_nothing_is_left_when_the_grading_process_is_killed(
    ordinary: bool, marker: str, rooms: Path
) -> None:
    """The supervisor hears of it from the kernel, and removes the folder too."""
    source = STUBBORN + "time.sleep(120)"
    run = start(source, marker, 60, ordinary, TMPDIR=str(rooms))
    try:
        assert wait_for(range(9, 99), marker)
    finally:
        run.kill()
        run.communicate()
    assert wait_for(range(1), marker)
    until = time.monotonic() + 5
    while (left := sorted(rooms.glob("lab-*"))) and time.monotonic() < until:
        time.sleep(0.05)
    assert left == []


def test_a_supervisor_that_was_killed_is_no_mark(marker: str, ordinary: bool) -> None:
    """Then nobody knows what is left, so a person must look: it is our fault."""
    run = start("import time; time.sleep(60)", marker, 60, ordinary)
    until = time.monotonic() + 20
    try:
        while not (found := supervisors(marker)) and time.monotonic() < until:
            time.sleep(0.1)
        os.kill(found[0], signal.SIGKILL)
        said = json.loads(run.communicate(timeout=30)[0])
    finally:
        run.kill()
        run.communicate()
    assert said == [f"The jail of process {found[0]} could not be ended."]
    assert wait_for(range(1), marker)


def supervisors(marker: str) -> list[int]:
    """Return the supervisors of a run whose program has begun."""
    launched = {pid for pid in having(marker) if pid in having("launch.py")}
    found = []
    for pid in launched:
        with suppress(OSError):
            below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            if {*map(int, below)} & {*having(marker)} - launched:
                found.append(pid)
    return found


def test_runs_that_share_a_user_take_turns(ordinary: bool, marker: str) -> None:
    """Else one could fill, slow and count as the other; with own uids they need not."""
    runs = [start("import time; time.sleep(3)", marker, 60, ordinary) for _ in "ab"]
    seen = 0
    while any(run.poll() is None for run in runs):
        seen = max(seen, len(supervisors(marker)))
        time.sleep(0.1)
    for run in runs:
        assert json.loads(run.communicate()[0])[0] == "finished"
    assert seen == (1 if ordinary else 2)


# Each writes more than a run may have, in files that are each small enough.
FULL = {
    "big": "for n in range(9): open(f'{n}', 'wb').write(bytes(50 * MB))",
    "deep": "for _ in range(2000): os.mkdir('d'); os.chdir('d')",
    "without a name": """
held = [open(f'{n}', 'wb', 0) for n in range(9)]
for n, stream in enumerate(held):
    os.remove(f'{n}')
    stream.write(bytes(50 * MB))
""",
    "shared memory": """
place = '/dev/shm/' + sys.argv[1]
os.mkdir(place)
for n in range(9): open(f'{place}/{n}', 'wb').write(bytes(50 * MB))
""",
    "many": "for n in range(30_000): os.close(os.open(f'{n}', os.O_CREAT))",
    "shut": "os.mkdir('shut'); os.chmod('shut', 0); time.sleep(2)",
}


@pytest.mark.parametrize("how", FULL)
def test_disk_is_watched_without_a_jail(
    how: str, ordinary: bool, marker: str, rooms: Path
) -> None:
    """However it is hidden; and the folder goes, however deep."""
    source = f"import os, sys, time; MB = 2 ** 20\n{FULL[how]}\ntime.sleep(2)"
    env = {"TMPDIR": str(rooms)}
    said = drive(RUN, "landlock", source, marker, "20", ordinary=ordinary, **env)
    left = Path("/dev/shm", marker)
    # Nobody can tell whose shared memory it is if the grader has the same uid.
    assert left.exists() == (ordinary and how == "shared memory")
    shutil.rmtree(left, ignore_errors=True)
    # Only root can look into a folder that its owner has shut.
    blind = how == "shut" and os.geteuid() == 0 and not ordinary
    assert said[0] == ("finished" if blind else "disk"), said
    assert list(rooms.iterdir()) == []
