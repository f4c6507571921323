"""Options that several commands share, and the examples below their help."""

from pathlib import Path
from typing import Annotated

import typer

from lab_env.checks import Language

Course = Annotated[
    Path,
    typer.Option(
        "--course",
        envvar="LAB_COURSE",
        metavar="FOLDER",
        file_okay=False,
        help="课程文件夹。 The course folder.",
    ),
]
Spoken = Annotated[
    Language,
    typer.Option(
        "--language", envvar="LAB_LANGUAGE", help="语言。 Language: zh or en."
    ),
]
Trust = Annotated[
    bool,
    typer.Option(
        "--trust-submissions",
        help="没有沙箱也运行。 Run without a sandbox: own work only.",
    ),
]
Port = Annotated[
    int | None,
    typer.Option(min=1, max=65535, help="端口。 Port; default: 8888, or a free one."),
]
WorkFolder = Annotated[
    Path | None,
    typer.Argument(
        metavar="[FOLDER]",
        file_okay=False,
        help="实验工作文件夹。 The work folder; default: the only one in work/.",
    ),
]

DEFAULT_COURSE = Path("course")


def examples(*lines: str) -> str:
    """Return the epilog of a command's help."""
    shown = "\n\n".join(f"[cyan]{line}[/cyan]" for line in lines)
    return f"示例 Examples:\n\n{shown}"
