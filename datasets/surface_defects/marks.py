"""What is on a surface: the four defects, and what only looks like one.

Every function returns what it adds to each point and colour of the picture.
"""

from itertools import pairwise

import numpy as np
from surfaces import COLUMNS, HEIGHT, ROWS, WIDTH, Array, texture

Point = tuple[float, float]
# Five by seven dots a figure, as a marking machine strikes them.
FIGURES = {
    "A": "01110 10001 10001 11111 10001 10001 10001",
    "K": "10001 10010 10100 11000 10100 10010 10001",
    "0": "01110 10001 10011 10101 11001 10001 01110",
    "1": "00100 01100 00100 00100 00100 00100 01110",
    "2": "01110 10001 00001 00110 01000 10000 11111",
    "4": "00010 00110 01010 10010 11111 00010 00010",
    "7": "11111 00001 00010 00100 01000 01000 01000",
    "8": "01110 10001 10001 01110 10001 10001 01110",
    "-": "00000 00000 00000 01110 00000 00000 00000",
}


def grey(field: Array) -> Array:
    """Return a field as the same in each colour."""
    return np.repeat(field[..., None], 3, axis=-1)


def distance(path: list[Point]) -> tuple[Array, Array]:
    """Return how far each point is from a line, and how far along it (0 to 1)."""
    far, along = np.full((HEIGHT, WIDTH), 1e9), np.zeros((HEIGHT, WIDTH))
    for number, ((x0, y0), (x1, y1)) in enumerate(pairwise(path)):
        dx, dy = x1 - x0, y1 - y0
        t = ((COLUMNS - x0) * dx + (ROWS - y0) * dy) / (dx * dx + dy * dy + 1e-9)
        t = np.clip(t, 0, 1)
        here = np.hypot(COLUMNS - x0 - t * dx, ROWS - y0 - t * dy)
        along = np.where(here < far, (number + t) / (len(path) - 1), along)
        far = np.minimum(far, here)
    return far, along


def bent(start: Point, end: Point, bend: float) -> list[Point]:
    """Return a smooth line that leaves the straight one by ``bend`` of its length."""
    (x0, y0), (x1, y1) = start, end
    middle = ((x0 + x1) / 2 - bend * (y1 - y0), (y0 + y1) / 2 + bend * (x1 - x0))
    steps = [step / 16 for step in range(17)]
    return [
        tuple(
            (1 - t) ** 2 * a + 2 * t * (1 - t) * m + t * t * b
            for a, m, b in zip(start, middle, end, strict=True)
        )
        for t in steps
    ]  # type: ignore[misc]


def jagged(rng: np.random.Generator, start: Point, end: Point) -> list[Point]:
    """Return a line that breaks to either side, as a crack does."""
    (x0, y0), (x1, y1) = start, end
    length = np.hypot(x1 - x0, y1 - y0)
    steps = max(4, int(length / 9))
    away = rng.uniform(-5.5, 5.5, steps + 1)
    away[[0, -1]] = 0
    across, down = -(y1 - y0) / length, (x1 - x0) / length
    return [
        (
            x0 + (x1 - x0) * n / steps + across * off,
            y0 + (y1 - y0) * n / steps + down * off,
        )
        for n, off in enumerate(away)
    ]


# --- the four defects ----------------------------------------------------------


def scratch(rng: np.random.Generator, at: list[float], strength: float) -> Array:
    """Return a thin bright line with a shadow: ``at`` is start, end and bend."""
    x0, y0, x1, y1, bend = at
    path = bent((x0, y0), (x1, y1), bend)
    far, along = distance(path)
    light = 1 + 0.15 * np.sin(along * 40 + rng.uniform(0, 6))
    core = np.exp(-((far / 1.35) ** 2)) * light
    shadow, _ = distance([(x + 2.0, y + 2.0) for x, y in path])
    return grey(strength * (78 * core - 30 * np.exp(-((shadow / 1.4) ** 2))))


