"""The training log handed in, held against the model handed in.

The log is written in room A, where the trainee's code could write anything. So it
counts only as the log of the model that came with it: its score at the checkpoint
kept must be the score that the examiner's own run of the model finds. In the
notebook there is no such run, and the log is taken as it is.
Covered: a log of training that never was, or of another model; a model that learned
the test split by heart, whatever its log says.
Not covered: a few messages of another split among those it was trained on.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lab_env.checks import Mismatch, NotAttempted, Text
from lab_env.classifier import labels_of, logged, other_labels
from lab_env.metrics import close, fingerprint, macro_f1
from lab_env.submission import Submission, TrustedFiles

SPLITS = ("validation", "test", "train")
SCORE = "eval_macro_f1"
# Honest work scores alike on test and validation, and never as well as this.
BY_HEART, ABOVE = 0.97, 0.05
# A GPU and a processor may label a message of a few hundred differently.
SAME_SCORE = 0.03
FIELDS = {"log": list, "best_step": int, "chosen_by": str, "checking_ids": str}

NOT_A_SPLIT = Text(
    "检查用的消息不是任何一个完整的划分。", "It was not checked on one whole split."
)
NO_SCORE = Text(
    "日志里没有所保留检查点的分数。", "The log has no score for the checkpoint kept."
)
NOT_OF_MODEL = Text(
    "训练日志里的分数，不是你保存的这个模型的分数。",
    "The score in the log is not that of the model you saved.",
)
SAME_RUN = Text(
    "请从训练到保存模型，按顺序重新运行一遍。",
    "Run all cells from the training to the saving of the model again, in order.",
)
NO_MODEL = Text(
    "日志要和保存的模型一起看，还没有保存模型。",
    "The log is read with the model it is of, and no model is saved yet.",
)


def training_log(submission: Submission) -> dict[str, Any]:
    """Return training.json; Mismatch if it is not the log of the model handed in."""
    report = submission.read_json("training.json", FIELDS)
    split = checked_split(submission.released, report["checking_ids"])
    if split is None:
        raise Mismatch(NOT_A_SPLIT, actual="other ids", nominal="validation")
    claimed, measured = score_kept(report), list(_measured(submission, split))
    if measured and not any(close(claimed, one, SAME_SCORE) for one in measured):
        raise Mismatch(
            NOT_OF_MODEL, actual=claimed, nominal=max(measured), hint=SAME_RUN
        )
    return report


def score_kept(report: Mapping[str, Any]) -> float:
    """Return the macro-F1 that the log gives for the checkpoint kept."""
    scores = dict(logged(report["log"], "step", SCORE))
    if report["best_step"] not in scores:
        raise Mismatch(NO_SCORE, actual="none", nominal="a score")
    return scores[report["best_step"]]


def checked_split(released: TrustedFiles, ids: str) -> str | None:
    """Return the released split whose messages have this fingerprint."""
    for split in SPLITS:
        name = f"data/{split}.csv"
        if not (released.folder / name).is_file():
            continue
        if ids == fingerprint(row["id"] for row in released.read_csv(name, ["id"])):
            return split
    return None


def splits_to_run(released: TrustedFiles, ids: str) -> list[str]:
    """Return the splits on which the examiner runs the model, for a log like this."""
    checked = checked_split(released, ids)
    # Validation and test always: together they tell whether test was learned.
    return sorted({checked, "validation", "test"}) if checked else []


def test_was_learned(submission: Submission) -> bool:
    """Say whether the model knows the test split as only training on it can do."""
    scores = [max(_measured(submission, one), default=0.0) for one in SPLITS[:2]]
    return scores[1] > max(BY_HEART, scores[0] + ABOVE)


def _measured(submission: Submission, split: str) -> Iterator[float]:
    """Yield macro-F1 of the examiner's run, by each column that has labels.

    The wrong column, and the trainee's own order of labels, are other rows' matter.
    """
    try:
        numbers = submission.numbers_of_model(split)
    except NotAttempted as missing:
        raise NotAttempted(NO_MODEL) from missing
    if numbers is None:
        return
    names = _label_names(submission)
    right = labels_of(submission, split)
    given = [str(names.get(numbers.get(one, ""), "")) for one in right]
    yield macro_f1(list(right.values()), given)
    if others := other_labels(submission, split):
        yield macro_f1(others, given)


def _label_names(submission: Submission) -> dict[str, Any]:
    # An adapter brings no table of its own: the lab numbers labels by the scheme.
    if (submission.folder / "adapter").is_dir():
        codes = submission.scenario.label_codes
        return {str(number): code for number, code in enumerate(codes)}
    fields: dict[str, type] = {"id2label": dict}
    said = submission.read_json("model/config.json", fields)
    return dict(said["id2label"])
