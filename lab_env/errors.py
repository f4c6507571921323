"""Errors that a person meets.

::

    Exception
    ├── LabError          the user must change something      exit code 2
    │   ├── NotFoundError     no lab, scenario, release, candidate of that name
    │   ├── SubmissionError   what was handed in cannot be taken
    │   └── GateError         a release was refused            exit code 1
    └── BrokenError       our machinery failed                 exit code 3
        (SandboxError in lab_env.sandbox is one)

A trainee's wrong work is none of these: see ``lab_env.checks``.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class LabError(Exception):
    """One sentence for the user: what was seen, what was expected, what to do."""

    exit_code = 2


class NotFoundError(LabError):
    """A name that nothing has."""

    def __init__(self, kind: str, name: str, known: Iterable[str], see: str) -> None:
        names = sorted(known)
        close = get_close_matches(name, names, n=1, cutoff=0.9)
        close = close or get_close_matches(name, names, n=3)
        guess = f"Did you mean {' or '.join(close)}? " if close else ""
        have = "" if close else f"There is {', '.join(names) or 'none yet'}. "
        super().__init__(f'No {kind} "{name}". {guess}{have}See: {see}')


class SubmissionError(LabError):
    """A hand-in that cannot be taken; the others are not touched by it."""


class GateError(LabError):
    """A release that a publish gate refused; nothing was left behind."""

    exit_code = 1


class BrokenError(Exception):
    """Our own fault: no mark is given and a person decides."""

    exit_code = 3
