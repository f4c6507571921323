"""Mark sheet of the lab evaluation_classifier: 25 machine rows, 3 by hand, 100 points.

Every reported number is reckoned anew from the scores and texts that were handed in and
the released labels: a right number from a wrong method does not pass. Where the scores
are not those of the given candidates, a right reckoning gets a part (lab_env.scored).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from lab_env import evaluation
from lab_env.checks import Graded, Mismatch, NotAttempted, Text, check, met
from lab_env.classifier import labels_of
from lab_env.metrics import accuracy, macro_f1, number
from lab_env.reported import flat, named, said_of, share_right, shown
from lab_env.rewritten import KINDS, rewritten, shares_rewritten
from lab_env.scored import (
    AGREEMENT,
    CANDIDATES,
    WHO,
    agreement,
    as_candidates,
    both,
    prices_of,
    rarest_of,
    scores_of,
    slices_of,
    texts_of,
    triples,
)
from lab_env.submission import Submission

KEEP_SETS, TEST, REPORT, ANALYSE = "2.2.1", "2.2.3", "2.2.4", "2.2.5"
UNDECIDED = 0.004
TEMPERATURE_NEAR, LEAST_T, MOST_T = 0.005, 0.05, 20.0
THRESHOLDS = [round(step / 40, 3) for step in range(41)]
COST_NEAR = 1.01
# Of each kind, this share must be changed, and still be like the original.
REWRITTEN = 0.8
SLICE_LEAST, WORST, WORST_LEAST = 30, 20, 10
CAUSES_LEAST, CAUSES_MOST = 3, 8
GOLDEN, PER_TEAM, PER_CHANNEL, HARD = 40, 3, 5, 10

RULES = (
    Text("共 40 条", "40 in all"),
    Text("每个团队", "each team"),
    Text("每个渠道", "each channel"),
    Text("难题", "hard ones"),
)

Pairs = dict[str, dict[str, float]]

USE_MACRO = Text(
    "average 要填 macro，让每个团队一样重要；micro 等于准确率。",
    "Average should be macro, so that every team counts; micro is accuracy again.",
)
ON_TEST = Text(
    "结果要在测试集上报告。", "What is reported is computed on the test split."
)
ON_VALIDATION = Text(
    "选择要在验证集上做，测试集只用来报告。",
    "Choose on validation; the test split is for reporting alone.",
)


def for_both(submission: Submission, measure: Callable[..., float]) -> dict[str, float]:
    """Return {candidate: measure of right and given labels} on test."""
    return {who: measure(*each.pair) for who, each in both(submission).items()}


@check("M1", points=2, part="scores", skill=TEST)
def scores_are_complete(submission: Submission) -> Graded:
    """两个候选对每条验证、测试消息都有打分。

    Both candidates have scores for every validation and test message.
    """
    many = [len(scores_of(submission, who)) for who in WHO]
    return met(many, many)


@check("M2", points=4, part="scores", skill=TEST)
def scores_are_of_the_candidates(submission: Submission) -> Graded:
    """打分确实出自给定的两个候选模型（各占一半）。

    The scores are those of the two given candidates; half the points each.
    """
    rows = submission.answer_key.read_csv(CANDIDATES, ["id", *WHO])
    agree = {who: agreement(submission, who, rows) for who in WHO}
    right = [share >= AGREEMENT for share in agree.values()]
    hint = Text(
        "A、B 要各装一个；团队的顺序用标签体系的。",
        "Load both A and B; keep the order of the label scheme.",
    )
    more = None if all(right) else hint
    return Graded(sum(right) / 2, shown(agree), f">= {AGREEMENT}", hint=more)


@check("M3", points=4, part="metrics", skill=TEST)
def overall_scores_are_right(submission: Submission) -> Graded:
    """两个候选的测试准确率和 macro-F1 都算对了。

    Accuracy and macro-F1 on test are right for both candidates.
    """
    said, nominal = {}, {}
    for name, measure in (("accuracy", accuracy), ("macro_f1", macro_f1)):
        found = said_of(submission, "overall.json", name)
        for who, value in for_both(submission, measure).items():
            said[f"{name}_{who}"], nominal[f"{name}_{who}"] = found.get(who), value
    graded = share_right(said, nominal, hint=USE_MACRO)
    return as_candidates(submission, graded)


@check("M4", points=2, part="metrics", skill=REPORT)
def winners_are_named(submission: Submission) -> Graded:
    """说对了哪个候选准确率高、哪个 macro-F1 高（各占一半）。

    Who has the higher accuracy and who the higher macro-F1: half the points each.
    """
    fields = {"better_accuracy": str, "better_macro_f1": str}
    said = submission.read_json("overall.json", fields)
    right, best = [], []
    for field, measure in zip(fields, (accuracy, macro_f1), strict=True):
        values = for_both(submission, measure)
        most = max(values.values())
        best.append("/".join(who for who in WHO if values[who] >= most))
        right.append(said[field] in WHO and values[said[field]] >= most)
    seen = ", ".join(said[name][:10] for name in fields)
    hint = Text(
        "在上面的表里，每一列比一比 a 和 b 谁大。",
        "In the table above, compare a and b in each column.",
    )
    more = None if all(right) else hint
    graded = Graded(sum(right) / 2, seen, ", ".join(best), hint=more)
    return as_candidates(submission, graded)


@check("M5", points=3, part="slices", skill=TEST)
def recall_of_teams_is_right(submission: Submission) -> Graded:
    """两个候选在每个团队上的召回率都算对了。

    Recall of every team is right for both candidates.
    """
    said = said_of(submission, "teams.json", "recall")
    found = {
        who: evaluation.recalls(*each.pair) for who, each in both(submission).items()
    }
    hint = Text("每个团队各一个，不取平均。", "One for each team, and no mean.")
    return as_candidates(submission, share_right(flat(said), flat(found), hint=hint))


@check("M6", points=2, part="slices", skill=ANALYSE)
def furthest_team_is_named(submission: Submission) -> Graded:
    """指出候选 A 比候选 B 落后最多的团队。

    The team on which A is furthest behind B is named.
    """
    fields = {"furthest_behind": str}
    said = submission.read_json("teams.json", fields)["furthest_behind"]
    one, other = (evaluation.recalls(*each.pair) for each in both(submission).values())
    behind = {team: other[team] - one[team] for team in one}
    return as_candidates(submission, named(said, behind, 0.005))


@check("M7", points=4, part="slices", skill=TEST)
def slices_are_right(submission: Submission) -> Graded:
    """按渠道、长短、是否夹杂外语分开的准确率都算对了。

    Accuracy by channel, length and mixed language is right for both candidates.
    """
    said = said_of(submission, "slices.json", "accuracy")
    graded = share_right(flat(said), flat(slice_numbers(submission)), hint=ON_TEST)
    return as_candidates(submission, graded)


def slice_numbers(submission: Submission) -> Pairs:
    """Return {candidate: {slice: accuracy}} on test."""
    found: Pairs = {}
    for who, each in both(submission).items():
        hits = {one: each.given[one] == label for one, label in each.right.items()}
        found[who] = {
            name: sum(hits[one] for one in ids) / len(ids)
            for name, ids in slices_of(submission).items()
        }
    return found


@check("M8", points=2, part="slices", skill=ANALYSE)
def hardest_slice_is_named(submission: Submission) -> Graded:
    """在 30 条以上的切片里，指出候选 B 准确率最低的。

    The slice of 30 messages or more on which B's accuracy is lowest is named.
    """
    said = submission.read_json("slices.json", {"hardest": str})["hardest"]
    many = {name: len(ids) for name, ids in slices_of(submission).items()}
    hits = slice_numbers(submission)["b"].items()
    wrong = {name: 1 - hit for name, hit in hits if many[name] >= SLICE_LEAST}
    return as_candidates(submission, named(said, wrong, 0.005))


def interval_is_right(submission: Submission, name: str, gap: evaluation.Gap) -> Graded:
    """Return the points of a reported interval of A less B, half for each end."""
    said = said_of(submission, "comparison.json", "intervals").get(name)
    ends = said if isinstance(said, list) and len(said) == 2 else [None, None]
    low, high = (number(end) for end in ends)
    draws = evaluation.bootstrap(triples(submission), gap)
    # The upper end is the lower one of what B is ahead by.
    turned = [-draw for draw in reversed(draws)]
    right = [
        low is not None and evaluation.cuts_tail(draws, low),
        high is not None and evaluation.cuts_tail(turned, -high),
    ]
    nominal = evaluation.interval(draws)
    hint = Text(
        "两个候选答同一批消息；两头一共去掉 5 %。",
        "One draw for both; 5 % are cut in all.",
    )
    seen, expected = (
        shown(dict(zip(("low", "high"), pair, strict=True))) for pair in (ends, nominal)
    )
    if not any(right):
        what = Text("区间的两端都不对。", "Neither end of the interval is right.")
        raise Mismatch(what, actual=seen, nominal=expected, hint=hint)
    graded = Graded(sum(right) / 2, seen, expected, hint=None if all(right) else hint)
    return as_candidates(submission, graded)


@check("M9", points=4, part="comparison", skill=TEST)
def accuracy_interval_is_right(submission: Submission) -> Graded:
    """准确率之差（A − B）的 95 % 自助法区间算对了（两端各占一半）。

    The 95 % bootstrap interval of the difference in accuracy, A less B, is right.
    """
    return interval_is_right(submission, "accuracy", evaluation.accuracy_gap)


@check("M10", points=2, part="comparison", skill=TEST)
def macro_f1_interval_is_right(submission: Submission) -> Graded:
    """macro-F1 之差（A − B）的 95 % 自助法区间算对了（两端各占一半）。

    The 95 % bootstrap interval of the difference in macro-F1, A less B, is right.
    """
    return interval_is_right(submission, "macro_f1", evaluation.macro_f1_gap)


@check("M11", points=4, part="comparison", skill=TEST)
def mcnemar_is_right(submission: Submission) -> Graded:
    """McNemar 检验的两个条数和 p 值都对。

    Both counts and the p-value of McNemar's test are right.
    """
    fields = {"only_a": int, "only_b": int, "p": float}
    said = submission.read_json("comparison.json", fields)
    one, other = evaluation.only_one_right(triples(submission))
    nominal = {"only_a": one, "only_b": other, "p": evaluation.mcnemar_p(one, other)}
    hint = Text(
        "只数“只有一个答对”的消息：先填只有 A 对的，再填只有 B 对的。",
        "Count where one alone is right: A's number first, then B's.",
    )
    return as_candidates(submission, share_right(said, nominal, hint=hint))


@check("M12", points=3, part="comparison", skill=REPORT)
def conclusions_follow(submission: Submission) -> Graded:
    """从两个区间得出的结论都对（各占一半）。

    The conclusions drawn from both intervals are right; half the points each.
    """
    fields = {"accuracy_verdict": str, "macro_f1_verdict": str}
    said = submission.read_json("comparison.json", fields)
    rows = triples(submission)
    gaps = (evaluation.accuracy_gap, evaluation.macro_f1_gap)
    draws = (evaluation.bootstrap(rows, gap) for gap in gaps)
    fitting = [verdicts(*evaluation.interval(each)) for each in draws]
    right = [said[name] in some for name, some in zip(fields, fitting, strict=True)]
    seen = ", ".join(said[name][:10] for name in fields)
    nominal = ", ".join("/".join(sorted(some)) for some in fitting)
    hint = Text("0 在区间里吗？", "Is 0 within the interval?")
    graded = Graded(sum(right) / 2, seen, nominal, hint=None if all(right) else hint)
    return as_candidates(submission, graded)


def verdicts(low: float, high: float) -> set[str]:
    """Return what may be concluded; close to 0 the draws decide, so two are right."""
    found = set()
    if low > -UNDECIDED:
        found.add("a")
    if high < UNDECIDED:
        found.add("b")
    if low < UNDECIDED and high > -UNDECIDED:
        found.add("unclear")
    return found


@check("M13", points=4, part="calibration", skill=TEST)
def calibration_error_is_right(submission: Submission) -> Graded:
    """两个候选校准前的 ECE（测试集、十档）都算对了。

    ECE before calibration, on test in ten bins, is right for both candidates.
    """
    said = said_of(submission, "calibration.json", "before")
    nominal = {who: each.calibration_error() for who, each in both(submission).items()}
    hint = Text(
        "每一档：平均把握减去答对的比例。", "In each bin: how sure less how right."
    )
    return as_candidates(submission, share_right(said, nominal, hint=hint))


@check("M14", points=1, part="calibration", skill=REPORT)
def sureness_is_named(submission: Submission) -> Graded:
    """从可靠性图看出两个候选是过于自信还是信心不足。

    The reliability diagram is read: over- or underconfident.
    """
    said = submission.read_json("calibration.json", {"sureness": str})["sureness"]
    gap = 0.0
    for each in both(submission).values():
        gap += sum(each.confidence().values()) / len(each.right) - accuracy(*each.pair)
    nominal = "over" if gap > 0 else "under"
    if said != nominal:
        what = Text("再看图：点在虚线的哪一边？", "Which side of the dotted line?")
        raise Mismatch(what, actual=said[:30], nominal=nominal)
    return as_candidates(submission, met(said, nominal))


@check("M15", points=4, part="calibration", skill=TEST)
def temperature_is_fitted(submission: Submission) -> Graded:
    """两个候选的温度都是在验证集上拟合的。

    The temperature of both candidates is the one fitted on validation.
    """
    said = said_of(submission, "calibration.json", "temperature")
    parts = both(submission, "validation")
    nominal = {who: each.temperature() for who, each in parts.items()}
    graded = share_right(said, nominal, TEMPERATURE_NEAR, ON_VALIDATION)
    return as_candidates(submission, graded)


@check("M16", points=2, part="calibration", skill=TEST)
def calibrated_error_follows(submission: Submission) -> Graded:
    """校准后的 ECE（测试集）与你的温度一致。

    ECE on test after calibration follows from one's own temperatures.
    """
    said = said_of(submission, "calibration.json", "after")
    used = temperatures(submission, "calibration.json")
    nominal = {
        who: each.calibration_error(used[who]) for who, each in both(submission).items()
    }
    return as_candidates(submission, share_right(said, nominal))


def temperatures(submission: Submission, name: str) -> dict[str, float]:
    """Return one's own temperatures; one that no score can be divided by is refused."""
    said = said_of(submission, name, "temperature")
    found = {who: number(said.get(who)) for who in WHO}
    for who, value in found.items():
        if value is None or not LEAST_T <= value <= MOST_T:
            zh = f"候选 {who.upper()} 的温度应在 {LEAST_T} 到 {MOST_T:g} 之间。"
            en = f"The temperature of {who.upper()} should be {LEAST_T} to {MOST_T:g}."
            raise Mismatch(Text(zh, en), actual=repr(value)[:30], nominal="a number")
    return {who: value for who, value in found.items() if value is not None}


