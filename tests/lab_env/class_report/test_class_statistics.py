"""The figures of the class report, compared with numpy's."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab_env.class_report.facts import ClassFacts
from lab_env.class_report.statistics import (
    LEAST,
    bins,
    by_chance,
    discrimination,
    spread,
)

points = st.integers(0, 20).map(lambda halves: halves / 2)
pairs = st.lists(st.tuples(points, points), min_size=LEAST, max_size=60)


@given(pairs)
def test_discrimination_is_the_correlation(both: list[tuple[float, float]]) -> None:
    """It is numpy's Pearson correlation; without spread there is none."""
    mine, rest = [a for a, _ in both], [b for _, b in both]

    found = discrimination(mine, rest)

    assert found.n == len(both)
    if len(set(mine)) == 1 or len(set(rest)) == 1:
        assert found.value is None
        assert found.missing == ("same row" if len(set(mine)) == 1 else "same rest")
    else:
        assert found.value == pytest.approx(np.corrcoef(mine, rest)[0, 1], abs=1e-9)


@given(st.lists(st.none() | points, max_size=30))
def test_few_say_nothing(mine: Sequence[float | None]) -> None:
    """Below eight candidates with a mark in both, no correlation is printed."""
    rest = [float(place) for place in range(len(mine))]

    found = discrimination(mine, rest)

    assert found.n == sum(each is not None for each in mine)
    assert (found.missing == "few") == (found.n < LEAST)


@given(st.lists(points, min_size=1, max_size=60))
def test_spread_is_numpys(values: list[float]) -> None:
    """Mean, deviation, median, ninetieth percentile and ends are numpy's."""
    found = spread(values)

    assert found is not None
    assert found.n == len(values)
    assert found.mean == pytest.approx(np.mean(values))
    assert found.median == np.median(values)
    assert found.ninetieth == pytest.approx(np.percentile(values, 90))
    assert (found.smallest, found.largest) == (min(values), max(values))
    if len(values) > 1:
        assert found.deviation == pytest.approx(np.std(values, ddof=1))


def test_nobody_has_no_spread() -> None:
    """Of no values there is nothing to say."""
    assert spread([]) is None


@given(st.integers(1, 120), st.lists(st.integers(0, 1000), max_size=80))
def test_everybody_is_in_one_bin(points: int, parts: list[int]) -> None:
    """Tenths of points fall where whole-number arithmetic puts them."""
    tenths = [part % (10 * points + 1) for part in parts]

    found = bins([100 * (each / 10) / points for each in tenths])

    expected = [0] * 10
    for each in tenths:
        expected[min(9, each // points)] += 1
    assert found == expected


@pytest.mark.parametrize(("points", "tenths"), [(17, 51), (21, 189), (23, 46)])
def test_a_share_is_not_below_its_line(points: int, tenths: int) -> None:
    """A share such as 30 of 100 opens its bin, though 5.1 of 17 is a hair less in floats."""
    place = tenths // points

    assert bins([100 * (tenths / 10) / points])[place] == 1


def test_eight_are_enough() -> None:
    """With seven there is no correlation, with eight there is."""
    rising = [float(number) for number in range(8)]

    assert discrimination(rising[1:], rising[1:]).missing == "few"
    assert discrimination(rising, rising).value == pytest.approx(1)


def test_chance_is_smaller_in_a_larger_class() -> None:
    """The band of chance is 1.96 standard errors of no correlation."""
    assert by_chance(40) == pytest.approx(0.314, abs=0.001)


def test_rest_leaves_the_row_itself_out(facts: ClassFacts) -> None:
    """Each row of a class is correlated with the other machine rows alone."""
    sheets = [
        each.sheet
        for each in facts.attempts
        if all(row.given is not None for row in each.sheet.machine_rows)
    ]
    codes = [row.code for row in facts.rows]
    given = np.array(
        [[np.nan if r.given is None else r.given for r in s.rows] for s in sheets]
    )
    by_hand = np.array([row.by_hand for row in facts.rows])
    assert len(sheets) == 38

    for place, row in enumerate(facts.rows):
        others = ~by_hand & (np.arange(len(codes)) != place)
        rest, mine = given[:, others].sum(axis=1), given[:, place]
        known = ~np.isnan(mine)
        expected = np.corrcoef(mine[known], rest[known])[0, 1]
        assert row.discrimination.n == known.sum()
        assert row.discrimination.value == pytest.approx(expected, abs=1e-9)


def test_difficulty_is_the_share_of_points(facts: ClassFacts) -> None:
    """It is the mean of the points given, over what there was to give."""
    for place, row in enumerate(facts.rows):
        given = [
            each.sheet.rows[place].given
            for each in facts.attempts
            if each.sheet.rows[place].given is not None
        ]
        mean = np.mean(np.array(given, dtype=float))
        assert row.n == len(given)
        assert row.share == pytest.approx(mean / row.points)
