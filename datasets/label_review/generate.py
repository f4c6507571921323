"""Write the data of label_review: python generate.py [--out FOLDER].

The same code writes the same bytes on every machine: one seed per language, Python's
own random generator, no clock, no network.
"""

import argparse
import csv
import io
import json
import random
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

from lab_env.annotations.annotated import Annotated, work_text
from lab_env.annotations.results import Choice
from lab_env.annotations.tasks import Task

HERE = Path(__file__).resolve().parent
FACTS = tomllib.loads((HERE / "scenario.toml").read_text(encoding="utf-8"))
SEEDS = {"zh": 5201, "en": 5202}
FIRST_MESSAGE, FIRST_TICKET, FIRST_DELIVERED = 401, 601, 1001
CODES = [label["code"] for label in FACTS["labels"]]
# What somebody takes for what, in a moment without care.
TAKEN_FOR = {"waste": "road", "road": "water", "water": "road"}
TAKEN_FOR |= {"noise": "road", "property": "road"}
# Hard messages that A and B label alike: by label, how many are right and wrong.
ALIKE_RIGHT, ALIKE_WRONG = 2, 1
SLIPS, SLIPS_OF_C, LEFT_BY_C = 4, 3, 24
MADE_AT = "2026-03-02T01:00:00Z"
BOTH = {"zh": "A：{}　B：{}", "en": "A: {} · B: {}"}
SLOT = re.compile(r"\{(\w+)\}")
SPAN = re.compile(r"<(\w+)\|([^<>]+)>")
# Places in drawn order. The plan needs 88; what lies behind is not to be counted.
DEFECTS = {"a": (17, 109), "b": (40,), "c": (8, 26, 50, 62, 83, 98, 116)}


@dataclass
class Message:
    """One message, its right label, and what three annotators gave."""

    text: str
    label: str
    hard: bool
    in_estate: bool
    a: str = ""
    b: str = ""
    c: str = ""


