"""Mark sheet of the lab finetuning_classifier: 21 machine rows, 3 by hand, 100 points.

Rows that use the sealed key or the examiner's run of the model are closed to the
notebook; all others compare with released files and answer at once in practice.
"""

from collections import Counter

from tokenizers import Tokenizer

from lab_env import fine_tuned
from lab_env.checks import Graded, Mismatch, Text, check, curve, met
from lab_env.classifier import (
    base_config,
    by_own_table,
    curve_ends,
    labels_of,
    logged,
    other_labels,
    paired,
    predicted,
    reported,
)
from lab_env.fine_tuned import (
    USE_LABEL,
    USE_MACRO,
    above_majority,
    agrees,
    best_is_kept,
    checked_on_validation,
    heldout_predictions,
    holds,
    lowest_score,
    teams_are_counted,
)
from lab_env.metrics import accuracy, close, fingerprint, macro_f1
from lab_env.submission import Submission
from lab_env.training_log import score_kept, training_log

KEEP_SETS, TRAIN, TEST, REPORT, ANALYSE = "2.2.1", "2.2.2", "2.2.3", "2.2.4", "2.2.5"
# Why so wide: the curve of M17 measures quality, these rows only whether it was done.
KEPT_WHOLE, ABOVE_MAJORITY, LOSS_LEFT = 0.95, 0.15, 0.3
HONEST = 0.05
# A rerun on another machine may move a square of the confusion matrix by this much.
MOVED = 2
LOGGED = ("loss", "eval_loss", "eval_macro_f1")

Labels = dict[str, str]

SCORE_WRONG = Text("分数与预测对不上。", "The score is not that of the predictions.")


def hidden_labels(submission: Submission) -> dict[str, str]:
    """Return {id: right label} of the held-out messages, from the key."""
    column = submission.scenario.columns["label"]
    rows = submission.answer_key.read_csv("heldout.csv", ["id", column])
    return {row["id"]: row[column] for row in rows}


@check("M1", points=2, part="data", skill=KEEP_SETS)
def messages_are_counted(submission: Submission) -> Graded:
    """训练消息的条数正确。

    The number of training messages is right.
    """
    actual = submission.read_json("data_facts.json", {"messages": int})["messages"]
    nominal = len(labels_of(submission, "train"))
    if actual != nominal:
        what = Text("条数不对：请数训练集。", "Not right: count the train split.")
        raise Mismatch(what, actual=actual, nominal=nominal)
    return met(actual, nominal)


@check("M2", points=3, part="data", skill=KEEP_SETS)
def messages_per_team_are_counted(submission: Submission) -> dict[str, int]:
    """每个团队的训练消息条数正确。

    The number of training messages of each team is right.
    """
    return teams_are_counted(submission)


@check("M3", points=2, part="data", skill=KEEP_SETS)
def imbalance_is_right(submission: Submission) -> Graded:
    """最多的团队是最少的团队的几倍，计算正确。

    The ratio of the most common team to the rarest is right.
    """
    actual = reported(submission, "balance.json", "imbalance_ratio")
    counts = Counter(labels_of(submission, "train").values()).values()
    nominal = max(counts) / min(counts)
    if not close(actual, nominal, 0.01):
        what = Text("倍数不对：用最多的除以最少的。", "Not right: largest by smallest.")
        others = Counter(other_labels(submission, "train")).values() or [1]
        swapped = close(actual, max(others) / min(others), 0.01)
        hint = USE_LABEL if swapped else None
        raise Mismatch(what, actual=actual, nominal=nominal, hint=hint)
    return met(actual, nominal)


@check("M4", points=2, part="baseline", skill=TRAIN)
def majority_accuracy_is_right(submission: Submission) -> Graded:
    """“一律猜最多的团队”在验证集上的准确率正确。

    The accuracy of always naming the most common team is right on validation.
    """
    actual = reported(submission, "majority.json", "accuracy")
    most, _ = Counter(labels_of(submission, "train").values()).most_common(1)[0]
    right = list(labels_of(submission, "validation").values())
    nominal = right.count(most) / len(right)
    if not close(actual, nominal):
        what = Text("准确率不对：哪个团队最多？", "Not right: which team is largest?")
        raise Mismatch(what, actual=actual, nominal=nominal)
    return met(actual, nominal)


@check("M5", points=2, part="baseline", skill=TEST)
def baseline_predicted(submission: Submission) -> dict[str, str]:
    """基线为每条验证消息给出一个团队。

    The baseline names one team for each validation message.
    """
    right = labels_of(submission, "validation")
    return predicted(submission, "baseline_predictions.csv", right)


