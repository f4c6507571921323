"""Facts about the lab annotation_images, graded for real in the two rooms."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest

from lab_env.build import fill, gold_answers, mistaken_answers
from lab_env.checks import Text
from lab_env.exam import GradingReport, grade_folder
from lab_env.files import content_folder
from lab_env.lab import load_lab
from lab_env.mistakes import Mistake, load_mistakes
from lab_env.publish import publish
from lab_env.release import PUBLIC_FACTS, Release
from lab_env.scenario import read_scenario, scenario_folder

LAB, SCENARIO = "annotation_images", "surface_defects"
MISTAKES = {
    each.name: each for each in load_mistakes(load_lab(LAB).folder / "mistakes.py")
}
Gates = dict[str, dict[str, Any]]
Spoil = Callable[[Path], None]
notebooks: Any = nbformat


def edited(change: Callable[[list[Any]], None]) -> Spoil:
    """Return what changes the lines of boxes.jsonl in place."""

    def spoil(folder: Path) -> None:
        path = folder / "boxes.jsonl"
        tasks = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        change(tasks)
        lines = "".join(json.dumps(task) + "\n" for task in tasks)
        path.write_text(lines, encoding="utf-8")

    return spoil


def slips(tasks: list[Any]) -> None:
    """Make three slips of a careful beginner: one missed, one wrong, one too much."""
    regions = [task["annotations"][0]["result"] for task in tasks]
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
    loose = MISTAKES["boxes_with_a_wide_margin"].by_hand
    assert loose is not None
    loose(folder)
    edited(lambda tasks: tasks.__delitem__(slice(15, None)))(folder)


def half(folder: Path) -> None:
    """Stop after eleven pictures."""
    edited(lambda tasks: tasks.__delitem__(slice(11, None)))(folder)


@dataclass(frozen=True)
class Sample:
    """A candidate, and between which machine points the mark must lie."""

    least: float
    most: float
    spoil: Spoil | None = None
    changed: Mapping[str, str] = field(default_factory=dict)
    answered: bool = True
    loses: tuple[str, ...] = ()


# Foretold: 90 machine points, less what each row says of the slips made.
SAMPLES = {
    "excellent": Sample(90, 90),
    # A fifth of M11 and a sixth of M12 for the lamp; the other slips are within
    # what the curves forgive.
    "careful": Sample(88.4, 88.6, edited(slips), loses=("M11", "M12")),
    "hurried": Sample(
        45,
        65,
        hurry,
        {"iou": "together = area_first + area_second"},
        loses=("M3", "M6", "M8", "M16"),
    ),
    "half-without-code": Sample(
        30, 50, half, answered=False, loses=("M3", "M6", "M15", "M16", "M17")
    ),
    "one-third-off": Sample(
        28, 28, MISTAKES["boxes_one_third_off"].by_hand, loses=("M6", "M8")
    ),
    "swapped": Sample(
        76, 76, MISTAKES["classes_swapped"].by_hand, loses=("M9", "M10")
    ),
    "of-another": Sample(
        14,
        14,
        MISTAKES["file_of_another_release"].by_hand,
        loses=("M3", "M4", "M6", "M15"),
    ),
    "untouched": Sample(0, 0, lambda folder: None, answered=False),
}  # fmt: skip


@pytest.fixture(scope="module")
def course_of_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with the lab published through every gate, zh and en."""
    folder = tmp_path_factory.mktemp("图像 course") / "course"
    publish(folder, LAB, SCENARIO)
    return folder


@pytest.fixture(scope="module")
def releases_of_images(course_of_images: Path) -> dict[str, Release]:
    """The published releases by language."""
    from lab_env.release import releases

    return {release.language: release for release in releases(course_of_images)}


@pytest.fixture(scope="module")
def gates(releases_of_images: dict[str, Release]) -> Gates:
    """What the publish gates saw, by trial."""
    return {
        name: seen
        for release in releases_of_images.values()
        for name, seen in release.manifest["gates"].items()
        if isinstance(seen, dict)
    }


@pytest.fixture(scope="module")
def graded(
    course_of_images: Path, releases_of_images: dict[str, Release]
) -> GradingReport:
    """The sample submissions, graded as an examiner grades them."""
    release = releases_of_images["zh"]
    received = course_of_images.parent / "in"
    for name, sample in SAMPLES.items():
        hand_in(received / name, course_of_images / "release" / release.id, sample)
    return grade_folder(course_of_images, release, received)


def hand_in(folder: Path, released: Path, sample: Sample) -> None:
    """Write what one candidate hands in."""
    folder.mkdir(parents=True)
    if sample is not SAMPLES["untouched"]:
        right = content_folder("datasets") / SCENARIO / "key" / "zh" / "by_hand"
        shutil.copytree(right, folder, dirs_exist_ok=True)
    if sample.spoil is not None:
        sample.spoil(folder)
    notebook = notebooks.read(released / f"{LAB}.ipynb", as_version=4)
    notebooks.write(fill(notebook, answers_of(sample)), folder / f"{LAB}.ipynb")
    shutil.copyfile(released / PUBLIC_FACTS, folder / PUBLIC_FACTS)


def answers_of(sample: Sample) -> dict[str, str]:
    """Return the answer cells of one sample."""
    lab = load_lab(LAB)
    scenario = read_scenario(scenario_folder(SCENARIO) / "scenario.toml")
    if not sample.answered:
        return {}
    if not sample.changed:
        return gold_answers(lab, scenario, "zh")
    mistake = Mistake("sample", Text("", ""), sample.changed, ())
    return mistaken_answers(lab, scenario, "zh", mistake)


def test_the_gold_submission_gets_all_machine_points(gates: Gates) -> None:
    """Faultless work earns all 90 machine points in both languages."""
    given = [gates[f"gold ({code})"]["machine_given"] for code in ("zh", "en")]
    assert given == [90, 90]


def test_the_untouched_release_gets_nothing(gates: Gates) -> None:
    """Handing in the release as it came earns 0 points in both languages."""
    given = [gates[f"untouched ({code})"]["machine_given"] for code in ("zh", "en")]
    assert given == [0, 0]


def test_every_mistake_loses_its_rows(gates: Gates) -> None:
    """Each named mistake lost at least the rows that it names."""
    assert len(MISTAKES) >= 8
    for name, mistake in MISTAKES.items():
        seen = gates.get(f"{name} (zh)") or gates[f"{name} (en)"]
        assert set(mistake.loses) <= set(seen["lost"])


def test_no_typical_mistake_of_all_boxes_passes(gates: Gates) -> None:
    """Work that is wrong throughout stays below 60 even with all points by hand."""
    for name in ("boxes_one_third_off", "boxes_twice_too_large", "random_boxes",
                 "picture_as_one_box", "nothing_boxed"):  # fmt: skip
        seen = gates.get(f"{name} (zh)") or gates[f"{name} (en)"]
        assert seen["machine_given"] + 10 < 60


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_gets_the_mark_it_should(graded: GradingReport, name: str) -> None:
    """Each sample submission ends within the machine points foretold for it."""
    sheet = {row.candidate: row.sheet for row in graded.rows}[name]
    assert sheet is not None
    rows = {row.code: row for row in sheet.rows}
    lost = {row.code for row in sheet.machine_rows if row.given != row.points}
    given = sheet.given(sheet.machine_rows)
    sample = SAMPLES[name]
    assert sample.least <= given <= sample.most, (given, sorted(lost))
    assert set(sample.loses) <= lost
    assert "broken" not in {row.outcome for row in rows.values()}
    assert sheet.outcome != "passed"
