"""Find work of the hand that two candidates share; a person looks, no mark moves.

A line of an annotation file says when it was made and in how many seconds, so two
people never write the same one. Covered: a file handed in by two, whole or in part.
Not covered: answers copied by eye, lines whose times were changed.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations
from pathlib import Path

from lab_env.checks import Text
from lab_env.release import Release

# Fewer could be what a lab gives everybody.
LEAST = 5
SHORTEST = 40


@dataclass(frozen=True)
class Alike:
    """So many lines of one file are the same in the work of two candidates."""

    file: str
    first: str
    second: str
    lines: int

    @property
    def sentence(self) -> Text:
        """What an examiner reads."""
        zh = f"{self.first} 与 {self.second} 的 {self.file} 有 {self.lines} 行完全相同"
        en = f"{self.first} and {self.second} share {self.lines} lines of {self.file}"
        return Text(
            f"{zh}（连用时都一样）。请当面核实。", f"{en}, times included. Ask them."
        )


def alike(course: Path, release: Release) -> tuple[Alike, ...]:
    """Return every two candidates of a release who share lines made by hand."""
    received = course / "received" / release.id
    files = [each for each in release.lab.deliverables if each.source == "submission"]
    return tuple(one for each in files for one in _shared(received, each.name))


def _shared(received: Path, name: str) -> Iterator[Alike]:
    owners: defaultdict[bytes, set[str]] = defaultdict(set)
    for path in sorted(received.glob(f"*/*/{name}")):
        if not path.is_file():
            continue
        for line in path.read_bytes().split(b"\n"):
            if len(line) >= SHORTEST:
                owners[sha256(line).digest()].add(path.parent.parent.name)
    pairs = Counter(
        pair for who in owners.values() for pair in combinations(sorted(who), 2)
    )
    for (first, second), lines in sorted(pairs.items()):
        if lines >= LEAST:
            yield Alike(name, first, second, lines)
