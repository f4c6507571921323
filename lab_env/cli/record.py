"""``lab record``: what happened to every attempt, and whether that still holds."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lab_env.cli.options import DEFAULT_COURSE, Course, examples
from lab_env.cli.screen import screen

if TYPE_CHECKING:
    from lab_env.record import Record

commands = typer.Typer(help="考核记录。 The practical-exam record.")


@commands.command(
    epilog=examples(
        "lab record show 20260001",
        "lab record show 20260001 "
        "--release finetuning_classifier-customer_service-zh-r1",
    )
)
def show(
    candidate: Annotated[
        str, typer.Argument(metavar="CANDIDATE", help="准考证号。 Exam number.")
    ],
    release: Annotated[
        str | None, typer.Option(help="只看这一份。 Only this release.")
    ] = None,
    course: Course = DEFAULT_COURSE,
) -> None:
    """打印评分表。 Print the mark sheets of one candidate, as they stand."""
    from lab_env.marksheet import MarkSheet
    from lab_env.report import sheet_report

    record, console = _open(course), screen()
    for name in _releases_of(record, candidate, release):
        entries = list(record.entries(candidate=candidate, release=name))
        # A broken attempt has a sheet too: all of its rows are open.
        sheets = [entry for entry in entries if "sheet" in entry.body]
        if sheets:
            sheet = MarkSheet.from_json(sheets[-1].body["sheet"])
            at, width = sheets[-1].at, console.width
            console.print(sheet_report(sheet, at=at, width=width), "")
        else:
            typer.echo(f"{name}: {entries[-1].event} {entries[-1].at}, no mark yet")


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


@commands.command(epilog=examples("lab record export --csv marks.csv"))
def export(
    csv: Annotated[
        Path,
        typer.Option("--csv", dir_okay=False, help="写到哪里。 The file to write."),
    ],
    course: Course = DEFAULT_COURSE,
) -> None:
    """导出成绩。 Write the newest mark sheet of every attempt as CSV for Excel."""
    from io import StringIO

    from lab_env.files import write_whole
    from lab_env.record import export_csv

    stream = StringIO(newline="")
    export_csv(_open(course).entries(), stream)
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
