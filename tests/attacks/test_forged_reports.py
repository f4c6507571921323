"""Forged reports of finetuning_classifier: files that say what was never done.

The rows of the real lab, on deliverables that a cell could write without any
training.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_finetuning_classifier import (
    edit,
    rows_of,
    training,
    write_gold,
    write_release,
)

Change = Callable[[Path], None]


@pytest.fixture
def forged(tmp_path: Path) -> Path:
    """Return work whose files are all faultless, but no model was ever trained."""
    write_release(tmp_path)
    write_gold(tmp_path)
    shutil.rmtree(tmp_path / "model")
    shutil.rmtree(tmp_path / "run")
    (tmp_path / "run").mkdir()
    return tmp_path


def numbers(**changes: Any) -> Change:
    """Return what changes the log of training.json."""
    return edit("training.json", **changes)


LOGS = {
    "as it was": numbers(),
    "scores above one": numbers(log=[*training()["log"], {"step": 9, "epoch": 3, "loss": 0,
                                "eval_loss": 0, "eval_macro_f1": 2.0}], best_step=9),
    "truth values": numbers(log=[{"step": True, "epoch": True, "loss": True}]),
    "nothing but text": numbers(log=["x" * 1000] * 1000),
    "epochs without end": numbers(log=[{"epoch": 10**15, "loss": n} for n in range(99)]),
    "another split": numbers(checking_ids="0" * 64),
}  # fmt: skip


@pytest.mark.parametrize("change", LOGS.values(), ids=LOGS)
def test_a_log_without_a_model_has_no_points(forged: Path, change: Change) -> None:
    """A log that a cell wrote counts only with a model that has its score."""
    change(forged)
    rows = rows_of(forged)
    assert [rows[code].given for code in ("M10", "M11", "M13")] == [0, 0, 0]
    assert [rows[code].given for code in ("M9", "M15", "M16")] == [0, 0, 0]


@pytest.mark.parametrize(
    ("codes", "points"),
    [(("M12",), 4), (("M17", "M18", "M19"), 38)],
)
def test_what_needs_a_model_is_worth_nothing_without_one(
    forged: Path, codes: tuple[str, ...], points: int
) -> None:
    """Labels written by hand, and a list of ids, are not the work of a model."""
    rows = rows_of(forged)
    assert sum(rows[code].points for code in codes) == points
    assert [rows[code].given for code in codes] == [0] * len(codes)
