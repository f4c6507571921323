"""Commands for everyone."""

import typer

from lab_env.cli.options import DEFAULT_COURSE, Course, examples

PANEL = "所有人 Everyone"
commands = typer.Typer()


@commands.command(rich_help_panel=PANEL, epilog=examples("lab doctor"))
def doctor(course: Course = DEFAULT_COURSE) -> None:
    """检查这台机器。 Say whether this machine can work and grade labs.

    Leaves with 1 if it cannot.
    """
    from lab_env.doctor import examine

    states = []
    for fact in examine(course):
        typer.echo(str(fact))
        states.append(fact.state)
    if "x" in states:
        raise typer.Exit(1)
