"""Facts about the words a grader is written in."""

import math
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab_env.checks import Check, Text, check, curve, rows_of

NUMBERS = st.floats(-1e6, 1e6)


def test_the_docstring_is_the_sentence_in_both_languages() -> None:
    """A check's docstring gives the row's sentence, Chinese first."""

    @check("M1", points=2, part="data")
    def count_is_right(submission: object) -> None:
        """训练集有多少条。

        The number of training messages.
        """

    assert count_is_right.sentence == Text(
        "训练集有多少条。", "The number of training messages."
    )
    assert (count_is_right.code, count_is_right.points) == ("M1", 2)


def test_a_check_without_a_second_language_is_refused() -> None:
    """A sentence in one language only is found when the grader is loaded."""
    with pytest.raises(TypeError, match="Row M1 needs a docstring"):

        @check("M1", points=2)
        def half(submission: object) -> None:
            """只有中文。"""


def test_rows_come_in_the_order_of_the_file() -> None:
    """The mark sheet has its rows in the order in which they are written."""

    def row(code: str) -> Check:
        return Check(code, 1, Text("", ""), "2.2", "", lambda submission: None)

    module = SimpleNamespace(helper=3, second=row("M2"), first=row("M1"))

    assert [one.code for one in rows_of(module)] == ["M2", "M1"]


@given(NUMBERS, NUMBERS)
def test_a_curve_stays_between_nothing_and_all(value: float, zero: float) -> None:
    """Whatever the value, a curve gives between 0 and 1 of the points."""
    assert 0 <= curve(value, zero=zero, full=zero + 1) <= 1


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_better_value_never_earns_less(one: float, other: float) -> None:
    """A curve rises: more quality never costs points."""
    low, high = sorted((one, other))

    assert curve(low, zero=0.5, full=0.9) <= curve(high, zero=0.5, full=0.9)


def test_the_ends_of_a_curve() -> None:
    """The baseline earns nothing and the target earns everything."""
    ends = [curve(value, zero=0.6, full=0.9) for value in (0.6, 0.75, 0.9)]

    assert ends == pytest.approx([0, 0.5, 1])


def test_a_value_that_is_no_number_earns_nothing() -> None:
    """NaN is neither above nor below, and earns nothing."""
    assert curve(math.nan, zero=0.6, full=0.9) == 0
