"""Annotated tasks in the forms that other tools read.

Label Studio ``.json`` (which refuses ``.jsonl``), CoNLL with BIO tags, COCO, YOLO, CSV,
and chosen/rejected lines for preference tuning. What was skipped is in the first and in
the CSV only.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from lab_env.annotations.annotated import Annotated
from lab_env.annotations.bio import tags, tokens
from lab_env.annotations.errors import AnnotationError
from lab_env.annotations.images import image_size
from lab_env.annotations.labelling import Control, ControlKind, Labelling, Shown
from lab_env.annotations.results import (
    Box,
    Note,
    Pair,
    Ranking,
    Span,
    region_json,
)
from lab_env.files import write_whole

CLASSES = "classes.txt"
COLUMNS = (
    *("id", "annotator", "skipped", "seconds", "control", "type", "label", "text"),
    *("start", "end", "x", "y", "width", "height"),
)


def export(
    items: Sequence[Annotated],
    labelling: Labelling,
    path: Path,
    *,
    form: str = "json",
    folder: Path = Path(),
) -> None:
    """Write ``items`` to ``path``: a file, for YOLO a folder.

    ``form``: json (Label Studio), conll, coco, yolo, csv, preference. ``folder`` is
    where the images of the tasks lie.
    """
    texts: dict[str, Callable[[], str]] = {
        "json": lambda: label_studio_text(items),
        "conll": lambda: conll_text(items, labelling),
        "coco": lambda: json.dumps(coco(items, labelling, folder), ensure_ascii=False),
        "csv": lambda: csv_text(items),
        "preference": lambda: preference_text(items, labelling),
    }
    if form == "yolo":
        for name, text in yolo(items, labelling).items():
            write_whole(path / name, text)
    elif form in texts:
        write_whole(path, texts[form]())
    else:
        names = ", ".join([*texts, "yolo"])
        zh = f"没有“{form}”这种格式，可以用：{names}。请换一个。"
        en = f'There is no form "{form}". Use one of {names}.'
        raise AnnotationError(zh, en)


def label_studio_text(items: Iterable[Annotated]) -> str:
    """Return the JSON array that Label Studio imports."""
    tasks = [item.as_json() for item in items]
    return json.dumps(tasks, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def conll_text(items: Iterable[Annotated], labelling: Labelling) -> str:
    """Return one line for each token, ``token tag``; a blank line after each text."""
    control, shown = _asked(labelling, "Labels")
    lines: list[str] = []
    for item in _done(items):
        text = str(item.task.data[shown.field])
        spans = [each for each in item.regions if isinstance(each, Span)]
        own = [span for span in spans if span.control == control.name]
        lines.append(f"# id = {item.task.id}")
        pairs = zip(tokens(text), _for_task(item, tags, text, own), strict=True)
        lines += [f"{token.text} {tag}" for token, tag in pairs]
        lines.append("")
    return "\n".join(lines) + "\n" if lines else ""


def coco(
    items: Iterable[Annotated], labelling: Labelling, folder: Path
) -> dict[str, Any]:
    """Return the COCO data set of all boxes, in pixels."""
    control, shown = _asked(labelling, "RectangleLabels")
    number = {code: place for place, code in enumerate(control.codes, 1)}
    images: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    for item in _done(items):
        name, own = str(item.task.data[shown.field]), _boxes(item, control)
        # An image without boxes belongs to the data set too: nothing is wrong on it.
        size = (
            (own[0].image_width, own[0].image_height)
            if own
            else image_size(folder, name)
        )
        image = {"id": item.task.id, "file_name": name}
        images.append({**image, "width": size[0], "height": size[1]})
        for box in own:
            category = number[_one_code(item, box)]
            boxes.append(_coco_box(box, len(boxes) + 1, item.task.id, category))
    categories = [{"id": place, "name": code} for code, place in number.items()]
    return {"images": images, "annotations": boxes, "categories": categories}


def yolo(items: Iterable[Annotated], labelling: Labelling) -> dict[str, str]:
    """Return {file: text}: for each image ``class x y width height``, from 0 to 1.

    x and y are the middle of the box; the classes stand in classes.txt.
    """
    control, shown = _asked(labelling, "RectangleLabels")
    files = {CLASSES: "".join(f"{code}\n" for code in control.codes)}
    for item in _done(items):
        name = PurePosixPath(str(item.task.data[shown.field])).with_suffix(".txt")
        lines = [
            _yolo_line(box, control.codes.index(_one_code(item, box)))
            for box in _boxes(item, control)
        ]
        if str(name) in files:
            zh = f"两个任务都要写 {name}。请让图片文件名各不相同。"
            en = f"Two tasks would write {name}. Give the images different names."
            raise AnnotationError(zh, en)
        files[str(name)] = "".join(lines)
    return files


def csv_text(items: Iterable[Annotated]) -> str:
    """Return a table with one line for each region; a task without has one line."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for item in items:
        head = {
            "id": item.task.id,
            "annotator": item.annotator,
            "skipped": "yes" if item.skipped else "no",
            "seconds": item.lead_time,
        }
        rows = [_row(region_json(region, 1)) for region in item.regions]
        writer.writerows({**head, **row} for row in rows or [{}])
    return stream.getvalue()


