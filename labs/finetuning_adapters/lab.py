# %% [markdown] lang="zh"
# # 用 LoRA 适配器微调
#
# **{{ scenario.title }}**
#
# {{ scenario.brief }}
#
# 普通的微调会改动模型里的**每一个**数。如果要给五十家单位各做一个模型，就得存五十份完整的模型，训练时也要占很多内存。
# **LoRA** 换了一种办法：原来的数一个不动，只在旁边添一小块**适配器**（adapter），只训练这一小块。
#
# 你将数一数两种办法各要训练多少个数、占多少内存，在验证集上搜索合适的设置，训练一个适配器，把它合并回模型，最后交出适配器。
# 全程约 {{ lab.minutes }} 分钟，不需要写程序：把空 `____` 换成你的答案，再按 **Shift + Enter** 运行。
# 请从上往下一格一格运行；改了前面的答案，就从那一格起把后面的再运行一遍。

# %% [markdown] lang="en"
# # Fine-tune with a LoRA adapter
#
# **{{ scenario.title }}**
#
# {{ scenario.brief }}
#
# Ordinary fine-tuning changes **every** number of a model. For fifty organisations that means fifty whole models to keep, and a lot of
# memory while training. **LoRA** goes another way: the numbers of the model stay as they are, a small **adapter** is put beside them,
# and only the adapter is trained.
#
# You will count what each way trains and what memory it takes, search for good settings on validation data, train an adapter, merge it
# into the model, and hand in the adapter. It takes about {{ lab.minutes }} minutes and you need not program: put your answer in place of
# a blank, `____`, and press **Shift + Enter**. Run from the top, one cell after the other; when you change an answer, run the cells
# below it again.

# %%
import copy
import time
from collections import Counter

from lab_env.notebook import (
    fingerprint, load_scenario, save_adapter, save_json, save_predictions, show_rows, training_curve,
)

scenario = load_scenario()

# %% [markdown] lang="zh"
# ## 1 · 数据和基础模型
#
# 数据分成三份，每一份叫一个**划分**（split）：`train`（训练集）、`validation`（验证集，做选择用）和 `test`（测试集，全部选定之后才用一次）。
# 每条消息要分给下面的一个团队：
#
# {{ scenario.labels }}

# %% [markdown] lang="en"
# ## 1 · The data and the base model
#
# The data come in three parts, each called a **split**: `train`, `validation` (for every choice) and `test` (used once, after all choices are made). Each message goes to
# one of these teams:
#
# {{ scenario.labels }}

# %%
from datasets import load_dataset

messages = load_dataset("csv", data_files=scenario.files)
messages["train"].to_pandas().head()

# %% [markdown] lang="zh"
# `queue` 是写消息的人自己选的队列，常常选错；`team` 是最后真正解决问题的团队，经人工核对。
# 模型应该学哪一列？填列名，两边加英文引号。

# %% [markdown] lang="en"
# `queue` is what people picked when they wrote, often wrongly; `team` is the team that solved it in the end, checked by people.
# Which column should the model learn? Write its name, between quotes.

# %% answer="label_column"
### BEGIN SOLUTION
label_column = "team"
### END SOLUTION

# %% rows="M1"
messages_per_team = Counter(messages["train"][label_column])
save_json("data_facts.json", {"messages_per_team": messages_per_team})

# %% [markdown] lang="zh"
# 下面几步和普通微调一样，已经写好：给标签编号，把文字切成 token，载入预训练过的基础模型，加上一个新的**分类头**（head）。
# `set_seed` 固定随机数，好让结果可以重现。

# %% [markdown] lang="en"
# The next steps are those of any fine-tuning and are given: number the labels, cut texts into tokens, load the pretrained base model
# with a new classification **head** on top. `set_seed` fixes the random numbers, so that results can be repeated.

# %%
from transformers import AutoModelForSequenceClassification, AutoTokenizer, set_seed

id2label = dict(enumerate(scenario.label_codes))
label2id = {code: number for number, code in id2label.items()}
tokenizer = AutoTokenizer.from_pretrained(scenario.base_model)
max_length = 112


