"""What a command costs with everything it starts: wall, CPU seconds, peak memory.

As root in a control group of its own, which counts processes that nobody waited for;
otherwise by what the system says of children that were waited for.
"""

import os
import resource
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

GROUPS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"))
EVERY_SECONDS = 0.5
# The group is joined before the command starts, so that nothing escapes the count.
JOIN = 'echo $$ > "$0" && exec "$@"'


@dataclass(frozen=True)
class Cost:
    """``peak_mb`` is the sum of proportional shares (PSS), seen twice a second."""

    wall_seconds: float
    cpu_seconds: float
    peak_mb: float
    exit_code: int


def cost_of(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: Path
) -> Cost:
    """Run ``command`` to its end; what it says goes to ``log``."""
    with _group() as group, log.open("wb") as stream:
        joined = ["/bin/sh", "-c", JOIN, str(group / "cgroup.procs")] if group else []
        before, begun = _children_seconds(), time.monotonic()
        process = subprocess.Popen(
            [*joined, *command], cwd=cwd, env=env, stdout=stream, stderr=stream
        )
        peak = [0.0]
        watcher = threading.Thread(target=_watch, args=(process, group, peak))
        watcher.start()
        code = process.wait()
        wall = time.monotonic() - begun
        watcher.join()
        cpu = _group_seconds(group) if group else _children_seconds() - before
    return Cost(wall, cpu, peak[0], code)


@contextmanager
def _group() -> Iterator[Path | None]:
    for root in GROUPS:
        group = root / f"lab-bench-{os.getpid()}"
        if not (root / "cgroup.procs").exists():
            continue
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            yield group
        finally:
            _remove(group)
        return
    yield None


def _remove(group: Path) -> None:
    for _ in range(100):
        try:
            group.rmdir()
        except OSError:
            time.sleep(0.1)
        else:
            return


def _group_seconds(group: Path) -> float:
    facts = dict(line.split() for line in (group / "cpu.stat").read_text().splitlines())
    return int(facts["usage_usec"]) / 1e6


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _watch(
    process: subprocess.Popen[bytes], group: Path | None, peak: list[float]
) -> None:
    while process.poll() is None:
        pids = _members(process.pid, group)
        peak[0] = max(peak[0], sum(map(_share_mb, pids)))
        time.sleep(EVERY_SECONDS)


def _members(pid: int, group: Path | None) -> list[int]:
    if group:
        return [int(line) for line in (group / "cgroup.procs").read_text().split()]
    try:
        below = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return [pid, *(each.pid for each in below)]


def _share_mb(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    lines = [line.split()[1] for line in text.splitlines() if line.startswith("Pss:")]
    return int(lines[0]) / 1024 if lines else 0.0
