"""Mark sheet of the lab finetuning_adapters: 21 machine rows, 3 by hand, 100 points.

Counts are reckoned again from the released base model and the adapter's settings, and
scores from the labels handed in. Rows about the trained adapter hold its log against
the examiner's own run; what shows nothing of an adapter that never learned needs M12.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab_env import adapter, fine_tuned
from lab_env.adapter import Adapter, adapter_of, base_shapes
from lab_env.checks import Graded, Mismatch, Text, Unreadable, check, curve, met
from lab_env.classifier import (
    curve_ends,
    labels_of,
    logged,
    paired,
    predicted,
    reported,
)
from lab_env.fine_tuned import (
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
from lab_env.metrics import accuracy, close, fingerprint, macro_f1, number
from lab_env.submission import Submission
from lab_env.training_log import (
    BY_HEART,
    checked_split,
    score_kept,
    training_log,
)

KEEP_SETS, TRAIN, TEST, REPORT, ANALYSE = "2.2.1", "2.2.2", "2.2.3", "2.2.4", "2.2.5"
NUMBERS_EACH, BYTES = 3, 4
HONEST = 0.07
# How much a short run must have learned at the least.
ABOVE_MAJORITY, TOO_LARGE = 0.06, 0.05
# 32-bit sums in another order differ in the sixth digit; another scale in the first.
SAME_WEIGHTS, SAME_SCORES = 1e-4, 1e-3

Labels = dict[str, str]

SCORE_WRONG = Text("分数与标签对不上。", "The score is not that of the labels.")
ON_VALIDATION = Text(
    "做选择要用验证集，测试集留到最后。",
    "Choose on validation; the test split is kept for the end.",
)


@dataclass(frozen=True)
class Run:
    """One short run of the search: settings, reported scores, labels given."""

    rank: int
    learning_rate: float
    macro_f1: float
    labels: Labels


def hidden_labels(submission: Submission) -> Labels:
    """Return {id: right label} of the held-out messages, from the key."""
    column = submission.scenario.columns["label"]
    rows = submission.answer_key.read_csv("heldout.csv", ["id", column])
    return {row["id"]: row[column] for row in rows}


def full_parameters(submission: Submission) -> int:
    """Return the number of parameters of the base model with its head."""
    shapes = base_shapes(submission.released)
    return adapter.count(shapes) + head_parameters(submission)


def head_parameters(submission: Submission) -> int:
    """Return the number of parameters of the head."""
    labels = len(submission.scenario.labels)
    shapes = base_shapes(submission.released)
    return adapter.count(adapter.head_shapes(shapes, labels))


def added(submission: Submission, rank: int) -> int:
    """Return the numbers that an adapter of that rank adds to all layers."""
    layers = adapter.adaptable_layers(base_shapes(submission.released))
    return adapter.added_parameters(layers, rank)


def settings(submission: Submission) -> Adapter:
    """Return rank, alpha and targets of the adapter handed in."""
    name = f"adapter/{adapter.CONFIG}"
    return adapter_of(submission.read_json(name, adapter.FIELDS))


def labelled(ids: list[Any], labels: object) -> Labels:
    """Return {id: label} of a run; Unreadable unless there is one text for each id."""
    given = labels if isinstance(labels, list) else []
    if not all(isinstance(each, str) for each in (*ids, *given)) or not given:
        what = Text("试训没有给出标签。", "A short run has no labels.")
        raise Unreadable(what)
    found = dict(zip(ids, given, strict=False))
    if not len(found) == len(ids) == len(given):
        zh = f"试训有 {len(ids)} 个 id，却有 {len(given)} 个标签，应该一样多。"
        en = f"A short run has {len(given)} labels for {len(ids)} ids."
        raise Unreadable(Text(zh, en))
    return found


def score_of(submission: Submission, given: Labels) -> float:
    """Return macro-F1 of labels for one whole released split."""
    split = checked_split(submission.released, fingerprint(given))
    if split is None:
        what = Text("试训没有在一个完整的划分上打分。", "It was not scored on a split.")
        raise Mismatch(what, actual=f"{len(given)} ids", nominal="validation")
    score = macro_f1(*paired(labels_of(submission, split), given))
    if score > BY_HEART:
        what = Text("这些是正确答案，不是模型给的标签。", "These are the right labels.")
        hint = Text("请用模型的预测。", "Hand in what the model predicted.")
        raise Mismatch(what, actual=score, nominal=f"<= {BY_HEART}", hint=hint)
    return score


def one_run(ids: list[Any], said: object) -> Run:
    """Return a run as search.json has it; Unreadable if something is missing."""
    run: Mapping[str, Any] = said if isinstance(said, dict) else {}
    names = ("rank", "learning_rate", "macro_f1")
    rank, rate, score = (number(run.get(name)) for name in names)
    if rank is None or rate is None or score is None:
        zh = "search.json 里有一次试训缺少秩、学习率或 macro-F1。请重新运行搜索。"
        en = "A run in search.json lacks rank, learning rate or macro-F1. Search again."
        raise Unreadable(Text(zh, en))
    return Run(int(rank), rate, score, labelled(ids, run.get("labels")))


@check("M1", points=2, part="parameters", skill=KEEP_SETS)
def label_column_is_right(submission: Submission) -> dict[str, int]:
    """用人工核对过的那一列作标签，各团队的训练消息条数正确。

    The label is the column that people checked; the counts of its teams are right.
    """
    return teams_are_counted(submission)


@check("M2", points=3, part="parameters", skill=TRAIN)
def all_parameters_are_counted(submission: Submission) -> Graded:
    """普通微调要训练的参数个数正确。

    The number of parameters that ordinary fine-tuning trains is right.
    """
    fields = {"parameters": int}
    actual: int = submission.read_json("full.json", fields)["parameters"]
    nominal = full_parameters(submission)
    if actual != nominal:
        what = Text("个数不对。", "The number is not right.")
        few = Text(
            "要数表里有多少个数，不是表有几个方向。",
            "Count the numbers in a table, not its directions.",
        )
        hint = few if actual < 1000 else None
        raise Mismatch(what, actual=actual, nominal=nominal, hint=hint)
    return met(actual, nominal)


@check("M3", points=4, part="parameters", skill=TRAIN)
def added_parameters_are_right(submission: Submission) -> Graded:
    """各种秩的适配器增加的参数个数正确。

    The numbers of parameters that adapters of each rank add are right.
    """
    said = submission.read_json("added.json", {"added": dict})["added"]
    nominal = {str(rank): added(submission, rank) for rank in (1, 2, 4, 8, 16, 32)}
    if said != nominal:
        layers = adapter.adaptable_layers(base_shapes(submission.released))
        whole = sum(rows * columns for rows, columns in layers.values())
        times = number(said.get("1")) == whole
        what = Text("公式不对。", "The formula is not right.")
        narrow = Text(
            "A 和 B 是两张窄表，各数各的，再相加。",
            "A and B are two narrow tables: count each, then add.",
        )
        hint = narrow if times else None
        seen, right = said.get("8"), nominal["8"]
        raise Mismatch(what, actual=seen, nominal=right, hint=hint)
    return met(nominal["8"], nominal["8"])


@check("M4", points=2, part="parameters", skill=TRAIN)
def trained_parameters_are_counted(submission: Submission) -> Graded:
    """LoRA 真正训练的参数个数正确：适配器加上分类头。

    The number of parameters that LoRA trains is right: the adapter and the head.
    """
    fields = {"rank": int, "trainable": int}
    said = submission.read_json("trainable.json", fields)
    actual, rank = said["trainable"], said["rank"]
    if not 1 <= rank <= adapter.MOST_RANK:
        what = Text("秩不合理。", "The rank makes no sense.")
        raise Mismatch(what, actual=rank, nominal=f"1 … {adapter.MOST_RANK}")
    alone = added(submission, rank)
    nominal = alone + head_parameters(submission)
    if actual != nominal:
        what = Text("个数不对。", "The number is not right.")
        frozen = Text("冻结的参数不算。", "Frozen parameters do not count.")
        headless = Text("分类头没有参加训练。", "The head is not trained.")
        hint = headless if actual == alone else frozen if actual > nominal else None
        raise Mismatch(what, actual=actual, nominal=nominal, hint=hint)
    return met(actual, nominal)


def own_counts(submission: Submission) -> tuple[int, int]:
    """Return the parameters of both ways as they were counted, right or wrong."""
    full = submission.read_json("full.json", {"parameters": int})
    trained = submission.read_json("trainable.json", {"trainable": int})
    return full["parameters"], trained["trainable"]


@check("M5", points=3, part="parameters", skill=TRAIN)
def memory_is_right(submission: Submission) -> Graded:
    """两种办法的梯度和优化器占多少内存，计算正确。

    The memory of gradients and optimiser is right for both ways.
    """
    fields = {"full_bytes": int, "lora_bytes": int}
    said = submission.read_json("memory.json", fields)
    each = NUMBERS_EACH * BYTES
    trained = added(submission, 8) + head_parameters(submission)
    nominal = (full_parameters(submission) * each, trained * each)
    actual = (said["full_bytes"], said["lora_bytes"])
    if actual == nominal:
        return met(actual, nominal)
    if actual == tuple(each * own for own in own_counts(submission)):
        # A right method on a wrong count, which has lost its own row already.
        hint = Text("方法对了，参数个数不对。", "Right method, wrong counts.")
        return Graded(2 / 3, actual, nominal, hint=hint)
    what = Text("内存不对。", "The memory is not right.")
    few = Text(
        "一个梯度加上 AdamW 的两个平均值。",
        "One gradient and the two averages of AdamW.",
    )
    raise Mismatch(what, actual=actual, nominal=nominal, hint=few)


@check("M6", points=2, part="search", skill=TEST)
def full_run_is_scored(submission: Submission) -> Graded:
    """普通微调的试训给出了标签，macro-F1 与标签一致，明显好过一律猜最大的团队。

    The short run of ordinary fine-tuning has labels and their macro-F1, and clearly
    beats always naming the largest team.
    """
    fields = {"ids": list, "labels": list, "macro_f1": float}
    said = submission.read_json("full_run.json", fields)
    given = labelled(said["ids"], said["labels"])
    nominal = score_of(submission, given)
    if not close(said["macro_f1"], nominal):
        raise Mismatch(SCORE_WRONG, actual=said["macro_f1"], nominal=nominal)
    right = list(labels_of(submission, "validation").values())
    least = above_majority(right, ABOVE_MAJORITY)
    if not nominal >= least:
        what = Text(
            "没有明显好过一律猜消息最多的团队。", "It does not beat the majority."
        )
        raise Mismatch(what, actual=nominal, nominal=f">= {least:.3f}")
    return met(said["macro_f1"], nominal)


@check("M7", points=3, part="search", skill=TRAIN)
def search_is_complete(submission: Submission) -> list[Run]:
    """搜索了至少两种秩和两种学习率，两两搭配各一次，每次都给出了全部标签。

    Two ranks and two learning rates or more, each pair once, each with all labels.
    """
    said = submission.read_json("search.json", {"ids": list, "runs": list})
    runs = [one_run(said["ids"], each) for each in said["runs"][:64]]
    tried = Counter((run.rank, run.learning_rate) for run in runs)
    ranks, rates = ({pair[n] for pair in tried} for n in (0, 1))
    whole = len(tried) == len(runs) == len(ranks) * len(rates)
    if not whole or min(len(ranks), len(rates)) < 2:
        zh = f"{len(runs)} 次试训，{len(ranks)} 种秩，{len(rates)} 种学习率，不齐全。"
        en = f"{len(runs)} runs, {len(ranks)} ranks, {len(rates)} learning rates."
        raise Mismatch(Text(zh, en), actual=len(runs), nominal=">= 2 × 2, each once")
    return runs


@check("M8", points=2, part="search", skill=REPORT, needs=search_is_complete)
def search_scores_are_right(submission: Submission, runs: list[Run]) -> Graded:
    """每次试训报告的 macro-F1 与它给出的标签一致。

    The macro-F1 reported for each short run follows from its labels.
    """
    actual = [round(run.macro_f1, 4) for run in runs]
    nominal = [round(score_of(submission, run.labels), 4) for run in runs]
    if not all(map(close, actual, nominal)):
        raise Mismatch(SCORE_WRONG, actual=actual, nominal=nominal)
    return met(actual, nominal)


@check("M9", points=3, part="search", skill=TRAIN, needs=search_is_complete)
def search_finds_a_fitting_rate(submission: Submission, runs: list[Run]) -> Graded:
    """搜索范围里有合适的学习率：最好的一次至少有普通微调试训的一半分数。

    The search has a fitting learning rate: its best reaches half of the full run.
    """
    actual = max(score_of(submission, run.labels) for run in runs)
    said = submission.read_json("full_run.json", {"ids": list, "labels": list})
    full = score_of(submission, labelled(said["ids"], said["labels"]))
    right = list(labels_of(submission, "validation").values())
    least = max(full / 2, above_majority(right, ABOVE_MAJORITY))
    if not actual >= least:
        what = Text("没有一次试训学到多少东西。", "No run learned much.")
        hint = Text("适配器要用更大的学习率。", "Adapters need a larger learning rate.")
        if max(run.learning_rate for run in runs) > TOO_LARGE:
            hint = Text("学习率太大了。", "The learning rate is too large.")
        raise Mismatch(what, actual=actual, nominal=f">= {least:.3f}", hint=hint)
    return met(actual, f">= {least:.3f}")


@check("M10", points=4, part="search", skill=TEST, needs=search_is_complete)
def best_run_is_chosen(submission: Submission, runs: list[Run]) -> Graded:
    """选中的是验证集上 macro-F1 最高的一次试训。

    The run that is chosen has the best macro-F1 on validation.
    """
    fields = {"rank": int, "learning_rate": float, "chosen_by": str}
    said = submission.read_json("chosen.json", fields)
    if set(runs[0].labels) != set(labels_of(submission, "validation")):
        what = Text("搜索不是在验证集上打分的。", "It was not scored on validation.")
        raise Mismatch(
            what, actual="other ids", nominal="validation", hint=ON_VALIDATION
        )
    if said["chosen_by"] != "macro_f1":
        by = said["chosen_by"][:40]
        what = Text(f"按 {by} 选的。", f"It was chosen by {by}.")
        hint = Text("请按 macro-F1 选。", "Choose by macro-F1.")
        raise Mismatch(what, actual=by, nominal="macro_f1", hint=hint)
    scores = {
        (run.rank, run.learning_rate): score_of(submission, run.labels) for run in runs
    }
    pair = (said["rank"], said["learning_rate"])
    actual, nominal = scores.get(pair, 0.0), max(scores.values())
    if not close(actual, nominal):
        what = Text("另一次的 macro-F1 更高。", "Another run has a higher macro-F1.")
        raise Mismatch(what, actual=actual, nominal=nominal)
    return met(actual, nominal)


@check("M11", points=2, part="training", skill=TRAIN)
def adapter_has_the_chosen_rank(submission: Submission) -> Graded:
    """交出的适配器用的是搜索选中的秩，词表和每个线性层旁边都加了。

    The adapter has the chosen rank and stands beside word table and linear layers.
    """
    actual = settings(submission)
    nominal = submission.read_json("chosen.json", {"rank": int})["rank"]
    layers = adapter.adaptable_layers(base_shapes(submission.released))
    beside = adapter.adapted_layers(layers, actual.targets)
    if actual.rank != nominal or len(beside) != len(layers):
        zh = f"适配器的秩是 {actual.rank}，有 {len(beside)} 层。"
        en = f"The adapter has rank {actual.rank} and {len(beside)} layers."
        expected = f"{nominal}, {len(layers)}"
        raise Mismatch(Text(zh, en), actual=actual.rank, nominal=expected)
    return met(actual.rank, nominal)


@check("M12", points=4, part="training", skill=TRAIN)
def adapter_learned(submission: Submission) -> Graded:
    """适配器学会了：验证集上的 macro-F1 达到公布的曲线的零分点。

    The adapter learned: macro-F1 on validation reaches the zero of the published curve.
    """
    report = training_log(submission)
    losses = [loss for _, loss in logged(report["log"], "epoch", "loss")]
    actual = score_kept(report)
    least = submission.curves["adapter_macro_f1"]["zero"]
    if len(losses) < 2 or not losses[-1] < losses[0]:
        what = Text("训练损失没有下降。", "The training loss did not fall.")
        hint = Text("学习率和轮数对吗？", "Are learning rate and epochs right?")
        raise Mismatch(what, actual=losses[-1:], nominal="falling", hint=hint)
    if not actual >= least:
        what = Text(
            "适配器学得不够：macro-F1 不到曲线的零分点。",
            "It learned too little: macro-F1 is below the curve's zero.",
        )
        hint = Text(
            "学习率够大吗？适配器和分类头都训练了吗？",
            "Is the learning rate large enough, and were adapter and head trained?",
        )
        raise Mismatch(what, actual=actual, nominal=f">= {least:.3f}", hint=hint)
    return met(actual, f">= {least:.3f}")


@check("M13", points=3, part="training", skill=TEST, needs=adapter_learned)
def best_checkpoint_is_kept(submission: Submission, learned: float) -> Graded:
    """在验证集上检查，保留 macro-F1 最高的检查点。

    It was checked on validation, and the checkpoint with the best macro-F1 was kept.
    """
    report = training_log(submission)
    checked_on_validation(submission, report)
    return best_is_kept(report)


@check("M14", points=3, part="training", skill=KEEP_SETS)
def trained_on_train_alone(submission: Submission) -> Graded:
    """适配器用了全部训练集来训练，没有混入别的数据。

    The adapter was trained on the whole train split and nothing else.
    """
    return fine_tuned.trained_on_train_alone(submission)


@check("M15", points=3, part="adapter", skill=TRAIN)
def file_holds_adapter_and_head(submission: Submission) -> Graded:
    """适配器文件里只有每层的 A、B 两张表和分类头，形状与设置一致。

    The adapter's file holds A and B of each layer and the head, of the right shapes.
    """
    shapes = submission.read_tensor_shapes(f"adapter/{adapter.WEIGHTS}")
    labels = len(submission.scenario.labels)
    base = base_shapes(submission.released)
    wanted = adapter.expected_shapes(settings(submission), base, labels)
    if shapes != wanted:
        missing, extra = wanted.keys() - shapes.keys(), shapes.keys() - wanted.keys()
        zh = f"缺 {len(missing)} 张表，多 {len(extra)} 张，或形状不对。"
        en = f"{len(missing)} tables missing, {len(extra)} too many, or other shapes."
        headless = any(".lora_" not in name for name in missing)
        no_head = Text("分类头没有一起保存。", "The head was not saved with it.")
        hint = no_head if headless else None
        raise Mismatch(Text(zh, en), actual=len(shapes), nominal=len(wanted), hint=hint)
    return met(adapter.count(shapes), adapter.count(wanted))


@check("M16", points=2, part="adapter", skill=TRAIN)
def scale_is_right(submission: Submission) -> Graded:
    """合并的倍率是 alpha ÷ 秩，亲手合并的一层与 peft 合并的相同。

    The scale of the merge is alpha ÷ rank; a layer merged by hand is that of peft.
    """
    fields = {"scale": float, "weight_difference": float}
    said = submission.read_json("merged.json", fields)
    actual, nominal = said["scale"], settings(submission).scale
    if not close(actual, nominal, 1e-6):
        what = Text("倍率不对。", "The scale is not right.")
        turned = close(actual * nominal, 1, 1e-6)
        hint = Text(
            "除反了：应该用 alpha 除以秩。",
            "The wrong way round: divide alpha by the rank.",
        )
        hint_or_none = hint if turned else None
        raise Mismatch(what, actual=actual, nominal=nominal, hint=hint_or_none)
    if not 0 <= said["weight_difference"] <= SAME_WEIGHTS:
        what = Text("亲手合并的与 peft 不同。", "Your merge is not that of peft.")
        seen = said["weight_difference"]
        raise Mismatch(what, actual=seen, nominal=f"<= {SAME_WEIGHTS}")
    return met(actual, nominal)


@check("M17", points=2, part="adapter", skill=TEST)
def merge_changes_no_score(submission: Submission) -> Graded:
    """比较了合并前和合并后的打分，最大相差不超过 0.001。

    Scores before and after the merge were compared; they differ by 0.001 at most.
    """
    fields = {"largest_difference": float}
    actual = submission.read_json("merged.json", fields)["largest_difference"]
    nominal = f"0 < … <= {SAME_SCORES}"
    if actual == 0:
        # Sums in another order are never the same to the last digit.
        what = Text("相差正好是 0。", "The difference is exactly 0.")
        hint = Text(
            "同一个模型和自己比了？还是适配器没有训练？",
            "Was a model compared with itself, or the adapter never trained?",
        )
        raise Mismatch(what, actual=actual, nominal=nominal, hint=hint)
    if not 0 < actual <= SAME_SCORES:
        what = Text("合并前后的打分不同。", "The merge changed the scores.")
        raise Mismatch(what, actual=actual, nominal=nominal)
    return met(f"{actual:.0e}", nominal)


@check("M18", points=2, part="adapter", skill=TEST)
def predictions_are_complete(submission: Submission) -> Labels:
    """predictions.csv 为每条留出消息给出一个团队。

    predictions.csv names one team for each held-out message.
    """
    return heldout_predictions(submission)


def examined(submission: Submission) -> Labels:
    """Return the labels that the examiner's run of the adapter gives."""
    return {row["id"]: row["label"] for row in submission.model_predictions()}