def cost_of(
    submission: Submission, split: str, used: Mapping[str, float], who: str
) -> Callable[[float], float]:
    """Return what 1,000 messages cost a candidate, by threshold."""
    each, prices = both(submission, split)[who], prices_of(submission)
    sure, rarest = each.confidence(used[who]), rarest_of(submission)
    return lambda least: each.cost(prices, rarest, sure, least)


@check("M17", points=4, part="cost", skill=TEST)
def thresholds_cost_least(submission: Submission) -> Graded:
    """两个候选的阈值都让验证集上的花费最少（各占一半）。

    The threshold of each candidate costs least on validation; half the points each.
    """
    said = said_of(submission, "costs.json", "threshold")
    used = temperatures(submission, "costs.json")
    right, nominal = [], {}
    for who in WHO:
        price = cost_of(submission, "validation", used, who)
        nominal[who] = min(THRESHOLDS, key=price)
        value = number(said.get(who))
        least = price(nominal[who]) * COST_NEAR
        right.append(value is not None and price(value) <= least)
    seen = shown({who: said.get(who) for who in WHO})
    hint = Text(
        "阈值要让验证集上的花费最少；也核对一下费用的两个空。",
        "It should cost least on validation; check the two prices as well.",
    )
    more = None if all(right) else hint
    graded = Graded(sum(right) / 2, seen, shown(nominal), hint=more)
    return as_candidates(submission, graded)


