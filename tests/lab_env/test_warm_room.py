"""The warm room: what holds for a cold run holds for a fork of the zygote as well."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from test_sandbox import (
    FEW,
    printed,
    run,
    shut_in,
    test_a_cell_over_its_time_is_interrupted_and_the_next_runs,
    test_a_dead_kernel_ends_the_run_with_a_code,
    test_a_file_that_is_no_notebook_ends_with_a_code,
    test_a_forged_executed_notebook_is_not_followed,
    test_a_raising_cell_does_not_stop_the_next,
    test_deliverables_come_out_of_a_plain_notebook,
    test_outputs_are_cut_and_later_cells_still_run,
    test_the_kernel_is_ours_whatever_the_notebook_asks_for,
    test_torch_runs_in_the_jail,
    test_wall_limit_ends_a_kernel_that_ignores_interrupts,
    write_notebook,
)
from test_sandbox_end import PACKAGE, prefix
from test_sandbox_program import (
    probe,
    test_a_flood_of_log_ends_the_run,
    test_a_flood_of_tiny_files_ends_the_run,
    test_a_fork_bomb_runs_against_the_limit,
    test_a_program_that_cannot_start_is_told_in_the_log,
    test_deliverables_have_a_number_and_a_total,
    test_files_have_a_size_and_a_sum,
    test_hostile_deliverables_are_refused_with_a_reason,
    test_memory_is_counted_over_all_processes,
    test_no_privilege_is_left,
    test_nothing_of_this_machine_is_there,
    test_one_huge_allocation_is_a_memory_error,
    test_processor_time_is_counted_over_all_processes,
    test_released_files_are_copies_and_large_folders_read_only,
    test_the_environment_is_the_fixed_set,
    test_there_is_no_network,
)

from lab_env.sandbox import (
    Isolation,
    Limits,
    NotebookRun,
    SandboxError,
    program,
    run_notebook,
    run_program,
    warm_room,
)
from lab_env.sandbox.environment import interpreter_folders
from lab_env.sandbox.usage import tree
from lab_env.sandbox.warm_room import WarmRoom, open_room

# Named for pytest, which runs them here once more: warm.
THE_SAME_FACTS = (
    run,
    probe,
    prefix,
    shut_in,
    test_a_cell_over_its_time_is_interrupted_and_the_next_runs,
    test_a_dead_kernel_ends_the_run_with_a_code,
    test_a_file_that_is_no_notebook_ends_with_a_code,
    test_a_flood_of_log_ends_the_run,
    test_a_flood_of_tiny_files_ends_the_run,
    test_a_forged_executed_notebook_is_not_followed,
    test_a_fork_bomb_runs_against_the_limit,
    test_a_program_that_cannot_start_is_told_in_the_log,
    test_a_raising_cell_does_not_stop_the_next,
    test_deliverables_come_out_of_a_plain_notebook,
    test_deliverables_have_a_number_and_a_total,
    test_files_have_a_size_and_a_sum,
    test_hostile_deliverables_are_refused_with_a_reason,
    test_memory_is_counted_over_all_processes,
    test_no_privilege_is_left,
    test_nothing_of_this_machine_is_there,
    test_one_huge_allocation_is_a_memory_error,
    test_outputs_are_cut_and_later_cells_still_run,
    test_processor_time_is_counted_over_all_processes,
    test_released_files_are_copies_and_large_folders_read_only,
    test_the_environment_is_the_fixed_set,
    test_the_kernel_is_ours_whatever_the_notebook_asks_for,
    test_there_is_no_network,
    test_torch_runs_in_the_jail,
    test_wall_limit_ends_a_kernel_that_ignores_interrupts,
)
TRAINING = """
import json, torch
from transformers import (BertConfig, BertForSequenceClassification, Trainer,
                          TrainingArguments)
torch.manual_seed(7)
model = BertForSequenceClassification(BertConfig(
    vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
    intermediate_size=16, max_position_embeddings=16))
