"""Commands for examiners: grade, mark by hand, look up."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lab_env.cli.options import DEFAULT_COURSE, Course, Port, Trust, examples
from lab_env.cli.screen import screen

if TYPE_CHECKING:
    from lab_env.exam import ReportRow

PANEL = "考评员 Examiner"
commands = typer.Typer()

Release = Annotated[
    str, typer.Argument(metavar="RELEASE", help="版本。 See: lab releases")
]


@commands.command(
    "grade",
    rich_help_panel=PANEL,
    epilog=examples(
        "lab grade finetuning_classifier-customer_service-zh-r1 submissions",
        "lab grade finetuning_classifier-customer_service-zh-r1 submissions "
        "--only 20260001 --force",
    ),
)
def grade_folder(
    release: Release,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="提交的作业。 The hand-ins.")
    ],
    workers: Annotated[
        int | None, typer.Option(min=1, help="同时评几份。 How many at once.")
    ] = None,
    trust: Trust = False,
    force: Annotated[
        bool, typer.Option("--force", help="重新评分。 Grade again what was graded.")
    ] = False,
    only: Annotated[
        str | None, typer.Option(metavar="CANDIDATE", help="只评一人。 One only.")
    ] = None,
    gradebook: Annotated[bool, typer.Option(hidden=True)] = True,
    course: Course = DEFAULT_COURSE,
) -> None:
    """评分。 Grade a folder of hand-ins; each is on its own.

    Leaves with 2 if a hand-in was refused, with 3 if grading one broke.
    """
    from lab_env import exam
    from lab_env.release import find_release
    from lab_env.report import class_report

    chosen = find_release(course, release)
    with _Progress() as progress:
        report = exam.grade_folder(
            course,
            chosen,
            folder,
            trust=trust,
            workers=workers,
            force=force,
            only=only,
            gradebook=gradebook,
            progress=progress.step,
        )
    console = screen()
    console.print(class_report(report.rows, chosen.language, width=console.width))
    if report.exit_code:
        raise typer.Exit(report.exit_code)


@commands.command(
    "mark",
    rich_help_panel=PANEL,
    epilog=examples(
        "lab mark finetuning_classifier-customer_service-zh-r1 20260001 J1 3 "
        '--by examiner-07 --reason "证据不完整"'
    ),
)
def mark_row(
    release: Release,
    candidate: Annotated[
        str, typer.Argument(metavar="CANDIDATE", help="准考证号。 Exam number.")
    ],
    row: Annotated[str, typer.Argument(metavar="ROW", help="细则编号。 Such as J1.")],
    points: Annotated[float, typer.Argument(metavar="POINTS", help="得分。 Points.")],
    by: Annotated[
        str, typer.Option(metavar="NAME", help="评分人编号。 Who marks (a number).")
    ],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="理由。 Why so many.")],
    course: Course = DEFAULT_COURSE,
) -> None:
    """人工评分。 Give the points of one row by hand; the record keeps who and why."""
    from lab_env.marking import mark_by_hand
    from lab_env.release import find_release
    from lab_env.report import sheet_report

    chosen = find_release(course, release)
    sheet = mark_by_hand(course, chosen, candidate, row, points, by, reason)
    console = screen()
    console.print(sheet_report(sheet, width=console.width))


@commands.command(
    "formgrader",
    rich_help_panel=PANEL,
    epilog=examples("lab formgrader", "lab formgrader --no-browser --port 8890"),
)
def open_formgrader(
    browser: Annotated[
        bool,
        typer.Option(help="打开浏览器。 Open a browser, or only print the address."),
    ] = True,
    port: Port = None,
    course: Course = DEFAULT_COURSE,
) -> None:
    """打开 formgrader 人工评分。 Open nbgrader's formgrader on the course."""
    from lab_env import lab_server
    from lab_env.errors import LabError

    if not course.is_dir():
        raise LabError(f'No course folder "{course}"; publish a lab first: lab publish')
    from lab_env.gradebook import write_config

    write_config(course)
    server = lab_server.formgrader_server(course, port)
    typer.echo(f"Open this address in a browser; Ctrl+C ends it:\n{server.address}")
    lab_server.run(server, browser=browser)


class _Progress:
    """A bar on a terminal; nothing in a log file."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("评分 grading"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}", markup=False),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> "_Progress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def step(self, done: int, total: int, row: "ReportRow") -> None:
        """Show how many hand-ins are graded, and the last of them."""
        self._bar.update(
            self._task, completed=done, total=total, description=row.candidate
        )