def crack(rng: np.random.Generator, at: list[float], strength: float) -> Array:
    """Return a dark, broken line with branches: ``at`` is start, end and branches."""
    x0, y0, x1, y1, branches = at
    trunk = jagged(rng, (x0, y0), (x1, y1))
    paths = [trunk]
    for number in range(int(branches)):
        x, y = trunk[len(trunk) * (number + 1) // (int(branches) + 1)]
        turn = np.arctan2(y1 - y0, x1 - x0) + (0.75 if number % 2 else -0.75)
        reach = rng.uniform(26, 38)
        tip = (x + reach * np.cos(turn), y + reach * np.sin(turn))
        paths.append(jagged(rng, (x, y), tip))
    dark = np.zeros((HEIGHT, WIDTH))
    for path in paths:
        far, along = distance(path)
        width = 1.9 - 0.8 * along
        dark = np.maximum(dark, np.exp(-((far / width) ** 2)))
    return grey(-strength * 88 * dark)


def outline(rng: np.random.Generator, at: list[float], uneven: float) -> Array:
    """Return how far out each point lies: 0 in the middle, 1 on an uneven rim."""
    x, y, half_width, half_height = at
    across, down = (COLUMNS - x) / half_width, (ROWS - y) / half_height
    angle = np.arctan2(down, across)
    rim = sum(
        uneven / k * np.sin(k * angle + rng.uniform(0, 6.28)) for k in (2, 3, 4, 5)
    )
    return np.hypot(across, down) / (1 + rim)


def dent(rng: np.random.Generator, at: list[float], strength: float) -> Array:
    """Return a hollow: dark where its wall turns from the light, bright opposite."""
    out = outline(rng, at, 0.05)
    across, down = (COLUMNS - at[0]) / at[2], (ROWS - at[1]) / at[3]
    wall = np.where(out < 1, np.sqrt(np.clip(1 - out**2, 0, 1)) ** 0.35, 0)
    slope = (0.7 * across + 0.75 * down) * wall
    hollow = np.where(out < 1, np.clip(1 - out**2, 0, 1), 0)
    rim = np.exp(-(((out - 1) / 0.05) ** 2))
    return grey(strength * (58 * slope - 20 * hollow + 9 * rim * (across + down < 0)))


def stain(rng: np.random.Generator, at: list[float], strength: float) -> Array:
    """Return a flat spot of rust or oil; ``at`` ends with its darkness by colour."""
    *place, red, green, blue = at
    out = outline(rng, place, 0.16)
    soft = 3.5 / min(place[2], place[3])
    cover = np.clip((1 - out) / soft + 0.5, 0, 1)
    ring = 0.25 * np.exp(-(((out - 0.94) / 0.07) ** 2))
    patchy = cover * (0.85 + 0.12 * texture(rng, 5, 5) + ring)
    return -strength * patchy[..., None] * np.array([red, green, blue])


DEFECTS = {"scratch": scratch, "crack": crack, "dent": dent, "stain": stain}


# --- no defects ----------------------------------------------------------------


def hole(rng: np.random.Generator, at: list[float]) -> Array:
    """Return a screw hole with a countersunk rim: an even circle."""
    x, y, radius = at
    out = np.hypot(COLUMNS - x, ROWS - y)
    inner = np.clip(radius - out + 0.5, 0, 1)
    rim = np.exp(-(((out - radius - 3.5) / 2.2) ** 2))
    side = (COLUMNS - x + ROWS - y) / (out + 1e-9) / 1.4
    return grey(-105 * inner + 26 * rim * (0.6 + 0.6 * side))


def groove(rng: np.random.Generator, at: list[float]) -> Array:
    """Return a machined groove: straight, of one width, from edge to edge."""
    x0, y0, x1, y1 = at
    far, _ = distance([(x0, y0), (x1, y1)])
    lip, _ = distance([(x0 + 4, y0 + 4), (x1 + 4, y1 + 4)])
    core = np.clip(3.5 - far, 0, 1)
    return grey(-48 * core + 24 * np.exp(-((lip / 1.6) ** 2)))


def reflection(rng: np.random.Generator, at: list[float]) -> Array:
    """Return the lamp in the surface: bright, broad, without an edge."""
    x, y, half_width, half_height, turn = at
    across, down = COLUMNS - x, ROWS - y
    u = across * np.cos(turn) + down * np.sin(turn)
    v = down * np.cos(turn) - across * np.sin(turn)
    return grey(58 * np.exp(-((u / half_width) ** 2) - (v / half_height) ** 2))


def tooling(rng: np.random.Generator, at: list[float]) -> Array:
    """Return the arcs that a milling cutter leaves, one beside the other."""
    x, y, half_width, half_height = at
    radius = np.hypot(COLUMNS - x + 150, (ROWS - y) * 0.9)
    waves = np.sin(radius * 2 * np.pi / 9)
    u, v = (COLUMNS - x) / half_width, (ROWS - y) / half_height
    return grey(11 * waves * np.clip(4 * (1 - np.maximum(abs(u), abs(v))), 0, 1))


def dust(rng: np.random.Generator, at: list[float]) -> Array:
    """Return specks of dust about a point: light, and far smaller than a defect."""
    x, y, spread, count = at
    added = np.zeros((HEIGHT, WIDTH))
    for _ in range(int(count)):
        away, turn = spread * np.sqrt(rng.uniform(0, 1)), rng.uniform(0, 6.28)
        left, top = x + away * np.cos(turn), y + away * np.sin(turn)
        size = rng.uniform(0.9, 1.9)
        far = np.hypot(COLUMNS - left, ROWS - top)
        added = np.maximum(added, np.exp(-((far / size) ** 2)))
    return grey(62 * added)


def pit(rng: np.random.Generator, at: list[float]) -> Array:
    """Return one dark point, smaller than the least defect."""
    x, y, radius = at
    out = np.hypot(COLUMNS - x, ROWS - y)
    return grey(-70 * np.exp(-((out / radius) ** 4)))


def number(rng: np.random.Generator, at: list[float | str]) -> Array:
    """Return a part number struck into the metal, dot by dot."""
    x, y, word = float(at[0]), float(at[1]), str(at[2])
    added = np.zeros((HEIGHT, WIDTH))
    for place, figure in enumerate(word):
        for row, dots in enumerate(FIGURES[figure].split()):
            for column, dot in enumerate(dots):
                if dot == "1":
                    left, top = x + 28 * place + 4.5 * column, y + 4.5 * row
                    far = np.hypot(COLUMNS - left, ROWS - top)
                    lip = np.hypot(COLUMNS - left - 1.5, ROWS - top - 1.5)
                    light = 22 * np.exp(-((lip / 1.5) ** 2))
                    added += light - 62 * np.exp(-((far / 1.5) ** 2))
    return grey(added)


HARMLESS = {
    "hole": hole,
    "groove": groove,
    "reflection": reflection,
    "tooling": tooling,
    "dust": dust,
    "pit": pit,
    "number": number,
}
