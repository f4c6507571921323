"""Warm jobs: the same sheets, and nothing is left alive whoever is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from graded_toy import gold, hand_in, seal_toy

from lab_env import knock, warm
from lab_env.release import Release
from lab_env.sandbox import Isolation, detect_isolation
from lab_env.sandbox.usage import tree

HANG = "import time\ntime.sleep(100)"
COORDINATOR = """
import json, sys, time
from lab_env import warm
from lab_env.sandbox import Isolation
with warm.commands(Isolation(**json.loads(sys.argv[1]))) as commands:
    print(commands.start, commands.server, flush=True)
    time.sleep(100)
"""


@pytest.fixture(scope="module")
def shut_in() -> Isolation:
    """The isolation of this machine; without bubblewrap nothing starts warm."""
    found = detect_isolation()
    if found.tier != "bubblewrap":
        pytest.skip(found.sentence)
    return found


@dataclass
class Desk:
    """A sealed release, and jobs for it."""

    folder: Path
    release: Release
    isolation: Isolation

    def job(self, name: str, **answers: str) -> Path:
        """Write a job for a hand-in with these answers."""
        handed_in = hand_in(self.folder / "in", name, **(gold() | answers))
        file = self.folder / f"{name}.json"
        facts = {
            "release": str(self.release.folder),
            "handed_in": str(handed_in),
            "result": str(self.folder / "results" / name),
            "candidate": name,
            "attempt": 1,
            "isolation": asdict(self.isolation),
            "threads": 1,
        }
        file.write_text(json.dumps(facts), "utf-8")
        return file

    def sheet(self, name: str) -> dict[str, object]:
        """Return the sheet of a job."""
        path = self.folder / "results" / name / "sheet.json"
        found: dict[str, object] = json.loads(path.read_text("utf-8"))
        return found


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, shut_in: Isolation) -> Desk:
    """One desk for all tests here."""
    folder = tmp_path_factory.mktemp("desk")
    return Desk(folder, seal_toy(folder / "course"), shut_in)


@pytest.fixture(scope="module")
def commands(desk: Desk) -> Iterator[warm.Commands]:
    """A server for the tests that leave it alive."""
    with warm.commands(desk.isolation) as found:
        assert (found.start, found.why) == ("warm", "")
        yield found


def start(command: list[str]) -> subprocess.Popen[str]:
    """Start the command of a job."""
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Return the exit code and what was said."""
    said = process.communicate(timeout=90)[1]
    return process.returncode, said


