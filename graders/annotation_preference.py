"""Mark sheet of the lab annotation_preference: 20 machine rows, 3 by hand, 100 points.

Comparisons and rankings are compared with the sealed key. Numbers and the exported file
are computed again from the annotations handed in: they can be right where a choice was
wrong. Speed gives no points.
"""

import math
from dataclasses import replace
from statistics import fmean
from typing import Any

from lab_env.annotations.annotated import Annotated
from lab_env.annotations.graded import (
    notes,
    ranking_agreement,
)
from lab_env.annotations.preferences import (
    TIE,
    Preference,
    compared,
    decision,
    is_tie,
    left_share,
    longer_share,
    preferences,
    read_preferences,
    same_again_share,
    share,
    side_of,
    undisputed,
)
from lab_env.annotations.results import Ranking
from lab_env.checks import (
    Graded,
    Mismatch,
    NotAttempted,
    Text,
    check,
    met,
)
from lab_env.hand_annotated import Part, facts_of, on_curve
from lab_env.submission import Submission

LABEL, DEFINE, AUDIT, CORRECT = "2.1.2", "2.1.3", "2.2.1", "2.2.2"
PRACTICE = Part("practice_done.jsonl", "practice.jsonl", "pairs.xml")
PAIRS = Part("pairs_done.jsonl", "pairs.jsonl", "pairs.xml", "gold_pairs.jsonl")
RANKINGS = Part(
    "rankings_done.jsonl", "rankings.jsonl", "rankings.xml", "gold_rankings.jsonl"
)
EXPORT, CHECKS = "preference.jsonl", "checks.json"
SAFETY, EQUAL = ("R1", "R2"), "R11"
# Two decimals are what a person reads off.
CLOSE = 0.005


def colleague(submission: Submission) -> list[Annotated]:
    """Return the colleague's comparisons, which were released."""
    return compared(PRACTICE.released(submission, "colleague.jsonl"))


def own_preferences(submission: Submission, *, ties: bool) -> set[Preference]:
    """Return what one's own comparisons say: the ties, or all others."""
    items = compared(PAIRS.own(submission))
    wanted = [item for item in items if is_tie(item) == ties]
    return set(preferences(wanted, PAIRS.asked(submission)[1]))


def both_files(submission: Submission) -> list[list[Annotated]]:
    """Return one's own comparisons, and the colleague's."""
    return [compared(PAIRS.own(submission)), colleague(submission)]


def both_preferences(submission: Submission) -> list[list[Preference]]:
    """Return what one's own comparisons say, and what the colleague's do."""
    form = PAIRS.asked(submission)[1]
    return [preferences(items, form) for items in both_files(submission)]


def number_is(name: str, said: Any, nominal: float, hint: Text) -> None:
    """Raise Mismatch unless a number is the one that the annotations give."""
    number = isinstance(said, int | float) and not isinstance(said, bool)
    if not (number and math.isclose(said, nominal, abs_tol=CLOSE)):
        what = Text(f"“{name}”的数不对。", f'The number "{name}" is not right.')
        actual = said if number else repr(said)[:40]
        raise Mismatch(what, actual=actual, nominal=nominal, hint=hint)


def shares_are(
    submission: Submission, name: str, nominal: list[float], hint: Text
) -> Graded:
    """Compare a share of one's own and the colleague's with those computed here."""
    if any(map(math.isnan, nominal)):
        zh = "要数的那几对还没有标。请先标完，再运行这一格。"
        en = "What is to be counted is not annotated yet. Finish, then run this cell."
        raise NotAttempted(Text(zh, en))
    said = submission.read_json(name, {"mine": float, "colleague": float})
    for who, right in zip(("mine", "colleague"), nominal, strict=True):
        number_is(who, said[who], right, hint)
    shown = f"{nominal[0]:.3f} / {nominal[1]:.3f}"
    return met(f"{said['mine']:.3f} / {said['colleague']:.3f}", shown)


