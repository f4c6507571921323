"""What the page says of rows: how hard, how telling, where most were lost."""

from collections.abc import Iterator, Sequence

from lab_env.checks import Text
from lab_env.class_report.facts import ClassFacts, RowFacts
from lab_env.class_report.parts import (
    Cell,
    Figure,
    Section,
    Table,
    Voice,
    cells,
    columns,
)
from lab_env.class_report.plots import Axes, Dot, scatter
from lab_env.class_report.statistics import LEAST, by_chance

# Below it a row hardly tells those who can from those who cannot.
WEAK = 0.2
# In a smaller class chance alone would name rows.
ENOUGH = 20
MOST_FAILED = 10
# Shorter than on a mark sheet: they head narrow columns.
_OUTCOMES = {
    "passed": Text("通过", "Passed"),
    "failed": Text("未达到", "Failed"),
    "not attempted": Text("未作答", "Not attempted"),
    "skipped": Text("跳过", "Skipped"),
    "awaiting marking": Text("待评", "Open"),
    "broken": Text("故障", "Broken"),
}


def rows_of_the_sheet(facts: ClassFacts, say: Voice) -> Section:
    """Return difficulty and discrimination of every row, with a plot."""
    dots = [
        Dot(row.code, 100 * row.share, row.discrimination.value, row.by_hand)
        for row in facts.rows
        if row.share is not None and row.discrimination.value is not None
    ]
    figures = (_figure(dots, say),) if dots else ()
    seen = {
        name: text
        for name, text in _OUTCOMES.items()
        if any(row.outcomes[name] for row in facts.rows)
    }
    headings = (
        say("细则编号", "Row"),
        say("评分细则描述", "What is marked"),
        say("#配分", "#Max"),
        say("#已评人数", "#n"),
        say("#得分率", "#Share given"),
        say("#区分度 (n)", "#Discrimination (n)"),
        *(say(f"#{each.zh}", f"#{each.en}") for each in seen.values()),
    )
    caption = say("每一行的难度与区分度", "Difficulty and discrimination of each row")
    lines = tuple(_row(row, list(seen), say) for row in facts.rows)
    table = Table(caption, columns(*headings), lines)
    heading = say("各评分行：难度与区分度", "Rows: difficulty and discrimination")
    said = tuple(_explained(facts, dots, say))
    look = tuple(_suspicious(facts.rows, say))
    again = say("值得复查的行", "Rows to look at again")
    return Section("rows", heading, said, figures, (table,), again, look)


def _row(row: RowFacts, seen: Sequence[str], say: Voice) -> tuple[Cell, ...]:
    share = Cell("—")
    if row.share is not None:
        share = Cell(f"{100 * row.share:.0f}%", row.share)
    counts = (row.outcomes[name] for name in seen)
    about = (row.code, say.read(row.sentence), row.points, row.n)
    return cells(*about, share, _discrimination(row, say), *counts)


def signed(value: float) -> str:
    """Return a correlation with two places and a true minus sign."""
    return f"{value:.2f}".replace("-", "−")


def _discrimination(row: RowFacts, say: Voice) -> str:
    found = row.discrimination
    if found.value is not None:
        return f"{signed(found.value)} ({found.n})"
    if found.missing == "same row":
        return say(f"得分全同 ({found.n})", f"all equal ({found.n})")
    return f"— ({found.n})"


def _explained(facts: ClassFacts, dots: Sequence[Dot], say: Voice) -> Iterator[str]:
    yield say(
        "得分率是这一行给出的分数占配分的比例：越高越容易；未作答和跳过（前一行未通过）按零分计。"
        "区分度是这一行得分与其余机评行总分的相关系数：越高，越能把掌握的人和没有掌握的人"
        "区分开。",
        "The share given is the part of a row's points that was given: high is easy; "
        "not attempted and skipped (a row it needs failed) count as zero. "
        "Discrimination is the correlation of "
        "a row with the sum of all other machine rows: the higher, the better the row "
        "tells those who can from those who cannot.",
    )
    n = max(row.discrimination.n for row in facts.rows)
    if n < LEAST:
        yield say(
            f"区分度至少要有 {LEAST} 人的成绩才计算，现在有 {n} 人。",
            f"Discrimination needs the marks of {LEAST} candidates; there are {n}.",
        )
    elif dots:
        chance = by_chance(n)
        yield say(
            f"{n} 人时，±{chance:.2f} 以内的相关可能只是偶然。",
            f"With n = {n}, a correlation within ±{chance:.2f} may be chance alone.",
        )


