"""Commands for instructors: from a lab and a scenario to a release."""

from pathlib import Path
from typing import Annotated

import typer

from lab_env.checks import LANGUAGES, Language
from lab_env.cli.options import DEFAULT_COURSE, Course, Spoken, Trust, examples
from lab_env.cli.screen import screen

PANEL = "教师 Instructor"
commands = typer.Typer()


@commands.command(
    "publish",
    rich_help_panel=PANEL,
    epilog=examples(
        "lab publish finetuning_classifier --scenario customer_service",
        "lab publish finetuning_classifier --scenario customer_service "
        "--language zh --exam --key /media/exam/key",
    ),
)
def publish_lab(
    lab: Annotated[
        str, typer.Argument(metavar="LAB", help="实验名。 Name of the lab.")
    ],
    scenario: Annotated[
        str, typer.Option(help="行业案例。 The scenario that it is worked on.")
    ],
    languages: Annotated[
        list[str] | None,
        typer.Option("--language", help="语言，可重复。 Language; default: both."),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(help="考试答案文件夹。 Hidden labels from outside."),
    ] = None,
    exam: Annotated[
        bool, typer.Option("--exam", help="考试：不显示评分。 No rows in the notebook.")
    ] = False,
    thorough: Annotated[
        bool,
        typer.Option(
            "--thorough", help="逐一试验典型错误。 Also grade every named mistake."
        ),
    ] = False,
    if_changed: Annotated[
        bool,
        typer.Option(
            "--if-changed", help="内容没有变就不发布。 Skip if nothing changed."
        ),
    ] = False,
    trust: Trust = False,
    course: Course = DEFAULT_COURSE,
) -> None:
    """发布实验。 Freeze a lab on a scenario as a numbered release, through the gates.

    Leaves with 1 if a gate refuses; nothing is left behind then.
    """
    wanted = tuple(map(_language, languages or LANGUAGES))
    if if_changed:
        same = _unchanged(course, lab, scenario, wanted, key=key, exam=exam)
        if same:
            typer.echo(f"Nothing changed since {', '.join(same)}; not published again.")
            return
    # Two seconds, of which most are nbgrader's: only where something is published.
    from lab_env.publish import publish

    made = publish(
        course,
        lab,
        scenario,
        languages=wanted,
        key=key,
        exam=exam,
        thorough=thorough,
        trust=trust,
        progress=typer.echo,
    )
    for release in made:
        typer.echo(f"[ok] {release.id}")


@commands.command(
    "releases", rich_help_panel=PANEL, epilog=examples("lab releases --language en")
)
def list_releases(course: Course = DEFAULT_COURSE, language: Spoken = "zh") -> None:
    """列出已发布的版本。 List what was published in this course."""
    from lab_env.report import release_list

    screen().print(release_list(course, language))


@commands.command(
    "build",
    rich_help_panel=PANEL,
    epilog=examples("lab build", "lab build finetuning_classifier --check"),
)
def build_labs(
    lab: Annotated[
        str | None, typer.Argument(metavar="[LAB]", help="默认全部。 Default: all.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="只比较，不写。 Compare, write nothing.")
    ] = False,
) -> None:
    """由 lab.py 生成笔记本。 Make the notebooks in labs/ from their lab.py.

    With --check, leaves with 1 if a notebook is not what lab.py makes.
    """
    from lab_env.build import sync
    from lab_env.lab import lab_names, load_lab
    from lab_env.scenario import read_scenario, scenario_folder

    drifted: list[Path] = []
    for name in [lab] if lab else lab_names():
        loaded = load_lab(name)
        folder = scenario_folder(_own_scenario(loaded.folder))
        scenario = read_scenario(folder / "scenario.toml")
        drifted += sync(loaded, scenario, check=check)
    for path in drifted:
        typer.echo(
            f"{'[x] differs from its lab.py' if check else '[ok] wrote'}: {path}"
        )
    if drifted and check:
        raise typer.Exit(1)


def _language(name: str) -> Language:
    from lab_env.errors import NotFoundError

    for language in LANGUAGES:
        if name == language:
            return language
    raise NotFoundError("language", name, LANGUAGES, "lab publish --help")


def _own_scenario(folder: Path) -> str:
    import tomllib

    facts = tomllib.loads((folder / "lab.toml").read_text(encoding="utf-8"))
    return str(facts["scenario"])


def _unchanged(
    course: Path,
    lab: str,
    scenario: str,
    languages: tuple[Language, ...],
    *,
    key: Path | None,
    exam: bool,
) -> list[str]:
    """Return the newest releases, or nothing unless each still has this content."""
    from lab_env.release import latest_release
    from lab_env.same_content import has_same_content

    newest = [latest_release(course, lab, scenario, each) for each in languages]
    found = [
        release.id
        for release in newest
        if release and has_same_content(release, key=key, exam=exam)
    ]
    return found if len(found) == len(languages) else []
