"""Mark sheet of the lab annotation_images: 17 machine rows, 2 by hand, 100 points.

Rows about the form of the work and the small calculations are open; all that compares
boxes with the key is closed to the notebook. Boxes are matched by the Hungarian method
at an IoU of 0.5, each to at most one, so that nothing is gained by drawing more.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from lab_env.annotations.annotated import Work
from lab_env.annotations.matching import box_iou, match_boxes
from lab_env.annotations.results import Box
from lab_env.checks import (
    Graded,
    Mismatch,
    NotAttempted,
    Text,
    check,
    curve,
    met,
)
from lab_env.hand_annotated import Part, facts_of, on_curve
from lab_env.metrics import close
from lab_env.submission import Submission

LABEL, REVIEW, COUNT = "2.1.2", "2.2.1", "2.2.1"
BOXES = Part("boxes.jsonl", "tasks.jsonl", "boxes.xml", "gold.jsonl")
PRACTICE = Part("practice_boxes.jsonl", "practice.jsonl", "boxes.xml")
# All pictures have one size, in pixels.
WIDTH, HEIGHT = 480, 360
# Pixels, as the guideline has it (G4); a little less, for a hand is no ruler.
SMALLEST, ROUNDED = 16, 14
# Two boxes on one thing overlap more than this; a picture is no defect.
SAME_PLACE, WHOLE_PICTURE = 0.7, 0.5
# Left, top, width, height of the two boxes that the notebook shows.
FIRST, SECOND = (100.0, 80.0, 120.0, 90.0), (140.0, 110.0, 120.0, 90.0)
# Percent of the picture: how near the border a box must come to reach it.
AT_BORDER = 1.0
# So many boxes on what is no defect cost all points of that row.
MANY_NEAR_MISSES = 6
# Of all defects, and of all boxes: with fewer, the other rows say less about care.
ENOUGH_FOUND, ENOUGH_MEANT = 0.8, 0.5
# An extra box that overlaps a defect so much was meant for it, and for no near-miss.
MEANT = 0.2
LEAST_OF_CLASS, FULL_OF_CLASS = 0.2, 0.8


@dataclass(frozen=True)
class Compared:
    """All boxes beside the key: each with the number of its task."""

    # Gold first, given second.
    found: list[tuple[int, Box, Box]]
    missed: list[tuple[int, Box]]
    extra: list[tuple[int, Box]]

    @property
    def recall(self) -> float:
        """The share of defects that have a box."""
        return len(self.found) / (len(self.found) + len(self.missed))

    @property
    def precision(self) -> float:
        """The share of boxes that hold a defect."""
        given = len(self.found) + len(self.extra)
        return len(self.found) / given if given else 0.0

    @property
    def far_enough(self) -> float:
        """How far the work goes: 1 when most are found, and not by boxing all."""
        found = curve(self.recall, zero=0, full=ENOUGH_FOUND)
        return found * curve(self.precision, zero=0, full=ENOUGH_MEANT)

    def extra_overlap(self, least: float) -> list[tuple[int, Box, bool]]:
        """Return the extra boxes, and whether each overlaps a defect more than that."""
        gold = [(key, box) for key, box, _ in self.found] + self.missed
        return [
            (key, box, any(k == key and box_iou(box, g) > least for k, g in gold))
            for key, box in self.extra
        ]


def boxes_by_task(work: Work) -> dict[int, list[Box]]:
    """Return the boxes of every task that was done."""
    return {
        key: [each for each in item.regions if isinstance(each, Box)]
        for key, item in work.done.items()
    }


def compared(submission: Submission) -> Compared:
    """Return the submitted boxes beside those of the key."""
    given = boxes_by_task(BOXES.own(submission))
    gold = BOXES.gold(submission, submission.answer_key)
    result = Compared([], [], [])
    for key, item in gold.items():
        right = [each for each in item.regions if isinstance(each, Box)]
        own = given.get(key, [])
        pairs = match_boxes(right, own)
        places = [{pair.first for pair in pairs}, {pair.second for pair in pairs}]
        result.found.extend((key, right[p.first], own[p.second]) for p in pairs)
        result.missed.extend(
            (key, box) for i, box in enumerate(right) if i not in places[0]
        )
        result.extra.extend(
            (key, box) for i, box in enumerate(own) if i not in places[1]
        )
    return result


def decided(submission: Submission, *rules: str) -> list[Any]:
    """Return what the guideline decides, under these rules together."""
    facts = facts_of(submission.answer_key, "decided.json")
    return [each for rule in rules for each in facts[rule]]


@check("M1", points=3, part="practice", skill=LABEL)
def practice_agrees(submission: Submission) -> Graded:
    """练习图的框与参考答案一致：每处缺陷一个框，类别正确。

    The practice boxes agree with the answers: a box for each defect, right class.
    """
    own, (tasks, _) = (
        boxes_by_task(PRACTICE.own(submission)),
        PRACTICE.asked(submission),
    )
    rows = submission.released.read_csv("data/practice_answers.csv", ["image"])
    right = nominal = 0
    for task in tasks:
        answers = [row for row in rows if row["image"] == task.data["image"]]
        given = own.get(task.id, [])
        pairs = match_boxes([box_of_row(row) for row in answers], given)
        right += sum(pair.same_class for pair in pairs)
        nominal += max(len(answers), len(given))
    zh = f"应对 {nominal}，对了 {right}。看下面的图：框松、多框、漏框、错类都不算对。"
    en = f"{right} of {nominal} agree: loose, extra, missing and misnamed boxes do not."
    hint = None if right == nominal else Text(zh, f"{en} See the figure below.")
    return Graded(right / nominal, right, nominal, right, hint)


def box_of_row(row: dict[str, str]) -> Box:
    """Return a box of a table in pixels; percent by the pictures' one size."""
    across, down = WIDTH / 100, HEIGHT / 100
    x, y, width, height = (float(row[name]) for name in ("x", "y", "width", "height"))
    place = (x / across, y / down, width / across, height / down)
    return Box("defect", "image", *place, (row["label"],), WIDTH, HEIGHT)


