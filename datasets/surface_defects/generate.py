"""Write the data of surface_defects: python generate.py [--out FOLDER].

Pictures, tasks and key come from ``parts.toml``: one seed for each part, no clock, no
network. The key is measured in the pictures: the box of a defect holds every point that
the defect changes visibly, so that it is what a careful eye finds.
"""

import argparse
import csv
import io
import json
import random
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from marks import DEFECTS, HARMLESS
from PIL import Image
from surfaces import HEIGHT, SURFACES, WIDTH, Array, focused, lit, photographed, trimmed

HERE = Path(__file__).resolve().parent
LANGUAGES = ("zh", "en")
PRACTICE, SEED, QUALITY = 2, 4050, 88
# Of 255 levels: what is seen beside the grain of the surface.
VISIBLE, FAINT = 11, 6
BAR = 16
# Sides of a colleague's boxes: below the bar, a little above it, usual.
SMALL, MIDDLING, LARGE = (5, 12), (18, 29), (34, 90)
RULES = ("clean", "cluster", "touching", "border")
Pixels = tuple[int, int, int, int]


@dataclass(frozen=True)
class Part:
    """One picture, its gold boxes, and the boxes of what only looks like a defect."""

    number: int
    picture: Image.Image
    gold: list[tuple[str, Pixels]]
    harmless: list[tuple[str, Pixels]]
    decides: str

    @property
    def image(self) -> str:
        """Where the picture lies, as a task names it."""
        return f"images/part-{self.number:02}.jpg"


def make_part(number: int, facts: dict[str, Any]) -> Part:
    """Return one part of ``parts.toml``, drawn."""
    rng = np.random.default_rng(SEED + number)
    picture = SURFACES[facts["surface"]](rng, np.array(facts["tone"], dtype=float))
    edges = facts["edges"]
    harmless = []
    for kind, at in facts["harmless"]:
        added = HARMLESS[kind](rng, at)
        picture = picture + added
        harmless.append((kind, box_of(added, edges, FAINT)))
    gold = []
    for defect in facts["defects"]:
        draw, strength = DEFECTS[defect["kind"]], defect.get("strength", 1.0)
        strokes = [draw(rng, at, strength) for at in defect["at"]]
        added = strokes[0] if len(strokes) == 1 else joined(strokes)
        picture = picture + added
        gold.append((defect["kind"], box_of(added, edges)))
    seen = photographed(rng, trimmed(lit(picture, facts["light"]), edges))
    with_bar(seen)
    image = Image.fromarray(seen)
    return Part(number, image, gold, harmless, facts.get("decides", ""))


def joined(strokes: list[Array]) -> Array:
    """Return strokes over one another: where two cross, the stronger is seen."""
    stack = np.stack(strokes)
    strongest = np.abs(stack).argmax(axis=0)[None]
    return np.take_along_axis(stack, strongest, axis=0)[0]


def box_of(added: Array, edges: list[int], least: float = VISIBLE) -> Pixels:
    """Return left, top, width, height of what is visible of a mark on the part."""
    visible = np.abs(focused(added, 0.7)).max(axis=-1) > least
    left, top, right, bottom = edges
    visible[:top], visible[HEIGHT - bottom :] = False, False
    visible[:, :left], visible[:, WIDTH - right :] = False, False
    rows, columns = np.flatnonzero(visible.any(1)), np.flatnonzero(visible.any(0))
    x, y = int(columns[0]), int(rows[0])
    return x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y


def with_bar(picture: np.ndarray[Any, Any]) -> None:
    """Draw the bar that the guideline measures with, white on black, bottom left."""
    picture[HEIGHT - 11 : HEIGHT - 3, 3 : 3 + BAR + 4] = 0
    picture[HEIGHT - 8 : HEIGHT - 6, 5 : 5 + BAR] = 255


def percent(box: Pixels) -> dict[str, float]:
    """Return a box in percent of the picture, as Label Studio keeps it."""
    x, y, width, height = box
    return {
        "x": round(100 * x / WIDTH, 4),
        "y": round(100 * y / HEIGHT, 4),
        "width": round(100 * width / WIDTH, 4),
        "height": round(100 * height / HEIGHT, 4),
    }


def task(part: Part, number: int) -> dict[str, Any]:
    """Return the task of a part."""
    return {"id": number, "data": {"image": part.image}}


