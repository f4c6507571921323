"""Facts about the scenario field_service: its bytes, its key, its guideline, its card."""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lab_env.annotations.annotated import Work, read_work
from lab_env.annotations.labelling import Labelling, read_labelling
from lab_env.annotations.results import Choice, Span
from lab_env.annotations.tasks import Task, check_tasks, read_tasks

FOLDER = Path(__file__).parents[2] / "datasets" / "field_service"
SCENARIO = tomllib.loads((FOLDER / "scenario.toml").read_text("utf-8"))
CODES = [label["code"] for label in SCENARIO["labels"]]
TYPES = [entity["code"] for entity in SCENARIO["entities"]]
CARD = (FOLDER / "README.md").read_text("utf-8")
HEADINGS = [
    "Source", "How it was made", "Licence", "Columns", "Splits and sizes",
    "Label scheme", "Known limits", "Baselines", "Checksums", "Versions",
]  # fmt: skip
RULES = [f"R{number}" for number in range(1, 11)]
SPAN_RULES = [f"S{number}" for number in range(1, 9)]
both_languages = pytest.mark.parametrize("language", ["zh", "en"])


@cache
def tasks(language: str, part: str) -> tuple[list[Task], Labelling]:
    """Return the tasks of one part and what is asked about them."""
    data = FOLDER / "data" / language
    form = "orders" if part == "orders" else "messages"
    labelling = read_labelling((data / f"{form}.xml").read_text("utf-8"))
    return read_tasks(data / f"{part}.jsonl"), labelling


@cache
def work(language: str, part: str, name: str) -> Work:
    """Return one file of annotated tasks, which must have nothing wrong."""
    text = (FOLDER / name).read_text("utf-8")
    found = read_work(text, name, *tasks(language, part))
    found.refuse_findings()
    return found


def gold(language: str, part: str) -> Work:
    """Return the key of one part."""
    return work(language, part, f"key/{language}/gold_{part}.jsonl")


def labels(language: str) -> dict[int, str]:
    """Return the right label of each message."""
    items = gold(language, "messages").items
    regions = {key: item.regions[0] for key, item in items.items()}
    return {
        key: one.codes[0] for key, one in regions.items() if isinstance(one, Choice)
    }


def spans(language: str) -> dict[int, list[Span]]:
    """Return the right spans of each work order, in the order of the text."""
    items = gold(language, "orders").items
    return {
        key: sorted(
            (one for one in item.regions if isinstance(one, Span)),
            key=lambda one: one.start,
        )
        for key, item in items.items()
    }


def sealed(language: str, name: str) -> Any:
    """Return one small file of the key."""
    return json.loads((FOLDER / "key" / language / name).read_text("utf-8"))


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
    assert len(made_files()) == 26
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
@pytest.mark.parametrize("part", ["messages", "orders", "trial"])
def test_tasks_fit_their_configuration(language: str, part: str) -> None:
    """Every part has the size that scenario.toml states, and can be shown."""
    found, labelling = tasks(language, part)
    check_tasks(found, labelling, None)
    assert len(found) == SCENARIO["languages"][language][part]
    assert {tuple(task.data) for task in found} == {("text",)}


@both_languages
def test_configurations_have_the_codes_of_the_scenario(language: str) -> None:
    """The choices and types on the screen are those of scenario.toml, in order."""
    assert list(tasks(language, "messages")[1].control("label").codes) == CODES
    assert list(tasks(language, "orders")[1].control("spans").codes) == TYPES


@both_languages
@pytest.mark.parametrize("part", ["messages", "orders"])
def test_the_key_answers_every_task(language: str, part: str) -> None:
    """Gold has one annotation for each task, and the work of the hand is gold."""
    assert list(gold(language, part).done) == [t.id for t in tasks(language, part)[0]]
    hand = work(language, part, f"key/{language}/by_hand/{part}_done.jsonl")
    assert hand.items == gold(language, part).items


@both_languages
def test_every_class_occurs_and_none_is_half(language: str) -> None:
    """Each of the eight classes has four messages at least, and none more than 13."""
    counts = Counter(labels(language).values())
    assert set(counts) == set(CODES)
    assert min(counts.values()) >= 4
    assert max(counts.values()) <= 13


