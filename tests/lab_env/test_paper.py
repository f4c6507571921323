"""Facts about papers: several labs as one exam, from single marks to one verdict."""

import csv
import io
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from graded_toy import ID, TOY, gold, hand_in, seal_toy
from rich.console import Console

from lab_env import cli
from lab_env.checks import Text
from lab_env.errors import LabError, NotFoundError
from lab_env.exam import GradingReport
from lab_env.files import content_folder
from lab_env.grade_paper import grade_piles, piles
from lab_env.lab import lab_names
from lab_env.marking import mark_by_hand
from lab_env.marksheet import MarkSheet, Row
from lab_env.paper import MarkedPaper, Paper, load_paper, paper_names, read_paper
from lab_env.paper_marks import (
    export_papers,
    marked_paper,
    marked_papers,
    whole_papers,
)
from lab_env.paper_report import paper_report, papers_report
from lab_env.record import Record
from lab_env.release import Release, open_release

LABS = ("annotate", "tune", "judge")
TOML = """
minutes = 120
title = {zh = "模拟卷", en = "Mock paper"}
[[parts]]
lab = "annotate"
minutes = 35
points = 30
[[parts]]
lab = "tune"
minutes = 45
points = 40
[[parts]]
lab = "judge"
minutes = 40
points = 30
"""
EACH = {lab: f"{lab}-shop-zh-r1" for lab in LABS}
ME = "20260001"


def row(code: str, points: int, given: float | None, broken: bool = False) -> Row:
    """Return a row; J rows are marked by hand."""
    outcome: Any = "broken" if broken else "passed" if given else "awaiting marking"
    sentence = Text("一行", "A row")
    return Row(code, points, sentence, "2.2", "", code[0] == "J", outcome, given)


def sheet(release: str, *rows: Row, attempt: int = 1, candidate: str = ME) -> MarkSheet:
    """Return a mark sheet."""
    language = "en" if "-en-" in release else "zh"
    facts = (release, candidate, attempt, language, "数一数", "bubblewrap")
    return MarkSheet(*facts, rows)


def rows(machine: float, hand: float | None) -> tuple[Row, Row]:
    """Return the rows of a lab of 100 points: 88 by machine, 12 by hand."""
    return row("M1", 88, machine), row("J1", 12, hand)


@pytest.fixture
def paper(tmp_path: Path) -> Paper:
    """A paper of three labs, 30/40/30."""
    return written(tmp_path, TOML)


def written(folder: Path, text: str) -> Paper:
    """Return the paper of this text."""
    (folder / "mock.toml").write_text(text, "utf-8")
    return read_paper(folder / "mock.toml", LABS)


class Book:
    """A record, written as grading writes it."""

    def __init__(self, folder: Path) -> None:
        self.record = Record.open(folder / "course")

    def hand_in(self, release: str, attempt: int = 1, candidate: str = ME) -> None:
        """Take in a submission."""
        about: Any = {"candidate": candidate, "release": release, "attempt": attempt}
        self.record.append("received", **about, body={"sha256": f"{attempt}"})

    def mark(self, shown: MarkSheet, event: str = "graded") -> None:
        """Enter a mark sheet."""
        about: Any = {"candidate": shown.candidate, "release": shown.release}
        body = {"sheet": shown.as_json()}
        self.record.append(event, **about, attempt=shown.attempt, body=body)

    def add(self, release: str, *some: Row, attempt: int = 1) -> None:
        """Take in a submission and enter its sheet."""
        self.hand_in(release, attempt)
        self.mark(sheet(release, *some, attempt=attempt))


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """An empty record."""
    return Book(tmp_path)


def full(book: Book, machine: float = 66.0, hand: float | None = 9.0) -> None:
    """Hand in and mark all three labs."""
    for release in EACH.values():
        book.add(release, *rows(machine, hand))


def printed(table: Any, width: int = 100) -> str:
    """Return what a terminal of that width shows."""
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_every_lab_is_scaled_to_its_share(book: Book, paper: Paper) -> None:
    """75 of 100 in each lab are 22.5, 30 and 22.5 of 100; machine and hand stand apart."""
    full(book)

    marked = marked_paper(book.record, ME, paper)

    assert [part.points.given for part in marked.parts] == [
        Decimal("22.5"),
        Decimal("30"),
        Decimal("22.5"),
    ]
    assert (marked.points.machine, marked.points.hand) == (66, 9)
    assert (marked.outcome, marked.reasons) == ("passed", ())


