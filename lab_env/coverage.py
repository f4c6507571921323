"""Which rows of the labs test which practical points of the occupational standard.

The points stand in ``labs/standard.toml``, the rows in the graders; the table that
``lab list --coverage`` prints is made of both, and the README holds it.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lab_env.checks import LANGUAGES, Text
from lab_env.errors import LabError
from lab_env.files import content_folder
from lab_env.lab import lab_names, load_lab
from lab_env.release import load_checks

# {lab: codes of its rows}
Rows = dict[str, list[str]]


@dataclass(frozen=True)
class Point:
    """One practical point; ``left`` says what of it stays untested, and why."""

    code: str
    name: Text
    also: Rows
    left: Text | None


@dataclass(frozen=True)
class Unit:
    """Points that belong together; ``share`` is its minutes and points of an exam."""

    level: int
    code: str
    name: Text
    points: tuple[Point, ...]
    share: tuple[int, int] | None = None
    either: str = ""


@cache
def read_units(file: Path) -> tuple[Unit, ...]:
    """Read the units of the standard, level 5 first."""
    try:
        facts = tomllib.loads(file.read_text(encoding="utf-8"))
        return tuple(_unit(item) for item in facts["units"])
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise LabError(
            f"{file} cannot be read ({error}); units have level, code, zh, en and "
            "points, points have code, zh and en."
        ) from error


def units() -> tuple[Unit, ...]:
    """Return the units of the standard that the labs are held against."""
    return read_units(content_folder("labs") / "standard.toml")


@cache
def graded_rows() -> dict[tuple[int, str], Rows]:
    """Return the rows of all graders by level of the lab and code of the point."""
    found: dict[tuple[int, str], Rows] = {}
    for name in lab_names():
        lab = load_lab(name)
        for row in load_checks(lab.grader):
            rows = found.setdefault((lab.level, row.skill), {})
            rows.setdefault(name, []).append(row.code)
    return found


def rows_of_point(level: int, point: Point) -> Rows:
    """Return the rows that test a point, lab by lab, in the order of the path."""
    own = graded_rows().get((level, point.code), {})
    both = {
        name: dict.fromkeys([*own.get(name, []), *point.also.get(name, [])])
        for name in lab_names()
    }
    return {name: sorted(rows, key=_place) for name, rows in both.items() if rows}


def markdown(language: str = "en") -> str:
    """Return the table of coverage, one part for each level."""
    return "\n".join(_lines(language)) + "\n"


def _unit(item: dict[str, Any]) -> Unit:
    points = tuple(
        Point(
            code=each["code"],
            name=Text(each["zh"], each["en"]),
            also={lab: rows.split() for lab, rows in each.get("rows", {}).items()},
            left=Text(**each["left"]) if "left" in each else None,
        )
        for each in item["points"]
    )
    minutes, points_of_100 = item.get("share", (0, 0))
    share = (minutes, points_of_100) if minutes else None
    name = Text(item["zh"], item["en"])
    return Unit(item["level"], item["code"], name, points, share, item.get("or", ""))


def _lines(language: str) -> Iterator[str]:
    known = units()
    for level in sorted({unit.level for unit in known}, reverse=True):
        mine = [unit for unit in known if unit.level == level]
        points = [point for unit in mine for point in unit.points]
        tested = sum(bool(rows_of_point(level, point)) for point in points)
        zh = f"**{level} 级**：{len(points)} 个实操要点，{tested} 个有评分细则。"
        en = f"**Level {level}**: {len(points)} practical points, {tested} with rows."
        heads = Text(
            "| 要点 | 要求 | 评分细则 | 说明：没有考到的，为什么 |",
            "| Point | What it asks | Rows that test it | What is left out, and why |",
        )
        yield from (Text(zh, en).read(language), "", heads.read(language))
        yield "|---|---|---|---|"
        for unit in mine:
            yield _unit_line(unit, language)
            yield from (_point_line(level, each, language) for each in unit.points)
        yield ""


def _unit_line(unit: Unit, language: str) -> str:
    parts = [f"**{_both(unit.name)}**"]
    if unit.share:
        minutes, points = unit.share
        part = Text(f"{minutes} 分钟，{points} 分", f"{minutes} min, {points} points")
        other = Text(f"，与 {unit.either} 二选一", f", or {unit.either}")
        parts.append(part.read(language) + (other.read(language) * bool(unit.either)))
    whole = _shown(graded_rows().get((unit.level, unit.code), {}))
    return f"| **{unit.code}** | {' · '.join(parts)} | {whole} |  |"


def _point_line(level: int, point: Point, language: str) -> str:
    rows = _shown(rows_of_point(level, point)) or "—"
    left = point.left.read(language) if point.left else ""
    return f"| {point.code} | {_both(point.name)} | {rows} | {left} |"


def _both(name: Text) -> str:
    return " ".join(name.read(language) for language in LANGUAGES)


def _shown(rows: Rows) -> str:
    return "; ".join(f"`{lab}` {_ranges(codes)}" for lab, codes in rows.items())


def _ranges(codes: list[str]) -> str:
    """Return "M1-M3 M5" for M1 M2 M3 M5."""
    runs: list[list[str]] = []
    for code in codes:
        if runs and _place(code) == _next(runs[-1][-1]):
            runs[-1].append(code)
        else:
            runs.append([code])
    # Two in a row read better as two.
    ends = [run if len(run) < 3 else [f"{run[0]}-{run[-1]}"] for run in runs]
    return " ".join(each for run in ends for each in run)


def _place(code: str) -> tuple[bool, int]:
    """Return what orders rows: M before J, then their number."""
    return code[0] == "J", int(code[1:])


def _next(code: str) -> tuple[bool, int]:
    by_hand, number = _place(code)
    return by_hand, number + 1
