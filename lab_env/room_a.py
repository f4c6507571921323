"""Room A from our side: run the notebook, take its deliverables, say what went wrong.

Nothing that comes out is believed to be anything but files of a certain size.
"""

import math
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab_env.checks import Finding, Text, Unreadable
from lab_env.errors import BrokenError
from lab_env.executed import first_error, with_outputs
from lab_env.files import write_json
from lab_env.lab import Lab
from lab_env.release import Release
from lab_env.sandbox import Isolation, Limits, NotebookRun, run_notebook
from lab_env.sandbox.runs import MB

LEAST_SECONDS = 300
TIMES = ("wall_seconds", "cell_seconds", "cpu_seconds")
KERNEL_DIED, KERNEL_STUCK = 4, 5
NOT_TAKEN = "没有收取（太大、是链接，或不是普通文件）。请只保存题目要求的内容。"
ENDED = {
    "wall time": "运行时间",
    "cpu time": "CPU 时间",
    "memory": "内存",
    "disk": "磁盘空间",
    "output": "输出量",
}


@dataclass(frozen=True)
class Rerun:
    """What room A gave: our notebook with outputs, files refused, a word on the run."""

    executed: dict[str, Any]
    refused: dict[str, Finding]
    remark: Text | None
    used: dict[str, Any]


def limits_of(lab: Lab) -> Limits:
    """Return the limits of one run: what lab.toml says, the rest from its seconds."""
    sizes = [deliverable.max_mb for deliverable in lab.deliverables]
    # Graded on a slower core, beside other jobs, and still not cut off.
    given = lab.limits.get("wall_seconds", 0)
    seconds = max(LEAST_SECONDS, 4 * lab.compute_seconds, given)
    base: dict[str, Any] = dict.fromkeys(TIMES, seconds)
    base["deliverable_mb"] = math.ceil(max(sizes, default=1))
    base["deliverables_total_mb"] = math.ceil(sum(sizes)) + 1
    try:
        return Limits(**(base | lab.limits))
    except TypeError as error:
        raise BrokenError(f"lab.toml of {lab.name}, [limits]: {error}.") from error


def rerun(
    release: Release,
    notebook: dict[str, Any],
    handed_in: Path,
    deliverables: Path,
    rooms: Path,
    *,
    isolation: Isolation,
    threads: int,
) -> Rerun:
    """Run ``notebook`` and fill ``deliverables``; ``rooms`` is scratch space."""
    lab, limits = release.lab, limits_of(release.lab)
    source = rooms / "submitted.ipynb"
    write_json(source, notebook)
    run = run_notebook(
        source,
        released=_working_folder(release, handed_in, rooms / "released"),
        deliverables=[d.name for d in lab.deliverables if d.source == "rerun"],
        out=rooms / "a",
        limits=limits,
        isolation=isolation,
        threads=threads,
    )
    _check(run)
    refused = _take(lab, run, rooms / "a", handed_in, deliverables)
    if run.executed is not None:
        notebook = with_outputs(notebook, run.executed.read_bytes())
    return Rerun(notebook, refused, _remark(run, limits, notebook), _used(run))


def _check(run: NotebookRun) -> None:
    codes = (0, KERNEL_DIED, KERNEL_STUCK)
    odd = run.jail.ended == "finished" and run.jail.exit_code not in codes
    if odd or (run.jail.ended == "killed" and run.executed is None):
        # A kernel that never started, or trainee code that ended what drives it:
        # from here they look the same, so a person decides.
        raise BrokenError(
            f"The run of the notebook {run.jail.ended} with code {run.jail.exit_code}: "
            f"{run.jail.log.strip()[-200:] or 'it printed nothing'}"
        )


def _working_folder(release: Release, handed_in: Path, merged: Path) -> Path:
    """Return the folder room A works in; work of the hand is laid beside our files."""
    by_hand = [name for name in _handed(release.lab) if (handed_in / name).exists()]
    if not by_hand:
        return release.released
    shutil.copytree(release.released, merged)
    for name in by_hand:
        _copy(handed_in / name, merged / name)
    return merged


def _handed(lab: Lab) -> Iterator[str]:
    return (item.name for item in lab.deliverables if item.source == "submission")


def _copy(source: Path, target: Path) -> None:
    # Contents only: what we received is read-only, a working folder is not.
    paths = source.rglob("*") if source.is_dir() else [source]
    for path in paths:
        if path.is_file():
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)


def _take(
    lab: Lab, run: NotebookRun, work: Path, handed_in: Path, target: Path
) -> dict[str, Finding]:
    """Bring all deliverables into one folder; return those refused, with the reason."""
    target.mkdir()
    for name in run.deliverables:
        _copy(work / name, target / name)
    for name in _handed(lab):
        if (handed_in / name).exists():
            _copy(handed_in / name, target / name)
    refused = dict(run.refused)
    for item in lab.deliverables:
        size = _megabytes(target / item.name)
        if size > item.max_mb:
            refused[item.name] = f"has {size:.1f} MB; the limit is {item.max_mb} MB."
    return {name.rstrip("/"): _not_taken(name, why) for name, why in refused.items()}


def _megabytes(path: Path) -> float:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(each.stat().st_size for each in files if each.is_file()) / MB


def _not_taken(name: str, why: str) -> Finding:
    en = f"{name} was not taken: it {why} Save only what the task asks for."
    return Unreadable(Text(f"{name} {NOT_TAKEN}", en))


def _used(run: NotebookRun) -> dict[str, Any]:
    return {
        "start": run.jail.start,
        "ended": run.jail.ended,
        "wall_seconds": run.jail.wall_seconds,
        "cpu_seconds": run.jail.cpu_seconds,
        "peak_memory_mb": run.jail.peak_memory_mb,
    }


def _remark(
    run: NotebookRun, limits: Limits, executed: Mapping[str, Any]
) -> Text | None:
    """Say what stopped the re-run, if something did that the trainee can change."""
    if run.jail.ended in ENDED:
        zh = f"重跑你的笔记本时，{ENDED[run.jail.ended]}超出上限，运行被停止。"
        return Text(zh, f"The re-run was stopped at its limit of {run.jail.ended}.")
    if run.failed_cell:
        seconds = f"{limits.cell_seconds:g}"
        zh = f"重跑时，单元格 {run.failed_cell} 运行超过 {seconds} 秒，被中断。"
        en = f"In the re-run, cell {run.failed_cell} was stopped after {seconds} s."
        return Text(zh, en)
    if run.jail.ended == "killed" or run.jail.exit_code in (KERNEL_DIED, KERNEL_STUCK):
        zh = "重跑时，Python 内核意外结束，后面的单元格没有运行。"
        return Text(zh, "In the re-run, the kernel died and later cells did not run.")
    found = first_error(executed)
    if found is None:
        return None
    cell, error = found
    zh = f"重跑时，单元格 {cell} 最先出错({error})。"
    return Text(zh, f"In the re-run, cell {cell} was the first to fail: {error}.")
