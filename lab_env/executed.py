"""What cells of a submission printed, made harmless for an examiner's browser.

Covered: HTML, script, SVG, widgets, huge outputs, pictures that fill the memory, what
steers a terminal, forged sources and metadata.
Not covered: what a text says, or a picture shows.
"""

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from lab_env.errors import SubmissionError
from lab_env.notebook_file import inner, parse_json

_PNG = b"\x89PNG\r\n\x1a\n"
# Of what steers a terminal only colours and the ends of lines are kept.
_STEERS = re.compile(
    r"\x1b(?!\[[\d;]*m)|[\x00-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]"
)
_PICTURE = re.compile(r"[A-Za-z0-9+/=\s]*")
OUTPUT_CHARACTERS = 20_000
PICTURE_CHARACTERS = 2_000_000
# A few KB may unpack to more than a browser can hold.
PICTURE_PIXELS = 40_000_000
NOTEBOOK_CHARACTERS = 8_000_000


def with_outputs(notebook: dict[str, Any], executed: bytes) -> dict[str, Any]:
    """Return our notebook with the harmless part of what its cells printed.

    ``executed`` comes out of room A: only outputs are taken, by cell id, reduced to
    plain text, PNG, streams and errors, and cut to a size.
    """
    try:
        cells = parse_json(executed, "executed.ipynb").get("cells")
    except SubmissionError:
        return notebook
    printed: dict[object, Any] = {}
    for cell in cells if isinstance(cells, list) else ():
        if isinstance(cell, dict) and isinstance(cell.get("id"), str):
            printed.setdefault(cell["id"], cell.get("outputs"))
    left = NOTEBOOK_CHARACTERS
    for cell in notebook["cells"]:
        outputs = printed.get(cell["id"])
        if cell["cell_type"] != "code" or not isinstance(outputs, list):
            continue
        for output in filter(None, map(_harmless, outputs[:50])):
            left -= len(json.dumps(output))
            if left > 0:
                cell["outputs"].append(output)
    return notebook


def _harmless(output: object) -> dict[str, Any] | None:
    value = output if isinstance(output, dict) else {}
    match value.get("output_type"):
        case "stream":
            name = "stderr" if value.get("name") == "stderr" else "stdout"
            text = _cut(value.get("text"))
            return {"output_type": "stream", "name": name, "text": text}
        case "error":
            lines = value.get("traceback")
            shown = lines[-30:] if isinstance(lines, list) else []
            words = {name: _cut(value.get(name)) for name in ("ename", "evalue")}
            trace = {"traceback": [_cut(line) for line in shown]}
            return {"output_type": "error"} | words | trace
        case "display_data" | "execute_result":
            data = _pictures_and_text(inner(value, "data"))
            return {"output_type": "display_data", "metadata": {}, "data": data}
    return None


def _pictures_and_text(data: Mapping[str, Any]) -> dict[str, str]:
    kept = {"text/plain": _cut(data.get("text/plain"))}
    picture = _text(data.get("image/png"))
    short = len(picture) <= PICTURE_CHARACTERS and _PICTURE.fullmatch(picture)
    if short and 0 < _pixels(picture) <= PICTURE_PIXELS:
        kept["image/png"] = picture
    return kept


def _pixels(picture: str) -> int:
    """Return the pixels that a PNG says it has; 0 if it is none."""
    head = b64decode("".join(picture[:100].split())[:32] + "====")
    width, height = (int.from_bytes(head[at : at + 4]) for at in (16, 20))
    return width * height if head.startswith(_PNG) else 0


def _text(value: object) -> str:
    if isinstance(value, list):
        value = "".join(line for line in value if isinstance(line, str))
    text = value if isinstance(value, str) else ""
    return _STEERS.sub("", text.encode("utf-8", "replace").decode("utf-8"))


def _cut(value: object) -> str:
    text = _text(value)
    return text if len(text) <= OUTPUT_CHARACTERS else f"{text[:OUTPUT_CHARACTERS]} …"


def first_error(notebook: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return (cell id, error name) of the first cell that failed; None for a blank."""
    for cell in notebook["cells"]:
        for error in (out for out in cell.get("outputs", ()) if "ename" in out):
            name = re.sub(r"\W", "", error["ename"])[:40] or "error"
            return None if "____" in cell["source"] else (cell["id"], name)
    return None
