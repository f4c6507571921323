"""Gold work of labs whose every gate is for `make gates`, in the two rooms."""

from pathlib import Path

import nbformat
import pytest
from every_scenario import drafted

from lab_env.build import fill, gold_answers
from lab_env.grade import grade_submission
from lab_env.lab import load_lab
from lab_env.marksheet import MarkSheet
from lab_env.sandbox import detect_isolation


def marked(lab: str, scenario: str, language: str, place: Path) -> MarkSheet:
    """Grade the gold work of a draft."""
    release = drafted(lab, scenario, language, place)
    answers = gold_answers(load_lab(lab), release.scenario, language)
    notebook = nbformat.read(release.notebook, as_version=4)  # type: ignore[no-untyped-call]
    (place / "in").mkdir()
    nbformat.write(fill(notebook, answers), place / "in" / release.notebook.name)  # type: ignore[no-untyped-call]
    return grade_submission(
        release,
        place / "in",
        place / "out",
        candidate="gold",
        attempt=1,
        isolation=detect_isolation(),
    )


@pytest.mark.parametrize(
    ("lab", "scenario", "language"),
    [
        ("finetuning_adapters", "customer_service", "zh"),
        ("evaluation_classifier", "city_hotline", "en"),
    ],
)
def test_gold_gets_all_machine_points(
    lab: str, scenario: str, language: str, tmp_path: Path
) -> None:
    """Who does all of it right gets every point that the machine gives."""
    sheet = marked(lab, scenario, language, tmp_path)
    lost = {
        row.code: row.given for row in sheet.machine_rows if row.given != row.points
    }
    assert lost == {}
    assert sheet.outcome == "awaiting marking"