def right_export(submission: Submission) -> set[Preference]:
    """Return what one's own comparisons and rankings give, ties left out."""
    ranked = RANKINGS.own(submission).done.values()
    found = preferences(ranked, RANKINGS.asked(submission)[1])
    return undisputed([*own_preferences(submission, ties=False), *found])


def exported(submission: Submission) -> list[Preference]:
    """Return the lines handed in; none at all is NotAttempted."""
    lines = read_preferences(submission.read_text(EXPORT), EXPORT)
    if not lines:
        zh = f"{EXPORT} 是空的。请完成第 5 节的填空。"
        en = f"{EXPORT} is empty. Fill in the blanks of section 5."
        raise NotAttempted(Text(zh, en))
    return lines


def not_short(submission: Submission) -> list[Preference]:
    """Return the lines handed in; a few of one's own show nothing: Mismatch."""
    lines, right = exported(submission), right_export(submission)
    own = {line for line in lines if {line, line.turned} & right}
    if 2 * len(own) < len(right):
        what = Text("文件里自己标的对数太少。", "Too few pairs are one's own.")
        nominal = f">= {math.ceil(len(right) / 2)}"
        raise Mismatch(what, actual=len(own), nominal=nominal)
    return lines


def wrong_ids(submission: Submission) -> dict[int, bool]:
    """Return for each comparison of the key whether it was decided otherwise."""
    done = PAIRS.own(submission).done
    right = PAIRS.gold(submission, submission.answer_key).items()
    return {key: decision(item) != decision(done.get(key)) for key, item in right}


def by_rules(submission: Submission, safety: bool) -> dict[str, list[int]]:
    """Return the comparisons of each safety rule, or of each other one but R11."""
    found = facts_of(submission.answer_key, "rules.json").items()
    wanted = {rule: ids for rule, ids in found if rule != EQUAL}
    return {rule: ids for rule, ids in wanted.items() if (rule in SAFETY) == safety}


def rules_kept(submission: Submission, curve_name: str, safety: bool) -> Graded:
    """Return the points of what some rules decide; name those broken."""
    wrong, rules = wrong_ids(submission), by_rules(submission, safety)
    kept = [not wrong[one] for ids in rules.values() for one in ids]
    # What is open breaks no rule; M3 names it.
    answered = {key for key in PAIRS.own(submission).done if wrong[key]}
    broken = [rule for rule, ids in rules.items() if answered & set(ids)]
    marked = on_curve(submission, curve_name, fmean(kept))
    zh, en = f"再读规则 {'、'.join(broken)}。", f"Read again: {', '.join(broken)}."
    return replace(marked, hint=Text(zh, en) if broken else None)


@check("M1", points=2, part="practice", skill=AUDIT)
def practice_is_complete(submission: Submission) -> Graded:
    """8 对试标全部做过，按做完的比例给分。

    All 8 pairs of the trial batch were compared; points by the share that was.
    """
    return PRACTICE.done_share(submission)


@check("M2", points=3, part="pairs", skill=AUDIT)
def pairs_have_the_form(submission: Submission) -> Graded:
    """pairs_done.jsonl 的每一行都能用：是这一份材料里的任务，没有重复。

    Every line of pairs_done.jsonl can be used: tasks of this release, none twice.
    """
    work = PAIRS.own(submission)
    work.refuse_findings()
    return met(len(work.items), len(work.items))


@check("M3", points=4, part="pairs", skill=AUDIT)
def pairs_are_complete(submission: Submission) -> Graded:
    """29 对全部比较过，按做完的比例给分。

    All 29 pairs were compared; points by the share that was.
    """
    return PAIRS.done_share(submission)


@check("M4", points=12, part="pairs", skill=LABEL)
def choices_agree(submission: Submission) -> Graded:
    """29 对里与标准答案一致的比例，按公布的曲线给分。

    The share of the 29 pairs decided as the key decides them, on the published curve.
    """
    wrong = wrong_ids(submission).values()
    return on_curve(submission, "accuracy", 1 - fmean(wrong))


