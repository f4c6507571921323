"""The figures of a class report, in plain Python.

The difficulty of a row is the share of its points that was given: high is easy. Its
discrimination is the correlation of its points with those of all *other* machine rows
(corrected item-rest correlation): did those who did well elsewhere do well here?
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import correlation, fmean, median, quantiles, stdev
from typing import Literal

# Below this a correlation says more about chance than about the row.
LEAST = 8
BINS = 10

Missing = Literal["", "few", "same row", "same rest"]


@dataclass(frozen=True)
class Spread:
    """Where the values of a class lie."""

    n: int
    mean: float
    deviation: float | None
    smallest: float
    median: float
    ninetieth: float
    largest: float


@dataclass(frozen=True)
class Discrimination:
    """The correlation over ``n`` candidates, or why there is none to print."""

    n: int
    value: float | None
    missing: Missing = ""


def spread(values: Sequence[float]) -> Spread | None:
    """Return where the values lie; None if there are none."""
    if not values:
        return None
    # Nine tenths lie at or below it; between two values, in a straight line.
    several = len(values) > 1
    cuts = quantiles(values, n=10, method="inclusive") if several else [*values] * 9
    deviation = stdev(values) if several else None
    middle, ends = median(values), (min(values), max(values))
    mean = fmean(values)
    return Spread(len(values), mean, deviation, ends[0], middle, cuts[-1], ends[1])


def discrimination(
    points: Sequence[float | None], rest: Sequence[float | None]
) -> Discrimination:
    """Correlate a row with the rest, over the candidates who have a mark in both."""
    both = [
        (mine, other)
        for mine, other in zip(points, rest, strict=True)
        if mine is not None and other is not None
    ]
    if len(both) < LEAST:
        return Discrimination(len(both), None, "few")
    mine, others = zip(*both, strict=True)
    if min(mine) == max(mine):
        return Discrimination(len(both), None, "same row")
    if min(others) == max(others):
        return Discrimination(len(both), None, "same rest")
    return Discrimination(len(both), correlation(mine, others))


def by_chance(n: int) -> float:
    """Return how far from 0 chance alone takes a correlation, 19 times of 20."""
    return 1.96 / math.sqrt(n - 1)


def bins(shares: Sequence[float]) -> list[int]:
    """Count shares of 100 in ten bins; the last one holds 100 too."""
    edges = [100 * step / BINS for step in range(BINS + 1)]
    # Rounded: 100 * 5.1 / 17 is a hair below 30.
    exact = [round(share, 6) for share in shares]
    counts = [
        sum(low <= each < high for each in exact) for low, high in pairwise(edges)
    ]
    counts[-1] += sum(each >= edges[-1] for each in exact)
    return counts
