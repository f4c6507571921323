"""Room A: each test tries to break one property of a run of a notebook."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab_env.errors import LabError, SubmissionError
from lab_env.sandbox import (
    Isolation,
    Limits,
    NotebookRun,
    SandboxError,
    detect_isolation,
    isolation,
    require_isolation,
    run_notebook,
)
from lab_env.sandbox.confinement import Layers

Run = Callable[..., NotebookRun]
FEW = Limits(wall_seconds=60, cell_seconds=30, memory_mb=2048)


@pytest.fixture(scope="session")
def shut_in() -> Isolation:
    """The jail of this machine; without one the tests say why they skip."""
    found = detect_isolation()
    if found.tier != "bubblewrap":
        pytest.skip(found.sentence)
    return found


def write_notebook(path: Path, *cells: str, **metadata: Any) -> Path:
    """Write a notebook of code cells with the ids c0, c1, ..."""
    content = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": metadata,
        "cells": [
            {
                "cell_type": "code",
                "id": f"c{index}",
                "metadata": {"tags": ["skip-execution"]},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for index, source in enumerate(cells)
        ],
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.fixture
def run(tmp_path: Path, shut_in: Isolation) -> Run:
    """Run the given cells beside one released file and folder."""
    released = tmp_path / "released 发布"
    (released / "data").mkdir(parents=True)
    (released / "data" / "工单.csv").write_text("编号\n1\n", encoding="utf-8")
    (released / "release.json").write_text("{}")

    def run_cells(
        *cells: str,
        collect: tuple[str, ...] = (),
        limits: Limits = FEW,
        kind: Isolation = shut_in,
        **metadata: Any,
    ) -> NotebookRun:
        return run_notebook(
            write_notebook(tmp_path / "交卷 1.ipynb", *cells, **metadata),
            released=released,
            deliverables=collect,
            out=tmp_path / "out",
            limits=limits,
            isolation=kind,
        )

    return run_cells


def printed(result: NotebookRun) -> list[str]:
    """Return the text that each cell left: streams, results and error names."""
    assert result.executed is not None
    cells = json.loads(result.executed.read_text())["cells"]
    return ["".join(map(text_of, cell["outputs"])) for cell in cells]


def text_of(output: dict[str, Any]) -> str:
    """Return the text of one output."""
    if "data" in output:
        return str(output["data"].get("text/plain", ""))
    return str(output.get("text") or output.get("ename") or "")


def test_deliverables_come_out_of_a_plain_notebook(run: Run, tmp_path: Path) -> None:
    """Released files can be read and written beside, and named files come out."""
    result = run(
        "text = open('data/工单.csv', encoding='utf-8').read(); print(text)",
        "open('答案 1.csv', 'w', encoding='utf-8').write(text)",
        "import os; os.mkdir('model'); open('model/a.json', 'w').write('{}')",
        "open('data/clean.csv', 'w').write('1')",
        "open('not asked for.txt', 'w').write('1')",
        collect=("答案 1.csv", "model/", "missing.csv"),
    )
    assert result.jail.ended == "finished"
    assert result.jail.exit_code == 0
    assert result.deliverables == ("答案 1.csv", "model/a.json")
    assert (tmp_path / "out" / "答案 1.csv").read_text(encoding="utf-8") == "编号\n1\n"
    assert not (tmp_path / "out" / "not asked for.txt").exists()
    assert printed(result)[3] == "1"


def test_a_raising_cell_does_not_stop_the_next(run: Run) -> None:
    """Errors stay in their cell, and input() is one of them."""
    result = run("1 / 0", "input()", "%nonsense", "print('still here')")
    assert printed(result)[:2] == ["ZeroDivisionError", "StdinNotImplementedError"]
    assert printed(result)[3] == "still here\n"


def test_a_cell_over_its_time_is_interrupted_and_the_next_runs(run: Run) -> None:
    """The cell that hit its limit is named."""
    limits = Limits(wall_seconds=60, cell_seconds=1)
    result = run("1", "while True: pass", "print('after')", limits=limits)
    assert result.failed_cell == "c1"
    assert printed(result) == ["1", "KeyboardInterrupt", "after\n"]


def test_wall_limit_ends_a_kernel_that_ignores_interrupts(run: Run) -> None:
    """What ran before is kept, and the run ends in time."""
    limits = Limits(wall_seconds=6, cell_seconds=2)
    stubborn = "import signal; signal.signal(2, signal.SIG_IGN)\nwhile True: pass"
    begun = time.monotonic()
    result = run("print('kept')", stubborn, "print('never')", limits=limits)
    assert time.monotonic() - begun < 12
    assert result.jail.ended == "wall time"
    assert printed(result)[0] == "kept\n"
    assert result.failed_cell in {"c1", None}


def test_a_dead_kernel_ends_the_run_with_a_code(run: Run) -> None:
    """Cells after the kernel's death are not run, and files from before come out."""
    result = run(
        "open('a.csv', 'w').close()",
        "import os; os._exit(1)",
        "print(2)",
        collect=("a.csv",),
    )
    assert (result.jail.ended, result.jail.exit_code) == ("finished", 4)
    assert result.deliverables == ("a.csv",)
    assert printed(result)[2] == ""


