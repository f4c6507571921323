"""Facts about releases: their names, their seal, their grader."""

from pathlib import Path

import pytest

from lab_env.errors import BrokenError, LabError, NotFoundError
from lab_env.files import hashes, write_json, write_whole
from lab_env.release import (
    check_seal,
    find_release,
    latest_release,
    load_checks,
    open_release,
    release_id,
    releases,
)


def seal(course: Path, number: int, lab: str = "toy") -> Path:
    """Make a sealed folder with one file and its manifest."""
    folder = course / "sealed" / release_id(lab, "case", "zh", number)
    write_whole(folder / "key" / "heldout.csv", "id,team\n")
    write_json(folder / "manifest.json", {"files": hashes(folder)})
    return folder


def test_releases_are_numbered_as_numbers(tmp_path: Path) -> None:
    """Release 10 comes after release 9."""
    for number in (10, 9):
        seal(tmp_path, number)

    assert [release.number for release in releases(tmp_path)] == [9, 10]
    latest = latest_release(tmp_path, "toy", "", "zh")
    assert latest is not None
    assert latest.id == "toy-case-zh-r10"


def test_an_unknown_release_gets_a_suggestion(tmp_path: Path) -> None:
    """A release id with a slip is answered with the nearest one."""
    seal(tmp_path, 1)

    with pytest.raises(NotFoundError, match="Did you mean toy-case-zh-r1"):
        find_release(tmp_path, "toy-case-zh-r2")


def test_a_folder_that_is_no_release_is_named(tmp_path: Path) -> None:
    """A name that is no release id is said with the form that was expected."""
    with pytest.raises(LabError, match='"toy" is not a release id; expected LAB-'):
        open_release(tmp_path / "toy")


def test_an_unchanged_release_keeps_its_seal(tmp_path: Path) -> None:
    """A release whose files are as published may be graded."""
    check_seal(open_release(seal(tmp_path, 1)))


@pytest.mark.parametrize("change", ["edit", "add", "remove"])
def test_a_changed_release_is_not_graded(tmp_path: Path, change: str) -> None:
    """A sealed file that was edited, added or removed is named and stops grading."""
    folder = seal(tmp_path, 1)
    key = folder / "key" / "heldout.csv"
    if change == "remove":
        key.unlink()
    else:
        write_whole(key if change == "edit" else folder / "new.txt", "other")

    with pytest.raises(BrokenError, match="is not as it was published"):
        check_seal(open_release(folder))


def test_a_grader_is_loaded_from_its_path(tmp_path: Path) -> None:
    """Two graders of the same name in two releases do not mix."""
    text = (
        "from lab_env.checks import check\n"
        "@check('{code}', points=1)\n"
        "def row(submission):\n    '''甲。\n\n    A.'''\n"
    )
    for code in ("M1", "M2"):
        write_whole(tmp_path / code / "grader.py", text.format(code=code))

    loaded = [load_checks(tmp_path / code / "grader.py") for code in ("M1", "M2")]

    assert [checks[0].code for checks in loaded] == ["M1", "M2"]


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    """The sentence names the file that has to be restored."""
    folder = seal(tmp_path, 1)
    (folder / "manifest.json").write_text("{")

    with pytest.raises(
        BrokenError, match=r"sealed/toy-case-zh-r1/manifest.json cannot"
    ):
        check_seal(open_release(folder))
