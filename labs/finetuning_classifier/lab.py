# %% [markdown] lang="zh"
# # 微调一个文本分类模型
#
# **{{ scenario.title }}**
#
# {{ scenario.brief }}
#
# 你将微调一个小模型，让它读完一条消息就选出该由哪个团队处理。全程约 {{ lab.minutes }} 分钟，不需要写程序：
# 代码里留了空 `____`，把它换成你的答案，再按 **Shift + Enter** 运行这个单元格。
# 每完成一小步，会有一个“自查”单元格写出要交的文件，并告诉你哪里已经对了。
# 请从上往下，一格一格运行；改了前面的答案，就从那一格起把后面的再运行一遍。

# %% [markdown] lang="en"
# # Fine-tune a text classifier
#
# **{{ scenario.title }}**
#
# {{ scenario.brief }}
#
# You will fine-tune a small model that reads a message and picks the team to handle it. It takes about
# {{ lab.minutes }} minutes and you need not program: the code has blanks, `____`. Put your answer in place
# of a blank and press **Shift + Enter** to run the cell. After each small step a check cell writes a file to hand in
# and tells you what is right so far. Run from the top, one cell after the other; when you change an answer, run the cells
# below it again.

# %%
from collections import Counter

from lab_env.notebook import (
    fingerprint, load_scenario, save_json, save_model, save_predictions, show_rows, training_curve,
)

scenario = load_scenario()

# %% [markdown] lang="zh"
# 消息要分给下面这些团队。左边的**代码**就是模型要学会给出的答案，叫作**标签**（label）。完整的判断规则在 `guideline.md` 里。
#
# {{ scenario.labels }}

# %% [markdown] lang="en"
# Messages go to one of these teams. The **code** on the left is the answer that the model shall learn to give;
# such an answer is called a **label**. The full rules are in `guideline.md`.
#
# {{ scenario.labels }}

# %% [markdown] lang="zh"
# ## 1 · 先看数据
#
# 数据分成几份，每一份叫一个**划分**（split），各有各的用处，不能混用：
#
# - `train`（训练集）：模型从这里学。
# - `validation`（验证集）：做选择时用，比如选哪个检查点。
# - `test`（测试集）：全部选定之后才用一次，看看真实水平。
#
# 测试集好比期末试卷：如果先背过答案，分数再高也说明不了什么。

# %% [markdown] lang="en"
# ## 1 · Look at the data first
#
# The data come in parts, each called a **split**, and each has its own use. They must not be mixed:
#
# - `train`: the model learns from these.
# - `validation`: used whenever you choose between things.
# - `test`: used once, after every choice is made, to see how good the model really is.
#
# The test split is like a final exam: learn its answers by heart, and a high score means nothing.

# %%
from datasets import load_dataset

messages = load_dataset("csv", data_files=scenario.files)
messages["train"].to_pandas().head()

# %% [markdown] lang="zh"
# 表里有两列看起来都像答案：
#
# - `queue`：消息**最先**落进的队列，由写消息的人自己在菜单里选，常常选错；
# - `team`：消息**最后**真正由哪个团队解决，是人工核对过的。
#
# 模型应该学哪一列？把列名填进去，两边加英文引号。

# %% [markdown] lang="en"
# Two columns look like the answer:
#
# - `queue`: where the message landed **first**. People pick it from a menu when they write, and often pick wrong.
# - `team`: the team that solved it **in the end**, checked by people.
#
# Which one should the model learn? Write the column's name, between quotes.

# %% answer="label_column"
### BEGIN SOLUTION
label_column = "team"
### END SOLUTION

# %% [markdown] lang="zh"
# 动手之前先数一数：一共有多少条训练消息？每个团队各有多少条？
# 下面的 `labels` 是所有训练消息的标签；`len(...)` 数个数，`Counter(...)` 分别计数。两个空填同一个名字。

# %% [markdown] lang="en"
# Count before you do anything else: how many training messages are there, and how many for each team?
# `labels` holds the label of every training message; `len(...)` counts all of them and `Counter(...)` counts each
# kind. The same name goes into both blanks.

