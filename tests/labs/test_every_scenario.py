"""Every lab is drafted on every scenario; `make gates` grades work on all of them."""

from pathlib import Path

import pytest
from every_scenario import CLASSIFIERS, PAIRS, content_of, drafted, scenarios_of

from lab_env.checks import LANGUAGES
from lab_env.gates import check_still


def test_classifier_labs_are_worked_on_two_industries() -> None:
    """Fine-tuning, adapters and evaluation take more than one scenario."""
    assert len(CLASSIFIERS) >= 2
    assert scenarios_of("finetuning_classifier") == sorted(CLASSIFIERS)


def test_the_path_is_whole_on_every_industry() -> None:
    """Where there is a classifier to tune, its messages can be labelled first."""
    assert set(scenarios_of("annotation_text")) > CLASSIFIERS


@pytest.mark.parametrize(("lab", "scenario"), PAIRS)
def test_drafts_pass_the_gates_that_grade_nothing(
    lab: str, scenario: str, tmp_path: Path
) -> None:
    """Languages are in step, points and key fit, and nothing secret leaves."""
    drafts = [drafted(lab, scenario, language, tmp_path) for language in LANGUAGES]
    check_still(content_of(lab, scenario), drafts)
