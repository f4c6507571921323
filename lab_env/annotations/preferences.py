"""Comparisons and rankings as preferences: chosen and rejected, ties, habits.

Covered: one <Pairwise>, beside it perhaps a <Choices> whose tick calls the two equally
good; one <Ranker>. Not covered: how much better one is than the other.
"""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

from lab_env.annotations.annotated import Annotated, Work, parse
from lab_env.annotations.export import preference_text
from lab_env.annotations.labelling import Labelling
from lab_env.annotations.results import Choice, Pair
from lab_env.checks import Text, Unreadable

TIE = "tie"


@dataclass(frozen=True)
class Preference:
    """One line for tuning: of two answers to a prompt, the one that was chosen."""

    prompt: str
    chosen: str
    rejected: str

    @property
    def turned(self) -> "Preference":
        """The opposite: chosen and rejected exchanged."""
        return Preference(self.prompt, self.rejected, self.chosen)


def side_of(item: Annotated | None) -> str:
    """Return the chosen side, also of a tie; "" where none was chosen."""
    regions = item.regions if item else ()
    sides = [each.selected for each in regions if isinstance(each, Pair)]
    return sides[0] if sides else ""


def is_tie(item: Annotated | None) -> bool:
    """Say whether the two answers were called equally good."""
    return item is not None and any(isinstance(one, Choice) for one in item.regions)


def decision(item: Annotated | None) -> str:
    """Return left, right or tie; "" for what is open."""
    return TIE if is_tie(item) else side_of(item)


def compared(work: Work) -> list[Annotated]:
    """Return the comparisons that have a side, in the order of the file."""
    return [item for item in work.done.values() if side_of(item)]


def preferences(items: Iterable[Annotated], labelling: Labelling) -> list[Preference]:
    """Return what comparisons say, or rankings pair by pair; a tie by its side."""
    # splitlines() would also break a line at U+2028, which JSON leaves in a text.
    lines = preference_text(items, labelling).split("\n")
    found = [json.loads(line) for line in lines if line]
    return [
        Preference(each["prompt"], each["chosen"], each["rejected"]) for each in found
    ]


def undisputed(found: Iterable[Preference]) -> set[Preference]:
    """Return each preference once, and none whose opposite is there too."""
    all_of_them = set(found)
    return {each for each in all_of_them if each.turned not in all_of_them}


def left_share(items: Sequence[Annotated]) -> float:
    """Return the share in which the left answer was chosen; NaN of nothing."""
    return share(side_of(item) == "left" for item in items)


def longer_share(found: Sequence[Preference]) -> float:
    """Return the share in which the chosen answer is the longer one; NaN of nothing."""
    return share(len(each.chosen) > len(each.rejected) for each in found)


def same_again_share(found: Sequence[Preference]) -> float:
    """Return the share of prompts met twice with the same answer chosen both times."""
    twice = [(a, b) for a, b in combinations(found, 2) if a.prompt == b.prompt]
    return share(first.chosen == again.chosen for first, again in twice)


def share(said: Iterable[bool]) -> float:
    """Return the share that is true; NaN of nothing, as pandas has it."""
    values = list(said)
    return fmean(values) if values else math.nan


def read_preferences(text: str, name: str) -> list[Preference]:
    """Return the lines of a file; Unreadable at the first that has not the form."""
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        place = Text(f"{name} 第 {number} 行：", f"{name}, line {number}: ")
        facts = parse(line, place)
        values = [facts.get(each) for each in ("prompt", "chosen", "rejected")]
        if not all(isinstance(value, str) and value.strip() for value in values):
            zh = f"{place.zh}prompt、chosen、rejected 都要有文字。请改好再导出。"
            en = f"{place.en}prompt, chosen and rejected must each hold a text."
            raise Unreadable(Text(zh, f"{en} Export again."))
        found.append(Preference(*map(str, values)))
    return found