def encode(batch):
    encoded = tokenizer(batch["text"], truncation=True, max_length=max_length)
    encoded["labels"] = [label2id[code] for code in batch[label_column]]
    return encoded


encoded = messages.map(encode, batched=True)

# %%
# The same for every run below, so that runs can be compared.
shared = dict(
    warmup_steps=0.1, per_device_train_batch_size=16, per_device_eval_batch_size=64, seed=2026,
    report_to=[], disable_tqdm=True, dataloader_pin_memory=False,
)
# Messages of like length are learned together: a third less to compute.
grouped = dict(train_sampling_strategy="group_by_length")


def fresh_model():
    set_seed(shared["seed"])
    return AutoModelForSequenceClassification.from_pretrained(
        scenario.base_model, id2label=id2label, label2id=label2id
    )


# %% [markdown] lang="zh"
# ## 2 · 要训练多少个数？
#
# 模型就是一张张数字表，表里的每个数叫一个**参数**（parameter）。普通微调会训练全部参数，先数一数一共有多少个。
# 每张表 `table` 都会自己数：`table.numel()` 是表里有多少个数，`table.dim()` 是这张表有几个方向（1 是一列，2 是有行有列）。点和括号已经写好，只填中间那个词：填哪一个？

# %% [markdown] lang="en"
# ## 2 · How many numbers are trained?
#
# A model is a set of tables, and each number in them is a **parameter**. Ordinary fine-tuning trains all of them; how many are there?
# Each `table` can say: `table.numel()` is how many numbers it holds, `table.dim()` how many directions it has (1 for a list, 2 for rows
# and columns). The point and the brackets are there: write only the word between them. Which one?

# %%
full_model = fresh_model()
for name, table in full_model.named_parameters():
    print(f"{name:45} {tuple(table.shape)}")

# %% answer="count_full"
### BEGIN SOLUTION
# starter: full_parameters = sum(table.____() for table in full_model.parameters())
full_parameters = sum(table.numel() for table in full_model.parameters())
### END SOLUTION

# %% rows="M2"
save_json("full.json", {"parameters": full_parameters})
print(f"{full_parameters:,}")

# %% [markdown] lang="zh"
# 几乎所有的数都在几张大表里：一张**词表**（每个 token 一行），还有许多**线性层**。LoRA 不动大表 W，在旁边放两张窄表：
#
# - 一张叫 B，有 r 列，行数和 W 一样；
# - 一张叫 A，有 r 行，列数和 W 一样。
#
# 两张窄表相乘，又得到和 W 一样大的表；把它加到 W 上，就等于改动了 W。r 叫**秩**（rank），越小越省，常用 4 到 64。
# 很多教程只给线性层加适配器；可这个小模型读过的书不多，行业用词要现学，所以词表旁边也加。
#
# W 有 `rows` 行、`columns` 列。给它加上秩为 `rank` 的两张窄表，一共多出多少个数？请补全公式。

# %% [markdown] lang="en"
# Nearly all numbers are in a few large tables: the **word table**, with a row for each token, and the **linear layers**. LoRA leaves a large
# table W alone and puts two narrow tables beside it:
#
# - B, with r columns, and as many rows as W;
# - A, with r rows, and as many columns as W.
#
# Multiplied with each other they are again as large as W; added to W, they amount to a change of W. r is the **rank**: the smaller, the cheaper; 4 to
# 64 are usual. Many tutorials adapt linear layers only; but this small model has not read much and must learn the words of the trade, so the
# word table gets an adapter too.
#
# W has `rows` and `columns`. How many numbers do two narrow tables of `rank` add to it? Complete the formula.

# %%
import torch

layers = {
    name: layer
    for name, layer in full_model.named_modules()
    if isinstance(layer, (torch.nn.Embedding, torch.nn.Linear)) and name != "classifier"
}
for name, layer in layers.items():
    print(f"{name:32} {tuple(layer.weight.shape)}")

