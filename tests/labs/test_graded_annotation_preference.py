"""Facts about the lab annotation_preference, published and graded in the two rooms."""

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

from lab_env.build import fill, gold_answers
from lab_env.exam import GradingReport, grade_folder
from lab_env.files import content_folder
from lab_env.lab import load_lab
from lab_env.marksheet import MarkSheet
from lab_env.mistakes import load_mistakes
from lab_env.publish import publish
from lab_env.release import PUBLIC_FACTS, Release, releases
from lab_env.scenario import read_scenario

LAB, SCENARIO = "annotation_preference", "assistant_answers"
DATA = content_folder("datasets") / SCENARIO
MISTAKES = {
    each.name: each for each in load_mistakes(load_lab(LAB).folder / "mistakes.py")
}
PAIRS, RANKINGS = "pairs_done.jsonl", "rankings_done.jsonl"
FILES = ("practice_done.jsonl", PAIRS, RANKINGS)
SEED = 11
Gates = dict[str, dict[str, Any]]
Sheets = dict[str, MarkSheet]
Lines = list[dict[str, Any]]
notebooks: Any = nbformat


@dataclass(frozen=True)
class Annotator:
    """How somebody works, and between which machine points of 88 the mark must lie."""

    name: str
    least: float
    most: float
    spoil: Callable[[Path], None]
    loses: tuple[str, ...] = ()


def edit(folder: Path, name: str, change: Callable[[Lines], Lines]) -> None:
    """Change the lines of one file of annotations."""
    path = folder / name
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    made = [json.dumps(line, ensure_ascii=False) for line in change(lines)]
    path.write_text("\n".join(made) + "\n", encoding="utf-8")


def result_of(line: dict[str, Any]) -> Lines:
    """Return the regions of one line."""
    found: Lines = line["annotations"][0]["result"]
    return found


def order_of(line: dict[str, Any]) -> list[str]:
    """Return the order of one ranking, to be changed in place."""
    found: list[str] = result_of(line)[0]["value"]["ranker"]["rank"]
    return found


def careful(folder: Path) -> None:
    """Get two pairs wrong that no danger hangs on, one tie, and two neighbours."""

    def slips(lines: Lines) -> Lines:
        by_prompt = {line["data"]["prompt"]: line for line in lines}
        for words in ("公摊", "电子发票"):
            line = next(one for key, one in by_prompt.items() if words in key)
            value = result_of(line)[0]["value"]
            value["selected"] = "left" if value["selected"] == "right" else "right"
        tie = next(
            one for one in lines if any(r["type"] == "choices" for r in result_of(one))
        )
        del result_of(tie)[1:]
        return lines

    def neighbours(lines: Lines) -> Lines:
        for line in lines[:2]:
            order_of(line)[:2] = order_of(line)[1::-1]
        return lines

    edit(folder, PAIRS, slips)
    edit(folder, RANKINGS, neighbours)


def careless(folder: Path) -> None:
    """Take what is longer, give one reason for all, leave the lists as they come."""
    names = ("always_longer", "one_reason_for_all", "rankings_left_as_they_came")
    for name in names:
        spoil = MISTAKES[name].by_hand
        assert spoil is not None
        spoil(folder)


def by_chance(folder: Path) -> None:
    """Toss a coin for every side, give no reason, shuffle every list."""
    rng = random.Random(SEED)

    def sides(lines: Lines) -> Lines:
        for line in lines:
            result_of(line)[0]["value"]["selected"] = rng.choice(["left", "right"])
            del result_of(line)[1:]
        return lines

    def shuffled(lines: Lines) -> Lines:
        for line in lines:
            rng.shuffle(order_of(line))
        return lines

    edit(folder, PAIRS, sides)
    edit(folder, RANKINGS, shuffled)