@check("M6", points=3, part="baseline", skill=TEST, needs=baseline_predicted)
def baseline_score_is_right(submission: Submission, given: dict[str, str]) -> Graded:
    """报告的基线 macro-F1 与预测文件一致。

    The macro-F1 reported for the baseline follows from its predictions.
    """
    actual = reported(submission, "baseline.json", "macro_f1")
    right = paired(labels_of(submission, "validation"), given)
    nominal = macro_f1(*right)
    if not close(actual, nominal):
        micro = close(actual, accuracy(*right))
        hint = USE_MACRO if micro else None
        raise Mismatch(SCORE_WRONG, actual=actual, nominal=nominal, hint=hint)
    return met(actual, nominal)


@check("M7", points=2, part="baseline", skill=TRAIN, needs=baseline_predicted)
def baseline_is_fair(submission: Submission, given: dict[str, str]) -> Graded:
    """基线只从训练集学习，并明显好过“一律猜最多的团队”。

    The baseline learned from the train split alone and clearly beats the majority.
    """
    learned = submission.read_json("baseline.json", {"training_ids": str})
    if learned["training_ids"] != fingerprint(labels_of(submission, "train")):
        what = Text("基线不是从训练集学的。", "The baseline did not learn from train.")
        hint = Text("这等于先看答案再考试。", "It saw the answers before.")
        raise Mismatch(what, actual="other ids", nominal="ids of train", hint=hint)
    right, labels = paired(labels_of(submission, "validation"), given)
    actual, least = macro_f1(right, labels), above_majority(right, ABOVE_MAJORITY)
    if not actual >= least:
        what = Text("基线没有明显好过一律猜最多。", "It does not beat the majority.")
        raise Mismatch(what, actual=actual, nominal=f">= {least:.3f}")
    return met(actual, f">= {least:.3f}")


@check("M8", points=3, part="training", skill=TRAIN)
def length_keeps_messages_whole(submission: Submission) -> Graded:
    """max_length 让至少 95 % 的训练消息保持完整，且不超过模型的上限。

    max_length keeps 95 % of training messages whole, within the model's limit.
    """
    actual: int = submission.read_json("tokens.json", {"max_length": int})["max_length"]
    limit = base_config(submission)["max_position_embeddings"]
    tokenizer_file = submission.released.folder / "base_model" / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    column = submission.scenario.columns["text"]
    rows = submission.released.read_csv("data/train.csv", [column])
    encoded = tokenizer.encode_batch([row[column] for row in rows])
    whole = sum(len(one.ids) <= actual for one in encoded) / len(encoded)
    if actual > limit or whole < KEPT_WHOLE:
        zh = f"{actual} 能完整保留 {whole:.0%} 的消息，模型最多读 {limit} 个 token。"
        en = f"{actual} keeps {whole:.0%} whole; the model reads at most {limit}."
        nominal = f">= {KEPT_WHOLE:.0%}, <= {limit}"
        raise Mismatch(Text(zh, en), actual=actual, nominal=nominal)
    return met(f"{actual}: {whole:.1%}", f">= {KEPT_WHOLE:.0%}")


@check("M9", points=2, part="training", skill=TRAIN)
def label_ids_follow_the_scheme(submission: Submission) -> None:
    """模型 config.json 中的标签编号与标签体系的顺序一致。

    The label ids in the model's config.json follow the label scheme.
    """
    actual = submission.read_json("model/config.json", {"id2label": dict})["id2label"]
    codes = submission.scenario.label_codes
    nominal = {str(number): code for number, code in enumerate(codes)}
    if actual != nominal:
        what = Text("编号和团队对不上。", "Numbers and teams do not match.")
        hint = Text("顺序请用 scenario.label_codes。", "Use scenario.label_codes.")
        raise Mismatch(what, actual=actual, nominal=nominal, hint=hint)


@check("M10", points=3, part="training", skill=TRAIN)
def every_epoch_is_logged(submission: Submission) -> Graded:
    """训练日志里每一轮都有训练损失、验证损失和 macro-F1。

    The log has training loss, validation loss and macro-F1 for every epoch.
    """
    log = training_log(submission)["log"]
    columns = [logged(log, "epoch", name) for name in LOGGED]
    trained, *others = [{round(epoch) for epoch, _ in column} for column in columns]
    checked = set.intersection(*others)
    # A set of a few numbers, so a hostile epoch of 10**15 costs nothing.
    last = len(trained | checked)
    if not last or trained != checked or max(trained) != last:
        zh = f"日志里训练 {len(trained)} 轮、检查 {len(checked)} 轮，应该一轮不缺。"
        en = f"The log has {len(trained)} epochs trained and {len(checked)} checked."
        raise Mismatch(Text(zh, en), actual=len(checked), nominal="every epoch")
    return met(last, len(trained))


