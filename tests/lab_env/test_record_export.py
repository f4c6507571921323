"""The record's CSV: the mark sheet as an examiner opens it in a spreadsheet."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from lab_env.record import Record, export_csv

ROW = {
    "code": "M1",
    "points": 10,
    "sentence": {"zh": '标签"列"正确，无误。', "en": "The label column is right."},
    "nominal": "0.9",
    "actual": "0.85",
    "given": 7.5,
    "outcome": "failed",
    "marked_by": "考评员甲",
}


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """A new record."""
    return Record.open(tmp_path)


def add(
    record: Record, event: str = "graded", attempt: int = 1, language: str = "zh",
    **changes: Any,
) -> None:  # fmt: skip
    """Append a mark sheet of one row."""
    sheet = {"language": language, "outcome": "failed", "rows": [ROW | changes]}
    fields: dict[str, Any] = {
        "candidate": "A-1",
        "release": "lab-r1",
        "at": "2026-11-23T01:30:00Z",
    }
    record.append(event, **fields, attempt=attempt, body={"sheet": sheet})


def exported(record: Record) -> list[list[str]]:
    """Return the lines after the heading, as a CSV reader sees them."""
    stream = io.StringIO(newline="")
    export_csv(record.entries(), stream)
    return list(csv.reader(io.StringIO(stream.getvalue(), newline="")))[1:]


def test_line_holds_the_row_as_it_was_marked(record: Record) -> None:
    """One line holds who, which row, nominal, actual, points, examiner and time."""
    add(record)
    (line,) = exported(record)
    assert line[:6] == ["A-1", "lab-r1", "1", "failed", "M1", "10"]
    assert line[6:10] == ['标签"列"正确，无误。', "0.9", "0.85", "7.5"]
    assert line[10:] == ["考评员甲", "2026-11-23T01:30:00Z"]


def test_sentence_is_in_the_language_of_the_sheet(record: Record) -> None:
    """An English paper exports English sentences."""
    add(record, language="en")
    assert exported(record)[0][6] == "The label column is right."


def test_latest_sheet_of_each_attempt_is_exported(record: Record) -> None:
    """A regraded attempt replaces its older line, another attempt does not."""
    add(record, given=1)
    add(record, attempt=2, given=2)
    add(record, "regraded", given=3)
    received: dict[str, Any] = {"candidate": "A-1", "release": "lab-r1", "attempt": 1}
    record.append("received", **received, body={})
    assert [(line[2], line[9]) for line in exported(record)] == [("1", "3"), ("2", "2")]


def test_open_row_has_no_points(record: Record) -> None:
    """A row that awaits marking is empty, not zero."""
    add(record, given=None, marked_by=None, nominal=None)
    assert exported(record)[0][7:11] == ["", "0.85", "", ""]


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", " =1", "\t=1", "\r1", "\n=1"]
)
def test_formulas_of_trainees_are_harmless(record: Record, cell: str) -> None:
    """What a spreadsheet would run gets an apostrophe in front."""
    add(record, actual=cell)
    assert exported(record)[0][8] == f"'{cell}"


def test_negative_points_stay_numbers(record: Record) -> None:
    """A number is left alone, as it cannot be a formula."""
    add(record, given=-2)
    assert exported(record)[0][9] == "-2"


def test_file_opens_in_excel(record: Record, tmp_path: Path) -> None:
    """The file starts with one byte order mark and has Chinese headings."""
    add(record)
    path = tmp_path / "marks.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        export_csv(record.entries(), stream)
    start = path.read_bytes()[:40].decode("utf-8", "ignore")
    assert start.startswith("\ufeff准考证号 candidate,")
