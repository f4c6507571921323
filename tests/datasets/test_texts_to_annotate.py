"""Facts about the texts that annotation_text gets: bytes, key, guideline, card."""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lab_env.annotations.annotated import Work, read_work
from lab_env.annotations.labelling import Labelling, read_labelling
from lab_env.annotations.results import Choice, Span
from lab_env.annotations.tasks import Task, check_tasks, read_tasks
from lab_env.lab import load_lab
from lab_env.lab_files import guideline_text

DATASETS = Path(__file__).parents[2] / "datasets"
LAB = load_lab("annotation_text")
SIZES = {"messages": 60, "orders": 25, "trial": 12}
HEADINGS = [
    "Source", "How it was made", "Licence", "Columns", "Splits and sizes",
    "Label scheme", "Known limits", "Baselines", "Checksums", "Versions",
]  # fmt: skip
CURVES = (
    *("accuracy", "label_macro_f1", "decided", "consistency"),
    *("exact_f1", "relaxed_f1", "weakest_type", "traps"),
)
SPAN_RULES = [f"S{number}" for number in range(1, 9)]


@dataclass(frozen=True)
class Texts:
    """Messages and work orders of one scenario, and the rules that decide them.

    ``own`` is the folder of the lab in the scenario, where the scenario has more.
    """

    name: str
    letter: str
    rules: int
    one_sided: tuple[str, ...]
    decided: int
    own: str = ""

    @property
    def scenario(self) -> Path:
        """The folder of the scenario."""
        return DATASETS / self.name

    @property
    def bank(self) -> Path:
        """Where the phrases stand, the generator and the card."""
        return self.scenario / self.own

    @property
    def facts(self) -> dict[str, Any]:
        """What scenario.toml says."""
        return tomllib.loads((self.scenario / "scenario.toml").read_text("utf-8"))

    @property
    def card(self) -> str:
        """The dataset card."""
        return (self.bank / "README.md").read_text("utf-8")

    @property
    def codes(self) -> list[str]:
        """The codes of the labels."""
        return [label["code"] for label in self.facts["labels"]]

    @property
    def types(self) -> list[str]:
        """The types of the spans."""
        return [entity["code"] for entity in self.facts["entities"]]

    @property
    def rule_names(self) -> list[str]:
        """The rules about labels."""
        return [f"{self.letter}{number}" for number in range(1, self.rules + 1)]

    def folder(self, kind: str, language: str) -> Path:
        """Return where data or key of one language lie."""
        return self.scenario / kind / language / self.own

    def made_files(self) -> list[Path]:
        """Return every data and key file, relative to the scenario."""
        folders = [
            self.folder(k, language)
            for k in ("data", "key")
            for language in ("zh", "en")
        ]
        found = [path for folder in folders for path in folder.rglob("*.*")]
        return sorted(path.relative_to(self.scenario) for path in found)


ALL = (
    Texts("field_service", "R", 10, ("R1", "R4", "R8"), 27),
    Texts("customer_service", "G", 14, ("G7", "G8"), 33, LAB.name),
    Texts("city_hotline", "G", 15, ("G8", "G10"), 33, LAB.name),
)
both_languages = pytest.mark.parametrize("language", ["zh", "en"])


@pytest.fixture(params=ALL, ids=lambda texts: texts.name)
def texts(request: pytest.FixtureRequest) -> Texts:
    """The texts of each scenario that has some."""
    found: Texts = request.param
    return found


@cache
def tasks(texts: Texts, language: str, part: str) -> tuple[list[Task], Labelling]:
    """Return the tasks of one part and what is asked about them."""
    data = texts.folder("data", language)
    form = "orders" if part == "orders" else "messages"
    labelling = read_labelling((data / f"{form}.xml").read_text("utf-8"))
    return read_tasks(data / f"{part}.jsonl"), labelling


@cache
def work(texts: Texts, language: str, part: str, path: Path) -> Work:
    """Return one file of annotated tasks, which must have nothing wrong."""
    text = path.read_text("utf-8")
    found = read_work(text, path.name, *tasks(texts, language, part))
    found.refuse_findings()
    return found


def gold(texts: Texts, language: str, part: str) -> Work:
    """Return the key of one part."""
    path = texts.folder("key", language) / f"gold_{part}.jsonl"
    return work(texts, language, part, path)