@check("M18", points=4, part="cost", skill=REPORT)
def cost_is_right(submission: Submission) -> Graded:
    """在自己的阈值上，测试集每千条的花费按费用表算对了。

    What 1,000 test messages cost at one's own thresholds is right by the price list.
    """
    said = said_of(submission, "costs.json", "cost")
    least = said_of(submission, "costs.json", "threshold")
    used = temperatures(submission, "costs.json")
    nominal = {
        who: cost_of(submission, "test", used, who)(number(least.get(who)) or 0.0)
        for who in WHO
    }
    hint = Text("漏掉最要紧的最贵，转手便宜。", "A miss is dear, a hand-over is cheap.")
    return as_candidates(submission, share_right(said, nominal, 0.5, hint))


@check("M19", points=4, part="robustness", skill=TEST)
def rewritten_texts_differ(submission: Submission) -> Graded:
    """三种改写都真的改了消息（至少八成），而且还看得懂；各占三分之一。

    Each kind of rewriting changes at least 80 % of the messages, which can still be
    read; a third of the points each.
    """
    shares = shares_rewritten(rewritten(submission, WHO), texts_of(submission, "test"))
    good = [share >= REWRITTEN for share in shares.values()]
    poor = [kind for kind, share in shares.items() if share < REWRITTEN]
    zh = f"{'、'.join(poor)}：多数消息没有变，或者变得认不出了。"
    en = f"{', '.join(poor)}: most are unchanged, or cannot be recognised."
    hint = Text(zh, en) if poor else None
    return Graded(sum(good) / 3, shown(shares), f">= {REWRITTEN}", hint=hint)


