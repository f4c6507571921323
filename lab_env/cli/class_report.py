"""The command that reports on a class."""

from pathlib import Path
from typing import Annotated

import typer

from lab_env.cli.examiner import PANEL, Release
from lab_env.cli.options import DEFAULT_COURSE, Course, Spoken, examples

commands = typer.Typer()


@commands.command(
    "report",
    rich_help_panel=PANEL,
    epilog=examples(
        "lab report finetuning_classifier-customer_service-zh-r1",
        "lab report finetuning_classifier-customer_service-zh-r1 "
        "--out class.html --csv rows.csv --candidates-csv marks.csv",
        "lab report finetuning_classifier-customer_service-zh-r1 --language en",
    ),
)
def report_on_class(
    release: Release,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="写到哪里。 The page; default: reports/ in the course folder.",
        ),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            metavar="FILE",
            dir_okay=False,
            help="各评分行，每行一条。 Also the rows, one line each, for Excel.",
        ),
    ] = None,
    candidates_csv: Annotated[
        Path | None,
        typer.Option(
            "--candidates-csv",
            metavar="FILE",
            dir_okay=False,
            help="各考生，每人一条。 Also the candidates, one line each, for Excel.",
        ),
    ] = None,
    language: Spoken = "zh",
    course: Course = DEFAULT_COURSE,
) -> None:
    """班级报告。 Report on a class: marks, rows, time, in one file for a browser.

    Counts the newest mark sheet of each candidate. The page runs no script and
    needs no network; it prints on A4.
    """
    from lab_env.class_report.as_csv import candidates_csv as marks_csv
    from lab_env.class_report.as_csv import rows_csv
    from lab_env.class_report.facts import facts_of
    from lab_env.class_report.page import report_page
    from lab_env.files import write_whole
    from lab_env.release import find_release

    facts = facts_of(course, find_release(course, release))
    default = course / "reports" / f"{release}.{language}.html"
    wanted = [(out or default, report_page(facts, language))]
    if csv is not None:
        wanted.append((csv, rows_csv(facts, language)))
    if candidates_csv is not None:
        wanted.append((candidates_csv, marks_csv(facts)))
    for path, text in wanted:
        write_whole(path, text)
        typer.echo(str(path))
