"""What every engine keeps, on this machine and on a Dask cluster; all is real."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from clusters import Cluster, children, cluster, is_alive, until
from graded_toy import seal_toy

from lab_env.engine import Device, Ended, Engine, Local, Task, open_cluster, run_twice
from lab_env.engine.dask import Dask
from lab_env.errors import LabError
from lab_env.files import write_json
from lab_env.release import Release

pytestmark = pytest.mark.xdist_group("engine")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Yield a cluster with two places for jobs, one of them with a GPU."""
    folder = tmp_path_factory.mktemp("shared") / "cluster"
    with cluster(folder, CUDA_VISIBLE_DEVICES="0") as made:
        made.worker("--slots", "2", "--gpus", "1")
        yield made


@dataclass
class Bench:
    """A release, tasks that do as planned, and the engine to be tested."""

    folder: Path
    release: Release
    kind: str
    address: str = ""
    said: list[str] = field(default_factory=list)
    clusters: ExitStack = field(default_factory=ExitStack)

    @property
    def log(self) -> Path:
        """The log that all jobs write to."""
        return self.folder / "log"

    def engine(
        self, device: Device = "cpu", workers: int = 2, timeout: float = 60
    ) -> Engine:
        """Return the engine, with stand-in jobs."""
        say = self.said.append
        if self.kind == "dask":
            return Dask(self.address, timeout, 10, device, say, True, "stand_in")
        gpus = ("0",) if device == "gpu" else ()
        return Local(stand_in, workers, timeout, device, gpus, say)

    def task(self, name: str, **plan: Any) -> Task:
        """Return a job that does as planned."""
        handed_in = self.folder / "in" / name
        write_json(handed_in / "plan.json", plan | {"name": name, "log": str(self.log)})
        facts = {
            "release": str(self.release.folder),
            "handed_in": str(handed_in),
            "result": str(self.result(name)),
            "candidate": name,
            "attempt": 1,
            "isolation": {"tier": "bubblewrap"},
            "threads": 1,
        }
        file = self.folder / "jobs" / f"{name}.json"
        write_json(file, facts)
        return Task(f"{self.folder}:{name}", file, (plan.get("seconds", 0),))

    def run(self, *tasks: Task, engine: Engine | None = None) -> dict[str, Ended]:
        """Run the tasks, with one more try, and return how each ended."""
        ended = run_twice(engine or self.engine(), tasks)
        return {each.task.key.rpartition(":")[2]: each for each in ended}

    def result(self, name: str) -> Path:
        """Return the result folder of a job."""
        return self.folder / "results" / name / "r"

    def sheet(self, name: str) -> dict[str, Any]:
        """Return what a job left."""
        text = (self.result(name) / "sheet.json").read_text("utf-8")
        value: dict[str, Any] = json.loads(text)
        return value

    def lines(self, what: str, name: str = "") -> list[list[str]]:
        """Return the lines of the log of one kind: name, process, parent, what."""
        text = self.log.read_text("utf-8") if self.log.is_file() else ""
        lines = [line.split() for line in text.splitlines()]
        return [line for line in lines if line[3] == what and name in ("", line[0])]

    def cluster(self, *options: str) -> Cluster:
        """Start a cluster of its own, with one worker if there are options."""
        made = self.clusters.enter_context(cluster(self.folder / "cluster"))
        if options:
            made.worker(*options)
        self.address = made.address
        return made


def stand_in(file: Path) -> list[str]:
    """Return the command of a stand-in job."""
    return [sys.executable, "-m", "stand_in", str(file)]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Yield a bench without a cluster."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    made = Bench(tmp_path, seal_toy(tmp_path / "course"), "dask")
    with made.clusters:
        yield made


@pytest.fixture(params=["local", "dask"])
def both(request: pytest.FixtureRequest, bench: Bench) -> Bench:
    """Return the bench of each engine in turn."""
    bench.kind = request.param
    if bench.kind == "dask":
        bench.address = request.getfixturevalue("shared").address
    return bench


def test_each_job_tells_its_own_end(both: Bench) -> None:
    """A result for the one that is right, and what the other said."""
    ended = both.run(both.task("right", says="好"), both.task("wrong", exit="no luck"))

    assert ended["right"].code == 0
    assert both.sheet("right")["candidate"] == "right"
    said = both.result("right") / "deliverables" / "said.txt"
    assert said.read_text("utf-8") == "好"
    assert (
        ended["wrong"].said
        == "try 1, exit code 1\nno luck\ntry 2, exit code 1\nno luck\n"
    )
    assert not both.result("wrong").exists()


