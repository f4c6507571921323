"""Facts about work folders."""

from pathlib import Path

import pytest
from toy_work import RELEASE, release_toy

from lab_env.errors import LabError
from lab_env.files import write_json
from lab_env.work import find_work, mark_open_rows, open_work, own_sheet, start_work


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """A toy release in a course of its own."""
    return release_toy(tmp_path / "course")


def test_starting_again_keeps_the_trainees_files(
    released: Path, tmp_path: Path
) -> None:
    """What a trainee wrote is never overwritten; a given file that is gone is back."""
    work = start_work(released, tmp_path)
    work.notebook.write_text("mine")
    (work.folder / "data" / "train.csv").unlink()

    again = start_work(released, tmp_path)

    assert again.notebook.read_text() == "mine"
    assert (work.folder / "data" / "train.csv").is_file()


def test_the_only_work_folder_needs_no_name(released: Path, tmp_path: Path) -> None:
    """With one release started, commands find it."""
    start_work(released, tmp_path / "work")

    assert find_work(None, tmp_path / "work").release == RELEASE


def test_two_work_folders_are_asked_about(released: Path, tmp_path: Path) -> None:
    """With two releases started, both are named and one must be chosen."""
    work = start_work(released, tmp_path / "work")
    write_json(tmp_path / "work" / "other" / "release.json", work.facts)

    with pytest.raises(LabError, match=r"Which work folder\? There is .*other, .*-r1"):
        find_work(None, tmp_path / "work")


def test_a_folder_without_release_is_named(tmp_path: Path) -> None:
    """A folder that lab start did not make is said, with what to do."""
    with pytest.raises(LabError, match=r"No release.json in .* `lab start LAB` made"):
        open_work(tmp_path)


@pytest.mark.parametrize("text", ["[]", "{", "{}", '{"release": 1}'])
def test_a_damaged_release_json_is_one_sentence(tmp_path: Path, text: str) -> None:
    """Whatever release.json holds, the sentence says how to get it back."""
    (tmp_path / "release.json").write_text(text)

    with pytest.raises(LabError, match=r"delete it and run lab start again"):
        open_work(tmp_path)


def test_open_rows_are_marked_on_the_files_as_they_are(
    released: Path, tmp_path: Path
) -> None:
    """A right deliverable passes and a missing one is not attempted."""
    work = start_work(released, tmp_path)
    lines = (released / "data" / "train.csv").read_text().splitlines()
    write_json(work.folder / "counts.json", {"messages": len(lines) - 1})

    outcomes = {row.code: row.outcome for row in mark_open_rows(work)}

    assert outcomes == {"M1": "passed", "M2": "not attempted"}


def test_a_result_that_is_not_there_yet_is_said(released: Path, tmp_path: Path) -> None:
    """Before marking, the place of the result and the candidate are named."""
    work = start_work(released, tmp_path)

    with pytest.raises(LabError, match="No result for 20260001 in"):
        own_sheet(work, "20260001", tmp_path / "feedback")
    with pytest.raises(LabError, match=r"Candidate '\.\./1' should be 1 to 64 letters"):
        own_sheet(work, "../1", tmp_path / "feedback")
    with pytest.raises(LabError, match="add --candidate NUMBER"):
        own_sheet(work, None, tmp_path / "feedback")


@pytest.mark.parametrize("name", ["rows.py", "scenario.toml"])
def test_a_given_file_that_was_spoiled_can_be_had_again(
    released: Path, tmp_path: Path, name: str
) -> None:
    """The sentence says how; it is no fault of ours."""
    work = start_work(released, tmp_path)
    (work.folder / name).write_text("if (")

    with pytest.raises(LabError, match="delete both and run lab start again"):
        mark_open_rows(work)