# %% answer="lora_formula"
def added_by(layer, rank):
    rows, columns = layer.weight.shape
    ### BEGIN SOLUTION
    # starter: return rank * (____ + ____)
    return rank * (rows + columns)
    ### END SOLUTION

# %% rows="M3"
added = {rank: sum(added_by(layer, rank) for layer in layers.values()) for rank in [1, 2, 4, 8, 16, 32]}
save_json("added.json", {"added": added})
print(added)

# %% [markdown] lang="zh"
# 现在请 `peft` 库来加适配器。其他参数都会**冻结**（不训练），但有一处例外：分类头是新的，里面还是随机数，不训练就没有用。
# 上面那张参数表里，最后两行的名字去掉 `.weight`、`.bias`，剩下的就是分类头的名字（`head.` 开头的几行是预训练过的，不是它）。填进 `also_trained`，两边加英文引号。

# %% [markdown] lang="en"
# Now `peft` adds the adapter. It **freezes** all other parameters, with one exception that you must name: the head is new and holds random
# numbers, so it is of no use until it is trained. Take the last two lines of the list of parameters above and leave out `.weight` and `.bias`: what remains is
# the name of the head. (Lines that begin with `head.` are pretrained and not meant.) Write it into `also_trained`, between quotes.

# %% answer="head"
### BEGIN SOLUTION
# starter: also_trained = [____]
also_trained = ["classifier"]
### END SOLUTION

# %%
from peft import LoraConfig, get_peft_model

lora_alpha = 20


def lora_model(rank):
    settings = LoraConfig(
        r=rank, lora_alpha=lora_alpha, target_modules=list(layers), modules_to_save=also_trained
    )
    return get_peft_model(fresh_model(), settings)


# %% [markdown] lang="zh"
# 数一数秩为 8 时真正要训练的参数。`table.requires_grad` 表示这张表要训练，`table.is_leaf` 对每张表都成立。哪一个能把冻结的排除掉？

# %% [markdown] lang="en"
# Count what is really trained at rank 8. `table.requires_grad` holds for a table that is trained, `table.is_leaf` for every table. Which one
# leaves out what is frozen?

# %% answer="count_lora"
small_model = lora_model(8)
### BEGIN SOLUTION
# starter: lora_parameters = sum(table.numel() for table in small_model.parameters() if table.____)
lora_parameters = sum(table.numel() for table in small_model.parameters() if table.requires_grad)
### END SOLUTION

# %% rows="M4"
save_json("trainable.json", {"rank": 8, "trainable": lora_parameters})
print(f"{lora_parameters:,} / {full_parameters:,} = {lora_parameters / full_parameters:.1%}")

# %% [markdown] lang="zh"
# 训练时，除了参数本身，还要为**每个要训练的参数**记住几个数：
#
# - 1 个**梯度**（gradient）：这一步该往哪边改；
# - 2 个平均值：优化器 AdamW 要用，一个是梯度的平均，一个是梯度平方的平均。
#
# 每个数占 4 个字节。每个要训练的参数，一共要多记几个数？填数字，不加引号。

# %% [markdown] lang="en"
# While training, several numbers are kept for **each parameter that is trained**, besides the parameter itself:
#
# - 1 **gradient**: which way to change it in this step;
# - 2 averages for the optimiser AdamW, one of the gradient and one of its square.
#
# A number takes 4 bytes. How many numbers are kept for each trained parameter, besides the parameter itself? Write the number, without quotes.

# %% answer="memory"
### BEGIN SOLUTION
numbers_each = 3
### END SOLUTION

# %% rows="M5"
memory = {"full_bytes": full_parameters * numbers_each * 4, "lora_bytes": lora_parameters * numbers_each * 4}
save_json("memory.json", memory)
print({name: f"{size / 1e6:.2f} MB" for name, size in memory.items()})

# %% [markdown] lang="zh"
# ## 3 · 普通微调能到多少分？
#
# 比较要公平，所以下面每次**试训**都一样：只用训练集的前 240 条，学 3 轮。时间短，分数还不高，但大的差别已经看得出来。
#
# 模型给每个团队打一个分，`argmax` 找出最高分的**编号**，还要换回团队代码。由编号查代码的对照表，第 1 节已经做好，叫什么名字？不加引号。