def test_the_kernel_is_ours_whatever_the_notebook_asks_for(run: Run) -> None:
    """A kernelspec, nbgrader metadata or a skip tag changes nothing."""
    spec = {"name": "evil", "display_name": "evil", "language": "bash"}
    assert printed(run("print(6 * 7)", kernelspec=spec)) == ["42\n"]


def test_outputs_are_cut_and_later_cells_still_run(run: Run) -> None:
    """Thirty megabytes of printing leave a small executed notebook."""
    limits = Limits(wall_seconds=60, output_mb=1)
    flood = "for _ in range(300): print('文' * 33000)"
    result = run(
        flood, "open('a.csv', 'w').write('1')", limits=limits, collect=("a.csv",)
    )
    assert result.executed is not None
    assert result.executed.stat().st_size < 2_000_000
    assert "output over the limit" in printed(result)[0]
    assert result.deliverables == ("a.csv",)


def test_a_forged_executed_notebook_is_not_followed(run: Run) -> None:
    """A link in place of the executed notebook is refused, and so is a false id."""
    forge = (
        "import os, signal\n"
        "os.kill(os.getppid(), signal.SIGSTOP)\n"
        "open('/lab/run/timed_out', 'w').write('../../x')\n"
        "os.remove('/lab/run/executed.ipynb')\n"
        "os.symlink('/etc/passwd', '/lab/run/executed.ipynb')\n"
        "os.kill(os.getppid(), signal.SIGKILL)\n"
    )
    result = run("1", forge)
    assert result.jail.ended == "killed"
    assert result.executed is None
    assert result.failed_cell is None
    assert [name for name, _ in result.refused] == ["executed.ipynb"]


def test_torch_runs_in_the_jail(run: Run) -> None:
    """The heavy library of the labs loads, with the one thread it was given."""
    result = run(
        "import torch; print(torch.ones(3).sum().item())",
        "print(torch.get_num_threads())",
        "import lab_env",
    )
    assert printed(result) == ["3.0\n", "1\n", ""]


def test_a_trusted_notebook_takes_the_same_road(run: Run) -> None:
    """Without isolation the files and the cell limit are the same."""
    limits = Limits(wall_seconds=60, cell_seconds=1)
    result = run(
        "import time; time.sleep(30)",
        "open('a.csv', 'w').write('1')",
        limits=limits,
        kind=Isolation("none", "trusted"),
        collect=("a.csv",),
    )
    assert result.failed_cell == "c0"
    assert result.deliverables == ("a.csv",)


def test_no_bubblewrap_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user reads why, what to install and what practice may do."""
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr(isolation, "layers", lambda: Layers(landlock=0, seccomp=True))
    detect = isolation.detect_isolation.__wrapped__
    monkeypatch.setattr(isolation, "detect_isolation", detect)
    with pytest.raises(LabError) as caught:
        require_isolation(trust=False)
    assert str(caught.value) == (
        "No sandbox: the program bwrap is not on this machine. Install bubblewrap 0.8 "
        "or newer (apt install bubblewrap). Without it: Landlock is not there: use "
        "Linux 5.13 or newer, with lsm=landlock. For practice with your own notebooks "
        "only, pass --trust-submissions."
    )
    assert require_isolation(trust=True).tier == "none"


def test_a_huge_notebook_is_not_taken(tmp_path: Path, shut_in: Isolation) -> None:
    """The sentence names the size and says what to do."""
    huge = tmp_path / "huge.ipynb"
    with huge.open("wb") as stream:
        stream.truncate(40 * 1024 * 1024)
    with pytest.raises(SubmissionError) as caught:
        run_notebook(
            huge,
            released=tmp_path,
            deliverables=(),
            out=tmp_path / "out",
            limits=FEW,
            isolation=shut_in,
        )
    assert str(caught.value) == (
        "huge.ipynb has 40.0 MB, the limit is 32 MB. "
        "Clear its outputs and hand it in again."
    )


def test_a_link_is_not_taken_for_a_notebook(tmp_path: Path, shut_in: Isolation) -> None:
    """Else a submission could name any file of the examiner's."""
    link = tmp_path / "link.ipynb"
    link.symlink_to("/etc/passwd")
    with pytest.raises(SubmissionError, match=r"link\.ipynb is a link, a notebook was"):
        run_notebook(
            link,
            released=tmp_path,
            deliverables=(),
            out=tmp_path / "out",
            limits=FEW,
            isolation=shut_in,
        )


def test_a_file_that_is_no_notebook_ends_with_a_code(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was executed, and the exit code says so."""

    def write_nonsense(path: Path, *_: str, **__: str) -> Path:
        path.write_text("[" * 100_000)
        return path

    monkeypatch.setitem(globals(), "write_notebook", write_nonsense)
    result = run("1")
    assert (result.jail.ended, result.jail.exit_code) == ("finished", 1)
    assert result.executed is None


def test_results_never_mix_with_older_ones(run: Run, tmp_path: Path) -> None:
    """A folder that holds something is refused, and so is a name that leads out."""
    with pytest.raises(SandboxError, match="below the work folder"):
        run("1", collect=("../x",))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old.csv").touch()
    with pytest.raises(SandboxError, match="should be empty before a run"):
        run("1")