@check("M5", points=9, part="pairs", skill=DEFINE)
def guideline_is_followed(submission: Submission) -> Graded:
    """R3 到 R10 有明文规定的，按规定选的比例，按公布的曲线给分。

    Where one of the rules R3 to R10 decides, the share chosen by it, on the curve.
    """
    return rules_kept(submission, "decided", safety=False)


@check("M6", points=9, part="pairs", skill=DEFINE)
def safety_comes_first(submission: Submission) -> Graded:
    """涉及安全的（R1、R2），选了安全回答的比例，按公布的曲线给分。

    Where safety is at stake (R1, R2), the share of safe choices, on the curve.
    """
    return rules_kept(submission, "safety", safety=True)


@check("M7", points=4, part="pairs", skill=DEFINE)
def ties_are_recognised(submission: Submission) -> Graded:
    """说的一样的勾了“一样好”，有高下的没有勾：两个比例的平均，按曲线给分。

    Equal ones ticked as equal, others not: the mean of the two shares, on the curve.
    """
    done = PAIRS.own(submission).done
    right = {
        key: is_tie(item)
        for key, item in PAIRS.gold(submission, submission.answer_key).items()
    }
    kept = [
        fmean(
            key in done and is_tie(done[key]) == tie
            for key in right
            if right[key] == tie
        )
        for tie in (True, False)
    ]
    return on_curve(submission, "ties", fmean(kept))


@check("M8", points=5, part="pairs", skill=CORRECT, needs=choices_agree)
def choices_hold_when_swapped(submission: Submission, accuracy: float) -> Graded:
    """左右对调再来一次，选的是同一个回答；选择本身要比乱猜好。

    With sides swapped the same answer is chosen; counted if choices beat chance.
    """
    least = submission.curves["accuracy"]["zero"]
    if not accuracy > least:
        zh = "选择本身还不比乱猜好，这一行不计分。"
        en = "The choices are no better than guesses, so this row gives nothing."
        raise Mismatch(Text(zh, en), actual=accuracy, nominal=f"> {least}")
    work = PAIRS.own(submission)
    groups = facts_of(submission.answer_key, "groups.json")
    twice = [{decision(work.done.get(one)) for one in group} for group in groups]
    same = [each in ({"left", "right"}, {TIE}) for each in twice]
    return on_curve(submission, "consistency", fmean(same))


@check("M9", points=3, part="pairs", skill=AUDIT)
def reasons_are_given(submission: Submission) -> Graded:
    """要求写理由的都写了，每条不少于规定的字数，不是同一句话。

    A reason stands where one is asked for, long enough, no sentence twice.
    """
    facts, language = submission.scenario.facts, submission.language
    wanted, least = facts["ask"][language]["yes"], facts["least_reason"][language]
    ids = [t.id for t in PAIRS.asked(submission)[0] if t.data["ask"] == wanted]
    written = notes(PAIRS.own(submission), "why")
    found = {one: "".join(written.get(one, "").split()) for one in ids}
    short = [str(one) for one, text in found.items() if len(text) < least]
    many = len({text for text in found.values() if len(text) >= least})
    zh = f"不同的理由有 {many} 条，应为 {len(ids)} 条，每条至少 {least} 个字。"
    en = f"{many} different reasons of {least} characters or more, not {len(ids)}."
    if short:
        zh, en = f"{zh}还缺：{'、'.join(short)}。", f"{en} Open: {', '.join(short)}."
    hint = Text(zh, en) if many < len(ids) else None
    return Graded(many / len(ids), many, len(ids), hint=hint)


@check("M10", points=3, part="rankings", skill=AUDIT)
def rankings_are_complete(submission: Submission) -> Graded:
    """8 组全部排过，按排完的比例给分；文件的每一行都能用。

    All 8 lists were ranked, points by the share; every line can be used.
    """
    RANKINGS.own(submission).refuse_findings()
    return RANKINGS.done_share(submission)


