"""Wrong answers that trainees really give in annotation_images.

``loses`` names rows that the mistake must lose; it may lose others too.
"""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab_env.checks import Text
from lab_env.mistakes import Mistake

Entry = dict[str, Any]
Spoil = Callable[[Path], None]
BOXES = "boxes.jsonl"
SWAPPED = {"scratch": "crack", "crack": "scratch", "dent": "stain", "stain": "dent"}
# By task: left, top, width, height in percent of where the lamp is reflected.
REFLECTIONS = {
    2: (45, 10, 45, 30),
    6: (22, 18, 27, 30),
    8: (5, 80, 70, 18),
    10: (4, 68, 40, 26),
    16: (35, 10, 15, 24),
    22: (15, 28, 70, 28),
}
QUALITY = ("M6", "M7", "M8", "M9", "M10")


def changed(change: Callable[[list[Entry]], list[Entry]]) -> Spoil:
    """Return what rewrites boxes.jsonl by a change of its tasks."""

    def spoil(folder: Path) -> None:
        path = folder / BOXES
        tasks = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        lines = [json.dumps(task) + "\n" for task in change(tasks)]
        path.write_text("".join(lines), encoding="utf-8")

    return spoil


def each_task(change: Callable[[int, list[Entry]], list[Entry]]) -> Spoil:
    """Return what rewrites the regions of every task."""

    def every(tasks: list[Entry]) -> list[Entry]:
        for task in tasks:
            annotation = task["annotations"][0]
            annotation["result"] = change(task["id"], annotation["result"])
        return tasks

    return changed(every)


def each_box(change: Callable[[Entry], None]) -> Spoil:
    """Return what changes the value of every box."""

    def every(_: int, regions: list[Entry]) -> list[Entry]:
        for region in regions:
            change(region["value"])
        return regions

    return each_task(every)


def boxed(
    x: float, y: float, width: float, height: float, code: str = "stain"
) -> Entry:
    """Return a new region."""
    place = {"x": x, "y": y, "width": width, "height": height, "rotation": 0}
    sizes = {"original_width": 480, "original_height": 360, "image_rotation": 0}
    names = {"from_name": "defect", "to_name": "image", "type": "rectanglelabels"}
    return {"id": "new", **names, **sizes, "value": place | {"rectanglelabels": [code]}}


def inside(value: Entry) -> None:
    """Cut a box off at the border of the picture."""
    right = min(100.0, value["x"] + value["width"])
    bottom = min(100.0, value["y"] + value["height"])
    value["x"], value["y"] = max(0.0, value["x"]), max(0.0, value["y"])
    value["width"], value["height"] = right - value["x"], bottom - value["y"]


def one_third_off(value: Entry) -> None:
    """Move a box by a third of its size, inwards."""
    for at, size in (("x", "width"), ("y", "height")):
        away = value[size] / 3
        value[at] += away if value[at] + value[size] + away <= 100 else -away
    inside(value)


def grown(across: float, down: float) -> Callable[[Entry], None]:
    """Return what adds a margin, in percent of the picture, on every side."""

    def grow(value: Entry) -> None:
        value["x"] -= across
        value["y"] -= down
        value["width"] += 2 * across
        value["height"] += 2 * down
        inside(value)

    return grow


def twice_too_large(value: Entry) -> None:
    """Make a box twice as wide and high."""
    grown(value["width"] / 2, value["height"] / 2)(value)


def relabelled(pick: Callable[[str], str]) -> Callable[[Entry], None]:
    """Return what gives a box another class."""

    def relabel(value: Entry) -> None:
        value["rectanglelabels"] = [pick(value["rectanglelabels"][0])]

    return relabel


def at_random(task: int, _: list[Entry]) -> list[Entry]:
    """Return boxes of any place, size and class."""
    rng = random.Random(task)
    return [
        boxed(rng.uniform(0, 60), rng.uniform(0, 60), 25, 25, rng.choice([*SWAPPED]))
        for _ in range(rng.randint(1, 2))
    ]


def with_reflections(task: int, regions: list[Entry]) -> list[Entry]:
    """Add a box on each reflection."""
    more = [boxed(*REFLECTIONS[task])] if task in REFLECTIONS else []
    return [*regions, *more]


def all_in_one(_: int, regions: list[Entry]) -> list[Entry]:
    """Put one box around all defects of a picture."""
    if len(regions) < 2:
        return regions
    values = [region["value"] for region in regions]
    x, y = min(each["x"] for each in values), min(each["y"] for each in values)
    right = max(each["x"] + each["width"] for each in values)
    bottom = max(each["y"] + each["height"] for each in values)
    first = values[0]["rectanglelabels"][0]
    return [boxed(x, y, right - x, bottom - y, first)]