@check("M20", points=3, part="robustness", skill=TEST)
def drop_is_right(submission: Submission) -> Graded:
    """三种改写之后准确率的下降，与交上来的答案一致。

    The drop in accuracy after each kind of rewriting follows from the answers.
    """
    said = flat(said_of(submission, "robustness.json", "drop"))
    hint = Text("原来的准确率减去改写后的。", "Accuracy before less accuracy after.")
    return as_candidates(
        submission, share_right(said, flat(drops(submission)), hint=hint)
    )


def drops(submission: Submission) -> Pairs:
    """Return {candidate: {kind: accuracy before less accuracy after}}."""
    right, before = labels_of(submission, "test"), for_both(submission, accuracy)
    rows = rewritten(submission, WHO)
    found: Pairs = {}
    for who in WHO:
        hits = Counter(row["kind"] for row in rows if row[who] == right[row["id"]])
        found[who] = {kind: before[who] - hits[kind] / len(right) for kind in KINDS}
    return found


@check("M21", points=1, part="robustness", skill=REPORT)
def weak_spot_is_named(submission: Submission) -> Graded:
    """指出让候选 B 下降最多的一种改写。

    The kind of rewriting that costs B most is named.
    """
    said = submission.read_json("robustness.json", {"weak_spot": str})["weak_spot"]
    found = drops(submission)["b"]
    if len(set(found.values())) == 1:
        what = Text("三种改写的下降完全一样。", "All three drops are the same.")
        raise Mismatch(what, actual=shown(found), nominal="three rewritings")
    return as_candidates(submission, named(said, found, 0.005))