# %% answer="counts"
labels = messages["train"][label_column]
### BEGIN SOLUTION
# starter: number_of_messages = len(____)
number_of_messages = len(labels)
# starter: messages_per_team = Counter(____)
messages_per_team = Counter(labels)
### END SOLUTION

# %% rows="M1 M2"
facts = {"messages": number_of_messages, "messages_per_team": messages_per_team}
save_json("data_facts.json", facts)

# %% [markdown] lang="zh"
# 把数字画成条形图，一眼就能看出各团队的消息是不是一样多。

# %% [markdown] lang="en"
# A bar chart shows at a glance whether every team has its share.

# %%
import matplotlib.pyplot as plt

teams, sizes = zip(*messages_per_team.most_common())
plt.figure(figsize=(8, 2.5))
plt.bar(teams, sizes)
plt.show()

# %% [markdown] lang="zh"
# 条形高低不一，这叫类别**不平衡**。用一个数来描述：最多的团队是最少的团队的几倍？
# `max(sizes)` 是最多的条数；请填上最少的条数。

# %% [markdown] lang="en"
# The bars differ: the classes are **imbalanced**. One number says how much: how many times as common as the
# rarest team is the most common one? `max(sizes)` is the largest count; fill in the smallest.

# %% answer="imbalance"
### BEGIN SOLUTION
# starter: imbalance_ratio = max(sizes) / ____
imbalance_ratio = max(sizes) / min(sizes)
### END SOLUTION

# %% rows="M3"
save_json("balance.json", {"imbalance_ratio": imbalance_ratio})

# %% [markdown] lang="zh"
# ## 2 · 先有基线，再谈模型
#
# **基线**（baseline）是最省事的做法能得的分。没有基线，就不知道模型的分数算高还是算低。
#
# 最懒的基线：不管消息写了什么，一律分给消息最多的那个团队。看看上面的条形图，是哪个团队？填它的代码，加引号。

# %% [markdown] lang="en"
# ## 2 · A baseline before any model
#
# A **baseline** is the score of the least effort. Without one, nobody can say whether a model's score is high or low.
#
# The laziest baseline: whatever the message says, send it to the team that gets most messages. Which team is that in
# the bar chart above? Write its code, between quotes.

# %% answer="majority"
### BEGIN SOLUTION
majority_team = max(messages_per_team, key=messages_per_team.get)
### END SOLUTION

# %% rows="M4"
from sklearn.metrics import accuracy_score, f1_score

validation_labels = list(messages["validation"][label_column])
guesses = [majority_team] * len(validation_labels)
save_json("majority.json", {"accuracy": accuracy_score(validation_labels, guesses)})

# %% [markdown] lang="zh"
# 第二个基线会读字词。**TF-IDF** 给每个字词打分：在这条消息里常见、在别处少见的，分数就高；
# **逻辑回归**再按这些分数选团队。它不懂语序，但很快，常常出人意料地好。
#
# 它应该从哪个划分里学？填划分的名字，加引号。

# %% [markdown] lang="en"
# The second baseline reads words. **TF-IDF** scores every word or character: high when it is common in this message
# and rare elsewhere. **Logistic regression** then picks a team by these scores. It knows nothing of word order, but it
# is fast, and often surprisingly good.
#
# Which split should it learn from? Write the split's name, between quotes.

# %% answer="baseline_split"
### BEGIN SOLUTION
# starter: learn_from = messages[____]
learn_from = messages["train"]
### END SOLUTION

# %%
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

words = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), sublinear_tf=True)
baseline = make_pipeline(words, LogisticRegression(C=10, max_iter=1000))
baseline.fit(list(learn_from["text"]), list(learn_from[label_column]))
baseline_labels = baseline.predict(list(messages["validation"]["text"]))