def test_a_lab_of_few_points_counts_its_whole_share(book: Book, paper: Paper) -> None:
    """7 of 10 points in a lab give 70 % of its share, whatever its number of points."""
    full(book)
    book.add(EACH["tune"], row("M1", 10, 7.0), attempt=2)

    assert marked_paper(book.record, ME, paper).parts[1].points.given == 28


def test_nobody_passes_while_a_row_awaits_marking(book: Book, paper: Paper) -> None:
    """With 88 of 100 by machine alone and hand rows open there is no verdict."""
    full(book, 88.0, None)

    marked = marked_paper(book.record, ME, paper)

    assert marked.outcome == "awaiting marking"
    assert (marked.points.given, marked.points.open) == (88, 12)
    assert [reason.en for reason in marked.reasons] == [
        f"{lab}: J1 await marking" for lab in LABS
    ]


def test_nobody_fails_while_a_row_awaits_marking(book: Book, paper: Paper) -> None:
    """Even work that can no longer pass is awaiting until a person marked it."""
    full(book, 0.0, None)

    assert marked_paper(book.record, ME, paper).outcome == "awaiting marking"


def test_nobody_passes_with_a_part_missing(book: Book, paper: Paper) -> None:
    """Two perfect parts make 60 points or more, and still no pass."""
    book.add(EACH["annotate"], *rows(88.0, 12.0))
    book.add(EACH["tune"], *rows(88.0, 12.0))

    marked = marked_paper(book.record, ME, paper)

    assert (marked.points.given, marked.points.open) == (70, 30)
    assert marked.outcome == "awaiting marking"
    assert marked.reasons[0].zh == "judge：没有交卷"


def test_nobody_passes_with_a_broken_row(book: Book, paper: Paper) -> None:
    """A fault of ours in one row is the verdict of the paper, until a person decides."""
    full(book)
    book.hand_in(EACH["judge"], 2)
    half = (row("M1", 88, None, broken=True), row("J1", 12, 12.0))
    book.mark(sheet(EACH["judge"], *half, attempt=2), "broken")

    marked = marked_paper(book.record, ME, paper)

    assert marked.outcome == "broken"
    assert marked.reasons[0].en == "judge: M1 broke, our fault: a person decides"

    given = marked.parts[2].sheet
    assert given is not None
    book.mark(given.marked("M1", 80, "examiner-7", "looked at by hand"), "marked")
    assert marked_paper(book.record, ME, paper).outcome == "passed"


def test_a_hand_in_without_a_sheet_is_waited_for(book: Book, paper: Paper) -> None:
    """A newer attempt that was not graded yet keeps the paper open."""
    full(book)
    book.hand_in(EACH["tune"], 2)

    marked = marked_paper(book.record, ME, paper)

    assert marked.outcome == "awaiting marking"
    assert marked.reasons[0].en == "tune: handed in, not graded yet"


def test_an_older_hand_in_without_a_sheet_is_not_waited_for(
    book: Book, paper: Paper
) -> None:
    """What was handed in again before it was graded never gets a sheet."""
    book.hand_in(EACH["tune"], 1)
    full_but_tune = [EACH["annotate"], EACH["judge"]]
    for release in full_but_tune:
        book.add(release, *rows(66.0, 9.0))
    book.add(EACH["tune"], *rows(66.0, 9.0), attempt=2)

    assert marked_paper(book.record, ME, paper).outcome == "passed"


def test_of_several_attempts_the_newest_sheet_counts(book: Book, paper: Paper) -> None:
    """As `lab record show` does: the last sheet of the release, not the best."""
    full(book, 88.0, 12.0)
    book.add(EACH["tune"], *rows(10.0, 0.5), attempt=2)

    part = marked_paper(book.record, ME, paper).parts[1]

    assert part.sheet is not None
    assert (part.sheet.attempt, part.points.given) == (2, Decimal("4.2"))


