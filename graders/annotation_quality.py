"""Mark sheet of the lab annotation_quality: 22 machine rows, 3 by hand, 100 points.

Every reported number is reckoned anew, from the released labels or from the decisions
that were handed in. What a person must judge from them, such as which rule is unclear,
is compared with the sealed key. Later numbers are taken to follow from earlier ones.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

from lab_env.annotations import agreement
from lab_env.annotations.graded import choice_scores
from lab_env.annotations.matching import Counts, count_spans
from lab_env.annotations.results import Choice, Span
from lab_env.annotations.sampling import error_limit, sample_size
from lab_env.checks import Graded, Mismatch, Text, check, met
from lab_env.hand_annotated import Part, facts_of, on_curve
from lab_env.metrics import close, number
from lab_env.submission import Submission

DEFINE, AUDIT, CORRECT = "2.1.3", "2.2.1", "2.2.2"
WHO = ("a", "b", "c")
DECISIONS = Part(
    "adjudicated.jsonl", "disputed.jsonl", "disputed.xml", "gold_disputed.jsonl"
)
FINDINGS = "findings.json"
# A sample of fewer says nothing, whatever is reckoned from it.
FEWEST = 20
SHOWN = 8
BELOW = Text(
    "分母是两人标的段数之和，要加括号。",
    "Below the line stands the sum of both counts, in brackets.",
)

Labels = dict[str, dict[str, str]]


def given_labels(submission: Submission) -> Labels:
    """Return {id: {annotator: label}}; a label that was not given is left out."""
    rows = submission.released.read_csv("data/labels.csv", ["id", *WHO])
    return {row["id"]: {who: row[who] for who in WHO if row[who]} for row in rows}


def pair_numbers(
    submission: Submission, measure: Callable[[Sequence[str], Sequence[str]], float]
) -> dict[str, float]:
    """Return the number of each pair, over what both of them labelled."""
    rows = given_labels(submission).values()
    found = {}
    for one, other in combinations(WHO, 2):
        both = [row for row in rows if one in row and other in row]
        given = ([row[who] for row in both] for who in (one, other))
        found[one + other] = measure(*given)
    return found


def refuse_wrong(
    said: Mapping[str, Any], nominal: Mapping[str, float], hint: Text | None = None
) -> Graded:
    """Return all points if each number is right; else Mismatch naming the first."""
    right, seen = shown(nominal), shown({name: said.get(name) for name in nominal})
    for name, expected in nominal.items():
        value = number(said.get(name))
        if value is None or not close(value, expected):
            if value is not None and close(value, 100 * expected, 0.05):
                hint = Text("请写成小数，不写百分数。", "A share, not a percentage.")
            what = f"“{name}”的数值不对。", f'The number of "{name}" is not right.'
            raise Mismatch(Text(*what), actual=seen, nominal=right, hint=hint)
    return met(seen, right)


def shown(numbers: Mapping[str, object]) -> str:
    """Return named numbers as the sheet has them; what is no number by its look."""
    words = []
    for name, given in numbers.items():
        value = number(given)
        words.append(f"{name} {repr(given)[:20] if value is None else f'{value:.4g}'}")
    return ", ".join(words)


def final_labels(submission: Submission) -> dict[str, str]:
    """Return {id: final label}: what A and B agree on, else what was decided."""
    final = {
        str(key): region.codes[0]
        for key, item in DECISIONS.own(submission).done.items()
        for region in item.regions
        if isinstance(region, Choice)
    }
    for key, row in given_labels(submission).items():
        if row["a"] == row["b"]:
            final[key] = row["a"]
    return final


def spans_of(submission: Submission, who: str, kind: str) -> dict[str, list[Span]]:
    """Return the spans of one annotator by ticket; ``kind`` "all" is every type."""
    columns = ["ticket", "annotator", "start", "end", "type", "words"]
    found: dict[str, list[Span]] = {}
    for row in submission.released.read_csv("data/spans.csv", columns):
        spans = found.setdefault(row["ticket"], [])
        if row["annotator"] == who and kind in ("all", row["type"]):
            ends = int(row["start"]), int(row["end"])
            spans.append(Span("spans", "text", *ends, row["words"], (row["type"],)))
    return found


def span_numbers(submission: Submission, overlap: float | None) -> dict[str, float]:
    """Return the F1 between A and B, of each type and of all."""
    kinds = [each["code"] for each in submission.scenario.facts["entities"]]
    found = {}
    for kind in (*kinds, "all"):
        first, second = (spans_of(submission, who, kind) for who in "ab")
        counts = [count_spans(first[k], second[k], overlap=overlap) for k in first]
        found[kind] = sum(counts, Counts(0, 0, 0)).f1
    return found


def plan(submission: Submission) -> Any:
    """Return what was agreed with the office about the check on delivery."""
    return facts_of(submission.released, "data/plan.json")


def drawn(submission: Submission) -> list[dict[str, str]]:
    """Return the sample of the size that was reported, as far as it was looked at."""
    columns = ["annotator", "label", "checked"]
    rows = submission.released.read_csv("data/inspection.csv", columns)
    size: int = submission.read_json("acceptance.json", {"sample": int})["sample"]
    if not FEWEST <= size <= len(rows):
        what = Text("样本量不合理，后面的数无从算起。", "No sample can have that size.")
        raise Mismatch(what, actual=size, nominal=f"{FEWEST} to {len(rows)}")
    return rows[:size]


def found_wrong(rows: Sequence[Mapping[str, str]]) -> int:
    """Return how many labels the client's office found wrong."""
    return sum(row["label"] != row["checked"] for row in rows)


