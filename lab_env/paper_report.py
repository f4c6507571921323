"""Papers for a terminal: one candidate's, a class's, and which papers there are."""

from collections.abc import Iterable
from decimal import Decimal
from functools import partial

from rich.box import SIMPLE_HEAD, SQUARE
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text as Styled

from lab_env.checks import Text
from lab_env.lab import load_lab
from lab_env.paper import ALL_POINTS, MarkedPaper, MarkedPart, Paper, Points
from lab_env.report import OUTCOMES, WIDTH
from lab_env.wrapping import wrap

_STYLES = {"passed": "green", "failed": "red", "broken": "bold red"}
_FIRST = Text("部分", "Part")
# Heading and width of each column of numbers.
_NUMBERS = (
    (Text("配分", "Max"), 4),
    (Text("机评", "Machine"), 7),
    (Text("人评", "Hand"), 6),
    (Text("待评", "Open"), 6),
    (Text("得分", "Given"), 6),
)
_RULE = Text(
    "各部分按配分折算：机评、人评、待评各自四舍五入到两位小数，其余都是它们的和。"
    "总分 60.00 合格；有待评、出错或缺交时不判合格。",
    "Each part is scaled to its share: machine, hand and open points are rounded to "
    "two decimals, and everything else is their sum. 60.00 is a pass; nobody passes "
    "while something is open, broken or missing.",
)
# Of the table of parts: all columns but the first, and the lines between them.
_BESIDE = sum(width + 3 for _, width in _NUMBERS) + 4


def paper_report(marked: MarkedPaper, *, width: int = WIDTH) -> RenderableType:
    """Return the paper of one candidate: parts, total, verdict and what is open."""
    language = marked.language
    table = Table(box=SQUARE)
    room = max(20, width - _BESIDE)
    table.add_column(_FIRST.read(language), width=room)
    for heading, room_of_number in _NUMBERS:
        table.add_column(heading.read(language), justify="right", width=room_of_number)
    for part in marked.parts:
        table.add_row(_about(part, language, room), *_points(part))
        table.add_section()
    table.add_row(Text("合计", "Total").read(language), *_totals(marked))
    return Group(_head(marked, width), table, *_foot(marked, width))


def papers_report(
    papers: Iterable[MarkedPaper], paper: Paper, language: str
) -> RenderableType:
    """Return one line per candidate: each part's points, the total, the verdict."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(Text("准考证号", "Candidate").read(language))
    for part in paper.parts:
        name = part.lab.replace("_", "\n_", 1)
        table.add_column(f"{name} / {part.points}", justify="right", overflow="fold")
    table.add_column(
        f"{Text('合计', 'Total').read(language)} / {ALL_POINTS}", justify="right"
    )
    table.add_column(Text("结论", "Outcome").read(language))
    for marked in papers:
        given = [_part_cell(part, language) for part in marked.parts]
        total = _sum_cell(marked.points.given, bool(marked.reasons), language)
        verdict = OUTCOMES[marked.outcome].read(language)
        style = _STYLES.get(marked.outcome, "yellow")
        table.add_row(marked.candidate, *given, total, Styled(verdict, style=style))
    return table


def paper_list(papers: Iterable[Paper], language: str) -> RenderableType:
    """Return the papers there are, with the minutes and points of their parts."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in (
        Text("试卷", "Paper"),
        Text("分钟", "Min"),
        Text("配分", "Points"),
    ):
        table.add_column(heading.read(language), overflow="fold")
    for paper in papers:
        title = f"{paper.name}  {paper.title.read(language)}"
        table.add_row(Styled(title, style="bold"), str(paper.minutes), str(ALL_POINTS))
        for part in paper.parts:
            on = f" ({part.scenario})" if part.scenario else ""
            name = f"{part.lab}{on}  {load_lab(part.lab).title.read(language)}"
            table.add_row(f"  {name}", str(part.minutes), str(part.points))
    return table


def _about(part: MarkedPart, language: str, room: int) -> Styled:
    """Return the lab, and below it the rest of its release's name."""
    minutes = Text("分钟", "min").read(language)
    lines = [f"{part.part.lab}, {part.part.minutes} {minutes}"]
    if part.sheet is not None:
        attempt = Text(f"第 {part.sheet.attempt} 次", f"attempt {part.sheet.attempt}")
        lines.append(f"{_short(part, part.sheet.release)}, {attempt.read(language)}")
    for other in map(partial(_short, part), part.aside):
        lines.append(Text(f"不计入 {other}", f"not counted: {other}").read(language))
    return Styled("\n").join([Styled(wrap(each, room)) for each in lines])


def _short(part: MarkedPart, release: str) -> str:
    return release.removeprefix(f"{part.part.lab}-")


def _points(part: MarkedPart) -> tuple[str, ...]:
    points = part.points
    if part.sheet is None:
        return (str(part.part.points), "—", "—", _open(points), "—")
    hand = f"{points.hand:.2f}" if _hand_marked(part) else "—"
    shares = (f"{points.machine:.2f}", hand, _open(points), f"{points.given:.2f}")
    return (str(part.part.points), *shares)


def _totals(marked: MarkedPaper) -> tuple[str, ...]:
    points = marked.points
    hand = f"{points.hand:.2f}" if any(map(_hand_marked, marked.parts)) else "—"
    shares = (f"{points.machine:.2f}", hand, _open(points), f"{points.given:.2f}")
    return (str(ALL_POINTS), *shares)


def _hand_marked(part: MarkedPart) -> bool:
    """Say whether any row of the hand has points: nothing marked yet is not 0."""
    rows = part.sheet.hand_rows if part.sheet else ()
    return any(row.given is not None for row in rows)


def _open(points: Points) -> str:
    return f"{points.open:.2f}" if points.open else "—"


def _part_cell(part: MarkedPart, language: str) -> str:
    if not part.begun:
        return Text("缺", "missing").read(language)
    return _sum_cell(part.points.given, part.reason is not None, language)


def _sum_cell(given: Decimal, still_open: bool, language: str) -> str:
    mark = Text("待评", "open").read(language)
    return f"{given:.2f} {mark}" if still_open else f"{given:.2f}"


def _head(marked: MarkedPaper, width: int) -> Table:
    language, paper = marked.language, marked.paper
    minutes = Text("分钟", "min").read(language)
    facts = (
        (Text("准考证号", "Candidate"), marked.candidate),
        (
            Text("试卷", "Paper"),
            f"{paper.title.read(language)} ({paper.name}, {paper.minutes} {minutes})",
        ),
    )
    grid = Table.grid(padding=(0, 2))
    for name, value in facts:
        label = Styled(name.read(language), style="bold")
        grid.add_row(label, Styled(wrap(value, width - 12)))
    return grid


def _foot(marked: MarkedPaper, width: int) -> Iterable[RenderableType]:
    language = marked.language
    line = Styled(Text("结论  ", "Outcome  ").read(language))
    style = _STYLES.get(marked.outcome, "yellow")
    line.append(OUTCOMES[marked.outcome].read(language), style=style)
    yield line
    for reason in marked.reasons:
        yield Styled(wrap(f"→ {reason.read(language)}", width), style="yellow")
    yield Styled(wrap(_RULE.read(language), width), style="dim")
