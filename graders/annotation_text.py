"""Mark sheet of the lab annotation_text: 17 machine rows, 3 by hand, 100 points.

Labels and spans are compared with the sealed key; completeness, form and the numbers
about one's own file need none and answer at once in practice. Speed gives no points.
"""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

from lab_env.annotations.annotated import Annotated, Work, read_work
from lab_env.annotations.graded import (
    ChoiceScores,
    Gold,
    choice_scores,
    completeness,
    consistency,
    read_gold,
    span_scores,
)
from lab_env.annotations.labelling import Labelling, read_labelling
from lab_env.annotations.matching import Counts, count_spans
from lab_env.annotations.results import Choice, Span
from lab_env.annotations.tasks import Task, read_tasks
from lab_env.checks import Graded, Mismatch, Text, Unreadable, check, curve, met
from lab_env.submission import Submission

LABEL, DEFINE, AUDIT, CORRECT = "2.1.2", "2.1.3", "2.2.1", "2.2.2"
MESSAGES, ORDERS = "messages", "orders"
# More than half in common is found: the field's rule for a fair match.
OVERLAP = 0.5
SHOWN = 8


def asked(submission: Submission, part: str) -> tuple[list[Task], Labelling]:
    """Return the released tasks of one part, and what is asked about them."""
    data = submission.released.folder / "data"
    form = "orders.xml" if part == ORDERS else "messages.xml"
    labelling = read_labelling((data / form).read_text(encoding="utf-8"))
    return read_tasks(data / f"{part}.jsonl"), labelling


def read_part(submission: Submission, part: str) -> Work:
    """Return what was handed in for one part, whoever made it."""
    name = f"{part}_done.jsonl"
    return read_work(submission.read_text(name), name, *asked(submission, part))


def own_work(submission: Submission, part: str) -> Work:
    """Return what was annotated in this release; another one's file is Unreadable."""
    facts = submission.released.folder / "release.json"
    own = json.loads(facts.read_text(encoding="utf-8"))["release"]
    work = read_part(submission, part)
    if not work.items:
        work.refuse_findings()
    # A file that was made outside any release names none.
    others = sorted({item.release for item in work.items.values()} - {own, ""})
    if others:
        name, seen = f"{part}_done.jsonl", others[0][:80]
        zh = f"{name} 是在发放版本“{seen}”里标的，应为“{own}”。请交自己的文件。"
        en = f'{name} was made in the release "{seen}", expected "{own}". Hand in your'
        raise Unreadable(Text(zh, f"{en} own file."))
    return work


def whole_form(submission: Submission, part: str) -> Graded:
    """Return all points if every line of the file can be used."""
    work = read_part(submission, part)
    work.refuse_findings()
    return met(len(work.items), len(work.items))


def done_share(submission: Submission, part: str) -> Graded:
    """Return the share of tasks that were done, and name those that were not."""
    done = completeness(own_work(submission, part), *asked(submission, part))
    left, many = ", ".join(map(str, done.missing[:SHOWN])), len(done.missing)
    zh = f"还有 {many} 条没有标，例如 {left}。请回到标注界面标完。"
    items = "item is" if many == 1 else "items are"
    en = f"{many} {items} open, such as {left}. Go back and finish them."
    hint = Text(zh, en) if many else None
    return Graded(done.share, f"{done.done}", f"{done.total}", hint=hint)


def label_counts(work: Work) -> dict[str, int]:
    """Return how many items were given each label."""
    regions = [region for item in work.done.values() for region in item.regions]
    codes = [region.codes[0] for region in regions if isinstance(region, Choice)]
    return dict(Counter(codes))


def trial(submission: Submission) -> Work:
    """Return the released work of the colleague."""
    data = submission.released.folder / "data"
    text = (data / "trial_done.jsonl").read_text(encoding="utf-8")
    return read_work(text, "trial_done.jsonl", *asked(submission, "trial"))


def open_ids(submission: Submission, part: str, work: Work) -> list[str]:
    """Return the ids of the tasks without an answer, as words, sorted."""
    ids = [task.id for task in asked(submission, part)[0] if task.id not in work.done]
    return sorted(map(str, ids))


