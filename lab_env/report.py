"""Tables for a terminal: the mark sheet, the trainee's copy of it, the class.

The mark sheet has the columns of the 测量分评分表 that Shanghai's examiners print.
Every sentence is wrapped, never cut: at 100 columns, Chinese or English.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from rich.box import SIMPLE_HEAD, SQUARE
from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text as Styled

from lab_env.checks import Text
from lab_env.lab import Lab, lab_names, load_lab
from lab_env.marksheet import MarkSheet, Row
from lab_env.path import Step, steps
from lab_env.release import releases
from lab_env.scenario import read_scenario, scenario_folder, scenario_names
from lab_env.wrapping import columns, plain, wrap

WIDTH = 100

OUTCOMES = {
    "passed": Text("合格", "passed"),
    "failed": Text("不合格", "failed"),
    "not attempted": Text("未作答", "not attempted"),
    "skipped": Text("未评：前一行未通过", "skipped"),
    "awaiting marking": Text("待评", "awaiting"),
    "broken": Text("考评程序出错，待人工处理", "our fault: a person decides"),
    "graded": Text("已评", "graded"),
    "already graded": Text("此前已评", "graded before"),
    "refused": Text("未收", "refused"),
}
_STYLES = {"passed": "green", "failed": "red", "refused": "red", "broken": "bold red"}

_HEADINGS = {
    "code": Text("细则编号", "Row"),
    "points": Text("配分", "Max"),
    "sentence": Text("评分细则描述", "What is marked"),
    "nominal": Text("规定或标称值", "Nominal value"),
    "actual": Text("结果或实际值", "Actual value"),
    "given": Text("得分", "Given"),
}
_CLASS_HEADINGS = (
    Text("准考证号", "Candidate"),
    Text("机评得分", "By machine"),
    Text("人评得分", "By hand"),
    Text("结论", "Outcome"),
    Text("说明", "Note"),
)
_FIXED = {"code": 4, "points": 4, "given": 5}
_LAB_HEADING = "Lab · what you can do then → next · newest release"
# Of the list of labs: the column of skills, and all columns but that of the lab.
_SKILLS, _BESIDE_LABS = 11, 34


class Graded(Protocol):
    """One line of the class table: what came of one candidate's hand-in."""

    @property
    def candidate(self) -> str:
        """The exam number."""

    @property
    def outcome(self) -> str:
        """Graded, already graded, refused or broken."""

    @property
    def sheet(self) -> MarkSheet | None:
        """The mark sheet, if there is one."""

    @property
    def sentence(self) -> str:
        """What is wrong, or empty."""


def sheet_report(
    sheet: MarkSheet, *, at: str = "", trainee: bool = False, width: int = WIDTH
) -> RenderableType:
    """Return the mark sheet to print; ``trainee`` leaves out the nominal values."""
    shown = sheet.for_trainee() if trainee else sheet
    names = [name for name in _HEADINGS if not (trainee and name == "nominal")]
    table = _row_table(shown.rows, names, sheet.language, width)
    return Group(_head(sheet, at, width), table, _foot(sheet))


def rows_report(
    rows: Sequence[Row], language: str, *, width: int = WIDTH
) -> RenderableType:
    """Return rows of work in progress, as its author may see them."""
    names = [name for name in _HEADINGS if name != "nominal"]
    return _row_table(rows, names, language, width)


