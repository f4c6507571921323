"""Facts about the scenario label_review: its bytes, its annotators, its key, its card."""

import csv
import hashlib
import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lab_env.annotations.annotated import Work, read_work
from lab_env.annotations.labelling import Labelling, read_labelling
from lab_env.annotations.results import Choice
from lab_env.annotations.sampling import sample_size
from lab_env.annotations.tasks import Task, check_tasks, read_tasks

FOLDER = Path(__file__).parents[2] / "datasets" / "label_review"
SCENARIO = tomllib.loads((FOLDER / "scenario.toml").read_text("utf-8"))
CODES = [label["code"] for label in SCENARIO["labels"]]
TYPES = [entity["code"] for entity in SCENARIO["entities"]]
CARD = (FOLDER / "README.md").read_text("utf-8")
HEADINGS = [
    "Source", "How it was made", "Licence", "Columns", "Splits and sizes",
    "Label scheme", "Known limits", "Baselines", "Checksums", "Versions",
]  # fmt: skip
both_languages = pytest.mark.parametrize("language", ["zh", "en"])
Rows = list[dict[str, str]]


@cache
def table(language: str, name: str) -> Rows:
    """Return the rows of one released table."""
    path = FOLDER / "data" / language / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@cache
def disputed(language: str) -> tuple[list[Task], Labelling]:
    """Return the disputed messages and what is asked about them."""
    data = FOLDER / "data" / language
    labelling = read_labelling((data / "disputed.xml").read_text("utf-8"))
    return read_tasks(data / "disputed.jsonl"), labelling


def work(language: str, name: str) -> Work:
    """Return one file of decisions, which must have nothing wrong."""
    text = (FOLDER / "key" / language / name).read_text("utf-8")
    found = read_work(text, name, *disputed(language))
    found.refuse_findings()
    return found


def right(language: str) -> dict[str, str]:
    """Return the right label of each disputed message."""
    items = work(language, "gold_disputed.jsonl").items
    regions = {str(key): item.regions[0] for key, item in items.items()}
    return {
        key: one.codes[0] for key, one in regions.items() if isinstance(one, Choice)
    }


def findings(language: str) -> Any:
    """Return what is to be found in the labels."""
    path = FOLDER / "key" / language / "findings.json"
    return json.loads(path.read_text("utf-8"))


def made_files() -> list[Path]:
    """Return every data and key file, relative to the scenario."""
    found = [*FOLDER.glob("data/**/*.*"), *FOLDER.glob("key/**/*.*")]
    return sorted(path.relative_to(FOLDER) for path in found)


def test_generator_writes_the_committed_bytes(tmp_path: Path) -> None:
    """Running the generator again gives every file, byte for byte."""
    script = FOLDER / "generate.py"
    subprocess.run([sys.executable, script, "--out", tmp_path], check=True)
    made = [path.relative_to(tmp_path) for path in tmp_path.rglob("*.*")]
    assert sorted(made) == made_files()
    assert len(made_files()) == 24
    for path in made_files():
        assert (tmp_path / path).read_bytes() == (FOLDER / path).read_bytes(), path


def test_card_has_its_headings() -> None:
    """The dataset card has every section a reader looks for, in order."""
    assert re.findall(r"^## (.+)$", CARD, re.MULTILINE) == HEADINGS


def test_card_checksums_hold() -> None:
    """The card lists every made file with its true sha256."""
    listed = dict(re.findall(r"`((?:data|key)/\S+)` \| `([0-9a-f]{64})`", CARD))
    assert listed == {
        str(path): hashlib.sha256((FOLDER / path).read_bytes()).hexdigest()
        for path in made_files()
    }


@both_languages
def test_tables_have_the_sizes_of_the_scenario(language: str) -> None:
    """Messages, disputed ones, tickets and inspected labels are as many as stated."""
    sizes = SCENARIO["languages"][language]
    assert len(table(language, "labels")) == sizes["messages"]
    assert len(disputed(language)[0]) == sizes["disputed"]
    assert len(table(language, "tickets")) == sizes["tickets"]
    assert len(table(language, "inspection")) == sizes["inspection"]
    assert len(table(language, "spans")) == 157


@both_languages
def test_no_two_messages_are_the_same(language: str) -> None:
    """Each text stands there once, so that no two labels of one text are at odds."""
    texts = [row["text"] for row in table(language, "labels")]
    assert len(set(texts)) == len(texts)


@both_languages
def test_disputed_tasks_fit_configuration_and_labels(language: str) -> None:
    """The tasks are just the messages on which A and B differ, with their text."""
    tasks, labelling = disputed(language)
    check_tasks(tasks, labelling, None)
    differing = [row for row in table(language, "labels") if row["a"] != row["b"]]
    texts = {str(task.id): task.data["text"] for task in tasks}
    assert texts == {row["id"]: row["text"] for row in differing}
    assert list(labelling.control("label").codes) == CODES