# %% [markdown] lang="zh"
# 怎么打分？**准确率**是答对的比例，但小团队全错也几乎不影响它。
# 所以我们用 **F1**：它同时看“找得全不全”和“找得准不准”，0 最差，1 最好。每个团队各算一个 F1，再合成一个数，有两种做法：
#
# | 写法 | 怎么合 | 小团队 |
# | --- | --- | --- |
# | `"micro"` | 所有消息放在一起算 | 几乎被淹没 |
# | `"macro"` | 每个团队的 F1 直接求平均 | 和大团队一样重要 |
#
# 像“{{ scenario.rarest }}”这样的小团队，一条也不能怠慢。该填哪一种？

# %% [markdown] lang="en"
# How to score it? **Accuracy** is the share of right answers, yet it hardly drops when a small team gets every message
# wrong. So we use **F1**, which asks both "were they all found?" and "was what was found right?"; 0 is worst, 1 is best.
# Every team has its own F1, and there are two ways to make one number of them:
#
# | Written | How they are joined | A small team |
# | --- | --- | --- |
# | `"micro"` | all messages thrown together | nearly drowned out |
# | `"macro"` | the plain mean over teams | counts as much as a large one |
#
# Small teams, such as "{{ scenario.rarest }}", must not be neglected. Which one goes into the blank?

# %% answer="baseline_f1"
### BEGIN SOLUTION
# starter: baseline_f1 = f1_score(validation_labels, baseline_labels, average=____)
baseline_f1 = f1_score(validation_labels, baseline_labels, average="macro")
### END SOLUTION

# %% rows="M5 M6 M7"
save_predictions("baseline_predictions.csv", messages["validation"]["id"], baseline_labels)
learned = fingerprint(learn_from["id"])
save_json("baseline.json", {"macro_f1": baseline_f1, "training_ids": learned})
print(f"macro-F1 {baseline_f1:.3f}")

# %% [markdown] lang="zh"
# ## 3 · 模型怎样读一条消息
#
# 模型不认识文字，只认识数字。**分词器**（tokenizer）先把消息切成小块，每一块叫一个 **token**（词元），再换成编号。
# 中文常常一个字就是一个 token，英文是一个词或半个词。运行下面一格，看看第一条消息被切成了什么样。

# %% [markdown] lang="en"
# ## 3 · How the model reads a message
#
# A model knows no text, only numbers. A **tokenizer** first cuts the message into small pieces, each called a
# **token**, and gives each its number. In Chinese a token is often one character, in English a word or part of one. Run the next
# cell to see how the first message is cut.

# %%
from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(scenario.base_model)
first = messages["train"][0]["text"]
print(first, tokenizer.tokenize(first), sep="\n")

# %% [markdown] lang="zh"
# 太长的消息会从末尾截断，截到 `max_length` 个 token。设得太短，要紧的话会被截掉；
# 设得太长，白白多花时间。下表是各种长度能完整保留多少训练消息。

# %% [markdown] lang="en"
# Messages that are too long are cut off at `max_length` tokens. Too short, and what matters is cut away;
# too long, and time is wasted. The table shows what share of the training messages each length keeps whole.

# %%
lengths = [len(ids) for ids in tokenizer(list(messages["train"]["text"]))["input_ids"]]
for choice in [8, 16, 32, 64, 96, 112, 128]:
    whole = sum(length <= choice for length in lengths) / len(lengths)
    print(f"max_length {choice:3}   {whole:.0%}")

# %% [markdown] lang="zh"
# 选一个长度：至少让 95 % 的消息保持完整，又不必更长。直接填数字，不加引号。

# %% [markdown] lang="en"
# Choose a length that keeps at least 95 % of the messages whole and is no longer than it needs to be. Write the number, without
# quotes.

# %% answer="max_length"
### BEGIN SOLUTION
max_length = 112
### END SOLUTION

# %% rows="M8"
save_json("tokens.json", {"max_length": max_length})

# %% [markdown] lang="zh"
# ## 4 · 微调
#
# 标签也要换成编号：0、1、2……编号必须**一直用同一个顺序**，否则模型说“3”，我们却读成另一个团队。
# 标签体系的顺序在 `scenario.label_codes` 里，请把它填进去。