@check("M11", points=3, part="training", skill=TRAIN)
def model_learned(submission: Submission) -> Graded:
    """训练损失明显下降：最后一轮不到第一轮的 30 %，模型好过“一律猜最多的团队”。

    The loss fell to less than 30 % of the first epoch's; the model beats the majority.
    """
    report = training_log(submission)
    losses = [loss for _, loss in logged(report["log"], "epoch", "loss")]
    if len(losses) < 2:
        what = Text("日志里不到两轮。", "There are no two epochs in the log.")
        hint = Text("请多训练几轮。", "Train for more epochs.")
        raise Mismatch(what, actual=len(losses), nominal=">= 2", hint=hint)
    left = losses[-1] / losses[0] if losses[0] > 0 else 1.0
    if not 0 <= left <= LOSS_LEFT:
        zh = f"最后一轮的损失还有第一轮的 {left:.0%}。"
        en = f"The last loss is still {left:.0%} of the first."
        hint = Text("检查学习率的大小。", "Is the learning rate right?")
        raise Mismatch(Text(zh, en), actual=left, nominal=f"<= {LOSS_LEFT}", hint=hint)
    right = list(labels_of(submission, "validation").values())
    score, least = score_kept(report), above_majority(right, ABOVE_MAJORITY)
    if not score >= least:
        what = Text("模型没有明显好过一律猜最多。", "It does not beat the majority.")
        raise Mismatch(what, actual=score, nominal=f">= {least:.3f}")
    return met(left, f"<= {LOSS_LEFT}")


@check("M12", points=4, part="training", skill=KEEP_SETS)
def trained_on_train_alone(submission: Submission) -> Graded:
    """模型只用训练集训练，没有混入别的数据。

    The model was trained on the train split and nothing else.
    """
    return fine_tuned.trained_on_train_alone(submission)


@check("M13", points=4, part="training", skill=TEST)
def best_checkpoint_is_kept(submission: Submission) -> Graded:
    """保留的是验证集 macro-F1 最高的检查点。

    The checkpoint kept is the one with the best macro-F1 on validation.
    """
    report = training_log(submission)
    checked_on_validation(submission, report)
    if report["chosen_by"].removeprefix("eval_") != "macro_f1":
        chosen = report["chosen_by"][:40]
        what = Text(f"按 {chosen} 选了检查点。", f"It was chosen by {chosen}.")
        hint = Text("请按 macro-F1 选。", "Choose by macro-F1.")
        raise Mismatch(what, actual=chosen, nominal="macro_f1", hint=hint)
    return best_is_kept(report)


@check("M14", points=3, part="model", skill=TEST)
def predictions_are_complete(submission: Submission) -> dict[str, str]:
    """predictions.csv 为每条留出消息给出一个团队。

    predictions.csv names one team for each held-out message.
    """
    return heldout_predictions(submission)


@check("M15", points=2, part="model", skill=TRAIN)
def model_is_saved(submission: Submission) -> Graded:
    """保存的模型是 safetensors 格式，结构与基础模型一致，每个团队一个输出。

    The saved model is safetensors, built as the base model, one output a team.
    """
    fields = {"model_type": str, "hidden_size": int, "num_hidden_layers": int}
    config = submission.read_json("model/config.json", fields)
    shapes = submission.read_tensor_shapes("model/model.safetensors")
    base = base_config(submission)
    hidden = base["hidden_size"]
    wanted = {(base["vocab_size"], hidden), (len(submission.scenario.labels), hidden)}
    other = [name for name in fields if config[name] != base[name]]
    if other or not wanted <= set(shapes.values()):
        what = Text("模型的结构与基础模型不同。", "It is not built as the base model.")
        seen = f"{config['model_type'][:40]}, {len(shapes)} tensors"
        raise Mismatch(what, actual=seen, nominal=base["model_type"])
    return met(config["model_type"], base["model_type"])


@check("M16", points=5, part="model", skill=TEST, needs=model_is_saved)
def model_gives_the_predictions(submission: Submission, kind: str) -> Graded:
    """考评端运行保存的模型，结果与 predictions.csv 至少 98 % 一致。

    The examiner's run of the saved model agrees with predictions.csv in 98 %.
    """
    ours = {row["id"]: row["label"] for row in submission.model_predictions()}
    what = Text("模型和预测文件不一致。", "Model and predictions do not agree.")
    return agrees(heldout_predictions(submission), ours, what)


def given_and_examined(submission: Submission, given: Labels) -> tuple[Labels, Labels]:
    """Return the labels handed in, and those of the examiner's run of the model."""
    return given, by_own_table(submission, submission.model_predictions())


def hidden_score(submission: Submission, given: Labels) -> float:
    """Return macro-F1 on the hidden labels, the lower of file and examiner's run."""
    both = given_and_examined(submission, given)
    return lowest_score(hidden_labels(submission), *both)


