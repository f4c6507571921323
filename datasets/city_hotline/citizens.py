"""Write what citizens say about a case: one request among other matters."""

import random
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

CHOICE = re.compile(r"\[([^\[\]]*)\]")
SLOT = re.compile(r"\{(\w+)\}")
CHANNELS = ("phone", "app", "web")
CHANNEL_SHARES = (0.45, 0.35, 0.2)
# Matters between two departments, decided by a rule of the guideline.
EDGE_SHARE = 0.2
# How often a detail makes the case more urgent, or the citizen says it can wait.
WORSE_SHARE, EASIER_SHARE = 0.15, 0.13
NAMES_PLACE = 0.4
OUTBURSTS = {"zh": ("！！", "？？", "!!", "..."), "en": ("!!", "??", "...")}
# Where the citizen's own words may stand between sentences, by language and channel.
SEPARATORS = {
    "zh": {"phone": "，，。", "app": "，。 ", "web": "。。，"},
    "en": {"phone": (", ", ". "), "app": (". ", ", ", " "), "web": (". ",)},
}


@dataclass(frozen=True)
class Case:
    """A matter at a place, about which one citizen or several write."""

    team: str
    urgency: int
    wordings: tuple[str, ...]
    place: str
    amount: str
    # "worse" or "easier" when the citizens' words change the urgency, or "".
    shift: str


@dataclass(frozen=True)
class Message:
    """A text and its channel; ``other`` is the team that its distractor names."""

    text: str
    channel: str
    other: str | None


def load_phrases(folder: Path, language: str) -> dict:
    """Return the phrase bank of one language."""
    return tomllib.loads((folder / f"phrases.{language}.toml").read_text("utf-8"))