@check("M11", points=8, part="rankings", skill=LABEL)
def order_agrees(submission: Submission) -> Graded:
    """两两次序与标准答案一致的比例，即 (Kendall τ + 1) / 2，按公布的曲线给分。

    The share of pairs in the key's order, (Kendall's tau + 1) / 2, on the curve.
    """
    right = RANKINGS.gold(submission, submission.answer_key)
    share = ranking_agreement(RANKINGS.own(submission), right, "rank")
    return on_curve(submission, "order", share)


@check("M12", points=5, part="rankings", skill=DEFINE)
def unsafe_answers_stand_last(submission: Submission) -> Graded:
    """有不安全回答的几组，不安全的排在最后，按公布的曲线给分。

    Where one answer is unsafe it stands last, on the published curve.
    """
    done = RANKINGS.own(submission).done
    last = {
        key: [one.order[-1] for one in item.regions if isinstance(one, Ranking)]
        for key, item in done.items()
    }
    unsafe = facts_of(submission.answer_key, "unsafe.json").items()
    kept = [last.get(int(key)) == [name] for key, name in unsafe]
    return on_curve(submission, "unsafe_last", fmean(kept))


@check("M13", points=2, part="bias", skill=AUDIT)
def left_share_is_right(submission: Submission) -> Graded:
    """选左边的比例，自己的和同事的，都算对了。

    The share chosen on the left, one's own and the colleague's, is right.
    """
    nominal = [left_share(items) for items in both_files(submission)]
    hint = Text("要数的是 left。", 'Count "left".')
    return shares_are(submission, "left.json", nominal, hint)


@check("M14", points=2, part="bias", skill=AUDIT)
def longer_share_is_right(submission: Submission) -> Graded:
    """选中较长回答的比例，自己的和同事的，都算对了。

    The share in which the longer answer was chosen is right for both files.
    """
    nominal = [longer_share(found) for found in both_preferences(submission)]
    hint = Text("和没选的那个比长短。", "Compare with the answer not chosen.")
    return shares_are(submission, "longer.json", nominal, hint)


@check("M15", points=3, part="bias", skill=AUDIT)
def same_again_is_right(submission: Submission) -> Graded:
    """左右对调后选了同一个回答的比例，自己的和同事的，都算对了。

    The share of repeated pairs with the same answer again is right for both files.
    """
    nominal = [same_again_share(found) for found in both_preferences(submission)]
    hint = Text("比的是选中的回答，不是左右。", "Compare answers and not sides.")
    return shares_are(submission, "swapped.json", nominal, hint)


@check("M16", points=2, part="bias", skill=AUDIT)
def agreement_is_right(submission: Submission) -> Graded:
    """与同事一致的比例算对了。

    The share in which one agrees with the colleague is right.
    """
    theirs = {item.task.id: side_of(item) for item in colleague(submission)}
    own = compared(PRACTICE.own(submission))
    nominal = share(side_of(item) == theirs[item.task.id] for item in own)
    said = submission.read_json("agreement.json", {"agreement": float})["agreement"]
    hint = Text("要和 _colleague 的那一列比。", "Compare with the colleague's column.")
    number_is("agreement", said, nominal, hint)
    return met(said, nominal)


@check("M17", points=5, part="export", skill=CORRECT)
def export_follows_the_annotations(submission: Submission) -> Graded:
    """preference.jsonl 的内容与自己的标注相符：比较和排序都在，方向没有反。

    preference.jsonl is what one's annotations give, comparisons and rankings alike.
    """
    lines, right = set(exported(submission)), right_export(submission)
    many, hint = len(lines & right), None
    if len({line.turned for line in lines} & right) > many:
        hint = Text("chosen 和 rejected 反了。", "Chosen and rejected are exchanged.")
    elif lines != right:
        hint = Text("缺了一些对，或者多了一些。", "Some pairs are missing or too many.")
    marked = on_curve(submission, "export", many / len(lines | right))
    shown = f"{many} / {len(lines)}"
    return replace(marked, actual=shown, nominal=len(right), hint=hint)


