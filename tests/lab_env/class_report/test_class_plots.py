"""The plots of the class report, without a browser."""

import xml.etree.ElementTree as ET
from itertools import combinations
from random import Random

import pytest

from lab_env.class_report.labels import Box, Point, place
from lab_env.class_report.plots import Axes, Dot, Line, bar, histogram, scatter

AREA = Box(50, 12, 444, 372)
HOSTILE = '"><script>f()</script>&'


@pytest.mark.parametrize("seed", range(8))
def test_thirty_labels_lie_over_nothing(seed: int) -> None:
    """Labels stay in the plot and clear of each other and of every mark."""
    chance = Random(seed)
    points = [
        Point(
            chance.gauss(330, 60) % 390 + 52, chance.gauss(120, 50) % 350 + 16, f"M{n}"
        )
        for n in range(30)
    ]

    labels = place(points, AREA)

    assert all(label.box.within(AREA) for label in labels)
    assert not any(a.box.meets(b.box) for a, b in combinations(labels, 2))
    assert not any(label.box.meets(p.mark) for label in labels for p in points)


def test_names_of_one_place_stand_together() -> None:
    """Rows with the same two figures share a label, four names a line."""
    points = [Point(100, 100, f"M{number}") for number in range(6)]

    (label,) = place(points, AREA)

    assert label.lines == ("M0 M1 M2 M3", "M4 M5")


def test_a_label_far_from_its_dot_has_a_line() -> None:
    """Where it is crowded, a line leads from the dot to its name."""
    dots = [
        Dot(f"M{n}", 80 + n % 5 * 0.9, 0.6 + n // 5 * 0.012, False) for n in range(20)
    ]

    drawn = str(scatter(dots, Axes("x", "y"), 0.2, "described"))

    assert 'class="leader"' in drawn


@pytest.mark.parametrize("values", [[0.5], [-1.0, 1.0], [0.0, 0.0], [-0.31, 0.11]])
def test_every_dot_is_in_the_plot(values: list[float]) -> None:
    """The axes hold whatever correlations and shares there are."""
    dots = [Dot("M1", 0, value, False) for value in values] + [
        Dot("M2", 100, 0.3, True)
    ]

    drawn = ET.fromstring(str(scatter(dots, Axes("x", "y"), 0.2, "described")))

    for circle in drawn.iter("circle"):
        assert AREA.left <= float(circle.attrib["cx"]) <= AREA.right
        assert AREA.top <= float(circle.attrib["cy"]) <= AREA.bottom


def test_bars_are_as_high_as_their_counts() -> None:
    """Heights are in the ratio of the counts, and each count stands as text."""
    counts = [0, 1, 0, 4, 0, 0, 0, 2, 0, 0]

    drawn = ET.fromstring(str(histogram(counts, Axes("x", "y"), [], "described")))

    heights = [float(rect.attrib["height"]) for rect in drawn.iter("rect")]
    assert heights == pytest.approx(
        [heights[0], 4 * heights[0], 2 * heights[0]], abs=0.2
    )


def test_every_word_of_a_plot_is_escaped() -> None:
    """Markup in a code, an axis or a description stays text."""
    axes = Axes(HOSTILE, HOSTILE)
    plots = (
        histogram([1] * 10, axes, [Line(50, HOSTILE)], HOSTILE),
        scatter([Dot(HOSTILE, 50, 0.5, True)], axes, 0.2, HOSTILE),
    )
    for plot in plots:
        drawn = ET.fromstring(str(plot))
        assert drawn.attrib["aria-label"] == HOSTILE
        assert not list(drawn.iter("script"))
        assert HOSTILE in [text.text for text in drawn.iter("text")]


def test_a_bar_in_a_table_is_as_long_as_its_share() -> None:
    """A third of the points is a third of the bar."""
    full = ET.fromstring(str(bar(1 / 3))).findall("rect")[1]
    assert full.attrib["width"] == "33.3"
