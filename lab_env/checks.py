"""The words a grader is written in: one check is one row of the mark sheet.

A check looks at a submission and says one of four things:

- it returns (anything): the row **passed**; a row that ``needs`` it gets the value;
- it returns ``Graded``: part of the points, on a published curve;
- it raises ``Mismatch`` or ``Unreadable``: the row **failed**;
- it raises ``NotAttempted``: the work is still the starter.

Any other exception is our fault and makes the row **broken**.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


@dataclass(frozen=True)
class Text:
    """A sentence in both languages of the lab."""

    zh: str
    en: str

    def read(self, language: str) -> str:
        """Return the sentence in ``language``."""
        return self.zh if language == "zh" else self.en

    def as_json(self) -> dict[str, str]:
        """Return {"zh": ..., "en": ...}."""
        return {"zh": self.zh, "en": self.en}


class Finding(Exception):
    """Something about the trainee's work; never an error of ours."""

    def __init__(self, message: Text) -> None:
        super().__init__(message.en)
        self.message = message


class NotAttempted(Finding):
    """The starter was left as it was; the message says what to do."""


class Unreadable(Finding):
    """A deliverable that is there, but not in the form that was asked for."""


class Mismatch(Finding):
    """A value that is not the one expected.

    ``nominal`` is for the examiner's sheet and never reaches the trainee's screen.
    """

    def __init__(
        self, what: Text, *, actual: object, nominal: object, hint: Text | None = None
    ) -> None:
        super().__init__(what)
        self.actual, self.nominal, self.hint = actual, nominal, hint


@dataclass(frozen=True)
class Graded:
    """A result on a curve: ``fraction`` (0 to 1) of the row's points."""

    fraction: float
    actual: object = None
    nominal: object = None
    value: object = None
    hint: Text | None = None


def met(actual: object, nominal: object) -> Graded:
    """Return all points, with what was expected beside it on the examiner's sheet."""
    return Graded(1.0, actual, nominal, actual)


CheckFunction = Callable[..., Any]


@dataclass(frozen=True)
class Check:
    """One row: its code, its points, its sentence, and the function behind it."""

    code: str
    points: int
    sentence: Text
    skill: str
    part: str
    function: CheckFunction
    needs: "Check | None" = None
    by_hand: bool = False


def check(
    code: str,
    *,
    points: int,
    part: str = "",
    skill: str = "2.2",
    needs: Check | None = None,
    by_hand: bool = False,
) -> Callable[[CheckFunction], Check]:
    """Make a row of a function; its docstring is the sentence, zh first, en after.

    ``skill`` is the point of the occupational standard (level 3) that it tests.
    """

    def make(function: CheckFunction) -> Check:
        paragraphs = (inspect.getdoc(function) or "").split("\n\n")
        if len(paragraphs) < 2:
            raise TypeError(f"Row {code} needs a docstring: zh, blank line, en.")
        zh, en = (" ".join(lines.split()) for lines in paragraphs[:2])
        return Check(code, points, Text(zh, en), skill, part, function, needs, by_hand)

    return make


def curve(value: float, *, zero: float, full: float) -> float:
    """Return the share of points: 0 at ``zero``, 1 at ``full``, straight between.

    NaN gives 0: it fails every comparison, so "is it above?" is asked, not "below?".
    """
    share = (value - zero) / (full - zero)
    return min(1.0, share) if share > 0 else 0.0


def rows_of(module: object) -> tuple[Check, ...]:
    """Return the checks of a grader module, in the order of the file."""
    return tuple(item for item in vars(module).values() if isinstance(item, Check))
