"""Facts about the scenario surface_defects: its bytes, its boxes, its card."""

import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lab_env.annotations.graded import read_gold
from lab_env.annotations.labelling import read_labelling
from lab_env.annotations.matching import box_iou
from lab_env.annotations.results import Box
from lab_env.annotations.tasks import check_tasks, read_tasks

FOLDER = Path(__file__).parents[2] / "datasets" / "surface_defects"
SCENARIO = tomllib.loads((FOLDER / "scenario.toml").read_text("utf-8"))
CODES = [label["code"] for label in SCENARIO["labels"]]
CARD = (FOLDER / "README.md").read_text("utf-8")
HEADINGS = [
    "Source", "How it was made", "Licence", "Columns", "Splits and sizes",
    "Label scheme", "Known limits", "Checksums", "Versions",
]  # fmt: skip
BAR, SIZE = 16, (480, 360)
both_languages = pytest.mark.parametrize("language", ["zh", "en"])
Boxes = dict[int, list[Box]]


def data_files() -> list[Path]:
    """Return every data and key file, relative to the scenario."""
    found = [*FOLDER.glob("data/**/*"), *FOLDER.glob("key/**/*")]
    return sorted(path.relative_to(FOLDER) for path in found if path.is_file())


def gold(language: str) -> Boxes:
    """Return the gold boxes by task."""
    data = FOLDER / "data" / language
    labelling = read_labelling((data / "boxes.xml").read_text("utf-8"))
    tasks = read_tasks(data / "tasks.jsonl")
    items = read_gold(FOLDER / "key" / language / "gold.jsonl", tasks, labelling)
    return {
        key: [region for region in item.regions if isinstance(region, Box)]
        for key, item in items.items()
    }


def decided(language: str) -> dict[str, Any]:
    """Return what the guideline decides."""
    text = (FOLDER / "key" / language / "decided.json").read_text("utf-8")
    facts: dict[str, Any] = json.loads(text)
    return facts


def gap(one: Box, other: Box) -> float:
    """Return how many pixels lie between two boxes; 0 where they touch."""
    (x, y, w, h), (u, v, s, t) = one.pixels, other.pixels
    across = max(0.0, u - x - w, x - u - s)
    down = max(0.0, v - y - h, y - v - t)
    return float(np.hypot(across, down))


