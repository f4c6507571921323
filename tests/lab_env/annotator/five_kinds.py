"""A lab of one task of each kind on the samples: its scenario is written here."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from samples import KINDS, LANGUAGES, draw_parts, labelling, tasks, words

from lab_env.annotations.annotated import Annotated, work_text
from lab_env.annotations.labelling import read_labelling
from lab_env.annotations.results import (
    Box,
    Choice,
    Note,
    Pair,
    Ranking,
    Region,
    Span,
    box_of_pixels,
)
from lab_env.annotations.tasks import Task
from lab_env.assemble import Content
from lab_env.lab import read_lab
from lab_env.scenario import read_scenario

LAB = Path(__file__).parent.parent.parent / "fixtures" / "five_kinds"
SCENARIO = """
name = "samples"
version = "1.0.0"

[title]
zh = "五种任务"
en = "Five kinds of task"

[brief]
zh = "留言、工单、照片和回答，各标一条。"
en = "A message, a note, a photograph and answers: one of each."

[[labels]]
code = "one"
zh = "一"
en = "One"
zh_line = "第一类"
en_line = "The first class"

[[labels]]
code = "two"
zh = "二"
en = "Two"
zh_line = "第二类"
en_line = "The second class"

[columns]
text = "text"
label = "label"

[curves.zh]
iou = { zero = 0.5, full = 0.8 }

[curves.en]
iou = { zero = 0.5, full = 0.8 }
"""


def content(folder: Path) -> Content:
    """Write the scenario into ``folder`` and return what a release is made of."""
    (folder / "scenario.toml").write_text(SCENARIO, "utf-8")
    shared = folder / "data" / "shared"
    shared.mkdir(parents=True)
    draw_parts(shared)
    for language in LANGUAGES:
        guideline = {"zh": "# 规范\n\n看清楚再标。\n", "en": "# Guideline\n\nLook.\n"}
        (folder / f"guideline.{language}.md").write_text(guideline[language], "utf-8")
        write_language(folder, language)
    scenario = read_scenario(folder / "scenario.toml")
    return Content(read_lab(LAB), scenario, folder, folder / "key")


def write_language(folder: Path, language: str) -> None:
    """Write tasks, configurations and the key of one language."""
    data, key = folder / "data" / language, folder / "key" / language
    by_hand = key / "by_hand"
    data.mkdir()
    by_hand.mkdir(parents=True)
    for kind in KINDS:
        form = labelling(kind, language)
        read_labelling(form)
        [task] = tasks(kind, language, 1)
        (data / f"{kind}.xml").write_text(form, "utf-8")
        line = json.dumps({"id": 1, "data": task}, ensure_ascii=False)
        (data / f"{kind}.jsonl").write_text(f"{line}\n", "utf-8")
        right = Annotated(Task(1, task), tuple(gold(kind, language, task)))
        for path in (key / f"gold_{kind}_done.jsonl", by_hand / f"{kind}_done.jsonl"):
            path.write_text(work_text([right]), "utf-8")


def gold(kind: str, language: str, task: dict[str, Any]) -> Iterator[Region]:
    """Yield the right answer of one task."""
    said = words(language)
    if kind == "choices":
        yield Choice("team", "text", (said["teams"][1],))
    elif kind == "spans":
        for place, name in enumerate(names(language)):
            yield span(task["text"], name, said["labels"][place])
    elif kind == "boxes":
        yield scratch(said["defects"][0])
    elif kind == "pair":
        yield Pair("pair", "right")
        yield Note("why", "text", "理由 why")
    else:
        yield Ranking("rank", "answers", ("c", "a", "b"))


def names(language: str) -> tuple[str, str]:
    """Return the person and the place in the note."""
    return {"zh": ("张伟", "北京"), "en": ("Zhang Wei", "Beijing")}[language]


def span(text: str, found: str, label: str) -> Span:
    """Return the span of words that occur once."""
    start = text.index(found)
    return Span("ner", "text", start, start + len(found), found, (label,))


def scratch(label: str) -> Box:
    """Return the box of the line in the picture."""
    return box_of_pixels("box", "image", (60, 80, 160, 160), (label,), (400, 320))