rows = [{"input_ids": torch.randint(50, (8,)), "labels": torch.tensor(n % 2)}
        for n in range(32)]
options = TrainingArguments(output_dir="trainer", max_steps=6, seed=7, use_cpu=True,
    per_device_train_batch_size=8, report_to=[], disable_tqdm=True, save_strategy="no")
Trainer(model=model, args=options, train_dataset=rows).train()
"""
LEAVING = """
model.save_pretrained("model")
scores = [model(row["input_ids"][None]).logits.tolist() for row in rows]
json.dump(scores, open("scores.json", "w"))
"""
TWO_RUNS = """
import sys
from pathlib import Path
from lab_env.sandbox import Limits, detect_isolation, run_program, warm_room
found = detect_isolation()
source = "import os; print(os.getuid() != 0, 'home' in os.listdir('/tmp'))"
given = Path(sys.argv[1], "a.py")
given.write_text("1")
with warm_room.open_room(found) as room:
    warm_room.use(room)
    for name in ("first", "second"):
        run = run_program(
            [sys.executable, "-c", source], files={"a.py": given}, collect=("a.py",),
            out=Path(sys.argv[1], name), limits=Limits(), isolation=found)
        print(run.start, run.ended, run.collected, run.log, end="")
"""
VIEW = """
import json, os, resource, signal, sys
names = ("CORE", "CPU", "FSIZE", "NOFILE")
json.dumps({
    "variables": dict(sorted(os.environ.items())),
    "path": sys.path,
    "program": [sys.executable, sys.argv[0], sys.argv[-1]],
    "cwd": os.getcwd(),
    "ids": [os.getuid() == os.getgid() > 0, os.getpid(), os.getppid()],
    "umask": os.umask(0o022),
    "limits": [resource.getrlimit(getattr(resource, f"RLIMIT_{n}")) for n in names],
    "signals": [str(signal.getsignal(n)).split(" at ")[0] for n in (1, 2, 13, 15, 17)],
    "folders": [sorted(os.listdir(path)) for path in ("/", "/tmp/home", "/dev/shm")],
})
"""
CHANCE = """
import random, numpy, torch
print(random.random(), numpy.random.rand(), torch.rand(1).item())
"""

Run = Callable[..., NotebookRun]


@pytest.fixture(scope="module")
def room(shut_in: Isolation) -> Iterator[WarmRoom]:
    """One warm room for all tests here."""
    if shut_in.tier != "bubblewrap":
        pytest.skip(shut_in.sentence)
    with open_room(shut_in) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _warm(room: WarmRoom) -> Iterator[None]:
    warm_room.use(room)
    yield
    warm_room.use(None)


def zygote_of(room: WarmRoom) -> int:
    """Return the process that holds the libraries."""
    return next(
        pid
        for pid in tree(room.process.pid)
        if b"inside.zygote" in Path(f"/proc/{pid}/cmdline").read_bytes()
        and b"bwrap" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    )


def shown_in_tmp() -> set[str]:
    """Return what a run sees in /tmp because our interpreter or package lies there."""
    found = [PACKAGE, *interpreter_folders(Path(sys.executable))]
    return {path.parts[2] for path in found if path.is_relative_to("/tmp")}


def runs_in(room: WarmRoom) -> list[int]:
    """Return the processes that the zygote has forked and that still live."""
    children = list(tree(zygote_of(room)))[1:]
    states = {pid: Path(f"/proc/{pid}/stat") for pid in children}
    return [
        pid
        for pid, path in states.items()
        if path.exists() and path.read_text().rpartition(")")[2].split()[0] != "Z"
    ]


def test_a_run_is_warm_and_leaves_nothing_alive(run: Run, room: WarmRoom) -> None:
    """The libraries are there at once, and the run is gone when it is over."""
    result = run("import torch, transformers, datasets; print(len(dir(torch)) > 9)")
    assert result.jail.start == "warm"
    assert printed(result) == ["True\n"]
    assert result.jail.cpu_seconds < 2
    assert runs_in(room) == []


def test_a_figure_is_shown_without_being_asked_for(run: Run) -> None:
    """The last figure of a cell is in its output, as in JupyterLab."""
    result = run("import matplotlib.pyplot as plt\nplt.plot([1, 2, 3]);")
    assert result.executed is not None
    [cell] = json.loads(result.executed.read_text())["cells"]
    assert "image/png" in cell["outputs"][-1]["data"]


def test_the_zygote_has_one_thread(room: WarmRoom) -> None:
    """A fork copies the locks of other threads, and nobody would open them."""
    assert len(os.listdir(f"/proc/{zygote_of(room)}/task")) == 1


def test_a_run_sees_nothing_of_the_one_before(
    tmp_path: Path, shut_in: Isolation
) -> None:
    """All four writable folders are new; nothing of the zygote's shows either."""
    leave = "for p in sys.argv[1:]: open(p + '/left', 'w').write('x')"
    look = f"print([set(os.listdir(p)) - {shown_in_tmp()!r} for p in sys.argv[1:]])"
    look += "; print(len(os.listdir('/dev/pts')))"
    places = ["/lab/work", "/lab/run", "/tmp", "/dev/shm"]
    for number, source in enumerate((leave, look)):
        seen = run_program(
            [sys.executable, "-c", f"import os, sys; {source}", *places],
            files={},
            out=tmp_path / str(number),
            collect=(),
            limits=FEW,
            isolation=shut_in,
        )
    assert seen.start == "warm"
    assert seen.log == "[set(), set(), {'home'}, set()]\n1\n"