@check("M17", points=28, part="model", skill=TEST, needs=predictions_are_complete)
def hidden_score_is_high(submission: Submission, given: dict[str, str]) -> Graded:
    """留出消息上的 macro-F1（预测文件和考评端运行模型，取较低者），按公布的曲线给分。

    Macro-F1 on held-out messages, the lower of file and examiner's run, on the curve.
    """
    actual = hidden_score(submission, given)
    ends = submission.curves["macro_f1"]
    return Graded(curve(actual, **ends), actual, curve_ends(ends), actual)


@check("M18", points=6, part="model", skill=TEST, needs=predictions_are_complete)
def rarest_team_is_found(submission: Submission, given: dict[str, str]) -> Graded:
    """最少见的团队的召回率（同样取较低者），按公布的曲线给分。

    The recall of the rarest team, again the lower of the two, on the curve.
    """
    right = hidden_labels(submission)
    counts = Counter(right.values())
    rarest = min(counts, key=lambda label: (counts[label], label))
    rare = [one for one, label in right.items() if label == rarest]
    both = given_and_examined(submission, given)
    actual = min(sum(some[one] == rarest for one in rare) for some in both) / len(rare)
    ends = submission.curves["rarest_recall"]
    return Graded(curve(actual, **ends), actual, curve_ends(ends), actual)


@check("M19", points=4, part="model", skill=TEST)
def test_score_holds(submission: Submission) -> Graded:
    """报告的测试 macro-F1 在没见过的消息上也成立（虚高不超过 0.05）。

    The reported test macro-F1 holds on unseen messages (at most 0.05 too high).
    """
    actual = reported(submission, "test_report.json", "macro_f1")
    nominal = hidden_score(submission, heldout_predictions(submission))
    holds(actual, nominal, HONEST)
    return met(actual, nominal)


@check("M20", points=3, part="analysis", skill=REPORT)
def test_scores_are_right(submission: Submission) -> Graded:
    """报告的测试准确率和 macro-F1 与测试预测一致。

    The reported test accuracy and macro-F1 follow from the test predictions.
    """
    test = labels_of(submission, "test")
    right = paired(test, predicted(submission, "test_predictions.csv", test))
    nominal = (accuracy(*right), macro_f1(*right))
    names = ("accuracy", "macro_f1")
    actual = [reported(submission, "test_report.json", name) for name in names]
    if not (close(actual[0], nominal[0]) and close(actual[1], nominal[1])):
        micro = close(actual[1], nominal[0])
        hint = USE_MACRO if micro else None
        said, expected = [f"{a:.4f}, {b:.4f}" for a, b in (actual, nominal)]
        raise Mismatch(SCORE_WRONG, actual=said, nominal=expected, hint=hint)
    return met(actual[1], nominal[1])


@check("M21", points=2, part="analysis", skill=ANALYSE)
def most_confused_pair_is_named(submission: Submission) -> str:
    """从混淆矩阵中找出最常弄混的一对团队。

    The pair of teams confused most often is read from the confusion matrix.
    """
    fields = {"right_team": str, "given_team": str}
    answer = submission.read_json("most_confused.json", fields)
    pair = (answer["right_team"], answer["given_team"])
    test = labels_of(submission, "test")
    right = paired(test, predicted(submission, "test_predictions.csv", test))
    wrong = Counter(both for both in zip(*right, strict=True) if both[0] != both[1])
    most = max(wrong.values(), default=0)
    least = max(1, most - MOVED)
    if wrong[pair] < least:
        turned = wrong[pair[::-1]] >= least
        said = Text("行是正确的团队，列是预测。", "Rows are right, columns predicted.")
        what = Text("还有更大的格子。", "Another square is larger.")
        nominal = [f"{a} → {b}" for (a, b), count in wrong.items() if count == most]
        actual = f"{pair[0][:30]} → {pair[1][:30]}"
        hint = said if turned else None
        raise Mismatch(what, actual=actual, nominal=nominal, hint=hint)
    return " → ".join(pair)


@check("J1", points=4, part="analysis", skill=ANALYSE, by_hand=True)
def receiving_team_is_named(submission: Submission) -> str:
    """指出哪个团队收到的误分消息最多，有数字，并说明来自哪里。

    Names the team that receives most wrong messages, with counts and where from.
    """
    return submission.written_answer("which_team")


@check("J2", points=4, part="analysis", skill=ANALYSE, by_hand=True)
def reason_is_given(submission: Submission) -> str:
    """引用判错的消息，说清楚错在哪里。

    Quotes messages that went wrong and explains why.
    """
    return submission.written_answer("why")


@check("J3", points=4, part="analysis", skill=REPORT, by_hand=True)
def next_step_is_sound(submission: Submission) -> str:
    """提出数据和使用上的改进，并说明怎样检验效果。

    Proposes a change to data and to use, and how to tell whether they help.
    """
    return submission.written_answer("what_next")
