"""Write the data of customer_service: python generate.py [--out FOLDER].

The same code writes the same bytes on every machine: one seed per language, Python's
own random generator, no clock, no network.
"""

import argparse
import csv
import random
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from messages import Message, Writer, load_phrases

HERE = Path(__file__).resolve().parent
SEEDS = {"zh": 20251, "en": 20252}
SPLITS = {"train": 1000, "validation": 300, "test": 400, "heldout": 600}
SHARES = {
    "billing": 0.215, "network": 0.18, "broadband": 0.16, "plans": 0.13,
    "account": 0.115, "devices": 0.095, "roaming": 0.06, "fraud": 0.045,
}  # fmt: skip
LABEL_NOISE = 0.04
QUEUE_AGREES = 0.45


@dataclass(frozen=True)
class Row:
    """One line of a split, with the true team and the team that was recorded."""

    message: Message
    queue: str
    recorded: str


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


def teams_for(size: int, rng: random.Random) -> list[str]:
    """Return the teams of one split in random order, in their fixed shares."""
    teams = [team for team, share in SHARES.items() for _ in range(round(size * share))]
    teams = (teams + ["billing"] * size)[:size]
    rng.shuffle(teams)
    return teams


def another(message: Message, rng: random.Random) -> str:
    """Return a wrong team as people pick it: most often the one also named."""
    if message.other and rng.random() < 0.75:
        return message.other
    return rng.choice([team for team in SHARES if team != message.team])


def make_rows(language: str) -> dict[str, list[Row]]:
    """Return the rows of every split of one language."""
    writer = Writer(load_phrases(HERE, language), language, SEEDS[language])
    rng, gate = random.Random(SEEDS[language] + 1), Gate()
    return {
        split: [make_row(writer, team, split, rng, gate) for team in teams]
        for split, size in SPLITS.items()
        for teams in [teams_for(size, rng)]
    }


def make_row(
    writer: Writer, team: str, split: str, rng: random.Random, gate: Gate
) -> Row:
    """Return one row; only the training split records some wrong teams."""
    message = writer.message(team)
    while not gate.admits(message.text):
        message = writer.message(team)
    queue = team if rng.random() < QUEUE_AGREES else another(message, rng)
    is_noisy = split == "train" and rng.random() < LABEL_NOISE
    return Row(message, queue, another(message, rng) if is_noisy else team)


def write_csv(path: Path, header: list[str], lines: list[list[str]]) -> None:
    """Write one CSV file: UTF-8, line feeds, a header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *lines])


def write_language(out: Path, language: str) -> None:
    """Write the four splits and the key of one language."""
    rows = make_rows(language)
    numbers = list(range(1, sum(SPLITS.values()) + 1))
    # Shuffled, so that a number tells neither the split nor the team.
    random.Random(SEEDS[language] + 2).shuffle(numbers)
    for split, part in rows.items():
        ids = [f"cs-{language}-{numbers.pop():05}" for _ in part]
        header = ["id", "text", "channel", "queue", "team"]
        lines = [
            [i, r.message.text, r.message.channel, r.queue, r.recorded]
            for i, r in zip(ids, part, strict=True)
        ]
        if split == "heldout":
            header, lines = header[:-1], [line[:-1] for line in lines]
            key = [[i, r.message.team] for i, r in zip(ids, part, strict=True)]
            write_csv(out / f"key/{language}/heldout.csv", ["id", "team"], key)
        write_csv(out / f"data/{language}/{split}.csv", header, lines)


def main() -> None:
    """Write every data file of the scenario."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE, help="default: in place")
    out = parser.parse_args().out
    for language in SEEDS:
        write_language(out, language)


if __name__ == "__main__":
    main()