def labels(texts: Texts, language: str) -> dict[int, str]:
    """Return the right label of each message."""
    items = gold(texts, language, "messages").items
    regions = {key: item.regions[0] for key, item in items.items()}
    return {
        key: one.codes[0] for key, one in regions.items() if isinstance(one, Choice)
    }


def spans(texts: Texts, language: str) -> dict[int, list[Span]]:
    """Return the right spans of each work order, in the order of the text."""
    items = gold(texts, language, "orders").items
    return {
        key: sorted(
            (one for one in item.regions if isinstance(one, Span)),
            key=lambda one: one.start,
        )
        for key, item in items.items()
    }


def sealed(texts: Texts, language: str, name: str) -> Any:
    """Return one small file of the key."""
    return json.loads((texts.folder("key", language) / name).read_text("utf-8"))


def test_generator_writes_the_committed_bytes(texts: Texts, tmp_path: Path) -> None:
    """Running the generator again gives every file, byte for byte."""
    script = texts.bank / "generate.py"
    subprocess.run([sys.executable, script, "--out", tmp_path], check=True)
    made = [path.relative_to(tmp_path) for path in tmp_path.rglob("*.*")]
    assert sorted(made) == texts.made_files()
    assert len(made) == 26
    for path in made:
        written = (tmp_path / path).read_bytes()
        assert written == (texts.scenario / path).read_bytes(), path


def test_card_has_its_headings(texts: Texts) -> None:
    """The dataset card has every section a reader looks for, in order."""
    assert re.findall(r"^## (.+)$", texts.card, re.MULTILINE) == HEADINGS


def test_card_checksums_hold(texts: Texts) -> None:
    """The card lists every made file with its true sha256."""
    listed = dict(re.findall(r"`((?:data|key)/\S+)` \| `([0-9a-f]{64})`", texts.card))
    assert listed == {
        str(path): hashlib.sha256((texts.scenario / path).read_bytes()).hexdigest()
        for path in texts.made_files()
    }


@both_languages
@pytest.mark.parametrize("part", ["messages", "orders", "trial"])
def test_tasks_fit_their_configuration(texts: Texts, language: str, part: str) -> None:
    """Every part has the size that the lab states, and can be shown."""
    found, labelling = tasks(texts, language, part)
    check_tasks(found, labelling, None)
    assert len(found) == SIZES[part]
    assert {tuple(task.data) for task in found} == {("text",)}


@both_languages
def test_configurations_have_the_codes_of_the_scenario(
    texts: Texts, language: str
) -> None:
    """The choices and types on the screen are those of scenario.toml, in order."""
    assert (
        list(tasks(texts, language, "messages")[1].control("label").codes)
        == texts.codes
    )
    assert (
        list(tasks(texts, language, "orders")[1].control("spans").codes) == texts.types
    )


@both_languages
@pytest.mark.parametrize("part", ["messages", "orders"])
def test_the_key_answers_every_task(texts: Texts, language: str, part: str) -> None:
    """Gold has one annotation for each task, and the work of the hand is gold."""
    assert list(gold(texts, language, part).done) == [
        t.id for t in tasks(texts, language, part)[0]
    ]
    path = texts.folder("key", language) / f"by_hand/{part}_done.jsonl"
    hand = work(texts, language, part, path)
    assert hand.items == gold(texts, language, part).items


@both_languages
def test_every_class_occurs_and_none_is_half(texts: Texts, language: str) -> None:
    """Each class has four messages at least, and none more than 13."""
    counts = Counter(labels(texts, language).values())
    assert set(counts) == set(texts.codes)
    assert min(counts.values()) >= 4
    assert max(counts.values()) <= 13


@both_languages
def test_repeated_matters_have_one_label_and_stand_apart(
    texts: Texts, language: str
) -> None:
    """Six matters come twice, 15 items apart at least, two of them in the same words."""
    found = tasks(texts, language, "messages")[0]
    shown = {task.id: task.data["text"] for task in found}
    groups = sealed(texts, language, "groups.json")
    assert len(groups) == 6
    for first, second in groups:
        assert labels(texts, language)[first] == labels(texts, language)[second]
        assert second - first >= 15
    assert sum(shown[a] == shown[b] for a, b in groups) == 2
    assert len(set(shown.values())) == 58


