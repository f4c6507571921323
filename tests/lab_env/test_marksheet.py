"""Facts about the mark sheet: what each outcome gives, and what is never printed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab_env.checks import Check, Graded, Mismatch, NotAttempted, Text, Unreadable, met
from lab_env.errors import BrokenError
from lab_env.marksheet import MarkSheet, Row, broken_rows, mark
from lab_env.scenario import Scenario
from lab_env.submission import Submission, TrustedFiles

SAID = Text("说明。", "Said.")


@pytest.fixture
def submission(tmp_path: Path) -> Submission:
    """An empty submission on a scenario without labels."""
    scenario = Scenario("s", "1", SAID, SAID, (), {}, {"zh": {}}, {})
    return Submission(tmp_path, TrustedFiles(tmp_path), scenario, "zh")


def row(code: str, function: Callable[..., Any], points: int = 4, **more: Any) -> Check:
    """Return a check around ``function``."""
    return Check(code, points, SAID, "2.2", "part", function, **more)


def raising(error: Exception) -> Callable[[Submission], None]:
    """Return a check function that raises ``error``."""

    def function(submission: Submission) -> None:
        raise error

    return function


def sheet(*rows: Row) -> MarkSheet:
    """Return a mark sheet of these rows."""
    return MarkSheet("lab-s-zh-r1", "2026-1", 1, "zh", "题", "bubblewrap", rows)


@pytest.mark.parametrize(
    ("function", "outcome", "given"),
    [
        (lambda _: None, "passed", 4),
        (lambda _: Graded(1.0), "passed", 4),
        (lambda _: Graded(0.5), "failed", 2),
        (lambda _: Graded(0.0), "failed", 0),
        (raising(Mismatch(SAID, actual=1, nominal=2)), "failed", 0),
        (raising(Unreadable(SAID)), "failed", 0),
        (raising(NotAttempted(SAID)), "not attempted", 0),
        (raising(BrokenError("no key")), "broken", None),
        (raising(ZeroDivisionError("ours")), "broken", None),
    ],
)
def test_each_result_has_its_outcome(
    submission: Submission,
    function: Callable[..., Any],
    outcome: str,
    given: float | None,
) -> None:
    """What a check says decides outcome and points; a crash of ours is never zero."""
    (one,) = mark([row("M1", function)], submission)

    assert (one.outcome, one.given) == (outcome, given)


def test_a_row_gets_what_the_row_it_needs_returned(submission: Submission) -> None:
    """A needed row hands its value on."""
    first = row("M1", lambda _: 7)
    second = row("M2", lambda _, value: Graded(value / 7), needs=first)

    assert [one.outcome for one in mark([first, second], submission)] == ["passed"] * 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Mismatch(SAID, actual=1, nominal=2), "skipped"),
        (NotAttempted(SAID), "not attempted"),
        (RuntimeError("ours"), "broken"),
    ],
)
def test_a_row_without_the_row_it_needs(
    submission: Submission, first: Exception, second: str
) -> None:
    """A row whose needed row did not pass is skipped, and broken if that was broken."""
    needed = row("M1", raising(first))
    after = mark([needed, row("M2", lambda _, value: None, needs=needed)], submission)

    assert after[1].outcome == second
    assert after[1].given == (None if second == "broken" else 0)


def test_a_mismatch_keeps_nominal_apart_from_the_message(
    submission: Submission,
) -> None:
    """The examiner sees the nominal value; the trainee's copy has none."""
    hint = Text("提示。", "Hint.")
    finding = Mismatch(SAID, actual=0.25, nominal=0.75, hint=hint)
    rows = mark([row("M1", raising(finding))], submission)

    assert (rows[0].actual, rows[0].nominal) == ("0.25", "0.75")
    assert rows[0].message == Text("说明。提示。", "Said. Hint.")
    assert sheet(*rows).for_trainee().rows[0].nominal is None


def test_no_pass_while_a_row_awaits_marking(submission: Submission) -> None:
    """Full machine points are no pass while a person has still to mark."""
    checks = [
        row("M1", lambda _: None, 96),
        row("J1", lambda _: "three sentences", by_hand=True),
    ]
    before = sheet(*mark(checks, submission))
    after = before.marked("J1", 3, "examiner 7", "clear and right")

    assert (before.outcome, before.as_json()["passed"]) == ("awaiting marking", None)
    assert (after.outcome, after.as_json()["total_given"]) == ("passed", 99)
    assert after.rows[1].marked_by == "examiner 7"


@pytest.mark.parametrize(("share", "outcome"), [(0.6, "passed"), (0.59, "failed")])
def test_sixty_percent_is_a_pass(
    submission: Submission, share: float, outcome: str
) -> None:
    """The pass mark is 60 of 100 points, and the same share of a shorter sheet."""
    for points in (100, 50):
        rows = mark([row("M1", lambda _: Graded(share), points)], submission)

        assert sheet(*rows).outcome == outcome


def test_a_broken_sheet_has_no_points(submission: Submission) -> None:
    """When our machinery failed every row is open, and so is the total."""
    rows = broken_rows([row("M1", lambda _: None), row("M2", lambda _: None)], SAID)
    value = sheet(*rows).as_json()

    assert (value["outcome"], value["total_given"]) == ("broken", None)


@given(st.lists(st.sampled_from([0.0, 0.3, 1.0]), min_size=1, max_size=8))
def test_a_sheet_survives_being_written(fractions: list[float]) -> None:
    """Any sheet that is written as JSON is read back the same."""
    folder = Path("unused")
    scenario = Scenario("s", "1", SAID, SAID, (), {}, {"zh": {}}, {})
    submission = Submission(folder, TrustedFiles(folder), scenario, "zh")
    checks = [
        row(f"M{number}", lambda _, share=share: Graded(share, share, 1.0, hint=SAID))
        for number, share in enumerate(fractions)
    ]
    written = sheet(*mark(checks, submission))

    assert MarkSheet.from_json(written.as_json()) == written


def test_a_lone_surrogate_does_not_reach_the_record(submission: Submission) -> None:
    """Text that UTF-8 cannot hold is replaced, so that it cannot stop a recording."""
    (one,) = mark([row("M1", lambda _: Graded(1.0, "a\ud800b"))], submission)

    assert one.actual == "a?b"


@pytest.mark.parametrize("error", [Unreadable, ValueError])
def test_half_a_character_from_a_file_can_be_recorded(
    submission: Submission, error: Callable[[Any], Exception]
) -> None:
    """A lone surrogate in a sentence is replaced; no file could hold it."""
    said = Text("按 \ud800 选", "by \ud800") if error is Unreadable else "\ud800"

    (one,) = mark([row("M1", raising(error(said)))], submission)

    shown = f"{one.message} {one.actual}"
    assert "?" in shown
    assert shown.encode("utf-8")


def test_a_met_row_shows_what_was_expected(submission: Submission) -> None:
    """A row that passed can carry its nominal value, and hands its actual one on."""
    first = row("M1", lambda _: met(0.62, ">= 0.6"))
    second = row("M2", lambda _, value: met(value, 0.62), needs=first)
    rows = mark([first, second], submission)

    assert [(one.actual, one.nominal) for one in rows] == [
        ("0.62", ">= 0.6"),
        ("0.62", "0.62"),
    ]
    assert [one.outcome for one in rows] == ["passed", "passed"]