def test_an_older_attempt_graded_once_more_does_not_count(
    book: Book, paper: Paper
) -> None:
    """What was handed in last stays what counts, whatever is graded after it."""
    full(book, 88.0, 12.0)
    book.add(EACH["tune"], *rows(88.0, 12.0), attempt=2)
    book.mark(sheet(EACH["tune"], *rows(1.0, 0.5)), "regraded")

    marked = marked_paper(book.record, ME, paper)

    assert marked.parts[1].sheet is not None
    assert marked.parts[1].sheet.attempt == 2
    assert marked.outcome == "passed"


@pytest.mark.parametrize("event", ["marked", "regraded"])
def test_a_corrected_sheet_replaces_the_one_before(
    book: Book, paper: Paper, event: str
) -> None:
    """A mark given by hand and a new grading count from the moment they stand there."""
    full(book, 66.0, None)
    for release in EACH.values():
        book.mark(sheet(release, *rows(50.0, 9.5)), event)

    marked = marked_paper(book.record, ME, paper)

    assert (marked.outcome, marked.points.given) == ("failed", Decimal("59.5"))


def test_an_appeal_alone_moves_no_mark(book: Book, paper: Paper) -> None:
    """Only a new sheet changes what counts; an appeal is no sheet."""
    full(book)
    body = {"reason": "row M1"}
    about: Any = {"candidate": ME, "release": EACH["tune"], "attempt": 1}
    book.record.append("appeal", **about, body=body)

    assert marked_paper(book.record, ME, paper).outcome == "passed"


@pytest.mark.parametrize(
    "newer", ["tune-shop-zh-r2", "tune-shop-en-r1", "tune-bank-zh-r1"]
)
def test_of_several_releases_the_one_handed_in_last_counts(
    book: Book, paper: Paper, newer: str
) -> None:
    """A newer release, another language, another scenario: the last hand-in, and it is said."""
    full(book)
    book.add(newer, *rows(10.0, 0.5))
    # Looking at the older one once more does not make it the newer.
    book.mark(sheet(EACH["tune"], *rows(88.0, 12.0)), "regraded")

    part = marked_paper(book.record, ME, paper).parts[1]

    assert part.sheet is not None
    assert part.sheet.release == newer
    assert part.aside == (EACH["tune"],)


def test_a_part_may_ask_for_one_scenario(book: Book, tmp_path: Path) -> None:
    """Work on another scenario does not count, and stands beside the part."""
    fixed = TOML.replace('lab = "tune"', 'lab = "tune"\nscenario = "bank"')
    paper = written(tmp_path, fixed)
    full(book)

    part = marked_paper(book.record, ME, paper).parts[1]

    assert (part.begun, part.aside) == (False, (EACH["tune"],))


def test_other_labs_and_other_candidates_do_not_count(book: Book, paper: Paper) -> None:
    """A lab with a longer name, an odd release name and a neighbour are nothing to a paper."""
    full(book)
    book.add("tune_more-shop-zh-r1", *rows(0.0, 0.0))
    book.add("lab-r1", *rows(0.0, 0.0))
    book.mark(sheet(EACH["tune"], *rows(0.0, 0.0), candidate="20260002"))

    marked = marked_paper(book.record, ME, paper)

    assert (marked.outcome, marked.points.given) == ("passed", 75)
    assert all(part.aside == () for part in marked.parts)


@pytest.mark.parametrize(
    ("machine", "outcome", "total"),
    [
        (60.0, "passed", "60.00"),
        (59.9, "failed", "59.96"),
        (59.8, "failed", "59.92"),
    ],
)
def test_just_below_the_pass_mark_is_no_pass(
    book: Book, paper: Paper, machine: float, outcome: str, total: str
) -> None:
    """59.96 is not rounded up to 60, neither in the verdict nor on the screen."""
    for lab, points in (("annotate", 60.0), ("tune", machine), ("judge", 60.0)):
        book.add(EACH[lab], row("M1", 88, points), row("J1", 12, 0.0))

    marked = marked_paper(book.record, ME, paper)

    assert marked.outcome == outcome
    assert str(marked.points.given) == total
    assert total in printed(paper_report(marked))


