"""The scenario assistant_answers: generated, keyed, carded, fit to be compared."""

import csv
import hashlib
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from lab_env.annotations.annotated import Annotated, Work, read_work
from lab_env.annotations.graded import notes
from lab_env.annotations.labelling import Labelling, read_labelling
from lab_env.annotations.preferences import (
    decision,
    left_share,
    longer_share,
    preferences,
    same_again_share,
)
from lab_env.annotations.results import Ranking
from lab_env.annotations.tasks import Task, check_tasks, read_tasks

FOLDER = Path(__file__).parents[2] / "datasets" / "assistant_answers"
SCENARIO = tomllib.loads((FOLDER / "scenario.toml").read_text("utf-8"))
CARD = (FOLDER / "README.md").read_text("utf-8")
HEADINGS = [
    "Source", "How it was made", "Licence", "Columns", "Splits and sizes",
    "Label scheme", "Known limits", "Baselines", "Checksums", "Versions",
]  # fmt: skip
RULES = [f"R{number}" for number in range(1, 12)]
both_languages = pytest.mark.parametrize("language", ["zh", "en"])


@cache
def tasks(language: str, part: str) -> tuple[list[Task], Labelling]:
    """Return the tasks of one part and what is asked about them."""
    data = FOLDER / "data" / language
    form = "rankings" if part == "rankings" else "pairs"
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


def sealed(language: str, name: str) -> Any:
    """Return one small file of the key."""
    return json.loads((FOLDER / "key" / language / name).read_text("utf-8"))


def made_files() -> list[Path]:
    """Return every data and key file, relative to the scenario."""
    found = [*FOLDER.glob("data/**/*.*"), *FOLDER.glob("key/**/*.*")]
    return sorted(path.relative_to(FOLDER) for path in found)


def orders(language: str) -> dict[int, tuple[Task, tuple[str, ...]]]:
    """Return each ranking's task and its right order."""
    items = gold(language, "rankings").items
    return {
        key: (item.task, region.order)
        for key, item in items.items()
        for region in item.regions
        if isinstance(region, Ranking)
    }


def test_generator_writes_the_committed_bytes(tmp_path: Path) -> None:
    """Running the generator again gives every file, byte for byte."""
    script = FOLDER / "generate.py"
    subprocess.run([sys.executable, script, "--out", tmp_path], check=True)
    made = [path.relative_to(tmp_path) for path in tmp_path.rglob("*.*")]
    assert sorted(made) == made_files()
    assert len(made_files()) == 30
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
@pytest.mark.parametrize("part", ["pairs", "rankings", "practice"])
def test_tasks_fit_their_configuration(language: str, part: str) -> None:
    """Every part has the size that scenario.toml states, and can be shown."""
    found, labelling = tasks(language, part)
    check_tasks(found, labelling, None)
    assert len(found) == SCENARIO["languages"][language][part]


@both_languages
@pytest.mark.parametrize("part", ["pairs", "rankings"])
def test_the_key_answers_every_task(language: str, part: str) -> None:
    """Gold has one annotation for each task, and the work of the hand is gold."""
    assert list(gold(language, part).done) == [t.id for t in tasks(language, part)[0]]
    hand = work(language, part, f"key/{language}/by_hand/{part}_done.jsonl")
    assert hand.items == gold(language, part).items


@both_languages
def test_each_rule_decides_a_comparison(language: str) -> None:
    """R1 to R11 decide one comparison at least each; two are decided by none."""
    rules = sealed(language, "rules.json")
    assert list(rules) == RULES
    ids = [one for found in rules.values() for one in found]
    assert len(ids) == len(set(ids)) == 27
    assert set(ids) < set(gold(language, "pairs").items)
    assert len(rules["R1"] + rules["R2"]) == 8
    assert len(rules["R11"]) == 3


@both_languages
def test_only_what_r11_decides_is_a_tie(language: str) -> None:
    """The key calls three comparisons equally good: those of R11."""
    ties = [k for k, i in gold(language, "pairs").items.items() if decision(i) == "tie"]
    assert ties == sorted(sealed(language, "rules.json")["R11"])


@both_languages
def test_swapped_pairs_are_swapped_and_stand_apart(language: str) -> None:
    """Four comparisons come twice, ten items apart at least, left against right."""
    data = {task.id: task.data for task in tasks(language, "pairs")[0]}
    groups = sealed(language, "groups.json")
    assert len(groups) == 4
    for first, again in groups:
        one, other = data[first], data[again]
        assert again - first >= 10
        assert (one["left"], one["right"]) == (other["right"], other["left"])
    prompts = [each["prompt"] for each in data.values()]
    assert len(set(prompts)) == 25


