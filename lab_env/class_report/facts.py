"""What a class report says, before it is a page or a table."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lab_env.checks import Text
from lab_env.class_report.attempts import Attempt, decided_points, handed_in
from lab_env.class_report.messages import Said, most_said
from lab_env.class_report.runs import Stop, Used, stops, used_by
from lab_env.class_report.statistics import (
    Discrimination,
    Spread,
    discrimination,
    spread,
)
from lab_env.marksheet import Row
from lab_env.release import Release


@dataclass(frozen=True)
class RowFacts:
    """One row over the whole class; ``n`` have points in it."""

    code: str
    sentence: Text
    points: int
    by_hand: bool
    n: int
    share: float | None
    discrimination: Discrimination
    outcomes: Counter[str]
    failed_said: Said | None


@dataclass(frozen=True)
class Marks:
    """Points of those whose rows are all decided, and how many are not."""

    points: int
    given: tuple[float, ...]
    open: int

    @property
    def shares(self) -> list[float]:
        """The points as shares of 100."""
        return [100 * each / self.points for each in self.given]

    @property
    def spread(self) -> Spread | None:
        """Where the points lie; None if nobody's are decided."""
        return spread(self.given)


@dataclass(frozen=True)
class Fault:
    """Rows of one run that broke, through our fault, and what was said of them."""

    run: str
    candidate: str
    codes: tuple[str, ...]
    all_rows: bool
    said: str
    decided_by: str


@dataclass(frozen=True)
class ClassFacts:
    """Everything about one release and its class."""

    release: str
    title: Text
    attempts: tuple[Attempt, ...]
    ungraded: tuple[str, ...]

    @cached_property
    def rows(self) -> tuple[RowFacts, ...]:
        """The rows in the order of the sheet."""
        found: dict[str, list[tuple[Attempt, Row]]] = {}
        for attempt in self.attempts:
            for row in attempt.sheet.rows:
                found.setdefault(row.code, []).append((attempt, row))
        return tuple(_row_facts(pairs) for pairs in found.values())

    @cached_property
    def machine(self) -> Marks:
        """Points that the grader gave."""
        return _marks([each.sheet.machine_rows for each in self.attempts])

    @cached_property
    def total(self) -> Marks:
        """Points of the sheets without an open row."""
        return _marks([each.sheet.rows for each in self.attempts])

    @property
    def has_hand_rows(self) -> bool:
        """Whether a person marks part of the sheet."""
        return any(row.by_hand for row in self.rows)

    @cached_property
    def unmarked(self) -> tuple[tuple[str, tuple[Row, ...]], ...]:
        """Candidates with rows that await a person, and these rows."""
        found = (
            (each.candidate, _with_outcome(each, "awaiting marking"))
            for each in self.attempts
        )
        return tuple((candidate, rows) for candidate, rows in found if rows)

    @cached_property
    def faults(self) -> tuple[Fault, ...]:
        """What broke: first what still waits, then what a person decided since."""
        found = [fault for each in self.attempts for fault in _faults(each)]
        return tuple(sorted(found, key=lambda fault: fault.decided_by != ""))

    @cached_property
    def used(self) -> list[Used]:
        """Time and memory of the runs."""
        return used_by(self.attempts)

    @cached_property
    def stops(self) -> list[Stop]:
        """The runs that were stopped."""
        return stops(self.attempts)


def facts_of(course: Path, release: Release) -> ClassFacts:
    """Return what the record knows of a release; LabError if nobody has a sheet."""
    found = handed_in(course, release)
    return ClassFacts(release.id, release.lab.title, found.attempts, found.ungraded)


def _row_facts(pairs: Sequence[tuple[Attempt, Row]]) -> RowFacts:
    rows = [row for _, row in pairs]
    first = rows[0]
    shares = [row.given / row.points for row in rows if row.given is not None]
    return RowFacts(
        first.code,
        first.sentence,
        first.points,
        first.by_hand,
        len(shares),
        sum(shares) / len(shares) if shares else None,
        discrimination(
            [row.given for row in rows],
            [_rest(attempt, first.code) for attempt, _ in pairs],
        ),
        Counter(row.outcome for row in rows),
        most_said(row for row in rows if row.outcome == "failed"),
    )


def _rest(attempt: Attempt, code: str) -> float | None:
    """Return the points of all other machine rows; hand rows are marked too late."""
    rows = (row for row in attempt.sheet.machine_rows if row.code != code)
    return decided_points(tuple(rows))


def _marks(sheets: Sequence[tuple[Row, ...]]) -> Marks:
    points = max(sum(row.points for row in rows) for rows in sheets)
    decided = [decided_points(rows) for rows in sheets]
    given = tuple(each for each in decided if each is not None)
    return Marks(points, given, len(sheets) - len(given))


def _with_outcome(attempt: Attempt, outcome: str) -> tuple[Row, ...]:
    return tuple(row for row in attempt.sheet.rows if row.outcome == outcome)


def _faults(attempt: Attempt) -> Iterator[Fault]:
    broken = _with_outcome(attempt, "broken")
    if broken:
        yield _fault(attempt, broken, "")
    # The grader's own rows have a person's name only after they broke.
    decided = [row for row in attempt.sheet.machine_rows if row.marked_by]
    for row in decided:
        yield _fault(attempt, (row,), row.marked_by or "")


def _fault(attempt: Attempt, rows: tuple[Row, ...], decided_by: str) -> Fault:
    codes = tuple(row.code for row in rows)
    every = len(rows) == len(attempt.sheet.rows)
    said = next((row.actual for row in rows if row.actual), "")
    if every:
        said = str(attempt.sheet.environment.get("log", ""))[-400:]
    return Fault(attempt.run, attempt.candidate, codes, every, said, decided_by)
