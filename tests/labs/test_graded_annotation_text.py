"""Facts about the lab annotation_text, published and graded for real in the two rooms."""

import shutil
from pathlib import Path

import nbformat
import pytest
from text_annotators import Annotator, annotators, of_release

from lab_env.build import fill, gold_answers
from lab_env.exam import GradingReport, grade_folder
from lab_env.files import content_folder
from lab_env.lab import load_lab
from lab_env.marksheet import MarkSheet
from lab_env.mistakes import load_mistakes
from lab_env.publish import publish
from lab_env.release import PUBLIC_FACTS, Release
from lab_env.scenario import read_scenario

LAB, SCENARIO = "annotation_text", "field_service"
KEY = content_folder("datasets") / SCENARIO / "key"
Gates = dict[str, dict[str, object]]
Sheets = dict[str, MarkSheet]


@pytest.fixture(scope="module")
def text_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with this lab published through every gate, zh and en."""
    folder = tmp_path_factory.mktemp("text") / "course"
    publish(folder, LAB, SCENARIO)
    return folder


@pytest.fixture(scope="module")
def released(text_course: Path) -> dict[str, Release]:
    """The published releases by language."""
    from lab_env.release import releases

    return {release.language: release for release in releases(text_course)}


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
def people() -> dict[str, Annotator]:
    """The sample annotators by candidate."""
    found = annotators(load_lab(LAB).folder)
    return {f"2026-{n:04d}-{one.name}": one for n, one in enumerate(found, 1)}


def hand_in(release: Release, folder: Path, one: Annotator) -> None:
    """Write what this annotator hands in: the notebook and two files of the hand."""
    lab = load_lab(LAB)
    scenario = read_scenario(content_folder("datasets") / SCENARIO / "scenario.toml")
    notebook = nbformat.read(release.notebook, as_version=4)  # type: ignore[no-untyped-call]
    filled = fill(notebook, gold_answers(lab, scenario, release.language))
    shutil.copytree(KEY / release.language / "by_hand", folder)
    of_release(folder, release.id)
    one.spoil(folder)
    nbformat.write(filled, folder / f"{LAB}.ipynb")  # type: ignore[no-untyped-call]
    shutil.copyfile(release.released / PUBLIC_FACTS, folder / PUBLIC_FACTS)


@pytest.fixture(scope="module")
def report(
    text_course: Path, released: dict[str, Release], people: dict[str, Annotator]
) -> GradingReport:
    """The sample annotators, graded as an examiner grades them, in Chinese."""
    for candidate, one in people.items():
        hand_in(released["zh"], text_course.parent / "in" / candidate, one)
    return grade_folder(text_course, released["zh"], text_course.parent / "in")


@pytest.fixture(scope="module")
def sheets(report: GradingReport) -> Sheets:
    """The mark sheets by candidate."""
    return {row.candidate: row.sheet for row in report.rows if row.sheet}


def test_gold_work_gets_all_machine_points(gates: Gates) -> None:
    """The solution and the right files earn all 88 machine points in both languages."""
    given = [gates[f"gold ({code})"]["machine_given"] for code in ("zh", "en")]
    assert given == [88, 88]


def test_the_untouched_text_release_gets_nothing(gates: Gates) -> None:
    """Handing in the release as it came earns 0 points in both languages."""
    given = [gates[f"untouched ({code})"]["machine_given"] for code in ("zh", "en")]
    assert given == [0, 0]


def test_every_mistake_of_annotators_loses_its_rows(gates: Gates) -> None:
    """Each named mistake lost at least the rows that it names."""
    mistakes = load_mistakes(load_lab(LAB).folder / "mistakes.py")
    assert len([one for one in mistakes if one.by_hand]) >= 8
    for mistake in mistakes:
        seen = gates.get(f"{mistake.name} (zh)") or gates[f"{mistake.name} (en)"]
        lost = seen["lost"]
        assert isinstance(lost, list)
        assert set(mistake.loses) <= set(lost)


def test_each_annotator_gets_the_mark_reckoned_before(
    sheets: Sheets, people: dict[str, Annotator]
) -> None:
    """From gold to chance, machine points and lost rows are those said beforehand."""
    assert set(sheets) == set(people)
    for candidate, one in people.items():
        sheet = sheets[candidate]
        given = sheet.given(sheet.machine_rows)
        assert one.least <= given <= one.most, (candidate, given)
        rows = {row.code: row for row in sheet.rows}
        kept = [code for code in one.loses if rows[code].given == rows[code].points]
        assert kept == [], candidate


def test_the_numbers_follow_from_ones_own_file(sheets: Sheets) -> None:
    """Wrong labels are still counted right: the notebook is run on one's own file."""
    for candidate, sheet in sheets.items():
        rows = {row.code: row for row in sheet.rows}
        numbers = [rows[code].outcome for code in ("M15", "M16", "M17")]
        assert numbers == ["passed"] * 3, candidate


def test_no_annotator_passes_before_a_person_has_marked(sheets: Sheets) -> None:
    """A sheet with a written answer is awaiting marking, whatever its points."""
    assert {sheet.outcome for sheet in sheets.values()} == {"awaiting marking"}
