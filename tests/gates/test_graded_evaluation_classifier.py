"""Facts about evaluation_classifier, published and graded for real in the two rooms."""

import shutil
from pathlib import Path

import nbformat
import pytest
from evaluation_reviewers import Evaluator, evaluators

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

LAB, SCENARIO = "evaluation_classifier", "customer_service"
SCENARIO_FILE = content_folder("datasets") / SCENARIO / "scenario.toml"
Gates = dict[str, dict[str, object]]
Sheets = dict[str, MarkSheet]


@pytest.fixture(scope="module")
def evaluation_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with this lab published through every gate, zh and en."""
    folder = tmp_path_factory.mktemp("evaluation") / "course"
    publish(folder, LAB, SCENARIO)
    return folder


@pytest.fixture(scope="module")
def released(evaluation_course: Path) -> dict[str, Release]:
    """The published releases by language."""
    return {release.language: release for release in releases(evaluation_course)}


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
def people() -> dict[str, Evaluator]:
    """The sample evaluators by candidate."""
    found = evaluators(load_lab(LAB).folder)
    return {f"2026-{n:04d}-{one.name}": one for n, one in enumerate(found, 1)}


def hand_in(release: Release, folder: Path, one: Evaluator) -> None:
    """Write the notebook that this evaluator hands in."""
    lab, scenario = load_lab(LAB), read_scenario(SCENARIO_FILE)
    made = Mistake(one.name, Text("", ""), one.answers, ())
    answers = mistaken_answers(lab, scenario, release.language, made)
    kept = {name: code for name, code in answers.items() if name not in one.left}
    notebook = nbformat.read(release.notebook, as_version=4)  # type: ignore[no-untyped-call]
    folder.mkdir(parents=True)
    nbformat.write(fill(notebook, kept), folder / f"{LAB}.ipynb")  # type: ignore[no-untyped-call]
    shutil.copyfile(release.released / PUBLIC_FACTS, folder / PUBLIC_FACTS)


@pytest.fixture(scope="module")
def report(
    evaluation_course: Path,
    released: dict[str, Release],
    people: dict[str, Evaluator],
) -> GradingReport:
    """The sample evaluators, graded as an examiner grades them, in Chinese."""
    for candidate, one in people.items():
        hand_in(released["zh"], evaluation_course.parent / "in" / candidate, one)
    handed_in = evaluation_course.parent / "in"
    return grade_folder(evaluation_course, released["zh"], handed_in)


@pytest.fixture(scope="module")
def sheets(report: GradingReport) -> Sheets:
    """The mark sheets by candidate."""
    return {row.candidate: row.sheet for row in report.rows if row.sheet}


def test_gold_evaluation_gets_all_machine_points(gates: Gates) -> None:
    """The solution earns all 80 machine points in both languages."""
    given = [gates[f"gold ({code})"]["machine_given"] for code in ("zh", "en")]
    assert given == [80, 80]


def test_the_untouched_evaluation_release_gets_nothing(gates: Gates) -> None:
    """Handing in the release as it came earns 0 points in both languages."""
    given = [gates[f"untouched ({code})"]["machine_given"] for code in ("zh", "en")]
    assert given == [0, 0]


def test_every_mistake_of_evaluators_loses_its_rows(gates: Gates) -> None:
    """Each named mistake lost at least the rows that it names."""
    mistakes = load_mistakes(load_lab(LAB).folder / "mistakes.py")
    assert len(mistakes) >= 18
    for mistake in mistakes:
        seen = gates.get(f"{mistake.name} (zh)") or gates[f"{mistake.name} (en)"]
        lost = seen["lost"]
        assert isinstance(lost, list)
        assert set(mistake.loses) <= set(lost)


def test_each_evaluator_gets_the_mark_reckoned_before(
    sheets: Sheets, people: dict[str, Evaluator]
) -> None:
    """Good and careless, points and lost rows are those said beforehand."""
    assert set(sheets) == set(people)
    for candidate, one in people.items():
        sheet = sheets[candidate]
        given = sheet.given(sheet.machine_rows)
        assert one.least <= given <= one.most, (candidate, given)
        rows = {row.code: row for row in sheet.rows}
        kept = [code for code in one.loses if rows[code].given == rows[code].points]
        assert kept == [], candidate


def test_no_evaluator_passes_before_a_person_has_marked(sheets: Sheets) -> None:
    """A sheet with a written answer is awaiting marking, whatever its points."""
    assert {sheet.outcome for sheet in sheets.values()} == {"awaiting marking"}