def class_report(
    lines: Iterable[Graded], language: str, *, width: int = WIDTH
) -> RenderableType:
    """Return one line per candidate: machine points, open hand points, outcome."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in _CLASS_HEADINGS:
        table.add_column(heading.read(language))
    for line in lines:
        table.add_row(*_class_line(line, language, max(20, width - 62)))
    return table


def lab_list(course: Path, language: str, *, width: int = WIDTH) -> RenderableType:
    """Return the labs on the path of a newcomer, with the newest releases of each."""
    lab = ("实验 · 学完能做什么 → 接着学 · 最新版本", _LAB_HEADING)
    more = (("分钟", "Min"), ("级别", "Level"), ("技能", "Skills"))
    table = _plain_table([("", ""), lab, *more], language)
    table.columns[1].width = room = width - _BESIDE_LABS
    table.leading = 1
    numbers = {name: place for place, name in enumerate(lab_names(), 1)}
    path = {step.lab: step for step in steps()}
    newest = _newest_releases(course, language)
    for name, place in numbers.items():
        shown = load_lab(name)
        lines = [_titled(shown, language, room)]
        if name in path:
            lines.append(Styled(wrap(_leads_to(path[name], numbers, language), room)))
        lines += [Styled(each, style="dim") for each in newest.get(name, ())]
        skills = wrap(" ".join(shown.skills), _SKILLS)
        about = Styled("\n").join(lines)
        table.add_row(str(place), about, str(shown.minutes), str(shown.level), skills)
    return table


def _titled(lab: Lab, language: str, room: int) -> Styled:
    """Return name and title, on one line if there is room."""
    title = lab.title.read(language)
    fits = columns(f"{lab.name}  {title}") <= room
    text = Styled(lab.name, style="bold")
    return Styled("  " if fits else "\n").join([text, Styled(wrap(title, room))])


def _leads_to(step: Step, numbers: dict[str, int], language: str) -> str:
    opens = [str(numbers[name]) for name in step.opens if name in numbers]
    # One word, so that no line begins with the numbers.
    arrow = f" →{','.join(opens)}" if opens else ""
    return f"{step.leads_to.read(language)}{arrow}"


def _newest_releases(course: Path, language: str) -> dict[str, list[str]]:
    """Return the newest release of each lab on each scenario."""
    newest = {
        (release.lab_name, release.scenario_name): release.id
        for release in releases(course)
        if release.language == language
    }
    found: dict[str, list[str]] = {}
    for (lab, _), name in newest.items():
        found.setdefault(lab, []).append(name)
    return found


def scenario_list(course: Path, language: str) -> RenderableType:
    """Return the scenarios there are, with the number of their releases."""
    names = (("案例", "Scenario"), ("名称", "Title"), ("标签", "Labels"))
    table = _plain_table([*names, ("已发布", "Releases")], language)
    published = [release.scenario_name for release in releases(course)]
    for name in scenario_names():
        scenario = read_scenario(scenario_folder(name) / "scenario.toml")
        labels, count = len(scenario.labels), published.count(name)
        table.add_row(name, scenario.title.read(language), str(labels), str(count))
    return table


def release_list(course: Path, language: str) -> RenderableType:
    """Return the releases of a course."""
    names = (("版本", "Release"), ("方式", "Mode"), ("发布时间", "Published"))
    table = _plain_table(names, language)
    for release in releases(course):
        facts = release.manifest
        table.add_row(release.id, str(facts["mode"]), str(facts["at"]))
    return table


def _plain_table(headings: Iterable[tuple[str, str]], language: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for zh, en in headings:
        table.add_column(Text(zh, en).read(language), overflow="fold")
    return table


def _row_table(
    rows: Sequence[Row], names: Sequence[str], language: str, width: int
) -> Table:
    widths = _widths(names, width)
    table = Table(box=SQUARE, show_lines=True)
    for name in names:
        heading = wrap(_HEADINGS[name].read(language), widths[name])
        right: JustifyMethod = "right" if name in ("points", "given") else "left"
        table.add_column(heading, width=widths[name], justify=right)
    for row in rows:
        cells = _cells(row, language, widths)
        table.add_row(*(cells[name] for name in names))
    return table


def _widths(names: Sequence[str], width: int) -> dict[str, int]:
    """Share ``width``: the sentence takes half of what the fixed columns leave."""
    left = width - sum(_FIXED.get(name, 0) for name in names) - 3 * len(names) - 1
    values = [name for name in names if name in ("nominal", "actual")]
    widths = dict(_FIXED) | {name: left // 2 // len(values) for name in values}
    widths["sentence"] = left - sum(widths[name] for name in values)
    return widths


def _cells(row: Row, language: str, widths: dict[str, int]) -> dict[str, Styled]:
    style = _STYLES.get(row.outcome, "yellow")
    sentence = Styled(wrap(row.sentence.read(language), widths["sentence"]))
    if row.message is not None:
        hint = wrap(f"→ {row.message.read(language)}", widths["sentence"])
        sentence.append(f"\n{hint}", style="italic")
    if row.reason:
        marked = wrap(f"→ {row.marked_by}: {row.reason}", widths["sentence"])
        sentence.append(f"\n{marked}", style="italic")
    seen = row.actual
    if seen is None and row.outcome not in ("passed", "failed"):
        seen = OUTCOMES[row.outcome].read(language)
    texts = {"nominal": row.nominal or "", "actual": seen or ""}
    cells = {
        name: Styled(wrap(text, widths.get(name, 20))) for name, text in texts.items()
    }
    points = {"code": Styled(row.code), "points": Styled(str(row.points))}
    return (
        cells | points | {"sentence": sentence, "given": _given(row, language, style)}
    )


def _given(row: Row, language: str, style: str) -> Styled:
    if row.given is None:
        return Styled(Text("待评", "open").read(language), style=style)
    return Styled(f"{row.given:g}", style=style)


def _head(sheet: MarkSheet, at: str, width: int) -> Table:
    facts = [
        (Text("准考证号", "Candidate"), sheet.candidate),
        (Text("试题", "Release"), f"{sheet.title} ({sheet.release})"),
        (Text("次数", "Attempt"), str(sheet.attempt)),
        (Text("日期", "Date"), at),
        (Text("隔离方式", "Isolation"), sheet.isolation),
    ]
    grid = Table.grid(padding=(0, 2))
    for name, value in facts:
        if value:
            label = Styled(name.read(sheet.language), style="bold")
            grid.add_row(label, Styled(wrap(value, width - 12)))
    return grid


def _foot(sheet: MarkSheet) -> Group:
    parts = [
        (Text("合计", "Total"), sheet.rows),
        (Text("机评", "By machine"), sheet.machine_rows),
        (Text("人评", "By hand"), sheet.hand_rows),
    ]
    outcome = OUTCOMES[sheet.outcome].read(sheet.language)
    line = Styled(Text("结论  ", "Outcome  ").read(sheet.language))
    line.append(outcome, style=_STYLES.get(sheet.outcome, "yellow"))
    totals = [_totals(name, rows, sheet.language) for name, rows in parts if rows]
    return Group(*totals, line)


def _totals(name: Text, rows: Sequence[Row], language: str) -> Styled:
    points, given = sum(row.points for row in rows), f"{MarkSheet.given(rows):g}"
    still = sum(row.points for row in rows if row.given is None)
    # Nothing marked yet is not "0 points".
    given = "—" if still == points else given
    zh = f"{name.zh}配分 {points:<3}  {name.zh}得分 {given}"
    en = f"{name.en:<10}  {given} of {points} points"
    if still:
        zh, en = f"{zh}  （另有 {still} 分待评）", f"{en} ({still} still open)"
    return Styled(Text(zh, en).read(language))


def _class_line(line: Graded, language: str, note: int) -> Iterable[Styled]:
    sheet = line.sheet
    machine = hand = ""
    outcome = line.outcome
    if sheet is not None:
        outcome = sheet.outcome
        machine = _share(sheet.machine_rows, language)
        hand = _share(sheet.hand_rows, language)
    shown = OUTCOMES.get(outcome, Text(outcome, outcome)).read(language)
    style = _STYLES.get(outcome, "yellow")
    yield from (Styled(plain(line.candidate)), Styled(machine), Styled(hand))
    yield from (Styled(wrap(shown, 16), style=style), Styled(wrap(line.sentence, note)))


def _share(rows: Sequence[Row], language: str) -> str:
    points = sum(row.points for row in rows)
    if any(row.given is None for row in rows):
        return Text(f"待评 {points}", f"open, {points}").read(language)
    return f"{MarkSheet.given(rows):g} / {points}"
