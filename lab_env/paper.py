"""A paper: several labs with minutes and points, marked as one practical exam.

Every part scales the points of its lab to its own share. Machine points and hand
points of a part are rounded apart to two decimals, halves up; whatever is printed
beyond that is a sum of these, so a paper adds up for whoever checks it by hand. A pass
needs 60.00 of 100, every part there, no row open and none broken.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, Literal

from lab_env.checks import Text
from lab_env.errors import LabError, NotFoundError
from lab_env.files import content_folder
from lab_env.lab import lab_names
from lab_env.marksheet import PASS_MARK, MarkSheet

ALL_POINTS = 100
_CENT = Decimal("0.01")

Verdict = Literal["passed", "failed", "awaiting marking", "broken"]


@dataclass(frozen=True)
class Part:
    """One lab of a paper; with ``scenario``, only work on that one counts."""

    lab: str
    minutes: int
    points: int
    scenario: str = ""


@dataclass(frozen=True)
class Paper:
    """Several labs, taken in one sitting."""

    name: str
    title: Text
    minutes: int
    parts: tuple[Part, ...]

    def part(self, lab: str) -> Part | None:
        """Return the part of that lab, or None."""
        return next((part for part in self.parts if part.lab == lab), None)


@dataclass(frozen=True)
class Points:
    """Points of a part, or of the whole: by machine, by hand, and still open."""

    machine: Decimal = Decimal(0)
    hand: Decimal = Decimal(0)
    open: Decimal = Decimal(0)

    @property
    def given(self) -> Decimal:
        """What was given so far."""
        return self.machine + self.hand

    def __add__(self, other: "Points") -> "Points":
        return Points(
            self.machine + other.machine, self.hand + other.hand, self.open + other.open
        )


@dataclass(frozen=True)
class MarkedPart:
    """A part and the mark sheet that counts for it.

    ``ungraded``: there is a newer hand-in without a sheet. ``aside``: other releases of
    this lab that the candidate worked on, which do not count.
    """

    part: Part
    sheet: MarkSheet | None = None
    ungraded: bool = False
    aside: tuple[str, ...] = ()

    @property
    def begun(self) -> bool:
        """Whether there is work for this part."""
        return self.sheet is not None or self.ungraded

    @property
    def points(self) -> Points:
        """The points of the sheet, scaled to the share of the part."""
        rows = self.sheet.rows if self.sheet else ()
        if not rows:
            return Points(open=Decimal(self.part.points))
        scale = Decimal(self.part.points) / sum(row.points for row in rows)
        parts = (
            sum(_exact(row.given) for row in rows if not row.by_hand),
            sum(_exact(row.given) for row in rows if row.by_hand),
            Decimal(sum(row.points for row in rows if row.given is None)),
        )
        return Points(
            *((each * scale).quantize(_CENT, ROUND_HALF_UP) for each in parts)
        )

    @property
    def reason(self) -> Text | None:
        """Why this part cannot be decided yet, or None."""
        lab, sheet = self.part.lab, self.sheet
        if sheet is None and not self.ungraded:
            return Text(f"{lab}：没有交卷", f"{lab}: nothing was handed in")
        if sheet is None or self.ungraded:
            return Text(
                f"{lab}：已交卷，还没有评分", f"{lab}: handed in, not graded yet"
            )
        if sheet.broken:
            codes = " ".join(row.code for row in sheet.rows if row.outcome == "broken")
            return Text(
                f"{lab}：{codes} 考评程序出错，待人工处理",
                f"{lab}: {codes} broke, our fault: a person decides",
            )
        codes = " ".join(row.code for row in sheet.open_rows)
        if codes:
            return Text(f"{lab}：{codes} 待评", f"{lab}: {codes} await marking")
        return None


@dataclass(frozen=True)
class MarkedPaper:
    """A paper of one candidate, as it stands."""

    paper: Paper
    candidate: str
    parts: tuple[MarkedPart, ...]

    @property
    def points(self) -> Points:
        """The points of all parts."""
        return sum((part.points for part in self.parts), Points())

    @property
    def reasons(self) -> tuple[Text, ...]:
        """Why the paper cannot be decided yet, part by part."""
        return tuple(part.reason for part in self.parts if part.reason is not None)

    @property
    def outcome(self) -> Verdict:
        """One word for the paper; "passed" or "failed" only if nothing is open."""
        if any(part.sheet is not None and part.sheet.broken for part in self.parts):
            return "broken"
        if self.reasons:
            return "awaiting marking"
        return "passed" if self.points.given >= PASS_MARK else "failed"

    @property
    def language(self) -> str:
        """The language of the first part that has a sheet."""
        sheets = [part.sheet for part in self.parts if part.sheet is not None]
        return sheets[0].language if sheets else "zh"


def paper_names() -> tuple[str, ...]:
    """Return the papers there are."""
    return tuple(sorted(path.stem for path in _folder().glob("*.toml")))


def load_paper(name: str) -> Paper:
    """Read a paper by name; an unknown name raises NotFoundError."""
    if name not in paper_names():
        raise NotFoundError("paper", name, paper_names(), "lab list --papers")
    return read_paper(_folder() / f"{name}.toml", lab_names())


def read_paper(file: Path, labs: Iterable[str]) -> Paper:
    """Read a paper of these labs; LabError says what does not fit."""
    try:
        facts: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        parts = tuple(
            Part(each["lab"], each["minutes"], each["points"], each.get("scenario", ""))
            for each in facts["parts"]
        )
        paper = Paper(file.stem, Text(**facts["title"]), facts["minutes"], parts)
    except KeyError as missing:
        raise LabError(f"{file}: the field {missing} is missing; add it.") from missing
    except tomllib.TOMLDecodeError as error:
        raise LabError(f"{file} is not valid TOML: {error}.") from error
    _check(file, paper, set(labs))
    return paper


def _folder() -> Path:
    return content_folder("labs") / "papers"


def _check(file: Path, paper: Paper, labs: set[str]) -> None:
    names = [part.lab for part in paper.parts]
    for name in names:
        if name not in labs:
            raise NotFoundError("lab", name, labs, f"papers/{file.name}")
        if names.count(name) > 1:
            raise LabError(
                f"{file}: {name} stands {names.count(name)} times; keep one."
            )
    for what, seen, wanted in (
        ("points", sum(part.points for part in paper.parts), ALL_POINTS),
        ("minutes", sum(part.minutes for part in paper.parts), paper.minutes),
    ):
        if seen != wanted or not all(getattr(part, what) > 0 for part in paper.parts):
            raise LabError(
                f"{file}: the {what} of the parts are {seen} together, expected "
                f"{wanted} and more than 0 in each; change the parts."
            )


def _exact(given: float | None) -> Decimal:
    # By way of its shortest text: 0.1 is a tenth here, as it is on the sheet.
    return Decimal(str(given or 0))