def words(pid: int) -> str:
    """Return the command line of a process."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def living(pids: list[int]) -> list[int]:
    """Return those that are alive and no zombies."""
    found = []
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z":
            found.append(pid)
    return found


def soon(holds: Callable[[], bool]) -> bool:
    """Tell whether something holds within 20 seconds."""
    until = time.monotonic() + 20
    while not holds() and time.monotonic() < until:
        time.sleep(0.05)
    return holds()


def server_of(coordinator: int) -> int:
    """Return the room B server that a process has started."""
    return next(pid for pid in tree(coordinator) if "lab_env.room_b" in words(pid))


def below(pid: int, word: str, least: int) -> list[int]:
    """Return the processes below one, once at least so many have ``word``."""

    def found() -> list[int]:
        return [each for each in list(tree(pid))[1:] if word in words(each)]

    assert soon(lambda: len(found()) >= least)
    return found()


def hanging(server: int) -> list[int]:
    """Return the processes of a run that hangs: first, program and kernel."""
    # Beside them bubblewrap's two and the zygote have the word.
    found = below(server, "inside.zygote", 6)
    time.sleep(0.3)
    return found[-3:]


def test_sheets_are_the_same_warm_and_cold(desk: Desk, commands: warm.Commands) -> None:
    """Rows and deliverables agree; the sheet says how the run was started."""
    cold = warm.Commands("cold")
    for name, how in (("warm", commands), ("cold", cold)):
        assert ended(start(how.command(desk.job(name)))) == (0, "")
    sheets = [desk.sheet(name) for name in ("warm", "cold")]
    starts = [sheet["environment"]["start"] for sheet in sheets]  # type: ignore[index]
    assert starts == ["warm", "cold"]
    assert sheets[0]["rows"] == sheets[1]["rows"]
    files = [
        {path.name: path.read_bytes() for path in (folder / "deliverables").iterdir()}
        for folder in (desk.folder / "results" / name for name in ("warm", "cold"))
    ]
    assert files[0] == files[1]
    assert set(files[0]) == {"counts.json", "predictions.csv"}


def test_a_job_that_fails_says_so_to_its_client(
    desk: Desk, commands: warm.Commands
) -> None:
    """The exit code and the sentence are those of the job run cold."""
    job = desk.job("absent")
    (desk.folder / "in" / "absent" / "toy_lab.ipynb").unlink()
    code, said = ended(start(commands.command(job)))
    assert code == 3
    assert said == (
        "absent has no toy_lab.ipynb that can be read; hand in the notebook.\n"
    )


def test_a_killed_client_takes_its_job_with_it(
    desk: Desk, commands: warm.Commands
) -> None:
    """The run in the warm room ends too, and the next job is as good as ever."""
    server = server_of(os.getpid())
    client = start(commands.command(desk.job("client", count=HANG)))
    run = hanging(server)
    client.kill()
    client.communicate()
    assert soon(lambda: not living(run))
    assert not (desk.folder / "results" / "client").exists()
    assert ended(start(commands.command(desk.job("after")))) == (0, "")


def test_a_killed_job_is_no_result(desk: Desk, commands: warm.Commands) -> None:
    """Its run ends, and its client ends with a code that no job returns."""
    server = server_of(os.getpid())
    client = start(commands.command(desk.job("job", count=HANG)))
    run = hanging(server)
    job = next(pid for pid in below(server, "lab_env.room_b", 1) if pid != server)
    os.kill(job, signal.SIGKILL)
    assert ended(client) == (256 - signal.SIGKILL, "")
    assert soon(lambda: not living(run))
    assert not (desk.folder / "results" / "job").exists()


def test_a_killed_zygote_breaks_its_runs_and_is_replaced(
    desk: Desk, commands: warm.Commands
) -> None:
    """The job fails as ours to try again; tried again, it is warm."""
    server = server_of(os.getpid())
    client = start(commands.command(desk.job("zygote", count=HANG)))
    run = hanging(server)
    zygote = max(
        below(server, "inside.zygote", 6)[:-3],
        key=lambda pid: int(Path(f"/proc/{pid}/statm").read_text().split()[1]),
    )
    os.kill(zygote, signal.SIGKILL)
    code, said = ended(client)
    assert (code, said) == (3, "The warm room ended in the middle of a run.\n")
    assert soon(lambda: not living(run))
    assert not (desk.folder / "results" / "zygote").exists()
    assert ended(start(commands.command(desk.job("again")))) == (0, "")
    environment = desk.sheet("again")["environment"]
    assert environment["start"] == "warm"  # type: ignore[index]


def test_a_killed_server_leaves_nothing_alive(
    desk: Desk, commands: warm.Commands
) -> None:
    """Jobs, runs and the room go with it; the client says what happened."""
    server = server_of(os.getpid())
    client = start(commands.command(desk.job("server", count=HANG)))
    hanging(server)
    everything = list(tree(server))
    assert len(everything) > 6
    os.kill(server, signal.SIGKILL)
    assert ended(client) == (
        3,
        "The grading server is gone: it ended before the job did.\n",
    )
    assert soon(lambda: not living(everything))
    assert ended(start(commands.command(desk.job("late")))) == (
        3,
        "The grading server is gone: Connection refused.\n",
    )


def test_a_killed_coordinator_leaves_nothing_alive(desk: Desk) -> None:
    """The server, its room and a run end with the program that started them."""
    coordinator = subprocess.Popen(
        [sys.executable, "-c", COORDINATOR, json.dumps(asdict(desk.isolation))],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert coordinator.stdout is not None
    how, _, address = coordinator.stdout.readline().strip().partition(" ")
    assert how == "warm"
    everything = list(tree(coordinator.pid))
    job = desk.job("coordinator", count=HANG)
    client = start(warm.Commands("warm", server=Path(address)).command(job))
    everything += hanging(server_of(coordinator.pid))
    coordinator.kill()
    coordinator.communicate()
    assert ended(client)[0] == 3
    assert soon(lambda: not living(everything))


def test_cold_says_why_when_warm_was_wanted() -> None:
    """Weaker isolation and more threads run cold, and so does who asks for it."""
    weak = Isolation("landlock", "no namespaces")
    strong = Isolation("bubblewrap", "all of it")
    said = []
    for isolation, cold, threads in (
        (weak, False, 1),
        (strong, False, 2),
        (strong, True, 1),
    ):
        with warm.commands(isolation, cold=cold, threads=threads) as found:
            said.append((found.start, found.why))
            assert found.command(Path("j.json"))[1:] == [
                "-m",
                "lab_env.grade",
                "j.json",
            ]
    assert said == [
        ("cold", 'A warm start needs bubblewrap; the isolation here is "landlock".'),
        ("cold", "A warm start has one thread for each run; 2 were asked for."),
        ("cold", ""),
    ]


def test_a_room_that_does_not_come_up_is_cold_with_the_reason(
    shut_in: Isolation,
) -> None:
    """What bubblewrap said is in the sentence, and no process stays."""
    broken = Isolation("bubblewrap", "broken", options=("--no-such-option",))
    before = set(tree(os.getpid()))
    with warm.commands(broken) as found:
        assert found.start == "cold"
        assert found.why.startswith("No warm start: The warm room did not start: bwrap")
        assert "no-such-option" in found.why
        since = set(tree(os.getpid())) - before
        assert not [pid for pid in since if "lab_env.room_b" in words(pid)]


def test_a_server_that_is_not_there_is_our_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The client ends with the code for a fault of ours and one sentence."""
    assert knock.main(str(tmp_path / "nobody"), "job.json") == 3
    assert capsys.readouterr().err == (
        "The grading server is gone: No such file or directory.\n"
    )
