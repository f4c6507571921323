"""Numbers of an evaluation: calibration, intervals, a test of two models, costs.

Plain Python and numpy's frozen draws, so that it is the same number next year. What a
notebook gets from scikit-learn, scipy and statsmodels is compared with these in the
tests.
"""

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

BINS = 10
COLDEST, HOTTEST = 0.1, 10.0
SEED, ROUNDS = 7, 40_000
GOLDEN = (math.sqrt(5) - 1) / 2
# Ends of 10,000 honest draws cut 0.025 +- 0.0018 of these: four times that is let pass.
TAIL, TAIL_NEAR, TINY = 0.025, 0.0075, 1e-9

Interval = tuple[float, float]
# Right label, what A gave, what B gave.
Triple = tuple[str, str, str]
Numbers = NDArray[np.float64]
# Of shape (draws, kinds): how often each kind of triple came.
Draws = NDArray[np.int64]
Gap = Callable[[Sequence[Triple], Draws], Numbers]


def softmax(scores: Sequence[float], temperature: float = 1.0) -> list[float]:
    """Return one share for each score, together 1."""
    most = max(scores)
    powers = [math.exp((score - most) / temperature) for score in scores]
    whole = sum(powers)
    return [power / whole for power in powers]


def confidence(scores: Sequence[float], temperature: float = 1.0) -> float:
    """Return the share of the label with the highest score."""
    return max(softmax(scores, temperature))


def calibration_error(sure: Sequence[float], right: Sequence[bool]) -> float:
    """Return the ECE over ten bins of equal width."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for share, is_right in zip(sure, right, strict=True):
        place = min(BINS - 1, int(share * BINS))
        bins.setdefault(place, []).append((share, is_right))
    # |mean confidence - accuracy| of a bin, times its number of messages.
    gaps = (abs(sum(share - hit for share, hit in each)) for each in bins.values())
    return sum(gaps) / len(sure)


def log_loss(
    tables: Sequence[Sequence[float]], places: Sequence[int], temperature: float
) -> float:
    """Return the mean negative log-likelihood of the right labels."""
    total = 0.0
    for scores, place in zip(tables, places, strict=True):
        most = max(scores)
        whole = sum(math.exp((score - most) / temperature) for score in scores)
        total += math.log(whole) - (scores[place] - most) / temperature
    return total / len(places)


def best_temperature(tables: Sequence[Sequence[float]], places: Sequence[int]) -> float:
    """Return the temperature of the least log-loss; it has one valley in log(T)."""
    low, high = math.log(COLDEST), math.log(HOTTEST)
    while high - low > 1e-4:
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        losses = [log_loss(tables, places, math.exp(x)) for x in (left, right)]
        low, high = (low, right) if losses[0] < losses[1] else (left, high)
    return math.exp((low + high) / 2)


def mcnemar_p(only_a: int, only_b: int) -> float:
    """Return the exact two-sided p-value of McNemar's test."""
    many, fewer = only_a + only_b, min(only_a, only_b)
    if only_a == only_b:
        return 1.0
    below = sum(math.comb(many, hits) for hits in range(fewer + 1))
    return float(min(1.0, 2 * below / 2**many))


def only_one_right(triples: Sequence[Triple]) -> tuple[int, int]:
    """Return how many messages A alone, and B alone, got right."""
    only_a = sum(right == a != b for right, a, b in triples)
    return only_a, sum(right == b != a for right, a, b in triples)


def accuracy_gap(kinds: Sequence[Triple], draws: Draws) -> Numbers:
    """Return accuracy of A less that of B, for each draw."""
    worth = np.array([(right == a) - (right == b) for right, a, b in kinds], float)
    found: Numbers = draws @ worth / draws.sum(axis=1)
    return found


def macro_f1_gap(kinds: Sequence[Triple], draws: Draws) -> Numbers:
    """Return macro-F1 of A less that of B, for each draw."""
    return _macro_f1(kinds, draws, 1) - _macro_f1(kinds, draws, 2)


def _macro_f1(kinds: Sequence[Triple], draws: Draws, who: int) -> Numbers:
    labels = sorted({kind[0] for kind in kinds} | {kind[who] for kind in kinds})
    total, present = np.zeros(len(draws)), np.zeros(len(draws))
    for label in labels:
        right = np.array([kind[0] == label for kind in kinds], float)
        given = np.array([kind[who] == label for kind in kinds], float)
        either = draws @ (right + given)
        # 0 of 0: a label that was neither right nor given in this draw.
        total += 2 * (draws @ (right * given)) / np.maximum(either, 1)
        present += either > 0
    return total / present


def bootstrap(triples: Sequence[Triple], gap: Gap) -> tuple[float, ...]:
    """Return differences in order, both models on the same messages each time."""
    return _bootstrap(tuple(sorted(Counter(triples).items())), gap)


@cache
def _bootstrap(counted: tuple[tuple[Triple, int], ...], gap: Gap) -> tuple[float, ...]:
    kinds = [kind for kind, _ in counted]
    counts = np.array([count for _, count in counted])
    many = int(counts.sum())
    # RandomState: its stream is promised to stay the same in every version of numpy.
    draws = np.random.RandomState(SEED).multinomial(many, counts / many, size=ROUNDS)
    return tuple(np.sort(gap(kinds, draws)).tolist())


def interval(draws: Sequence[float]) -> Interval:
    """Return where the middle 95 % of ordered draws begin and end."""
    return quantile(draws, TAIL), quantile(draws, 1 - TAIL)


def cuts_tail(draws: Sequence[float], end: float) -> bool:
    """Say whether about 2.5 % of ordered draws lie below ``end``.

    Asked as a share and not as a distance: accuracy moves in steps, and how far the
    draws of another seed move an end depends on the data.
    """
    below = bisect_left(draws, end - TINY) / len(draws)
    up_to = bisect_right(draws, end + TINY) / len(draws)
    return below <= TAIL + TAIL_NEAR and up_to >= TAIL - TAIL_NEAR


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return a quantile of sorted numbers, straight between neighbours."""
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def recalls(right: Sequence[str], given: Sequence[str]) -> dict[str, float]:
    """Return the recall of every label that occurs."""
    many = Counter(right)
    hits = Counter(a for a, b in zip(right, given, strict=True) if a == b)
    return {label: hits[label] / count for label, count in many.items()}