def as_in_key(
    submission: Submission, name: str, fields: Sequence[str], hint: Text
) -> Graded:
    """Return the share of these words that are those of the key."""
    said = submission.read_json(name, dict.fromkeys(fields, str))
    facts = facts_of(submission.answer_key, FINDINGS)
    right = [said[one].strip().lower() == facts[one].lower() for one in fields]
    seen = ", ".join(said[one][:30] for one in fields)
    nominal = ", ".join(str(facts[one]) for one in fields)
    more = None if all(right) else hint
    return Graded(sum(right) / len(right), seen, nominal, hint=more)


@check("M1", points=3, part="agreement", skill=AUDIT)
def raw_is_right(submission: Submission) -> Graded:
    """三对标注员的原始一致率都算对了。

    Raw agreement is right for all three pairs of annotators.
    """
    said = submission.read_json("agreement.json", {"raw": dict})["raw"]
    hint = Text("除以两人都标过的条数。", "Divide by what both of them labelled.")
    return refuse_wrong(said, pair_numbers(submission, agreement.raw_agreement), hint)


@check("M2", points=5, part="agreement", skill=AUDIT)
def kappa_is_right(submission: Submission) -> Graded:
    """三对标注员的 Cohen's kappa 都算对了。

    Cohen's kappa is right for all three pairs of annotators.
    """
    said = submission.read_json("agreement.json", {"kappa": dict})["kappa"]
    hint = Text("分子分母都要减去碰巧一致。", "Take chance away above and below.")
    return refuse_wrong(said, pair_numbers(submission, agreement.cohen_kappa), hint)


@check("M3", points=4, part="agreement", skill=AUDIT)
def fleiss_is_right(submission: Submission) -> Graded:
    """Fleiss' kappa 算对了，只用三人都标过的留言。

    Fleiss' kappa is right, over the messages that all three labelled.
    """
    said = submission.read_json("agreement.json", {"fleiss": float, "complete": int})
    rows = [list(row.values()) for row in given_labels(submission).values()]
    whole = [row for row in rows if len(row) == len(WHO)]
    nominal = {"complete": float(len(whole)), "fleiss": agreement.fleiss_kappa(whole)}
    hint = Text("只留三人都标过的留言。", "Keep what all three labelled.")
    return refuse_wrong(said, nominal, hint)


@check("M4", points=4, part="agreement", skill=AUDIT)
def alpha_is_right(submission: Submission) -> Graded:
    """Krippendorff's alpha 算对了，C 没标的留言也用上。

    Krippendorff's alpha is right, with the messages that C left out.
    """
    said = submission.read_json("agreement.json", {"alpha": float})
    rows = [list(row.values()) for row in given_labels(submission).values()]
    hint = Text("alpha 用整张表，不丢行。", "Alpha takes the whole table.")
    return refuse_wrong(said, {"alpha": agreement.krippendorff_alpha(rows)}, hint)


