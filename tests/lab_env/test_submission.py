"""Facts about what a grader sees of one submission."""

from pathlib import Path

import pytest

from lab_env.checks import NotAttempted, Text, Unreadable
from lab_env.errors import BrokenError
from lab_env.scenario import Scenario
from lab_env.submission import Submission, TrustedFiles

SAID = Text("说明。", "Said.")
CASE = Scenario(
    "s", "1", SAID, SAID, (), {}, {"zh": {"f1": {"zero": 0, "full": 1}}}, {}
)


def submission(folder: Path, **more: object) -> Submission:
    """Return a submission of the files in ``folder``."""
    return Submission(folder, TrustedFiles(folder), CASE, "zh", **more)  # type: ignore[arg-type]


def test_a_fault_in_our_own_file_is_ours(tmp_path: Path) -> None:
    """A released or sealed file that does not read makes the row broken."""
    (tmp_path / "train.csv").write_text("id\n1\n", "utf-8")

    with pytest.raises(BrokenError, match=r"train.csv .* expected each once: id, team"):
        TrustedFiles(tmp_path).read_csv("train.csv", ["id", "team"])


def test_the_notebook_has_no_key(tmp_path: Path) -> None:
    """Asking for the key where it is not is a fault of ours, never of the work."""
    with pytest.raises(BrokenError, match="which is not here"):
        _ = submission(tmp_path).answer_key


@pytest.mark.parametrize("text", ["", "  \n", "write here", "  write here\n"])
def test_a_starter_is_no_answer(tmp_path: Path, text: str) -> None:
    """An empty answer and an unchanged starter are both not attempted."""
    work = submission(tmp_path, answers={"why": text}, starters={"why": "write here"})

    with pytest.raises(NotAttempted, match="Nothing is written yet"):
        work.written_answer("why")


def test_a_written_answer_is_returned(tmp_path: Path) -> None:
    """What the trainee wrote comes back without the space around it."""
    work = submission(tmp_path, answers={"why": " mixed up \n"}, starters={"why": "x"})

    assert work.written_answer("why") == "mixed up"


def test_a_refused_deliverable_says_why(tmp_path: Path) -> None:
    """A deliverable that was not taken fails with the reason, not as missing."""
    refused = {"model": Unreadable(Text("太大", "too large"))}
    work = submission(tmp_path, refused=refused)

    with pytest.raises(Unreadable, match="too large"):
        work.read_tensor_shapes("model/model.safetensors")


def test_a_model_that_did_not_load_is_the_trainees(tmp_path: Path) -> None:
    """What the examiner's run of the model says of it becomes the row's sentence."""
    (tmp_path / "failure.txt").write_text("weights hold NaN", "utf-8")
    work = submission(tmp_path, model_output=tmp_path)

    with pytest.raises(Unreadable, match="weights hold NaN"):
        work.model_predictions()


def test_curves_are_those_of_the_language(tmp_path: Path) -> None:
    """A release is marked on the curves of its own language."""
    assert submission(tmp_path).curves == {"f1": {"zero": 0, "full": 1}}