# %% [markdown] lang="en"
# ## 3 · What does ordinary fine-tuning reach?
#
# To be fair, every **short run** below is the same: the first 240 messages of train, 3 epochs. That is brief, so scores are not yet high, but large differences
# already show.
#
# The model gives each team a score, `argmax` finds the **number** of the highest, and numbers must be turned back into team codes. The table
# from numbers to codes was made in section 1; what is its name?

# %% answer="team_codes"
def team_codes(scores):
    numbers = scores.argmax(axis=-1)
    ### BEGIN SOLUTION
    # starter: return [____[number] for number in numbers]
    return [id2label[number] for number in numbers]
    ### END SOLUTION

# %% [markdown] lang="zh"
# 试训之后要打分，好决定用哪种设置。打分用哪个划分？填划分的名字，加英文引号。

# %% [markdown] lang="en"
# After each short run it is scored, so that settings can be chosen. Which split is that done on? Write its name, between quotes.

# %% answer="search_on"
### BEGIN SOLUTION
# starter: search_on = encoded[____]
search_on = encoded["validation"]
### END SOLUTION

# %% [markdown] lang="zh"
# 下面是试训的代码，已经写好。它记下：训练了多少参数、优化器的两个平均值**实际**占了多少内存、用了几秒、损失和 macro-F1。

# %% [markdown] lang="en"
# The short run is given. It notes how many parameters were trained, what memory the two averages of the optimiser **really** took,
# the seconds, the loss and macro-F1.

# %%
from sklearn.metrics import f1_score
from transformers import Trainer, TrainingArguments
from transformers.trainer_callback import PrinterCallback

short_part = encoded["train"].select(range(240))
short_settings = dict(num_train_epochs=3, eval_strategy="no", save_strategy="no", logging_strategy="no")


def predict(model, split):
    # Not grouped by length: that would give the messages back in another order.
    predictor = Trainer(model=model, args=TrainingArguments("predicting", **shared), processing_class=tokenizer)
    return predictor.predict(split)


def short_run(model, learning_rate):
    arguments = TrainingArguments("short_runs", learning_rate=learning_rate, **short_settings, **grouped, **shared)
    trainer = Trainer(model=model, args=arguments, train_dataset=short_part, processing_class=tokenizer)
    trainer.remove_callback(PrinterCallback)
    started = time.perf_counter()
    trainer.train()
    seconds = time.perf_counter() - started
    result = predict(model, search_on)
    codes = team_codes(result.predictions)
    kept = [table for state in trainer.optimizer.state.values() for table in state.values()]
    return {
        "learning_rate": learning_rate,
        "trainable": sum(table.numel() for table in model.parameters() if table.requires_grad),
        "optimizer_bytes": sum(table.nbytes for table in kept),
        "seconds": round(seconds, 1),
        "loss": result.metrics["test_loss"],
        "macro_f1": f1_score(list(search_on[label_column]), codes, average="macro"),
        "labels": codes,
    }


# %% [markdown] lang="zh"
# 先看普通微调。它适合的学习率是 `5e-4`（0.0005）。

# %% [markdown] lang="en"
# Ordinary fine-tuning first; the learning rate that suits it here is `5e-4` (0.0005).

# %% rows="M6"
full_run = short_run(fresh_model(), 5e-4)
save_json("full_run.json", {"ids": list(search_on["id"]), **full_run})
print({name: full_run[name] for name in ["trainable", "optimizer_bytes", "seconds", "macro_f1"]})

# %% [markdown] lang="zh"
# ## 4 · 搜索秩和学习率
#
# 适配器要用多大的学习率？它从零开始，参数又少，步子通常要比普通微调**大几倍**。普通微调用 `5e-4`：
#
# | 学习率 | 对适配器来说 |
# | --- | --- |
# | `5e-5` | 是普通微调的十分之一，几乎学不动 |
# | `1e-3` | 普通微调的 2 倍 |
# | `2e-3` | 普通微调的 4 倍 |
# | `5e-1` | 普通微调的一千倍，越学越乱 |
#
# 选两个值得试的学习率填进去，不加引号。秩试 8 和 16，两两搭配，一共四次试训。

