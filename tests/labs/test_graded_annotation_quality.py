"""Facts about annotation_quality, published and graded for real in the two rooms."""

import pytest
from published_lab import PublishedLab, misjudged, publish_lab
from quality_reviewers import reviewers

from lab_env.lab import load_lab
from lab_env.marksheet import MarkSheet

LAB, SCENARIO = "annotation_quality", "label_review"
Sheets = dict[str, MarkSheet]
PEOPLE = reviewers(load_lab(LAB).folder)


@pytest.fixture(scope="module")
def published_lab(tmp_path_factory: pytest.TempPathFactory) -> PublishedLab:
    """The lab, published through every gate, zh and en."""
    return publish_lab(tmp_path_factory.mktemp("quality"), LAB, SCENARIO)


@pytest.fixture(scope="module")
def sheets(published_lab: PublishedLab) -> Sheets:
    """The sheets of the sample reviewers, by name; graded in Chinese."""
    return published_lab.grade(PEOPLE, "zh")


def test_faultless_work_gets_all_machine_points(published_lab: PublishedLab) -> None:
    """The solution and right work of the hand earn all 86 points, zh and en."""
    assert published_lab.given("gold") == [86, 86]


def test_the_untouched_release_gets_nothing(published_lab: PublishedLab) -> None:
    """Handing in the release as it came earns 0 points in both languages."""
    assert published_lab.given("untouched") == [0, 0]


def test_every_mistake_loses_the_rows_it_names(published_lab: PublishedLab) -> None:
    """Each named mistake lost at least the rows that it names."""
    assert len(published_lab.mistakes) >= 15
    assert published_lab.kept() == {}


def test_each_candidate_gets_the_mark_reckoned_before(sheets: Sheets) -> None:
    """Points and lost rows of every candidate are those said beforehand."""
    assert misjudged(PEOPLE, sheets) == {}


def test_what_was_left_blank_is_not_attempted(sheets: Sheets) -> None:
    """Somebody who stopped half way reads "not attempted" in the second half."""
    outcomes = {row.code: row.outcome for row in sheets["half_way"].rows}
    codes = ("M16", "M17", "M18", "M19", "M20", "M21", "M22", "J1", "J2", "J3")
    assert {outcomes[code] for code in codes} == {"not attempted"}


def test_no_reviewer_passes_before_a_person_has_marked(sheets: Sheets) -> None:
    """A sheet with a written answer is awaiting marking, whatever its points."""
    finished = [sheet for name, sheet in sheets.items() if name != "half_way"]
    assert {sheet.outcome for sheet in finished} == {"awaiting marking"}
