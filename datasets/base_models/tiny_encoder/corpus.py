"""Write the pretraining corpus: pairs of texts about one matter, five domains.

A pair is a message and what followed: a second message about the same matter, the
note of how it was handled, or both. Nothing names a team or a label. Of the telecom
phrases, all complaints on the border of two teams and every fourth entry of each list
are left out, so that the scenario keeps templates that the model has never seen.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCENARIO = HERE.parent.parent / "customer_service"
# A script sees only its own folder; the message writer lives with the scenario.
sys.path.insert(0, str(SCENARIO))

from messages import Writer, is_held_out, load_phrases  # noqa: E402

LANGUAGES = ("zh", "en")
DOMAINS = ("telecom", "city", "factory", "clinic", "shop")
DOMAIN_SHARES = dict(zip(DOMAINS, (0.6, 0.1, 0.1, 0.1, 0.1), strict=True))


@dataclass(frozen=True)
class Document:
    """Two texts about one matter."""

    group: str
    first: str
    second: str


def seen_only(bank: dict) -> dict:
    """Return the phrase bank without the entries that are held out."""

    def keep(value: object) -> object:
        if isinstance(value, dict):
            return {k: keep(v) for k, v in value.items() if k != "edge"}
        if isinstance(value, list):
            return [entry for i, entry in enumerate(value) if not is_held_out(i)]
        return value

    # Names and amounts say nothing about a team, and spelling noise is no template.
    whole = {key: bank[key] for key in ("slots", "noise")}
    return keep(bank) | whole


class DomainWriter:
    """Writes documents of one domain and language."""

    def __init__(self, domain: str, language: str, seed: int) -> None:
        shared, own = load_phrases(SCENARIO, language), load_phrases(HERE, language)
        bank = seen_only(shared)
        bank["slots"] = shared["slots"] | own["slots"]
        if domain != "telecom":
            bank["topics"] = own["topics"][domain]
        self.notes = own["handled"][domain]
        self.writer = Writer(bank, language, seed)
        self.group = f"{domain}-{language}"

    def document(self) -> Document:
        """Return one document."""
        rng, topics = self.writer.rng, self.writer.bank["topics"]
        topic = rng.choice(list(topics))
        issue = rng.randrange(len(topics[topic]["issues"]))
        first = self.writer.message(topic, issue).text
        kind = rng.random()
        second = self.writer.message(topic, issue).text if kind < 0.6 else ""
        note = self._note(topic) if kind > 0.3 else ""
        return Document(self.group, first, f"{second} {note}".strip())

    def _note(self, topic: str) -> str:
        notes = self.notes[topic]
        count = self.writer.rng.randint(1, 2)
        return "; ".join(
            self.writer.expand(note) for note in self.writer.rng.sample(notes, count)
        )


def documents(size: int, seed: int = 7) -> Iterator[Document]:
    """Yield about this many documents, domain by domain."""
    for place, (domain, share) in enumerate(DOMAIN_SHARES.items()):
        for language in LANGUAGES:
            writer = DomainWriter(domain, language, seed * 100 + place)
            for _ in range(round(size * share / len(LANGUAGES))):
                yield writer.document()


if __name__ == "__main__":
    for sample in documents(40):
        print(f"{sample.group}\n  1: {sample.first}\n  2: {sample.second}")