# %% [markdown] lang="en"
# ## 4 · Search over rank and learning rate
#
# Which learning rate does an adapter need? It starts from zero and is small, so its steps are mostly **several times** those of ordinary fine-tuning,
# which uses `5e-4`:
#
# | Learning rate | For an adapter |
# | --- | --- |
# | `5e-5` | a tenth of ordinary fine-tuning: it hardly learns |
# | `1e-3` | twice ordinary fine-tuning |
# | `2e-3` | 4 times ordinary fine-tuning |
# | `5e-1` | a thousand times: it unlearns as it goes |
#
# Fill in the two that are worth trying, without quotes. Ranks 8 and 16 are tried with each, four short runs in all.

# %% answer="learning_rates"
ranks = [8, 16]
### BEGIN SOLUTION
# starter: learning_rates = [____, ____]
learning_rates = [1e-3, 2e-3]
### END SOLUTION

# %%
runs = []
for rank in ranks:
    for learning_rate in learning_rates:
        runs.append({"rank": rank, **short_run(lora_model(rank), learning_rate)})
        print({name: runs[-1][name] for name in ["rank", "learning_rate", "seconds", "loss", "macro_f1"]})

# %% rows="M7 M8 M9"
save_json("search.json", {"ids": list(search_on["id"]), "runs": runs})

# %% [markdown] lang="zh"
# 把搜索画出来：横轴是学习率，每条线是一个秩，虚线是普通微调。

# %% [markdown] lang="en"
# Draw the search: learning rates along the bottom, a line for each rank, and ordinary fine-tuning as a dashed line.

# %%
import matplotlib.pyplot as plt
import pandas as pd

figure, axes = plt.subplots(figsize=(7, 3))
for rank, found in pd.DataFrame(runs).groupby("rank"):
    found = found.sort_values("learning_rate")
    axes.plot(found["learning_rate"], found["macro_f1"], "o-", label=f"LoRA, rank {rank}")
axes.axhline(full_run["macro_f1"], color="gray", linestyle="--", label="full fine-tuning")
axes.set(xscale="log", xlabel="learning rate", ylabel="macro-F1 (validation)", ylim=(0, 1))
axes.legend()
plt.show()

# %% [markdown] lang="zh"
# 按什么挑最好的一次？表里有 `"loss"`（损失）、`"macro_f1"` 和 `"seconds"`（用时）。
# 我们要的是每个团队都分得准，小团队也一样重要。填一个，加英文引号。

# %% [markdown] lang="en"
# By what is the best run chosen? The runs have `"loss"`, `"macro_f1"` and `"seconds"`. What we want is that every team is found, small ones
# as much as large ones. Write one of them, between quotes.

# %% answer="choose_by"
### BEGIN SOLUTION
choose_by = "macro_f1"
### END SOLUTION

# %% rows="M10"
in_order = sorted(runs, key=lambda run: run[choose_by])
best = in_order[-1] if choose_by == "macro_f1" else in_order[0]
chosen = {"rank": best["rank"], "learning_rate": best["learning_rate"]}
save_json("chosen.json", {"chosen_by": choose_by, **chosen})
print(chosen)

# %% [markdown] lang="zh"
# ## 5 · 训练选中的适配器
#
# 这次用全部训练消息，学 4 轮；每一轮检查一次，留下 macro-F1 最高的检查点。从哪个划分学？在哪个划分上检查？两个空都填划分的名字，加英文引号。

# %% [markdown] lang="en"
# ## 5 · Train the adapter that was chosen
#
# Now with all training messages, for 4 epochs; it is checked after each, and the checkpoint with the best macro-F1 is kept. Which split is learned
# from, and which is checked on? Write both names, between quotes.

