"""The same jobs on the worker nodes of a Dask cluster. The only module with Dask.

Dask finds a free worker and notices one that died. The list of what is to do is ours:
no more jobs are handed over than there are free places, so that a job that kills its
worker takes few others with it, and a cluster that ends loses nothing.

Covered: a worker or the scheduler killed at any moment, a job that always kills its
worker, workers that come and go, nodes with another version of this program.
Not covered: an attacker inside the cluster. Dask runs what it is sent; keep it among
examiners, with TLS (tls://, set up in Dask's own configuration).
"""

import json
import logging
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import distributed as _distributed
from distributed.scheduler import KilledWorker

from lab_env.durable import make_folder, settle
from lab_env.engine import node
from lab_env.engine.task import Device, Ended, Say, Task, longest_first
from lab_env.engine.wire import Answer, Spec, check_result, code_hash, pack, unpack
from lab_env.errors import BrokenError, LabError
from lab_env.release import open_release

CONNECT_SECONDS = 30
LOOK_SECONDS = 1
# A worker that raises has a fault of its own, such as a full disk.
RETRIES = 1
SENDINGS = 3
KILLED = -9
# Dask is not annotated.
distributed: Any = _distributed
_HERE = ("release", "handed_in", "result")


@dataclass
class Dask:
    """The engine of a cluster, named by the address of its scheduler."""

    address: str
    timeout_seconds: float
    result_mb: int
    device: Device = "cpu"
    say: Say = lambda sentence: None
    cold: bool = False
    program: str = node.GRADE
    runs: int = 0
    # Jobs under which workers died: these run alone, so that they harm no other.
    suspects: set[str] = field(default_factory=set)

    def run(self, tasks: Sequence[Task]) -> Iterator[Ended]:
        """Yield each task as it ends; LabError if the cluster is gone."""
        self.runs += 1
        ordered = longest_first(tasks)
        alone = [task for task in ordered if task.key in self.suspects]
        together = [task for task in ordered if task.key not in self.suspects]
        with self._client() as client:
            yield from _Batch(self, client, deque(together)).work()
            yield from _Batch(self, client, deque(alone), most=1).work()

    @contextmanager
    def _client(self) -> Iterator[Any]:
        # It prints a traceback where we say one sentence.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        try:
            client = distributed.Client(
                self.address, timeout=CONNECT_SECONDS, set_as_default=False
            )
        except (OSError, ValueError) as error:
            seen = str(error).partition("\n")[0][:120]
            raise LabError(
                f"No Dask scheduler answers at {self.address} ({seen}); "
                "start one with: dask scheduler"
            ) from None
        except TypeError:
            raise LabError(
                f"{self.address} needs certificates, and Dask's configuration names "
                "none; set distributed.comm.tls, as the README shows."
            ) from None
        try:
            yield client
        finally:
            client.close(timeout=LOOK_SECONDS)