@check("M22", points=6, part="decision", skill=REPORT)
def cheaper_model_is_released(submission: Submission) -> Graded:
    """上线的是在最合适的阈值上花费少的那个候选，并且两个候选的花费都已算出。

    The model released is the one that costs less at its best threshold, and the cost
    of both was reckoned.
    """
    said = submission.read_json("decision.json", {"model": str})["model"]
    reckoned = said_of(submission, "costs.json", "cost")
    if any(number(reckoned.get(who)) is None for who in WHO):
        what = Text("还没有算出两个候选的花费。", "The cost of both is not there.")
        raise Mismatch(what, actual=shown(reckoned), nominal="a, b")
    parts = both(submission, "validation")
    used = {who: each.temperature() for who, each in parts.items()}
    saved = {}
    for who in WHO:
        price = cost_of(submission, "validation", used, who)
        least = min(THRESHOLDS, key=price)
        saved[who] = -cost_of(submission, "test", used, who)(least)
    hint = Text("要紧的是花费，不是准确率。", "Cost decides, not accuracy.")
    return as_candidates(submission, named(said, saved, 1.0, hint))


@check("M23", points=4, part="errors", skill=ANALYSE)
def worst_errors_are_found(submission: Submission) -> Graded:
    """worst_errors.csv 是上线模型最糟的 20 个错误：先看花费，再看把握。

    worst_errors.csv has the 20 worst errors of the model released: by cost, then by
    how sure it was.
    """
    rows = submission.read_csv("worst_errors.csv", ["id"])
    who = submission.read_json("decision.json", {"model": str})["model"]
    if who not in WHO:
        what = Text("上线的模型应为 a 或 b。", "The model released should be a or b.")
        raise Mismatch(what, actual=who[:30], nominal="a / b")
    used = temperatures(submission, "costs.json")[who]
    worst = worst_of(submission, who, used)
    given = {row["id"] for row in rows[:WORST]}
    hits = len(given & set(worst))
    hint = Text("最贵的在前，同价看把握。", "Dearest first, then the surest.")
    if hits < WORST_LEAST:
        what = Text("这不是最糟的 20 个错误。", "These are not the 20 worst errors.")
        raise Mismatch(what, actual=hits, nominal=len(worst), hint=hint)
    # At the end of the list two may be as bad as one another.
    share = 1.0 if hits >= len(worst) - 1 else hits / len(worst)
    graded = Graded(share, hits, len(worst), hint=hint if share < 1 else None)
    return as_candidates(submission, graded, [who])


