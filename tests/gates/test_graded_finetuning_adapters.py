"""Facts about the lab finetuning_adapters, published and graded in the two rooms."""

import json
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from adapter_trainees import TRAINEES, Trainee

from lab_env.build import fill, gold_answers, mistaken_answers
from lab_env.checks import Text
from lab_env.exam import GradingReport, grade_folder
from lab_env.lab import load_lab
from lab_env.marksheet import MarkSheet
from lab_env.mistakes import Mistake, load_mistakes
from lab_env.publish import publish
from lab_env.release import PUBLIC_FACTS, Release, releases
from lab_env.scenario import read_scenario, scenario_folder

LAB, SCENARIO = "finetuning_adapters", "customer_service"
MISTAKES = load_mistakes(load_lab(LAB).folder / "mistakes.py")
POINTS = 85
Gates = dict[str, dict[str, Any]]
notebooks: Any = nbformat


@pytest.fixture(scope="module")
def adapters_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with this lab published through every gate, zh and en."""
    folder = tmp_path_factory.mktemp("adapters") / "course"
    publish(folder, LAB, SCENARIO)
    return folder


@pytest.fixture(scope="module")
def released(adapters_course: Path) -> dict[str, Release]:
    """The published releases by language."""
    return {release.language: release for release in releases(adapters_course)}


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


def hand_in(release: Release, folder: Path, one: Trainee) -> None:
    """Write the notebook that this trainee hands in."""
    lab = load_lab(LAB)
    scenario = read_scenario(scenario_folder(SCENARIO) / "scenario.toml")
    answers = gold_answers(lab, scenario, release.language)
    if one.answers:
        slips = Mistake(one.name, Text("", ""), one.answers, ())
        answers = mistaken_answers(lab, scenario, release.language, slips)
    folder.mkdir(parents=True)
    filled = fill(notebooks.read(release.notebook, as_version=4), answers)
    notebooks.write(filled, folder / f"{LAB}.ipynb")
    shutil.copyfile(release.released / PUBLIC_FACTS, folder / PUBLIC_FACTS)


@pytest.fixture(scope="module")
def report(adapters_course: Path, released: dict[str, Release]) -> GradingReport:
    """The sample trainees, graded as an examiner grades them, in English."""
    folder = adapters_course.parent / "in"
    for one in TRAINEES:
        hand_in(released["en"], folder / one.name, one)
    return grade_folder(adapters_course, released["en"], folder)


@pytest.fixture(scope="module")
def sheets(report: GradingReport) -> dict[str, MarkSheet]:
    """The mark sheets by candidate."""
    return {row.candidate: row.sheet for row in report.rows if row.sheet}


def test_the_adapter_solution_gets_all_machine_points(gates: Gates) -> None:
    """The solution earns all 85 machine points in both languages."""
    given = [gates[f"gold ({code})"]["machine_given"] for code in ("zh", "en")]
    assert given == [POINTS, POINTS]


def test_the_untouched_adapter_release_gets_nothing(gates: Gates) -> None:
    """Handing in the release as it came earns 0 points in both languages."""
    given = [gates[f"untouched ({code})"]["machine_given"] for code in ("zh", "en")]
    assert given == [0, 0]


def test_every_adapter_mistake_loses_the_rows_it_names(gates: Gates) -> None:
    """Each named mistake lost at least the rows that it names; there are fourteen."""
    assert len(MISTAKES) == 14
    for mistake in MISTAKES:
        seen = gates.get(f"{mistake.name} (zh)") or gates[f"{mistake.name} (en)"]
        assert set(mistake.loses) <= set(seen["lost"]), mistake.name


def test_each_trainee_gets_the_mark_reckoned_before(
    sheets: dict[str, MarkSheet],
) -> None:
    """From excellent to hasty, points and lost rows are those said beforehand."""
    assert set(sheets) == {one.name for one in TRAINEES}
    for one in TRAINEES:
        sheet = sheets[one.name]
        given = sheet.given(sheet.machine_rows)
        assert one.least <= given <= one.most, (one.name, given)
        rows = {row.code: row for row in sheet.rows}
        kept = [code for code in one.loses if rows[code].given == rows[code].points]
        assert kept == [], one.name


def test_no_adapter_sample_passes_before_a_person_has_marked(
    sheets: dict[str, MarkSheet],
) -> None:
    """A sheet with a written answer is awaiting marking, whatever its points."""
    assert {sheet.outcome for sheet in sheets.values()} == {"awaiting marking"}


def test_the_adapter_is_kept_and_small(
    adapters_course: Path, released: dict[str, Release], report: GradingReport
) -> None:
    """What is kept of the best trainee is an adapter, less than a fifth of the base model."""
    [result] = (adapters_course / "results" / released["en"].id / "excellent").iterdir()
    folder = result / "deliverables" / "adapter"
    said = json.loads((folder / "adapter_config.json").read_text("utf-8"))
    base = released["en"].released / "base_model" / "model.safetensors"
    weights = folder / "adapter_model.safetensors"
    assert sorted(path.name for path in folder.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    assert said["peft_type"] == "LORA"
    assert weights.stat().st_size < base.stat().st_size / 5
