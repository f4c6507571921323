"""Write texts to annotate by hand, with their key, from what stands in phrase banks.

A bank is a folder with ``messages.<language>.toml`` and ``orders.<language>.toml``.
The same code writes the same bytes on every machine: one seed per language, Python's
own random generator, no clock, no network.
"""

import argparse
import json
import random
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

from lab_env.annotations.annotated import Annotated, work_text
from lab_env.annotations.results import Choice, Span
from lab_env.annotations.tasks import Task

# One key each; a labelling configuration names them in the order of its options.
KEYS = "1234567890qwe"
FIRST_ID = {"messages": 101, "orders": 201, "trial": 301}
# Repetitions stand so far apart that the first is out of sight.
APART = 15
MADE_AT = "2026-03-02T01:00:00Z"
SLOT = re.compile(r"\{([^{}]+)\}")
SPAN = re.compile(r"<(\w+)\|([^<>]+)>")
# Where Chinese meets a letter or digit, a space belongs between them.
MEETING = re.compile(r"(?<=[一-鿿])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?=[一-鿿])")


@dataclass
class Message:
    """One message; ``matter`` is shared by a message and its repetition."""

    text: str
    label: str
    rule: str
    matter: int


@dataclass
class Order:
    """One work order, its spans, and the places that the guideline excludes."""

    text: str = ""
    spans: list[Span] = field(default_factory=list)
    traps: list[tuple[int, int]] = field(default_factory=list)


class Filler:
    """Puts words into the slots of one entry; the same slot gets the same word."""

    def __init__(self, rng: random.Random, lists: dict[str, list[str]]) -> None:
        self.rng, self.lists = rng, lists
        self.drawn: dict[str, str] = {}

    def fill(self, text: str) -> str:
        """Return the text with a word in every slot."""
        return SLOT.sub(self._word, text)

    def _word(self, match: re.Match[str]) -> str:
        name = match[1]
        if name not in self.drawn:
            choices = self.lists.get(name) or name.split("/")
            self.drawn[name] = self.rng.choice(choices)
        return self.drawn[name]


@dataclass(frozen=True)
class Source:
    """Where texts of one language come from, and where what is made of them goes.

    ``facts`` is what ``scenario.toml`` says.
    """

    bank: Path
    facts: dict
    language: str
    data: Path
    key: Path

    def phrases(self, name: str) -> dict:
        """Return one phrase bank."""
        path = self.bank / f"{name}.{self.language}.toml"
        return tomllib.loads(path.read_text(encoding="utf-8"))


def make_messages(source: Source, rng: random.Random) -> list[Message]:
    """Return the messages with their repetitions, well mixed."""
    made = []
    for matter, entry in enumerate(source.phrases("messages")["messages"]):
        filler, again = Filler(rng, {}), entry.get("again")
        texts = [entry["text"]]
        if again:
            texts.append(entry["text"] if again == "=" else again)
        for text in texts:
            shown = MEETING.sub(" ", filler.fill(text))
            shown = shown[0].upper() + shown[1:]
            made.append(Message(shown, entry["label"], entry.get("rule", ""), matter))
    while not far_apart(made):
        rng.shuffle(made)
    return made


def far_apart(messages: Sequence[Message]) -> bool:
    """Say whether repetitions are far apart; entries come in with none between."""
    places = defaultdict(list)
    for place, message in enumerate(messages):
        places[message.matter].append(place)
    pairs = [found for found in places.values() if len(found) == 2]
    return all(second - first >= APART for first, second in pairs)


def make_order(template: str, filler: Filler) -> Order:
    """Return an order with its marked-up pieces as spans."""
    order, rest = Order(), 0
    text = filler.fill(template)
    for match in SPAN.finditer(text):
        add(order, text[rest : match.start()])
        end = add(order, match[2])
        start = end - len(match[2])
        if match[1] == "none":
            order.traps.append((start, end))
        else:
            labels = (match[1],)
            order.spans.append(Span("spans", "text", start, end, match[2], labels))
        rest = match.end()
    add(order, text[rest:])
    return order


def add(order: Order, words: str) -> int:
    """Write words after the text so far; return where they end."""
    meets = MEETING.search(order.text[-1:] + words[:1])
    order.text += " " * bool(meets) + words
    return len(order.text)


def make_orders(source: Source, rng: random.Random) -> list[Order]:
    """Return the work orders, well mixed."""
    bank = source.phrases("orders")
    found = [
        make_order(text, Filler(rng, bank["slots"])) for text in bank["orders"]["texts"]
    ]
    rng.shuffle(found)
    return found


def tasks_of(part: str, texts: Sequence[str]) -> list[Task]:
    """Return the texts as tasks; ids go on from the first of that part."""
    return [Task(FIRST_ID[part] + n, {"text": text}) for n, text in enumerate(texts)]


def tasks_text(tasks: Sequence[Task]) -> str:
    """Return the file of tasks that are not annotated."""
    lines = [{"id": task.id, "data": task.data} for task in tasks]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def annotated(task: Task, regions: tuple, seconds: float) -> Annotated:
    """Return a task as the annotation page would save it, without a release."""
    when = {"created_at": MADE_AT, "updated_at": MADE_AT}
    return Annotated(task, regions, not regions, lead_time=seconds, **when)


def label_of(code: str) -> tuple[Choice, ...]:
    """Return the region of one chosen label."""
    return (Choice("label", "text", (code,)),)