def worst_of(submission: Submission, who: str, temperature: float) -> Sequence[str]:
    """Return the ids of the 20 worst errors, worst first."""
    each, rarest = both(submission)[who], rarest_of(submission)
    sure, right = each.confidence(temperature), each.right
    wrong = [one for one, label in right.items() if each.given[one] != label]
    wrong.sort(key=lambda one: (right[one] != rarest, -sure[one]))
    return wrong[:WORST]


@check("M24", points=2, part="errors", skill=ANALYSE)
def causes_are_complete(submission: Submission) -> Graded:
    """1 到 20 号错误各归入一种原因，原因有 3 到 8 种。

    Each error from 1 to 20 stands under one cause; there are 3 to 8 causes.
    """
    causes = submission.read_json("causes.json", {})
    groups = [group for group in causes.values() if isinstance(group, list) and group]
    numbers = Counter(repr(one) for group in groups for one in group)
    wanted = {repr(one) for one in range(1, WORST + 1)}
    most = max(numbers.values(), default=0)
    few = not CAUSES_LEAST <= len(groups) <= CAUSES_MOST
    if numbers.keys() != wanted or most > 1 or few:
        left = len(wanted - numbers.keys())
        zh = f"有 {len(groups)} 种原因（应为 3 到 8 种），还差 {left} 条没有归类。"
        en = f"{len(groups)} causes (3 to 8 are asked); {left} errors have none."
        hint = Text("1 到 20 号每条只归一次。", "Each of 1 to 20 stands there once.")
        nominal = f"{CAUSES_LEAST} to {CAUSES_MOST}, each once"
        actual = sum(numbers.values())
        raise Mismatch(Text(zh, en), actual=actual, nominal=nominal, hint=hint)
    return met(len(groups), f"{CAUSES_LEAST} to {CAUSES_MOST}")


