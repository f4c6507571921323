"""The file of annotated tasks: one Label Studio task a line.

A line is read strictly and on its own: one that is wrong is a ``Finding`` and counts as
not done, and the others still count.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from lab_env.annotations.labelling import Labelling
from lab_env.annotations.reading import is_whole, read_result, refuse, shorten
from lab_env.annotations.results import Region, region_json
from lab_env.annotations.tasks import Task
from lab_env.checks import Finding, NotAttempted, Text

MAX_FINDINGS = 20
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z")


@dataclass(frozen=True)
class Annotated:
    """One task as one annotator left it."""

    task: Task
    regions: tuple[Region, ...]
    skipped: bool = False
    annotator: str = ""
    # The release that the file was made in: another one's file is not taken.
    release: str = ""
    # Seconds, as the widget counted them: a hint and no proof.
    lead_time: float = 0.0
    created_at: str = ""
    updated_at: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the task as Label Studio imports it."""
        regions = enumerate(self.regions, 1)
        annotation = {
            "id": self.task.id,
            "result": [region_json(region, place) for place, region in regions],
            "was_cancelled": self.skipped,
            "ground_truth": False,
            "lead_time": self.lead_time,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }
        # Label Studio refuses a completed_by that is no user of it: the name is ours.
        meta = {"annotator": self.annotator, "release": self.release}
        data = dict(self.task.data)
        head = {"id": self.task.id, "data": data, "meta": meta}
        return {**head, "annotations": [annotation]}

    def as_line(self) -> str:
        """Return the task as one line, with its line end."""
        compact = (",", ":")
        facts = self.as_json()
        text = json.dumps(
            facts, ensure_ascii=False, allow_nan=False, separators=compact
        )
        return text + "\n"


@dataclass(frozen=True)
class Work:
    """All lines of one file: what is right by task id, and what was wrong."""

    items: Mapping[int, Annotated]
    findings: tuple[Finding, ...] = ()

    def refuse_findings(self) -> None:
        """Raise the first thing wrong, if any."""
        for finding in self.findings:
            raise finding

    @property
    def done(self) -> dict[int, Annotated]:
        """The tasks that were annotated and not skipped."""
        return {key: item for key, item in self.items.items() if not item.skipped}


def read_work(
    text: str, name: str, tasks: Sequence[Task], labelling: Labelling
) -> Work:
    """Return the annotated tasks of a file ``name``; none at all is NotAttempted."""
    known = {task.id: task for task in tasks}
    items: dict[int, Annotated] = {}
    findings: list[Finding] = []
    lines = enumerate(text.split("\n"), 1)
    written = [(number, line) for number, line in lines if line.strip()]
    for number, line in written[: 2 * len(known) + MAX_FINDINGS]:
        if len(findings) >= MAX_FINDINGS:
            break
        place = Text(f"{name} 第 {number} 行：", f"{name}, line {number}: ")
        try:
            item = _read_line(line, place, known, labelling)
            if item.task.id in items:
                twice = item.task.id
                refuse(place, f"任务 {twice} 出现两次", f"task {twice} twice")
            items[item.task.id] = item
        except Finding as finding:
            findings.append(finding)
    if not items and not findings:
        zh = f"{name} 里还没有标注。请在标注界面里标注并提交。"
        en = f"{name} holds no annotation yet. Annotate in the widget and submit."
        raise NotAttempted(Text(zh, en))
    return Work(items, tuple(findings))


def work_text(items: Iterable[Annotated]) -> str:
    """Return the file of these annotated tasks, in their order."""
    return "".join(item.as_line() for item in items)


def read_annotations(
    raw: Mapping[str, Any], task: Task, labelling: Labelling, place: Text
) -> list[Annotated]:
    """Return every annotation of one Label Studio task."""
    found = raw.get("annotations")
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        seen = shorten(found)
        refuse(place, f"annotations 是 {seen}", f"annotations is {seen}")
    return [_annotation(each, raw, task, labelling, place) for each in found]


def parse(line: str, place: Text) -> dict[str, Any]:
    """Return one line's JSON object; no key twice, every number finite."""
    try:
        value = json.loads(line, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        refuse(place, "不是完整的 JSON", "not complete JSON", error)
    if not isinstance(value, dict):
        refuse(place, f"是 {shorten(value)}", f"{shorten(value)} is not an object")
    return value


def _read_line(
    line: str, place: Text, known: Mapping[int, Task], labelling: Labelling
) -> Annotated:
    raw = parse(line, place)
    number = raw.get("id")
    if not isinstance(number, int) or isinstance(number, bool) or number not in known:
        seen = shorten(number)
        refuse(place, f"没有编号为 {seen} 的任务", f"there is no task {seen}")
    task = known[number]
    if raw.get("data") != task.data:
        zh = f"任务 {number} 的内容与发放的不同"
        refuse(place, zh, f"task {number} is not as it was released")
    found = read_annotations(raw, task, labelling, place)
    if len(found) != 1:
        zh = f"任务 {number} 有 {len(found)} 份标注，应为 1 份"
        en = f"task {number} has {len(found)} annotations, expected 1"
        refuse(place, zh, en)
    return found[0]


def _annotation(
    raw: Mapping[str, Any],
    entry: Mapping[str, Any],
    task: Task,
    labelling: Labelling,
    place: Text,
) -> Annotated:
    found = entry.get("meta")
    meta = found if isinstance(found, dict) else {}
    skipped = raw.get("was_cancelled") is True
    inside = Text(f"{place.zh}任务 {task.id} ", f"{place.en}task {task.id}, ")
    return Annotated(
        task,
        # What was marked before skipping says nothing.
        () if skipped else read_result(raw.get("result"), labelling, task.data, inside),
        skipped,
        _word(meta.get("annotator", raw.get("completed_by"))),
        _word(meta.get("release")),
        _seconds(raw.get("lead_time")),
        _time(raw.get("created_at")),
        _time(raw.get("updated_at")),
    )


def _word(value: object) -> str:
    # Label Studio names the annotator by number, or by a dictionary with an address.
    if isinstance(value, dict):
        value = value.get("email")
    plain = isinstance(value, int) or (isinstance(value, str) and is_whole(value))
    return str(value)[:200] if plain else ""


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    in_range = 0 <= value < 1e9 and math.isfinite(value)
    return float(value) if in_range else 0.0


def _time(value: object) -> str:
    return value if isinstance(value, str) and _TIME.fullmatch(value) else ""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key stands there twice")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