def test_59_95_is_no_pass(book: Book, tmp_path: Path) -> None:
    """A total of 59.95 fails and is printed as 59.95."""
    halves = TOML.replace("points = 30", "points = 25").replace("= 40", "= 50", 1)
    paper = written(tmp_path, halves)
    for lab, points in (("annotate", 59.8), ("tune", 60.0), ("judge", 60.0)):
        book.add(EACH[lab], row("M1", 100, points))

    marked = marked_paper(book.record, ME, paper)

    assert (marked.outcome, str(marked.points.given)) == ("failed", "59.95")
    assert " 59.95 " in printed(paper_report(marked))


def test_thirds_are_rounded_once_and_add_up(book: Book, paper: Paper) -> None:
    """Each printed number is a sum of the two-decimal numbers beside or above it."""
    for release in EACH.values():
        book.add(release, row("M1", 5, 1.0), row("J1", 2, 1.5))

    marked = marked_paper(book.record, ME, paper)
    machine = [part.points.machine for part in marked.parts]

    assert [str(each) for each in machine] == ["4.29", "5.71", "4.29"]
    assert marked.points.machine == sum(machine)
    for part in (*marked.parts, marked):
        assert part.points.given == part.points.machine + part.points.hand


SLIPS = {
    "unknown lab": (('"judge"', '"jugde"'), 'No lab "jugde". Did you mean judge?'),
    "points": (("points = 40", "points = 30"), "the points of the parts are 90"),
    "minutes": (("minutes = 45", "minutes = 50"), "the minutes of the parts are 125"),
    "twice": (('"judge"', '"tune"'), "tune stands 2 times; keep one"),
    "no title": (("title", "name"), "the field 'title' is missing"),
    "no points field": (("points = 40", ""), "the field 'points' is missing"),
    "no TOML": (("minutes = 120", "minutes ="), "is not valid TOML"),
}


@pytest.mark.parametrize("kind", SLIPS)
def test_a_paper_with_a_slip_says_which(tmp_path: Path, kind: str) -> None:
    """A paper that cannot be marked out of 100 is refused with one sentence."""
    (old, new), sentence = SLIPS[kind]

    with pytest.raises(LabError) as caught:
        written(tmp_path, TOML.replace(old, new))

    assert sentence in str(caught.value)


def test_a_part_has_points(tmp_path: Path) -> None:
    """A part of no points, or fewer, is refused even if the sum is 100."""
    text = TOML.replace("points = 40", "points = 70").replace("= 30", "= 0", 1)

    with pytest.raises(LabError, match="more than 0 in each"):
        written(tmp_path, text)


@pytest.mark.parametrize("name", paper_names())
def test_every_paper_reads(name: str) -> None:
    """The papers of the repository fit their labs, in both languages."""
    paper = load_paper(name)

    assert {part.lab for part in paper.parts} <= set(lab_names())
    assert paper.title.zh
    assert paper.title.en


def test_the_mock_paper_is_the_one_that_was_asked_for() -> None:
    """Annotation, fine-tuning, evaluation: 30/40/30 in 120 minutes."""
    paper = load_paper("practical_mock")

    assert [(part.lab, part.points) for part in paper.parts] == [
        ("annotation_text", 30),
        ("finetuning_classifier", 40),
        ("evaluation_classifier", 30),
    ]
    assert paper.minutes == 120


def test_an_unknown_paper_gets_a_suggestion() -> None:
    """A mistyped paper is answered with the one that was meant."""
    with pytest.raises(NotFoundError, match="Did you mean practical_mock"):
        load_paper("practical_mok")


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_paper_fits_the_terminal(
    book: Book, paper: Paper, language: str, width: int
) -> None:
    """Parts, shares, total, verdict and what is open are on the screen, uncut."""
    for lab in LABS[:2]:
        book.add(
            f"{lab}-shop-{language}-r1", *rows(61.5, None if lab == "tune" else 9.0)
        )

    marked = marked_paper(book.record, ME, paper)
    text = printed(paper_report(marked, width=width), width)

    assert "…" not in text
    assert all(number in text for number in ("18.45", "2.70", "24.60", "4.80", "45.75"))
    verdict, missing = {
        "zh": ("结论  待评", "judge：没有交卷"),
        "en": ("Outcome  awaiting", "judge: nothing was handed in"),
    }[language]
    assert verdict in text
    assert missing in text