@both_languages
def test_each_rule_decides_two_messages_at_least(texts: Texts, language: str) -> None:
    """Every rule decides at least two messages; no message has two."""
    decided = sealed(texts, language, "decided.json")
    assert list(decided) == texts.rule_names
    assert all(len(found) >= 2 for found in decided.values())
    ids = [one for found in decided.values() for one in found]
    assert len(ids) == len(set(ids)) == texts.decided
    assert set(ids) <= set(labels(texts, language))


@both_languages
def test_decided_messages_pull_both_ways(texts: Texts, language: str) -> None:
    """A rule about a border decides for more than one class where it has two sides."""
    right, decided = labels(texts, language), sealed(texts, language, "decided.json")
    for rule in set(texts.rule_names) - set(texts.one_sided):
        assert len({right[one] for one in decided[rule]}) >= 2, rule


@both_languages
def test_spans_do_not_overlap_and_touch_no_mark(texts: Texts, language: str) -> None:
    """Spans have words at both ends, one type each, and no character in common."""
    for key, found in spans(texts, language).items():
        assert len(found) >= 4, key
        for one, after in pairwise(found):
            assert one.end <= after.start, key
        for one in found:
            assert one.text[0].isalnum(), one
            assert one.text[-1].isalnum(), one
            assert len(one.codes) == 1


@both_languages
def test_every_type_is_common(texts: Texts, language: str) -> None:
    """Each type has 24 spans at least, so one slip does not move its score far."""
    counts = Counter(
        one.codes[0] for found in spans(texts, language).values() for one in found
    )
    assert set(counts) == set(texts.types)
    assert min(counts.values()) >= 24


@both_languages
def test_traps_lie_beside_the_spans(texts: Texts, language: str) -> None:
    """What the guideline excludes stands in the text and is no part of a span."""
    found = tasks(texts, language, "orders")[0]
    shown = {task.id: task.data["text"] for task in found}
    traps = sealed(texts, language, "traps.json")
    assert sum(map(len, traps.values())) >= 20
    for key, places in traps.items():
        for start, end in places:
            assert 0 <= start < end <= len(shown[int(key)])
            free = [
                s.end <= start or s.start >= end
                for s in spans(texts, language)[int(key)]
            ]
            assert all(free), key


@both_languages
def test_the_trial_batch_has_what_the_lab_asks_for(texts: Texts, language: str) -> None:
    """The colleague skipped two of twelve items and never opened one."""
    path = texts.folder("data", language) / "trial_done.jsonl"
    found = work(texts, language, "trial", path)
    assert (len(found.items), len(found.done)) == (11, 9)
    shown = {task.data["text"] for task in tasks(texts, language, "messages")[0]}
    assert not shown & {item.task.data["text"] for item in found.items.values()}


@both_languages
def test_the_guideline_names_every_class_and_rule(texts: Texts, language: str) -> None:
    """The guideline names each label in words and code, and numbers its rules."""
    text = guideline_text(texts.scenario, LAB, language)
    for entry in [*texts.facts["labels"], *texts.facts["entities"]]:
        assert f"`{entry['code']}`" in text
        assert entry[language] in text
    stated = re.findall(rf"\*\*([{texts.letter}S]\d+)", text)
    assert sorted(stated) == sorted([*texts.rule_names, *SPAN_RULES])
    assert set(re.findall(rf"\b[{texts.letter}S]\d+\b", text)) <= set(stated)


@both_languages
def test_the_lab_names_first_and_last_rule(texts: Texts, language: str) -> None:
    """What the notebook tells to read are the rules that there are."""
    rules = {name: said[language] for name, said in texts.facts["rules"].items()}
    for name, numbered in (("labels", texts.rule_names), ("entities", SPAN_RULES)):
        assert re.findall(r"[A-Z]\d+", rules[name]) == [numbered[0], numbered[-1]]


@both_languages
def test_curves_leave_room_for_a_careful_person(texts: Texts, language: str) -> None:
    """Every curve rises, and only consistency asks for everything."""
    curves = texts.facts["curves"][language]
    for name in CURVES:
        ends = curves[name]
        assert 0 <= ends["zero"] < ends["full"] <= 1
        assert (ends["full"] < 1) == (name != "consistency")