@check("M5", points=4, part="disagreement", skill=AUDIT)
def pair_is_found(submission: Submission) -> Graded:
    """找到 A 和 B 分歧最多的两类。

    The two classes on which A and B differ most are found.
    """
    said = submission.read_json("disagreement.json", {"pair": list})["pair"]
    rows = given_labels(submission).values()
    counts = Counter(frozenset((row["a"], row["b"])) for row in rows)
    most = max((key for key in counts if len(key) == 2), key=lambda key: counts[key])
    nominal = ", ".join(sorted(most))
    if sorted(map(str, said)) != sorted(most):
        what = Text("分歧最多的不是这两类。", "They differ more on another pair.")
        hint = Text("看对角线以外最大的数。", "See what is off the diagonal.")
        if not {*map(str, said)} <= {*submission.scenario.label_codes}:
            what = Text("要填的是标签的代码。", "These are not codes of labels.")
            hint = Text("照表里的英文写。", "Write them as in the table.")
        seen = ", ".join(map(str, said[:2]))[:80]
        raise Mismatch(what, actual=seen, nominal=nominal, hint=hint)
    return met(nominal, nominal)


@check("M6", points=4, part="disagreement", skill=DEFINE)
def unclear_rule_is_named(submission: Submission) -> Graded:
    """指出造成这一分歧的、没写清楚的那条规则。

    The rule that is unclear and led to this disagreement is named.
    """
    hint = Text("读原文：两人各依据哪句话？", "Read them: what did each go by?")
    return as_in_key(submission, "disagreement.json", ["unclear_rule"], hint)


@check("M7", points=6, part="disagreement", skill=AUDIT)
def annotator_is_named(submission: Submission) -> Graded:
    """指出谁没有按一条写得清楚的规则标，以及是哪条规则；各占一半。

    Who does not keep to a rule that is clear, and which rule: half the points each.
    """
    fields = ["annotator", "broken_rule"]
    hint = Text("谁的混淆是别人没有的？", "Whose table has a mix-up of its own?")
    return as_in_key(submission, "disagreement.json", fields, hint)


@check("M8", points=4, part="spans", skill=AUDIT)
def exact_f1_is_right(submission: Submission) -> Graded:
    """A、B 之间的严格实体 F1，逐类和总体都算对了。

    Exact span F1 between A and B is right, by type and for all.
    """
    said = submission.read_json("spans.json", {"exact": dict})["exact"]
    return refuse_wrong(said, span_numbers(submission, None), BELOW)


@check("M9", points=3, part="spans", skill=AUDIT)
def relaxed_f1_is_right(submission: Submission) -> Graded:
    """A、B 之间的宽松实体 F1（类型相同、有重合），逐类和总体都算对了。

    Relaxed span F1 (same type, any overlap) is right, by type and for all.
    """
    said = submission.read_json("spans.json", {"relaxed": dict})["relaxed"]
    return refuse_wrong(said, span_numbers(submission, 0), BELOW)


@check("M10", points=4, part="spans", skill=DEFINE)
def weakest_type_is_explained(submission: Submission) -> Graded:
    """指出最不一致的实体类型，以及差在哪里（边界、类型还是漏标）；各占一半。

    The type they differ on most, and in what (ends, type or missing): half each.
    """
    fields = {"weakest_type": str, "difference": str}
    said = submission.read_json("spans.json", fields)
    f1 = span_numbers(submission, None)
    difference = facts_of(submission.answer_key, FINDINGS)["difference"]
    nominal = min(f1, key=lambda kind: f1[kind]), difference
    seen = said["weakest_type"].strip(), said["difference"].strip()
    share = sum(map(str.__eq__, seen, nominal)) / 2
    hint = Text("比一比两种 F1，再看原文。", "Compare both F1, then read the words.")
    more = hint if share < 1 else None
    return Graded(share, ", ".join(seen)[:80], ", ".join(nominal), hint=more)


@check("M11", points=2, part="adjudication", skill=AUDIT)
def decisions_have_the_form(submission: Submission) -> Graded:
    """adjudicated.jsonl 的每一行都能用：任务和标签都是发放的，没有重复。

    Every line of adjudicated.jsonl can be used: known task and label, none twice.
    """
    return DECISIONS.whole_form(submission)


