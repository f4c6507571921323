"""The command line: ``lab``, for trainees, instructors and examiners.

Exit codes: 0 done · 1 the work did not pass · 2 the user must change something, said
in one sentence · 3 our fault, with a run id.

Commands import what they need when they run, so that ``lab --help`` is quick.
"""

import errno
import os
import secrets
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from lab_env.cli import class_report, everyone, examiner, instructor, record, trainee
from lab_env.errors import LabError
from lab_env.wrapping import plain

app = typer.Typer(
    name="lab",
    help="人工智能训练师实操实验室。 Practical-exam laboratory for AI trainers.",
    epilog="README.md 按学员、教师、考评员说明用法。 README.md shows the way for each.",
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.add_typer(trainee.commands)
app.add_typer(instructor.commands)
app.add_typer(examiner.commands)
app.add_typer(class_report.commands)
app.add_typer(record.commands, name="record", rich_help_panel=examiner.PANEL)
app.add_typer(everyone.commands)

INTERRUPTED = 130
_NOT_YOURS = "this user may not read or write it; choose another."
# What is wrong with a place on the disk is for the user to change.
_PLACES = {
    errno.EACCES: _NOT_YOURS,
    errno.EPERM: _NOT_YOURS,
    errno.EROFS: "it lies on a read-only disk; choose another place.",
    errno.ENOSPC: "the disk is full; make room, then start again.",
}


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="显示版本。 Print the version.")
    ] = False,
) -> None:
    """Print the version, or the help when no command is named."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"lab {installed('ai-trainer-lab')}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> NoReturn:
    """Run ``lab`` with the arguments of this process and leave with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; whatever fails is one line."""
    try:
        code = app(list(arguments), prog_name="lab", standalone_mode=False)
    except TyperException as error:
        return _say(f"{error.format_message().rstrip('.')}. {_help(arguments)}", 2)
    except typer.Abort:
        return _say("Stopped; nothing was changed.", 1)
    except LabError as error:
        return _say(str(error), error.exit_code)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _PLACES:
            return _say(f"{error.filename or error}: {_PLACES[error.errno]}", 2)
        return _say(_logged(error, arguments), 3)
    if code == INTERRUPTED:
        return _say("Stopped by Ctrl+C.", code)
    return code or 0


def _help(arguments: Sequence[str]) -> str:
    """Return where to read on: the help of the command, if there is such a one."""
    known = {each.name for group in app.registered_groups for each in _commands(group)}
    words = [word for word in arguments[:1] if word in known | {"record"}]
    return f"See: {' '.join(['lab', *words, '--help'])}"


def _commands(group: typer.models.TyperInfo) -> list[typer.models.CommandInfo]:
    return group.typer_instance.registered_commands if group.typer_instance else []


def _say(sentence: str, code: int) -> int:
    print("lab:", plain(sentence), file=sys.stderr)
    return code


def _logged(error: Exception, arguments: Sequence[str]) -> str:
    """Write the traceback to a log and return the sentence that names it."""
    run_id = secrets.token_hex(4)
    log = _log_folder(arguments) / f"{run_id}.log"
    detail = "".join(traceback.format_exception(error))
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        text = f"lab {' '.join(arguments)}\n\n{detail}"
        log.write_text(text, encoding="utf-8", errors="backslashreplace")
        kept = str(log)
    except OSError as full:
        kept = f"not kept ({full})"
    seen = " ".join(str(error).split())[:300] or type(error).__name__
    return f"Our fault, no mark was given: {seen} Run {run_id}, details: {kept}"


def _log_folder(arguments: Sequence[str]) -> Path:
    words = [part for word in arguments for part in word.split("=", 1)]
    named = words[words.index("--course") + 1 :] if "--course" in words else []
    course = Path(named[0] if named else os.environ.get("LAB_COURSE", "course"))
    writable = course.is_dir() and os.access(course, os.W_OK)
    return course / "logs" if writable else Path(tempfile.gettempdir(), "lab-logs")
