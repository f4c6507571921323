"""Facts about which files of a scenario go to a lab."""

from dataclasses import replace
from pathlib import Path

import pytest

from lab_env.errors import LabError
from lab_env.lab import load_lab
from lab_env.lab_files import data_files, guideline_text, key_files

LAB = replace(load_lab("evaluation_classifier"), own_data=False)
OWN = replace(LAB, own_data=True)


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """A scenario with files for all labs, for this one, and for another."""
    for path in (
        "data/shared/everywhere.csv",
        "data/shared/evaluation_classifier/mine.csv",
        "data/zh/train.csv",
        "data/zh/photos/1.png",
        "data/zh/__pycache__/old.pyc",
        "data/zh/evaluation_classifier/candidates/a.csv",
        "data/zh/annotation_text/messages.jsonl",
        "key/zh/heldout.csv",
        "key/zh/evaluation_classifier/candidates.csv",
        "key/zh/annotation_text/gold_messages.jsonl",
        "guideline.zh.md",
    ):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{path}\n", encoding="utf-8")
    return tmp_path


def test_a_lab_gets_what_is_for_all_and_what_is_its_own(scenario: Path) -> None:
    """Its own folder lies straight among the others; another lab's is left out."""
    found = data_files(scenario, LAB, "zh")
    assert {
        name: path.relative_to(scenario).as_posix() for name, path in found.items()
    } == {
        "everywhere.csv": "data/shared/everywhere.csv",
        "mine.csv": "data/shared/evaluation_classifier/mine.csv",
        "train.csv": "data/zh/train.csv",
        "photos/1.png": "data/zh/photos/1.png",
        "candidates/a.csv": "data/zh/evaluation_classifier/candidates/a.csv",
    }
    assert set(key_files(scenario / "key", LAB, "zh")) == {
        "heldout.csv",
        "candidates.csv",
    }


def test_a_lab_of_own_data_gets_nothing_else(scenario: Path) -> None:
    """Where a folder has something for it, that is all it gets of this folder."""
    assert set(data_files(scenario, OWN, "zh")) == {"mine.csv", "candidates/a.csv"}
    assert set(key_files(scenario / "key", OWN, "zh")) == {"candidates.csv"}


def test_a_lab_of_own_data_takes_a_scenario_that_is_all_its_own(scenario: Path) -> None:
    """A scenario without a folder for it gives it what is for all."""
    stranger = replace(OWN, name="annotation_quality")
    assert "train.csv" in data_files(scenario, stranger, "zh")
    assert set(key_files(scenario / "key", stranger, "zh")) == {"heldout.csv"}


def test_the_guideline_of_the_lab_comes_after_that_of_the_scenario(
    scenario: Path,
) -> None:
    """Both are read as one text, in that order."""
    assert guideline_text(scenario, LAB, "zh") == "guideline.zh.md\n"
    special = scenario / LAB.name / "guideline.zh.md"
    special.parent.mkdir()
    special.write_text("more\n", encoding="utf-8")
    assert guideline_text(scenario, LAB, "zh") == "guideline.zh.md\n\nmore\n"


def test_what_is_missing_is_named(scenario: Path) -> None:
    """A language without data, and one without a guideline, are told by their path."""
    with pytest.raises(LabError, match=r"data/en is missing"):
        data_files(scenario, LAB, "en")
    with pytest.raises(LabError, match=r"guideline\.en\.md is missing"):
        guideline_text(scenario, LAB, "en")
    assert key_files(scenario / "key", LAB, "en") == {}


def test_links_are_refused(scenario: Path) -> None:
    """A link in a scenario could lead anywhere, so it goes into no release."""
    (scenario / "data/zh/link.csv").symlink_to(scenario / "key/zh/heldout.csv")
    with pytest.raises(LabError, match="is a link"):
        data_files(scenario, LAB, "zh")
