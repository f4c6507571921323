"""A submitted notebook: read strictly, then rebuilt on the sealed one.

Covered: huge, deep, truncated and non-standard JSON, other notebook formats, doubled
ids, deleted, moved, edited or retyped cells, forged metadata and outputs. From a
submission only sources are taken: those of answer cells, and the trainee's own extra
cells. Everything else comes from the sealed notebook.
Not covered: what a source does when it runs. That is the sandbox's work.

Plain ``json`` on purpose: nbformat accepts more than we want, and costs a second.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab_env.errors import SubmissionError

MAX_BYTES = 20_000_000
MAX_CELLS = 2_000
MAX_DEPTH = 40
# A list or object of two bytes takes sixty and more in memory.
MAX_CONTAINERS = 400_000
FORMAT = 4
KINDS = ("code", "markdown", "raw")
# Possessive, so that a text of any length is passed over without a way back.
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)


@dataclass(frozen=True)
class Cell:
    """What is taken from a submitted cell, and what it may be known by."""

    kind: str
    source: str
    id: object
    grade_id: object


@dataclass(frozen=True)
class SubmittedNotebook:
    """The cells of a hand-in, and the release that it says it was made from."""

    release: str
    cells: tuple[Cell, ...]


def parse_notebook(data: bytes, name: str) -> SubmittedNotebook:
    """Return a submitted notebook; whatever is wrong raises SubmissionError."""
    value = parse_json(data, name)
    _check_format(value, name)
    cells = value.get("cells")
    if not isinstance(cells, list) or len(cells) > MAX_CELLS:
        seen = len(cells) if isinstance(cells, list) else type(cells).__name__
        raise SubmissionError(
            f"{name} should hold a list of at most {MAX_CELLS} cells, got {seen}; "
            "hand in the notebook as JupyterLab saved it."
        )
    parsed = tuple(_cell(item, name, place) for place, item in enumerate(cells, 1))
    release = inner(value, "metadata", "lab").get("release")
    return SubmittedNotebook(release if isinstance(release, str) else "", parsed)


def check_release(notebook: SubmittedNotebook, name: str, expected: str) -> None:
    """Raise SubmissionError unless the notebook was made from ``expected``."""
    if notebook.release == expected:
        return
    seen = f"release {notebook.release[:120]}" if notebook.release else "no release"
    raise SubmissionError(
        f"{name} names {seen}, but {expected} is being graded; "
        f"hand in the notebook that came with {expected}."
    )


def read_sealed(path: Path) -> dict[str, Any]:
    """Return a notebook of ours."""
    value: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return value


def rebuild(sealed: dict[str, Any], submitted: SubmittedNotebook) -> dict[str, Any]:
    """Return the sealed notebook with the trainee's answers and extra cells in it."""
    known = [cell["id"] for cell in sealed["cells"]]
    found = _places(known, submitted.cells)
    extras = _extras(found, submitted.cells)
    cells = list(_numbered(extras.get("", ()), 0))
    for cell in sealed["cells"]:
        place = found.get(cell["id"])
        cells.append(_restored(cell, None if place is None else submitted.cells[place]))
        own = sum(item["id"].startswith("extra-") for item in cells)
        cells.extend(_numbered(extras.get(cell["id"], ()), own))
    kept = {name: sealed[name] for name in ("metadata", "nbformat", "nbformat_minor")}
    return {"cells": cells} | deepcopy(kept)


def answers(notebook: Mapping[str, Any]) -> dict[str, str]:
    """Return {answer name: source} of a notebook of ours or a rebuilt one."""
    named = ((_answer_name(cell), cell) for cell in notebook["cells"])
    return {name: _joined(cell["source"]) for name, cell in named if name}


def parse_json(data: bytes, name: str) -> dict[str, Any]:
    """Return a JSON object, read strictly; anything else raises SubmissionError."""
    if len(data) > MAX_BYTES:
        raise SubmissionError(
            f"{name} has {len(data) / 1e6:.1f} MB, the limit is {MAX_BYTES / 1e6:.0f} "
            'MB; choose "Clear All Outputs", save, and hand in again.'
        )
    try:
        _refuse_crowded(data)
        value = json.loads(
            data.decode("utf-8-sig"),
            parse_constant=_refuse_constant,
            object_pairs_hook=_refuse_doubles,
        )
        _refuse_deep(value)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else error
        raise SubmissionError(
            f"{name} is not a complete notebook file ({str(reason)[:120]}); "
            "save it in JupyterLab and hand in again."
        ) from error
    if not isinstance(value, dict):
        raise SubmissionError(
            f"{name} holds a JSON {type(value).__name__}, not a notebook; "
            "hand in the .ipynb file of the release."
        )
    return value


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _refuse_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Two readers may each take another one of two equal keys.
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return value


