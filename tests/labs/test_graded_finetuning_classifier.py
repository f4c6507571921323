"""Facts about the lab finetuning_classifier, graded for real in the two rooms."""

from pathlib import Path

import pytest
from published_lab import PublishedLab
from sample_submissions import SAMPLES, Sample, write_samples

from lab_env.exam import GradingReport, grade_folder
from lab_env.record import Record
from lab_env.release import Release

LAB, SCENARIO = "finetuning_classifier", "customer_service"


@pytest.fixture(scope="module")
def published_lab(course: Path) -> PublishedLab:
    """The lab, published through every gate, zh and en."""
    return PublishedLab(course, LAB, SCENARIO)


@pytest.fixture(scope="module")
def samples(course: Path, published: dict[str, Release]) -> dict[str, Sample]:
    """The sample submissions, written where the examiner finds them."""
    # Those with a mistake of the lab were graded by the gates.
    names = [sample.name for sample in SAMPLES if not sample.mistake]
    release = course / "release" / published["zh"].id
    return write_samples(release, course.parent / "in", names)


@pytest.fixture(scope="module")
def graded(
    course: Path, published: dict[str, Release], samples: dict[str, Sample]
) -> GradingReport:
    """The sample submissions, graded as an examiner grades them."""
    return grade_folder(course, published["zh"], course.parent / "in")


def test_faultless_work_gets_all_machine_points(published_lab: PublishedLab) -> None:
    """The solution earns all 88 machine points in both languages."""
    assert published_lab.given("gold") == [88, 88]


def test_the_untouched_release_gets_nothing(published_lab: PublishedLab) -> None:
    """Handing in the release as it came earns 0 points in both languages."""
    assert published_lab.given("untouched") == [0, 0]


def test_every_mistake_loses_the_rows_it_names(published_lab: PublishedLab) -> None:
    """Each named mistake lost at least the rows that it names."""
    assert len(published_lab.mistakes) >= 8
    assert published_lab.kept() == {}


def test_samples_with_a_mistake_of_the_lab_get_their_marks(
    published_lab: PublishedLab,
) -> None:
    """What the gates gave such a sample lies within the points expected of it."""
    samples = [sample for sample in SAMPLES if sample.mistake]

    assert samples
    for sample in samples:
        given = published_lab.mistake(sample.mistake)["machine_given"]
        assert sample.least <= given <= sample.most, sample.name


def test_the_samples_get_the_marks_they_should(
    graded: GradingReport, samples: dict[str, Sample]
) -> None:
    """Each sample submission ends within the machine points expected of it."""
    sheets = {row.candidate: row.sheet for row in graded.rows}

    assert set(sheets) == set(samples)
    for candidate, sample in samples.items():
        sheet = sheets[candidate]
        assert sheet is not None
        given = sheet.given(sheet.machine_rows)
        assert sample.least <= given <= sample.most, (candidate, given)
        rows = {row.code: row for row in sheet.rows}
        assert [c for c in sample.loses if rows[c].given == rows[c].points] == []
        begun = [c for c in sample.not_attempted if rows[c].outcome != "not attempted"]
        assert begun == []


def test_no_sample_passes_before_a_person_has_marked(graded: GradingReport) -> None:
    """A sheet with a written answer is awaiting marking, whatever its points."""
    outcomes = {row.candidate: row.sheet.outcome for row in graded.rows if row.sheet}

    assert "passed" not in outcomes.values()
    assert "broken" not in outcomes.values()


def test_the_record_holds_each_sample_once(
    course: Path, graded: GradingReport, samples: dict[str, Sample]
) -> None:
    """After grading, the record verifies and has one graded entry a candidate."""
    record = Record.open(course)
    names = [entry.candidate for entry in record.entries(event="graded")]

    assert record.verify().ok
    assert sorted(name for name in names if name in samples) == sorted(samples)
