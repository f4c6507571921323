"""Annotations that another tool wrote, back as annotated tasks.

Label Studio's ``.json`` brings its tasks along; CoNLL, COCO and YOLO only name them.
Whatever does not fit is one sentence, and nothing is taken from a file that is wrong.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, NoReturn

from lab_env.annotations.annotated import Annotated, read_annotations
from lab_env.annotations.bio import entities, places
from lab_env.annotations.errors import AnnotationError
from lab_env.annotations.export import CLASSES
from lab_env.annotations.labelling import Control, ControlKind, Labelling, Shown
from lab_env.annotations.reading import shorten
from lab_env.annotations.results import Box, Span, box_of_pixels
from lab_env.annotations.tasks import Task, check_tasks, tasks_of
from lab_env.checks import Finding, Text

_HEAD = re.compile(r"# id = (\d{1,9})")


def read_label_studio(
    text: str, labelling: Labelling, name: str = "export.json"
) -> list[Annotated]:
    """Return every annotation of an export, task by task.

    Two annotators of one task are two entries with the same task.
    """
    raw = _json(text, name)
    if not isinstance(raw, list):
        _refuse(name, f"是 {shorten(raw)}，应为列表", f"is {shorten(raw)}, not a list")
    tasks = tasks_of(raw, name)
    check_tasks(tasks, labelling, None)
    found: list[Annotated] = []
    for task, entry in zip(tasks, raw, strict=True):
        place = Text(f"{name} 任务 {task.id}：", f"{name}, task {task.id}: ")
        try:
            found += read_annotations(entry, task, labelling, place)
        except Finding as finding:
            said = finding.message
            raise AnnotationError(said.zh, said.en) from finding
    return found


def read_conll(
    text: str, tasks: Sequence[Task], labelling: Labelling, name: str = "export.conll"
) -> list[Annotated]:
    """Return the texts of a CoNLL file with their spans."""
    control, shown = _asked(labelling, "Labels")
    known = {task.id: task for task in tasks}
    found: list[Annotated] = []
    for number, rows in _documents(text, name):
        if number not in known:
            _refuse(name, f"没有任务 {number}", f"there is no task {number}")
        task = known[number]
        body = str(task.data[shown.field])
        row = places(body, [word for word, _ in rows])
        spans = [
            Span(control.name, shown.name, start, end, body[start:end], (label,))
            for start, end, label in entities(row, [tag for _, tag in rows])
        ]
        for span in spans:
            _known_code(name, control, span.codes[0])
        found.append(Annotated(task, tuple(spans)))
    return found


def read_coco(
    text: str, tasks: Sequence[Task], labelling: Labelling, name: str = "coco.json"
) -> list[Annotated]:
    """Return the images of a COCO file with their boxes; found by their file name."""
    control, shown = _asked(labelling, "RectangleLabels")
    raw = _json(text, name)
    by_name = {str(task.data[shown.field]): task for task in tasks}
    try:
        codes = {each["id"]: str(each["name"]) for each in raw["categories"]}
        images = {each["id"]: each for each in raw["images"]}
        boxes: dict[Any, list[Box]] = {key: [] for key in images}
        for each in raw["annotations"]:
            image = images[each["image_id"]]
            size = int(image["width"]), int(image["height"])
            _known_code(name, control, codes[each["category_id"]])
            left, top, width, height = map(float, each["bbox"])
            corner, code = (left, top, width, height), codes[each["category_id"]]
            box = box_of_pixels(control.name, shown.name, corner, (code,), size)
            boxes[each["image_id"]].append(_inside(name, box))
        pairs = [(by_name[images[key]["file_name"]], boxes[key]) for key in images]
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        seen = f"{type(error).__name__}: {error}"[:60]
        _refuse(
            name, f"不是这些任务的 COCO 文件（{seen}）", f"no COCO of these ({seen})"
        )
    return [Annotated(task, tuple(own)) for task, own in pairs]


def read_yolo(
    files: Mapping[str, str],
    tasks: Sequence[Task],
    labelling: Labelling,
    sizes: Mapping[int, tuple[int, int]],
) -> list[Annotated]:
    """Return the boxes of {file: text}; ``sizes`` holds each task's image in pixels."""
    control, shown = _asked(labelling, "RectangleLabels")
    codes = files.get(CLASSES, "\n".join(control.codes)).splitlines()
    found: list[Annotated] = []
    for task in tasks:
        value = PurePosixPath(str(task.data[shown.field]))
        name = str(value.with_suffix(".txt"))
        if name in files:
            lines = [line for line in files[name].splitlines() if line.strip()]
            target = (control, shown.name, name)
            boxes = [_yolo_box(line, codes, target, sizes[task.id]) for line in lines]
            found.append(Annotated(task, tuple(boxes)))
    return found


