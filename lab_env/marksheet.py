"""The mark sheet: every row of one submission, as Shanghai's examiners print it.

Outcomes of a row, and the points it gives:

================  ==================================================  =============
passed            the row holds                                       all
failed            the trainee's work does not meet it                 0, or a part
not attempted     still the starter                                   0
skipped           a row that it needs did not pass                    0
awaiting marking  a person must mark it                               open
broken            our machinery failed                                open
================  ==================================================  =============
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from lab_env.checks import (
    Check,
    Finding,
    Graded,
    Mismatch,
    NotAttempted,
    Text,
)
from lab_env.submission import Submission

# Of 100: the share of all points that is a pass, in theory and in practice.
PASS_MARK = 60

Outcome = Literal[
    "passed", "failed", "not attempted", "skipped", "awaiting marking", "broken"
]


@dataclass(frozen=True)
class Row:
    """One line of the mark sheet; ``given`` is None while the row is open."""

    code: str
    points: int
    sentence: Text
    skill: str
    part: str
    by_hand: bool
    outcome: Outcome
    given: float | None
    actual: str | None = None
    nominal: str | None = None
    message: Text | None = None
    marked_by: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class MarkSheet:
    """All rows of one attempt, with what it was marked under."""

    release: str
    candidate: str
    attempt: int
    language: str
    title: str
    isolation: str
    rows: tuple[Row, ...]
    environment: dict[str, Any] = field(default_factory=dict)

    @property
    def open_rows(self) -> tuple[Row, ...]:
        """Rows without points yet: awaiting marking, or broken."""
        return tuple(row for row in self.rows if row.given is None)

    @property
    def broken(self) -> bool:
        """Whether our own machinery failed in any row."""
        return any(row.outcome == "broken" for row in self.rows)

    @property
    def outcome(self) -> str:
        """One word for the whole sheet; never "passed" while a row is open."""
        if self.broken:
            return "broken"
        if self.open_rows:
            return "awaiting marking"
        points = sum(row.points for row in self.rows)
        enough = 100 * self.given(self.rows) >= PASS_MARK * points
        return "passed" if enough else "failed"

    @property
    def machine_rows(self) -> tuple[Row, ...]:
        """Rows that the grader marks."""
        return tuple(row for row in self.rows if not row.by_hand)

    @property
    def hand_rows(self) -> tuple[Row, ...]:
        """Rows that a person marks."""
        return tuple(row for row in self.rows if row.by_hand)

    @staticmethod
    def given(rows: Iterable[Row]) -> float:
        """Points given in ``rows`` so far."""
        return round(sum(row.given or 0 for row in rows), 2)

    def row(self, code: str) -> Row | None:
        """Return the row of that code, or None."""
        return next((row for row in self.rows if row.code == code), None)

    def marked(self, code: str, given: float, by: str, reason: str) -> "MarkSheet":
        """Return the sheet with a person's points in one row."""
        rows = tuple(
            _marked_row(row, given, by, reason) if row.code == code else row
            for row in self.rows
        )
        return replace(self, rows=rows)

    def as_json(self) -> dict[str, Any]:
        """Return the sheet as the record keeps it, totals included."""
        value = asdict(self)
        value["rows"] = [asdict(row) for row in self.rows]
        hands_open = any(row.given is None for row in self.hand_rows)
        totals = {
            "outcome": self.outcome,
            "machine_points": sum(row.points for row in self.machine_rows),
            "machine_given": self.given(self.machine_rows),
            "hand_points": sum(row.points for row in self.hand_rows),
            "hand_given": None if hands_open else self.given(self.hand_rows),
            "total_given": None if self.open_rows else self.given(self.rows),
            "passed": None if self.open_rows else self.outcome == "passed",
        }
        return value | totals

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "MarkSheet":
        """Read a sheet that ``as_json`` wrote."""
        names = ("release", "candidate", "attempt", "language", "title", "isolation")
        rows = tuple(_row_from_json(item) for item in value["rows"])
        kept = {name: value[name] for name in names}
        return cls(**kept, rows=rows, environment=dict(value["environment"]))

    def for_trainee(self) -> "MarkSheet":
        """Return the sheet without nominal values."""
        rows = tuple(replace(row, nominal=None) for row in self.rows)
        return replace(self, rows=rows, environment={})