# %% [markdown] lang="en"
# ## 4 · Fine-tune
#
# Labels become numbers too: 0, 1, 2 … They must **keep one order for good**, else the model says "3" and we read another
# team. The order of the label scheme is in `scenario.label_codes`; that is what goes into the blank.

# %% answer="label_ids"
### BEGIN SOLUTION
# starter: id2label = dict(enumerate(____))
id2label = dict(enumerate(scenario.label_codes))
### END SOLUTION
label2id = {code: number for number, code in id2label.items()}

# %%
def encode(batch):
    encoded = tokenizer(batch["text"], truncation=True, max_length=max_length)
    encoded["labels"] = [label2id[code] for code in batch[label_column]]
    return encoded


encoded = messages.map(encode, batched=True)

# %% [markdown] lang="zh"
# 我们不从零开始。`base_model` 已经读过大量文字，懂一些语言，这叫**预训练**；我们在它上面加一层新的“分类头”，
# 再用自己的数据继续训练，这就是**微调**（fine-tuning）。

# %% [markdown] lang="en"
# We do not start from nothing. `base_model` has read a lot of text and knows some language; that was **pretraining**. We put a
# new classification head on top and go on training with our own data: that is **fine-tuning**.

# %%
from transformers import AutoModelForSequenceClassification


def fresh_model():
    return AutoModelForSequenceClassification.from_pretrained(
        scenario.base_model, id2label=id2label, label2id=label2id
    )


# %% [markdown] lang="zh"
# 现在做两个决定。**轮**（epoch）：把训练集从头到尾学一遍叫一轮。**学习率**（learning rate）：每一步改动模型的幅度。
#
# | 学习率 | 会怎样 |
# | --- | --- |
# | `2e-5`（0.00002） | 教程里常见，适合比这个大一百倍的模型；对它来说太小，学得太慢 |
# | `5e-4`（0.0005） | 大约是上面的 25 倍，小模型需要这样的步子 |
# | `5e-2`（0.05） | 步子太大，越学越乱 |
#
# 轮数：1 轮学不够；6 轮左右比较合适，约 20 到 40 秒。请填这两个数。

# %% [markdown] lang="en"
# Two decisions now. An **epoch** is one pass through the whole training split. The **learning rate** is how far each step
# changes the model.
#
# | Learning rate | What happens |
# | --- | --- |
# | `2e-5` (0.00002) | usual in tutorials, for models a hundred times this size; too small here, it learns far too slowly |
# | `5e-4` (0.0005) | about 25 times as large: a tiny model needs such steps |
# | `5e-2` (0.05) | far too large, it unlearns as it goes |
#
# Epochs: 1 is too few; about 6 are right and take 20 to 40 seconds. Fill in both numbers.

# %% answer="training_choices"
### BEGIN SOLUTION
learning_rate = 5e-4
number_of_epochs = 6
### END SOLUTION

# %% [markdown] lang="zh"
# 每学完一轮，就把模型存一份，叫一个**检查点**（checkpoint）。最后一份不一定最好，所以要挑。三个空：
#
# - `train_on`：从哪个划分学？
# - `check_on`：每一轮在哪个划分上检查？记住：测试集现在还不能看。
# - `choose_by`：按哪个分数挑检查点？可以是 `"loss"`、`"accuracy"` 或 `"macro_f1"`，想想第 2 节为什么选它。

# %% [markdown] lang="en"
# After each epoch the model is saved; each such copy is a **checkpoint**. The last is not always the best, so one is chosen.
# Three blanks:
#
# - `train_on`: which split to learn from?
# - `check_on`: which split to check on after each epoch? Remember that the test split may not be looked at yet.
# - `choose_by`: by which score is the checkpoint chosen, `"loss"`, `"accuracy"` or `"macro_f1"`? Think of section 2.

# %% answer="splits"
### BEGIN SOLUTION
# starter: train_on = encoded[____]
train_on = encoded["train"]
# starter: check_on = encoded[____]
check_on = encoded["validation"]
choose_by = "macro_f1"
### END SOLUTION