def annotated(part: Part, number: int) -> dict[str, Any]:
    """Return the task with the gold boxes, as the annotation page writes it."""
    result = [
        {
            "id": f"region-{place}",
            "from_name": "defect",
            "to_name": "image",
            "type": "rectanglelabels",
            "origin": "manual",
            "value": {**percent(box), "rotation": 0, "rectanglelabels": [kind]},
            "original_width": WIDTH,
            "original_height": HEIGHT,
            "image_rotation": 0,
        }
        for place, (kind, box) in enumerate(part.gold, 1)
    ]
    annotation = {"id": number, "result": result, "was_cancelled": False}
    # No release: the same hand-in is tried on each release that comes.
    meta = {"annotator": "gold", "release": ""}
    return {**task(part, number), "meta": meta, "annotations": [annotation]}


def decided(parts: list[Part]) -> dict[str, Any]:
    """Return what the guideline decides, by rule: tasks, and near-misses as boxes."""
    numbered = list(enumerate(parts, 1))
    rules = {
        rule: [number for number, part in numbered if part.decides == rule]
        for rule in RULES
    }
    near = [
        {"task": number, "kind": kind, **percent(box)}
        for number, part in numbered
        for kind, box in part.harmless
    ]
    return {**rules, "near_misses": near}


def lines(entries: list[dict[str, Any]]) -> str:
    """Return entries as JSON, one a line."""
    compact = (",", ":")
    return "".join(json.dumps(each, separators=compact) + "\n" for each in entries)


def answers(parts: list[Part]) -> str:
    """Return the boxes of the practice parts as a table in pixels."""
    rows = [
        [part.image, kind, *box] for part in parts for kind, box in part.gold
    ]  # fmt: skip
    return table(["image", "label", "x", "y", "width", "height"], rows)


def colleague() -> str:
    """Return the boxes of a colleague on other parts; five are too small to count."""
    rng, rows = random.Random(SEED), []
    for number in range(1, 25):
        low, high = SMALL if number % 5 == 4 else MIDDLING if number % 5 == 1 else LARGE
        width, height = rng.randint(low, high), rng.randint(low, high)
        x, y = rng.randint(0, 380), rng.randint(0, 260)
        rows.append([f"b{number:02}", rng.choice(list(DEFECTS)), x, y, width, height])
    # Thin and long: it counts, as the longer side decides.
    rows[6][4:] = [9, 74]
    return table(["box", "label", "x", "y", "width", "height"], rows)


def table(header: list[str], rows: list[list[Any]]) -> str:
    """Return a CSV table."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    return stream.getvalue()


def write(path: Path, text: str) -> None:
    """Write a text file: UTF-8, line feeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def write_language(out: Path, language: str, parts: list[Part]) -> None:
    """Write tasks and key of one language; the pictures have no language."""
    practice, counted = parts[:PRACTICE], parts[PRACTICE:]
    data, key = out / "data" / language, out / "key" / language
    for folder, name, chosen in (
        (data, "practice", practice),
        (data, "tasks", counted),
    ):
        tasks = [task(part, number) for number, part in enumerate(chosen, 1)]
        write(folder / f"{name}.jsonl", lines(tasks))
    write(data / "practice_answers.csv", answers(practice))
    write(data / "colleague.csv", colleague())
    gold = lines([annotated(part, n) for n, part in enumerate(counted, 1)])
    own = lines([annotated(part, n) for n, part in enumerate(practice, 1)])
    write(key / "gold.jsonl", gold)
    write(key / "decided.json", json.dumps(decided(counted), indent=1) + "\n")
    write(key / "by_hand" / "boxes.jsonl", gold)
    write(key / "by_hand" / "practice_boxes.jsonl", own)


def main() -> None:
    """Write every file of the scenario that is made by rule."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE, help="default: in place")
    out = parser.parse_args().out
    facts = tomllib.loads((HERE / "parts.toml").read_text(encoding="utf-8"))["parts"]
    parts = [make_part(number, each) for number, each in enumerate(facts, 1)]
    for part in parts:
        path = out / "data" / "shared" / part.image
        path.parent.mkdir(parents=True, exist_ok=True)
        part.picture.save(path, quality=QUALITY, subsampling=0)
    for language in LANGUAGES:
        write_language(out, language, parts)


if __name__ == "__main__":
    main()