@check("M2", points=4, part="form", skill=LABEL)
def boxes_are_readable(submission: Submission) -> Graded:
    """boxes.jsonl 的每一行都能读懂：百分比在 0 到 100 之间，类别正确，没有重复的图。

    Every line of boxes.jsonl is readable: percent, known classes, no picture twice.
    """
    return BOXES.whole_form(submission)


@check("M3", points=6, part="form", skill=LABEL)
def every_picture_is_done(submission: Submission) -> Graded:
    """每张图都已提交；没有缺陷的图也要提交。

    Every picture was submitted, those without a defect too.
    """
    return BOXES.done_share(submission)


@check("M4", points=2, part="form", skill=LABEL)
def boxes_are_of_this_release(submission: Submission) -> Graded:
    """标注是在这一次发放的实验里做的。

    The boxes were made in this release.
    """
    return BOXES.of_this_release(submission)


@check("M5", points=3, part="form", skill=LABEL)
def boxes_have_sense(submission: Submission) -> Graded:
    """没有太小的框、没有框住整张图的框、没有在同一处画两次的框。

    No box is too small, none holds the whole picture, none is drawn twice.
    """
    own = boxes_by_task(BOXES.own(submission))
    if not any(own.values()):
        raise Mismatch(
            Text("还没有一个框。", "There is no box yet."), actual=0, nominal="> 0"
        )
    for key, boxes in own.items():
        for place, box in enumerate(boxes):
            odd = odd_box(box, boxes[:place])
            if odd is not None:
                zh, en = f"任务 {key}：{odd.zh}", f"Task {key}: {odd.en}"
                raise Mismatch(Text(zh, en), actual=key, nominal="G4, G8, G12")
    return met(sum(map(len, own.values())), "> 0")


def odd_box(box: Box, before: list[Box]) -> Text | None:
    """Return what is odd about a box, or None."""
    _, _, width, height = box.pixels
    if max(width, height) < ROUNDED:
        return Text("有一个框比标尺还短。", "a box is shorter than the bar.")
    if width * height > WHOLE_PICTURE * box.image_width * box.image_height:
        return Text("有一个框比半张图还大。", "a box is larger than half the picture.")
    if any(box_iou(box, other) > SAME_PLACE for other in before):
        return Text("同一处画了两个框。", "two boxes lie in the same place.")
    return None


@check("M6", points=12, part="quality", skill=LABEL)
def defects_are_found(submission: Submission) -> Graded:
    """找全：有框的缺陷所占的比例（IoU 不低于 0.5），按公布的曲线给分。

    Nothing missing: the share of defects with a box (IoU 0.5), on the curve.
    """
    return on_curve(submission, "recall", compared(submission).recall)


@check("M7", points=8, part="quality", skill=LABEL)
def boxes_are_defects(submission: Submission) -> Graded:
    """找准：框住缺陷的框所占的比例，按公布的曲线给分。

    Nothing extra: the share of boxes that hold a defect, on the curve.
    """
    seen = compared(submission)
    return on_curve(submission, "precision", seen.precision, seen.far_enough)


