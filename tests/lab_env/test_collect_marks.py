"""Points given in formgrader reach the record: once, with who and why."""

import shutil
from pathlib import Path

import pytest
from published_toy import EN, english, hand_in, published

from lab_env import desk, exam, gradebook
from lab_env.collect_marks import collect_marks
from lab_env.marking import mark_by_hand
from lab_env.marksheet import MarkSheet, Row
from lab_env.record import Record

WHO = "examiner-07"


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with one graded hand-in."""
    folder = tmp_path_factory.mktemp("collect")
    course = published(folder)
    hand_in(folder / "pile" / "gold", english(course))
    report = exam.grade_folder(course, english(course), folder / "pile")
    assert [row.sentence for row in report.rows] == [""]
    return course


@pytest.fixture
def course(graded: Path, tmp_path: Path) -> Path:
    """A copy of the graded course that a test may change."""
    return Path(shutil.copytree(graded, tmp_path / "course"))


def row_of(course: Path, code: str) -> Row:
    """Return a row as it stands in the record."""
    entries = desk.sheets(Record.open(course, create=False), "gold", EN)
    row = MarkSheet.from_json(entries[-1].body["sheet"]).row(code)
    assert row is not None
    return row


def give(course: Path, cell: str, points: float, comment: str = "") -> None:
    """Give points and a comment as formgrader's page does."""
    gradebook.write_manual_score(course, EN, "gold", cell, points)
    with gradebook._gradebook(course) as book:
        found = book.find_submission(EN, "gold").notebooks[0].comments
        for each in found:
            if each.name == cell:
                each.manual_comment = comment
        book.db.commit()


def test_points_and_comment_become_one_entry(course: Path) -> None:
    """The row has the points, the examiner and the comment as its reason; once."""
    give(course, "answer-why", 1.5, "证据\n不完整")

    (done,) = collect_marks(course, english(course), WHO)

    assert (done.candidate, done.row, done.points, done.refused) == (
        "gold",
        "J1",
        1.5,
        "",
    )
    row = row_of(course, "J1")
    assert (row.given, row.marked_by, row.reason) == (1.5, WHO, "证据 不完整")
    assert collect_marks(course, english(course), WHO) == ()
    assert Record.open(course, create=False).verify().bad is None


def test_points_without_a_comment_say_so(course: Path) -> None:
    """A row of the record is never without a reason."""
    give(course, "answer-why", 2)

    collect_marks(course, english(course), WHO)

    assert row_of(course, "J1").reason == "given in formgrader, no comment"


def test_points_that_changed_are_a_new_entry(course: Path) -> None:
    """What `lab mark` wrote is collected again only after formgrader changed it."""
    mark_by_hand(course, english(course), "gold", "J1", 1, "examiner-01", "short")
    assert collect_marks(course, english(course), WHO) == ()

    give(course, "answer-why", 2, "second look")
    assert len(collect_marks(course, english(course), WHO)) == 1

    assert row_of(course, "J1").given == 2


def test_points_that_cannot_stand_are_named_and_stop_no_other(course: Path) -> None:
    """A quarter of a point, and points over the machine's, are refused by sentence."""
    give(course, "answer-why", 0.25)
    give(course, "rows-M1", 0.5)
    give(course, "rows-M2", 1)

    said = {
        each.row: each.refused for each in collect_marks(course, english(course), WHO)
    }

    assert "in steps of 0.5, got 0.25" in said["J1"]
    assert "Row M1 is marked by the grader" in said["M1"]
    assert "1 points were given for the rows M2, M3 together" in said["M2 M3"]
    assert row_of(course, "M1").given == 2


def test_work_graded_again_is_looked_at_again(course: Path) -> None:
    """After a regrade old points wait until a person has confirmed them."""
    give(course, "answer-why", 1)
    gradebook.autograde(course, EN, "gold")

    assert collect_marks(course, english(course), WHO) == ()
