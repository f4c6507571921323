"""Facts about finetuning_adapters, published and graded for real in the two rooms."""

import json

import pytest
from adapter_trainees import TRAINEES as PEOPLE
from published_lab import PublishedLab, misjudged, publish_lab

from lab_env.marksheet import MarkSheet

LAB, SCENARIO = "finetuning_adapters", "customer_service"
Sheets = dict[str, MarkSheet]


@pytest.fixture(scope="module")
def published_lab(tmp_path_factory: pytest.TempPathFactory) -> PublishedLab:
    """The lab, published through every gate, zh and en."""
    return publish_lab(tmp_path_factory.mktemp("adapters"), LAB, SCENARIO)


@pytest.fixture(scope="module")
def sheets(published_lab: PublishedLab) -> Sheets:
    """The sheets of the sample trainees, by name; graded in English."""
    return published_lab.grade(PEOPLE, "en")


def test_faultless_work_gets_all_machine_points(published_lab: PublishedLab) -> None:
    """The solution and right work of the hand earn all 85 points, zh and en."""
    assert published_lab.given("gold") == [85, 85]


def test_the_untouched_release_gets_nothing(published_lab: PublishedLab) -> None:
    """Handing in the release as it came earns 0 points in both languages."""
    assert published_lab.given("untouched") == [0, 0]


def test_every_mistake_loses_the_rows_it_names(published_lab: PublishedLab) -> None:
    """Each named mistake lost at least the rows that it names."""
    assert len(published_lab.mistakes) == 14
    assert published_lab.kept() == {}


def test_each_candidate_gets_the_mark_reckoned_before(sheets: Sheets) -> None:
    """Points and lost rows of every candidate are those said beforehand."""
    assert misjudged(PEOPLE, sheets) == {}


def test_nobody_passes_before_a_person_has_marked(sheets: Sheets) -> None:
    """A sheet with a written answer is awaiting marking, whatever its points."""
    assert {sheet.outcome for sheet in sheets.values()} == {"awaiting marking"}


def test_the_adapter_is_kept_and_small(
    published_lab: PublishedLab, sheets: Sheets
) -> None:
    """What is kept of the best trainee is an adapter, less than a fifth of the base model."""
    assert "excellent" in sheets
    release = published_lab.releases["en"]
    results = published_lab.course / "results" / release.id / "excellent"
    [result] = results.iterdir()
    folder = result / "deliverables" / "adapter"
    said = json.loads((folder / "adapter_config.json").read_text("utf-8"))
    base = release.released / "base_model" / "model.safetensors"
    weights = folder / "adapter_model.safetensors"
    assert sorted(path.name for path in folder.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    assert said["peft_type"] == "LORA"
    assert weights.stat().st_size < base.stat().st_size / 5
