"""What the page says of runs and of candidates, one by one."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from lab_env.class_report.attempts import Attempt
from lab_env.class_report.facts import ClassFacts
from lab_env.class_report.parts import (
    Cell,
    Section,
    Table,
    Voice,
    cells,
    columns,
)
from lab_env.class_report.runs import Used
from lab_env.marksheet import MarkSheet, Row
from lab_env.report import OUTCOMES


def time_and_memory(facts: ClassFacts, say: Voice) -> Section | None:
    """Return what the runs used, and which of them were stopped."""
    if not facts.used:
        return None
    headings = (
        say("用量", "Used"),
        say("#运行数", "#n"),
        say("#中位数", "#Median"),
        say("#90% 不超过", "#90 % at most"),
        say("#最大", "#Largest"),
        say("最大的是", "Whose"),
        say("#上限", "#Limit"),
    )
    rows = tuple(_used(used, say) for used in facts.used)
    caption = say("每次重跑的时间与内存", "Time and memory of each re-run")
    tables = [Table(caption, columns(*headings), rows)]
    if facts.stops:
        why = columns(say("准考证号", "Candidate"), say("原因", "Why"))
        lines = tuple(cells(stop.candidate, say.read(stop.why)) for stop in facts.stops)
        caption = say("被中断的运行", "Runs that were stopped")
        tables.append(Table(caption, why, lines))
    nobody = say("没有一次运行达到上限。", "No run reached a limit.")
    said = () if facts.stops else (nobody,)
    heading = say("时间与内存", "Time and memory")
    return Section("runs", heading, said, tables=tuple(tables))


def _used(used: Used, say: Voice) -> tuple[Cell, ...]:
    where = used.spread
    values = (f"{each:.0f}" for each in (where.median, where.ninetieth, where.largest))
    limit = "—" if used.limit is None else f"{used.limit:g}"
    return cells(say.read(used.label), where.n, *values, used.most, limit)


def waiting(facts: ClassFacts, say: Voice) -> Section | None:
    """Return who is not fully marked by hand, or not graded at all."""
    if not facts.unmarked and not facts.ungraded:
        return None
    tables = []
    if facts.unmarked:
        headings = (
            say("待评的行", "Rows"),
            say("#每人分数", "#Points each"),
            say("#人数", "#Candidates"),
            say("准考证号", "Who"),
        )
        caption = say("还要人工评分的考生", "Candidates not yet marked by hand")
        rows = tuple(_unmarked(facts, say))
        tables.append(Table(caption, columns(*headings), rows))
    if facts.ungraded:
        caption = say("已提交、还没有评分的考生", "Handed in, not graded yet")
        lines = tuple(cells(candidate) for candidate in facts.ungraded)
        name = columns(say("准考证号", "Candidate"))
        tables.append(Table(caption, name, lines))
    heading = say("待评", "Still open")
    return Section("open", heading, tables=tuple(tables))


def _unmarked(facts: ClassFacts, say: Voice) -> Iterator[tuple[Cell, ...]]:
    who: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    points: dict[tuple[str, ...], int] = {}
    for candidate, rows in facts.unmarked:
        codes = tuple(row.code for row in rows)
        who[codes].append(candidate)
        points[codes] = sum(row.points for row in rows)
    for codes, names in who.items():
        yield cells(say.join(codes), points[codes], len(names), say.join(names))


def candidates(facts: ClassFacts, say: Voice) -> Section:
    """Return the marks of everybody, one line each."""
    headings = (
        say("准考证号", "Candidate"),
        say("#次数", "#Attempt"),
        say("#机评得分", "#By machine"),
        say("#人评得分", "#By hand"),
        say("#总分", "#Total"),
        say("结论", "Outcome"),
    )
    rows = tuple(_candidate(each, say) for each in facts.attempts)
    caption = say("每位考生最近一次的成绩", "Newest marks of each candidate")
    table = Table(caption, columns(*headings), rows)
    return Section("candidates", say("考生成绩", "Candidates"), tables=(table,))


def _candidate(attempt: Attempt, say: Voice) -> tuple[Cell, ...]:
    sheet = attempt.sheet
    parts = (sheet.machine_rows, sheet.hand_rows, sheet.rows)
    points = [_points(rows, say) for rows in parts]
    outcome = say.read(OUTCOMES[sheet.outcome])
    return cells(sheet.candidate, sheet.attempt, *points, outcome)


def _points(rows: Sequence[Row], say: Voice) -> str:
    if not rows:
        return "—"
    if any(row.given is None for row in rows):
        return say("待评", "open")
    points = sum(row.points for row in rows)
    return f"{MarkSheet.given(rows):g} / {points}"