def gold(submission: Submission, part: str) -> Gold:
    """Return the key of one part."""
    path = submission.answer_key.folder / f"gold_{part}.jsonl"
    return read_gold(path, *asked(submission, part))


def sealed(submission: Submission, name: str) -> Any:
    """Return one small file of the key."""
    return json.loads((submission.answer_key.folder / name).read_text(encoding="utf-8"))


def labels_against_gold(
    submission: Submission, only: list[int] | None = None
) -> ChoiceScores:
    """Return the labels against the key, on all messages or on some."""
    right = gold(submission, MESSAGES)
    return choice_scores(own_work(submission, MESSAGES), right, "label", only)


def spans_against_gold(submission: Submission, overlap: float | None) -> Counts:
    """Return the spans against the key, exact or with a common share."""
    right, work = gold(submission, ORDERS), own_work(submission, ORDERS)
    return span_scores(work, right, "spans", overlap=overlap)


def spans_of(item: Annotated | None, code: str = "") -> list[Span]:
    """Return the spans of one task, or those of one type; none where it is open."""
    regions = item.regions if item else ()
    found = [each for each in regions if isinstance(each, Span)]
    return [each for each in found if not code or code in each.codes]


def is_free(spans: list[Span], start: int, end: int) -> bool:
    """Say whether no span touches these characters."""
    return all(each.end <= start or each.start >= end for each in spans)


def type_f1(code: str, right: Gold, done: Gold) -> float:
    """Return the relaxed F1 of one type over all work orders."""
    counts = [
        count_spans(
            spans_of(item, code), spans_of(done.get(key), code), overlap=OVERLAP
        )
        for key, item in right.items()
    ]
    return sum(counts, Counts(0, 0, 0)).f1


def on_curve(submission: Submission, name: str, actual: float) -> Graded:
    """Return the points of a number on its published curve."""
    ends = submission.curves[name]
    nominal = f"{ends['zero']:.2f} → {ends['full']:.2f}"
    return Graded(curve(actual, **ends), actual, nominal, actual)


def refuse_unfair(submission: Submission, name: str, actual: float) -> None:
    """Raise Mismatch where the work is no better than guessing."""
    least = submission.curves[name]["zero"]
    if not actual > least:
        zh = "标注本身还不比乱猜好，这一行不计分。"
        en = "The work is no better than guesses, so this row gives nothing."
        raise Mismatch(Text(zh, en), actual=actual, nominal=f"> {least}")


@check("M1", points=2, part="messages", skill=AUDIT)
def messages_have_the_form(submission: Submission) -> Graded:
    """messages_done.jsonl 的每一行都能用：任务和标签都是发放的，没有重复。

    Every line of messages_done.jsonl can be used: known task and label, none twice.
    """
    return whole_form(submission, MESSAGES)


@check("M2", points=5, part="messages", skill=AUDIT)
def messages_are_complete(submission: Submission) -> Graded:
    """60 条留言全部有标签，按标完的比例给分。

    All 60 messages have a label; points by the share that does.
    """
    return done_share(submission, MESSAGES)


@check("M3", points=2, part="messages", skill=AUDIT)
def messages_are_own(submission: Submission) -> Graded:
    """留言是在这一份发放材料里标的。

    The messages were labelled in this very release.
    """
    return met(many := len(own_work(submission, MESSAGES).items), many)


@check("M4", points=11, part="messages", skill=LABEL)
def labels_agree(submission: Submission) -> Graded:
    """标签与标准答案一致的比例（准确率），按公布的曲线给分。

    Accuracy: the share of labels that agree with the key, on the published curve.
    """
    return on_curve(submission, "accuracy", labels_against_gold(submission).accuracy)


@check("M5", points=8, part="messages", skill=LABEL)
def every_class_agrees(submission: Submission) -> Graded:
    """每一类同样重要的分数（macro-F1），按公布的曲线给分。

    Macro-F1, in which every class counts the same, on the published curve.
    """
    return on_curve(submission, "macro_f1", labels_against_gold(submission).macro_f1)


