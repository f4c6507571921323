"""Handing in: what a trainee would be sorry to have missed, then one zip.

The zip has the same bytes for the same work: its SHA-256 on the receipt says which
work was handed in, whoever packed it and when.
"""

import json
import re
import zipfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

from lab_env.candidate import check_candidate
from lab_env.checks import Text
from lab_env.errors import SubmissionError
from lab_env.files import sha256, write_json, write_whole
from lab_env.notebook_file import check_release, parse_notebook
from lab_env.release import PUBLIC_FACTS
from lab_env.solutions import BLANK, WRITE_HERE
from lab_env.work import Work

RECEIPT = "receipt.json"
MAX_MB = 200
# JupyterLab saves a little after a cell has written its files.
_SAVE_SECONDS = 5
_BLANK = re.compile(rf"(?<!\w){BLANK}(?!\w)")


@dataclass(frozen=True)
class Receipt:
    """What the trainee keeps: which work was handed in, and when."""

    release: str
    candidate: str
    sha256: str
    at: str
    path: str


@dataclass(frozen=True)
class _CodeCell:
    name: str
    source: str
    count: int | None
    ran_at: str
    failed: bool


def check_work(work: Work) -> list[Text]:
    """Return what should be looked at before handing in; nothing is changed."""
    cells = _read(work)["cells"]
    code = [_code_cell(cell) for cell in cells if cell.get("cell_type") == "code"]
    ran = [cell for cell in code if cell.source.strip()]
    found = [_unsaved(work), _missing(work), _changed(work), _blanks(code)]
    found += [_unwritten(cells), _not_run(ran), _order(ran), _failed(ran)]
    found += [_stale(work, ran)]
    return [warning for warning in found if warning is not None]


def pack(work: Work, candidate: str, out: Path) -> Receipt:
    """Write the hand-in to ``out`` and a receipt into the work folder."""
    check_candidate(candidate)
    notebook = parse_notebook(_bytes(work), work.notebook.name)
    check_release(notebook, work.notebook.name, work.release)
    write_whole(out, _zip(work))
    at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    receipt = Receipt(work.release, candidate, sha256(out), at, str(out))
    write_json(work.folder / RECEIPT, asdict(receipt))
    return receipt


def _zip(work: Work) -> bytes:
    paths = [work.notebook, work.folder / PUBLIC_FACTS]
    paths += [path for name in work.deliverables for path in work.files_of(name)]
    size = sum(path.stat().st_size for path in paths) / 1e6
    if size > MAX_MB:
        raise SubmissionError(
            f"The hand-in has {size:.0f} MB, the limit is {MAX_MB} MB; "
            "delete what does not belong to it, such as checkpoints in model folders."
        )
    stream = BytesIO()
    # Stored, not deflated: compressed bytes differ between versions of zlib.
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(set(paths)):
            name = path.relative_to(work.folder).as_posix()
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            archive.writestr(entry, path.read_bytes())
    return stream.getvalue()


def _bytes(work: Work) -> bytes:
    if work.notebook.is_symlink() or not work.notebook.is_file():
        raise SubmissionError(
            f"{work.notebook} is not there; save the notebook under this name, "
            "or run lab start again for a new one."
        )
    return work.notebook.read_bytes()


def _read(work: Work) -> dict[str, Any]:
    data = _bytes(work)
    # Says in a sentence what is wrong with a file that is no notebook.
    parse_notebook(data, work.notebook.name)
    value: dict[str, Any] = json.loads(data.decode("utf-8-sig"))
    return value


def _code_cell(cell: dict[str, Any]) -> _CodeCell:
    count, outputs = cell.get("execution_count"), cell.get("outputs")
    return _CodeCell(
        name=_answer(cell) or str(cell.get("id", "?")),
        source="".join(cell["source"]),
        count=count if isinstance(count, int) else None,
        ran_at=str(
            _inner(cell, "metadata", "execution").get("shell.execute_reply", "")
        ),
        # As text: what stands in an output may be of any shape.
        failed="'output_type': 'error'" in str(outputs),
    )


def _answer(cell: dict[str, Any]) -> str:
    return str(_inner(cell, "metadata", "lab").get("answer", ""))


def _inner(value: dict[str, Any], *keys: str) -> dict[str, Any]:
    for key in keys:
        inner = value.get(key)
        value = inner if isinstance(inner, dict) else {}
    return value


def _names(cells: list[str]) -> str:
    return ", ".join(dict.fromkeys(cells))