def test_a_job_that_never_ends_is_killed(both: Bench) -> None:
    """Past its time a job is killed, and its process is gone."""
    [ended] = both.engine(timeout=1).run([both.task("slow", seconds=60)])

    assert ended.code == -9
    assert not is_alive(int(both.lines("start")[0][1]))


def test_memory_is_the_jobs_own_limit(both: Bench) -> None:
    """A job that meets its limit fails; its neighbour and the engine go on."""
    greedy = both.task("greedy", memory_mb=500)
    ended = both.run(greedy, both.task("neighbour", seconds=0.5))

    assert "MemoryError" in ended["greedy"].said
    assert ended["neighbour"].code == 0


def test_a_killed_job_is_tried_once_more(both: Bench, tmp_path: Path) -> None:
    """SIGKILL once costs nothing; SIGKILL twice is told."""
    once = both.task("once", kill="job", once=str(tmp_path / "flag"))
    ended = both.run(once, both.task("ever", kill="job"))

    assert ended["once"].code == 0
    assert ended["ever"].said.count("exit code -9") == 2


def test_the_same_job_again_changes_nothing(both: Bench) -> None:
    """The first complete result stays, and both runs tell success."""
    assert both.run(both.task("one", says="first"))["one"].code == 0
    assert both.run(both.task("one", says="second"))["one"].code == 0

    said = both.result("one") / "deliverables" / "said.txt"
    assert said.read_text("utf-8") == "first"
    assert [each.name for each in both.result("one").parent.iterdir()] == ["r"]


def test_the_longest_is_started_first(both: Bench) -> None:
    """With one place the order is that of the cost, and not that of the names."""
    tasks = [both.task(name, seconds=0.1 * int(name)) for name in "132"]

    both.run(*tasks, engine=both.engine("gpu"))

    assert [line[0] for line in both.lines("start")] == ["3", "2", "1"]


def test_one_job_at_a_time_on_a_gpu(both: Bench) -> None:
    """Two jobs for one GPU never run at once, and each sees that GPU alone."""
    tasks = [both.task(name, seconds=0.3) for name in ("a", "b")]

    ended = both.run(*tasks, engine=both.engine("gpu"))

    assert {each.code for each in ended.values()} == {0}
    order = both.log.read_text("utf-8").split("\n")[:4]
    assert [line.split()[3] for line in order] == ["start", "end", "start", "end"]
    assert [both.sheet(name)["gpu"] for name in ("a", "b")] == ["0", "0"]


def test_closing_the_engine_ends_its_jobs(both: Bench) -> None:
    """Whoever stops reading leaves no job behind, on a worker node neither."""
    batch = both.engine().run([both.task("quick"), both.task("slow", seconds=60)])
    next(batch)
    assert until(lambda: bool(both.lines("start", "slow")))

    batch.close()  # type: ignore[attr-defined]

    pid = int(both.lines("start", "slow")[0][1])
    assert until(lambda: not is_alive(pid), 20)


def test_without_a_gpu_this_machine_grades_on_its_processor(bench: Bench) -> None:
    """Nothing that is waited for could come here, so it is said and done."""
    engine = Local(stand_in, 1, 60, "gpu", (), bench.said.append)

    assert bench.run(bench.task("one"), engine=engine)["one"].code == 0
    assert bench.said == [
        "This machine has no GPU: graded on its processor, more slowly."
    ]


def test_a_cluster_without_a_gpu_is_waited_for(bench: Bench) -> None:
    """The job waits and this is said; when a worker with a GPU comes, it is done."""
    made = bench.cluster("--slots", "1")

    def say(sentence: str) -> None:
        bench.said.append(sentence)
        if sentence.startswith("Waiting"):
            made.worker("--slots", "1", "--gpus", "1")

    engine = Dask(bench.address, 60, 10, "gpu", say, True, "stand_in")
    batch = engine.run([bench.task("one")])

    assert [ended.code for ended in batch] == [0]
    assert bench.said[0] == (
        f"Waiting: no worker at {bench.address} offers a gpu; "
        f"start one with: lab worker {bench.address}"
    )