def _suspicious(rows: Sequence[RowFacts], say: Voice) -> Iterator[str]:
    for row in rows:
        found, code = row.discrimination, row.code
        value = found.value if found.n >= ENOUGH else None
        if row.share == 0 and row.n >= LEAST:
            yield say(
                f"{code}：没有人得分。核对这一行的要求、讲解和考评程序。",
                f"{code}: nobody got a point. Check its task, its teaching, its check.",
            )
        elif value is not None and value < 0:
            yield say(
                f"{code}：区分度为负（{signed(value)}），其余行得分高的人在这里并不更好。"
                "核对这一行的要求和考评程序。",
                f"{code}: discrimination is negative ({signed(value)}), those who did "
                "well elsewhere do no better here. Check its task and its check.",
            )
        elif value is not None and value < WEAK:
            yield say(
                f"{code}：区分度 {signed(value)}，几乎区分不出掌握程度。",
                f"{code}: discrimination {signed(value)}, hardly tells anybody apart.",
            )


def _figure(dots: Sequence[Dot], say: Voice) -> Figure:
    title = say("难度与区分度", "Difficulty against discrimination")
    axes = Axes(
        say("得分率（越往右越容易）", "share of points given (easier to the right)"),
        say("区分度", "discrimination"),
    )
    every = [f"{dot.code} {dot.share:.0f}% {signed(dot.value)}" for dot in dots]
    described = say(
        "散点图，每行一个点：编号、得分率、区分度。",
        "Scatter plot, one dot a row: code, share given, discrimination. ",
    ) + say.join(every)
    marks = say("圆点是机评行", "Discs are rows marked by machine")
    if any(dot.by_hand for dot in dots):
        marks += say("，方块是人评行", ", squares by hand")
    sentence = marks + say(
        f"；虚线（{WEAK}）以下的行值得复查。得分全同的行没有区分度，不在图中。",
        f"; look again at rows below the dashed line ({WEAK}). Rows in which "
        "all got the same have no discrimination and are not shown.",
    )
    return Figure(title, sentence, scatter(dots, axes, WEAK, described))


def most_failed(facts: ClassFacts, say: Voice) -> Section | None:
    """Return the rows that most failed, with what they were told most often."""
    failed = [row for row in facts.rows if row.outcomes["failed"]]
    failed.sort(key=lambda row: (-row.outcomes["failed"], row.share or 0))
    if not failed:
        return None
    headings = (
        say("细则编号", "Row"),
        say("评分细则描述", "What is marked"),
        say("#未达到", "#Failed"),
        say("#得分率", "#Share given"),
        say("最常见的提示", "Most frequent message"),
        say("#收到的人数", "#Got it"),
    )
    rows = tuple(_failed(row, say) for row in failed[:MOST_FAILED])
    caption = say("未达到次数最多的行", "Rows that failed most often")
    more = len(failed) - MOST_FAILED
    rest = say(f"另有 {more} 行有人未达到，见上表。", f"{more} more rows: see above.")
    heading = say("最常失分的行", "Where most points were lost")
    said = say(
        "“未达到”包括只得部分分。提示里的数值是其中一人的。",
        "Failed includes part of the points. Values in a message are one candidate's.",
    )
    table = Table(caption, columns(*headings), rows)
    said_too = (rest,) if more > 0 else ()
    return Section("failed", heading, (said, *said_too), tables=(table,))


def _failed(row: RowFacts, say: Voice) -> tuple[Cell, ...]:
    said = row.failed_said
    message, count = (say.read(said.text), str(said.count)) if said else ("—", "—")
    share = Cell("—" if row.share is None else f"{100 * row.share:.0f}%", row.share)
    sentence, failed = say.read(row.sentence), row.outcomes["failed"]
    return cells(row.code, sentence, failed, share, message, count)


def not_attempted(facts: ClassFacts, say: Voice) -> Section | None:
    """Return the rows that were left as they came."""
    left = [row for row in facts.rows if row.outcomes["not attempted"]]
    left.sort(key=lambda row: -row.outcomes["not attempted"])
    if not left:
        return None
    headings = (
        say("细则编号", "Row"),
        say("评分细则描述", "What is marked"),
        say("#未作答", "#Not attempted"),
        say("#占全体", "#Of all"),
    )
    everybody = len(facts.attempts)
    rows = tuple(
        cells(
            row.code,
            say.read(row.sentence),
            row.outcomes["not attempted"],
            _of_all(row.outcomes["not attempted"] / everybody),
        )
        for row in left
    )
    blank = sum(each.given_up for each in facts.attempts)
    said = say(
        f"其中 {blank} 人交的是空白卷。", f"{blank} handed in nothing but blanks."
    )
    caption = say("每一行有多少人未作答", "How many did not attempt a row")
    table = Table(caption, columns(*headings), rows)
    heading = say("未作答的行", "Rows not attempted")
    return Section("left", heading, (said,) if blank else (), tables=(table,))


def _of_all(share: float) -> Cell:
    return Cell(f"{100 * share:.0f}%", share)