class Writer:
    """Writes messages of one language; the same seed writes the same messages."""

    def __init__(self, bank: dict, language: str, seed: int) -> None:
        self.bank, self.language = bank, language
        self.rng = random.Random(seed)
        self.taken: set[tuple[str, str]] = set()

    def case(self, team: str) -> Case:
        """Return a new case of the team; no other has its matter at its place."""
        rng, topic = self.rng, self.bank["topics"][team]
        kind = "edge" if rng.random() < EDGE_SHARE else "matters"
        urgency, *wordings = rng.choice(topic[kind])
        while (place := self._place(topic["where"]), wordings[0]) in self.taken:
            continue
        self.taken.add((place, wordings[0]))
        rng.shuffle(wordings)
        urgency, shift = self._shifted(urgency)
        amount = rng.choice(self.bank["slots"]["n"])
        return Case(team, urgency, tuple(wordings), place, amount, shift)

    def message(self, case: Case, turn: int, is_shared: bool) -> Message:
        """Return one message; of a shared case each turn has other words."""
        channel = self.rng.choices(CHANNELS, CHANNEL_SHARES)[0]
        wording = case.wordings[turn % len(case.wordings)]
        complaint = self._expand(wording, n=case.amount)
        other = self.rng.choice(self._others(case.team))
        sentences, other = self._sentences(complaint, case, other)
        if is_shared or self.rng.random() < NAMES_PLACE:
            where = self._frame(
                f"where_{self.bank['topics'][case.team]['where']}", at=case.place
            )
            sentences.insert(self.rng.choice((0, 0, len(sentences))), where)
        text = self._join(sentences, channel)
        return Message(self._roughen(text, channel), channel, other)

    def _others(self, team: str) -> list[str]:
        return [name for name in self.bank["topics"] if name != team]

    def _place(self, kind: str) -> str:
        first, second = map(self.rng.choice, self.bank["places"][kind])
        order = (first, second) if self.language == "zh" else (second, first)
        between = "" if self.language == "zh" or not all(order) else " "
        return between.join(order)

    def _shifted(self, urgency: int) -> tuple[int, str]:
        """Return the urgency after what the citizens add; a danger cannot wait."""
        chance = self.rng.random()
        if chance < WORSE_SHARE and 2 <= urgency < 4:
            return urgency + 1, "worse"
        if chance > 1 - EASIER_SHARE and 2 <= urgency < 4:
            return urgency - 1, "easier"
        return urgency, ""

    def _sentences(
        self, complaint: str, case: Case, other: str
    ) -> tuple[list[str], str | None]:
        kind = self.rng.random()
        added = [self._shift(case)] if case.shift else []
        if kind < 0.08:
            return [complaint, *added], None
        if kind < 0.2 and case.shift != "easier":
            both = self._frame("two", m=complaint, d=self._clause(other))
            return [both, *added, *self._trimmings(case)], other
        main = [self._frame("main", m=complaint), *added]
        count = self.rng.choices((0, 1, 2), (1, 5, 4))[0]
        asides = [self._distractor(case.team, other) for _ in range(count)]
        after = self.rng.randrange(count + 1)
        sentences = [*asides[:after], *main, *asides[after:], *self._trimmings(case)]
        if self.rng.random() < 0.15:
            sentences.insert(0, self._frame("background"))
        return sentences, other if count else None

    def _shift(self, case: Case) -> str:
        if case.shift == "easier":
            return self._frame("easier")
        return self._expand(self.rng.choice(self.bank["topics"][case.team]["worse"]))

    def _distractor(self, team: str, other: str) -> str:
        """Name another team's matter as solved, denied, compared or mistaken."""
        if self.rng.random() < 0.4:
            other = self.rng.choice(self._others(team))
        if self.rng.random() < 0.6:
            return self._frame("clause", d=self._clause(other))
        first, second = self.rng.sample(self.bank["topics"][other]["nouns"], 2)
        return self._frame("noun", x=first, y=second)

    def _clause(self, team: str) -> str:
        _, *wordings = self.rng.choice(self.bank["topics"][team]["matters"])
        return self._expand(self.rng.choice(wordings))

    def _trimmings(self, case: Case) -> list[str]:
        names = ["consequence"] if self.rng.random() < 0.3 else []
        # "No hurry" and "at once" in one message would be a riddle, not a request.
        if case.shift != "easier" and self.rng.random() < 0.35:
            names.append("request")
        return [self._frame(name) for name in names]

    def _frame(self, name: str, **known: str) -> str:
        return self._expand(self.rng.choice(self.bank["frames"][name]), **known)

    def _expand(self, template: str, **known: str) -> str:
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

    def _join(self, sentences: list[str], channel: str) -> str:
        rng, is_chinese = self.rng, self.language == "zh"
        text = self._expand(rng.choice(self.bank["opening"][channel]))
        closing = self._expand(rng.choice(self.bank["closing"][channel]))
        for sentence in [*sentences, closing] if closing else sentences:
            if text and text[-1] in "，：；。！？,:.?!":
                text += "" if is_chinese else " "
            elif text and not (is_chinese and text[-1] in "称说"):
                text += rng.choice(SEPARATORS[self.language][channel])
            text += sentence
        return text

    def _roughen(self, text: str, channel: str) -> str:
        """Return the text as it is typed or transcribed, not as it is drafted."""
        rng, noise = self.rng, self.bank["noise"]
        if channel == "phone" and rng.random() < 0.6:
            text = self._stammer(text)
        if rng.random() < (0.4 if channel == "app" else 0.25):
            text = self._swap(text, noise["swaps"], rng.randint(1, 3))
        if rng.random() < 0.15:
            text = self._swap(text, noise["mixed"], 1)
        if channel == "app" and rng.random() < 0.2:
            text = re.sub(r"[，。,.](?=\D|$)", " ", text)
        elif rng.random() < 0.1:
            text = re.sub(r"[。.]$", "", text) + rng.choice(OUTBURSTS[self.language])
        if self.language == "en" and channel == "web":
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