@check("M25", points=5, part="golden", skill=KEEP_SETS)
def golden_set_keeps_the_rule(submission: Submission) -> Graded:
    """黄金集 40 条标签正确，团队、渠道、难题至少各 3、5、10 条；各占四分之一。

    Golden set: 40 test items with right labels, at least 3 a team, 5 a channel and 10
    hard ones; a quarter of the points each.
    """
    rows = submission.read_csv("golden.csv", ["id", "team"])
    if not rows:
        said = Text(
            "黄金集还是空的：请填四个数。", "Nothing is chosen: fill in four numbers."
        )
        raise NotAttempted(said)
    right, channels = labels_of(submission, "test"), slices_of(submission, "channel")
    chosen = {row["id"] for row in rows if right.get(row["id"]) == row["team"]}
    teams = Counter(right[one] for one in chosen)
    one, other = both(submission).values()
    hard = [i for i in chosen if not one.given[i] == other.given[i] == right[i]]
    kept = {
        RULES[0]: len(chosen) == len(rows) == GOLDEN,
        RULES[1]: min(teams[code] for code in submission.scenario.label_codes)
        >= PER_TEAM,
        RULES[2]: min(len(chosen & set(ids)) for ids in channels.values())
        >= PER_CHANNEL,
        RULES[3]: len(hard) >= HARD,
    }
    broken = [rule for rule, holds in kept.items() if not holds]
    zh = f"没有做到：{'、'.join(rule.zh for rule in broken)}。"
    en = f"Not kept: {', '.join(rule.en for rule in broken)}."
    few = len(chosen) < GOLDEN // 2
    share = 0.0 if few else sum(kept.values()) / len(kept)
    hint = Text(zh, en) if broken else None
    graded = Graded(share, f"{len(chosen)}, {len(hard)} hard", f"{GOLDEN}", hint=hint)
    return as_candidates(submission, graded)


@check("J1", points=6, part="errors", skill=ANALYSE, by_hand=True)
def errors_are_analysed(submission: Submission) -> str:
    """错误分析：每种原因有条数，引用原文并指出误导的词句，分清能改的和改不了的。

    Error analysis: a count of each cause, quotes with the words that misled, and what
    can be mended apart from what cannot.
    """
    return submission.written_answer("error_analysis")


@check("J2", points=10, part="decision", skill=REPORT, by_hand=True)
def model_card_is_whole(submission: Submission) -> str:
    """模型卡：用途与禁区、数据、结果与差别的区间、校准与阈值、弱点、上线后的监控和停用条件。

    Model card: use and misuse, data, results with intervals of the difference,
    calibration and threshold, weak points, what is watched once live and when it is
    switched off.
    """
    return submission.written_answer("model_card")


@check("J3", points=4, part="decision", skill=REPORT, by_hand=True)
def decision_is_defended(submission: Submission) -> str:
    """用自己算出的数字说明为什么不能只看准确率。

    One's own numbers show why accuracy alone does not decide.
    """
    return submission.written_answer("why_not_a")
