"""Acceptance sampling: how many items to check before a batch of labels is taken."""

from math import comb


def acceptance_probability(
    lot: int, wrong: int, sample: int, allowed: int = 0
) -> float:
    """Return how likely a batch with ``wrong`` items passes a check of ``sample``.

    It passes with at most ``allowed`` wrong ones among those drawn (without return).
    """
    if not 0 <= wrong <= lot or not 0 <= sample <= lot:
        raise ValueError(f"wrong {wrong} and sample {sample} must be from 0 to {lot}")
    ways = sum(
        comb(wrong, found) * comb(lot - wrong, sample - found)
        for found in range(min(allowed, sample) + 1)
    )
    return ways / comb(lot, sample)


def sample_size(
    lot: int, error_rate: float, confidence: float, allowed: int = 0
) -> int:
    """Return the smallest check that lets a worse batch pass too rarely.

    A batch whose share of wrong items is above ``error_rate`` passes with a probability
    of at most 1 - ``confidence``. The whole batch is the answer when no less will do.
    """
    if not 0 <= error_rate < 1 or not 0 < confidence < 1 or lot < 1:
        seen = f"lot {lot}, error rate {error_rate}, confidence {confidence}"
        raise ValueError(f"expected lot >= 1 and shares between 0 and 1, got {seen}")
    # The mildest batch that is still too bad.
    wrong = min(lot, int(error_rate * lot + 1e-9) + 1)
    low, high = 1, lot
    while low < high:
        middle = (low + high) // 2
        if acceptance_probability(lot, wrong, middle, allowed) <= 1 - confidence:
            high = middle
        else:
            low = middle + 1
    return low


def error_limit(wrong: int, sample: int, confidence: float) -> float:
    """Return the error rate that a check of ``sample`` leaves possible (one-sided).

    The exact binomial limit (Clopper and Pearson): with a higher rate, so few wrong
    ones would be found with a probability below 1 - ``confidence``.
    """
    if not 0 <= wrong <= sample or sample < 1 or not 0 < confidence < 1:
        raise ValueError(f"{wrong} wrong of {sample}, confidence {confidence}: check")
    low, high = wrong / sample, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(wrong, sample, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def _at_most(wrong: int, sample: int, rate: float) -> float:
    return sum(
        comb(sample, k) * rate**k * (1 - rate) ** (sample - k) for k in range(wrong + 1)
    )
