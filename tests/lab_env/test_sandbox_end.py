"""Room A: nothing is left alive, whoever ends the run and whoever started it."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest

import lab_env
from lab_env.sandbox import detect_isolation

PACKAGE = Path(lab_env.__file__).parent
ORDINARY_UID = "54321"
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
{last}
"""
RUN = """
import sys
from pathlib import Path
from lab_env.sandbox import Limits, detect_isolation, run_program
found = detect_isolation()
assert found.tier == "bubblewrap", found.sentence
run = run_program(
    [sys.executable, "-c", sys.argv[1], sys.argv[2]], files={}, out=Path(sys.argv[3]),
    collect=("a.txt",), limits=Limits(wall_seconds=float(sys.argv[4])), isolation=found,
)
print(run.ended, run.collected, flush=True)
print(run.log, file=sys.stderr)
"""
# The interpreter may live in a home that another user cannot enter: show only it.
AS_USER = """
exec 9<"$0"
mount -t tmpfs -o mode=755 none "/$(echo "$0" | cut -d/ -f2)" &&
mkdir -p "$0" && mount -c --bind /proc/self/fd/9 "$0" && exec 9<&- &&
exec setpriv --reuid={uid} --regid={uid} --clear-groups --inh-caps=-all \
    --bounding-set=-all -- "$@"
"""


@pytest.fixture(params=["as started", "ordinary user"])
def prefix(request: pytest.FixtureRequest) -> list[str]:
    """What to put before a command to run it as this user, or as an ordinary one."""
    if detect_isolation().tier != "bubblewrap":
        pytest.skip(detect_isolation().sentence)
    if request.param == "as started":
        return []
    if os.geteuid() != 0:
        pytest.skip("already an ordinary user: the other case has tested this one")
    if sys.base_prefix.startswith("/usr"):
        return [
            "setpriv",
            f"--reuid={ORDINARY_UID}",
            f"--regid={ORDINARY_UID}",
            "--clear-groups",
            "--inh-caps=-all",
            "--bounding-set=-all",
            "--",
        ]
    script = AS_USER.format(uid=ORDINARY_UID)
    return ["unshare", "-m", "sh", "-c", script, sys.base_prefix]


@pytest.fixture
def marker() -> Iterator[str]:
    """A word in the command line of every process of one run."""
    word = f"lab-marker-{uuid.uuid4().hex}"
    yield word
    for pid in having(word):
        os.kill(pid, signal.SIGKILL)


def having(word: str) -> list[int]:
    """Return the processes with ``word`` in their command line."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if word.encode() in Path("/proc", name, "cmdline").read_bytes():
                found.append(int(name))
        except OSError:
            continue
    return found


def start(
    prefix: list[str], last: str, marker: str, out: Path, wall: float
) -> subprocess.Popen[str]:
    """Start a run of the stubborn program in a process of its own."""
    out.mkdir(mode=0o777)
    out.chmod(0o777)
    for parent in out.parents:
        if parent.stat().st_uid == os.geteuid() and str(parent).startswith("/tmp/"):
            parent.chmod(0o755)
    command = [sys.executable, "-B", "-c", RUN, STUBBORN.format(last=last), marker]
    return subprocess.Popen(
        [*prefix, *command, str(out), str(wall)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
    )


def wait_for(wanted: bool, marker: str) -> bool:
    """Wait until the run of ``marker`` has daemons, or has nothing any more."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        found = having(marker)
        if (len(found) >= 9) if wanted else not found:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ("time.sleep(120)", "wall time ('a.txt',)\n"),
        ("time.sleep(1)", "finished ('a.txt',)\n"),
        ("time.sleep(1); os.kill(os.getpid(), 9)", "killed ('a.txt',)\n"),
    ],
    ids=["wall limit", "own end", "suicide"],
)
def test_no_process_is_left_after_a_run(
    prefix: list[str], last: str, said: str, marker: str, tmp_path: Path
) -> None:
    """Daemons do not outlive the run, and files come out when all are dead."""
    last = f"open('a.txt', 'w').close(); {last}"
    run = start(prefix, last, marker, tmp_path / "out", wall=3)
    assert run.communicate(timeout=30)[0] == said
    assert having(marker) == []


def test_no_process_is_left_when_the_grading_process_is_killed(
    prefix: list[str], marker: str, tmp_path: Path
) -> None:
    """SIGKILL leaves no time to clean up: the kernel must do it."""
    run = start(prefix, "time.sleep(120)", marker, tmp_path / "out", wall=60)
    try:
        assert wait_for(True, marker)
    finally:
        run.kill()
        run.communicate()
    assert wait_for(False, marker)


def test_a_checkout_may_lie_anywhere(tmp_path: Path) -> None:
    """Blanks and Chinese letters in the path of code and environment are fine."""
    if detect_isolation().tier != "bubblewrap":
        pytest.skip(detect_isolation().sentence)
    home = tmp_path / "我的 课程 (1)"
    copytree(PACKAGE, home / "lab_env")
    # What a wheel carries inside the package must not be seen either.
    (home / "lab_env" / "content" / "graders").mkdir(parents=True)
    (home / "graders").mkdir()
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", home / ".venv"], check=True
    )
    source = (
        "import lab_env, os; package = lab_env.__path__[0]; "
        "assert os.listdir(package + '/content') == []; "
        "assert sorted(os.listdir(package + '/..')) == ['.venv', 'lab_env']; "
        "open('a.txt', 'w').close()"
    )
    done = subprocess.run(
        [home / ".venv/bin/python", "-c", RUN, source, "x", home / "出 out", "30"],
        # Python looks in the current folder first, which may be this checkout.
        cwd=tmp_path,
        env={"PYTHONPATH": str(home), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "finished ('a.txt',)\n", done.stderr
