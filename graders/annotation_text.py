"""Mark sheet of the lab annotation_text: 17 machine rows, 3 by hand, 100 points.

Labels and spans are compared with the sealed key; completeness, form and the numbers
about one's own file need none and answer at once in practice. Speed gives no points.
"""

from collections import Counter
from dataclasses import replace

from lab_env.annotations.annotated import Annotated, Work
from lab_env.annotations.graded import (
    ChoiceScores,
    Gold,
    choice_scores,
    consistency,
    span_scores,
)
from lab_env.annotations.matching import Counts, count_spans
from lab_env.annotations.results import Choice, Span
from lab_env.checks import Graded, Mismatch, Text, check, met
from lab_env.hand_annotated import Part, facts_of, on_curve
from lab_env.submission import Submission

LABEL, DEFINE, AUDIT, CORRECT = "2.1.2", "2.1.3", "2.2.1", "2.2.2"
MESSAGES = Part(
    "messages_done.jsonl", "messages.jsonl", "messages.xml", "gold_messages.jsonl"
)
ORDERS = Part("orders_done.jsonl", "orders.jsonl", "orders.xml", "gold_orders.jsonl")
# Done by a colleague, and released.
TRIAL = Part("trial_done.jsonl", "trial.jsonl", "messages.xml")
# More than half in common is found: the field's rule for a fair match.
OVERLAP = 0.5


def label_counts(work: Work) -> dict[str, int]:
    """Return how many items were given each label."""
    regions = [region for item in work.done.values() for region in item.regions]
    codes = [region.codes[0] for region in regions if isinstance(region, Choice)]
    return dict(Counter(codes))


def trial(submission: Submission) -> Work:
    """Return the released work of the colleague."""
    return TRIAL.released(submission, TRIAL.file)


def open_ids(submission: Submission, part: Part, work: Work) -> list[str]:
    """Return the ids of the tasks without an answer, as words, sorted."""
    ids = [task.id for task in part.asked(submission)[0] if task.id not in work.done]
    return sorted(map(str, ids))


def labels_against_gold(
    submission: Submission, only: list[int] | None = None
) -> ChoiceScores:
    """Return the labels against the key, on all messages or on some."""
    right = MESSAGES.gold(submission, submission.answer_key)
    return choice_scores(MESSAGES.own(submission), right, "label", only)


def spans_against_gold(submission: Submission, overlap: float | None) -> Counts:
    """Return the spans against the key, exact or with a common share."""
    right, work = ORDERS.gold(submission, submission.answer_key), ORDERS.own(submission)
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
    return MESSAGES.whole_form(submission)


@check("M2", points=5, part="messages", skill=AUDIT)
def messages_are_complete(submission: Submission) -> Graded:
    """60 条留言全部有标签，按标完的比例给分。

    All 60 messages have a label; points by the share that does.
    """
    return MESSAGES.done_share(submission)


@check("M3", points=2, part="messages", skill=AUDIT)
def messages_are_own(submission: Submission) -> Graded:
    """留言是在这一份发放材料里标的。

    The messages were labelled in this very release.
    """
    return MESSAGES.of_this_release(submission)


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
    macro_f1 = labels_against_gold(submission).macro_f1
    return on_curve(submission, "label_macro_f1", macro_f1)


@check("M6", points=12, part="messages", skill=DEFINE)
def guideline_is_followed(submission: Submission) -> Graded:
    """规范里有明文规定的留言，按规定标的比例，按公布的曲线给分。

    Where a rule of the guideline decides, the share labelled by it, on the curve.
    """
    rules = facts_of(submission.answer_key, "decided.json").items()
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
    work = MESSAGES.own(submission)
    groups = facts_of(submission.answer_key, "groups.json")
    return on_curve(submission, "consistency", consistency(work, groups))


@check("M8", points=2, part="orders", skill=AUDIT)
def orders_have_the_form(submission: Submission) -> Graded:
    """orders_done.jsonl 的每一行都能用：位置在原文内，文字与位置相符，类型是规定的。

    Every line of orders_done.jsonl can be used: offsets fit the text, types are known.
    """
    return ORDERS.whole_form(submission)


@check("M9", points=4, part="orders", skill=AUDIT)
def orders_are_complete(submission: Submission) -> Graded:
    """25 张工单全部标过，按标完的比例给分。

    All 25 work orders were annotated; points by the share that was.
    """
    return ORDERS.done_share(submission)


@check("M10", points=1, part="orders", skill=AUDIT)
def orders_are_own(submission: Submission) -> Graded:
    """工单是在这一份发放材料里标的。

    The work orders were annotated in this very release.
    """
    return ORDERS.of_this_release(submission)


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
    right = ORDERS.gold(submission, submission.answer_key)
    done = ORDERS.own(submission).done
    codes = ORDERS.asked(submission)[1].control("spans").codes
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
    done = ORDERS.own(submission).done
    left = [
        int(key) in done and is_free(spans_of(done[int(key)]), *place)
        for key, places in facts_of(submission.answer_key, "traps.json").items()
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
        "mine": label_counts(MESSAGES.own(submission)),
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
        "mine": open_ids(submission, MESSAGES, MESSAGES.own(submission)),
        "colleague": open_ids(submission, TRIAL, trial(submission)),
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
    work = MESSAGES.own(submission)
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