def test_runs_at_the_same_time_do_not_meet(tmp_path: Path, shut_in: Isolation) -> None:
    """Neither processes, nor sockets without a path, nor terminals are shared."""
    meet = """
import os, socket, time
os.openpty()
end = socket.socket(socket.AF_UNIX)
end.bind(chr(0) + "lab-meeting")
time.sleep(1)
print(sorted(filter(str.isdigit, os.listdir("/proc"))), sorted(os.listdir("/dev/pts")))
"""
    with ThreadPoolExecutor(2) as pool:
        both = list(
            pool.map(lambda name: notebook(tmp_path / name, shut_in, meet), "ab")
        )
    assert [printed(each) for each in both] == [["['1', '2', '3'] ['0', 'ptmx']\n"]] * 2


def test_chance_is_fresh_in_every_run(tmp_path: Path, shut_in: Isolation) -> None:
    """Without a seed no two runs draw the same numbers."""
    first, second = (
        printed(notebook(tmp_path / name, shut_in, CHANCE))[0].split()
        for name in ("first", "second")
    )
    assert all(one != other for one, other in zip(first, second, strict=True))


def notebook(
    folder: Path,
    isolation: Isolation,
    *cells: str,
    collect: tuple[str, ...] = (),
    limits: Limits = FEW,
) -> NotebookRun:
    """Run cells in a folder of their own."""
    (folder / "released").mkdir(parents=True)
    return run_notebook(
        write_notebook(folder / "submitted.ipynb", *cells),
        released=folder / "released",
        deliverables=collect,
        out=folder / "out",
        limits=limits,
        isolation=isolation,
    )


@pytest.fixture(scope="module")
def pair(
    tmp_path_factory: pytest.TempPathFactory, shut_in: Isolation, room: WarmRoom
) -> dict[str, tuple[NotebookRun, Path]]:
    """The same notebook run from a cold and from a warm start."""
    found = {}
    for start, used in (("cold", None), ("warm", room)):
        warm_room.use(used)
        folder = tmp_path_factory.mktemp(start)
        cells = (VIEW, TRAINING, LEAVING)
        collect = ("model/", "scores.json")
        result = notebook(folder, shut_in, *cells, collect=collect)
        assert result.jail.start == start
        found[start] = (result, folder / "out")
    return found