def test_the_class_has_one_line_for_each(book: Book, paper: Paper) -> None:
    """Each candidate's parts, total and verdict stand in one line."""
    full(book)
    book.hand_in(EACH["tune"], candidate="20260002")

    marked = list(marked_papers(book.record, paper))
    lines = printed(papers_report(marked, paper, "en")).splitlines()[3:5]

    assert lines[0].split() == [ME, "22.50", "30.00", "22.50", "75.00", "passed"]
    assert lines[1].split()[:3] == ["20260002", "missing", "0.00"]


def exported(book: Book, paper: Paper) -> list[dict[str, str]]:
    """Return the lines of the CSV by heading."""
    stream = io.StringIO(newline="")
    export_papers(marked_papers(book.record, paper), paper, stream)
    assert stream.getvalue().startswith("\ufeff准考证号")
    text = stream.getvalue().removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_papers_are_exported_one_line_each(book: Book, paper: Paper) -> None:
    """The CSV has total, machine, hand, verdict, and release and points of each part."""
    full(book)

    (line,) = exported(book, paper)

    assert line["准考证号 candidate"] == ME
    assert line["结论 outcome"] == "passed"
    assert (line["总分 total"], line["人评 by hand"]) == ("75.00", "9.00")
    assert line["tune 版本 release"] == EACH["tune"]
    assert line["tune 得分 given of 40"] == "30.00"