# %% [markdown] lang="zh"
# 其余设置已经写好，名字都是 `transformers` 自己的，以后在别处也能用上：每一轮检查一次、存一次，最后换回最好的那一份；
# `seed` 固定随机数，好让结果可以重现。

# %% [markdown] lang="en"
# The other settings are given. Their names are those of `transformers` itself, so you will meet them again: check and save
# every epoch, load the best checkpoint at the end, and fix the random numbers with a `seed`, so that the result can be repeated.

# %%
from transformers import Trainer, TrainingArguments
from transformers.trainer_callback import PrinterCallback

arguments = TrainingArguments(
    output_dir="checkpoints",
    num_train_epochs=number_of_epochs,
    learning_rate=learning_rate,
    warmup_steps=0.1,
    per_device_train_batch_size=16,
    per_device_eval_batch_size=64,
    eval_strategy="epoch",
    logging_strategy="epoch",
    save_strategy="epoch",
    save_only_model=True,
    load_best_model_at_end=True,
    metric_for_best_model=choose_by,
    seed=2026,
    report_to=[],
    disable_tqdm=True,
    dataloader_pin_memory=False,
)

# %%
def compute_metrics(result):
    numbers = result.predictions.argmax(axis=-1)
    return {
        "accuracy": accuracy_score(result.label_ids, numbers),
        "macro_f1": f1_score(result.label_ids, numbers, average="macro"),
    }


# %% [markdown] lang="zh"
# 开始训练。边训练边看曲线：左图的**损失**是模型错得有多厉害，应该往下走；右图的 macro-F1 应该往上走。
# 如果训练集的损失还在降，验证集的损失却开始升，说明模型在死记硬背，这叫**过拟合**。

# %% [markdown] lang="en"
# Now train, and watch the curves: the **loss** on the left says how wrong the model is and should fall; macro-F1 on the right
# should rise. When the loss on train still falls while the loss on validation begins to rise, the model is learning by heart:
# that is **overfitting**.

# %%
trainer = Trainer(
    model_init=fresh_model,
    args=arguments,
    train_dataset=train_on,
    eval_dataset=check_on,
    processing_class=tokenizer,
    compute_metrics=compute_metrics,
    callbacks=[training_curve()],
)
trainer.remove_callback(PrinterCallback)
trainer.train();

# %% rows="M10 M11 M12 M13"
report = {
    "log": trainer.state.log_history,
    "best_step": trainer.state.best_global_step,
    "chosen_by": choose_by,
    "training_examples": len(train_on),
    "training_ids": fingerprint(train_on["id"]),
    "checking_ids": fingerprint(check_on["id"]),
    "max_length": max_length,
}
save_json("training.json", report)

# %% [markdown] lang="zh"
# ## 5 · 交出预测和模型
#
# 模型对每条消息给每个团队打一个分，`argmax` 找出最高分的**编号**。最后一步：把编号换回团队代码。
# 编号和代码的对照表在第 4 节已经做好了，它叫什么名字？

# %% [markdown] lang="en"
# ## 5 · Hand in predictions and model
#
# For every message the model gives each team a score, and `argmax` finds the **number** of the highest. One step is left: turn
# numbers back into team codes. You made the table from numbers to codes in section 4; what is its name?

# %% answer="team_codes"
def team_codes(scores):
    numbers = scores.argmax(axis=-1)
    ### BEGIN SOLUTION
    # starter: return [____[number] for number in numbers]
    return [id2label[number] for number in numbers]
    ### END SOLUTION

# %% [markdown] lang="zh"
# 下面这些消息的答案没有发给你，只有考评端才有，这一份叫**留出集**（held-out）。让模型来预测，写成 `predictions.csv`。

# %% [markdown] lang="en"
# Here are messages whose answers were not given to you: the **held-out** split. Let the model predict them, into
# `predictions.csv`.

# %%
unseen = load_dataset("csv", data_files=scenario.unseen, split="train")
unseen = unseen.map(lambda batch: tokenizer(batch["text"], truncation=True, max_length=max_length), batched=True)
unseen_labels = team_codes(trainer.predict(unseen).predictions)