def _unsaved(work: Work) -> Text | None:
    paths = [path for name in work.deliverables for path in work.files_of(name)]
    saved = work.notebook.stat().st_mtime
    newer = [path for path in paths if path.stat().st_mtime > saved + _SAVE_SECONDS]
    if not newer:
        return None
    name = newer[0].relative_to(work.folder)
    zh = f"{name} 比笔记本更新：笔记本可能还没有保存。请先按 Ctrl+S。"
    en = f"{name} is newer than the notebook, which may be unsaved. Press Ctrl+S."
    return Text(zh, en)


def _missing(work: Work) -> Text | None:
    names = _names(list(work.missing))
    zh = f"还没有这些要提交的文件：{names}。请运行写出它们的单元格。"
    en = f"Not there yet: {names}. Run the cells that write them."
    return Text(zh, en) if names else None


def _changed(work: Work) -> Text | None:
    given = work.facts.get("files", {})
    own = {work.notebook.name, PUBLIC_FACTS}
    changed = [
        name
        for name, digest in given.items()
        if name not in own
        and (work.folder / name).is_file()
        and sha256(work.folder / name) != digest
    ]
    names = _names(changed)
    zh = (
        f"这些发放的文件被改动过：{names}。评分用的是原来的文件；"
        "删除后重新 lab start 可恢复。"
    )
    en = (
        f"Changed since they were given out: {names}. Marking uses the originals; "
        "delete them and run lab start again to get them back."
    )
    return Text(zh, en) if names else None


def _blanks(cells: list[_CodeCell]) -> Text | None:
    names = _names([cell.name for cell in cells if _has_blank(cell.source)])
    zh = f"还有空没有填({BLANK}):{names}。"
    en = f"Blanks ({BLANK}) are left in: {names}."
    return Text(zh, en) if names else None


def _has_blank(source: str) -> bool:
    return any(_BLANK.search(line.partition("#")[0]) for line in source.split("\n"))


def _unwritten(cells: list[dict[str, Any]]) -> Text | None:
    starters = (WRITE_HERE.zh, WRITE_HERE.en)
    sources = [(_answer(cell), "".join(cell["source"])) for cell in cells]
    unwritten = [
        name
        for name, source in sources
        if name and any(starter in source for starter in starters)
    ]
    names = _names(unwritten)
    zh = f"这些文字题还没有作答：{names}。"
    en = f"Written answers still to write: {names}."
    return Text(zh, en) if names else None


def _not_run(cells: list[_CodeCell]) -> Text | None:
    names = _names([cell.name for cell in cells if cell.count is None])
    zh = f"这些单元格还没有运行：{names}。请选择“重启内核并运行所有单元格”。"
    en = f'Not run yet: {names}. Choose "Restart Kernel and Run All Cells".'
    return Text(zh, en) if names else None


def _order(cells: list[_CodeCell]) -> Text | None:
    ran = [cell for cell in cells if cell.count is not None]
    # Times tell more than counts, which start again with every new kernel.
    timed = all(cell.ran_at for cell in ran)
    keys = [(cell.ran_at if timed else f"{cell.count:09}", cell.name) for cell in ran]
    late = [name for (this, name), (after, _) in pairwise(keys) if this > after]
    names = _names(late)
    zh = (
        f"单元格不是从上到下运行的（{names} 在下面的单元格之后又运行过）。"
        "请选择“重启内核并运行所有单元格”。"
    )
    en = (
        f"The cells were not run from top to bottom ({names} ran after the cell below "
        'it). Choose "Restart Kernel and Run All Cells".'
    )
    return Text(zh, en) if names else None


def _failed(cells: list[_CodeCell]) -> Text | None:
    names = _names([cell.name for cell in cells if cell.failed])
    zh = f"这些单元格以错误结束：{names}。评分时笔记本会从头运行，停在这里。"
    en = f"Ended in an error: {names}. Marking runs the notebook and stops there."
    return Text(zh, en) if names else None


def _stale(work: Work, cells: list[_CodeCell]) -> Text | None:
    stale = [
        name
        for name in work.deliverables
        for cell in cells
        if name.rstrip("/") in cell.source and _older(work, name, cell.ran_at)
    ]
    names = _names(stale)
    zh = (
        f"{names} 比写出它的单元格最近一次运行还要早。"
        "请重新运行该单元格并查看有无报错。"
    )
    en = (
        f"{names} is older than the last run of the cell that writes it. "
        "Run that cell again and look for an error."
    )
    return Text(zh, en) if names else None


def _older(work: Work, deliverable: str, ran_at: str) -> bool:
    times = [path.stat().st_mtime for path in work.files_of(deliverable)]
    try:
        ran = datetime.fromisoformat(ran_at).timestamp()
    except ValueError:
        return False
    return bool(times) and max(times) < ran - 60 * _SAVE_SECONDS
