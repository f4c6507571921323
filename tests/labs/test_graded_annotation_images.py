"""Facts about annotation_images, published and graded for real in the two rooms."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from annotation_files import Line, read_lines, result_of, write_lines
from published_lab import Candidate, PublishedLab, Spoil, misjudged, publish_lab

from lab_env.build import gold_answers
from lab_env.lab import load_lab
from lab_env.marksheet import MarkSheet
from lab_env.mistakes import load_mistakes
from lab_env.scenario import read_scenario, scenario_folder

LAB, SCENARIO = "annotation_images", "surface_defects"
Sheets = dict[str, MarkSheet]
MISTAKES = {
    each.name: each for each in load_mistakes(load_lab(LAB).folder / "mistakes.py")
}


def edited(change: Callable[[list[Line]], None]) -> Spoil:
    """Return what changes the lines of boxes.jsonl in place."""

    def spoil(folder: Path) -> None:
        tasks = read_lines(folder / "boxes.jsonl")
        change(tasks)
        write_lines(folder / "boxes.jsonl", tasks)

    return spoil


def slips(tasks: list[Line]) -> None:
    """Make three slips of a careful beginner: one missed, one wrong, one too much."""
    regions = [result_of(task) for task in tasks]
    box = regions[11][1]["value"]
    assert box["rectanglelabels"] == ["stain"]
    box["rectanglelabels"] = ["dent"]
    regions[19].pop()
    place = {"x": 22, "y": 18, "width": 27, "height": 30}
    lamp = json.loads(json.dumps(regions[0][0]))
    lamp["value"] |= place
    regions[5].append(lamp)


def hurry(folder: Path) -> None:
    """Draw loose boxes, and stop after fifteen pictures."""
    mistaken("boxes_with_a_wide_margin")(folder)
    edited(lambda tasks: tasks.__delitem__(slice(15, None)))(folder)


def half(folder: Path) -> None:
    """Stop after eleven pictures."""
    edited(lambda tasks: tasks.__delitem__(slice(11, None)))(folder)


def nothing_drawn(folder: Path) -> None:
    """Leave no file behind."""
    for path in folder.glob("*.jsonl"):
        path.unlink()


def mistaken(name: str) -> Spoil:
    """Return what a named mistake of the lab does to the files."""
    spoil = MISTAKES[name].by_hand
    assert spoil is not None
    return spoil


BLANKS = tuple(
    gold_answers(
        load_lab(LAB), read_scenario(scenario_folder(SCENARIO) / "scenario.toml"), "zh"
    )
)
# 90 machine points, less what each row says of the slips made.
PEOPLE = (
    Candidate("excellent", 90, 90),
    # A fifth of M11 and a sixth of M12 for the lamp; the other slips are within
    # what the curves forgive.
    Candidate("careful", 88.4, 88.6, edited(slips), loses=("M11", "M12")),
    Candidate(
        "hurried",
        45,
        65,
        hurry,
        {"iou": "together = area_first + area_second"},
        loses=("M3", "M6", "M8", "M16"),
    ),
    Candidate(
        "half-without-code",
        30,
        50,
        half,
        left=BLANKS,
        loses=("M3", "M6", "M15", "M16", "M17"),
    ),
    Candidate(
        "one-third-off", 28, 28, mistaken("boxes_one_third_off"), loses=("M6", "M8")
    ),
    Candidate("swapped", 76, 76, mistaken("classes_swapped"), loses=("M9", "M10")),
    Candidate(
        "of-another",
        14,
        14,
        mistaken("file_of_another_release"),
        loses=("M3", "M4", "M6", "M15"),
    ),
    Candidate("untouched", 0, 0, nothing_drawn, left=BLANKS),
)


@pytest.fixture(scope="module")
def published_lab(tmp_path_factory: pytest.TempPathFactory) -> PublishedLab:
    """The lab, published through every gate, zh and en."""
    return publish_lab(tmp_path_factory.mktemp("图像 course"), LAB, SCENARIO)


@pytest.fixture(scope="module")
def sheets(published_lab: PublishedLab) -> Sheets:
    """The sheets of the sample annotators, by name; graded in Chinese."""
    return published_lab.grade(PEOPLE, "zh")


def test_faultless_work_gets_all_machine_points(published_lab: PublishedLab) -> None:
    """The solution and right work of the hand earn all 90 points, zh and en."""
    assert published_lab.given("gold") == [90, 90]


def test_the_untouched_release_gets_nothing(published_lab: PublishedLab) -> None:
    """Handing in the release as it came earns 0 points in both languages."""
    assert published_lab.given("untouched") == [0, 0]


def test_every_mistake_loses_the_rows_it_names(published_lab: PublishedLab) -> None:
    """Each named mistake lost at least the rows that it names."""
    assert len(published_lab.mistakes) >= 8
    assert published_lab.kept() == {}


def test_each_candidate_gets_the_mark_reckoned_before(sheets: Sheets) -> None:
    """Points and lost rows of every candidate are those said beforehand."""
    assert misjudged(PEOPLE, sheets) == {}


def test_no_typical_mistake_of_all_boxes_passes(published_lab: PublishedLab) -> None:
    """Work that is wrong throughout stays below 60 even with all points by hand."""
    for name in ("boxes_one_third_off", "boxes_twice_too_large", "random_boxes",
                 "picture_as_one_box", "nothing_boxed"):  # fmt: skip
        assert published_lab.mistake(name)["machine_given"] + 10 < 60


def test_nobody_passes_before_a_person_has_marked(sheets: Sheets) -> None:
    """No sheet says that its candidate passed."""
    assert "passed" not in {sheet.outcome for sheet in sheets.values()}