def test_an_open_paper_has_no_total_in_the_csv(book: Book, paper: Paper) -> None:
    """A spreadsheet that adds up totals cannot count an open paper."""
    full(book, 88.0, None)
    book.hand_in(EACH["tune"], candidate="-1")

    other, line = exported(book, paper)

    assert (line["总分 total"], line["待评 open"]) == ("", "12.00")
    assert line["annotate 得分 given of 30"] == ""
    assert "J1 await marking" in line["说明 why open"]
    assert other["准考证号 candidate"] == "'-1"


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course with the toy release, and a paper of the toy and one more lab."""
    course = tmp_path / "course"
    seal_toy(course)
    labs = tmp_path / "labs"
    for name in ("toy_lab", "toy_other"):
        shutil.copytree(TOY / "lab", labs / name)
    (labs / "papers").mkdir()
    text = TOML.replace("annotate", "toy_lab").replace("points = 40", "points = 70")
    parts = text.replace("minutes = 45", "minutes = 85").split("[[parts]]")[:3]
    paper = "[[parts]]".join(parts).replace("tune", "toy_other")
    (labs / "papers" / "toy_paper.toml").write_text(paper, "utf-8")
    real = content_folder

    def here(kind: str) -> Path:
        return labs if kind == "labs" else real(kind)

    monkeypatch.setattr("lab_env.lab.content_folder", here)
    monkeypatch.setattr("lab_env.paper.content_folder", here)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def other_release(course: Path) -> str:
    """Seal a second release, of the other lab, and return its id."""
    name = ID.replace("toy_lab", "toy_other")
    shutil.copytree(course / "sealed" / ID, course / "sealed" / name)
    return name


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def lab(toys: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run `lab` beside the toy course; return exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.run(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_a_paper_is_graded_shown_and_exported(toys: Path, lab: Run) -> None:
    """`lab grade PAPER FOLDER` grades every pile; the total has its place everywhere."""
    hand_in(toys / "sitting" / ID, ME, **gold())
    grade = ("grade", "toy_paper", "sitting", "--no-gradebook", "--cold")

    code, out, err = lab(*grade)

    assert (code, err) == (0, "")
    assert "[!] sitting 中没有 no hand-ins for: toy_other" in out
    assert "24.00 open" in out
    assert "missing" in out

    done = lab("record", "head")[1]
    assert "24.00 open" in lab(*grade)[1]
    assert lab("record", "head")[1] == done

    assert "toy_paper" not in lab("record", "show", ME)[1]
    shown = lab("record", "show", ME, "--paper", "toy_paper")[1]
    assert "toy_lab: J1 await marking" in shown
    assert "toy_other: nothing was handed in" in shown
    assert "Count the messages" not in shown

    book = Book(toys)
    release = ID.replace("toy_lab", "toy_other")
    book.add(release, row("M1", 10, 6.0))
    mark_by_hand(toys / "course", open_release(toys / "course" / "sealed" / ID),
                 ME, "J1", 2, "examiner-7", "right")  # fmt: skip
    both = lab("record", "show", ME)[1]
    assert "Count the messages" in both
    assert "72.00" in both
    assert "Outcome  passed" in both

    assert lab("record", "export", "--csv", "p.csv", "--paper", "toy_paper")[0] == 0
    assert ",passed,72.00,66.00,6.00,0.00," in Path("p.csv").read_text("utf-8-sig")


def test_a_release_and_a_paper_are_not_shown_at_once(toys: Path, lab: Run) -> None:
    """Asking for one release and a paper of several is answered with one sentence."""
    Book(toys).add(ID, row("M1", 10, 6.0))

    code, _, err = lab("record", "show", ME, "--paper", "toy_paper", "--release", ID)

    assert code == 2
    assert f"--release {ID} and --paper toy_paper were both given" in err


def test_papers_are_listed(lab: Run) -> None:
    """`lab list --papers` names parts, minutes and points."""
    out = lab("list", "--papers", "--language", "en")[1]

    assert "toy_paper  Mock paper" in out
    assert "toy_other  Count the messages" in out


def test_a_paper_with_a_slip_does_not_hide_mark_sheets(toys: Path, lab: Run) -> None:
    """`lab record show` goes on without that paper; asking for it says what is wrong."""
    Book(toys).add(ID, row("M1", 10, 6.0))
    (toys / "labs" / "papers" / "other.toml").write_text("minutes = 1\n", "utf-8")

    assert lab("record", "show", ME)[0] == 0
    code, _, err = lab("record", "show", ME, "--paper", "other")
    assert (code, "the field 'parts' is missing" in err) == (2, True)


ODD = {
    "no such folder": ("", "holds no hand-ins of the paper toy_paper"),
    "no release": ("20260001", 'No release "20260001"'),
    "an empty pile": (ID, "is empty"),
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_folder_is_refused_before_anything_is_graded(
    toys: Path, kind: str
) -> None:
    """A folder that is no pile of the paper is named; nothing was taken in."""
    name, sentence = ODD[kind]
    if name:
        (toys / "sitting" / name).mkdir(parents=True)
    (toys / "sitting" / ".hidden").mkdir(parents=True)

    with pytest.raises(LabError) as caught:
        piles(toys / "course", load_paper("toy_paper"), toys / "sitting")

    assert sentence in str(caught.value)


def test_a_pile_of_another_lab_is_refused(toys: Path, paper: Paper) -> None:
    """A release that is no part of the paper is named, with the parts there are."""
    hand_in(toys / "sitting" / ID, ME)

    with pytest.raises(LabError, match="is made of annotate, tune, judge"):
        piles(toys / "course", paper, toys / "sitting")


def test_piles_are_graded_in_the_order_of_the_paper(toys: Path) -> None:
    """Whatever the names of the folders; one candidate may be missing in one pile."""
    other = other_release(toys / "course")
    for name in (other, ID):
        hand_in(toys / "sitting" / name, ME)
    found = piles(toys / "course", load_paper("toy_paper"), toys / "sitting")

    def grade(release: Release, folder: Path) -> GradingReport:
        if release.id == ID:
            raise NotFoundError("submission", ME, [], f"{folder}")
        return GradingReport(release.id, ())

    assert [pile.release.id for pile in found] == [ID, other]
    assert [each.release for each in grade_piles(found, grade, ME)] == [other]
    with pytest.raises(NotFoundError):
        list(grade_piles(found, grade))
    with pytest.raises(NotFoundError):
        list(grade_piles(found[:1], grade, ME))


def test_whole_papers_need_every_part(toys: Path) -> None:
    """A candidate who practised one lab is shown no paper."""
    book = Book(toys)
    book.add(ID, row("M1", 10, 6.0))
    assert whole_papers(book.record, ME) == []

    book.add(ID.replace("toy_lab", "toy_other"), row("M1", 10, 6.0))
    (marked,) = whole_papers(book.record, ME)
    assert isinstance(marked, MarkedPaper)
    assert marked.outcome == "passed"
