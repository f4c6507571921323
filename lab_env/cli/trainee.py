"""Commands for trainees: find a lab, work on it, hand it in."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lab_env.cli.options import (
    DEFAULT_COURSE,
    Course,
    Port,
    Spoken,
    WorkFolder,
    examples,
)
from lab_env.cli.screen import screen

if TYPE_CHECKING:
    from lab_env.release import Release
    from lab_env.submit import Receipt
    from lab_env.work import Work

PANEL = "学员 Trainee"
commands = typer.Typer()


@commands.command(
    "list",
    rich_help_panel=PANEL,
    epilog=examples(
        "lab list",
        "lab list --scenarios --language en",
        "lab list --papers",
        "lab list --coverage --language en > coverage.md",
    ),
)
def list_labs(
    scenarios: Annotated[
        bool, typer.Option("--scenarios", help="列出行业案例。 List scenarios instead.")
    ] = False,
    papers: Annotated[
        bool, typer.Option("--papers", help="列出试卷。 List exam papers instead.")
    ] = False,
    coverage: Annotated[
        bool,
        typer.Option(
            "--coverage",
            help="职业标准与评分细则对照，Markdown。 Which rows test the standard.",
        ),
    ] = False,
    course: Course = DEFAULT_COURSE,
    language: Spoken = "zh",
) -> None:
    """列出实验。 List the labs in the order to take them, and their newest releases."""
    from lab_env import report

    console = screen()
    if coverage:
        from lab_env.coverage import markdown

        typer.echo(markdown(language), nl=False)
    elif papers:
        from lab_env.paper import load_paper, paper_names
        from lab_env.paper_report import paper_list

        console.print(paper_list(map(load_paper, paper_names()), language))
    elif scenarios:
        console.print(report.scenario_list(course, language))
    else:
        console.print(report.lab_list(course, language, width=console.width))


@commands.command(
    "start",
    rich_help_panel=PANEL,
    epilog=examples(
        "lab start finetuning_classifier",
        "lab start finetuning_classifier --language en --no-browser --port 8890",
    ),
)
def start_lab(
    lab: Annotated[
        str, typer.Argument(metavar="LAB", help="实验名。 Name of the lab.")
    ],
    scenario: Annotated[
        str, typer.Option(help="行业案例。 Scenario; default: any.")
    ] = "",
    folder: Annotated[
        Path,
        typer.Option(
            file_okay=False, help="工作文件夹放在哪里。 Where work folders are kept."
        ),
    ] = Path("work"),
    browser: Annotated[
        bool,
        typer.Option(help="打开浏览器。 Open a browser, or only print the address."),
    ] = True,
    port: Port = None,
    prepare_only: Annotated[
        bool,
        typer.Option(
            "--prepare-only", help="只准备文件夹。 Make the folder and stop there."
        ),
    ] = False,
    course: Course = DEFAULT_COURSE,
    language: Spoken = "zh",
) -> None:
    """开始或继续一个实验。 Start a lab, or go on with it, in JupyterLab.

    Files that are there stay as they are; given files that are gone come back.
    """
    from lab_env import lab_server, work

    release = _newest(course, lab, scenario, language)
    started = work.start_work(course / "release" / release.id, folder)
    typer.echo(f"{started.notebook}")
    if prepare_only:
        return
    server = lab_server.trainee_server(started.notebook, port, started.language)
    zh = "在浏览器里打开这个地址；结束时按 Ctrl+C:"
    en = "Open this address in a browser; Ctrl+C ends it:"
    typer.echo(f"{zh if started.language == 'zh' else en}\n{server.address}")
    lab_server.run(server, browser=browser)


@commands.command(
    "check",
    rich_help_panel=PANEL,
    epilog=examples(
        "lab check", "lab check work/finetuning_classifier-customer_service-zh-r1"
    ),
)
def check_rows(folder: WorkFolder = None) -> None:
    """检查已写出的文件。 Mark the open rows of the work, as the notebook does.

    Leaves with 1 while a row does not pass.
    """
    from lab_env import report, work

    found = work.find_work(folder)
    rows = work.mark_open_rows(found)
    if rows:
        console = screen()
        console.print(report.rows_report(rows, found.language, width=console.width))
    _list_files(found)
    if found.missing or any(row.outcome != "passed" for row in rows):
        raise typer.Exit(1)


@commands.command(
    "submit",
    rich_help_panel=PANEL,
    epilog=examples(
        "lab submit --candidate 20260001",
        "lab submit work/finetuning_classifier-customer_service-zh-r1 "
        "--candidate 20260001 --yes",
    ),
)
def submit_work(
    candidate: Annotated[
        str,
        typer.Option(help="准考证号。 Exam number; never a name.", metavar="NUMBER"),
    ],
    folder: WorkFolder = None,
    out: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="写到哪里。 The zip; default: submissions/NUMBER.zip.",
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="不再询问。 Hand in without being asked.")
    ] = False,
) -> None:
    """打包提交。 Pack the work for handing in, after a last look."""
    from lab_env import submit, work
    from lab_env.candidate import check_candidate

    check_candidate(candidate)
    found = work.find_work(folder)
    warnings = submit.check_work(found)
    for warning in warnings:
        typer.echo(f"[!] {warning.read(found.language)}")
    if warnings and not yes:
        zh, en = "仍然提交吗？", "Hand it in all the same?"
        typer.confirm(zh if found.language == "zh" else en, abort=True)
    default = found.folder.resolve().parent / "submissions" / f"{candidate}.zip"
    _show_receipt(submit.pack(found, candidate, out or default), found.language)


@commands.command(
    "result",
    rich_help_panel=PANEL,
    epilog=examples("lab result", "lab result --candidate 20260001 --course course"),
)
def show_result(
    folder: WorkFolder = None,
    candidate: Annotated[
        str | None,
        typer.Option(metavar="NUMBER", help="准考证号。 Default: the receipt's."),
    ] = None,
    course: Course = DEFAULT_COURSE,
) -> None:
    """查看自己的成绩。 Show the own mark sheet, once it was given back."""
    from lab_env import report, work

    found = work.find_work(folder)
    sheet = work.own_sheet(found, candidate, course / "feedback")
    console = screen()
    console.print(report.sheet_report(sheet, trainee=True, width=console.width))


def _newest(course: Path, lab: str, scenario: str, language: str) -> "Release":
    from lab_env.errors import LabError
    from lab_env.lab import load_lab
    from lab_env.release import latest_release
    from lab_env.scenario import scenario_folder

    release = latest_release(course, lab, scenario, language)
    if release is not None:
        return release
    load_lab(lab)
    if scenario:
        scenario_folder(scenario)
    on = f" on {scenario}" if scenario else ""
    raise LabError(
        f'No release of {lab}{on} in {language} in "{course}" yet; make one: '
        f"lab publish {lab} --scenario {scenario or 'SCENARIO'} (or: make demo)"
    )


def _list_files(work: "Work") -> None:
    missing = set(work.missing)
    for name in work.deliverables:
        typer.echo(f"[{'!' if name in missing else 'ok'}] {name}")


def _show_receipt(receipt: "Receipt", language: str) -> None:
    labels = {
        "release": ("试题", "Release"),
        "candidate": ("准考证号", "Candidate"),
        "sha256": ("SHA-256", "SHA-256"),
        "at": ("时间", "Time"),
        "path": ("文件", "File"),
    }
    for name, (zh, en) in labels.items():
        typer.echo(f"{zh if language == 'zh' else en}: {getattr(receipt, name)}")
