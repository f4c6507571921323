"""What the mark sheets said most often about a row."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from lab_env.checks import Text
from lab_env.marksheet import Row
from lab_env.wrapping import plain

# A message quotes what one candidate wrote; with its values out, the kind is left.
_OWN = re.compile(r'"[^"]{0,200}"|“[^”]{0,200}”|\d+(?:[.,]\d+)*')
CHARACTERS = 240


@dataclass(frozen=True)
class Said:
    """A message of the grader, as one candidate got it, and how many got its kind."""

    text: Text
    count: int


def most_said(rows: Iterable[Row]) -> Said | None:
    """Return the most frequent kind of message in ``rows``; None if there is none."""
    kinds: defaultdict[str, Counter[Text]] = defaultdict(Counter)
    for row in rows:
        if row.message is not None:
            kinds[_OWN.sub("#", row.message.en)][row.message] += 1
    if not kinds:
        return None
    # max() keeps the first of equals, so the same record gives the same report.
    kind = max(kinds.values(), key=Counter.total)
    text, _ = kind.most_common(1)[0]
    return Said(Text(shown(text.zh), shown(text.en)), kind.total())


def shown(text: str) -> str:
    """Return text of a submission on one line, cut, with nothing that steers a page."""
    text = plain(text)
    return text if len(text) <= CHARACTERS else f"{text[:CHARACTERS]} …"
