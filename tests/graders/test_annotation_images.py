"""The mark sheet of annotation_images gives points for the boxes and nothing else."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab_env.files import content_folder, write_json
from lab_env.lab import load_lab
from lab_env.marksheet import MarkSheet, Row, mark
from lab_env.mistakes import Mistake, load_mistakes
from lab_env.open_rows import open_codes
from lab_env.release import load_checks
from lab_env.scenario import read_scenario
from lab_env.submission import Submission, TrustedFiles

GRADER = content_folder("graders") / "annotation_images.py"
CHECKS = load_checks(GRADER)
SCENARIO = content_folder("datasets") / "surface_defects"
MISTAKES = load_mistakes(load_lab("annotation_images").folder / "mistakes.py")
RELEASE = "annotation_images-surface_defects-en-r7"
OPEN = {"M1", "M2", "M3", "M4", "M5", "M15", "M16", "M17"}
QUALITY = {f"M{number}" for number in range(6, 15)}
TOO_SMALL = ["b04", "b09", "b14", "b19", "b24"]
COUNTS = {"scratch": 9, "dent": 8, "stain": 7, "crack": 6}
Entry = dict[str, Any]


def write_gold(folder: Path) -> None:
    """Write a release without its pictures, the key, and faultless work."""
    shutil.copytree(SCENARIO / "data" / "en", folder / "released" / "data")
    write_json(folder / "released" / "release.json", {"release": RELEASE})
    shutil.copytree(SCENARIO / "key" / "en", folder / "key")
    shutil.copytree(folder / "key" / "by_hand", folder, dirs_exist_ok=True)
    write_json(folder / "counts.json", {"boxes_per_class": COUNTS})
    write_json(folder / "iou.json", {"iou": 4800 / 16800})
    write_json(folder / "too_small.json", {"boxes": TOO_SMALL})


def submission_of(folder: Path) -> Submission:
    """Return the submission in ``folder`` beside the release in it."""
    starters = dict.fromkeys(("hard_case", "second_annotator"), "starter")
    return Submission(
        folder,
        TrustedFiles(folder / "released"),
        read_scenario(SCENARIO / "scenario.toml"),
        "en",
        dict.fromkeys(starters, "an answer"),
        starters,
        key=TrustedFiles(folder / "key"),
    )


def rows_of(folder: Path) -> dict[str, Row]:
    """Return the marked rows by code."""
    return {row.code: row for row in mark(CHECKS, submission_of(folder))}


def points(rows: dict[str, Row]) -> float:
    """Return the machine's points."""
    return MarkSheet.given(row for row in rows.values() if not row.by_hand)