def test_a_killed_worker_costs_nothing(bench: Bench, tmp_path: Path) -> None:
    """SIGKILL of a worker: its job dies with it, is done elsewhere, and is right."""
    bench.cluster("--slots", "2")
    first = bench.task("first", kill="parent", once=str(tmp_path / "flag"))

    ended = bench.run(first, bench.task("other", seconds=0.5))

    assert {name: each.code for name, each in ended.items()} == {"first": 0, "other": 0}
    assert bench.sheet("first")["candidate"] == "first"
    assert len(bench.lines("start", "first")) == 2
    pids = [int(line[1]) for line in bench.lines("start")]
    assert until(lambda: not any(map(is_alive, pids)), 10)
    sent = [sentence for sentence in bench.said if sentence.startswith("Sending")]
    assert sent == [f"Sending {bench.release.id} to {node_of(bench)}."]


def node_of(bench: Bench) -> str:
    """Return how the sentence names this machine."""
    return f"{os.uname().nodename}:{bench.folder / 'cluster' / 'cache'}"


def test_a_job_that_kills_every_worker_harms_no_other(bench: Bench) -> None:
    """It is given up after its tries, and every other job has its result."""
    bench.cluster("--slots", "2")
    others = [bench.task(f"good-{number}", seconds=0.2) for number in range(5)]

    ended = bench.run(bench.task("killer", kill="parent", seconds=0.3), *others)

    assert ended.pop("killer").said.count("Every worker that took this job") == 2
    assert {each.code for each in ended.values()} == {0}


def test_a_dead_scheduler_is_said_and_what_was_done_stays(bench: Bench) -> None:
    """One sentence; with a new scheduler the rest is done."""
    made = bench.cluster("--slots", "2")
    tasks = [bench.task("quick"), bench.task("slow", seconds=30)]
    batch = bench.engine().run(tasks)
    assert next(batch).task == tasks[0]

    made.scheduler.send_signal(signal.SIGKILL)

    with pytest.raises(LabError, match=rf"The engine {made.address} is gone") as caught:
        list(batch)
    assert "what was graded is kept" in str(caught.value)
    assert (bench.result("quick") / "sheet.json").is_file()
    pid = int(bench.lines("start", "slow")[0][1])
    assert until(lambda: not is_alive(pid), 20)


def test_a_worker_that_is_ended_leaves_nothing(bench: Bench) -> None:
    """SIGKILL of lab worker: Dask's processes and the job go with it."""
    made = bench.cluster("--slots", "2")
    batch = bench.engine().run([bench.task("quick"), bench.task("slow", seconds=60)])
    next(batch)
    assert until(lambda: bool(bench.lines("start", "slow")))
    door, family = made.processes[1], children(made.processes[1].pid)
    family += [each for pid in family for each in children(pid)]

    door.kill()
    door.wait()

    family.append(int(bench.lines("start", "slow")[0][1]))
    assert len(family) >= 3
    assert until(lambda: not any(map(is_alive, family)), 20)
    batch.close()  # type: ignore[attr-defined]


def test_a_node_with_another_program_is_told(bench: Bench, tmp_path: Path) -> None:
    """Two versions of the grader never mark one pile."""
    bench.cluster("--slots", "1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lab_env.engine.dask.code_hash", lambda: "another")
        [ended] = bench.engine().run([bench.task("one")])

    assert ended.code == 3
    assert "Another version of lab than the examiner's; install that." in ended.said


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("10.0.0.5", 'The engine "10.0.0.5" should be the address of a Dask scheduler'),
        ("tcp://127.0.0.1", "such as tcp://10.0.0.5:8786"),
        ("tcp://127.0.0.1:9", "No Dask scheduler answers at tcp://127.0.0.1:9"),
    ],
)
def test_an_address_that_is_none_is_said(
    bench: Bench, address: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong address and an empty one each have their sentence."""
    monkeypatch.setattr("lab_env.engine.dask.CONNECT_SECONDS", 1)
    with pytest.raises(LabError, match=said):
        list(
            open_cluster(
                address,
                device="cpu",
                timeout_seconds=1,
                result_mb=1,
                cold=True,
                say=bench.said.append,
            ).run([])
        )
