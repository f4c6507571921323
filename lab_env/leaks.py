"""Find what must not leave with a release, in the bytes that leave.

Covered: solution lines, markers, hidden labels beside their ids or as a column, lines
of a JSON key, source of closed rows, the recipe, outputs of cells; in every file, in
notebook metadata and attachments, whatever the white space.
Not covered: a solution in other words, a picture of one, an archive within a file.
"""

import base64
import binascii
import csv
import io
import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from lab_env.assemble import SECRET_TABLES
from lab_env.errors import GateError
from lab_env.files import regular_files
from lab_env.open_rows import closed_statements
from lab_env.readers import read_csv
from lab_env.release import Release
from lab_env.solutions import regions_of, replace_regions, solution_lines

SHORTEST_SOLUTION, SHORTEST_ROW, SHORTEST_KEY = 8, 16, 40
MARKERS = ("### BEGIN SOLUTION", "### END SOLUTION", "# starter:")
# A column that agrees this often with the hidden labels is the hidden labels.
TELLING_SHARE = 0.9
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{16,}={0,2}\s*")


@dataclass(frozen=True)
class Secret:
    """Some text that stays, as a person and as a search sees it."""

    what: str
    shown: str
    packed: bytes


def secrets_of(sources: list[NotebookNode], grader: str) -> tuple[Secret, ...]:
    """Return the markers, the solution lines and the closed rows' lines."""
    given = b"\n".join(
        _packed(replace_regions(cell.source, lambda _: []))
        for notebook in sources
        for cell in notebook.cells
        if cell.cell_type == "code"
    )
    found = [Secret("a solution marker", text, _packed(text)) for text in MARKERS]
    for notebook in sources:
        for cell in notebook.cells:
            for region in regions_of(cell.source):
                lines = solution_lines(region)
                what = f'a line of the solution of "{cell.id}"'
                found += _lines(what, lines, SHORTEST_SOLUTION, given)
    closed = list(closed_statements(grader))
    found += _lines("a line of a closed row", closed, SHORTEST_ROW, given)
    return tuple(found)


def check_leaks(release: Release, secrets: tuple[Secret, ...]) -> None:
    """Raise GateError at the first secret found in what trainees get."""
    labels, key = _hidden_labels(release.key), list(_key_lines(release.key))
    for path in regular_files(release.released):
        name = path.relative_to(release.released).as_posix()
        data = path.read_bytes()
        _check_whole(release, name, data)
        packed = _packed_file(name, data)
        for secret in (*secrets, *key):
            if secret.packed in packed:
                raise _leak(release, name, f"{secret.what} ({secret.shown[:60]!r})")
        if name.endswith(".csv"):
            _check_columns(release, name, data, labels)
        if name != "data/heldout.csv":
            _check_pairs(release, name, data, labels)


def _lines(
    what: str, lines: list[str], shortest: int, given: bytes
) -> Iterator[Secret]:
    for line in lines:
        text, packed = line.strip(), _packed(line)
        # A comment within a solution is shown with the starter.
        if len(packed) >= shortest and packed not in given and text[0] != "#":
            yield Secret(what, text, packed)


def _packed(text: str) -> bytes:
    return "".join(text.split()).encode("utf-8")


def _packed_file(name: str, data: bytes) -> bytes:
    parts = [data]
    if name.endswith((".ipynb", ".json")):
        parts += [text.encode("utf-8") for text in _strings(json.loads(data))]
        parts += [_decoded(part) for part in parts[1:]]
    return b"\n".join(part.translate(None, b" \t\r\n\f\v") for part in parts)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        # The lines of a notebook's cell are one text.
        if all(isinstance(item, str) for item in value):
            yield "".join(value)
        else:
            for item in value:
                yield from _strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)


def _decoded(part: bytes) -> bytes:
    try:
        text = part.decode("ascii")
        return base64.b64decode(text) if _BASE64.fullmatch(text) else b""
    except (UnicodeDecodeError, binascii.Error):
        return b""


def _check_whole(release: Release, name: str, data: bytes) -> None:
    if name == "scenario.toml":
        for table in set(SECRET_TABLES) & set(tomllib.loads(data.decode("utf-8"))):
            raise _leak(release, name, f"the table [{table}]")
    if name.endswith(".ipynb"):
        for cell in json.loads(data)["cells"]:
            if cell.get("outputs") or cell.get("execution_count") is not None:
                raise _leak(release, name, f'outputs in the cell "{cell["id"]}"')


def _key_lines(key: Path) -> Iterator[Secret]:
    """Yield each line of a key that is written by hand or by rule, not a table."""
    for path in regular_files(key):
        if path.suffix not in (".jsonl", ".json"):
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            packed = _packed(line)
            if len(packed) >= SHORTEST_KEY:
                name = path.relative_to(key).as_posix()
                yield Secret(f"a line of the key {name}", line.strip(), packed)


def _hidden_labels(key: Path) -> dict[str, str]:
    if not (key / "heldout.csv").is_file():
        return {}
    rows = read_csv(key, "heldout.csv", ["id"])
    column = next(name for name in rows[0] if name != "id")
    return {row["id"]: row[column] for row in rows}


def _check_columns(
    release: Release, name: str, data: bytes, labels: dict[str, str]
) -> None:
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    hidden = [row for row in rows if row.get("id") in labels]
    for column in hidden[0] if hidden else ():
        agreeing = sum(row[column] == labels[row["id"]] for row in hidden)
        if agreeing >= TELLING_SHARE * len(hidden):
            raise _leak(release, name, f'the hidden labels in the column "{column}"')


def _check_pairs(
    release: Release, name: str, data: bytes, labels: dict[str, str]
) -> None:
    text = data.decode("utf-8", "replace")
    for id_, label in labels.items():
        start = text.find(id_)
        if start < 0:
            continue
        one, other = re.escape(id_), re.escape(label)
        near = r"[\s\S]{1,16}?"
        pair = rf"{one}{near}(?<!\w){other}(?!\w)|(?<!\w){other}(?!\w){near}{one}"
        if re.search(pair, text):
            raise _leak(release, name, f'the hidden label "{label}" of {id_}')


def _leak(release: Release, name: str, what: str) -> GateError:
    return GateError(
        f"{release.id}: {name} holds {what}, which must stay sealed; take it out of"
        " what trainees get."
    )