# %% rows="M14 M17 M18"
save_predictions("predictions.csv", unseen["id"], unseen_labels)

# %% [markdown] lang="zh"
# 保存模型。`safetensors` 格式里只有数字、没有程序，别人可以放心打开。考评端会亲自运行它，看结果是否和你交的预测一致。

# %% [markdown] lang="en"
# Save the model. A `safetensors` file holds numbers and no program, so anybody may open it safely. The examiner will run it and see
# whether it gives the predictions that you handed in.

# %% rows="M9 M15 M16"
save_model(trainer.model)

# %% [markdown] lang="zh"
# ## 6 · 测试，并看懂错误
#
# 选择都做完了，现在才打开测试集。把模型的预测和正确答案放在一起算两个分数：括号里先写正确答案，再写预测。
# 正确答案叫 `test_labels`，预测叫 `test_predictions`。

# %% [markdown] lang="en"
# ## 6 · Test, and understand the errors
#
# All choices are made; only now is the test split opened. Compute two scores from the right answers and the predictions, in this order:
# the right answers are `test_labels`, the predictions are `test_predictions`.

# %%
test_labels = list(messages["test"][label_column])
test_predictions = team_codes(trainer.predict(encoded["test"]).predictions)
save_predictions("test_predictions.csv", messages["test"]["id"], test_predictions)

# %% answer="test_report"
### BEGIN SOLUTION
# starter: test_accuracy = accuracy_score(____, ____)
test_accuracy = accuracy_score(test_labels, test_predictions)
# starter: test_macro_f1 = f1_score(____, ____, average=____)
test_macro_f1 = f1_score(test_labels, test_predictions, average="macro")
### END SOLUTION

# %% rows="M19 M20"
save_json("test_report.json", {"accuracy": test_accuracy, "macro_f1": test_macro_f1})
print(f"accuracy {test_accuracy:.3f}   macro-F1 {test_macro_f1:.3f}")

# %% [markdown] lang="zh"
# 一个总分说不出错在哪里，**混淆矩阵**（confusion matrix）可以：每一行是正确的团队（True label），
# 每一列是模型给的团队（Predicted label），格子里是条数。对角线上是答对的；对角线以外的数字越大，错得越集中。

# %% [markdown] lang="en"
# One score cannot say where the errors are. A **confusion matrix** can: a row is the right team (True label), a column is the team that
# the model gave (Predicted label), and each square counts messages. The diagonal is right; a large number off the diagonal is a
# mistake that happens again and again.

# %%
from sklearn.metrics import ConfusionMatrixDisplay

figure, axes = plt.subplots(figsize=(6, 6))
ConfusionMatrixDisplay.from_predictions(
    test_labels, test_predictions, labels=scenario.label_codes, ax=axes,
    xticks_rotation=45, cmap="Blues", colorbar=False,
)
plt.show()

# %% [markdown] lang="zh"
# 对角线以外，哪一格的数字最大？`right_team` 填这一行的团队，`given_team` 填这一列的团队，都加引号。数字并列时任选一个。

# %% [markdown] lang="en"
# Which square off the diagonal holds the largest number? `right_team` is the team of its row, `given_team` the team of its
# column, both between quotes. If two are equal, take either.

# %% answer="most_confused"
### BEGIN SOLUTION
# starter: right_team = ____
# starter: given_team = ____
right_team, given_team = max(
    (pair for pair in zip(test_labels, test_predictions) if pair[0] != pair[1]),
    key=list(zip(test_labels, test_predictions)).count,
)
### END SOLUTION

# %% rows="M21"
save_json("most_confused.json", {"right_team": right_team, "given_team": given_team})

# %% [markdown] lang="zh"
# 再读几条真正判错的消息。数字告诉你哪里错，原文才告诉你为什么错。

# %% [markdown] lang="en"
# Now read messages that went wrong. Numbers say where the errors are; only the text says why.

# %%
import pandas as pd