@both_languages
def test_repeated_matters_have_one_label_and_stand_apart(language: str) -> None:
    """Six matters come twice, 15 items apart at least, two of them in the same words."""
    texts = {task.id: task.data["text"] for task in tasks(language, "messages")[0]}
    groups = sealed(language, "groups.json")
    assert len(groups) == 6
    for first, second in groups:
        assert labels(language)[first] == labels(language)[second]
        assert second - first >= 15
    assert sum(texts[a] == texts[b] for a, b in groups) == 2
    assert len(set(texts.values())) == 58


@both_languages
def test_each_rule_decides_two_messages_at_least(language: str) -> None:
    """The rules R1 to R10 decide at least two messages each; no message twice."""
    decided = sealed(language, "decided.json")
    assert list(decided) == RULES
    assert all(len(found) >= 2 for found in decided.values())
    ids = [one for found in decided.values() for one in found]
    assert len(ids) == len(set(ids)) == 27
    assert set(ids) <= set(labels(language))


@both_languages
def test_decided_messages_pull_both_ways(language: str) -> None:
    """A rule about a border decides for more than one class where it has two sides."""
    right, decided = labels(language), sealed(language, "decided.json")
    for rule in ("R2", "R3", "R5", "R6", "R7", "R9", "R10"):
        assert len({right[one] for one in decided[rule]}) == 2, rule


@both_languages
def test_spans_do_not_overlap_and_touch_no_mark(language: str) -> None:
    """Spans have words at both ends, one type each, and no character in common."""
    for key, found in spans(language).items():
        assert len(found) >= 4, key
        for one, after in pairwise(found):
            assert one.end <= after.start, key
        for one in found:
            assert one.text[0].isalnum(), one
            assert one.text[-1].isalnum(), one
            assert len(one.codes) == 1


@both_languages
def test_every_type_is_common(language: str) -> None:
    """Each type has 24 spans at least, so one slip does not move its score far."""
    counts = Counter(
        one.codes[0] for found in spans(language).values() for one in found
    )
    assert set(counts) == set(TYPES)
    assert min(counts.values()) >= 24


@both_languages
def test_traps_lie_beside_the_spans(language: str) -> None:
    """What the guideline excludes stands in the text and is no part of a span."""
    texts = {task.id: task.data["text"] for task in tasks(language, "orders")[0]}
    traps = sealed(language, "traps.json")
    assert sum(map(len, traps.values())) >= 20
    for key, places in traps.items():
        for start, end in places:
            assert 0 <= start < end <= len(texts[int(key)])
            free = [s.end <= start or s.start >= end for s in spans(language)[int(key)]]
            assert all(free), key


@both_languages
def test_the_trial_batch_has_what_the_lab_asks_for(language: str) -> None:
    """The colleague skipped two of twelve items and never opened one."""
    found = work(language, "trial", f"data/{language}/trial_done.jsonl")
    assert (len(found.items), len(found.done)) == (11, 9)
    texts = {task.data["text"] for task in tasks(language, "messages")[0]}
    assert not texts & {item.task.data["text"] for item in found.items.values()}


@both_languages
def test_the_guideline_names_every_class_and_rule(language: str) -> None:
    """The guideline names each label in words and code, and numbers its rules."""
    text = (FOLDER / f"guideline.{language}.md").read_text("utf-8")
    for entry in [*SCENARIO["labels"], *SCENARIO["entities"]]:
        assert f"`{entry['code']}`" in text
        assert entry[language] in text
    stated = re.findall(r"\*\*([RS]\d+)", text)
    assert stated == [*RULES, *SPAN_RULES]
    assert set(re.findall(r"\b[RS]\d+\b", text)) <= set(stated)


@both_languages
def test_curves_leave_room_for_a_careful_person(language: str) -> None:
    """Every curve rises, and only consistency asks for everything."""
    for name, ends in SCENARIO["curves"][language].items():
        assert 0 <= ends["zero"] < ends["full"] <= 1
        assert (ends["full"] < 1) == (name != "consistency")