@check("M12", points=3, part="adjudication", skill=AUDIT)
def decisions_are_complete(submission: Submission) -> Graded:
    """30 条有分歧的留言全部裁决，按裁决的比例给分。

    All 30 disputed messages are decided; points by the share that is.
    """
    return DECISIONS.done_share(submission)


@check("M13", points=1, part="adjudication", skill=AUDIT)
def decisions_are_own(submission: Submission) -> Graded:
    """裁决是在这一份发放材料里做的。

    The decisions were made in this very release.
    """
    return DECISIONS.of_this_release(submission)


@check("M14", points=12, part="adjudication", skill=CORRECT)
def decisions_are_right(submission: Submission) -> Graded:
    """30 条裁决与标准答案一致的比例，按公布的曲线给分。

    The share of the 30 decisions that agree with the key, on the published curve.
    """
    work = DECISIONS.own(submission)
    right = DECISIONS.gold(submission, submission.answer_key)
    scores = choice_scores(work, right, "label")
    return on_curve(submission, "accuracy", scores.accuracy)


@check("M15", points=7, part="adjudication", skill=CORRECT)
def reply_is_followed(submission: Submission) -> Graded:
    """热线办公室答复管到的留言，两类的正确率取平均；一律判给一方不得分。

    Where the office's reply decides: mean share right of both classes. Taking one
    side throughout gives nothing.
    """
    right = DECISIONS.gold(submission, submission.answer_key)
    work = DECISIONS.own(submission)
    sides: dict[object, list[int]] = {}
    for key in facts_of(submission.answer_key, FINDINGS)["answered"]:
        sides.setdefault(right[key].regions, []).append(key)
    shares = [
        choice_scores(work, right, "label", ids).accuracy for ids in sides.values()
    ]
    return on_curve(submission, "answered", sum(shares) / len(shares))


@check("M16", points=4, part="report", skill=CORRECT)
def final_labels_follow(submission: Submission) -> Graded:
    """final.csv：A、B 一致的用原标签，有分歧的用自己的裁决；按有最终标签的比例给分。

    final.csv has what A and B agree on and one's own decisions; points by the share
    of messages that have a final label.
    """
    rows = submission.read_csv("final.csv", ["id", "label"])
    nominal, many = final_labels(submission), len(given_labels(submission))
    said = {row["id"]: row["label"] for row in rows}
    keys = sorted(nominal.keys() | said.keys())
    wrong = [key for key in keys if said.get(key) != nominal.get(key)]
    if wrong or len(said) != len(rows):
        seen = f"{len(rows)}: {', '.join(wrong[:SHOWN])}"[:80]
        zh = "有的留言最终标签不对、缺了，或写了两遍。"
        en = "Some final labels are wrong, are left out, or stand there twice."
        hint = Text("有分歧的，按编号查裁决。", "Look up each decision by the id.")
        what = Text(zh, en)
        raise Mismatch(what, actual=seen, nominal=f"{len(nominal)}", hint=hint)
    return Graded(len(nominal) / many, len(nominal), many)


@check("M17", points=2, part="report", skill=AUDIT)
def missing_labels_are_counted(submission: Submission) -> Graded:
    """报告里写对了每位标注员漏标的条数（完整性）。

    The report has the labels that each annotator left out (completeness).
    """
    said = submission.read_json("report.json", dict.fromkeys(WHO, dict))
    rows = given_labels(submission).values()
    nominal = {who: float(sum(who not in row for row in rows)) for who in WHO}
    return refuse_wrong({who: said[who].get("missing") for who in WHO}, nominal)


@check("M18", points=4, part="report", skill=AUDIT)
def error_rates_are_right(submission: Submission) -> Graded:
    """报告里写对了每位标注员对照最终标签的错误率（准确性）。

    The report has each annotator's error rate against the final labels (accuracy).
    """
    said = submission.read_json("report.json", dict.fromkeys(WHO, dict))
    final, nominal = final_labels(submission), {}
    for who in WHO:
        rows = given_labels(submission).items()
        pairs = [(row[who], final[k]) for k, row in rows if who in row and k in final]
        nominal[who] = sum(one != other for one, other in pairs) / len(pairs)
    hint = Text("要和 final 那一列比。", "Compare with the column final.")
    rates = {who: said[who].get("error_rate") for who in WHO}
    return refuse_wrong(rates, nominal, hint)