@both_languages
def test_the_key_decides_every_disputed_message(language: str) -> None:
    """Gold has one label of the scheme for each, and the work of the hand is gold."""
    ids = {str(task.id) for task in disputed(language)[0]}
    assert set(right(language)) == ids
    assert set(right(language).values()) <= set(CODES)
    hand = work(language, "by_hand/adjudicated.jsonl")
    assert hand.items == work(language, "gold_disputed.jsonl").items


@both_languages
def test_neither_side_is_right_more_often(language: str) -> None:
    """A and B are right in 15 of the 30 each, and somebody always is."""
    rows = {row["id"]: row for row in table(language, "labels")}
    by = Counter(
        who
        for key, label in right(language).items()
        for who in "ab"
        if rows[key][who] == label
    )
    assert by == {"a": 15, "b": 15}


@both_languages
def test_one_pair_of_classes_stands_out(language: str) -> None:
    """A says property and B waste 22 times; no other mix-up comes more than thrice."""
    pairs = Counter((row["a"], row["b"]) for row in table(language, "labels"))
    apart = {pair: count for pair, count in pairs.items() if pair[0] != pair[1]}
    assert apart.pop(("property", "waste")) == 22
    assert max(apart.values()) <= 3


@both_languages
def test_the_reply_decides_that_pair_both_ways(language: str) -> None:
    """Of the 22 messages that the reply decides, 11 go to each of the two classes."""
    answered = map(str, findings(language)["answered"])
    counts = Counter(right(language)[key] for key in answered)
    assert counts == {"waste": 11, "property": 11}


@both_languages
def test_c_alone_breaks_the_clear_rule(language: str) -> None:
    """C calls six messages about noise property; A and B never do."""
    noise = [
        row for row in table(language, "labels") if row["a"] == row["b"] == "noise"
    ]
    assert sum(row["c"] == "property" for row in noise) == 6
    facts = findings(language)
    named = facts["unclear_rule"], facts["annotator"], facts["broken_rule"]
    assert named == ("R4", "c", "R5")


@both_languages
def test_c_left_24_messages_out(language: str) -> None:
    """A and B labelled all messages, C 84 of 108."""
    rows = table(language, "labels")
    missing = [sum(not row[who] for row in rows) for who in "abc"]
    assert missing == [0, 0, 24]


@both_languages
def test_spans_lie_where_they_say(language: str) -> None:
    """The words of each span are those at its offsets, and its type is known."""
    texts = {row["id"]: row["text"] for row in table(language, "tickets")}
    for row in table(language, "spans"):
        found = texts[row["ticket"]][int(row["start"]) : int(row["end"])]
        assert found == row["words"] == found.strip()
        assert row["type"] in TYPES


@both_languages
def test_problems_differ_in_their_ends_alone(language: str) -> None:
    """B's problem lies within A's in all tickets, and is shorter in 16 of 20."""
    ends: dict[str, dict[str, tuple[int, int]]] = {}
    for row in table(language, "spans"):
        if row["type"] == "problem":
            place = int(row["start"]), int(row["end"])
            ends.setdefault(row["ticket"], {})[row["annotator"]] = place
    assert len(ends) == 20
    assert all(e["a"][0] <= e["b"][0] and e["a"][1] == e["b"][1] for e in ends.values())
    assert sum(each["a"] != each["b"] for each in ends.values()) == 16


@both_languages
def test_the_plan_asks_for_88_and_rejects(language: str) -> None:
    """Of the first 88 labels seven are wrong, five of them C's; one is allowed."""
    path = FOLDER / "data" / language / "plan.json"
    plan = json.loads(path.read_text("utf-8"))
    assert plan == SCENARIO["acceptance"]
    facts = plan["lot"], plan["tolerated_rate"], plan["confidence"], plan["allowed"]
    size = sample_size(*facts)
    assert size == 88
    rows = table(language, "inspection")
    wrong = [row for row in rows if row["label"] != row["checked"]]
    by = Counter(row["annotator"] for row in wrong if int(row["place"]) <= size)
    assert by == {"a": 1, "b": 1, "c": 5}
    assert len(wrong) == 10


@both_languages
def test_the_guideline_leaves_open_what_the_reply_settles(language: str) -> None:
    """The guideline numbers its rules; the reply does not say which one was unclear."""
    text = (FOLDER / f"guideline.{language}.md").read_text("utf-8")
    stated = re.findall(r"\*\*([RS]\d+)", text)
    assert stated == [*(f"R{n}" for n in range(1, 8)), *(f"S{n}" for n in range(1, 5))]
    for entry in [*SCENARIO["labels"], *SCENARIO["entities"]]:
        assert f"`{entry['code']}`" in text
    reply = (FOLDER / f"reply.{language}.md").read_text("utf-8")
    assert not {"R4", "S4"} & set(re.findall(r"[RS]\d", reply))
    both = FOLDER / "data" / language / "guideline_with_reply.md"
    assert both.read_text("utf-8") == f"{reply}\n{text}"


@both_languages
def test_curves_begin_above_one_side(language: str) -> None:
    """Taking one side throughout, right in half, gives nothing on either curve."""
    for ends in SCENARIO["curves"][language].values():
        assert 0.5 < ends["zero"] < ends["full"] < 1
