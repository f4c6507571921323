"""Errors of a cell, said in a sentence that a beginner can act on.

Covered: a blank that is not filled in, a name that is not there (a cell not run, a
slip of the pen, a text without quotes), a column or a file that is not there, numbers,
texts and lists mixed up, punctuation typed in Chinese, our own ``LabError``. Everything
else keeps Python's own traceback.
"""

import linecache
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from lab_env.checks import Text
from lab_env.errors import LabError
from lab_env.widgets.slips import (
    file_slip,
    key_slip,
    kind_slip,
    know_words,
    name_slip,
    syntax_slip,
)

__all__ = ["explain", "explain_errors", "know_words"]

KNOWN = (NameError, SyntaxError, KeyError, TypeError, FileNotFoundError, LabError)
# To run again the cell that shows the error would only show it once more.
ABOVE = Text(
    "这一行在上面的单元格里：在那里改好，先运行那一格，再运行这一格。",
    "This line is in a cell above: mend it there, run that cell, then this one.",
)


def explain_errors(language: Callable[[], str]) -> None:
    """Install the sentences in this kernel; outside IPython nothing happens."""
    from IPython.core.getipython import get_ipython

    # IPython's functions carry no types.
    shell: Any = get_ipython()
    if shell is None:
        return

    def show(
        shell: Any,
        kind: type[BaseException],
        error: BaseException,
        trace: TracebackType | None,
        tb_offset: int | None = None,
    ) -> list[str]:
        place, above = _place(error, trace, shell.user_ns)
        said = explain(error, shell.user_ns, "".join(place))
        if said is None:
            lines = list(
                shell.InteractiveTB.structured_traceback(kind, error, trace, tb_offset)
            )
        else:
            # A line that only opens a file, or calls us, is not what is to be mended.
            given = isinstance(error, FileNotFoundError | LabError)
            more = [ABOVE.read(language())] if above and not given else []
            lines = [*place, said.read(language()), *more]
        # The message that makes a front end show an error, and a runner stop at it.
        shell._showtraceback(kind, error, lines)
        return lines

    shell.set_custom_exc(KNOWN, show)


def explain(
    error: BaseException, names: Mapping[str, object], line: str = ""
) -> Text | None:
    """Return what happened and what to do, in both languages; None if unknown.

    ``line`` is the line of the cell, ``names`` are what the kernel knows.
    """
    if isinstance(error, SyntaxError):
        return syntax_slip(error)
    if isinstance(error, NameError):
        return name_slip(getattr(error, "name", None) or str(error), names, line)
    if isinstance(error, KeyError):
        return key_slip(error, names, line)
    if isinstance(error, TypeError):
        return kind_slip(error)
    if isinstance(error, FileNotFoundError):
        return file_slip(error)
    said = getattr(error, "message", None)
    return said if isinstance(said, Text) else Text(str(error), str(error))


def _place(
    error: BaseException, trace: TracebackType | None, names: object
) -> tuple[list[str], bool]:
    """Return the line that the error came from, and whether a cell above has it."""
    if isinstance(error, SyntaxError):
        return _pointed(error.lineno, error.text or ""), False
    number, text, cells = None, "", []
    while trace is not None:
        if trace.tb_frame.f_globals is names:
            number = trace.tb_lineno
            cells.append(trace.tb_frame.f_code.co_filename)
            text = linecache.getline(cells[-1], number)
        trace = trace.tb_next
    return _pointed(number, text), cells[:1] != cells[-1:]


def _pointed(number: int | None, text: str) -> list[str]:
    return [f"----> {number} {text.strip()}"] if number and text.strip() else []
