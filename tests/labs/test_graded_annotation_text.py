"""Facts about annotation_text, published and graded for real in the two rooms."""

import pytest
from published_lab import PublishedLab, misjudged, publish_lab
from text_annotators import annotators

from lab_env.lab import load_lab
from lab_env.marksheet import MarkSheet

LAB, SCENARIO = "annotation_text", "field_service"
Sheets = dict[str, MarkSheet]
PEOPLE = annotators(load_lab(LAB).folder)


@pytest.fixture(scope="module")
def published_lab(tmp_path_factory: pytest.TempPathFactory) -> PublishedLab:
    """The lab, published through every gate, zh and en."""
    return publish_lab(tmp_path_factory.mktemp("text"), LAB, SCENARIO)


@pytest.fixture(scope="module")
def sheets(published_lab: PublishedLab) -> Sheets:
    """The sheets of the sample annotators, by name; graded in Chinese."""
    return published_lab.grade(PEOPLE, "zh")


def test_faultless_work_gets_all_machine_points(published_lab: PublishedLab) -> None:
    """The solution and right work of the hand earn all 88 points, zh and en."""
    assert published_lab.given("gold") == [88, 88]


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


def test_the_numbers_follow_from_ones_own_file(sheets: Sheets) -> None:
    """Wrong labels are still counted right: the notebook is run on one's own file."""
    for candidate, sheet in sheets.items():
        rows = {row.code: row for row in sheet.rows}
        numbers = [rows[code].outcome for code in ("M15", "M16", "M17")]
        assert numbers == ["passed"] * 3, candidate


def test_nobody_passes_before_a_person_has_marked(sheets: Sheets) -> None:
    """A sheet with a written answer is awaiting marking, whatever its points."""
    assert {sheet.outcome for sheet in sheets.values()} == {"awaiting marking"}
