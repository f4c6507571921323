"""Sample submissions of finetuning_classifier, graded as an examiner grades a folder."""

from pathlib import Path

import pytest
from every_scenario import drafted
from sample_submissions import SAMPLES, Sample, write_samples

from lab_env.exam import GradingReport, grade_folder
from lab_env.record import Record
from lab_env.release import Release

LAB, SCENARIO = "finetuning_classifier", "customer_service"


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder; `make test` takes the lab through every gate."""
    return tmp_path_factory.mktemp("samples") / "course"


@pytest.fixture(scope="module")
def release(course: Path) -> Release:
    """The release in Chinese."""
    return drafted(LAB, SCENARIO, "zh", course)


@pytest.fixture(scope="module")
def samples(course: Path, release: Release) -> dict[str, Sample]:
    """The sample submissions, written where the examiner finds them."""
    # Those with a mistake of the lab are graded by its gates.
    names = [sample.name for sample in SAMPLES if not sample.mistake]
    return write_samples(course / "release" / release.id, course.parent / "in", names)


@pytest.fixture(scope="module")
def graded(course: Path, release: Release, samples: dict[str, Sample]) -> GradingReport:
    """The sample submissions, graded as an examiner grades them."""
    return grade_folder(course, release, course.parent / "in")


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