def read(folder: Path) -> list[Entry]:
    """Return the lines of boxes.jsonl."""
    text = (folder / "boxes.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def write(folder: Path, tasks: list[Entry]) -> None:
    """Write boxes.jsonl."""
    lines = "".join(json.dumps(task) + "\n" for task in tasks)
    (folder / "boxes.jsonl").write_text(lines, encoding="utf-8")


def result(task: Entry) -> list[Entry]:
    """Return the regions of one line."""
    regions: list[Entry] = task["annotations"][0]["result"]
    return regions


def region(x: float, y: float, width: float, height: float) -> Entry:
    """Return a box of the class stain."""
    place = {"x": x, "y": y, "width": width, "height": height, "rotation": 0}
    return {
        "from_name": "defect",
        "to_name": "image",
        "type": "rectanglelabels",
        "original_width": 480,
        "original_height": 360,
        "value": place | {"rectanglelabels": ["stain"]},
    }


@pytest.fixture(scope="session")
def gold_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a release and faultless work, not to be changed."""
    folder = tmp_path_factory.mktemp("gold_images")
    write_gold(folder)
    return folder


@pytest.fixture
def work(gold_images: Path, tmp_path: Path) -> Path:
    """Return a copy of the faultless work."""
    return shutil.copytree(gold_images, tmp_path / "work")


def test_points_sum_to_a_hundred_with_ten_by_hand() -> None:
    """All rows together are 100 points, 10 of them given by a person."""
    assert sum(check.points for check in CHECKS) == 100
    assert sum(check.points for check in CHECKS if check.by_hand) == 10


def test_only_rows_without_key_are_open() -> None:
    """The notebook answers form and calculations, and nothing that asks the key."""
    assert set(open_codes(GRADER.read_text("utf-8"))) == OPEN


def test_gold_gets_every_machine_point(gold_images: Path) -> None:
    """Faultless work gets 90 points, and two rows wait for a person."""
    rows = rows_of(gold_images)
    waiting = [row.code for row in rows.values() if row.outcome == "awaiting marking"]
    assert points(rows) == 90
    assert waiting == ["J1", "J2"]


def test_untouched_release_is_not_attempted(work: Path) -> None:
    """An empty hand-in scores 0 and every row says that it was not attempted."""
    empty = work / "nothing"
    empty.mkdir()
    submission = submission_of(work)
    rows = mark(CHECKS, replace(submission, folder=empty, answers=submission.starters))
    assert {(row.outcome, row.given) for row in rows} == {("not attempted", 0.0)}


@pytest.mark.parametrize(
    "mistake",
    [mistake for mistake in MISTAKES if mistake.by_hand],
    ids=lambda mistake: mistake.name,
)
def test_mistake_with_the_mouse_loses_its_rows(work: Path, mistake: Mistake) -> None:
    """Every named mistake of the hand loses the rows that it names."""
    assert mistake.by_hand is not None
    mistake.by_hand(work)
    rows = rows_of(work)
    assert [c for c in mistake.loses if rows[c].given == rows[c].points] == []
    assert "broken" not in {row.outcome for row in rows.values()}


# Follows from the sheet: 90 less whole rows, none of them lost in part.
GIVEN = {
    "boxes_one_third_off": 28.0,
    "boxes_twice_too_large": 28.0,
    "all_one_class": 76.0,
    "classes_swapped": 76.0,
    "picture_as_one_box": 25.0,
    "nothing_boxed": 22.0,
    "boxes_short_of_the_border": 88.0,
    "file_of_another_release": 14.0,
    "practice_left_out": 87.0,
}


@pytest.mark.parametrize("name", GIVEN)
def test_mistake_gets_the_points_foretold(work: Path, name: str) -> None:
    """A typical mistake costs the rows that it spoils, and nothing else."""
    mistake = next(each for each in MISTAKES if each.name == name)
    assert mistake.by_hand is not None
    mistake.by_hand(work)
    # The notebook counts what the file holds.
    counts: dict[str, int] = {}
    for task in read(work):
        for each in result(task):
            code = each["value"]["rectanglelabels"][0]
            counts[code] = counts.get(code, 0) + 1
    write_json(work / "counts.json", {"boxes_per_class": counts})
    assert points(rows_of(work)) == pytest.approx(GIVEN[name], abs=0.05)


def test_half_of_the_work_does_not_pass(work: Path) -> None:
    """The first half, faultless, is clearly less than 60 of 100 with all by hand."""
    write(work, read(work)[:11])
    assert points(rows_of(work)) + 10 < 65


def test_three_pixels_of_margin_cost_nothing(work: Path) -> None:
    """The margin that the guideline allows earns all points."""
    tasks = read(work)
    for task in tasks:
        for each in result(task):
            value = each["value"]
            for at, size, margin in (("x", "width", 0.625), ("y", "height", 0.833)):
                end = min(100.0, value[at] + value[size] + margin)
                value[at] = max(0.0, value[at] - margin)
                value[size] = end - value[at]
    write(work, tasks)
    assert points(rows_of(work)) == 90


def test_a_box_on_a_screw_hole_costs_a_sixth_of_its_row(work: Path) -> None:
    """One near-miss that is boxed costs a sixth of M12, and nothing of M13."""
    tasks = read(work)
    hole = next(
        near
        for near in json.loads((work / "key/decided.json").read_text("utf-8"))[
            "near_misses"
        ]
        if near["kind"] == "hole"
    )
    place = (hole["x"], hole["y"], hole["width"], hole["height"])
    result(tasks[hole["task"] - 1]).append(region(*place))
    write(work, tasks)
    rows = rows_of(work)
    assert rows["M12"].given == pytest.approx(4 * 5 / 6, abs=0.05)
    assert rows["M13"].given == 4


def test_a_loose_box_is_no_near_miss(work: Path) -> None:
    """A box that was meant for a defect is not counted as a reflection boxed."""
    mistake = next(m for m in MISTAKES if m.name == "boxes_with_a_wide_margin")
    assert mistake.by_hand is not None
    mistake.by_hand(work)
    rows = rows_of(work)
    assert rows["M12"].given == 4
    assert 0 < (rows["M8"].given or 0) < 14


def test_skipping_is_not_submitting(work: Path) -> None:
    """Clean parts that were skipped, not submitted, count as not done."""
    tasks = read(work)
    for task in tasks:
        task["annotations"][0]["was_cancelled"] = not result(task)
    write(work, tasks)
    rows = rows_of(work)
    assert rows["M11"].given == 0
    assert rows["M3"].given == pytest.approx(6 * 17 / 22, abs=0.05)


def spoiled_value(**changes: Any) -> Callable[[Entry], None]:
    """Return what changes the first box of a line."""
    return lambda task: result(task)[0]["value"].update(changes)


HOSTILE: dict[str, Callable[[Entry], None]] = {
    "not a number": spoiled_value(x=float("nan")),
    "outside the picture": spoiled_value(width=180),
    "unknown class": spoiled_value(rectanglelabels=["reflection"]),
    "two classes": spoiled_value(rectanglelabels=["dent", "stain"]),
    "turned": spoiled_value(rotation=45),
    "huge number": spoiled_value(x=10**400),
    "another picture": lambda task: task.update(data={"image": "key/gold.jsonl"}),
    "unknown task": lambda task: task.update(id=999),
    "no annotation": lambda task: task.update(annotations=[]),
    "many boxes": lambda task: result(task).extend(result(task) * 600),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_line_that_is_wrong_loses_its_row_and_not_the_others(
    work: Path, name: str
) -> None:
    """A bad line fails M2 and counts as not done; the other 21 still count."""
    tasks = read(work)
    HOSTILE[name](tasks[0])
    write(work, tasks)
    rows = rows_of(work)
    assert rows["M2"].outcome == "failed"
    assert rows["M3"].given == pytest.approx(6 * 21 / 22, abs=0.05)
    assert rows["M6"].given == 12
    assert "broken" not in {row.outcome for row in rows.values()}


HOSTILE_TEXT = ("{", "null", "[]\n" * 50, "[" * 5000, '{"id": 1}', "\x00", "NaN")


@pytest.mark.parametrize("text", HOSTILE_TEXT)
def test_files_that_are_no_annotations_gain_nothing(work: Path, text: str) -> None:
    """Odd text in every deliverable breaks no row and gives no point."""
    for name in ("boxes.jsonl", "practice_boxes.jsonl", "counts.json"):
        (work / name).write_text(text, encoding="utf-8")
    for name in ("iou.json", "too_small.json"):
        (work / name).write_text(text, encoding="utf-8")
    rows = rows_of(work)
    assert "broken" not in {row.outcome for row in rows.values()}
    # No line was of another release: there is none that could be read.
    assert {row.code for row in rows.values() if row.given} <= {"M4"}


def test_many_boxes_gain_nothing(work: Path) -> None:
    """Covering a picture with a grid of boxes finds next to nothing."""
    tasks = read(work)
    for task in tasks:
        result(task)[:] = [
            region(x, y, 20, 20) for x in range(0, 81, 10) for y in range(0, 81, 10)
        ]
    write(work, tasks)
    rows = rows_of(work)
    assert sum(rows[code].given or 0 for code in QUALITY) < 10


def test_common_slip_with_iou_has_its_hint(work: Path) -> None:
    """Who counts the common part twice is told so."""
    write_json(work / "iou.json", {"iou": 4800 / 21600})
    row = rows_of(work)["M16"]
    assert row.message is not None
    assert "counted twice" in row.message.en


def test_link_to_the_key_is_not_followed(work: Path) -> None:
    """A link as deliverable earns nothing."""
    (work / "boxes.jsonl").unlink()
    (work / "boxes.jsonl").symlink_to(work / "key" / "gold.jsonl")
    rows = rows_of(work)
    assert {rows[code].given for code in QUALITY} == {0.0}


def test_missing_key_is_our_fault(work: Path) -> None:
    """Without the key the closed rows are broken: neither zero nor full."""
    (work / "key" / "gold.jsonl").unlink()
    rows = rows_of(work)
    assert {rows[code].outcome for code in QUALITY} == {"broken"}
    assert {rows[code].given for code in QUALITY} == {None}
