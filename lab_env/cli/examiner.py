"""Commands for examiners: grade, mark by hand, look up."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lab_env.cli.options import DEFAULT_COURSE, Course, Port, Trust, examples
from lab_env.cli.screen import screen

if TYPE_CHECKING:
    from lab_env.exam import GradingReport, ReportRow
    from lab_env.release import Release as Published

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
        "lab grade finetuning_classifier-customer_service-zh-r1 submissions "
        "--engine tcp://10.0.0.5:8786",
        "lab grade practical_mock sitting   # a paper: sitting/RELEASE/CANDIDATE.zip",
    ),
)
def grade_folder(
    release: Annotated[
        str,
        typer.Argument(
            metavar="RELEASE", help="版本或试卷。 See: lab releases, lab list --papers"
        ),
    ],
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="提交的作业。 The hand-ins.")
    ],
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="同时评几份。 How many at once; default: cores."),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Dask 调度器。 Grade on its workers."),
    ] = "",
    cold: Annotated[
        bool,
        typer.Option("--cold", help="逐份冷启动。 Start each job anew, more slowly."),
    ] = False,
    trust: Trust = False,
    require: Annotated[
        Literal["landlock", "bubblewrap"],
        typer.Option(help="至少要有的隔离。 Grade only if isolation is this strong."),
    ] = "landlock",
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

    RELEASE may be a paper; then FOLDER has one folder for each of its releases, named
    by it. May be killed and started again: what is done stays, the rest goes on.
    Leaves with 2 if a hand-in was refused, with 3 if grading one broke.
    """
    from lab_env import exam
    from lab_env.paper import paper_names
    from lab_env.release import find_release

    def graded(chosen: "Published", pile: Path) -> "GradingReport":
        with _Progress() as progress:
            report = exam.grade_folder(
                course,
                chosen,
                pile,
                trust=trust,
                at_least=require,
                force=force,
                only=only,
                gradebook=gradebook,
                progress=progress.step,
                site=exam.Site(engine, workers, cold, progress.say),
            )
        _show_class(course, chosen, report)
        return report

    if release in paper_names():
        code = _grade_paper(course, release, folder, only, graded)
    else:
        code = graded(find_release(course, release), folder).exit_code
    if code:
        raise typer.Exit(code)


def _show_class(course: Path, release: "Published", report: "GradingReport") -> None:
    from lab_env.alike import alike
    from lab_env.report import class_report

    console = screen()
    console.print(class_report(report.rows, release.language, width=console.width))
    for each in alike(course, release):
        console.print(f"[!] {each.sentence.read(release.language)}", markup=False)


def _grade_paper(
    course: Path,
    name: str,
    folder: Path,
    only: str | None,
    graded: Callable[["Published", Path], "GradingReport"],
) -> int:
    """Grade the piles of a paper, print its totals, and return the exit code."""
    from lab_env.grade_paper import grade_piles, piles
    from lab_env.paper import load_paper
    from lab_env.paper_marks import marked_paper
    from lab_env.paper_report import papers_report
    from lab_env.record import Record

    paper = load_paper(name)
    found = piles(course, paper, folder)
    for part in paper.parts:
        if part.lab not in {pile.release.lab_name for pile in found}:
            typer.echo(f"[!] {folder} 中没有 no hand-ins for: {part.lab}")
    candidates: dict[str, None] = {}
    codes = {0}
    for report in grade_piles(found, graded, only):
        codes.add(report.exit_code)
        taken = [row.candidate for row in report.rows if row.outcome != "refused"]
        candidates |= dict.fromkeys(taken)
    record = Record.open(course)
    marked = [marked_paper(record, each, paper) for each in sorted(candidates)]
    language = found[0].release.language
    screen().print(papers_report(marked, paper, language))
    return max(codes)


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
    "collect",
    rich_help_panel=PANEL,
    epilog=examples(
        "lab collect finetuning_classifier-customer_service-zh-r1 --by examiner-07"
    ),
)
def collect_points(
    release: Release,
    by: Annotated[
        str, typer.Option(metavar="NAME", help="评分人编号。 Who marks (a number).")
    ],
    course: Course = DEFAULT_COURSE,
) -> None:
    """收取 formgrader 中的评分。 Take points given in formgrader into the record.

    Leaves with 2 if a row could not be taken.
    """
    from lab_env.collect_marks import collect_marks
    from lab_env.release import find_release

    done = collect_marks(course, find_release(course, release), by)
    for each in done:
        state = "x" if each.refused else "ok"
        said = f"[{state}] {each.candidate} {each.row} {each.points:g} {each.refused}"
        typer.echo(said.rstrip())
    if any(each.refused for each in done):
        raise typer.Exit(2)


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


@commands.command(
    "worker",
    rich_help_panel=PANEL,
    epilog=examples(
        "dask scheduler --host tcp://10.0.0.5",
        "lab worker tcp://10.0.0.5:8786",
        "lab grade RELEASE submissions --engine tcp://10.0.0.5:8786",
    ),
)
def start_worker(
    address: Annotated[
        str,
        typer.Argument(metavar="ADDRESS", help="调度器地址。 The Dask scheduler."),
    ],
    slots: Annotated[
        int | None,
        typer.Option(min=1, help="同时评几份。 How many at once; default: cores."),
    ] = None,
    gpus: Annotated[
        int | None, typer.Option(min=0, help="显卡数。 GPUs; default: all there are.")
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="存放试卷版本。 Where releases are kept."),
    ] = None,
    trust: Trust = False,
) -> None:
    """让本机参与评分。 Let this machine grade for others, until Ctrl+C.

    Releases are sent here with their answer keys: use an examiner's machine.
    """
    import os

    from lab_env.engine import gpus_here
    from lab_env.engine.worker import run_worker
    from lab_env.sandbox import require_isolation

    require_isolation(trust)
    count = len(gpus_here()) if gpus is None else gpus
    run_worker(address, slots or os.cpu_count() or 1, count, cache, typer.echo)


class _Progress:
    """A bar on a terminal; in a log file the sentences alone."""

    def __init__(self) -> None:
        from rich import progress
        from rich.console import Console

        self._console = Console(stderr=True)
        self._bar = progress.Progress(
            progress.TextColumn("评分 grading"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TextColumn("还需 left"),
            progress.TimeRemainingColumn(),
            progress.TextColumn("{task.description}", markup=False),
            console=self._console,
            disable=not self._console.is_terminal,
            transient=True,
            # Minutes pass between two that are done.
            speed_estimate_period=3600,
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> "_Progress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def step(self, done: int, total: int, row: "ReportRow") -> None:
        """Show how many hand-ins are graded, how long it may take, and the last one."""
        said = f"{row.candidate}: {row.outcome}"
        self._bar.update(self._task, completed=done, total=total, description=said)

    def say(self, sentence: str) -> None:
        """Print a sentence above the bar."""
        self._console.print(sentence, markup=False, highlight=False, soft_wrap=True)
