"""Wrong answers that trainees really give in finetuning_adapters.

``loses`` names rows that the mistake must lose; it may lose others too.
"""

from lab_env.checks import Text
from lab_env.mistakes import Mistake

COUNT = "{name} = sum(table.{what} for table in {model}.parameters(){condition})"
RATES = "learning_rates = [1e-3, 2e-3]\n"
# What is lost in these ways does not hang on the training, so it is cut short: the
# search, or every run from there on.
CHEAP_SEARCH = {"learning_rates": RATES + 'short_settings["max_steps"] = 2'}
CHEAP_RUNS = {"memory": 'numbers_each = 3\nshared["max_steps"] = 8'}
BOTH = (
    "from datasets import concatenate_datasets\n\n"
    'train_on = concatenate_datasets([encoded["train"], encoded["test"]])\n'
    'check_on = encoded["validation"]'
)


def count(name: str, model: str, what: str = "numel()", condition: str = "") -> str:
    """Return the line that counts parameters, with one part of it wrong."""
    return COUNT.format(name=name, model=model, what=what, condition=condition)


MISTAKES = (
    Mistake(
        "swapped_label_column",
        Text("用了自选的队列作标签。", "The queue that people picked as label."),
        {"label_column": 'label_column = "queue"'},
        ("M1",),
        until="label_column",
    ),
    Mistake(
        "tables_counted",
        Text("数了表的方向，没有数表里的数。", "Counted directions, not numbers."),
        {"count_full": count("full_parameters", "full_model", "dim()")},
        ("M2", "M5"),
        until="memory",
    ),
    Mistake(
        "rank_times_whole_table",
        Text("用秩去乘整张大表。", "Multiplied the rank by the whole table."),
        {"lora_formula": "return rank * (rows * columns)"},
        ("M3",),
        until="lora_formula",
    ),
    Mistake(
        "total_for_trainable",
        Text("把全部参数当成要训练的参数。", "Took all parameters for those trained."),
        {
            "count_lora": count(
                "lora_parameters", "small_model", condition=" if table.is_leaf"
            )
        },
        ("M4", "M5"),
        until="memory",
    ),
    Mistake(
        "all_parameters_trained",
        Text("忘了适配器，训练了整个模型。", "Forgot the adapter, trained everything."),
        {
            "count_lora": "small_model = fresh_model()\n"
            + count(
                "lora_parameters", "small_model", condition=" if table.requires_grad"
            )
        },
        ("M4",),
        until="count_lora",
    ),
    Mistake(
        "gradient_forgotten",
        Text(
            "只算了优化器，忘了梯度。", "Reckoned the optimiser without the gradient."
        ),
        {"memory": "numbers_each = 2"},
        ("M5",),
        until="memory",
    ),
    Mistake(
        "head_not_saved",
        Text("分类头没有训练，也没有保存。", "The head was neither trained nor saved."),
        {"head": "also_trained = None"} | CHEAP_RUNS,
        ("M4", "M15", "M19", "M20"),
    ),
    Mistake(
        "searched_on_test",
        Text("在测试集上搜索。", "Searched on the test split."),
        {"search_on": 'search_on = encoded["test"]'} | CHEAP_SEARCH,
        ("M10",),
        until="choose_by",
    ),
    Mistake(
        "chosen_by_loss",
        Text("按损失而不是 macro-F1 挑选。", "Chose by loss, not by macro-F1."),
        {"choose_by": 'choose_by = "loss"'} | CHEAP_SEARCH,
        ("M10",),
        until="choose_by",
    ),
    Mistake(
        "learning_rates_of_full_fine_tuning",
        Text(
            "照搬大模型普通微调的学习率。", "Learning rates of large full fine-tuning."
        ),
        {"learning_rates": "learning_rates = [2e-5, 5e-5]"},
        ("M9",),
        until="choose_by",
    ),
    Mistake(
        "base_and_adapter_frozen",
        Text(
            "把适配器和基础模型一起冻结了。", "Froze the adapter along with the base."
        ),
        {
            "splits": 'train_on = encoded["train"]\n'
            'check_on = encoded["validation"]\n'
            "thawed = lora_model\n\n\n"
            "def lora_model(rank):\n"
            "    model = thawed(rank)\n"
            "    for name, table in model.named_parameters():\n"
            '        table.requires_grad = name.endswith("bias")\n'
            "    return model"
        }
        | CHEAP_SEARCH,
        ("M12", "M20"),
    ),
    Mistake(
        "trained_on_test",
        Text("把测试集也拿来训练。", "Trained on the test split as well."),
        {"splits": BOTH} | CHEAP_RUNS,
        ("M14",),
    ),
    Mistake(
        "merge_compared_with_itself",
        Text("合并后的模型和自己比。", "Compared the merged model with itself."),
        {
            "compare": "before = scores_of(merged)\nafter = scores_of(merged)",
            "scale": 'scale = best["rank"] / lora_alpha',
        }
        | CHEAP_RUNS,
        ("M16", "M17"),
        until="compare",
    ),
    Mistake(
        "ids_sorted_differently",
        Text("预测时标签换了顺序，又报了 micro。", "Labels in another order, micro."),
        {
            "team_codes": "in_order = sorted(scenario.label_codes)\n"
            "return [in_order[number] for number in numbers]",
            "test_report": "test_macro_f1 = f1_score(test_labels, test_predictions, "
            'average="micro")',
        }
        | CHEAP_SEARCH,
        ("M19", "M20", "M21"),
    ),
)