def _refuse_crowded(data: bytes) -> None:
    if _opened(data) <= MAX_CONTAINERS:
        return
    # Brackets in texts open nothing.
    if _opened(_TEXT.sub(b"", data)) > MAX_CONTAINERS:
        raise ValueError(f"more than {MAX_CONTAINERS} lists and objects")


def _opened(data: bytes) -> int:
    return data.count(b"[") + data.count(b"{")


def _refuse_deep(value: object, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise RecursionError
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _refuse_deep(item, depth + 1)


def _check_format(value: dict[str, Any], name: str) -> None:
    seen = value.get("nbformat")
    if seen != FORMAT or isinstance(seen, bool | float):
        shown = repr(seen)[:40] if seen is not None else "none"
        raise SubmissionError(
            f"{name} has the notebook format {shown}, expected {FORMAT}; "
            "open it in this lab's JupyterLab, save it and hand in again."
        )


def _cell(item: object, name: str, place: int) -> Cell:
    value = item if isinstance(item, dict) else {}
    kind, source = value.get("cell_type"), value.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if kind not in KINDS or not isinstance(source, str):
        raise SubmissionError(
            f"{name}: cell {place} is not a notebook cell ({repr(item)[:60]}); "
            "hand in the notebook as JupyterLab saved it."
        )
    # Half of a surrogate pair is valid JSON and cannot be written to any file.
    text = source.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")
    grade_id = inner(value, "metadata", "nbgrader").get("grade_id")
    return Cell(kind, text, value.get("id"), grade_id)


def inner(value: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """Return the object at the end of a path of keys; empty where there is none."""
    for key in keys:
        found = value.get(key)
        value = found if isinstance(found, dict) else {}
    return value


def _places(known: Collection[str], cells: Sequence[Cell]) -> dict[str, int]:
    """Return {known id: place of the submitted cell}; of two equal ids the first.

    By cell id; only an id that no cell has is looked for as ``grade_id``, because old
    editors drop ids, and JupyterLab gives a pasted copy a new id but the old metadata.
    """
    found: dict[str, int] = {}
    for attribute in ("id", "grade_id"):
        taken = set(found.values())
        for place, cell in enumerate(cells):
            name = getattr(cell, attribute)
            if isinstance(name, str) and name in known and place not in taken:
                found.setdefault(name, place)
    return found


def _extras(found: Mapping[str, int], cells: Sequence[Cell]) -> dict[str, list[Cell]]:
    """Return the trainee's own cells by the known cell they followed, "" at the top."""
    known = {place: name for name, place in found.items()}
    extras: dict[str, list[Cell]] = {}
    after = ""
    for place, cell in enumerate(cells):
        after = known.get(place, after)
        if place not in known and cell.source.strip():
            extras.setdefault(after, []).append(cell)
    return extras


def _restored(cell: dict[str, Any], submitted: Cell | None) -> dict[str, Any]:
    """Return our cell; an answer cell takes the trainee's source, of any cell type."""
    restored = deepcopy(cell)
    restored["source"] = _joined(cell["source"])
    if submitted is not None and _answer_name(cell):
        restored["source"] = submitted.source
    if restored["cell_type"] == "code":
        restored |= {"outputs": [], "execution_count": None}
    return restored


def _numbered(cells: Sequence[Cell], before: int) -> Iterator[dict[str, Any]]:
    for number, cell in enumerate(cells, before + 1):
        kind = "code" if cell.kind == "code" else "markdown"
        plain: dict[str, Any] = {"cell_type": kind, "id": f"extra-{number:02d}"}
        plain |= {"metadata": {}, "source": cell.source}
        if kind == "code":
            plain |= {"outputs": [], "execution_count": None}
        yield plain


def _answer_name(cell: Mapping[str, Any]) -> str:
    return str(inner(cell, "metadata", "lab").get("answer", ""))


def _joined(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)
