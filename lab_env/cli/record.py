"""``lab record``: what happened to every attempt, and whether that still holds."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lab_env.cli.options import DEFAULT_COURSE, Course, examples
from lab_env.cli.screen import screen

if TYPE_CHECKING:
    from lab_env.record import Record

PaperName = Annotated[
    str | None,
    typer.Option(
        "--paper",
        metavar="PAPER",
        help="合成一份试卷。 As one paper: lab list --papers",
    ),
]

commands = typer.Typer(help="考核记录。 The practical-exam record.")


@commands.command(
    epilog=examples(
        "lab record show 20260001",
        "lab record show 20260001 "
        "--release finetuning_classifier-customer_service-zh-r1",
        "lab record show 20260001 --paper practical_mock",
    )
)
def show(
    candidate: Annotated[
        str, typer.Argument(metavar="CANDIDATE", help="准考证号。 Exam number.")
    ],
    release: Annotated[
        str | None, typer.Option(help="只看这一份。 Only this release.")
    ] = None,
    paper: PaperName = None,
    course: Course = DEFAULT_COURSE,
) -> None:
    """打印评分表。 Print the mark sheets of one candidate, as they stand.

    Below them stands each paper of which every part was handed in.
    """
    from lab_env.errors import LabError

    record = _open(course)
    if paper and release:
        raise LabError(
            f"--release {release} and --paper {paper} were both given; a paper is of "
            "several releases, so give one of the two."
        )
    names = _releases_of(record, candidate, release)
    if not paper:
        _show_sheets(record, candidate, names)
    if not release:
        _show_papers(record, candidate, paper)


def _show_sheets(record: "Record", candidate: str, names: list[str]) -> None:
    from lab_env.desk import with_sheets
    from lab_env.marksheet import MarkSheet
    from lab_env.report import sheet_report

    console = screen()
    for name in names:
        entries = list(record.entries(candidate=candidate, release=name))
        # A broken attempt has a sheet too: all of its rows are open.
        sheets = with_sheets(entries)
        if sheets:
            sheet = MarkSheet.from_json(sheets[-1].body["sheet"])
            at, width = sheets[-1].at, console.width
            console.print(sheet_report(sheet, at=at, width=width), "")
        else:
            typer.echo(f"{name}: {entries[-1].event} {entries[-1].at}, no mark yet")


def _show_papers(record: "Record", candidate: str, name: str | None) -> None:
    from lab_env.paper import load_paper
    from lab_env.paper_marks import marked_paper, whole_papers
    from lab_env.paper_report import paper_report

    console = screen()
    if name:
        papers = [marked_paper(record, candidate, load_paper(name))]
    else:
        papers = whole_papers(record, candidate)
    for paper in papers:
        console.print(paper_report(paper, width=console.width), "")


@commands.command(
    epilog=examples("lab record verify", "lab record verify --head 12:9f2c…")
)
def verify(
    head: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE:HASH",
            help="另存的校验点。 What `lab record head` printed, kept elsewhere.",
        ),
    ] = None,
    course: Course = DEFAULT_COURSE,
) -> None:
    """核验记录。 Check every entry of the record with its public key.

    Leaves with 1 if an entry does not hold.
    """
    from lab_env.signing import Head

    record = _open(course)
    found = record.verify(Head.parse(head) if head else None)
    if found.bad is not None:
        typer.echo(f"[x] {found.bad.reason}")
        raise typer.Exit(1)
    typer.echo(f"[ok] {found.size} entries hold. Key {record.fingerprint}")


@commands.command(
    epilog=examples(
        "lab record export --csv marks.csv",
        "lab record export --csv papers.csv --paper practical_mock",
    )
)
def export(
    csv: Annotated[
        Path,
        typer.Option("--csv", dir_okay=False, help="写到哪里。 The file to write."),
    ],
    paper: PaperName = None,
    course: Course = DEFAULT_COURSE,
) -> None:
    """导出成绩。 Write the newest mark sheet of every attempt as CSV for Excel.

    With --paper, one line per candidate: each part, the total, the verdict.
    """
    from io import StringIO

    from lab_env.files import write_whole
    from lab_env.paper import load_paper
    from lab_env.paper_marks import export_papers, marked_papers
    from lab_env.record import export_csv

    record, stream = _open(course), StringIO(newline="")
    if paper:
        chosen = load_paper(paper)
        export_papers(marked_papers(record, chosen), chosen, stream)
    else:
        export_csv(record.entries(), stream)
    write_whole(csv, stream.getvalue())
    typer.echo(f"{csv}")


@commands.command(epilog=examples("lab record head >> kept-elsewhere.txt"))
def head(course: Course = DEFAULT_COURSE) -> None:
    """打印校验点。 Print the checkpoint of the record, to be kept elsewhere."""
    typer.echo(str(_open(course).head()))


def _open(course: Path) -> "Record":
    from lab_env.record import Record

    return Record.open(course, create=False)


def _releases_of(record: "Record", candidate: str, release: str | None) -> list[str]:
    from lab_env.errors import NotFoundError

    found = list(record.entries(candidate=candidate))
    if not found:
        known = {entry.candidate for entry in record.entries()}
        see = "lab record export --csv FILE"
        raise NotFoundError("candidate", candidate, known, see)
    names = sorted({entry.release for entry in found})
    if release is not None and release not in names:
        raise NotFoundError("release", release, names, f"lab record show {candidate}")
    return [release] if release else names