def phrases(name: str, language: str) -> dict:
    """Return one phrase bank."""
    text = (HERE / f"{name}.{language}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def fill(text: str, slots: dict[str, list[str]], turn: int, rng: random.Random) -> str:
    """Return the text with a word in every slot; each turn gets other words."""

    def word(match: re.Match[str]) -> str:
        choices = slots[match[1]]
        half = len(choices) // 2
        return rng.choice(choices[:half] if turn else choices[half:])

    return SLOT.sub(word, text)


def make_messages(language: str, rng: random.Random) -> list[Message]:
    """Return each message of the bank twice, with other words, well mixed."""
    bank = phrases("messages", language)
    made = [
        Message(
            fill(text, bank["slots"], turn, rng),
            entry["label"],
            entry.get("hard", False),
            "{estate}" in text,
        )
        for turn in (0, 1)
        for entry in bank["messages"]
        for text in entry["texts"]
    ]
    rng.shuffle(made)
    return made


def label_all(messages: Sequence[Message], rng: random.Random) -> None:
    """Give each message the labels of A, B and C."""
    for message in messages:
        message.a = message.b = message.c = message.label
        if message.hard:
            # Rule R4 says too little: A goes by where it is, B by what it is.
            message.a, message.b = "property", "waste"
            message.c = rng.choice(["property", "waste"])
        elif message.label == "noise" and message.in_estate:
            # Rule R5 is clear; C does not keep to it.
            message.c = "property"
    agree_on_some(messages, rng)
    slip(messages, rng)


def agree_on_some(messages: Sequence[Message], rng: random.Random) -> None:
    """Let A and B agree on a few hard messages, not always rightly."""
    for label, other in (("waste", "property"), ("property", "waste")):
        hard = [each for each in messages if each.hard and each.label == label]
        alike = rng.sample(hard, ALIKE_RIGHT + ALIKE_WRONG)
        for message in alike[:ALIKE_RIGHT]:
            message.a = message.b = label
        for message in alike[ALIKE_RIGHT:]:
            message.a = message.b = other


def slip(messages: Sequence[Message], rng: random.Random) -> None:
    """Make each annotator slip on a few easy messages, and C leave some out."""
    easy = [each for each in messages if each.a == each.b == each.c and not each.hard]
    drawn = rng.sample(easy, 2 * SLIPS + SLIPS_OF_C)
    for place, message in enumerate(drawn):
        name = "a" if place < SLIPS else "b" if place < 2 * SLIPS else "c"
        setattr(message, name, TAKEN_FOR[message.label])
    kept = [each for each in messages if each.label != "noise"]
    for message in rng.sample(kept, LEFT_BY_C):
        message.c = ""


def write_messages(out: Path, language: str, rng: random.Random) -> None:
    """Write the labels, the disputed messages as tasks, and their key."""
    messages = make_messages(language, rng)
    label_all(messages, rng)
    numbered = list(enumerate(messages, FIRST_MESSAGE))
    data, key = out / f"data/{language}", out / f"key/{language}"
    rows = [(n, one.text, one.a, one.b, one.c) for n, one in numbered]
    write(data / "labels.csv", table("id,text,a,b,c", rows))
    names = {label["code"]: label[language] for label in FACTS["labels"]}
    disputed = [(n, one) for n, one in numbered if one.a != one.b]
    given = BOTH[language]
    tasks = [
        Task(n, {"text": one.text, "given": given.format(names[one.a], names[one.b])})
        for n, one in disputed
    ]
    write(data / "disputed.jsonl", tasks_text(tasks))
    write(data / "disputed.xml", form(language))
    gold = [
        annotated(task, one.label, round(rng.uniform(5, 25), 1))
        for task, (_, one) in zip(tasks, disputed, strict=True)
    ]
    write(key / "gold_disputed.jsonl", work_text(gold))
    write(key / "by_hand/adjudicated.jsonl", work_text(gold))
    write_findings(key, [n for n, one in disputed if one.hard])


def write_findings(key: Path, answered: Sequence[int]) -> None:
    """Write what is to be found, and which messages the reply decides."""
    facts = {"unclear_rule": "R4", "annotator": "c", "broken_rule": "R5"}
    facts |= {"difference": "ends", "answered": answered}
    lines = [f'"{name}": {json.dumps(value)}' for name, value in facts.items()]
    # Short lines: a longer one must not occur in what is released.
    lines[-1] = lines[-1].replace(", ", ",\n")
    write(key / "findings.json", "{\n" + ",\n".join(lines) + "\n}\n")


def write_tickets(out: Path, language: str, rng: random.Random) -> None:
    """Write the tickets and the spans of A and B."""
    bank = phrases("tickets", language)
    texts = list(bank["tickets"]["texts"])
    rng.shuffle(texts)
    tickets, spans = [], []
    for place, template in enumerate(texts):
        number = FIRST_TICKET + place
        text, found = ticket(fill(template, bank["slots"], place % 2, rng))
        tickets.append((number, text))
        for who, marked in (("a", by_a(found, place)), ("b", by_b(found, place))):
            spans += [
                (number, who, start, end, kind, text[start:end])
                for kind, start, end, _ in sorted(marked, key=lambda one: one[1])
            ]
    data = out / f"data/{language}"
    write(data / "tickets.csv", table("id,text", tickets))
    write(data / "spans.csv", table("ticket,annotator,start,end,type,words", spans))


def ticket(template: str) -> tuple[str, list[tuple[str, int, int, int]]]:
    """Return the text, and type, start, end and inner start of each span."""
    text, rest, found = "", 0, []
    for match in SPAN.finditer(template):
        text += template[rest : match.start()]
        before, mark, after = match[2].rpartition("~")
        start = len(text)
        text += before + after
        inner = start + len(before) if mark else start
        found.append((match[1], start, len(text), inner))
        rest = match.end()
    return text + template[rest:], found


Found = list[tuple[str, int, int, int]]


def by_a(found: Found, place: int) -> Found:
    """Return the spans as A marks them: whole; a time overlooked now and then."""
    return [one for one in found if not (one[0] == "time" and place in (5, 13))]


def by_b(found: Found, place: int) -> Found:
    """Return the spans as B marks them: mostly without words of degree."""
    kept = []
    for kind, start, end, inner in found:
        if kind == "place" and place == 9:
            continue
        if kind == "facility" and place == 16:
            kind = "place"
        kept.append((kind, start if place % 5 == 2 else inner, end, inner))
    return kept


def write_inspection(out: Path, language: str, rng: random.Random) -> None:
    """Write the delivered labels that the client's office looked at, in drawn order."""
    many, lot = FACTS["languages"][language]["inspection"], FACTS["acceptance"]["lot"]
    ids = rng.sample(range(FIRST_DELIVERED, FIRST_DELIVERED + lot), many)
    wrong = {place: who for who, places in DEFECTS.items() for place in places}
    rows = []
    for place, number in enumerate(ids, 1):
        right = rng.choice(CODES)
        given, who = right, wrong.get(place) or rng.choice("abc")
        if place in wrong:
            right = "noise" if who == "c" else rng.choice(["road", "water"])
            given = "property" if who == "c" else TAKEN_FOR[right]
        rows.append((place, number, who, given, right))
    data = out / f"data/{language}"
    write(data / "inspection.csv", table("place,id,annotator,label,checked", rows))
    write(data / "plan.json", json.dumps(FACTS["acceptance"], indent=2) + "\n")


def write_reply(out: Path, language: str) -> None:
    """Write the office's answer, and the guideline with that answer before it."""
    reply = (HERE / f"reply.{language}.md").read_text(encoding="utf-8")
    guideline = (HERE / f"guideline.{language}.md").read_text(encoding="utf-8")
    data = out / f"data/{language}"
    write(data / "reply.md", reply)
    write(data / "guideline_with_reply.md", f"{reply}\n{guideline}")


def annotated(task: Task, label: str, seconds: float) -> Annotated:
    """Return a task as the annotation page would save it, without a release."""
    regions = (Choice("label", "text", (label,)),)
    when = {"created_at": MADE_AT, "updated_at": MADE_AT}
    return Annotated(task, regions, lead_time=seconds, **when)


def tasks_text(tasks: Iterable[Task]) -> str:
    """Return the file of tasks that are not annotated."""
    lines = [{"id": task.id, "data": task.data} for task in tasks]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def form(language: str) -> str:
    """Return the labelling configuration: the two opinions, the text, one choice."""
    lines = ["<View>", '  <Header value="$given" size="5"/>']
    lines.append('  <Text name="text" value="$text"/>')
    lines.append('  <Choices name="label" toName="text" required="true">')
    for place, label in enumerate(FACTS["labels"], 1):
        said = {"value": label[language], "alias": label["code"], "hotkey": str(place)}
        said["hint"] = label[f"{language}_line"]
        shown = " ".join(f"{key}={quoteattr(value)}" for key, value in said.items())
        lines.append(f"    <Choice {shown}/>")
    return "\n".join([*lines, "  </Choices>", "</View>"]) + "\n"


def table(header: str, rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV with line feeds."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([header.split(","), *rows])
    return stream.getvalue()


def write(path: Path, text: str) -> None:
    """Write a text file: UTF-8, line feeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))


def main() -> None:
    """Write every file of the scenario that is made."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE, help="default: in place")
    out = parser.parse_args().out
    for language, seed in SEEDS.items():
        write_messages(out, language, random.Random(seed))
        write_tickets(out, language, random.Random(seed + 10))
        write_inspection(out, language, random.Random(seed + 20))
        write_reply(out, language)


if __name__ == "__main__":
    main()