def _yolo_box(
    line: str,
    codes: Sequence[str],
    target: tuple[Control, str, str],
    size: tuple[int, int],
) -> Box:
    control, to, name = target
    try:
        number, *rest = line.split()
        x, y, width, height = (100 * float(each) for each in rest)
        code = codes[int(number)] if int(number) >= 0 else ""
    except (ValueError, IndexError):
        _refuse(name, f"有一行是“{line[:40]}”", f'a line reads "{line[:40]}"')
    _known_code(name, control, code)
    corner = x - width / 2, y - height / 2
    return _inside(name, Box(control.name, to, *corner, width, height, (code,), *size))


def _inside(name: str, box: Box) -> Box:
    """Return the box with what rounding left outside the image cut off."""
    numbers = (box.x, box.y, box.width, box.height)
    far = max(box.x + box.width, box.y + box.height)
    fits = (
        all(map(math.isfinite, numbers)) and min(box.x, box.y) > -0.01 and far < 100.01
    )
    if not fits or min(box.width, box.height) <= 0:
        seen = ", ".join(f"{each:.2f}" for each in numbers)
        _refuse(name, f"有一个框不在图片里（{seen} %）", f"a box is outside ({seen} %)")
    x, y = max(0.0, box.x), max(0.0, box.y)
    width, height = min(box.width, 100 - x), min(box.height, 100 - y)
    size = (box.image_width, box.image_height)
    return Box(box.control, box.to, x, y, width, height, box.codes, *size)


def _documents(text: str, name: str) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    rows: list[tuple[str, str]] = []
    number: int | None = None
    for line in [*text.split("\n"), "# id = 0"]:
        head = _HEAD.fullmatch(line)
        if head:
            if number is not None:
                yield number, rows
            number, rows = int(head[1]), []
        elif line:
            word, blank, tag = line.partition(" ")
            if not blank or not re.match(r"O$|[BI]-.", tag) or number is None:
                _refuse(name, f"有一行是“{line[:40]}”", f'a line reads "{line[:40]}"')
            rows.append((word, tag))


def _asked(labelling: Labelling, kind: ControlKind) -> tuple[Control, Shown]:
    for control in labelling.controls:
        if control.kind == kind:
            return control, labelling.named(control.to[0])
    there = ", ".join(control.kind for control in labelling.controls)
    zh = f"这种文件需要 <{kind}>，配置里只有：{there}。请换配置。"
    en = f"Such a file needs a <{kind}>; the configuration has {there}. Change it."
    raise AnnotationError(zh, en)


def _known_code(name: str, control: Control, code: str) -> None:
    if code not in control.codes:
        names = ", ".join(control.codes)[:80]
        zh = f"标签“{code[:40]}”不在配置里（有 {names}）"
        _refuse(name, zh, f'the label "{code[:40]}" is not one of {names}')


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        return _refuse(name, "不是完整的 JSON", "not complete JSON", error)


def _refuse(
    name: str, zh: str, en: str, cause: BaseException | None = None
) -> NoReturn:
    again = f"{name}: {en}. Export it again."
    raise AnnotationError(f"{name}：{zh}。请重新导出。", again) from cause
