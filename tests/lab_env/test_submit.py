"""Facts about the last look before handing in, and about the zip."""

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from toy_work import RELEASE, cell, release_toy, write_notebook

from lab_env.errors import LabError, SubmissionError
from lab_env.files import sha256
from lab_env.solutions import WRITE_HERE
from lab_env.submit import check_work, pack
from lab_env.work import Work, start_work

GOOD = cell("code", "count", "messages = 8", execution_count=1)


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """A toy release in a course of its own."""
    return release_toy(tmp_path / "course")


@pytest.fixture
def work(released: Path, tmp_path: Path) -> Work:
    """Finished work: every cell run in order, every deliverable there."""
    work = start_work(released, tmp_path / "work")
    (work.folder / "counts.json").write_text('{"messages": 8}')
    (work.folder / "predictions.csv").write_text("id,label\n")
    write_notebook(work.folder, GOOD)
    return work


def test_finished_work_gets_no_warning(work: Work) -> None:
    """Nothing is said about work that is saved, complete and run in order."""
    assert check_work(work) == []


def ran(minute: int) -> dict[str, Any]:
    """Return the metadata of a cell that ran at that minute."""
    return {"execution": {"shell.execute_reply": f"2026-11-23T09:{minute:02}:00Z"}}


WARNINGS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "blank": ([cell("code", "f", "a = ____", execution_count=1)], "are left in: f."),
    "not run": ([cell("code", "f", "a = 1")], "Not run yet: f."),
    "unwritten": ([cell("markdown", "why", WRITE_HERE.en)], "still to write: why."),
    "counts out of order": (
        [
            cell("code", "f", "1", execution_count=7),
            cell("code", "g", "2", execution_count=3),
        ],
        "(f ran after the cell below",
    ),
    "times out of order": (
        # After a new kernel the counts alone would look right.
        [
            cell("code", "f", "1", execution_count=1, metadata=ran(30)),
            cell("code", "g", "2", execution_count=2, metadata=ran(10)),
        ],
        "(f ran after the cell below",
    ),
    "error": (
        [
            cell(
                "code",
                "f",
                "1/0",
                execution_count=1,
                outputs=[{"output_type": "error"}],
            )
        ],
        "Ended in an error: f.",
    ),
}


@pytest.mark.parametrize("kind", WARNINGS)
def test_what_a_trainee_would_regret_is_said(work: Work, kind: str) -> None:
    """Each thing that a trainee would be sorry to have missed gets one sentence."""
    cells, sentence = WARNINGS[kind]
    write_notebook(work.folder, *cells)

    (warning,) = check_work(work)

    assert sentence in warning.en
    assert warning.zh


def test_a_blank_in_a_comment_is_no_blank(work: Work) -> None:
    """A comment may talk about ____."""
    write_notebook(work.folder, cell("code", "f", "a = 1  # ____", execution_count=1))

    assert check_work(work) == []


def delete_predictions(work: Work) -> None:
    """Leave one deliverable out."""
    (work.folder / "predictions.csv").unlink()


def save_before_the_run(work: Work) -> None:
    """Let the notebook be older than what it wrote."""
    os.utime(work.notebook, (1, 1))


def edit_the_data(work: Work) -> None:
    """Change a file that was given out."""
    (work.folder / "data" / "train.csv").write_text("id,text\n")


def run_without_writing(work: Work) -> None:
    """Run the writing cell long after the file was written."""
    source = 'save_json("counts.json", {})'
    late = cell("code", "f", source, execution_count=1, metadata=ran(30))
    write_notebook(work.folder, late)
    for name in ("counts.json", "predictions.csv"):
        os.utime(work.folder / name, (1, 1))


CHANGES: list[tuple[Callable[[Work], None], str]] = [
    (delete_predictions, "Not there yet: predictions.csv."),
    (save_before_the_run, "newer than the notebook"),
    (edit_the_data, "Changed since they were given out: data/train.csv."),
    (run_without_writing, "counts.json is older than the last run"),
]


@pytest.mark.parametrize(("change", "sentence"), CHANGES)
def test_files_that_do_not_fit_are_said(
    work: Work, change: Callable[[Work], None], sentence: str
) -> None:
    """Missing, unsaved, edited and stale files are each named in one sentence."""
    change(work)

    (warning,) = check_work(work)

    assert sentence in warning.en
    assert warning.zh


def test_the_same_work_gives_the_same_bytes(work: Work, tmp_path: Path) -> None:
    """Packing twice gives one hash, so the receipt names the work."""
    first = pack(work, "20260001", tmp_path / "a.zip")
    os.utime(work.notebook, (1, 1))
    second = pack(work, "20260001", tmp_path / "b.zip")

    assert first.sha256 == second.sha256 == sha256(tmp_path / "a.zip")
    assert first.release == RELEASE


def test_the_zip_holds_notebook_release_and_deliverables_only(
    work: Work, tmp_path: Path
) -> None:
    """Given data and the trainee's other files stay at home."""
    (work.folder / "diary.txt").write_text("private")

    pack(work, "20260001", tmp_path / "a.zip")

    names = zipfile.ZipFile(tmp_path / "a.zip").namelist()
    expected = ["counts.json", "predictions.csv", "release.json", "toy_lab.ipynb"]
    assert names == expected


def test_the_receipt_stays_in_the_work_folder(work: Work, tmp_path: Path) -> None:
    """receipt.json says which work was handed in."""
    receipt = pack(work, "20260001", tmp_path / "a.zip")

    kept = json.loads((work.folder / "receipt.json").read_text())
    assert kept["sha256"] == receipt.sha256
    assert kept["candidate"] == "20260001"


def test_a_name_is_no_candidate(work: Work, tmp_path: Path) -> None:
    """An e-mail address is refused before anything is written."""
    with pytest.raises(LabError, match="looks like an e-mail address"):
        pack(work, "li@example.org", tmp_path / "a.zip")

    assert not (tmp_path / "a.zip").exists()


def test_the_notebook_of_another_release_is_refused(work: Work, tmp_path: Path) -> None:
    """A notebook copied from another release is named with both releases."""
    text = work.notebook.read_text().replace("-r1", "-r2")
    work.notebook.write_text(text)

    with pytest.raises(SubmissionError, match=r"en-r2.*but toy_lab.*-en-r1"):
        pack(work, "20260001", tmp_path / "a.zip")


def test_a_link_is_not_packed(work: Work, tmp_path: Path) -> None:
    """A deliverable that links out of the folder is refused."""
    (work.folder / "counts.json").unlink()
    (work.folder / "counts.json").symlink_to("/etc/hostname")

    with pytest.raises(LabError, match="is a link; hand in the file itself"):
        pack(work, "20260001", tmp_path / "a.zip")


def test_a_notebook_that_is_none_is_said(work: Work) -> None:
    """A truncated notebook is one sentence, not a traceback."""
    work.notebook.write_text('{"cells": [')

    with pytest.raises(SubmissionError, match="is not a complete notebook file"):
        check_work(work)
