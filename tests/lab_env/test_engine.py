"""Facts about running jobs in processes of their own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from lab_env.engine import run_jobs


def python(code: str) -> list[str]:
    """Return a command that runs a few lines."""
    return [sys.executable, "-I", "-S", "-c", code]


def is_alive(pid: int) -> bool:
    """Say whether the process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def gone(pid: int) -> bool:
    """Say whether the process ends within five seconds."""
    until = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not is_alive(pid)


def wait_for(path: Path) -> int:
    """Return the process id that a job wrote."""
    until = time.monotonic() + 10
    while not (path.is_file() and path.read_text()) and time.monotonic() < until:
        time.sleep(0.02)
    return int(path.read_text())


def test_each_job_tells_its_own_end() -> None:
    """Every job comes back once, with its exit code and what it said."""
    codes = {"good": "pass", "bad": "import sys; sys.exit('no luck')"}
    codes["killed"] = "import os; os.kill(os.getpid(), 9)"

    ended = {
        job: rest for job, *rest in run_jobs([*codes], lambda j: python(codes[j]), 2)
    }

    assert ended == {"good": [0, ""], "bad": [1, "no luck"], "killed": [-9, ""]}


def test_jobs_run_at_the_same_time(tmp_path: Path) -> None:
    """Two workers run two jobs at once: each waits for the other's file."""
    code = (
        "import sys, time, pathlib\n"
        "me, other = map(pathlib.Path, sys.argv[1:])\n"
        "me.touch()\n"
        "end = time.monotonic() + 10\n"
        "while not other.exists() and time.monotonic() < end: time.sleep(0.01)\n"
        "sys.exit(not other.exists())\n"
    )
    names = [str(tmp_path / "a"), str(tmp_path / "b")]
    jobs = [names, names[::-1]]

    ended = list(run_jobs(jobs, lambda job: [*python(code), *job], 2))

    assert [code for _, code, _ in ended] == [0, 0]


def test_a_job_that_never_ends_is_killed() -> None:
    """A job past the time limit comes back as killed."""
    [(_, code, _)] = run_jobs(
        [1], lambda _: python("import time; time.sleep(60)"), 1, 0.3
    )

    assert code == -9


def test_only_the_end_of_a_long_complaint_is_kept() -> None:
    """A job that prints without end cannot fill the memory of the batch."""
    code = "import sys; sys.stderr.write('x' * 200000 + 'end'); sys.exit(1)"

    [(_, _, said)] = run_jobs([1], lambda _: python(code), 1)

    assert said.endswith("xend")
    assert len(said) == 4000


def test_closing_the_batch_ends_its_jobs(tmp_path: Path) -> None:
    """A consumer that stops leaves no job behind."""
    note = tmp_path / "pid"
    code = {
        "quick": f"import time, os\nwhile not os.path.exists({str(note)!r}): time.sleep(0.01)",
        "slow": f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid()))\n"
        "time.sleep(60)",
    }
    batch = run_jobs([*code], lambda job: python(code[job]), 2)
    next(batch)
    pid = wait_for(note)

    batch.close()

    assert gone(pid)


def test_jobs_die_with_the_program_that_started_them(tmp_path: Path) -> None:
    """kill -9 of the batch leaves no job behind."""
    note = tmp_path / "pid"
    job = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    code = (
        "import sys\nfrom lab_env.engine import run_jobs\n"
        f"list(run_jobs([1], lambda _: [sys.executable, '-I', '-S', '-c', {job!r}], 1))"
    )
    batch = subprocess.Popen([sys.executable, "-c", code])
    pid = wait_for(note)

    os.kill(batch.pid, signal.SIGKILL)
    batch.wait()

    assert gone(pid)