@check("M19", points=3, part="acceptance", skill=AUDIT)
def sample_is_large_enough(submission: Submission) -> Graded:
    """抽样数是满足约定的最小数。

    The sample is the smallest that keeps what was agreed.
    """
    said = submission.read_json("acceptance.json", {"sample": int})
    facts = plan(submission)
    sizes = facts["lot"], facts["tolerated_rate"], facts["confidence"]
    nominal = {"sample": float(sample_size(*sizes, facts["allowed"]))}
    hint = Text("放过坏批次的概率不能超过 1 减把握。", "At most 1 minus confidence.")
    return refuse_wrong(said, nominal, hint)


@check("M20", points=2, part="acceptance", skill=AUDIT)
def defects_are_counted(submission: Submission) -> Graded:
    """自己的样本里错了几条、错误率多少，都算对了。

    The wrong labels in one's own sample, and their share, are right.
    """
    said = submission.read_json("acceptance.json", {"defects": int, "rate": float})
    rows = drawn(submission)
    wrong = found_wrong(rows)
    hint = Text("只数样本里的，不数样本后面的。", "Count within the sample alone.")
    nominal = {"defects": float(wrong), "rate": wrong / len(rows)}
    return refuse_wrong(said, nominal, hint)


@check("M21", points=3, part="acceptance", skill=AUDIT)
def interval_is_right(submission: Submission) -> Graded:
    """错误率的 95% 置信区间（Clopper-Pearson）算对了。

    The 95 % confidence interval of the error rate (Clopper-Pearson) is right.
    """
    said = submission.read_json("acceptance.json", {"low": float, "high": float})
    rows, confidence = drawn(submission), plan(submission)["confidence"]
    wrong, size = found_wrong(rows), len(rows)
    one_sided = 1 - (1 - confidence) / 2
    low = 1 - error_limit(size - wrong, size, one_sided)
    nominal = {"low": low, "high": error_limit(wrong, size, one_sided)}
    return refuse_wrong(said, nominal)


@check("M22", points=2, part="acceptance", skill=CORRECT)
def decision_is_right(submission: Submission) -> Graded:
    """按约定该收还是该退，退回谁的标注重做，都判断对了；各占一半。

    Accept or reject by the plan, and whose labels are to be redone: half each.
    """
    fields = {"decision": str, "redo": str}
    said, rows = submission.read_json("acceptance.json", fields), drawn(submission)
    kept = found_wrong(rows) <= plan(submission)["allowed"]
    wrong = {
        who: found_wrong([r for r in rows if r["annotator"] == who]) for who in WHO
    }
    most = [who for who in WHO if wrong[who] == max(wrong.values())]
    nominal = "accept" if kept else "reject"
    decision, redo = (said[name].strip().lower() for name in fields)
    share = ((decision == nominal) + (redo in most)) / 2
    hint = Text("谁错得最多，就让谁返工。", "Who has most wrong ones redoes the work.")
    if decision != nominal:
        hint = Text("样本里最多允许错几条？", "How many may be wrong in the sample?")
    seen, right = f"{decision}, {redo}"[:80], f"{nominal}, {' / '.join(most)}"
    return Graded(share, seen, right, hint=hint if share < 1 else None)


@check("J1", points=5, part="report", skill=CORRECT, by_hand=True)
def guideline_is_corrected(submission: Submission) -> str:
    """改写留言、实体各一条没写清楚的规则：条文能执行，并各举一例说明改了什么。

    The unclear rule for messages and the one for spans are rewritten so that they can
    be applied, each with an example.
    """
    return submission.written_answer("corrected_rules")


@check("J2", points=6, part="report", skill=AUDIT, by_hand=True)
def quality_is_reported(submission: Submission) -> str:
    """审核报告写明完整性、一致性、准确性的数字，主要问题和结论。

    The report gives completeness, agreement and accuracy in numbers, the main
    problems, and a conclusion.
    """
    return submission.written_answer("quality_report")


@check("J3", points=3, part="report", skill=AUDIT, by_hand=True)
def follow_up_is_planned(submission: Submission) -> str:
    """给三位标注员的反馈分清“规范的问题”和“人的问题”，并说明怎样复查。

    The feedback tells a fault of the guideline from a fault of a person, and says
    how it will be checked again.
    """
    return submission.written_answer("follow_up")