def of_another_release(tasks: list[Entry]) -> list[Entry]:
    """Return the tasks as another release would have written them."""
    for task in tasks:
        task["meta"]["release"] = "annotation_images-surface_defects-en-r999"
    return tasks


def short_of_the_border(value: Entry) -> None:
    """Keep a box away from the border of the picture."""
    for at, size in (("x", "width"), ("y", "height")):
        start = max(value[at], 3.0)
        end = min(value[at] + value[size], 97.0)
        value[at], value[size] = start, end - start


def by_hand(name: str, zh: str, en: str, spoil: Spoil, *loses: str) -> Mistake:
    """Return a mistake that was made with the mouse."""
    return Mistake(name, Text(zh, en), {}, loses, spoil)


MISTAKES = (
    by_hand(
        "boxes_one_third_off",
        "框偏了三分之一。",
        "Boxes are off by a third of their size.",
        each_box(one_third_off),
        *QUALITY,
        "M13",
    ),
    by_hand(
        "boxes_twice_too_large",
        "框大了一倍。",
        "Boxes are twice too wide and high.",
        each_box(twice_too_large),
        *QUALITY,
    ),
    by_hand(
        "boxes_with_a_wide_margin",
        "四边留空十来个像素。",
        "A dozen pixels of margin on each side.",
        each_box(grown(2.5, 3.33)),
        "M8",
    ),
    by_hand(
        "all_one_class",
        "全部选划痕。",
        "Every box is a scratch.",
        each_box(relabelled(lambda code: "scratch")),
        "M9",
        "M10",
    ),
    by_hand(
        "classes_swapped",
        "把划痕和裂纹、凹坑和污渍弄反。",
        "Scratch and crack, dent and stain are swapped.",
        each_box(relabelled(lambda code: SWAPPED[code])),
        "M9",
        "M10",
    ),
    by_hand(
        "half_done",
        "只做了一半。",
        "Only half is done.",
        changed(lambda tasks: tasks[: len(tasks) // 2]),
        *("M3", "M6", "M11", "M12", "M13"),
    ),
    by_hand(
        "reflections_boxed",
        "把反光当成缺陷。",
        "Reflections are boxed as defects.",
        each_task(with_reflections),
        *("M7", "M11", "M12"),
    ),
    by_hand(
        "picture_as_one_box",
        "每张图画一个大框。",
        "One box around every picture.",
        each_task(lambda task, regions: [boxed(0, 0, 100, 100)]),
        *("M5", "M6", "M7", "M8", "M9", "M11", "M12"),
    ),
    by_hand(
        "random_boxes",
        "随便画框。",
        "Boxes anywhere.",
        each_task(at_random),
        *QUALITY,
        "M11",
    ),
    by_hand(
        "nothing_boxed",
        "什么也没框，全部直接提交。",
        "Every picture submitted without a box.",
        each_task(lambda task, regions: []),
        *("M5", "M6", "M7", "M8", "M9", "M11", "M12"),
    ),
    by_hand(
        "every_box_twice",
        "每一处画了两个框。",
        "Every defect is boxed twice.",
        each_task(lambda task, regions: [*regions, *regions]),
        *("M5", "M7", "M13"),
    ),
    by_hand(
        "all_defects_in_one_box",
        "一张图的缺陷全部框在一起。",
        "All defects of a picture in one box.",
        each_task(all_in_one),
        *("M6", "M13"),
    ),
    by_hand(
        "boxes_short_of_the_border",
        "框没有画到图边。",
        "Boxes stop short of the border.",
        each_box(short_of_the_border),
        "M14",
    ),
    by_hand(
        "items_twice",
        "同一张图交了两次。",
        "The same pictures are handed in twice.",
        changed(lambda tasks: [*tasks, *tasks[:3]]),
        "M2",
    ),
    by_hand(
        "file_of_another_release",
        "交了另一次发放的文件。",
        "The file of another release was handed in.",
        changed(of_another_release),
        "M3",
        "M4",
        *QUALITY,
    ),
    by_hand(
        "practice_left_out",
        "没有做练习。",
        "The practice was left out.",
        lambda folder: (folder / "practice_boxes.jsonl").unlink(),
        "M1",
    ),
    Mistake(
        "common_part_counted_twice",
        Text("公共部分算了两次。", "The common part was counted twice."),
        {"iou": "together = area_first + area_second"},
        ("M16",),
    ),
    Mistake(
        "counted_pictures",
        Text("数的是图，不是类别。", "Counted by picture, not by class."),
        {"counts": 'boxes_per_class = boxes["image"].value_counts()'},
        ("M15",),
    ),
    Mistake(
        "limit_guessed",
        Text("没有看标尺，界限填了 32。", "Took 32 for the limit without the bar."),
        {"too_small": "too_small = colleague[longest_side < 32]"},
        ("M17",),
    ),
)
