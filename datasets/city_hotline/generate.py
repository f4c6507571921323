"""Write the data of city_hotline: python generate.py [--out FOLDER].

The same code writes the same bytes on every machine: one seed per language, Python's
own random generator, no clock, no network.
"""

import argparse
import csv
import random
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from citizens import Case, Message, Writer, load_phrases

HERE = Path(__file__).resolve().parent
SEEDS = {"zh": 12345, "en": 12348}
SPLITS = {"train": 1200, "validation": 400, "test": 600, "heldout": 900}
SHARES = {
    "housing": 0.18, "traffic": 0.15, "market": 0.125, "environment": 0.11,
    "sanitation": 0.1, "roads": 0.085, "utilities": 0.075, "labour": 0.06,
    "education": 0.045, "health": 0.04, "safety": 0.03,
}  # fmt: skip
LABEL_NOISE = 0.04
QUEUE_AGREES = 0.45
# How many messages a case brings, and how often.
CASE_SIZES, CASE_SHARES = (1, 2, 3, 4), (0.93, 0.045, 0.017, 0.008)


@dataclass(frozen=True)
class Row:
    """One line of a split: the case, and the team and urgency that were recorded."""

    case: Case
    message: Message
    queue: str
    team: str
    urgency: int


class Gate:
    """Lets a text pass unless a text much like it has passed before."""

    def __init__(self) -> None:
        self.seen: dict[int, list[int]] = defaultdict(list)
        self.passed = 0

    def admits(self, text: str) -> bool:
        """Return whether the text is new, and remember it if so."""
        letters = "".join(c for c in text.lower() if c.isalpha())
        grams = {letters[i : i + 4] for i in range(max(1, len(letters) - 3))}
        sketch = sorted(zlib.crc32(g.encode()) for g in grams)[:10]
        near = Counter(number for gram in sketch for number in self.seen[gram])
        if near and max(near.values()) * 10 >= 6 * len(sketch):
            return False
        for gram in sketch:
            self.seen[gram].append(self.passed)
        self.passed += 1
        return True


class RowMaker:
    """Makes the rows of one language, split by split."""

    def __init__(self, language: str) -> None:
        self.writer = Writer(load_phrases(HERE, language), language, SEEDS[language])
        self.rng, self.gate = random.Random(SEEDS[language] + 1), Gate()

    def rows(self, split: str) -> list[Row]:
        """Return the rows of a split in random order; no case is in two splits."""
        made = [
            self._row(case, turn, size > 1, split)
            for team, count in team_counts(SPLITS[split]).items()
            for case, size in self._cases(team, count)
            for turn in range(size)
        ]
        self.rng.shuffle(made)
        return made

    def _cases(self, team: str, messages: int) -> Iterator[tuple[Case, int]]:
        while messages:
            size = min(self.rng.choices(CASE_SIZES, CASE_SHARES)[0], messages)
            yield self.writer.case(team), size
            messages -= size

    def _row(self, case: Case, turn: int, is_shared: bool, split: str) -> Row:
        rng, message = self.rng, self.writer.message(case, turn, is_shared)
        while not self.gate.admits(message.text):
            message = self.writer.message(case, turn, is_shared)
        agrees = rng.random() < QUEUE_AGREES
        queue = case.team if agrees else another(case, message, rng)
        team, urgency = case.team, case.urgency
        if split == "train" and rng.random() < LABEL_NOISE:
            team = another(case, message, rng)
        if split == "train" and rng.random() < LABEL_NOISE:
            urgency = rng.choice([u for u in (urgency - 1, urgency + 1) if 1 <= u <= 4])
        return Row(case, message, queue, team, urgency)


def team_counts(size: int) -> dict[str, int]:
    """Return how many messages of a split each team gets: its fixed share."""
    counts = {team: round(size * share) for team, share in SHARES.items()}
    counts["housing"] += size - sum(counts.values())
    return counts


def another(case: Case, message: Message, rng: random.Random) -> str:
    """Return a wrong team as people pick it: most often the one also named."""
    if message.other and rng.random() < 0.75:
        return message.other
    return rng.choice([team for team in SHARES if team != case.team])


def make_rows(language: str) -> dict[str, list[Row]]:
    """Return the rows of every split of one language."""
    maker = RowMaker(language)
    return {split: maker.rows(split) for split in SPLITS}


def shuffled_numbers(count: int, seed: int) -> list[int]:
    """Return 1 to count in random order, so that a number tells nothing."""
    numbers = list(range(1, count + 1))
    random.Random(seed).shuffle(numbers)
    return numbers


def write_csv(path: Path, columns: str, lines: list[list[str]]) -> None:
    """Write one CSV file: UTF-8, line feeds, a header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = [columns.split(), *lines]
        csv.writer(file, lineterminator="\n").writerows(rows)


def write_language(out: Path, language: str) -> None:
    """Write the four splits and the key of one language."""
    rows, total = make_rows(language), sum(SPLITS.values())
    numbers = shuffled_numbers(total, SEEDS[language] + 2)
    cases = {id(row.case): row.case for part in rows.values() for row in part}
    places = shuffled_numbers(len(cases), SEEDS[language] + 3)
    case_ids = dict(zip(cases, places, strict=True))
    for split, part in rows.items():
        lines, answers = [], []
        for row in part:
            name = f"ch-{language}-{numbers.pop():05}"
            lines.append([name, row.message.text, row.message.channel, row.queue])
            case = f"case-{case_ids[id(row.case)]:04}"
            answers.append([row.team, str(row.urgency), case])
        data, whole = out / f"data/{language}/{split}.csv", "id text channel queue"
        if split == "heldout":
            write_csv(data, whole, lines)
            data, whole = out / f"key/{language}/heldout.csv", "id"
            lines = [line[:1] for line in lines]
        together = [line + answer for line, answer in zip(lines, answers, strict=True)]
        write_csv(data, f"{whole} team urgency case", together)


def main() -> None:
    """Write every data file of the scenario."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE, help="default: in place")
    out = parser.parse_args().out
    for language in SEEDS:
        write_language(out, language)


if __name__ == "__main__":
    main()
