"""Facts about annotation_quality, published and graded for real in the two rooms."""

import shutil
from pathlib import Path

import nbformat
import pytest
from quality_reviewers import Reviewer, of_release, reviewers

from lab_env.build import fill, mistaken_answers
from lab_env.checks import Text
from lab_env.exam import GradingReport, grade_folder
from lab_env.files import content_folder
from lab_env.lab import load_lab
from lab_env.marksheet import MarkSheet
from lab_env.mistakes import Mistake, load_mistakes
from lab_env.publish import publish
from lab_env.release import PUBLIC_FACTS, Release, releases
from lab_env.scenario import read_scenario

LAB, SCENARIO = "annotation_quality", "label_review"
KEY = content_folder("datasets") / SCENARIO / "key"
Gates = dict[str, dict[str, object]]
Sheets = dict[str, MarkSheet]


@pytest.fixture(scope="module")
def quality_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with this lab published through every gate, zh and en."""
    folder = tmp_path_factory.mktemp("quality") / "course"
    publish(folder, LAB, SCENARIO)
    return folder


@pytest.fixture(scope="module")
def released(quality_course: Path) -> dict[str, Release]:
    """The published releases by language."""
    return {release.language: release for release in releases(quality_course)}


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


@pytest.fixture(scope="module")
def people() -> dict[str, Reviewer]:
    """The sample reviewers by candidate."""
    found = reviewers(load_lab(LAB).folder)
    return {f"2026-{n:04d}-{one.name}": one for n, one in enumerate(found, 1)}


def hand_in(release: Release, folder: Path, one: Reviewer) -> None:
    """Write what this reviewer hands in: the notebook and the file of decisions."""
    lab = load_lab(LAB)
    scenario = read_scenario(content_folder("datasets") / SCENARIO / "scenario.toml")
    made = Mistake(one.name, Text("", ""), one.answers, ())
    answers = mistaken_answers(lab, scenario, release.language, made)
    kept = {name: code for name, code in answers.items() if name not in one.left}
    notebook = nbformat.read(release.notebook, as_version=4)  # type: ignore[no-untyped-call]
    shutil.copytree(KEY / release.language / "by_hand", folder)
    of_release(folder, release.id)
    one.spoil(folder)
    nbformat.write(fill(notebook, kept), folder / f"{LAB}.ipynb")  # type: ignore[no-untyped-call]
    shutil.copyfile(release.released / PUBLIC_FACTS, folder / PUBLIC_FACTS)


@pytest.fixture(scope="module")
def report(
    quality_course: Path, released: dict[str, Release], people: dict[str, Reviewer]
) -> GradingReport:
    """The sample reviewers, graded as an examiner grades them, in Chinese."""
    for candidate, one in people.items():
        hand_in(released["zh"], quality_course.parent / "in" / candidate, one)
    return grade_folder(quality_course, released["zh"], quality_course.parent / "in")


@pytest.fixture(scope="module")
def sheets(report: GradingReport) -> Sheets:
    """The mark sheets by candidate."""
    return {row.candidate: row.sheet for row in report.rows if row.sheet}


def test_gold_review_gets_all_machine_points(gates: Gates) -> None:
    """The solution and the right decisions earn all 86 points in both languages."""
    given = [gates[f"gold ({code})"]["machine_given"] for code in ("zh", "en")]
    assert given == [86, 86]


def test_the_untouched_quality_release_gets_nothing(gates: Gates) -> None:
    """Handing in the release as it came earns 0 points in both languages."""
    given = [gates[f"untouched ({code})"]["machine_given"] for code in ("zh", "en")]
    assert given == [0, 0]


def test_every_mistake_of_reviewers_loses_its_rows(gates: Gates) -> None:
    """Each named mistake lost at least the rows that it names."""
    mistakes = load_mistakes(load_lab(LAB).folder / "mistakes.py")
    assert len(mistakes) >= 15
    for mistake in mistakes:
        seen = gates.get(f"{mistake.name} (zh)") or gates[f"{mistake.name} (en)"]
        lost = seen["lost"]
        assert isinstance(lost, list)
        assert set(mistake.loses) <= set(lost)


def test_each_reviewer_gets_the_mark_reckoned_before(
    sheets: Sheets, people: dict[str, Reviewer]
) -> None:
    """From excellent to random, points and lost rows are those said beforehand."""
    assert set(sheets) == set(people)
    for candidate, one in people.items():
        sheet = sheets[candidate]
        given = sheet.given(sheet.machine_rows)
        assert one.least <= given <= one.most, (candidate, given)
        rows = {row.code: row for row in sheet.rows}
        kept = [code for code in one.loses if rows[code].given == rows[code].points]
        assert kept == [], candidate


def test_what_was_left_blank_is_not_attempted(sheets: Sheets) -> None:
    """Somebody who stopped half way reads "not attempted" in the second half."""
    (sheet,) = [one for name, one in sheets.items() if name.endswith("half_way")]
    outcomes = {row.code: row.outcome for row in sheet.rows}
    codes = ("M16", "M17", "M18", "M19", "M20", "M21", "M22", "J1", "J2", "J3")
    assert {outcomes[code] for code in codes} == {"not attempted"}


def test_no_reviewer_passes_before_a_person_has_marked(sheets: Sheets) -> None:
    """A sheet with a written answer is awaiting marking, whatever its points."""
    waiting = {
        name for name, one in sheets.items() if one.outcome == "awaiting marking"
    }
    assert {name for name in sheets if not name.endswith("half_way")} <= waiting