@pytest.fixture(scope="module")
def regenerated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the generator has just written everything."""
    folder = tmp_path_factory.mktemp("surface_defects")
    script = FOLDER / "generate.py"
    subprocess.run([sys.executable, script, "--out", folder], check=True)
    return folder


def test_generator_writes_the_committed_tables_and_key(regenerated: Path) -> None:
    """Running the generator again gives every text file, byte for byte."""
    for path in data_files():
        if path.suffix not in (".jpg", ".xml"):
            made = (regenerated / path).read_bytes()
            assert made == (FOLDER / path).read_bytes(), path


def test_generator_draws_the_committed_pictures(regenerated: Path) -> None:
    """Every picture comes out the same, but for what another JPEG writer may round."""
    pictures = [path for path in data_files() if path.suffix == ".jpg"]
    assert len(pictures) == 24
    for path in pictures:
        made, kept = (Image.open(root / path) for root in (regenerated, FOLDER))
        assert made.size == kept.size == SIZE
        apart = np.abs(np.asarray(made, int) - np.asarray(kept, int))
        assert apart.mean() < 0.5, path


def test_the_data_set_is_small() -> None:
    """All data and the key together have less than three megabytes."""
    assert sum((FOLDER / path).stat().st_size for path in data_files()) < 3_000_000


def test_card_has_its_headings() -> None:
    """The dataset card has every section a reader looks for, in order."""
    assert re.findall(r"^## (.+)$", CARD, re.MULTILINE) == HEADINGS


def test_card_checksums_hold() -> None:
    """The card lists every data and key file with its true sha256."""
    listed = dict(re.findall(r"`((?:data|key)/\S+)` \| `([0-9a-f]{64})`", CARD))
    assert listed == {
        str(path): hashlib.sha256((FOLDER / path).read_bytes()).hexdigest()
        for path in data_files()
    }


def test_card_counts_the_boxes() -> None:
    """The card gives the number of gold boxes of every class."""
    there = Counter(box.codes[0] for boxes in gold("zh").values() for box in boxes)
    listed = re.findall(r"^\| `(\w+)` \| .+ \| (\d+) \|$", CARD, re.MULTILINE)
    assert {code: int(count) for code, count in listed} == dict(there)


@both_languages
def test_tasks_name_pictures_that_are_there(language: str) -> None:
    """Every task of both files shows a picture of the shared folder."""
    data = FOLDER / "data" / language
    labelling = read_labelling((data / "boxes.xml").read_text("utf-8"))
    for name, count in (("practice.jsonl", 2), ("tasks.jsonl", 22)):
        tasks = read_tasks(data / name)
        check_tasks(tasks, labelling, FOLDER / "data" / "shared")
        assert len(tasks) == count


@both_languages
def test_configuration_asks_for_the_label_scheme(language: str) -> None:
    """The configuration has the classes of scenario.toml, by code and by name."""
    xml = (FOLDER / "data" / language / "boxes.xml").read_text("utf-8")
    control = read_labelling(xml).control(SCENARIO["columns"]["control"])
    names = [label[language] for label in SCENARIO["labels"]]
    assert list(control.codes) == CODES
    assert [option.value for option in control.options] == names
    # Else a part without a defect could not be submitted.
    assert not control.required


def test_languages_share_pictures_and_key() -> None:
    """Boxes know no language: both have the same tasks and the same key."""
    assert gold("zh") == gold("en")
    assert decided("zh") == decided("en")


def test_every_class_has_enough_boxes() -> None:
    """Each class has six gold boxes or more, none more than a third of all."""
    codes = [box.codes[0] for boxes in gold("zh").values() for box in boxes]
    counts = Counter(codes)
    assert set(counts) == set(CODES)
    assert min(counts.values()) >= 6
    assert max(counts.values()) <= len(codes) / 3


def test_no_defect_is_near_the_limit_of_size() -> None:
    """The shorter side of every gold box is more than twice the bar."""
    for boxes in gold("zh").values():
        for box in boxes:
            assert min(box.pixels[2:]) > 2 * BAR


def test_what_is_allowed_earns_all_points() -> None:
    """With the 3 pixels of margin that G8 allows, the mean IoU is above 0.8."""
    shares = []
    for boxes in gold("zh").values():
        for box in boxes:
            across, down = 300 / SIZE[0], 300 / SIZE[1]
            place = (box.x - across, box.y - down)
            size = (box.width + 2 * across, box.height + 2 * down)
            loose = Box("", "", *place, *size, box.codes, *SIZE)
            shares.append(box_iou(box, loose))
    assert sum(shares) / len(shares) > SCENARIO["curves"]["zh"]["iou"]["full"]


def test_rules_decide_without_doubt() -> None:
    """Boxes of one class in one picture are apart by far more than the bar."""
    for boxes in gold("zh").values():
        for one, other in combinations(boxes, 2):
            if one.codes == other.codes:
                assert gap(one, other) > 1.5 * BAR


def test_touching_parts_have_two_classes_that_touch() -> None:
    """Where G10 is asked for, two boxes of different classes touch."""
    boxes = gold("zh")
    for task in decided("zh")["touching"]:
        one, other = boxes[task]
        assert one.codes != other.codes
        assert gap(one, other) == 0


def test_clean_parts_have_no_box_and_border_parts_reach_the_border() -> None:
    """What decided.json says of clean parts and of borders is what the key has."""
    boxes, rules = gold("zh"), decided("zh")
    assert [key for key, each in boxes.items() if not each] == rules["clean"]
    for task in rules["border"]:
        ends = [(b.x, b.y, 100 - b.x - b.width, 100 - b.y - b.height)
                for b in boxes[task]]  # fmt: skip
        assert any(min(each) < 0.01 for each in ends)


def test_no_near_miss_hides_a_defect_of_its_size() -> None:
    """No gold box could be taken for the box of a near-miss."""
    boxes = gold("zh")
    for near in decided("zh")["near_misses"]:
        place = (near["x"], near["y"], near["width"], near["height"])
        other = Box("", "", *place, ("",), *SIZE)
        assert all(box_iou(box, other) < 0.3 for box in boxes[near["task"]])


@both_languages
def test_guideline_states_its_rules_once_and_cites_only_those(language: str) -> None:
    """The rules are G1 to G13, and the bar is as long as the pictures have it."""
    text = (FOLDER / f"guideline.{language}.md").read_text("utf-8")
    stated = re.findall(r"\*\*(G\d+)", text)
    assert stated == [f"G{number}" for number in range(1, 14)]
    assert set(re.findall(r"G\d+", text)) <= set(stated)
    assert f"{BAR} " in text
    assert all(f"`{code}`" in text for code in CODES)


def test_every_picture_has_the_bar() -> None:
    """The white bar at the bottom left is 16 pixels long in every picture."""
    for path in FOLDER.glob("data/shared/images/*.jpg"):
        row = np.asarray(Image.open(path).convert("L"), int)[SIZE[1] - 7, :60]
        assert abs(int((row[:25] > 210).sum()) - BAR) <= 1, path.name


@both_languages
def test_colleague_drew_five_boxes_that_are_too_small(language: str) -> None:
    """Five of the colleague's boxes are shorter than the bar, none by a hair."""
    text = (FOLDER / "data" / language / "colleague.csv").read_text("utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    longest = [max(int(row["width"]), int(row["height"])) for row in rows]
    assert len(rows) == 24
    assert sum(side < BAR for side in longest) == 5
    assert all(abs(side - BAR) > 1 for side in longest)
