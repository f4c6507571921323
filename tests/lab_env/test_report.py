"""Facts about the printed tables."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from lab_env.checks import Text
from lab_env.marksheet import MarkSheet, Outcome, Row
from lab_env.report import (
    class_report,
    lab_list,
    release_list,
    rows_report,
    scenario_list,
    sheet_report,
)
from lab_env.wrapping import columns

LONG = Text(
    "基线的宏平均 F1 与由 baseline_predictions.csv 重新计算的值一致，误差不超过 0.0005。",
    "The baseline's macro-F1 is the one recomputed from baseline_predictions.csv.",
)


def row(code: str, outcome: Outcome, given: float | None, **more: str) -> Row:
    """Return a row of 4 points."""
    by_hand = code.startswith("J")
    return Row(code, 4, LONG, "2.2", "data", by_hand, outcome, given, **more)  # type: ignore[arg-type]


ROWS = (
    row("M1", "passed", 4.0, actual="0.7423", nominal="0.7423"),
    row("M2", "failed", 1.5, actual="0.8", nominal="SECRET"),
    row("M3", "not attempted", 0.0),
    row("M4", "skipped", 0.0),
    row("J1", "awaiting marking", None, actual="因为[red]两类[/red]消息\x1b[2J相似"),
)


def sheet(language: str = "zh", rows: tuple[Row, ...] = ROWS) -> MarkSheet:
    """Return a sheet of these rows."""
    facts = ("toy-case-zh-r1", "20260001", 1, language, "数一数", "bubblewrap")
    return MarkSheet(*facts, rows)


def printed(table: RenderableType, width: int = 100) -> str:
    """Return what a terminal of that width shows."""
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_the_sheet_has_the_columns_of_the_official_form() -> None:
    """The six headings of the 测量分评分表 stand in its order."""
    text = printed(sheet_report(sheet()))
    headings = ["编号", "配分", "评分细则描述", "规定或标称值", "结果或实际值", "得分"]

    places = [text.index(heading) for heading in headings]

    assert places == sorted(places)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_sentence_is_cut(language: str) -> None:
    """At 100 columns every line fits, and each sentence is there to its end."""
    text = printed(sheet_report(sheet(language)))

    assert max(map(columns, text.splitlines())) <= 100
    assert "…" not in text
    for end in ("0.0005" if language == "zh" else "recomputed",):
        assert text.count(end) == len(ROWS)


def test_the_trainees_copy_has_no_nominal_value() -> None:
    """What the right answer was never reaches the trainee's screen."""
    assert "SECRET" in printed(sheet_report(sheet()))
    assert "SECRET" not in printed(sheet_report(sheet(), trainee=True))
    assert "SECRET" not in printed(rows_report(ROWS, "zh"))


def test_an_open_row_is_no_zero() -> None:
    """Rows awaiting a person are open in the row, in the total and in the outcome."""
    text = printed(sheet_report(sheet()))

    assert "合计配分 20   合计得分 5.5  （另有 4 分待评）" in text
    assert "人评配分 4    人评得分 —  （另有 4 分待评）" in text
    assert "结论  待评" in text


def test_machine_and_hand_points_stand_apart() -> None:
    """The English foot names the machine's points and the person's."""
    marked = sheet("en").marked("J1", 3, "examiner-07", "no evidence")
    text = printed(sheet_report(marked))

    assert "By machine  5.5 of 16 points" in text
    assert "By hand     3 of 4 points" in text
    assert "→ examiner-07: no evidence" in " ".join(text.split())


def test_an_answer_is_shown_as_it_is() -> None:
    """Markup and escape sequences in an answer are text, not commands."""
    text = printed(sheet_report(sheet()))

    assert "[red]" in text
    assert "\x1b" not in text


@dataclass(frozen=True)
class Line:
    """One line of the class table."""

    candidate: str
    outcome: str
    sheet: MarkSheet | None
    sentence: str


def test_the_class_table_says_what_is_left_to_do() -> None:
    """Graded, refused and broken hand-ins each have their line."""
    broken = replace(ROWS[0], outcome="broken", given=None)
    lines = [
        Line("20260001", "graded", sheet("en"), ""),
        Line("20260002", "refused", None, "20260002.zip is no zip file."),
        Line("20260003", "broken", sheet("en", (broken,)), "Run 7f3a."),
    ]

    first, second, third = printed(class_report(lines, "en")).splitlines()[3:6]

    assert first.split()[:6] == ["20260001", "5.5", "/", "16", "open,", "4"]
    assert second.split()[:2] == ["20260002", "refused"]
    assert "our fault" in third


def test_lists_show_labs_scenarios_and_releases(tmp_path: Path) -> None:
    """The lists work in a course in which nothing was published."""
    assert "finetuning_classifier" in printed(lab_list(tmp_path, "zh"))
    assert "customer_service" in printed(scenario_list(tmp_path, "en"))
    assert "Release" in printed(release_list(tmp_path, "en"))


def test_a_folder_name_that_is_no_text_can_be_printed() -> None:
    """Bytes that are no UTF-8, and escape sequences, do not stop the class table."""
    lines = [Line("\udcff\x1b[2J", "refused", None, "\udcff is no number.")]

    text = printed(class_report(lines, "en"))

    assert "\ufffd\ufffd[2J" in text
    assert text.encode("utf-8")