def write_messages(source: Source, rng: random.Random) -> None:
    """Write the messages, their key, and which of them the guideline decides."""
    messages = make_messages(source, rng)
    tasks = tasks_of("messages", [message.text for message in messages])
    decided, matters = defaultdict(list), defaultdict(list)
    for task, message in zip(tasks, messages, strict=True):
        matters[message.matter].append(task.id)
        if message.rule:
            decided[message.rule].append(task.id)
    gold = [
        annotated(task, label_of(message.label), round(rng.uniform(4, 24), 1))
        for task, message in zip(tasks, messages, strict=True)
    ]
    groups = [found for found in matters.values() if len(found) == 2]
    write(source.data / "messages.jsonl", tasks_text(tasks))
    write_key(source.key, "messages", gold)
    write_facts(source.key / "groups.json", groups)
    rules = sorted(decided, key=lambda rule: int(rule[1:]))
    write_facts(source.key / "decided.json", {rule: decided[rule] for rule in rules})


def write_orders(source: Source, rng: random.Random) -> None:
    """Write the work orders, their key, and the traps."""
    orders = make_orders(source, rng)
    tasks = tasks_of("orders", [order.text for order in orders])
    gold = [
        annotated(task, tuple(order.spans), round(rng.uniform(20, 75), 1))
        for task, order in zip(tasks, orders, strict=True)
    ]
    traps = {
        str(task.id): order.traps
        for task, order in zip(tasks, orders, strict=True)
        if order.traps
    }
    write(source.data / "orders.jsonl", tasks_text(tasks))
    write_key(source.key, "orders", gold)
    write_facts(source.key / "traps.json", traps)


def write_trial(source: Source, rng: random.Random) -> None:
    """Write the trial batch and what a colleague left of it."""
    entries = source.phrases("messages")["trial"]
    tasks = tasks_of("trial", [entry["text"] for entry in entries])
    left = [
        annotated(
            task,
            () if entry["label"] == "skip" else label_of(entry["label"]),
            round(rng.uniform(4, 24), 1),
        )
        for task, entry in zip(tasks, entries, strict=True)
        if entry["label"] != "none"
    ]
    write(source.data / "trial.jsonl", tasks_text(tasks))
    write(source.data / "trial_done.jsonl", work_text(left))


def write_key(key: Path, part: str, gold: Sequence[Annotated]) -> None:
    """Write gold twice: as the key, and as the file of somebody who knows."""
    write(key / f"gold_{part}.jsonl", work_text(gold))
    write(key / f"by_hand/{part}_done.jsonl", work_text(gold))


def write_facts(path: Path, facts: dict | list) -> None:
    """Write a small JSON file, one line for each entry."""
    if isinstance(facts, dict):
        lines = [f'"{key}": {json.dumps(value)}' for key, value in facts.items()]
        write(path, "{\n" + ",\n".join(lines) + "\n}\n")
    else:
        write(path, "[\n" + ",\n".join(map(json.dumps, facts)) + "\n]\n")


def write_forms(source: Source) -> None:
    """Write the two labelling configurations."""
    facts, language = source.facts, source.language
    write(
        source.data / "messages.xml",
        form("Choices", "Choice", language, facts["labels"]),
    )
    write(
        source.data / "orders.xml",
        form("Labels", "Label", language, facts["entities"]),
    )


def options(entries: Sequence[dict], language: str) -> Iterator[dict[str, str]]:
    """Yield the attributes of each option; the key is its place."""
    for key, entry in zip(KEYS[: len(entries)], entries, strict=True):
        said = {"value": entry[language], "alias": entry["code"], "hotkey": key}
        if "colour" in entry:
            said["background"] = entry["colour"]
        yield said | {"hint": entry[f"{language}_line"]}


def form(kind: str, option: str, language: str, entries: Sequence[dict]) -> str:
    """Return a labelling configuration with one question about one text."""
    name, more, text = "label", ' choice="single"', ""
    if kind == "Labels":
        name, more = "spans", ""
        # English is marked by whole words, Chinese by characters.
        text = ' granularity="word"' * (language == "en")
    lines = ["<View>", f'  <Text name="text" value="$text"{text}/>']
    lines.append(f'  <{kind} name="{name}" toName="text" required="true"{more}>')
    for entry in options(entries, language):
        said = " ".join(f"{key}={quoteattr(value)}" for key, value in entry.items())
        lines.append(f"    <{option} {said}/>")
    return "\n".join([*lines, f"  </{kind}>", "</View>"]) + "\n"


def write(path: Path, text: str) -> None:
    """Write a text file: UTF-8, line feeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))


def write_all(source: Source, seed: int) -> None:
    """Write tasks, configurations and key of one language."""
    write_messages(source, random.Random(seed))
    write_orders(source, random.Random(seed + 10))
    write_trial(source, random.Random(seed + 20))
    write_forms(source)


def main(bank: Path, scenario: Path, seeds: dict[str, int], lab: str = "") -> None:
    """Write what is made of a bank; with ``lab``, for that lab alone."""
    parser = argparse.ArgumentParser(description="Write the texts to annotate.")
    said = "folder instead of the scenario's; default: in place"
    parser.add_argument("--out", type=Path, default=scenario, help=said)
    out = parser.parse_args().out
    facts = tomllib.loads((scenario / "scenario.toml").read_text("utf-8"))
    for language, seed in seeds.items():
        data, key = out / "data" / language / lab, out / "key" / language / lab
        write_all(Source(bank, facts, language, data, key), seed)
