"""Write one customer message from a phrase bank: a complaint among distractors."""

import random
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

CHOICE = re.compile(r"\[([^\[\]]*)\]")
SLOT = re.compile(r"\{(\w+)\}")
CHANNELS = ("app", "phone", "email", "shop")
# Complaints that touch two teams and are decided by a rule of the guideline.
EDGE_SHARE = 0.2
CHANNEL_SHARES = (0.4, 0.3, 0.15, 0.15)
OUTBURSTS = ("！！", "？？", "!!", "...")
# Where the customer's own words may stand between sentences, by language and channel.
SEPARATORS = {
    "zh": {"app": "，。 ", "phone": "，，。", "email": "。。，", "shop": "，。，"},
    "en": {"app": (". ", ", ", " "), "phone": (", ", ". "), "email": (". ",),
           "shop": (". ", "; ")},
}  # fmt: skip


@dataclass(frozen=True)
class Message:
    """A text, the team it belongs to and the team that its distractor names."""

    text: str
    team: str
    other: str | None
    channel: str
    held_out: bool


def load_phrases(folder: Path, language: str) -> dict:
    """Return the phrase bank of one language."""
    return tomllib.loads((folder / f"phrases.{language}.toml").read_text("utf-8"))


def is_held_out(index: int) -> bool:
    """Return whether the entry at this place of its list stays out of pretraining."""
    return index % 4 == 3


class Writer:
    """Writes messages of one language; the same seed writes the same messages."""

    def __init__(self, bank: dict, language: str, seed: int) -> None:
        self.bank, self.language = bank, language
        self.rng = random.Random(seed)

    def expand(self, template: str, **known: str) -> str:
        """Return the template with every choice made and every slot filled."""
        while CHOICE.search(template):
            template = CHOICE.sub(self._choose, template)
        slots = self.bank["slots"]
        while SLOT.search(template):
            template = SLOT.sub(
                lambda m: known.get(m[1]) or self.rng.choice(slots[m[1]]), template
            )
        return template

    def _choose(self, match: re.Match) -> str:
        return self.rng.choice(match[1].split("|"))

    def message(self, team: str, issue: int | None = None) -> Message:
        """Return one message whose main complaint is this issue of the team, or any."""
        channel = self.rng.choices(CHANNELS, CHANNEL_SHARES)[0]
        complaint, held_out, is_edge = self._complaint(team, issue)
        other = self.rng.choice([t for t in self.bank["topics"] if t != team])
        sentences, other = self._sentences(complaint, team, other, is_edge)
        text = self._join(sentences, channel)
        return Message(self._roughen(text, channel), team, other, channel, held_out)

    def _complaint(self, team: str, issue: int | None) -> tuple[str, bool, bool]:
        topic = self.bank["topics"][team]
        is_edge = "edge" in topic and self.rng.random() < EDGE_SHARE
        entries = topic["edge" if is_edge else "issues"]
        index = self.rng.randrange(len(entries)) if issue is None else issue
        return self.expand(entries[index]), is_held_out(index) or is_edge, is_edge

    def _sentences(
        self, complaint: str, team: str, other: str, is_edge: bool
    ) -> tuple[list[str], str | None]:
        kind = self.rng.random()
        if kind < 0.08:
            return [complaint], None
        if kind < 0.2:
            both = self._frame("two", m=complaint, d=self._clause(other))
            return [both, *self._trimmings()], other
        main = self._frame("main", m=complaint)
        count = self.rng.choices((0, 1, 2), (5, 4, 1) if is_edge else (1, 5, 4))[0]
        aside = [self._distractor(team, other) for _ in range(count)]
        after = self.rng.randrange(count + 1)
        sentences = [*aside[:after], main, *aside[after:], *self._trimmings()]
        if self.rng.random() < 0.2:
            sentences.insert(0, self._frame("background"))
        return sentences, other if count else None

    def _distractor(self, team: str, other: str) -> str:
        """Name another team's matter as solved, denied, compared or mistaken."""
        if self.rng.random() < 0.4:
            other = self.rng.choice([t for t in self.bank["topics"] if t != team])
        if self.rng.random() < 0.65:
            return self._frame("clause", d=self._clause(other))
        first, second = self.rng.sample(self.bank["topics"][other]["nouns"], 2)
        return self._frame("noun", x=first, y=second)

    def _clause(self, team: str) -> str:
        return self.expand(self.rng.choice(self.bank["topics"][team]["issues"]))

    def _frame(self, name: str, **known: str) -> str:
        return self.expand(self.rng.choice(self.bank["frames"][name]), **known)

    def _trimmings(self) -> list[str]:
        odds = (("consequence", 0.3), ("request", 0.4))
        return [self._frame(name) for name, p in odds if self.rng.random() < p]

    def _join(self, sentences: list[str], channel: str) -> str:
        rng = self.rng
        opening = self.expand(rng.choice(self.bank["opening"][channel]))
        closing = self.expand(rng.choice(self.bank["closing"][channel]))
        text = opening
        for sentence in [*sentences, closing] if closing else sentences:
            if text and text[-1] in "，：；。！？,:.?!":
                text += "" if self.language == "zh" else " "
            elif text and self.language == "zh" and text[-1] in "称说":
                text += ""
            elif text:
                text += rng.choice(SEPARATORS[self.language][channel])
            text += sentence
        return text

    def _roughen(self, text: str, channel: str) -> str:
        """Return the text as it is typed or transcribed, not as it is drafted."""
        rng, noise = self.rng, self.bank["noise"]
        if channel == "phone" and rng.random() < 0.6:
            text = self._stammer(text)
        if rng.random() < (0.1 if channel == "email" else 0.3):
            text = self._swap(text, noise["swaps"], rng.randint(1, 3))
        if rng.random() < 0.1:
            text = self._swap(text, noise["mixed"], 1)
        if channel == "app" and rng.random() < 0.15:
            text = re.sub(r"[，。,.](?=\D|$)", " ", text)
        elif rng.random() < 0.1:
            text = re.sub(r"[。.]$", "", text) + rng.choice(OUTBURSTS)
        if self.language == "en" and channel in ("email", "shop"):
            text = re.sub(
                r"(^|[.?!] )([a-z])", lambda m: m[1] + m[2].upper(), text
            ).replace(" i ", " I ")
        return re.sub(r"\s+", " ", text).strip()

    def _stammer(self, text: str) -> str:
        commas = [m.end() for m in re.finditer("[，。,.] ?(?=.)", text)]
        for at in sorted(self.rng.sample(commas, min(2, len(commas))), reverse=True):
            filler = self.rng.choice(self.bank["noise"]["fillers"])
            comma = "，" if self.language == "zh" else ", "
            text = text[:at] + filler + comma + text[at:]
        return text

    def _swap(self, text: str, pairs: list[list[str]], count: int) -> str:
        present = [pair for pair in pairs if pair[0] in text]
        for old, new in self.rng.sample(present, min(count, len(present))):
            text = text.replace(old, new, 1)
        return text