@check("M6", points=12, part="messages", skill=DEFINE)
def guideline_is_followed(submission: Submission) -> Graded:
    """规范里有明文规定的留言，按规定标的比例，按公布的曲线给分。

    Where a rule of the guideline decides, the share labelled by it, on the curve.
    """
    rules = sealed(submission, "decided.json").items()
    ids = [one for _, found in rules for one in found]
    scores = labels_against_gold(submission, ids)
    broken = [rule for rule, found in rules if set(scores.wrong) & set(found)]
    marked = on_curve(submission, "decided", scores.accuracy)
    zh, en = f"再读规则 {'、'.join(broken)}。", f"Read again: {', '.join(broken)}."
    return replace(marked, hint=Text(zh, en) if broken else None)


@check("M7", points=6, part="messages", skill=CORRECT, needs=labels_agree)
def labels_are_consistent(submission: Submission, accuracy: float) -> Graded:
    """同一件事换个说法再来一次，标签不变；标签本身要比乱猜好。

    The same matter met twice gets one label; only beside better labels than guesses.
    """
    refuse_unfair(submission, "accuracy", accuracy)
    work, groups = own_work(submission, MESSAGES), sealed(submission, "groups.json")
    return on_curve(submission, "consistency", consistency(work, groups))


@check("M8", points=2, part="orders", skill=AUDIT)
def orders_have_the_form(submission: Submission) -> Graded:
    """orders_done.jsonl 的每一行都能用：位置在原文内，文字与位置相符，类型是规定的。

    Every line of orders_done.jsonl can be used: offsets fit the text, types are known.
    """
    return whole_form(submission, ORDERS)


@check("M9", points=4, part="orders", skill=AUDIT)
def orders_are_complete(submission: Submission) -> Graded:
    """25 张工单全部标过，按标完的比例给分。

    All 25 work orders were annotated; points by the share that was.
    """
    return done_share(submission, ORDERS)


@check("M10", points=1, part="orders", skill=AUDIT)
def orders_are_own(submission: Submission) -> Graded:
    """工单是在这一份发放材料里标的。

    The work orders were annotated in this very release.
    """
    return met(many := len(own_work(submission, ORDERS).items), many)


@check("M11", points=11, part="orders", skill=LABEL)
def spans_are_exact(submission: Submission) -> Graded:
    """实体的边界和类型都对（严格 F1），按公布的曲线给分。

    Exact F1: boundaries and type of the spans are right, on the published curve.
    """
    return on_curve(submission, "exact_f1", spans_against_gold(submission, None).f1)


@check("M12", points=7, part="orders", skill=LABEL)
def spans_are_found(submission: Submission) -> Graded:
    """实体找到了、类型对，重合一半以上（宽松 F1），按公布的曲线给分。

    Relaxed F1: right type and more than half in common, on the published curve.
    """
    found = spans_against_gold(submission, OVERLAP)
    return on_curve(submission, "relaxed_f1", found.f1)


@check("M13", points=5, part="orders", skill=DEFINE)
def weakest_type_is_found(submission: Submission) -> Graded:
    """标得最差的那一类实体的宽松 F1，按公布的曲线给分。

    Relaxed F1 of the type that came out worst, on the published curve.
    """
    right, done = gold(submission, ORDERS), own_work(submission, ORDERS).done
    codes = asked(submission, ORDERS)[1].control("spans").codes
    scores = {code: type_f1(code, right, done) for code in codes}
    worst = min(scores, key=lambda code: scores[code])
    marked = on_curve(submission, "weakest_type", scores[worst])
    return replace(marked, actual=f"{worst}: {scores[worst]:.3f}")


@check("M14", points=4, part="orders", skill=DEFINE, needs=spans_are_found)
def excluded_words_are_left(submission: Submission, found: float) -> Graded:
    """规范说不标的没有标（人名、时长、频率、没有毛病的话），按公布的曲线给分。

    What the guideline excludes is not marked (names, durations …), on the curve.
    """
    refuse_unfair(submission, "relaxed_f1", found)
    done = own_work(submission, ORDERS).done
    left = [
        int(key) in done and is_free(spans_of(done[int(key)]), *place)
        for key, places in sealed(submission, "traps.json").items()
        for place in places
    ]
    return on_curve(submission, "traps", sum(left) / len(left))