# %% answer="splits"
### BEGIN SOLUTION
# starter: train_on = encoded[____]
train_on = encoded["train"]
# starter: check_on = encoded[____]
check_on = encoded["validation"]
### END SOLUTION

# %%
arguments = TrainingArguments(
    output_dir="checkpoints",
    num_train_epochs=4,
    learning_rate=best["learning_rate"],
    eval_strategy="epoch",
    logging_strategy="epoch",
    save_strategy="epoch",
    save_only_model=True,
    load_best_model_at_end=True,
    metric_for_best_model="macro_f1",
    **grouped,
    **shared,
)


def compute_metrics(result):
    numbers = result.predictions.argmax(axis=-1)
    return {"macro_f1": f1_score(result.label_ids, numbers, average="macro")}


# %%
trainer = Trainer(
    model=lora_model(best["rank"]),
    args=arguments,
    train_dataset=train_on,
    eval_dataset=check_on,
    processing_class=tokenizer,
    compute_metrics=compute_metrics,
    callbacks=[training_curve()],
)
trainer.remove_callback(PrinterCallback)
trainer.train();

# %% rows="M12 M13 M14"
report = {
    "log": trainer.state.log_history,
    "best_step": trainer.state.best_global_step,
    "chosen_by": "macro_f1",
    "training_examples": len(train_on),
    "training_ids": fingerprint(train_on["id"]),
    "checking_ids": fingerprint(check_on["id"]),
    "max_length": max_length,
}
save_json("training.json", report)

# %% [markdown] lang="zh"
# 保存适配器。文件里只有成对的窄表和分类头，没有基础模型，所以很小；`safetensors` 里只有数字、没有程序，别人可以放心打开。

# %% [markdown] lang="en"
# Save the adapter. Its file holds the pairs of narrow tables and the head, not the base model, so it is small. A `safetensors` file holds
# numbers and no program, so anybody may open it safely.

# %% rows="M11 M15"
save_adapter(trainer.model)

# %% [markdown] lang="zh"
# ## 6 · 合并，并检查结果不变
#
# 上线时可以把适配器**合并**进模型：W + 倍率 × (B × A)，A 和 B 就是那两张窄表。合并之后就是一个普通模型，不用再装 `peft`，也不会变慢。
# 这里的倍率是 **alpha ÷ 秩**。alpha 存在 `lora_alpha` 里，选中的秩是 `best["rank"]`。请补全。

# %% [markdown] lang="en"
# ## 6 · Merge, and check that nothing changed
#
# For use, the adapter can be **merged** into the model: W + scale × (B × A), where A and B are the two narrow tables. The result is an ordinary model that needs no `peft` and is no slower.
# The scale is **alpha ÷ rank**. Alpha is in `lora_alpha`, the rank that was chosen is `best["rank"]`. Complete the line.

# %% answer="scale"
### BEGIN SOLUTION
# starter: scale = ____ / ____
scale = lora_alpha / best["rank"]
### END SOLUTION

# %% [markdown] lang="zh"
# 用你的倍率亲手合并一层，和 `peft` 合并的比一比，相差应该几乎是 0。

# %% [markdown] lang="en"
# Merge one layer by hand with your scale and compare it with the merge of `peft`: the difference should be next to nothing.

# %%
trained = trainer.model.eval()
merged = copy.deepcopy(trained).merge_and_unload()
name = list(layers)[-1]
layer = trained.get_submodule(f"base_model.model.{name}")
W, A, B = layer.base_layer.weight, layer.lora_A["default"].weight, layer.lora_B["default"].weight
by_hand = W + scale * (B @ A)
weight_difference = (by_hand - merged.get_submodule(name).weight).abs().max().item()
print(name, weight_difference)

# %% [markdown] lang="zh"
# 再检查整个模型：合并**前**（`trained`）和合并**后**（`merged`）给同样的消息打分，分数应该一样。两个空各填一个模型。

# %% [markdown] lang="en"
# Then check the whole model: before the merge (`trained`) and after it (`merged`) the same messages should get the same scores. One model
# goes into each blank.

