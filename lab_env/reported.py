"""Numbers and names that a trainee reports, held against what they should be.

For graders whose deliverables name several numbers at once, such as one for each of
two candidates: each that is right has its share of the points.
"""

from collections.abc import Mapping
from typing import Any

from lab_env.checks import Graded, Mismatch, Text, met
from lab_env.metrics import close, number
from lab_env.submission import Submission

# The sheet has room for so many numbers, and so much of what is none.
SHOWN, LOOK = 12, 20


def said_of(submission: Submission, name: str, field: str) -> dict[str, Any]:
    """Return one field of a deliverable that holds values by name."""
    said: dict[str, Any] = submission.read_json(name, {field: dict})[field]
    return said


def share_right(
    said: Mapping[str, Any],
    nominal: Mapping[str, float],
    within: float = 0.0005,
    hint: Text | None = None,
) -> Graded:
    """Return the share of numbers that are right; none at all is a Mismatch."""
    right = [
        close(value, expected, within)
        for name, expected in nominal.items()
        if (value := number(said.get(name))) is not None
    ]
    share = sum(right) / len(nominal)
    seen = shown({name: said.get(name) for name in nominal})
    if not share:
        what = Text(
            "这些数与你交的打分算出来的不一样。",
            "These numbers do not follow from the scores you handed in.",
        )
        raise Mismatch(what, actual=seen, nominal=shown(nominal), hint=hint)
    return Graded(share, seen, shown(nominal), hint=None if share == 1 else hint)


def named(
    said: str, best: Mapping[str, float], least: float, hint: Text | None = None
) -> Graded:
    """Return all points if what was named is within ``least`` of the highest."""
    most = max(best.values())
    nominal = " / ".join(name for name, value in best.items() if value >= most - least)
    if not best.get(said, most - 1e9) >= most - least:
        what = Text("不是它，请再看一遍表。", "Not this one; look at the table again.")
        raise Mismatch(what, actual=said[:30], nominal=nominal, hint=hint)
    return met(said, nominal)


def flat(nested: Mapping[str, Any]) -> dict[str, Any]:
    """Return {"a name": value} of {"a": {name: value}}, where there is a table."""
    return {
        f"{who} {name}": value
        for who, values in nested.items()
        if isinstance(values, dict)
        for name, value in values.items()
    }


def shown(numbers: Mapping[str, object]) -> str:
    """Return named numbers as the sheet has them; what is no number by its look."""
    words = []
    for name, given in list(numbers.items())[:SHOWN]:
        value = number(given)
        seen = repr(given)[:LOOK] if value is None else f"{value:.4g}"
        words.append(f"{name} {seen}")
    return ", ".join(words)
