"""Write the data of assistant_answers: python generate.py [--out FOLDER].

The same code writes the same bytes on every machine: one seed per language, Python's
own random generator, no clock, no network.
"""

import argparse
import csv
import io
import json
import random
import tomllib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

from lab_env.annotations.annotated import Annotated, work_text
from lab_env.annotations.results import Choice, Note, Pair, Ranking, Region
from lab_env.annotations.tasks import Task

HERE = Path(__file__).resolve().parent
SEEDS = {"zh": 4301, "en": 4302}
FIRST_ID = {"pairs": 101, "rankings": 201, "practice": 301}
# A comparison comes again so much later that the first is out of sight.
APART = 10
NAMES = "ABCD"
MADE_AT = "2026-03-02T01:00:00Z"
WORDS = {
    "zh": {
        "prompt": "客户的问题",
        "facts": "资料卡（事实以它为准，客户看不到）",
        "pair": "哪个回答更好？",
        "tie": "两个一样好",
        "tie_hint": "R11：说的完全一样才勾；左右随便选一边。",
        "reason": "例如：R4，左边的天数和资料卡不符。",
        "rank": "从好到差排序：最好的放第一",
    },
    "en": {
        "prompt": "The customer asks",
        "facts": "Card (it decides what is true; the customer does not see it)",
        "pair": "Which answer is better?",
        "tie": "Both are equally good",
        "tie_hint": "R11: only where both say the same; choose either side.",
        "reason": "For example: R4, the days on the left are not those of the card.",
        "rank": "Rank from best to worst: the best comes first",
    },
}


@dataclass
class Comparison:
    """Two answers to one question; ``left`` says which of them stands there."""

    entry: dict
    matter: int
    left: str

    @property
    def better(self) -> str:
        """The side of the better answer."""
        return self.side("better")

    def side(self, which: str) -> str:
        """Return on which side an answer stands."""
        return "left" if which == self.left else "right"

    def swapped(self) -> "Comparison":
        """Return the same comparison with its sides swapped."""
        return Comparison(self.entry, self.matter, other(self.left))


def other(which: str) -> str:
    """Return the other one of better and worse."""
    return "worse" if which == "better" else "better"


def read(name: str) -> dict:
    """Return one TOML file of the scenario."""
    return tomllib.loads((HERE / name).read_text(encoding="utf-8"))


def make_pairs(language: str, rng: random.Random) -> list[Comparison]:
    """Return the comparisons with their repetitions, mixed, the sides in balance."""
    entries = read(f"pairs.{language}.toml")["pairs"]
    sides = ["better", "worse"] * len(entries)
    sides = sides[: len(entries)]
    rng.shuffle(sides)
    made = [Comparison(entry, n, sides[n]) for n, entry in enumerate(entries)]
    made += [one.swapped() for one in made if one.entry.get("again")]
    rng.shuffle(made)
    while not far_apart(made):
        rng.shuffle(made)
    return made


def far_apart(pairs: Sequence[Comparison]) -> bool:
    """Say whether repetitions are far apart."""
    places = defaultdict(list)
    for place, one in enumerate(pairs):
        places[one.matter].append(place)
    twice = [found for found in places.values() if len(found) == 2]
    return all(second - first >= APART for first, second in twice)


def make_practice(language: str) -> list[tuple[Comparison, str]]:
    """Return the trial batch, and what a colleague took: first all, then again."""
    entries = read(f"pairs.{language}.toml")["trial"]
    made = [
        (Comparison(entry, n, entry["left"]), entry["side"])
        for n, entry in enumerate(entries)
    ]
    again = [(one, one.entry.get("again_side")) for one, _ in made]
    return made + [(one.swapped(), side) for one, side in again if side]


def pair_tasks(part: str, language: str, pairs: Sequence[Comparison]) -> list[Task]:
    """Return comparisons as tasks; a reason is asked for where a matter comes first."""
    ask, seen, tasks = read("scenario.toml")["ask"][language], set(), []
    for number, one in enumerate(pairs):
        wanted = one.entry.get("ask", False) and one.matter not in seen
        seen.add(one.matter)
        data = {
            "prompt": one.entry["prompt"],
            "facts": one.entry["facts"],
            "left": one.entry[one.left],
            "right": one.entry[other(one.left)],
            "ask": ask["yes" if wanted else "no"],
        }
        tasks.append(Task(FIRST_ID[part] + number, data))
    return tasks


def chosen(
    task: Task, one: Comparison, which: str, language: str
) -> tuple[Region, ...]:
    """Return the regions of a comparison; the reason where one is asked for."""
    side = "left" if one.side(which) == "left" else "right"
    regions: list[Region] = [Pair("better", side)]
    if one.entry.get("tie"):
        regions.append(Choice("tie", "prompt", ("tie",)))
    if task.data["ask"] == read("scenario.toml")["ask"][language]["yes"]:
        regions.append(Note("why", "prompt", one.entry["why"]))
    return tuple(regions)


def annotated(task: Task, regions: tuple[Region, ...], seconds: float) -> Annotated:
    """Return a task as the annotation page would save it, without a release."""
    when = {"created_at": MADE_AT, "updated_at": MADE_AT}
    return Annotated(task, regions, lead_time=round(seconds, 1), **when)


