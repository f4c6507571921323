"""What the page says of the class as a whole: key figures, faults, marks."""

from collections.abc import Iterator
from dataclasses import dataclass

from lab_env.class_report.facts import ClassFacts, Fault, Marks
from lab_env.class_report.messages import shown
from lab_env.class_report.parts import (
    Cell,
    Figure,
    Key,
    Section,
    Table,
    Voice,
    cells,
    columns,
)
from lab_env.class_report.plots import Axes, Line, histogram
from lab_env.class_report.statistics import bins
from lab_env.marksheet import PASS_MARK


@dataclass(frozen=True)
class _Part:
    """Marks with their name, and where a pass begins."""

    name: str
    marks: Marks
    pass_mark: int | None = None


def key_figures(facts: ClassFacts, say: Voice) -> Iterator[Key]:
    """Yield the figures that stand at the head of the page."""
    late = len(facts.ungraded)
    note = say(f"另有 {late} 人已提交、未评", f"{late} more handed in, not graded")
    count = str(len(facts.attempts))
    yield Key(say("参评考生", "Candidates"), count, note if late else "")
    yield _median(facts.machine, say("机评得分中位数", "Median by machine"), say)
    if facts.has_hand_rows:
        yield _median(facts.total, say("总分中位数", "Median of totals"), say)
        waiting = str(len(facts.unmarked))
        yield Key(say("待人工评分", "Await marking by hand"), waiting)
    passed = sum(each.sheet.outcome == "passed" for each in facts.attempts)
    decided = len(facts.total.given)
    note = say(f"已全部评完的 {decided} 人中", f"of {decided} fully marked")
    yield Key(say("合格", "Passed"), str(passed), note)
    broken = sum(each.sheet.broken for each in facts.attempts)
    if broken:
        yield Key(say("考评故障", "Broken, our fault"), str(broken), is_alarm=True)
    if facts.stops:
        yield Key(say("运行被中断", "Runs stopped"), str(len(facts.stops)))


def _median(marks: Marks, label: str, say: Voice) -> Key:
    where = marks.spread
    if where is None:
        return Key(label, "—", say("还没有评完的", "none fully marked"))
    note = say(
        f"满分 {marks.points}，{where.n} 人", f"of {marks.points}, n = {where.n}"
    )
    return Key(label, f"{where.median:g}", note)


def faults(facts: ClassFacts, say: Voice) -> Section | None:
    """Return what broke, with run ids; None if nothing did."""
    if not facts.faults:
        return None
    headings = (
        say("运行编号", "Run"),
        say("准考证号", "Candidate"),
        say("细则编号", "Rows"),
        say("记录下的原因", "What was recorded"),
        say("现状", "State"),
    )
    caption = say("出故障的评分行", "Rows that broke")
    rows = tuple(_fault(fault, say) for fault in facts.faults)
    advice = say(
        "这些行既没有给分，也没有记零分，由人决定：排除故障后用 lab grade … --force "
        "--only 准考证号 重评，或用 lab mark 给分并写明理由。",
        "These rows have no points and no zero; a person decides. Mend the cause and "
        "grade again (lab grade … --force --only CANDIDATE), or give points with a "
        "reason (lab mark).",
    )
    heading = say("考评故障：责任在我们，不在考生", "What broke: our fault, not theirs")
    table = Table(caption, columns(*headings), rows)
    return Section("faults", heading, (advice,), tables=(table,), is_alarm=True)


def _fault(fault: Fault, say: Voice) -> tuple[Cell, ...]:
    codes = say.join(fault.codes)
    if fault.all_rows:
        count = len(fault.codes)
        codes = say(f"全部 {count} 行", f"all {count} rows")
    by = shown(fault.decided_by)
    state = say(f"已由 {by} 评定", f"decided by {by}")
    state = state if by else say("待人工处理", "waits for a person")
    said = shown(fault.said) or "—"
    return cells(fault.run or "—", fault.candidate, codes, said, state)


def distribution(facts: ClassFacts, say: Voice) -> Section:
    """Return how the marks are distributed, by machine and in all."""
    parts = [_Part(say("总分", "Totals"), facts.total, PASS_MARK)]
    if facts.has_hand_rows:
        parts.insert(0, _Part(say("机评得分", "Points by machine"), facts.machine))
    figures = tuple(_figure(part, say) for part in parts if part.marks.given)
    headings = (
        say("得分", "Points"),
        say("#人数", "#n"),
        say("#平均", "#Mean"),
        say("#标准差", "#Standard deviation"),
        say("#最低", "#Lowest"),
        say("#中位数", "#Median"),
        say("#最高", "#Highest"),
    )
    rows = tuple(map(_spread, parts))
    caption = say("得分的分布", "Distribution of marks")
    table = Table(caption, columns(*headings), rows)
    left_out = tuple(_left_out(part, say) for part in parts if part.marks.open)
    heading = say("成绩分布", "Distribution of marks")
    return Section("marks", heading, left_out, figures, (table,))


def _spread(part: _Part) -> tuple[Cell, ...]:
    label = f"{part.name} / {part.marks.points}"
    where = part.marks.spread
    if where is None:
        return cells(label, 0, *["—"] * 5)
    deviation = "—" if where.deviation is None else f"{where.deviation:.1f}"
    ends = (f"{where.smallest:g}", f"{where.median:g}", f"{where.largest:g}")
    return cells(label, where.n, f"{where.mean:.1f}", deviation, *ends)


def _left_out(part: _Part, say: Voice) -> str:
    name, count = part.name, part.marks.open
    return say(
        f"{name}：{count} 人还有未评定的行，没有计入。",
        f"{name}: {count} candidates have open rows and are not counted.",
    )


def _figure(part: _Part, say: Voice) -> Figure:
    name, marks = part.name, part.marks
    counts, where = bins(marks.shares), marks.spread
    assert where is not None
    middle = 100 * where.median / marks.points
    lines = [Line(middle, say(f"中位数 {where.median:g}", f"median {where.median:g}"))]
    if part.pass_mark is not None:
        said = say(f"合格线 {part.pass_mark}%", f"pass mark {part.pass_mark}%")
        lines.append(Line(part.pass_mark, said, "weak"))
    axes = Axes(
        say(f"得分占 {marks.points} 分的百分比", f"% of {marks.points} points"),
        say("人数", "candidates"),
    )
    ranges = (f"{10 * at}–{10 * at + 10}%: {count}" for at, count in enumerate(counts))
    described = say(
        f"直方图，{name}，{where.n} 人，中位数 {where.median:g} 分。各段人数：",
        f"Histogram, {name}, n = {where.n}, median {where.median:g}. Candidates: ",
    ) + say.join(list(ranges))
    sentence = say(
        f"{where.n} 人，满分 {marks.points} 分；每柱 10%，柱上是人数。",
        f"n = {where.n}, {marks.points} points in all; a bar is 10 %, with its count.",
    )
    return Figure(name, sentence, histogram(counts, axes, lines, described))
