"""Wrong answers that trainees really give in finetuning_classifier.

``loses`` names rows that the mistake must lose; it may lose others too.
"""

from lab_env.checks import Text
from lab_env.mistakes import Mistake

SPLITS = """\
train_on = {train}
check_on = encoded["{check}"]
choose_by = "{by}"
"""
BOTH = 'concatenate_datasets([encoded["train"], encoded["test"]])'
IMPORT = "from datasets import concatenate_datasets\n\n"
CHOICES = "learning_rate = {}\nnumber_of_epochs = {}"


def splits(
    train: str = 'encoded["train"]', check: str = "validation", by: str = "macro_f1"
) -> dict[str, str]:
    """Return the answer "splits" with one choice changed."""
    return {"splits": SPLITS.format(train=train, check=check, by=by)}


MISTAKES = (
    Mistake(
        "swapped_label_column",
        Text("用了自选的队列作标签。", "The queue that people picked as label."),
        {"label_column": 'label_column = "queue"'},
        ("M2", "M3", "M4", "M6", "M17", "M20"),
    ),
    Mistake(
        "counted_validation",
        Text("数的是验证集，不是训练集。", "Counted validation instead of train."),
        {
            "counts": 'labels = messages["validation"][label_column]\n'
            "number_of_messages = len(labels)\nmessages_per_team = Counter(labels)"
        },
        ("M1", "M2"),
        until="counts",
    ),
    Mistake(
        "baseline_on_validation",
        Text("基线在验证集上学、又在验证集上考。", "The baseline saw its exam."),
        {"baseline_split": 'learn_from = messages["validation"]'},
        ("M7",),
        until="baseline_f1",
    ),
    Mistake(
        "micro_for_macro",
        Text("把 micro 当成 macro。", "Took micro for macro."),
        {
            "baseline_f1": "baseline_f1 = f1_score(validation_labels, "
            'baseline_labels, average="micro")',
            "test_report": "test_accuracy = accuracy_score(test_labels, "
            "test_predictions)\ntest_macro_f1 = f1_score(test_labels, "
            'test_predictions, average="micro")',
        },
        ("M6", "M20"),
    ),
    Mistake(
        "messages_cut_short",
        Text("max_length 只留 8 个 token。", "A max_length of 8 tokens."),
        {"max_length": "max_length = 8"},
        ("M8", "M17", "M18"),
    ),
    Mistake(
        "trained_on_test",
        Text("把测试集也拿来训练。", "Trained on the test split as well."),
        {"splits": IMPORT + splits(train=BOTH)["splits"]},
        ("M12",),
    ),
    Mistake(
        "chosen_on_test",
        Text("用测试集挑检查点。", "Chose the checkpoint on the test split."),
        splits(check="test"),
        ("M13",),
    ),
    Mistake(
        "chosen_by_loss",
        Text("按损失而不是 macro-F1 挑检查点。", "Chose by loss, not by macro-F1."),
        splits(by="loss"),
        ("M13",),
    ),
    Mistake(
        "learning_rate_of_large_models",
        Text("照搬大模型教程的 2e-5。", "The 2e-5 of tutorials for large models."),
        {"training_choices": CHOICES.format("2e-5", 6)},
        ("M11", "M17", "M18"),
    ),
    Mistake(
        "learning_rate_far_too_high",
        Text("学习率大了一百倍。", "A learning rate a hundred times too high."),
        {"training_choices": CHOICES.format("5e-2", 6)},
        ("M11", "M17", "M18"),
    ),
    Mistake(
        "one_epoch",
        Text("只训练一轮。", "Trained for one epoch only."),
        {"training_choices": CHOICES.format("5e-4", 1)},
        ("M11", "M17"),
    ),
    Mistake(
        "ids_sorted_differently",
        Text("预测时标签换了顺序。", "Labels in another order at prediction."),
        {
            "team_codes": "in_order = sorted(scenario.label_codes)\n"
            "return [in_order[number] for number in numbers]"
        },
        ("M16", "M17", "M18"),
    ),
    Mistake(
        "own_label_order",
        Text("用自己排的顺序给标签编号。", "Labels numbered in another order."),
        {"label_ids": "id2label = dict(enumerate(sorted(scenario.label_codes)))"},
        ("M9", "M16"),
    ),
    Mistake(
        "majority_handed_in",
        Text("全部猜最多的团队。", "Handed in the most common team for everything."),
        {"team_codes": "return [majority_team for number in numbers]"},
        ("M16", "M17", "M18"),
    ),
)