@check("M15", points=3, part="quality", skill=AUDIT)
def classes_are_counted(submission: Submission) -> Graded:
    """自己和同事的文件里，每一类各有多少条，都数对了。

    The items of each class are counted right, in one's own file and the colleague's.
    """
    said = submission.read_json("label_counts.json", {"mine": dict, "colleague": dict})
    nominal = {
        "mine": label_counts(own_work(submission, MESSAGES)),
        "colleague": label_counts(trial(submission)),
    }
    if any(said[name] != counts for name, counts in nominal.items()):
        what = Text("各类的条数不对。", "The counts are not right.")
        hint = Text("要数的是 label 那一列。", "Count the column of labels.")
        raise Mismatch(what, actual=said, nominal=nominal, hint=hint)
    return met(said["mine"], nominal["mine"])


@check("M16", points=3, part="quality", skill=AUDIT)
def open_items_are_found(submission: Submission) -> Graded:
    """没有标签的编号都找出来了，跳过的和没打开过的都算。

    Every item without a label is found, skipped ones and those never opened.
    """
    said = submission.read_json("open_items.json", {"mine": list, "colleague": list})
    nominal = {
        "mine": open_ids(submission, MESSAGES, own_work(submission, MESSAGES)),
        "colleague": open_ids(submission, "trial", trial(submission)),
    }
    if any(sorted(map(str, said[name])) != ids for name, ids in nominal.items()):
        what = Text("没标的编号找得不对。", "The open items are not right.")
        hint = Text("跳过的也没有标签。", "A skipped item has no label either.")
        raise Mismatch(what, actual=said, nominal=nominal, hint=hint)
    return met(len(said["colleague"]), len(nominal["colleague"]))


@check("M17", points=2, part="quality", skill=AUDIT)
def own_numbers_are_read(submission: Submission) -> Graded:
    """读出自己给得最多的标签和用时最长的一条。

    The label given most often and the item that took longest are read right.
    """
    fields = {"most_given": str, "slowest_item": int}
    said = submission.read_json("quality.json", fields)
    work = own_work(submission, MESSAGES)
    counts = label_counts(work)
    most = max(counts.values(), default=0)
    longest = max((item.lead_time for item in work.items.values()), default=0.0)
    slowest = work.items.get(said["slowest_item"])
    actual = f"{said['most_given'][:30]}, {said['slowest_item']}"
    nominal = f"{' / '.join(k for k, n in counts.items() if n == most)}, {longest} s"
    if not most or counts.get(said["most_given"]) != most:
        what = Text("给得最多的不是这个标签。", "Another label was given more often.")
        raise Mismatch(what, actual=actual, nominal=nominal)
    if slowest is None or slowest.lead_time != longest:
        what = Text("有一条用时更长。", "Another item took longer.")
        raise Mismatch(what, actual=actual, nominal=nominal)
    return met(actual, nominal)


@check("J1", points=4, part="quality", skill=DEFINE, by_hand=True)
def hardest_boundary_is_named(submission: Submission) -> str:
    """说出最难分的两类，引用留言，并说明依据哪条规则判断。

    Names the two classes hardest to tell apart, quotes messages, and the rule used.
    """
    return submission.written_answer("hardest_boundary")


@check("J2", points=5, part="quality", skill=CORRECT, by_hand=True)
def amendment_is_sound(submission: Submission) -> str:
    """提出一条能执行的规范修改，并用例子说明它解决了什么。

    Proposes a rule that can be applied, with an example of what it settles.
    """
    return submission.written_answer("amendment")


@check("J3", points=3, part="quality", skill=AUDIT, by_hand=True)
def colleague_is_audited(submission: Submission) -> str:
    """指出同事的文件缺什么，提出补标和抽查的办法。

    Says what is missing in the colleague's file, and how to mend and sample it.
    """
    return submission.written_answer("audit")