def write_pairs(out: Path, language: str, rng: random.Random) -> None:
    """Write the comparisons, their key, and what is known about each."""
    pairs = make_pairs(language, rng)
    tasks = pair_tasks("pairs", language, pairs)
    both = list(zip(tasks, pairs, strict=True))
    gold = [
        annotated(task, chosen(task, one, "better", language), rng.uniform(15, 60))
        for task, one in both
    ]
    rules, matters = defaultdict(list), defaultdict(list)
    for task, one in both:
        matters[one.matter].append(task.id)
        rules[one.entry.get("rule", "")].append(task.id)
    key = out / f"key/{language}"
    write(out / f"data/{language}/pairs.jsonl", tasks_text(tasks))
    write_key(key, "pairs", gold)
    groups = [found for found in matters.values() if len(found) == 2]
    write_facts(key / "groups.json", groups)
    names = sorted((name for name in rules if name), key=lambda rule: int(rule[1:]))
    write_facts(key / "rules.json", {name: rules[name] for name in names})


def write_rankings(out: Path, language: str, rng: random.Random) -> None:
    """Write the lists of answers, their key, and which answer is unsafe."""
    entries = read(f"rankings.{language}.toml")["rankings"]
    rng.shuffle(entries)
    tasks, gold, unsafe = [], [], {}
    for number, entry in enumerate(entries):
        names = list(NAMES[: len(entry["answers"])])
        # Nobody is right by leaving a list as it comes.
        while names == sorted(names):
            rng.shuffle(names)
        said = dict(zip(names, entry["answers"], strict=True))
        shown = [{"id": name, "body": said[name]} for name in sorted(names)]
        data = {"prompt": entry["prompt"], "facts": entry["facts"], "answers": shown}
        task = Task(FIRST_ID["rankings"] + number, data)
        order = (Ranking("rank", "answers", tuple(names)),)
        tasks.append(task)
        gold.append(annotated(task, order, rng.uniform(30, 90)))
        if entry.get("unsafe"):
            unsafe[str(task.id)] = names[-1]
    key = out / f"key/{language}"
    write(out / f"data/{language}/rankings.jsonl", tasks_text(tasks))
    write_key(key, "rankings", gold)
    write_facts(key / "unsafe.json", unsafe)


def write_practice(out: Path, language: str, rng: random.Random) -> None:
    """Write the trial batch, its answers with reasons, and a colleague's work."""
    made = make_practice(language)
    tasks = pair_tasks("practice", language, [one for one, _ in made])
    both = list(zip(tasks, made, strict=True))
    right = [
        annotated(task, chosen(task, one, "better", language), rng.uniform(10, 40))
        for task, (one, _) in both
    ]
    theirs = [
        annotated(task, chosen(task, one, side, language), rng.uniform(3, 9))
        for task, (one, side) in both
    ]
    data = out / f"data/{language}"
    write(data / "practice.jsonl", tasks_text(tasks))
    write(data / "colleague.jsonl", work_text(theirs))
    rows = [(task.id, one.better, *reason(one)) for task, (one, _) in both]
    write(data / "practice_answers.csv", table(("id", "better", "rule", "why"), rows))
    write(out / f"key/{language}/by_hand/practice_done.jsonl", work_text(right))


def reason(one: Comparison) -> tuple[str, str]:
    """Return the rule of a comparison, and why."""
    return one.entry["rule"], one.entry["why"]


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a CSV table."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([head, *rows])
    return stream.getvalue()


def tasks_text(tasks: Sequence[Task]) -> str:
    """Return the file of tasks that are not annotated."""
    lines = [{"id": task.id, "data": task.data} for task in tasks]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


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


def write_forms(out: Path, language: str) -> None:
    """Write the two labelling configurations."""
    said = {name: quoteattr(text) for name, text in WORDS[language].items()}
    head = [
        f'  <Header value={said["prompt"]} size="5"/>',
        '  <Text name="prompt" value="$prompt"/>',
        f'  <Header value={said["facts"]} size="5"/>',
        '  <Text name="facts" value="$facts"/>',
    ]
    pair = [
        f'  <Header value={said["pair"]} size="5"/>',
        '  <Text name="left" value="$left"/>',
        '  <Text name="right" value="$right"/>',
        '  <Pairwise name="better" toName="left,right" required="true"/>',
        '  <Choices name="tie" toName="prompt" choice="multiple">',
        f'    <Choice value={said["tie"]} alias="tie" hotkey="3"'
        f" hint={said['tie_hint']}/>",
        "  </Choices>",
        '  <Header value="$ask" size="5"/>',
        f'  <TextArea name="why" toName="prompt" rows="2"'
        f" placeholder={said['reason']}/>",
    ]
    rank = [
        f'  <Header value={said["rank"]} size="5"/>',
        '  <List name="answers" value="$answers"/>',
        '  <Ranker name="rank" toName="answers" required="true"/>',
    ]
    for name, body in (("pairs", pair), ("rankings", rank)):
        lines = ["<View>", *head, *body, "</View>"]
        write(out / f"data/{language}/{name}.xml", "\n".join(lines) + "\n")


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
        write_pairs(out, language, random.Random(seed))
        write_rankings(out, language, random.Random(seed + 10))
        write_practice(out, language, random.Random(seed + 20))
        write_forms(out, language)


if __name__ == "__main__":
    main()