def test_training_is_the_same_to_the_last_bit(
    pair: dict[str, tuple[NotebookRun, Path]],
) -> None:
    """Seeded work leaves the same weights and scores after a cold and a warm start."""
    cold, warm = (
        [
            (out / name).read_bytes()
            for name in ("model/model.safetensors", "scores.json")
        ]
        for _, out in pair.values()
    )
    assert cold == warm


def test_a_notebook_finds_the_same_cold_and_warm(
    pair: dict[str, tuple[NotebookRun, Path]],
) -> None:
    """Variables, paths, arguments, ids, limits and signals do not tell them apart."""
    cold, warm = (
        json.loads(printed(result)[0].strip("'")) for result, _ in pair.values()
    )
    assert cold == warm
    assert cold["cwd"] == "/lab/work"


def test_open_files_are_written_to_their_end(
    tmp_path: Path, shut_in: Isolation
) -> None:
    """A kernel that is a fork ends as politely as any other."""
    cells = (
        "f = open('a.csv', 'w'); f.write('kept')",
        "g = [f]; g.append(g); del f, g",
    )
    notebook(tmp_path, shut_in, *cells, collect=("a.csv",))
    assert (tmp_path / "out" / "a.csv").read_text() == "kept"


def test_process_1_of_a_run_cannot_be_reached(
    tmp_path: Path, shut_in: Isolation
) -> None:
    """No signal ends it, nothing of it can be read, and its limits stay."""
    reach = """
import os, resource, signal
def fails(do, *arguments):
    try: do(*arguments)
    except OSError as error: return type(error).__name__
    return "worked"
for number in range(1, 65):
    try: os.kill(1, number)
    except OSError: pass
print([fails(open, f"/proc/1/{name}") for name in ("environ", "maps", "mem")],
      fails(os.listdir, "/proc/1/fd"),
      fails(resource.prlimit, 1, resource.RLIMIT_CPU, (1, 1)))
"""
    result = notebook(tmp_path, shut_in, reach, "print('still here')")
    denied = "PermissionError"
    assert printed(result) == [f"{[denied] * 3} {denied} {denied}\n", "still here\n"]
    assert (result.jail.ended, result.jail.exit_code) == ("finished", 0)


def test_a_run_that_cannot_be_shut_in_never_starts(
    tmp_path: Path, shut_in: Isolation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault while it is set up is ours, and is told."""
    settings = program.settings_for
    monkeypatch.setattr(
        program,
        "settings_for",
        lambda *given: {**settings(*given), "sockets": ["carrier pigeon"]},
    )
    with pytest.raises(SandboxError, match="The sandbox did not start: "):
        notebook(tmp_path, shut_in, "open('a.csv', 'w').close()", collect=("a.csv",))
    assert list((tmp_path / "out").iterdir()) == []


def test_a_room_with_a_second_thread_is_not_used(shut_in: Isolation) -> None:
    """The zygote counts its threads before it says that it is ready."""
    from lab_env.inside import zygote

    stop = threading.Event()
    second = threading.Thread(target=stop.wait)
    second.start()
    try:
        with pytest.raises(RuntimeError, match=r"has \d+ threads, not one"):
            zygote.refuse_threads()
    finally:
        stop.set()
        second.join()


@pytest.mark.parametrize("prefix", ["ordinary user"], indirect=True)
def test_a_room_opens_for_an_ordinary_user_too(prefix: list[str]) -> None:
    """Files get in and out, and nobody is root inside."""
    # Not tmp_path: each new session of pytest shuts that to other users.
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o777)
        done = subprocess.run(
            [*prefix, sys.executable, "-B", "-c", TWO_RUNS, folder],
            capture_output=True,
            check=False,
            text=True,
            env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
        )
    assert done.stdout == "warm finished ('a.py',) True True\n" * 2, done.stderr