def half_done(folder: Path) -> None:
    """Stop half way through both files."""
    for name in (PAIRS, RANKINGS):
        edit(folder, name, lambda lines: lines[: len(lines) // 2])


# The points were reckoned before they were graded: 36 need no judgement (practice 2,
# form and completeness 10, reasons 3, numbers and export 21), 52 do.
ANNOTATORS = (
    Annotator("gold", 88, 88, lambda folder: None),
    Annotator("careful", 79, 87, careful, ("M4", "M5", "M7")),
    Annotator(
        "careless", 31, 37, careless, ("M4", "M5", "M6", "M7", "M8", "M9", "M11", "M12")
    ),
    Annotator("by_chance", 31, 39, by_chance, ("M4", "M5", "M7", "M8", "M9", "M11")),
    Annotator("half_done", 24, 45, half_done, ("M3", "M4", "M8", "M9", "M10", "M11")),
)


@pytest.fixture(scope="module")
def preference_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with this lab published through every gate, zh and en."""
    folder = tmp_path_factory.mktemp("preference") / "course"
    publish(folder, LAB, SCENARIO)
    return folder


@pytest.fixture(scope="module")
def released(preference_course: Path) -> dict[str, Release]:
    """The published releases by language."""
    return {release.language: release for release in releases(preference_course)}


@pytest.fixture(scope="module")
def gates(released: dict[str, Release]) -> Gates:
    """What the publish gates saw, by trial."""
    found: Gates = {}
    for release in released.values():
        results = release.manifest["gates"]
        found |= {
            name: seen for name, seen in results.items() if isinstance(seen, dict)
        }
    return found


def hand_in(release: Release, folder: Path, one: Annotator) -> None:
    """Write what this annotator hands in: the notebook and three files of the hand."""
    lab, scenario = load_lab(LAB), read_scenario(DATA / "scenario.toml")
    answers = gold_answers(lab, scenario, release.language)
    filled = fill(notebooks.read(release.notebook, as_version=4), answers)
    shutil.copytree(DATA / "key" / release.language / "by_hand", folder)
    for name in FILES:
        edit(
            folder, name, lambda lines: [of_release(line, release.id) for line in lines]
        )
    one.spoil(folder)
    notebooks.write(filled, folder / f"{LAB}.ipynb")
    shutil.copyfile(release.released / PUBLIC_FACTS, folder / PUBLIC_FACTS)


def of_release(line: dict[str, Any], release: str) -> dict[str, Any]:
    """Return the line as the annotation page of this release writes it."""
    line["meta"]["release"] = release
    return line


@pytest.fixture(scope="module")
def report(preference_course: Path, released: dict[str, Release]) -> GradingReport:
    """The sample annotators, graded as an examiner grades them, in Chinese."""
    folder = preference_course.parent / "in"
    for one in ANNOTATORS:
        hand_in(released["zh"], folder / one.name, one)
    return grade_folder(preference_course, released["zh"], folder)


@pytest.fixture(scope="module")
def sheets(report: GradingReport) -> Sheets:
    """The mark sheets by candidate."""
    return {row.candidate: row.sheet for row in report.rows if row.sheet}


def test_gold_gets_all_machine_points_in_both_languages(gates: Gates) -> None:
    """The solution and the right files earn all 88 machine points."""
    given = [gates[f"gold ({code})"]["machine_given"] for code in ("zh", "en")]
    assert given == [88, 88]


def test_the_untouched_preference_release_gets_nothing(gates: Gates) -> None:
    """Handing in the release as it came earns 0 points in both languages."""
    given = [gates[f"untouched ({code})"]["machine_given"] for code in ("zh", "en")]
    assert given == [0, 0]


def test_every_mistake_loses_the_rows_it_names(gates: Gates) -> None:
    """Each named mistake lost at least the rows that it names; there are twenty."""
    assert len(MISTAKES) == 20
    for name, mistake in MISTAKES.items():
        seen = gates.get(f"{name} (zh)") or gates[f"{name} (en)"]
        assert set(mistake.loses) <= set(seen["lost"]), name


def test_each_sample_gets_the_mark_reckoned_before(sheets: Sheets) -> None:
    """From gold to chance, machine points and lost rows are those said beforehand."""
    assert set(sheets) == {one.name for one in ANNOTATORS}
    for one in ANNOTATORS:
        sheet = sheets[one.name]
        given = sheet.given(sheet.machine_rows)
        assert one.least <= given <= one.most, (one.name, given)
        rows = {row.code: row for row in sheet.rows}
        kept = [code for code in one.loses if rows[code].given == rows[code].points]
        assert kept == [], one.name


def test_export_and_numbers_follow_from_ones_own_files(sheets: Sheets) -> None:
    """Wrong choices are still counted and exported right, by everybody who finished."""
    for name in ("careful", "careless", "by_chance"):
        rows = {row.code: row for row in sheets[name].rows}
        outcomes = {rows[f"M{number}"].outcome for number in range(13, 21)}
        assert outcomes == {"passed"}, name


def test_no_sample_passes_before_a_person_has_marked(sheets: Sheets) -> None:
    """A sheet with a written answer is awaiting marking, whatever its points."""
    assert {sheet.outcome for sheet in sheets.values()} == {"awaiting marking"}
