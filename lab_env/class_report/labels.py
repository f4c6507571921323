"""Where the labels of a scatter plot go: beside their point and over nothing else."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Of a digit or capital letter at the size of the labels, in a wide font.
CHARACTER, LINE, MARK = 8.0, 13.0, 4.5
NEAR = 3.0
PER_LINE = 4
_RINGS = (7, 12, 19, 28, 39, 52, 67, 85, 105)
# From the right, round the clock and back: a reader looks there first.
_ANGLES = (0, 180, 30, -30, 150, -150, 60, -60, 120, -120, 90, -90)


@dataclass(frozen=True)
class Box:
    """A rectangle; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        """Say whether the two share some area."""
        beside = self.right <= other.left or other.right <= self.left
        return not (beside or self.bottom <= other.top or other.bottom <= self.top)

    def within(self, other: "Box") -> bool:
        """Say whether this one lies inside the other."""
        across = other.left <= self.left and self.right <= other.right
        return across and other.top <= self.top and self.bottom <= other.bottom


@dataclass(frozen=True)
class Point:
    """A place in the plot and the name that belongs there."""

    x: float
    y: float
    name: str

    @property
    def mark(self) -> Box:
        """What the drawn mark covers."""
        x, y = self.x, self.y
        return Box(x - MARK, y - MARK, x + MARK, y + MARK)


@dataclass(frozen=True)
class Label:
    """Lines of names around the middle of ``box``; ``away`` ones need a line."""

    lines: tuple[str, ...]
    box: Box
    point: Point
    away: bool


def place(points: Sequence[Point], area: Box) -> list[Label]:
    """Return one label for each place; names of points in one place stand together."""
    taken = [point.mark for point in points]
    labels = []
    for group in _together(points):
        lines = _lines([point.name for point in group])
        label = _best(group[0], lines, taken, area)
        taken.append(label.box)
        labels.append(label)
    return labels


def _together(points: Sequence[Point]) -> list[list[Point]]:
    groups: list[list[Point]] = []
    for point in points:
        for group in groups:
            if math.dist((point.x, point.y), (group[0].x, group[0].y)) < NEAR:
                group.append(point)
                break
        else:
            groups.append([point])
    # The most crowded first: later ones have more room to give way.
    return sorted(groups, key=lambda group: (-len(group), group[0].x))


def _lines(names: Sequence[str]) -> tuple[str, ...]:
    starts = range(0, len(names), PER_LINE)
    return tuple(" ".join(names[start : start + PER_LINE]) for start in starts)


def _best(
    point: Point, lines: tuple[str, ...], taken: Sequence[Box], area: Box
) -> Label:
    labels = list(_tried(point, lines))
    inside = [label for label in labels if label.box.within(area)]
    free = (
        label for label in inside if not any(label.box.meets(other) for other in taken)
    )
    return next(free, (inside or labels)[0])


def _tried(point: Point, lines: tuple[str, ...]) -> Iterator[Label]:
    wide = max(map(len, lines)) * CHARACTER / 2
    high = len(lines) * LINE / 2
    for ring in _RINGS:
        for angle in _ANGLES:
            across = math.cos(math.radians(angle))
            down = math.sin(math.radians(angle))
            # The edge of the label, not its middle, keeps the distance of the ring.
            x = point.x + across * (ring + wide)
            y = point.y + down * (ring + high)
            box = Box(x - wide, y - high, x + wide, y + high)
            yield Label(lines, box, point, ring > _RINGS[1])
