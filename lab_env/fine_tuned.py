"""What rows of fine-tuning labs have in common, whatever part of a model is trained.

Each function is the body of a row: it returns what the row returns, or raises what it
raises. The key and the examiner's run of the model are read in the grader itself, so
that its rows are seen to be closed, and come in here as labels.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from lab_env.checks import Graded, Mismatch, Text, met
from lab_env.classifier import (
    heldout_ids,
    labels_of,
    logged,
    other_labels,
    paired,
    predicted,
)
from lab_env.metrics import fingerprint, macro_f1
from lab_env.submission import Submission
from lab_env.training_log import SCORE, score_kept, test_was_learned

Labels = Mapping[str, str]

# Another machine may label one message in fifty otherwise.
AGREEMENT = 0.98
# A test score may be this much below the hidden one by bad luck.
UNLUCKY = 0.15
USE_MACRO = Text(
    "这是 micro（等于准确率）；请用 macro，让每个团队一样重要。",
    "This is micro, the same as accuracy; use macro, so that every team counts.",
)
USE_LABEL = Text(
    "你用的是另一列；请用人工核对过的那一列作标签。",
    "You used the other column; the label is the one that people checked.",
)
KEEP_TEST = Text("测试集要留到最后。", "The test split is kept for the end.")


def above_majority(right: list[str], margin: float) -> float:
    """Return the macro-F1 that is clearly above always naming the most common team."""
    most, _ = Counter(right).most_common(1)[0]
    return macro_f1(right, [most] * len(right)) + margin


def teams_are_counted(submission: Submission) -> dict[str, int]:
    """Return the messages of each team in train, if data_facts.json has them so."""
    facts = submission.read_json("data_facts.json", {"messages_per_team": dict})
    actual = facts["messages_per_team"]
    nominal = dict(Counter(labels_of(submission, "train").values()))
    if actual != nominal:
        swapped = actual == Counter(other_labels(submission, "train"))
        what = Text("各团队的条数不对。", "The counts of the teams are not right.")
        hint = USE_LABEL if swapped else None
        raise Mismatch(what, actual=actual, nominal=nominal, hint=hint)
    return nominal


def trained_on_train_alone(submission: Submission) -> Graded:
    """Return all points if it was trained on the whole of train, and nothing else."""
    fields = {"training_examples": int, "training_ids": str}
    report = submission.read_json("training.json", fields)
    ids = labels_of(submission, "train")
    actual = report["training_examples"]
    if actual != len(ids) or report["training_ids"] != fingerprint(ids):
        zh = f"训练用了 {actual} 条，它们不是训练集的 {len(ids)} 条。"
        en = f"{actual} messages were used; they are not the {len(ids)} of train."
        hint = Text("请用全部训练消息。", "Use all messages of train.")
        if actual > len(ids):
            hint = Text(
                "只用训练集训练，验证集和测试集都不能混进来。",
                "Train on train alone, never on validation or test.",
            )
        raise Mismatch(Text(zh, en), actual=actual, nominal=len(ids), hint=hint)
    if test_was_learned(submission):
        what = Text("模型背下了测试集。", "The model knows the test split by heart.")
        raise Mismatch(what, actual="train and test", nominal="train")
    return met(actual, len(ids))


def checked_on_validation(submission: Submission, report: Mapping[str, Any]) -> None:
    """Raise Mismatch if checkpoints were compared on any other split."""
    if report["checking_ids"] != fingerprint(labels_of(submission, "validation")):
        what = Text("检查点不是在验证集上选的。", "It was not chosen on validation.")
        raise Mismatch(what, actual="other ids", nominal="validation", hint=KEEP_TEST)


def best_is_kept(report: Mapping[str, Any]) -> Graded:
    """Return all points if no checkpoint has a higher macro-F1 than the one kept."""
    kept = score_kept(report)
    best = max(score for _, score in logged(report["log"], "step", SCORE))
    if not kept >= best:
        what = Text("有一轮的 macro-F1 更高。", "Another epoch has a higher macro-F1.")
        raise Mismatch(what, actual=kept, nominal=best)
    return met(kept, best)


def heldout_predictions(submission: Submission) -> dict[str, str]:
    """Return predictions.csv: one team for each held-out message."""
    return predicted(submission, "predictions.csv", heldout_ids(submission))


def agrees(given: Labels, examined: Labels, what: Text) -> Graded:
    """Return all points if the examiner's run gives the labels handed in."""
    same = sum(examined.get(one) == label for one, label in given.items())
    actual = same / len(given)
    if not actual >= AGREEMENT:
        hint = Text("标签顺序是否变了？", "Was the order of labels changed?")
        raise Mismatch(what, actual=actual, nominal=f">= {AGREEMENT}", hint=hint)
    return met(actual, f">= {AGREEMENT}")


def lowest_score(right: Labels, *each: Labels) -> float:
    """Return the lowest macro-F1 of several labellings of the same messages.

    Labels from anywhere else than the model must not earn what the model is asked for.
    """
    return min(macro_f1(*paired(right, labels)) for labels in each)


def holds(actual: float, hidden: float, above: float) -> None:
    """Raise Mismatch if a test score is far from the score on unseen messages."""
    # Somewhat too low is luck; what leaked into training makes it too high.
    if not -UNLUCKY <= actual - hidden <= above:
        what = Text("测试分数在新消息上不成立。", "The test score does not hold.")
        hint = Text("测试集是否参加了训练？", "Was the test split used for training?")
        raise Mismatch(what, actual=actual, nominal=hidden, hint=hint)
