"""Wrong answers that trainees really give in evaluation_classifier.

``loses`` names rows that the mistake must lose; it may lose others too. Answers after
``until`` stay blank.
"""

from lab_env.checks import Text
from lab_env.mistakes import Mistake

SCORED = "{name: f1_score(test['team'], test[name], average='micro') for name in 'ab'}"
RECALLED = "{name: recall_score(test['team'], test[name], average='macro')"
FIXED = "threshold = {'a': 0.5, 'b': 0.5}"
TURNED = (
    'price = np.where(missed, costs["hand_over"], np.where(wrong, costs["missed"], 0))'
)
AGREEING = "square = [[only_a_right, both_right], [both_wrong, only_b_right]]"
BY_CHANCE = "each_team, each_channel, hard_ones, in_all = 0, 0, 0, 40"

MISTAKES = (
    Mistake(
        "same_candidate_twice",
        Text("两次装的都是候选 A。", "Candidate A was loaded twice."),
        {"candidates": 'models = {"a": load_candidate("a"), "b": load_candidate("a")}'},
        ("M2",),
        until="label_order",
    ),
    Mistake(
        "labels_in_another_order",
        Text(
            "团队按字母排序，编号全乱了。", "Teams sorted by letter, so numbers differ."
        ),
        {"label_order": "label_order = sorted(scenario.label_codes)"},
        ("M2",),
        until="label_order",
    ),
    Mistake(
        "micro_for_macro",
        Text("把 micro 当成 macro。", "Took micro for macro."),
        {"macro": f"macro_f1 = {SCORED}"},
        ("M3",),
        until="macro",
    ),
    Mistake(
        "accuracy_for_everything",
        Text(
            "以为准确率高的样样都高。", "Took the more accurate one for better in all."
        ),
        {"winners": 'better_accuracy = "a"\nbetter_macro_f1 = "a"'},
        ("M4",),
        until="winners",
    ),
    Mistake(
        "one_recall_for_all",
        Text(
            "召回率取了平均，不是每个团队一个。", "A mean recall instead of one a team."
        ),
        {"per_team": f"recall = {RECALLED} for name in 'ab'}}"},
        ("M5",),
        until="per_team",
    ),
    Mistake(
        "slices_on_validation",
        Text("切片在验证集上算。", "Slices computed on validation."),
        {"slices": "sliced = validation"},
        ("M7",),
        until="slices",
    ),
    Mistake(
        "largest_slice_named",
        Text("指了准确率最高的切片。", "Named the slice with the highest accuracy."),
        {"hardest_slice": 'hardest_slice = slices["b"].idxmax()'},
        ("M8",),
        until="hardest_slice",
    ),
    Mistake(
        "independent_draws",
        Text("两个模型各抽各的消息。", "Each model answers a draw of its own."),
        {"same_messages": "picked_b = rng.integers(len(numbers), size=len(numbers))"},
        ("M9", "M10"),
        until="percentiles",
    ),
    Mistake(
        "ninety_per_cent_interval",
        Text("两头各去掉 5 %。", "Five per cent cut off at each end."),
        {"percentiles": "low, high = 5, 95"},
        ("M9", "M10"),
        until="percentiles",
    ),
    Mistake(
        "mcnemar_on_agreement",
        Text("McNemar 用了两个都对、都错的格子。", "McNemar on the cells that agree."),
        {
            "mcnemar": AGREEING,
        },
        ("M11",),
        until="mcnemar",
    ),
    Mistake(
        "nothing_concluded",
        Text("区间不含 0，也说不能下结论。", '"Unclear", though 0 is outside.'),
        {
            "conclusions": 'accuracy_verdict = "unclear"\n'
            'macro_f1_verdict = "a" if better_macro_f1 == "b" else "b"'
        },
        ("M12",),
        until="conclusions",
    ),
    Mistake(
        "ece_from_accuracy",
        Text("ECE 用准确率代替了把握。", "ECE with accuracy in place of confidence."),
        {"ece": 'gap = (bins["right"].mean() - bins["right"]).abs()'},
        ("M13",),
        until="ece",
    ),
    Mistake(
        "temperature_on_test",
        Text("温度在测试集上拟合。", "The temperature was fitted on test."),
        {"fit_on": 'fit_on = "test"'},
        ("M15",),
        until="fit_on",
    ),
    Mistake(
        "threshold_of_one_half",
        Text("阈值想当然取 0.5。", "A threshold of 0.5, without reckoning."),
        {"threshold": FIXED},
        ("M17",),
        until="threshold",
    ),
    Mistake(
        "prices_turned_round",
        Text("漏报和转手的价钱对调了。", "Prices of miss and hand-over swapped."),
        {"prices": TURNED},
        ("M17", "M18"),
        until="threshold",
    ),
    Mistake(
        "nothing_is_rewritten",
        Text("改写什么也没有改。", "The rewriting changes nothing."),
        {
            "swap": "swapped = text[place] + text[place + 1]",
            "reword": "text = text.replace(said, said)",
        },
        ("M19",),
        until="reword",
    ),
    Mistake(
        "words_turned_round",
        Text("词表用反了，新词换旧词。", "The list of words used the wrong way round."),
        {"reword": "text = text.replace(instead, said)"},
        ("M19",),
        until="reword",
    ),
    Mistake(
        "drop_from_macro_f1",
        Text("用 macro-F1 减去准确率。", "Macro-F1 less accuracy."),
        {"drop": "drop = {name: macro_f1[name] - after[name] for name in 'ab'}"},
        ("M20",),
        until="drop",
    ),
    Mistake(
        "average_model_released",
        Text("只看准确率，上线了 A。", "Released A, by accuracy alone."),
        {"release": "release = max('ab', key=lambda name: accuracy[name])"},
        ("M22",),
        until="release",
    ),
    Mistake(
        "easiest_errors",
        Text("排反了，挑的是最轻的错误。", "Sorted the other way: the mildest errors."),
        {"worst": 'worst = errors.sort_values(["cost", "sure"]).head(20)'},
        ("M23",),
        until="worst",
    ),
    Mistake(
        "causes_half_done",
        Text("只给前几个错误写了原因。", "Causes for the first few errors only."),
        {"causes": 'causes = {"short": [1, 2], "long": [3], "other": [4, 5]}'},
        ("M24",),
        until="causes",
    ),
    Mistake(
        "golden_by_chance",
        Text("黄金测试集随手取了 40 条。", "A golden set of whatever came first."),
        {"golden": BY_CHANCE},
        ("M25",),
    ),
)