def preference_text(items: Iterable[Annotated], labelling: Labelling) -> str:
    """Return one JSON line for each pair: prompt, chosen, rejected, id, note.

    A ranking gives every pair of it. The prompt is the first text on the screen that
    is not itself compared, or empty.
    """
    kinds = [control.kind for control in labelling.controls]
    kind: ControlKind = "Pairwise" if "Pairwise" in kinds else "Ranker"
    control, _ = _asked(labelling, kind)
    others = [each for each in labelling.shown if each.name not in control.to]
    prompts = [each.field for each in others if each.kind == "Text"]
    lines: list[str] = []
    for item in _done(items):
        prompt = str(item.task.data[prompts[0]]) if prompts else ""
        written = [each.text for each in item.regions if isinstance(each, Note)]
        for chosen, rejected in _preferred(item, control, labelling):
            pair = {"prompt": prompt, "chosen": chosen, "rejected": rejected}
            facts = {**pair, "id": item.task.id, "note": "\n".join(written)}
            lines.append(json.dumps(facts, ensure_ascii=False) + "\n")
    return "".join(lines)


def _done(items: Iterable[Annotated]) -> Iterator[Annotated]:
    return (item for item in items if not item.skipped)


def _asked(labelling: Labelling, kind: ControlKind) -> tuple[Control, Shown]:
    for control in labelling.controls:
        if control.kind == kind:
            return control, labelling.named(control.to[0])
    there = ", ".join(control.kind for control in labelling.controls)
    zh = f"这种格式需要 <{kind}>，配置里只有：{there}。请换一种格式。"
    en = f"This form needs a <{kind}>; the configuration has {there}. Use another form."
    raise AnnotationError(zh, en)


def _for_task(
    item: Annotated,
    work: Callable[[str, Sequence[Span]], list[str]],
    text: str,
    spans: Sequence[Span],
) -> list[str]:
    try:
        return work(text, spans)
    except AnnotationError as error:
        said, number = error.message, item.task.id
        zh, en = f"任务 {number}：{said.zh}", f"Task {number}: {said.en}"
        raise AnnotationError(zh, en) from error


def _boxes(item: Annotated, control: Control) -> list[Box]:
    found = [each for each in item.regions if isinstance(each, Box)]
    return [box for box in found if box.control == control.name]


def _one_code(item: Annotated, box: Box) -> str:
    if len(box.codes) != 1:
        number, codes = item.task.id, ", ".join(box.codes)
        zh = (
            f"任务 {number} 的一个框有几个类别（{codes}），这种格式只能有一个。请先改。"
        )
        en = f"Task {number}: a box has the classes {codes}, this form holds one."
        raise AnnotationError(zh, f"{en} Change the annotation first.")
    return box.codes[0]


def _coco_box(box: Box, number: int, image: int, category: int) -> dict[str, Any]:
    # A thousandth of a pixel: what percent and back leave over is not shown.
    left, top, width, height = (round(each, 3) for each in box.pixels)
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "bbox": [left, top, width, height],
        "area": round(width * height, 3),
        "iscrowd": 0,
    }


def _yolo_line(box: Box, number: int) -> str:
    middle = (box.x + box.width / 2, box.y + box.height / 2)
    numbers = (*middle, box.width, box.height)
    return " ".join([str(number), *(f"{each / 100:.8f}" for each in numbers)]) + "\n"


def _row(region: Mapping[str, Any]) -> dict[str, Any]:
    value, kind = region["value"], region["type"]
    row = {"control": region["from_name"], "type": kind}
    row |= {name: value[name] for name in COLUMNS if name in value}
    said = value.get(kind, value.get("selected", ""))
    if kind == "ranker":
        said = next(iter(said.values()))
    if kind == "textarea":
        row["text"] = "\n".join(value["text"])
    return {**row, "label": "|".join(said) if isinstance(said, list) else said}


def _preferred(
    item: Annotated, control: Control, labelling: Labelling
) -> Iterator[tuple[str, str]]:
    data = item.task.data
    for region in item.regions:
        if isinstance(region, Pair) and region.control == control.name:
            fields = [labelling.named(name).field for name in control.to]
            left, right = (str(data[field]) for field in fields)
            yield (left, right) if region.selected == "left" else (right, left)
        if isinstance(region, Ranking) and region.control == control.name:
            each = {
                str(one["id"]): one for one in data[labelling.named(region.to).field]
            }
            texts = [_item_text(each[name]) for name in region.order]
            for place, better in enumerate(texts):
                yield from ((better, worse) for worse in texts[place + 1 :])


def _item_text(item: Mapping[str, Any]) -> str:
    return str(item.get("body") or item.get("title") or item["id"])
