"""How far annotators agree about labels, beyond what chance would give.

Plain Python, as ``lab_env.metrics``: the same number next year. Where a coefficient is
undefined (everybody used one and the same label, so chance alone agrees) it is NaN.
"""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import chain


def raw_agreement(first: Sequence[str], second: Sequence[str]) -> float:
    """Return the share of items to which both gave the same label."""
    pairs = list(zip(first, second, strict=True))
    return _ratio(sum(a == b for a, b in pairs), len(pairs))


def cohen_kappa(first: Sequence[str], second: Sequence[str]) -> float:
    """Return Cohen's kappa of two annotators."""
    observed = raw_agreement(first, second)
    theirs = Counter(second)
    both = sum(count * theirs[label] for label, count in Counter(first).items())
    chance = both / len(first) ** 2 if first else 1.0
    return _ratio(observed - chance, 1 - chance)


def fleiss_kappa(items: Sequence[Sequence[str]]) -> float:
    """Return Fleiss' kappa; each item holds the labels of equally many annotators."""
    raters = len(items[0]) if items else 0
    if raters < 2 or any(len(item) != raters for item in items):
        counts = sorted({len(item) for item in items})
        raise ValueError(f"each item needs the same 2 or more labels, got {counts}")
    agreeing = [_agreeing_pairs(item) / (raters * (raters - 1)) for item in items]
    observed = sum(agreeing) / len(items)
    totals = Counter(chain.from_iterable(items))
    chance = sum((count / (raters * len(items))) ** 2 for count in totals.values())
    return _ratio(observed - chance, 1 - chance)


def krippendorff_alpha(items: Sequence[Sequence[str | None]]) -> float:
    """Return Krippendorff's nominal alpha; None is a label that was not given."""
    given = [[label for label in item if label is not None] for item in items]
    # An item that one annotator saw says nothing about agreement.
    pairable = [item for item in given if len(item) > 1]
    totals = Counter(chain.from_iterable(pairable))
    number = sum(totals.values())
    observed = sum(
        (len(item) * (len(item) - 1) - _agreeing_pairs(item)) / (len(item) - 1)
        for item in pairable
    )
    by_chance = number**2 - sum(count**2 for count in totals.values())
    return 1 - _ratio(observed * (number - 1), by_chance)


def _agreeing_pairs(labels: Sequence[str]) -> int:
    return sum(count * (count - 1) for count in Counter(labels).values())


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
