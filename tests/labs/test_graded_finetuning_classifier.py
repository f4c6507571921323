"""Facts about finetuning_classifier, published and graded in the two rooms."""

from pathlib import Path

import pytest
from published_lab import PublishedLab
from sample_submissions import SAMPLES

LAB, SCENARIO = "finetuning_classifier", "customer_service"


@pytest.fixture(scope="module")
def published_lab(course: Path) -> PublishedLab:
    """The lab, published through every gate, zh and en."""
    return PublishedLab(course, LAB, SCENARIO)


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
