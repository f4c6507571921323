"""Spans and boxes of two annotators (or of one and the key) put side by side.

Each is matched to at most one: a span over the whole text, or the same box drawn ten
times, earns no more than one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lab_env.annotations.results import Box, Span


@dataclass(frozen=True)
class Counts:
    """What was found, what is missing, what is too much."""

    matched: int
    missing: int
    extra: int

    @property
    def precision(self) -> float:
        """The share of what was marked that is right; 0 where nothing was."""
        marked = self.matched + self.extra
        return self.matched / marked if marked else 0.0

    @property
    def recall(self) -> float:
        """The share of what there is that was marked; 0 where nothing is."""
        there = self.matched + self.missing
        return self.matched / there if there else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both, as seqeval gives it."""
        both = 2 * self.matched + self.missing + self.extra
        return 2 * self.matched / both if both else 0.0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.matched + other.matched,
            self.missing + other.missing,
            self.extra + other.extra,
        )


@dataclass(frozen=True)
class BoxMatch:
    """Two boxes on one thing: their places in the two lists, and their IoU."""

    first: int
    second: int
    iou: float
    same_class: bool


def count_spans(
    first: Sequence[Span], second: Sequence[Span], *, overlap: float | None = None
) -> Counts:
    """Count the spans of ``second`` against those of ``first``, in one text.

    Exact: same start, end and labels. With ``overlap``: same labels and a common share
    (intersection over union) above it; 0 is the field's "relaxed", any overlap.
    """

    def fits(one: Span, other: Span) -> bool:
        same = set(one.codes) == set(other.codes)
        if overlap is None:
            return same and (one.start, one.end) == (other.start, other.end)
        return same and span_iou(one, other) > overlap

    matched = _most_pairs(first, second, fits)
    return Counts(matched, len(first) - matched, len(second) - matched)


def span_iou(one: Span, other: Span) -> float:
    """Return the common characters over all characters of both."""
    common = min(one.end, other.end) - max(one.start, other.start)
    total = one.end - one.start + other.end - other.start - common
    return common / total if common > 0 else 0.0


def box_iou(one: Box, other: Box) -> float:
    """Return the common area over the area of both; in percent as in pixels."""
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    if across <= 0 or down <= 0:
        return 0.0
    common = across * down
    return common / (one.width * one.height + other.width * other.height - common)


def match_boxes(
    first: Sequence[Box], second: Sequence[Box], *, least: float = 0.5
) -> list[BoxMatch]:
    """Match the boxes of one image so that the sum of IoU is largest (Hungarian)."""
    if not first or not second:
        return []
    # Loaded here: a notebook that only annotates needs neither.
    import scipy.optimize  # type: ignore[import-untyped]

    table = [[_weight(one, other, least) for other in second] for one in first]
    solve: Any = scipy.optimize.linear_sum_assignment
    rows, columns = solve(table, maximize=True)
    pairs = [(int(row), int(column)) for row, column in zip(rows, columns, strict=True)]
    return [
        BoxMatch(i, j, box_iou(first[i], second[j]), _same(first[i], second[j]))
        for i, j in pairs
        if table[i][j] > 0
    ]


def _weight(one: Box, other: Box, least: float) -> float:
    share = box_iou(one, other)
    # Of two boxes in the same place, the one of the same class is meant.
    return share + 1e-6 * _same(one, other) if share >= least and share > 0 else 0.0


def _same(one: Box, other: Box) -> bool:
    return set(one.codes) == set(other.codes)


def _most_pairs(
    first: Sequence[Span], second: Sequence[Span], fits: Callable[[Span, Span], bool]
) -> int:
    """Return how many can be paired at most, each used once (augmenting paths)."""
    partner: dict[int, int] = {}

    def place(i: int, tried: set[int]) -> bool:
        for j, other in enumerate(second):
            if j not in tried and fits(first[i], other):
                tried.add(j)
                if j not in partner or place(partner[j], tried):
                    partner[j] = i
                    return True
        return False

    return sum(place(i, set()) for i in range(len(first)))
