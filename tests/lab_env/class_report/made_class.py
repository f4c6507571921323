"""A class that never was: real rows, real mark sheets, entered in a real record.

Everybody has an ability; a row is passed the more surely the easier it is. Seeded.
"""

import math
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from lab_env.checks import Check, Text
from lab_env.files import content_folder, hashes, write_json
from lab_env.marksheet import MarkSheet, Outcome, Row
from lab_env.record import Record
from lab_env.release import Release, load_checks, open_release

TOY = Path(__file__).parents[2] / "fixtures" / "toy"
SAID = {
    "M3": Text(
        "倍数不对：用最多的除以最少的。你数的是另一列；请用人工核对过的那一列作标签。",
        "The ratio is not right: largest by smallest. You used the other column.",
    ),
    "M6": Text(
        "分数与预测对不上。这是 micro（等于准确率）；请用 macro，让每个团队一样重要。",
        "The score is not that of the predictions. This is micro; use macro.",
    ),
    "M13": Text(
        "按 loss 选了检查点。请按 macro-F1 选。",
        "The checkpoint was chosen by loss. Choose it by macro-F1.",
    ),
    "M19": Text(
        "测试分数在新消息上不成立。测试集是否参加了训练？",
        "The test score does not hold on new messages. Was the test set learned?",
    ),
}
OTHER = Text("值不对：与要求的不一致。", "The value is not the one asked for.")
NOT_YET = Text("还没有写。请完成填空。", "This is still blank. Fill it in.")
LIMITS = {
    "memory_mb": 4096,
    "wall_seconds": 400,
    "cpu_seconds": 400,
    "cell_seconds": 180,
}


def toy_release(course: Path, language: str = "zh") -> Release:
    """Seal the toy lab, of 4 rows and 10 points, in a course."""
    scenario = TOY / "scenario" / "scenario.toml"
    name = f"toy_lab-toy_scenario-{language}-r1"
    return _sealed(course, name, TOY / "lab", TOY / "lab" / "grader.py", scenario)


def real_release(course: Path, lab: str, scenario: str, language: str) -> Release:
    """Seal the rows of a lab of ours in a course."""
    return _sealed(
        course,
        f"{lab}-{scenario}-{language}-r1",
        content_folder("labs") / lab,
        content_folder("graders") / f"{lab}.py",
        content_folder("datasets") / scenario / "scenario.toml",
    )


def _sealed(
    course: Path, name: str, lab: Path, grader: Path, scenario: Path
) -> Release:
    folder = course / "sealed" / name
    folder.mkdir(parents=True)
    shutil.copy(lab / "lab.toml", folder)
    shutil.copy(grader, folder / "grader.py")
    shutil.copy(scenario, folder)
    write_json(folder / "manifest.json", {"files": hashes(folder)})
    return open_release(folder)


def enter_class(
    course: Path, release: Release, count: int, *, seed: int = 7, marked: float = 0.6
) -> list[MarkSheet]:
    """Enter a class in the record; a share of it is ``marked`` by hand."""
    chance, checks = Random(seed), load_checks(release.grader)
    sheets = []
    for number in range(count):
        ability = chance.gauss(0.2, 1.1)
        by_hand = chance.random() < marked
        rows = _rows(checks, ability, by_hand, chance)
        sheet = sheet_of(release, f"2026-{number + 1:04}", rows, used(chance, ability))
        sheets.append(enter(course, sheet))
    return sheets


def enter(course: Path, sheet: MarkSheet, **more: Any) -> MarkSheet:
    """Enter a sheet as ``lab grade`` does, and return it."""
    number = len(list(Record.open(course).entries()))
    body = {
        "sheet": sheet.as_json(),
        "run": {"id": f"{number * 2654435761 % 2**32:08x}", "number": 1},
    }
    Record.open(course).append(
        "broken" if sheet.broken else "graded",
        candidate=sheet.candidate,
        release=sheet.release,
        attempt=sheet.attempt,
        body=body | more,
        at=f"2026-11-23T09:{number % 60:02}:00Z",
    )
    return sheet


def sheet_of(
    release: Release,
    candidate: str,
    rows: Sequence[Row],
    environment: dict[str, Any] | None = None,
    attempt: int = 1,
) -> MarkSheet:
    """Return a sheet of these rows."""
    title = release.lab.title.read(release.language)
    facts = (release.id, candidate, attempt, release.language, title, "bubblewrap")
    return MarkSheet(*facts, tuple(rows), environment or {})


def row_of(
    one: Check, outcome: Outcome, given: float | None, message: Text | None = None
) -> Row:
    """Return the row of a check with this outcome."""
    about = (one.code, one.points, one.sentence, one.skill, one.part, one.by_hand)
    return Row(*about, outcome, given, message=message)


def used(chance: Random, ability: float = 0, **more: Any) -> dict[str, Any]:
    """Return what the record keeps of a run."""
    seconds = max(3, chance.gauss(45 + 8 * ability, 12))
    return {
        "ended": "finished",
        "wall_seconds": round(seconds * 1.4, 3),
        "cpu_seconds": round(seconds, 2),
        "peak_memory_mb": round(chance.gauss(1050, 30), 1),
        "limits": LIMITS,
    } | more


def _rows(
    checks: Sequence[Check], ability: float, by_hand: bool, chance: Random
) -> list[Row]:
    # Some stop half-way: from there on nothing is attempted.
    stays = chance.random() < 1 / (1 + math.exp(-1.6 - 1.2 * ability))
    last = len(checks) if stays else chance.randrange(len(checks))
    return [
        _row(one, place, place < last, ability, by_hand, chance)
        for place, one in enumerate(checks)
    ]


def _row(
    one: Check,
    place: int,
    attempted: bool,
    ability: float,
    by_hand: bool,
    chance: Random,
) -> Row:
    # The second half of a sheet is harder; every fifth row tells little.
    hard = -1.6 + 0.09 * place + 0.5 * math.sin(3 * place)
    telling = 0.1 if place % 9 == 4 else 1.7
    right = 1 / (1 + math.exp(-telling * (ability - hard)))
    good = chance.random() < right
    part = round(one.points * chance.uniform(0.3, 0.9) * 2) / 2
    if not attempted:
        return row_of(one, "not attempted", 0.0, NOT_YET)
    if one.by_hand:
        points = float(one.points) if good else part
        row = row_of(one, "awaiting marking", None)
        given: Outcome = "passed" if good else "failed"
        marked = replace(row, outcome=given, given=points, marked_by="examiner 7")
        return marked if by_hand else row
    if good:
        return row_of(one, "passed", float(one.points))
    message = SAID.get(one.code, OTHER)
    return row_of(one, "failed", part if one.points > 4 else 0.0, message)


def broken(rows: Sequence[Row], codes: Sequence[str], fault: str) -> list[Row]:
    """Return the rows with some of them broken by a fault of ours."""
    return [
        replace(row, outcome="broken", given=None, actual=fault, message=None)
        if row.code in codes
        else row
        for row in rows
    ]
