"""`lab report`: what it writes, and what it says when it cannot."""

from pathlib import Path

import pytest
from made_class import enter_class, toy_release

from lab_env import cli
from lab_env.release import Release


@pytest.fixture
def course(tmp_path: Path) -> tuple[Path, Release]:
    """A course with a class of three."""
    release = toy_release(tmp_path / "course")
    enter_class(tmp_path / "course", release, 3)
    return tmp_path / "course", release


def test_the_page_lies_in_the_course(
    course: tuple[Path, Release], capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --out the page is reports/RELEASE.LANGUAGE.html, and its path is told."""
    folder, release = course

    code = cli.run(["report", release.id, "--course", str(folder)])

    page = folder / "reports" / f"{release.id}.zh.html"
    assert code == 0
    assert capsys.readouterr().out == f"{page}\n"
    assert page.read_text("utf-8").startswith("<!doctype html>")


def test_all_three_files_go_where_they_should(
    course: tuple[Path, Release], tmp_path: Path
) -> None:
    """--out, --csv and --candidates-csv each name a file, in a new folder too."""
    folder, release = course
    names = ("out/a.html", "out/b.csv", "out/c.csv")
    page, rows, marks = (tmp_path / name for name in names)

    files = ("--out", str(page), "--csv", str(rows), "--candidates-csv", str(marks))
    about = ("--course", str(folder), "--language", "en")
    code = cli.run(["report", release.id, *about, *files])

    assert code == 0
    assert '<html lang="en">' in page.read_text("utf-8")
    assert len(rows.read_text("utf-8").splitlines()) == 1 + 4
    assert len(marks.read_text("utf-8").splitlines()) == 1 + 3


def test_nobody_graded_leaves_with_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without an attempt it is one sentence, and no file is left behind."""
    release = toy_release(tmp_path)

    code = cli.run(["report", release.id, "--course", str(tmp_path)])

    err = capsys.readouterr().err
    assert code == 2
    assert err.startswith(f"lab: Nobody has a mark sheet for {release.id} yet")
    assert err.count("\n") == 1
    assert not (tmp_path / "reports").exists()
    assert not (tmp_path / "record.db").exists()


def test_an_unknown_release_leaves_with_two(
    course: tuple[Path, Release], capsys: pytest.CaptureFixture[str]
) -> None:
    """A name that is nearly right is answered with the right one."""
    folder, release = course

    code = cli.run(["report", release.id[:-1] + "9", "--course", str(folder)])

    assert code == 2
    assert f"Did you mean {release.id}?" in capsys.readouterr().err