# %%
some = messages["validation"].select(range(100))["text"]


def scores_of(model):
    inputs = tokenizer(list(some), truncation=True, max_length=max_length, padding=True, return_tensors="pt")
    with torch.inference_mode():
        return model(**inputs.to(model.device)).logits


# %% answer="compare"
### BEGIN SOLUTION
# starter: before = scores_of(____)
before = scores_of(trained)
# starter: after = scores_of(____)
after = scores_of(merged)
### END SOLUTION

# %% rows="M16 M17"
largest_difference = (before - after).abs().max().item()
save_json("merged.json", {"scale": scale, "weight_difference": weight_difference, "largest_difference": largest_difference})
print(f"{largest_difference:.2e}")

# %% [markdown] lang="zh"
# ## 7 · 预测
#
# 下面这些消息的答案只有考评端才有，这一份叫**留出集**（held-out）。用合并后的模型来预测。
# 考评端会自己把你的适配器加到基础模型上，运行一遍，看结果是否和你交的一致。

# %% [markdown] lang="en"
# ## 7 · Predict
#
# Only the examiner has the answers to these messages: the **held-out** split. The merged model predicts them. The examiner adds your adapter to the
# base model, runs it, and sees whether it gives the predictions that you handed in.

# %%
unseen = load_dataset("csv", data_files=scenario.unseen, split="train")
unseen = unseen.map(lambda batch: tokenizer(batch["text"], truncation=True, max_length=max_length), batched=True)

# %% rows="M18 M19 M20"
save_predictions("predictions.csv", unseen["id"], team_codes(predict(merged, unseen).predictions))

# %% [markdown] lang="zh"
# 所有选择都做完了，现在才打开测试集。正确答案叫 `test_labels`，预测叫 `test_predictions`：括号里先写正确答案，再写预测；
# `average` 要和前面挑选时的分数同一种，填 `"macro"`（每个团队一样重要）还是 `"micro"`（每条消息一样重要）？带英文引号。

# %% [markdown] lang="en"
# All choices are made; only now is the test split opened. The right answers are `test_labels`, the predictions `test_predictions`; the right
# answers come first. For `average`, as when the run was chosen: `"macro"` (every team counts the same) or `"micro"` (every message counts the same)? Keep the quotes.

# %%
test_labels = list(messages["test"][label_column])
test_predictions = team_codes(predict(merged, encoded["test"]).predictions)
save_predictions("test_predictions.csv", messages["test"]["id"], test_predictions)

# %% answer="test_report"
### BEGIN SOLUTION
# starter: test_macro_f1 = f1_score(____, ____, average=____)
test_macro_f1 = f1_score(test_labels, test_predictions, average="macro")
### END SOLUTION

# %% rows="M21"
save_json("test_report.json", {"macro_f1": test_macro_f1})
print(f"macro-F1 {test_macro_f1:.3f}")

# %% [markdown] lang="zh"
# ## 8 · 写下你的结论
#
# 先把两种办法放在一张表里。表里的试训只用了一小部分数据，所以只能用来比较；时间每次都不一样，只看大概。

# %% [markdown] lang="en"
# ## 8 · Write your conclusions
#
# First both ways in one table. These are the short runs on a part of the data, good for comparing and for nothing else; seconds differ each time.

# %%
table = pd.DataFrame([{"rank": "full", **full_run}, *runs])
table[["rank", "learning_rate", "trainable", "optimizer_bytes", "seconds", "macro_f1"]]

# %% [markdown] lang="zh"
# 三道题由考评员阅卷，每题两三句话。**双击**括号里的提示，再在出现的框里点一下，把它换成你的回答，最后按 Shift + Enter。
#
# **第 1 题**：普通微调和 LoRA 相比，训练的参数、内存、时间和分数各差多少？请引用上表中的数字。

# %% [markdown] lang="en"
# An examiner marks these three; two or three sentences each. **Double-click** the sentence in brackets, click once in the box that opens, put your answer in its place, and press
# Shift + Enter.
#
# **Question 1**: How do ordinary fine-tuning and LoRA differ in parameters trained, memory, time and score? Quote numbers of the table.