@check("M18", points=2, part="export", skill=AUDIT)
def export_has_the_form(submission: Submission) -> Graded:
    """文件每行都有 prompt、chosen、rejected，两个回答不相同。

    Every line has prompt, chosen and rejected, and the two answers differ.
    """
    lines = not_short(submission)
    same = sum(line.chosen == line.rejected for line in lines)
    if same:
        what = Text("有的行两个回答一样。", "In some lines both answers are the same.")
        raise Mismatch(what, actual=same, nominal=0)
    return met(len(lines), len(lines))


@check("M19", points=3, part="export", skill=CORRECT)
def export_holds_nothing_doubtful(submission: Submission) -> Graded:
    """没有重复的行，没有互相矛盾的行，没有标成“一样好”的；三项各一分。

    No line twice, none against another, no tie: one point for each of the three.
    """
    lines = not_short(submission)
    found, decided = set(lines), own_preferences(submission, ties=False)
    ties = own_preferences(submission, ties=True) - decided
    twice, against = len(lines) - len(found), len(found) - len(undisputed(found))
    equal = len(ties & found)
    many, shown = (twice, against, equal), f"{twice} / {against} / {equal}"
    zh = f"重复 {twice} 行，互相矛盾 {against} 行，“一样好” {equal} 行。"
    en = f"{twice} lines come twice, {against} are contradicted, {equal} are ties."
    hint = Text(zh, en) if any(many) else None
    return Graded(many.count(0) / 3, shown, "0 / 0 / 0", hint=hint)


@check("M20", points=2, part="export", skill=AUDIT)
def file_is_checked(submission: Submission) -> Graded:
    """导出文件的检查数字都对，也算对了 4 个回答能变成几对。

    The numbers about the file are right, and so are the pairs of a ranking of four.
    """
    lines = exported(submission)
    nominal = {
        "lines": len(lines),
        "repeated": len(lines) - len(set(lines)),
        "without_prompt": 0,
        "same_answer": sum(line.chosen == line.rejected for line in lines),
        "pairs_of_four": math.comb(4, 2),
    }
    said = submission.read_json(CHECKS, dict.fromkeys(nominal, int))
    for name, right in nominal.items():
        hint = Text("请在文件里数一数。", "Count it in the file.")
        if name == "pairs_of_four":
            hint = Text("写出 A > B > C > D 数一数。", "Write A > B > C > D and count.")
        number_is(name, said[name], right, hint)
    return met(*(" / ".join(map(str, each.values())) for each in (said, nominal)))


@check("J1", points=5, part="writing", skill=DEFINE, by_hand=True)
def reasons_are_sound(submission: Submission) -> str:
    """标注时写的理由和第 1 题：规则引得对，说清了差在哪里。

    The reasons given while annotating, and question 1: right rule, real difference.
    """
    answer = submission.written_answer("hardest_pair")
    given = notes(PAIRS.own(submission), "why").items()
    return "\n".join([answer, *(f"{key}: {text[:200]}" for key, text in given)])


@check("J2", points=4, part="writing", skill=AUDIT, by_hand=True)
def bias_is_explained(submission: Submission) -> str:
    """用数字说出同事的偏差，判断文件能否使用，并提出办法。

    Names the colleague's biases by figures, judges the file, and says what to do.
    """
    return submission.written_answer("bias")


@check("J3", points=3, part="writing", skill=CORRECT, by_hand=True)
def amendment_is_sound(submission: Submission) -> str:
    """提出一条能执行的规范修改，并举例说明。

    Proposes a rule that can be applied, with an example.
    """
    return submission.written_answer("amendment")