pd.set_option("display.max_colwidth", None)
table = messages["test"].to_pandas().assign(predicted=test_predictions)
table[table[label_column] != table["predicted"]][["text", label_column, "predicted"]].head(12)

# %% [markdown] lang="zh"
# ### 写下你的分析
#
# 最后三题由考评员阅卷，每题两三句话即可。**双击**括号里的提示，再在出现的框里点一下，把它换成你的回答，最后按 Shift + Enter。
# 请写出团队代码、条数，并引用你读到的消息。
#
# **第 1 题**：哪个团队收到的错误消息最多（别的团队的消息被误分给它）？有多少条，主要来自哪里？

# %% [markdown] lang="en"
# ### Write your analysis
#
# An examiner marks these last three; two or three sentences each will do. **Double-click** the sentence in brackets, click once in the box that opens, put your answer
# in its place, and press Shift + Enter. Give team codes and counts, and quote messages that you read.
#
# **Question 1**: Which team receives most wrong messages, meaning messages of other teams that were sent to it? How many, and mostly from where?

# %% [markdown] lang="zh" answer="which_team" rows="J1"
# ### BEGIN SOLUTION
# 从混淆矩阵的各列看，收到误分消息最多的是消息最多的那个团队：对角线以外这一列加起来最大，主要来自与它最容易混淆的那个团队。它本来就常见，模型拿不准时容易偏向它。
# ### END SOLUTION

# %% [markdown] lang="en" answer="which_team" rows="J1"
# ### BEGIN SOLUTION
# Read by columns, the most common team receives most wrong messages: its column has the largest sum off the diagonal, mostly from the team it is most often confused with. It is common, so the model leans towards it when unsure.
# ### END SOLUTION

# %% [markdown] lang="zh"
# **第 2 题**：为什么会错？请引用至少一条判错的消息，说明是哪些词句误导了模型。

# %% [markdown] lang="en"
# **Question 2**: Why? Quote at least one message that went wrong and say which words misled the model.

# %% [markdown] lang="zh" answer="why" rows="J2"
# ### BEGIN SOLUTION
# 判错的消息里往往同时提到两件事：一件只是顺口一提、已经解决或者被否认，另一件才是真正的诉求。模型抓住了前一件事的关键词。有些消息又太短，人也难以判断。
# ### END SOLUTION

# %% [markdown] lang="en" answer="why" rows="J2"
# ### BEGIN SOLUTION
# The messages that went wrong often name two things: one only in passing, already solved or denied, and the other is the real request. The model held on to the words of the first. Some messages are so short that people would hesitate too.
# ### END SOLUTION

# %% [markdown] lang="zh"
# **第 3 题**：接下来你会怎么做？写一条针对数据的改进、一条针对上线使用的办法，并说明怎样知道它有没有用。

# %% [markdown] lang="en"
# **Question 3**: What would you do next? Give one change to the data and one to how the model is used, and say how you would know that they help.

# %% [markdown] lang="zh" answer="what_next" rows="J3"
# ### BEGIN SOLUTION
# 数据：为最容易混淆的两个团队和消息最少的团队补充标注，并把“以真正的诉求为准”写进标注规则。使用：模型把握不大时转人工。验证：改动前后都在同一个验证集上比较 macro-F1 和最少团队的召回率，测试集只在最后用一次。
# ### END SOLUTION

# %% [markdown] lang="en" answer="what_next" rows="J3"
# ### BEGIN SOLUTION
# Data: label more messages of the two teams that are confused and of the rarest team, and write "the real request decides" into the guideline. Use: hand a message to a person when the model is unsure. To know: compare macro-F1 and the recall of the rarest team on the same validation split before and after, and open the test split only once, at the end.
# ### END SOLUTION

# %% [markdown] lang="zh"
# ## 做完了
#
# 请在菜单里选 **内核 → 重启内核 和 运行所有单元格…**，从头到尾再运行一遍，确认没有报错，然后保存并交卷。

# %% [markdown] lang="en"
# ## Done
#
# Choose **Kernel → Restart Kernel and Run All Cells…** in the menu, see that it runs to the end without an error, save, and hand in.