@check("M19", points=5, part="adapter", skill=TEST, needs=adapter_learned)
def adapter_gives_the_predictions(submission: Submission, learned: float) -> Graded:
    """考评端把适配器加到基础模型上运行，结果与 predictions.csv 至少 98 % 一致。

    The examiner's run of base model and adapter agrees with predictions.csv in 98 %.
    """
    what = Text("适配器和预测文件不一致。", "Adapter and predictions do not agree.")
    return agrees(heldout_predictions(submission), examined(submission), what)


def hidden_score(submission: Submission, given: Labels) -> float:
    """Return macro-F1 on the hidden labels, the lower of file and examiner's run."""
    return lowest_score(hidden_labels(submission), given, examined(submission))


@check("M20", points=28, part="adapter", skill=TEST, needs=predictions_are_complete)
def hidden_score_is_high(submission: Submission, given: Labels) -> Graded:
    """留出消息上的 macro-F1（预测文件和考评端运行，取较低者），按公布的曲线给分。

    Macro-F1 on held-out messages, the lower of file and examiner's run, on the curve.
    """
    actual = hidden_score(submission, given)
    ends = submission.curves["adapter_macro_f1"]
    return Graded(curve(actual, **ends), actual, curve_ends(ends), actual)


@check("M21", points=3, part="analysis", skill=REPORT, needs=adapter_learned)
def test_score_is_right(submission: Submission, learned: float) -> Graded:
    """报告的测试 macro-F1 与测试预测一致，在没见过的消息上也成立（虚高不超过 0.07）。

    The test macro-F1 follows from the predictions and holds on unseen messages (at most
    0.07 too high).
    """
    actual = reported(submission, "test_report.json", "macro_f1")
    test = labels_of(submission, "test")
    right = paired(test, predicted(submission, "test_predictions.csv", test))
    nominal = macro_f1(*right)
    if not close(actual, nominal):
        hint = USE_MACRO if close(actual, accuracy(*right)) else None
        raise Mismatch(SCORE_WRONG, actual=actual, nominal=nominal, hint=hint)
    used = submission.read_json("training.json", {"training_examples": int})
    if used["training_examples"] > len(labels_of(submission, "train")):
        what = Text("训练混入了别的数据。", "It was trained on more than train.")
        hint = Text("学过的题不能再拿来考。", "What was learned is no test any more.")
        raise Mismatch(what, actual=actual, nominal="unseen messages", hint=hint)
    hidden = hidden_score(submission, heldout_predictions(submission))
    holds(actual, hidden, HONEST)
    return met(actual, nominal)


@check("J1", points=5, part="analysis", skill=REPORT, by_hand=True)
def ways_are_compared(submission: Submission) -> str:
    """引用数字，比较两种办法的参数、内存、时间和分数。

    Compares both ways in parameters, memory, time and score, and quotes numbers.
    """
    return submission.written_answer("compare_ways")


@check("J2", points=5, part="analysis", skill=REPORT, by_hand=True)
def search_is_read(submission: Submission) -> str:
    """说清楚秩和学习率谁的影响大，并指出四次试训还不能说明什么。

    Says which of rank and learning rate matters more, and what four runs cannot show.
    """
    return submission.written_answer("read_search")


@check("J3", points=5, part="analysis", skill=REPORT, by_hand=True)
def deployment_is_sound(submission: Submission) -> str:
    """说明怎样存放、更新和上线多个适配器，以及何时宁可做普通微调。

    Says how to keep, update and deploy many adapters, and when to train the whole.
    """
    return submission.written_answer("deploy")