# %% [markdown] lang="zh" answer="compare_ways" rows="J1"
# ### BEGIN SOLUTION
# 秩为 8 时 LoRA 只训练约 7 % 的参数，优化器和梯度的内存也只有约 7 %。时间却没有少这么多：前向和反向计算仍要经过整个模型。同样的试训里，选中的 LoRA 的 macro-F1 不比普通微调低，数字见上表；但试训很短，这只说明它学得快，不说明训练充分后仍然如此。
# ### END SOLUTION

# %% [markdown] lang="en" answer="compare_ways" rows="J1"
# ### BEGIN SOLUTION
# At rank 8 LoRA trains about 7 % of the parameters, and gradients and optimiser take about 7 % of the memory. Time falls far less, because the computation still runs through the whole model forwards and back. In the same short runs the chosen LoRA is no worse in macro-F1 (see the table), but these runs are brief: it shows that LoRA learns fast, not that it stays ahead when both are trained in full.
# ### END SOLUTION

# %% [markdown] lang="zh"
# **第 2 题**：看搜索的图，秩和学习率哪一个影响更大？四次试训够不够下结论？怎样才能更有把握？

# %% [markdown] lang="en"
# **Question 2**: Look at the plot of the search. Which matters more, rank or learning rate? Do four short runs settle it, and what would make you more certain?

# %% [markdown] lang="zh" answer="read_search" rows="J2"
# ### BEGIN SOLUTION
# 在图中比较同一条线两端的差距和两条线之间的差距，就知道学习率和秩谁的影响大。四次试训、每次一个随机种子，小差距可能只是运气：应当换几个种子重复，看差距是否大于种子之间的波动，再用更多数据确认；仍然只看验证集。
# ### END SOLUTION

# %% [markdown] lang="en" answer="read_search" rows="J2"
# ### BEGIN SOLUTION
# Compare the rise along a line with the gap between the lines: that shows whether learning rate or rank matters more. Four runs with one seed each cannot settle a small gap, which may be luck: repeat with several seeds, see whether the gap is larger than the spread between seeds, and confirm it with more data, still on validation only.
# ### END SOLUTION

# %% [markdown] lang="zh"
# **第 3 题**：一个基础模型要服务五十家单位，每家有自己的标签和数据。你会怎样存放、更新和上线这些适配器？什么时候宁可做普通微调？

# %% [markdown] lang="en"
# **Question 3**: One base model shall serve fifty organisations, each with its own labels and data. How would you store, update and deploy the adapters? When would you rather
# fine-tune the whole model?

# %% [markdown] lang="zh" answer="deploy" rows="J3"
# ### BEGIN SOLUTION
# 基础模型只存一份，固定版本；每家存一个适配器，写明它属于哪个版本的基础模型、标签顺序和验证分数。更新一家只换它的适配器；换基础模型则全部重新训练、重新验证。请求量大的可以先合并，每次合并都检查预测不变。数据很多、和预训练的文字差别很大，或者 LoRA 在验证集上明显落后时，做普通微调。
# ### END SOLUTION

# %% [markdown] lang="en" answer="deploy" rows="J3"
# ### BEGIN SOLUTION
# Keep one base model of a fixed version, and for each organisation an adapter with a note of the base version, its order of labels and its validation score. To update one, exchange its adapter; a new base model means training and checking all of them again. Where there is much traffic, merge first and check that predictions stay the same. Fine-tune the whole model where there are many data, where the text is far from what it was pretrained on, or where LoRA clearly falls behind on validation.
# ### END SOLUTION

# %% [markdown] lang="zh"
# ## 做完了
#
# 请在菜单里选 **内核 → 重启内核 和 运行所有单元格…**，从头到尾再运行一遍，确认没有报错，然后保存并交卷。

# %% [markdown] lang="en"
# ## Done
#
# Choose **Kernel → Restart Kernel and Run All Cells…** in the menu, see that it runs to the end without an error, save, and hand in.