def mark(checks: Sequence[Check], submission: Submission) -> tuple[Row, ...]:
    """Run every check once, in order, and return its row."""
    rows: dict[str, Row] = {}
    values: dict[str, Any] = {}
    for one in checks:
        rows[one.code] = _mark_one(one, submission, rows, values)
    return tuple(rows.values())


def broken_rows(checks: Sequence[Check], message: Text) -> tuple[Row, ...]:
    """Return the sheet of an attempt that our machinery could not mark."""
    return tuple(_row(one, "broken", None, message=message) for one in checks)


def _mark_one(
    one: Check, submission: Submission, rows: dict[str, Row], values: dict[str, Any]
) -> Row:
    arguments: list[Any] = [submission]
    if one.needs is not None:
        needed = rows.get(one.needs.code)
        if needed is None or one.needs.code not in values:
            return _skipped(one, needed)
        arguments.append(values[one.needs.code])
    try:
        result = one.function(*arguments)
    except Finding as finding:
        return _found(one, finding)
    except Exception as error:
        # Whatever else a check raises is a fault of ours: open, never zero.
        zh = "考评程序自身出错，本行未评分，请联系考评员。"
        en = "The grader itself failed; no points were decided. Tell the examiner."
        fault = _encodable(f"{type(error).__name__}: {error}"[:200])
        return _row(one, "broken", None, message=Text(zh, en), actual=fault)
    return _settled(one, result, values)


def _settled(one: Check, result: Any, values: dict[str, Any]) -> Row:
    if one.by_hand:
        return _row(one, "awaiting marking", None, actual=_shown(result))
    if not isinstance(result, Graded):
        values[one.code] = result
        return _row(one, "passed", float(one.points), actual=_shown(result))
    values[one.code] = result.value
    given = round(one.points * result.fraction, 1)
    outcome: Outcome = "passed" if given >= one.points else "failed"
    actual, nominal = _shown(result.actual), _shown(result.nominal)
    return _row(
        one, outcome, given, actual=actual, nominal=nominal, message=result.hint
    )


def _found(one: Check, finding: Finding) -> Row:
    if isinstance(finding, NotAttempted):
        return _row(one, "not attempted", 0.0, message=finding.message)
    if isinstance(finding, Mismatch):
        message = _with_hint(finding.message, finding.hint)
        actual, nominal = _shown(finding.actual), _shown(finding.nominal)
        return _row(one, "failed", 0.0, actual=actual, nominal=nominal, message=message)
    return _row(one, "failed", 0.0, message=finding.message)


def _skipped(one: Check, needed: Row | None) -> Row:
    code = one.needs.code if one.needs else ""
    if needed is not None and needed.outcome == "broken":
        return _row(one, "broken", None, message=needed.message)
    zh, en = f"先完成 {code}，再评这一行。", f"{code} comes first."
    outcome: Outcome = "skipped"
    if needed is not None and needed.outcome == "not attempted":
        outcome = "not attempted"
    return _row(one, outcome, 0.0, message=Text(zh, en))


def _row(
    one: Check,
    outcome: Outcome,
    given: float | None,
    *,
    message: Text | None = None,
    **more: Any,
) -> Row:
    base = (one.code, one.points, one.sentence, one.skill, one.part, one.by_hand)
    if message is not None:
        message = Text(_encodable(message.zh), _encodable(message.en))
    return Row(*base, outcome, given, message=message, **more)


def _with_hint(message: Text, hint: Text | None) -> Text:
    if hint is None:
        return message
    return Text(f"{message.zh}{hint.zh}", f"{message.en} {hint.en}")


def _shown(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".")
    if isinstance(value, list | dict | tuple) and len(str(value)) > 80:
        return None
    return _encodable(str(value)[:2000])


def _encodable(text: str) -> str:
    """Return ``text`` without lone surrogates, which no file or record can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _marked_row(row: Row, given: float, by: str, reason: str) -> Row:
    outcome: Outcome = "passed" if given >= row.points else "failed"
    return replace(row, given=given, outcome=outcome, marked_by=by, reason=reason)


def _row_from_json(item: dict[str, Any]) -> Row:
    texts = {"sentence": Text(**item["sentence"]), "message": None}
    if item.get("message"):
        texts["message"] = Text(**item["message"])
    return Row(**(item | texts))