@check("M8", points=14, part="quality", skill=LABEL)
def boxes_are_tight(submission: Submission) -> Graded:
    """框得紧：找到的缺陷的平均 IoU，从 0.5 到 0.8 按曲线给分。

    Tight: the mean IoU of the defects found, on a curve from 0.5 to 0.8.
    """
    seen = compared(submission)
    shares = [box_iou(right, given) for _, right, given in seen.found]
    mean = sum(shares) / len(shares) if shares else 0.0
    return on_curve(submission, "iou", mean, seen.far_enough)


@check("M9", points=10, part="quality", skill=LABEL)
def classes_are_right(submission: Submission) -> Graded:
    """找到的缺陷中类别正确的比例，按公布的曲线给分。

    The share of found defects with the right class, on the published curve.
    """
    seen = compared(submission)
    right = sum(gold.codes == own.codes for _, gold, own in seen.found)
    share = right / len(seen.found) if seen.found else 0.0
    return on_curve(submission, "class", share, seen.far_enough)


@check("M10", points=4, part="quality", skill=LABEL)
def no_class_is_neglected(submission: Submission) -> Graded:
    """四类缺陷每一类都找到了、类别也对：看最差的一类（20 % 到 80 %）。

    Every class is found and named: the worst class counts (20 % to 80 %).
    """
    seen = compared(submission)
    hits = Counter(a.codes for _, a, b in seen.found if a.codes == b.codes)
    there = Counter(gold.codes for _, gold, _ in seen.found)
    there += Counter(gold.codes for _, gold in seen.missed)
    actual = min(hits[codes] / count for codes, count in there.items())
    fraction = curve(actual, zero=LEAST_OF_CLASS, full=FULL_OF_CLASS)
    nominal = f"{LEAST_OF_CLASS} → {FULL_OF_CLASS}"
    return Graded(seen.far_enough * fraction, actual, nominal, actual)


@check("M11", points=4, part="quality", skill=LABEL)
def clean_parts_stay_empty(submission: Submission) -> Graded:
    """没有缺陷的图：提交了，一个框也没有。

    Parts without a defect were submitted without a box.
    """
    own = boxes_by_task(BOXES.own(submission))
    clean = decided(submission, "clean")
    empty = sum(own.get(key) == [] for key in clean)
    far = compared(submission).far_enough
    return Graded(far * empty / len(clean), empty, len(clean), empty)


@check("M12", points=4, part="quality", skill=LABEL)
def near_misses_are_left_alone(submission: Submission) -> Graded:
    """反光、螺孔、加工痕迹、灰尘、小黑点和零件号都没有当成缺陷。

    Reflections, holes, machining marks, dust, points and numbers were not boxed.
    """
    work, seen = BOXES.own(submission), compared(submission)
    near = [
        (each["task"], near_miss(each)) for each in decided(submission, "near_misses")
    ]
    drawn = [(key, box) for key, box, meant in seen.extra_overlap(MEANT) if not meant]
    hit = sum(
        any(task == key and covers(box, other) for key, box in drawn)
        for task, other in near
    )
    done = len(work.done) / len(BOXES.asked(submission)[0])
    fraction = max(0.0, 1 - hit / MANY_NEAR_MISSES) * min(done, seen.far_enough)
    return Graded(fraction, f"{hit} / {len(near)}", 0, hit)


def near_miss(facts: dict[str, Any]) -> Box:
    """Return the place of something that only looks like a defect."""
    place = (facts["x"], facts["y"], facts["width"], facts["height"])
    return Box("defect", "image", *place, (facts["kind"],), WIDTH, HEIGHT)


def covers(box: Box, other: Box) -> bool:
    """Say whether a box was drawn for the other: one holds half of the smaller."""
    across = min(box.x + box.width, other.x + other.width) - max(box.x, other.x)
    down = min(box.y + box.height, other.y + other.height) - max(box.y, other.y)
    if across <= 0 or down <= 0:
        return False
    smaller = min(box.width * box.height, other.width * other.height)
    return across * down >= smaller / 2


@check("M13", points=4, part="quality", skill=LABEL)
def close_defects_follow_the_guideline(submission: Submission) -> Graded:
    """挨在一起的缺陷按规则 G10、G11 分开画或合成一个框。

    Defects close together are boxed apart or as one, as G10 and G11 say.
    """
    seen = compared(submission)
    wrong = {key for key, _ in seen.missed}
    wrong |= {key for key, _, touches in seen.extra_overlap(0) if touches}
    asked = decided(submission, "cluster", "touching")
    right = sum(key not in wrong for key in asked)
    return Graded(right / len(asked), right, len(asked), right)