@both_languages
def test_no_habit_finds_the_key(language: str) -> None:
    """Left or right, longer or shorter: none is right in more than 60 of 100."""
    items = list(gold(language, "pairs").items.values())
    decided = [item for item in items if decision(item) != "tie"]
    found = preferences(decided, tasks(language, "pairs")[1])
    for share in (left_share(decided), longer_share(found)):
        assert 0.4 <= share <= 0.6


@both_languages
def test_the_better_answer_is_the_longer_one_as_often_in_both_languages(
    language: str,
) -> None:
    """Eight of the twenty comparisons under R1 to R10 have a longer better answer."""
    text = (FOLDER / f"pairs.{language}.toml").read_text("utf-8")
    pairs = [
        one for one in tomllib.loads(text)["pairs"] if one.get("rule", "R11") != "R11"
    ]
    assert len(pairs) == 20
    assert sum(len(one["better"]) > len(one["worse"]) for one in pairs) == 8


@both_languages
def test_eight_reasons_are_asked_for_and_name_a_rule(language: str) -> None:
    """Where a reason is asked for, the key's names a rule and is long enough."""
    asked = SCENARIO["ask"][language]["yes"]
    ids = {t.id for t in tasks(language, "pairs")[0] if t.data["ask"] == asked}
    written = notes(gold(language, "pairs"), "why")
    assert len(ids) == 8
    assert set(written) == ids
    for text in written.values():
        assert re.search(r"\bR\d", text), text
        assert len("".join(text.split())) >= SCENARIO["least_reason"][language]


@both_languages
def test_no_ranking_is_right_as_it_comes(language: str) -> None:
    """The lists make 36 pairs, and none comes in its right order."""
    found = orders(language).values()
    assert sum(len(list(combinations(order, 2))) for _, order in found) == 36
    for task, order in found:
        assert list(order) != [each["id"] for each in task.data["answers"]]


@both_languages
def test_unsafe_answers_stand_last_in_the_key(language: str) -> None:
    """Four lists have an unsafe answer, and the key has it last."""
    unsafe = sealed(language, "unsafe.json")
    assert len(unsafe) == 4
    for key, name in unsafe.items():
        assert orders(language)[int(key)][1][-1] == name


@both_languages
def test_the_colleague_has_the_habits_that_the_lab_asks_for(language: str) -> None:
    """Seven of eight on the left, six longer, one of two swapped pairs alike."""
    name = f"data/{language}/colleague.jsonl"
    items: list[Annotated] = list(work(language, "practice", name).done.values())
    found = preferences(items, tasks(language, "practice")[1])
    shares = (left_share(items), longer_share(found), same_again_share(found))
    assert shares == (0.875, 0.75, 0.5)


@both_languages
def test_the_trial_batch_gives_its_answers_with_a_rule(language: str) -> None:
    """The answers given out are those of the hand, and none is in the real batch."""
    text = (FOLDER / f"data/{language}/practice_answers.csv").read_text("utf-8")
    said = {int(row["id"]): row for row in csv.DictReader(text.splitlines())}
    hand = work(language, "practice", f"key/{language}/by_hand/practice_done.jsonl")
    assert {key: decision(item) for key, item in hand.done.items()} == {
        key: row["better"] for key, row in said.items()
    }
    assert {row["rule"] for row in said.values()} <= set(RULES)
    real = {task.data["prompt"] for task in tasks(language, "pairs")[0]}
    assert not real & {task.data["prompt"] for task in tasks(language, "practice")[0]}


@both_languages
def test_the_guideline_names_every_rule(language: str) -> None:
    """The guideline numbers its rules R1 to R11 and refers to no other."""
    text = (FOLDER / f"guideline.{language}.md").read_text("utf-8")
    stated = re.findall(r"^- \*\*(R\d+)", text, re.MULTILINE)
    assert stated == RULES
    assert set(re.findall(r"\bR\d+\b", text)) <= set(stated)


@both_languages
def test_curves_leave_room_for_a_careful_person_but_not_in_safety(
    language: str,
) -> None:
    """Every curve rises; only safety, consistency and the export ask for everything."""
    whole = {"safety", "unsafe_last", "consistency", "export"}
    for name, ends in SCENARIO["curves"][language].items():
        assert 0 <= ends["zero"] < ends["full"] <= 1
        assert (ends["full"] == 1) == (name in whole)
