"""The plots of a class report: SVG in which every word is text.

So the browser's own font draws Chinese, colours follow the page, and a reader's
program reads ``aria-label``, which says in words what is to be seen.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from lab_env.class_report.labels import Box, Label, Point, place

WIDTH = 460


@dataclass(frozen=True)
class Line:
    """A value that is marked across a histogram."""

    value: float
    label: str
    kind: str = "line"


@dataclass(frozen=True)
class Dot:
    """One row in the plot of difficulty against discrimination."""

    code: str
    share: float
    value: float
    by_hand: bool


@dataclass(frozen=True)
class Axes:
    """What stands at the two axes."""

    across: str
    up: str


def histogram(
    counts: Sequence[int], axes: Axes, lines: Sequence[Line], described: str
) -> Markup:
    """Return the counts of ten bins of shares, with some values marked."""
    frame = _Frame(Box(44, 40, WIDTH - 12, 220), 0, 100, 0, max(*counts, 4))
    step = 100 / len(counts)
    parts = [frame.grid([], _whole_ticks(frame.high), plain=True)]
    parts.append(frame.across_ticks(range(0, 101, 10), ""))
    for number, line in enumerate(lines):
        parts.append(_marked(frame, line, number))
    for number, count in enumerate(counts):
        parts.append(_bar(frame, number * step, step, count))
    return _whole(256, [*parts, frame.titles(axes)], described)


def scatter(dots: Sequence[Dot], axes: Axes, weak: float, described: str) -> Markup:
    """Return share of points against discrimination, every dot with its code."""
    low, high = _fifths([dot.value for dot in dots])
    left = 20 * math.floor(min(min(dot.share for dot in dots), 80) / 20)
    frame = _Frame(Box(50, 12, WIDTH - 24, 372), left, 100, low / 5, high / 5)
    across, up = range(left, 101, 20), [step / 5 for step in range(low, high + 1)]
    parts = [frame.grid(across, up), _level(frame, 0, "zero")]
    parts += [_level(frame, weak, "weak"), frame.across_ticks(across, "%")]
    area = frame.box
    points = [Point(frame.x(d.share), frame.y(d.value), d.code) for d in dots]
    labels = place(points, area)
    parts += [_leader(label) for label in labels if label.away]
    parts += [_mark(dot, point) for dot, point in zip(dots, points, strict=True)]
    parts += map(_names, labels)
    return _whole(412, [*parts, frame.titles(axes)], described)


def bar(share: float) -> Markup:
    """Return a small bar for a table; the number stands beside it."""
    width = round(100 * share, 1)
    return Markup(
        '<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" '
        'aria-hidden="true"><rect class="rest" width="100" height="6"/>'
        '<rect class="full" width="{}" height="6"/></svg>'
    ).format(width)


@dataclass(frozen=True)
class _Frame:
    """Where values lie in the picture."""

    box: Box
    least: float
    most: float
    low: float
    high: float

    def x(self, value: float) -> float:
        share = (value - self.least) / (self.most - self.least)
        return round(self.box.left + share * (self.box.right - self.box.left), 1)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.box.bottom - share * (self.box.bottom - self.box.top), 1)

    def grid(
        self, across: Sequence[float], up: Sequence[float], plain: bool = False
    ) -> Markup:
        box, parts = self.box, []
        for value in across:
            x = self.x(value)
            parts.append(_line(x, box.top, x, box.bottom, "grid"))
        for value in up:
            y = self.y(value)
            parts.append(_line(box.left, y, box.right, y, "grid"))
            said = f"{value:g}" if plain else f"{value:.1f}".replace("-", "−")
            parts.append(_text(box.left - 6, y + 4, said, "end"))
        parts.append(_line(box.left, box.bottom, box.right, box.bottom, "axis"))
        return Markup("").join(parts)

    def across_ticks(self, values: Sequence[float], unit: str) -> Markup:
        y = self.box.bottom + 16
        ticks = (_text(self.x(value), y, f"{value:g}{unit}") for value in values)
        return Markup("").join(ticks)

    def titles(self, axes: Axes) -> Markup:
        box = self.box
        middle = (box.top + box.bottom) / 2
        across = _text((box.left + box.right) / 2, box.bottom + 34, axes.across)
        turned = Markup('<text transform="translate(13 {}) rotate(-90)">{}</text>')
        return across + turned.format(middle, axes.up)


def _fifths(values: Sequence[float]) -> tuple[int, int]:
    """Return where the axis begins and ends, in fifths, with some room at both."""
    low = math.floor(5 * min(-0.05, min(values)) - 0.1)
    high = math.ceil(5 * max(0.4, max(values)) + 0.1)
    return max(low, -5), min(high, 5)


def _whole_ticks(most: float) -> range:
    step = next(step for step in (1, 2, 5, 10, 20, 50, 10**9) if most / step <= 6)
    return range(0, int(most) + 1, step)


def _bar(frame: _Frame, start: float, wide: float, count: int) -> Markup:
    left, top = frame.x(start), frame.y(count)
    width = round(frame.x(start + wide) - left - 2, 1)
    if not count:
        return Markup("")
    rect = '<rect class="full" x="{}" y="{}" width="{}" height="{}"/>'
    shape = Markup(rect).format(left + 1, top, width, round(frame.box.bottom - top, 1))
    return shape + _text(left + 1 + width / 2, top - 4, str(count), kind="over")


def _marked(frame: _Frame, line: Line, number: int) -> Markup:
    x, top = frame.x(line.value), 12 + 14 * number
    # The words stand on the side with more room.
    right = line.value < 50
    words = _text(
        x + (5 if right else -5), top, line.label, "start" if right else "end"
    )
    return _line(x, top - 9, x, frame.box.bottom, line.kind) + words


def _level(frame: _Frame, value: float, kind: str) -> Markup:
    y = frame.y(value)
    return _line(frame.box.left, y, frame.box.right, y, kind)


def _mark(dot: Dot, point: Point) -> Markup:
    if dot.by_hand:
        square = '<rect class="hand" x="{}" y="{}" width="8" height="8"/>'
        return Markup(square).format(round(point.x - 4, 1), round(point.y - 4, 1))
    return Markup('<circle class="full" cx="{}" cy="{}" r="4"/>').format(
        point.x, point.y
    )


def _leader(label: Label) -> Markup:
    box, point = label.box, label.point
    x = min(max(point.x, box.left), box.right)
    y = min(max(point.y, box.top), box.bottom)
    return _line(point.x, point.y, round(x, 1), round(y, 1), "leader")


def _names(label: Label) -> Markup:
    box = label.box
    x = round((box.left + box.right) / 2, 1)
    high = (box.bottom - box.top) / len(label.lines)
    lines = (
        _text(x, round(box.top + high * number + 11, 1), names, kind="name")
        for number, names in enumerate(label.lines)
    )
    return Markup("").join(lines)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    drawn = '<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>'
    return Markup(drawn).format(kind, x1, y1, x2, y2)


def _text(x: float, y: float, said: str, side: str = "", kind: str = "") -> Markup:
    names = " ".join(filter(None, (side, kind)))
    return Markup('<text class="{}" x="{}" y="{}">{}</text>').format(
        names, round(x, 1), round(y, 1), said
    )


def _whole(height: int, parts: Sequence[Markup], described: str) -> Markup:
    head = '<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    return Markup(head).format(WIDTH, height, described, Markup("").join(parts))