@dataclass
class _Batch:
    """Some tasks on their way; ``most`` limits how many run at once."""

    engine: Dask
    client: Any
    waiting: deque[Task]
    most: int | None = None
    running: dict[Any, Task] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    told: bool = False

    def work(self) -> Iterator[Ended]:
        """Yield each task as it ends."""
        while self.waiting or self.running:
            self._hand_over()
            for future in self._done():
                task = self.running.pop(future)
                answer = self._answer(future, task)
                future.release()
                if isinstance(answer, Ended):
                    yield answer
                elif answer.kind == "ended":
                    yield self._take(answer, task)
                elif answer.kind == "called off" or self._send(answer, task):
                    self.waiting.appendleft(task)
                else:
                    said = f"{answer.node} was sent the release {SENDINGS} times."
                    yield Ended(task, BrokenError.exit_code, said)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Turn whatever Dask raises at a scheduler that is not there into a sentence.

        Only around calls of Dask: a full disk here is an OSError too.
        """
        try:
            yield
        except (CancelledError, OSError) as error:
            raise LabError(
                f"The engine {self.engine.address} is gone ({type(error).__name__}); "
                "what was graded is kept. Start the engine, then the same command "
                "again: it goes on from there."
            ) from None

    def _hand_over(self) -> None:
        places = self._places()
        while self.waiting and len(self.running) < places:
            task = self.waiting.popleft()
            spec = self._spec(task)
            with self._reaching():
                self.running[self._submit(task, spec)] = task

    def _places(self) -> int:
        """Return how many jobs fit at once, and say so when there is no place."""
        with self._reaching():
            # A client that reconnects has lost its jobs, and knows of no worker.
            if self.client.status != "running":
                raise CancelledError
            workers = self.client.scheduler_info()["workers"].values()
        device = self.engine.device
        found = sum(int(each["resources"].get(device, 0)) for each in workers)
        if found == 0 and not self.told:
            self.engine.say(
                f"Waiting: no worker at {self.engine.address} offers a {device}; "
                f"start one with: lab worker {self.engine.address}"
            )
        self.told = found == 0
        return found if self.most is None else min(found, self.most)

    def _spec(self, task: Task) -> Spec:
        facts = json.loads(task.file.read_text("utf-8"))
        release = open_release(Path(facts["release"]))
        return Spec(
            release=release.id,
            seal=release.seal,
            code=code_hash(),
            handed_in=pack(Path(facts["handed_in"]), node.HAND_IN_MB),
            facts={name: facts[name] for name in facts if name not in _HERE},
            program=self.engine.program,
            device=self.engine.device,
            # A job that failed warm has its second try cold.
            cold=self.engine.cold or self.engine.runs > 1,
            timeout_seconds=self.engine.timeout_seconds,
            result_mb=self.engine.result_mb,
        )

    def _submit(self, task: Task, spec: Spec) -> Any:
        return self.client.submit(
            grade_here,
            spec,
            # Dask remembers how a key ended, and alone is another try.
            key=f"{task.key}:alone" if self.most else task.key,
            resources={self.engine.device: 1},
            retries=RETRIES,
            pure=False,
        )

    def _done(self) -> list[Any]:
        if not self.running:
            time.sleep(LOOK_SECONDS)
            return []
        running = list(self.running)
        with self._reaching(), self.client.as_current():
            try:
                ended = distributed.wait(running, LOOK_SECONDS, "FIRST_COMPLETED")
            except TimeoutError:
                return []
        return list(ended.done)

    def _answer(self, future: Any, task: Task) -> Answer | Ended:
        with self._reaching():
            error = future.exception()
            if error is None:
                answer: Answer = future.result()
                return answer
        if isinstance(error, KilledWorker):
            self.engine.suspects.add(task.key)
            return Ended(task, KILLED, "Every worker that took this job was killed.")
        said = f"{type(error).__name__}: {error}"
        return Ended(task, BrokenError.exit_code, said)

    def _take(self, answer: Answer, task: Task) -> Ended:
        if answer.code or answer.files is None:
            return Ended(task, answer.code or BrokenError.exit_code, answer.said)
        final = Path(json.loads(task.file.read_text("utf-8"))["result"])
        make_folder(final.parent)
        # A name with a dot: whoever grades next removes what a killed grading left.
        fresh = Path(mkdtemp(prefix=".", dir=final.parent))
        fresh.chmod(0o755)
        try:
            check_result(answer.files)
            unpack(answer.files, fresh, self.engine.result_mb)
        except BrokenError as error:
            return Ended(task, BrokenError.exit_code, f"{answer.node}: {error}")
        settle(fresh, final)
        return Ended(task, 0, "")

    def _send(self, answer: Answer, task: Task) -> bool:
        """Send the release to a node that lacks it; False if it was sent too often."""
        facts = json.loads(task.file.read_text("utf-8"))
        release = open_release(Path(facts["release"]))
        about = (release.id, release.seal)
        with self._reaching():
            if not self._ask(answer.worker, node.lacks, *about):
                return True
        sent = self.sent[answer.node] = self.sent.get(answer.node, 0) + 1
        if sent > SENDINGS:
            return False
        self.engine.say(f"Sending {release.id} to {answer.node}.")
        files = pack(release.folder, node.RELEASE_MB)
        with self._reaching():
            self._ask(answer.worker, node.keep_release, *about, files)
        return True

    def _ask(self, worker: str, *call: Any) -> Any:
        """Return what a node says; None from one that is not there any more."""
        said = self.client.run(*call, workers=[worker], on_error="ignore")
        return said.get(worker)


def grade_here(spec: Spec) -> Answer:
    """Run one job in this worker; a job that nobody waits for any more is ended."""
    worker = distributed.get_worker()
    key = worker.get_current_task()

    def wanted() -> bool:
        task = worker.state.tasks.get(key)
        gone = worker.status.name not in ("running", "paused")
        return not gone and task is not None and task.state != "cancelled"

    return node.grade(spec, worker.address, wanted)