@check("M14", points=2, part="quality", skill=LABEL)
def boxes_reach_the_border(submission: Submission) -> Graded:
    """伸出图外的缺陷：框画到图的边上。

    The box of a defect that runs out of the picture ends at the border.
    """
    asked, seen = decided(submission, "border"), compared(submission)
    cut = [(gold, own) for key, gold, own in seen.found if key in asked and sides(gold)]
    nominal = len(asked)
    right = sum(sides(gold) <= sides(own) for gold, own in cut)
    return Graded(min(1.0, right / nominal), right, nominal, right)


def sides(box: Box) -> set[str]:
    """Return the sides of the picture that a box reaches."""
    room = {
        "left": box.x,
        "top": box.y,
        "right": 100 - box.x - box.width,
        "bottom": 100 - box.y - box.height,
    }
    return {side for side, gap in room.items() if gap <= AT_BORDER}


@check("M15", points=3, part="review", skill=COUNT)
def boxes_are_counted(submission: Submission) -> Graded:
    """每一类的框数与 boxes.jsonl 一致。

    The number of boxes of each class is that of boxes.jsonl.
    """
    fields = {"boxes_per_class": dict}
    actual = submission.read_json("counts.json", fields)["boxes_per_class"]
    own = boxes_by_task(BOXES.own(submission)).values()
    nominal = dict(Counter(box.codes[0] for boxes in own for box in boxes))
    if not nominal:
        raise NotAttempted(Text("还没有框可数。", "There is no box to count yet."))
    if actual != nominal:
        what = Text("各类的框数不对。", "The counts of the classes are not right.")
        hint = Text(
            "请数 label 这一列；改过标注，就从第 3 节的自查起再运行一遍。",
            "Count the column label; if you changed a box, run from the check in 3 on.",
        )
        raise Mismatch(what, actual=actual, nominal=nominal, hint=hint)
    return met(actual, nominal)


@check("M16", points=4, part="review", skill=REVIEW)
def iou_is_right(submission: Submission) -> Graded:
    """两个框的 IoU 计算正确。

    The IoU of the two boxes is right.
    """
    actual = submission.read_json("iou.json", {"iou": float})["iou"]
    boxes = [Box("", "", *place, ("",), WIDTH, HEIGHT) for place in (FIRST, SECOND)]
    nominal = box_iou(boxes[0], boxes[1])
    if not close(actual, nominal):
        # The common area by the plain sum of both.
        slip = nominal / (1 + nominal)
        what = Text("IoU 不对。", "The IoU is not right.")
        hint = Text(
            "公共部分算了两次，要减掉一次。",
            "The common part was counted twice; take it away once.",
        )
        known = hint if close(actual, slip) else None
        raise Mismatch(what, actual=actual, nominal=nominal, hint=known)
    return met(actual, nominal)


@check("M17", points=3, part="review", skill=REVIEW)
def small_boxes_are_found(submission: Submission) -> Graded:
    """找出同事的标注里所有小得不该标的框（G4）。

    All boxes of the colleague that are too small to count (G4) are found.
    """
    found = submission.read_json("too_small.json", {"boxes": list})["boxes"]
    columns = ["box", "width", "height"]
    rows = submission.released.read_csv("data/colleague.csv", columns)
    nominal = [
        row["box"]
        for row in rows
        if max(int(row["width"]), int(row["height"])) < SMALLEST
    ]
    actual = [str(each)[:8] for each in found[: len(rows)]]
    if sorted(actual) != sorted(nominal):
        what = Text("找到的框不对。", "These are not the boxes.")
        hint = Text("标尺长多少像素？", "How many pixels long is the bar?")
        raise Mismatch(what, actual=actual, nominal=nominal, hint=hint)
    return met(actual, nominal)


@check("J1", points=5, part="analysis", skill=REVIEW, by_hand=True)
def hard_case_is_explained(submission: Submission) -> str:
    """写出一处难判断的地方：哪张图、看到什么、依据哪条规则怎样决定。

    Names one hard case: which picture, what is seen, which rule decided and how.
    """
    return submission.written_answer("hard_case")


@check("J2", points=5, part="analysis", skill=REVIEW, by_hand=True)
def second_annotator_is_foreseen(submission: Submission) -> str:
    """说明另一位标注员可能怎样标得不同，并提出规范里该补充的一句话。

    Says what a second annotator may do otherwise, and a sentence to add to the rules.
    """
    return submission.written_answer("second_annotator")
