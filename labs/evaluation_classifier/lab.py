# %% [markdown] lang="zh"
# # 哪个模型可以上线？
#
# **{{ scenario.title }}**
#
# {{ scenario.brief }}
#
# 两家供应商各交来一个模型，都能读消息、选团队（部门）：**候选 A** 和 **候选 B**。只能上线一个。你要查清它们各自错在哪里、错了要花多少钱、
# 说自己有几成把握时可不可信，最后作出决定，并写一张模型卡。全程约 {{ lab.minutes }} 分钟，不用训练模型，也不用写程序：
# 把 `____` 换成你的答案，按 **Shift + Enter** 运行，从上往下一格一格来；改了前面的答案，就把后面的再运行一遍。

# %% [markdown] lang="en"
# # Which model may go live?
#
# **{{ scenario.title }}**
#
# {{ scenario.brief }}
#
# Two suppliers have each sent a model that reads a message and picks the team (or department): **candidate A** and **candidate B**. Only one
# can go live. Find out where each is wrong, what that costs, and whether it knows how sure it is; then decide, and write a model card.
# It takes about {{ lab.minutes }} minutes, with nothing to train and nothing to program: put your answers in place of `____` and press
# **Shift + Enter**, from the top, one cell after the other. When you change an answer, run the cells below it again.

# %%
import numpy as np
import pandas as pd
from IPython.display import display

from lab_env.notebook import (
    load_scenario, plot_calibration, plot_costs, plot_recall, save_json, save_table, show_rows,
)

scenario = load_scenario()
costs = scenario.costs
pd.set_option("display.max_colwidth", None)
pd.DataFrame({"yuan": costs, "": scenario.cost_words})

# %% [markdown] lang="zh"
# 上表是业务部门给的**费用表**：一条消息处理得不同，花的钱也不同。`read`、`hand_over`、`missed` 是三种情况的代码，后面会用到。
# 最要紧的团队是“{{ scenario.rarest }}”：它的消息最少，漏掉一条却最贵。团队一共有这些：
#
# {{ scenario.labels }}

# %% [markdown] lang="en"
# The table is the **price list** from the business side: what becomes of a message decides what it costs. `read`, `hand_over` and `missed` are
# the codes of the three cases; you will need them later. The team that matters most is "{{ scenario.rarest }}": it has the fewest
# messages, and missing one costs most. These are all the teams:
#
# {{ scenario.labels }}

# %% [markdown] lang="zh"
# ## 1 · 让两个候选各答一遍
#
# 要用两份有正确答案的数据：**验证集**（validation）用来做选择，**测试集**（test）用来报告结果。正确的团队在 `team` 列。

# %% [markdown] lang="en"
# ## 1 · Let both candidates answer
#
# Two sets with right answers are used: **validation** for every choice, and **test** for what is reported. The right team is in the column `team`.

# %%
tables = {split: pd.read_csv(scenario.files[split]).set_index("id") for split in ("validation", "test")}
test, validation = tables["test"], tables["validation"]
test[["text", "channel", "team"]].head()

# %% [markdown] lang="zh"
# 两个候选都是在同一个基础模型上训练出来的**适配器**（LoRA，safetensors 文件，里面只有数字、没有程序）。下面的函数先装基础模型，
# 再装上适配器。适配器在 `candidate_a`、`candidate_b` 两个文件夹里。

# %% [markdown] lang="en"
# Both candidates are **adapters** (LoRA, in safetensors files, which hold numbers and no program) trained on the same base model. The function
# below loads the base model, then the adapter on top. The adapters lie in the folders `candidate_a` and `candidate_b`.

# %%
import torch
from peft import PeftModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(scenario.base_model)


def load_candidate(name):
    base = AutoModelForSequenceClassification.from_pretrained(
        scenario.base_model, num_labels=len(scenario.label_codes)
    )
    return PeftModel.from_pretrained(base, f"{scenario.data}/candidate_{name}").eval()


@torch.inference_mode()
def score(model, texts):
    found = []
    for start in range(0, len(texts), 64):
        batch = tokenizer(texts[start : start + 64], truncation=True, max_length=112, padding=True, return_tensors="pt")
        found.append(model(**batch).logits.numpy())
    return np.concatenate(found).astype(float).round(4)


# %% [markdown] lang="zh"
# 第一个候选已经装好，请装第二个：填它的字母，加英文引号。

# %% [markdown] lang="en"
# The first candidate is loaded; load the second: write its letter, between quotes.

# %% answer="candidates"
### BEGIN SOLUTION
# starter: models = {"a": load_candidate("a"), "b": load_candidate(____)}
models = {"a": load_candidate("a"), "b": load_candidate("b")}
### END SOLUTION

# %% [markdown] lang="zh"
# 模型对每条消息给每个团队打一个分，但不写团队的名字，只按编号排：第 0 个分、第 1 个分……哪个编号是哪个团队，看标签体系的顺序，
# 它在 `scenario.label_codes` 里。请填这个名字，不加引号。

# %% [markdown] lang="en"
# For each message a model gives every team a score. It writes no names, only numbers in order: score 0, score 1 … Which number is which team
# follows the order of the label scheme, and that is in `scenario.label_codes`. Write this name, without quotes.

# %% answer="label_order"
### BEGIN SOLUTION
# starter: label_order = ____
label_order = scenario.label_codes
### END SOLUTION

# %%
texts = pd.concat(tables.values())["text"]
scores = {
    name: pd.DataFrame(score(model, list(texts)), texts.index, label_order) for name, model in models.items()
}

# %% [markdown] lang="zh"
# 先核对，再分析：供应商给了 20 条消息的参考打分（`expected.csv`）。两个候选的最大差别都应该是 0.0，否则就是装错了模型，或者团队的顺序不对。

# %% [markdown] lang="en"
# Check before you analyse: each supplier gave the scores of 20 messages (`expected.csv`). The largest difference must be 0.0 for both; else the wrong
# model is loaded, or the teams are in another order.

# %%
for name, table in scores.items():
    expected = pd.read_csv(scenario.file(f"candidate_{name}/expected.csv")).set_index("id")
    gap = (table.loc[expected.index, expected.columns] - expected).abs().to_numpy().max()
    print(f"{name}   {gap:.1f}")

# %% rows="M1 M2"
for name, table in scores.items():
    save_table(f"scores_{name}.csv", table[scenario.label_codes].reset_index())

# %% [markdown] lang="zh"
# 打分最高的团队就是模型的答案。下面给两张表都加上四列：`a`、`b` 是两个候选的答案，`right_a`、`right_b` 是答得对不对。

# %% [markdown] lang="en"
# The team with the highest score is the model's answer. Four columns are added to both sets: `a` and `b`, what each candidate answers, and `right_a`
# and `right_b`, whether that is right.

# %%
for table in tables.values():
    for name in "ab":
        table[name] = scores[name].loc[table.index].idxmax(axis=1)
        table[f"right_{name}"] = table[name] == table["team"]
test[["text", "team", "a", "b", "right_a", "right_b"]].head()

# %% [markdown] lang="zh"
# ## 2 · 一个总分说了算吗？
#
# **准确率**是答对的比例：大团队的消息多，几乎由它们说了算。**macro-F1** 先给每个团队各算一个 F1（找得全不全、准不准），再直接求平均：
# 小团队和大团队一样重要。在下面填 `average=` 的值，加英文引号。（`"micro"` 把所有消息放在一起算，和准确率是一回事。）

# %% [markdown] lang="en"
# ## 2 · Does one score decide?
#
# **Accuracy** is the share of right answers: large teams have many messages, so they nearly decide it alone. **Macro-F1** computes an F1 for each team
# (were they all found, was what was found right?) and takes the plain mean: a small team counts as much as a large one. Write the value of
# `average=`, between quotes. (`"micro"` throws all messages together and is the same as accuracy.)

# %% answer="macro"
from sklearn.metrics import accuracy_score, f1_score

accuracy = {name: accuracy_score(test["team"], test[name]) for name in "ab"}
### BEGIN SOLUTION
# starter: macro_f1 = {name: f1_score(test["team"], test[name], average=____) for name in "ab"}
macro_f1 = {name: f1_score(test["team"], test[name], average="macro") for name in "ab"}
### END SOLUTION

# %% rows="M3"
overall = {"accuracy": accuracy, "macro_f1": macro_f1}
save_json("overall.json", overall)
display(pd.DataFrame(overall).round(3))

# %% [markdown] lang="zh"
# 哪个候选的准确率高？哪个候选的 macro-F1 高？填 `"a"` 或 `"b"`。

# %% [markdown] lang="en"
# Which candidate has the higher accuracy, and which the higher macro-F1? Write `"a"` or `"b"`.

# %% answer="winners"
### BEGIN SOLUTION
# starter: better_accuracy = ____
better_accuracy = max("ab", key=lambda name: accuracy[name])
# starter: better_macro_f1 = ____
better_macro_f1 = max("ab", key=lambda name: macro_f1[name])
### END SOLUTION

# %% rows="M4"
overall |= {"better_accuracy": better_accuracy, "better_macro_f1": better_macro_f1}
save_json("overall.json", overall)

# %% [markdown] lang="zh"
# ## 3 · 拆开来看
#
# **召回率**（recall）：某个团队的消息，模型找到了百分之几？现在不要平均数，要每个团队各一个：填 `None`（没有、不合并的意思，不加引号）。

# %% [markdown] lang="en"
# ## 3 · Take it apart
#
# **Recall**: of a team's messages, what share did the model find? This time no mean is wanted but one number for each team: write `None` (nothing to be
# joined; no quotes).

# %% answer="per_team"
from sklearn.metrics import recall_score

### BEGIN SOLUTION
# starter: recall = {name: recall_score(test["team"], test[name], labels=scenario.label_codes, average=____) for name in "ab"}
recall = {name: recall_score(test["team"], test[name], labels=scenario.label_codes, average=None) for name in "ab"}
### END SOLUTION

# %% rows="M5"
recall = pd.DataFrame(recall, scenario.label_codes)
teams = {"recall": {name: dict(recall[name]) for name in "ab"}}
save_json("teams.json", teams)
display(recall.round(2), plot_recall(teams["recall"]))

# %% [markdown] lang="zh"
# 在哪个团队上，候选 A 比候选 B 落后得最多？填团队的代码，加英文引号。

# %% [markdown] lang="en"
# On which team is candidate A furthest behind candidate B? Write the team's code, between quotes.

# %% answer="furthest_behind"
### BEGIN SOLUTION
# starter: furthest_behind = ____
furthest_behind = (recall["b"] - recall["a"]).idxmax()
### END SOLUTION

# %% rows="M6"
teams["furthest_behind"] = furthest_behind
save_json("teams.json", teams)

# %% [markdown] lang="zh"
# 再换一种拆法：按消息的样子分成**切片**（slice）。`channel` 是渠道；`length` 是长短（比中位数长的算 `long`，其余算 `short`）；`language` 是有没有夹杂另一种
# 语言（`mixed` 夹杂，`plain` 没有）。同一个总分，可能在某个切片上很差。

# %% [markdown] lang="en"
# Another way to take it apart is by what a message looks like: **slices**. `channel` is where it came in; `length` is `long` above the median and `short`
# otherwise; `language` is `mixed` when words of the other language are in it, else `plain`. A good score may hide a slice that does badly.

# %%
pattern = {"zh": "[a-z]{4,}", "en": "[一-龥]"}[scenario.language]
middle = test["text"].str.len().median()
for table in tables.values():
    table["length"] = np.where(table["text"].str.len() > middle, "long", "short")
    table["language"] = np.where(table["text"].str.contains(pattern), "mixed", "plain")

# %% [markdown] lang="zh"
# 要报告的结果，该用哪张表来算：`validation` 还是 `test`？不加引号。

# %% [markdown] lang="en"
# For results that are reported, which table is used: `validation` or `test`? No quotes.

# %% answer="slices"
### BEGIN SOLUTION
# starter: sliced = ____
sliced = test
### END SOLUTION

# %% rows="M7"
found = [sliced.groupby(each)[["right_a", "right_b"]].agg(["mean", "size"]) for each in ("channel", "length", "language")]
slices = pd.concat(found)
slices = pd.DataFrame({"a": slices["right_a"]["mean"], "b": slices["right_b"]["mean"], "messages": slices["right_a"]["size"]})
by_slice = {"accuracy": {name: dict(slices[name]) for name in "ab"}}
save_json("slices.json", by_slice)
display(slices.round(3))

# %% [markdown] lang="zh"
# 只看 30 条以上的切片（太少的，差几条就差很多，不能下结论）：候选 B 在哪个切片上准确率最低？填切片的名字，加英文引号，例如 `"long"`。

# %% [markdown] lang="en"
# Look at slices of 30 messages or more (in a smaller one, a few messages move the number too far to conclude anything): in which of them is candidate B's
# accuracy lowest? Write the slice's name, between quotes, such as `"long"`.

# %% answer="hardest_slice"
### BEGIN SOLUTION
# starter: hardest_slice = ____
hardest_slice = slices.loc[slices["messages"] >= 30, "b"].idxmin()
### END SOLUTION

# %% rows="M8"
by_slice["hardest"] = hardest_slice
save_json("slices.json", by_slice)

# %% [markdown] lang="zh"
# ## 4 · 会不会只是碰巧？
#
# 测试集只是一部分消息，换一批，分数就会变。**自助法**（bootstrap）用它自己模拟“换一批”：从测试集里有放回地抽同样多条（抽过的放回去，还可能再抽到），算一次 A 减 B 的差；
# 抽 1 万次，就看得出差别会在多大范围里变。
#
# 抽给 A 的是 `picked_a`。比的是两个模型，不是两批消息：B 应该答哪一批？填它的名字，不加引号。

# %% [markdown] lang="en"
# ## 4 · Could it be chance?
#
# The test set is only some of all messages; with others the scores would differ. The **bootstrap** uses the test set itself to try that out: draw as
# many messages from it, with replacement (one message may be drawn more than once), and compute A minus B. Do so 10,000 times, and you see how far the difference may move.
#
# A gets the draw `picked_a`. Two models are to be compared, not two draws of messages: which draw should B answer? Write its name, without quotes.

# %%
number_of = {code: number for number, code in enumerate(scenario.label_codes)}
numbers = test[["team", "a", "b"]].apply(lambda column: column.map(number_of)).to_numpy()


def accuracy_of(right, given):
    return (right == given).mean()


def macro_f1_of(right, given):
    hits = np.bincount(right[right == given], minlength=len(number_of))
    either = np.bincount(right, minlength=len(number_of)) + np.bincount(given, minlength=len(number_of))
    return (2 * hits[either > 0] / either[either > 0]).mean()


# %% answer="same_messages"
def difference(measure, rng):
    picked_a = rng.integers(len(numbers), size=len(numbers))
    ### BEGIN SOLUTION
    # starter: picked_b = ____
    picked_b = picked_a
    ### END SOLUTION
    a, b = numbers[picked_a], numbers[picked_b]
    return measure(a[:, 0], a[:, 1]) - measure(b[:, 0], b[:, 2])

# %% [markdown] lang="zh"
# 1 万个差从小到大排好，去掉两头，中间的 95 % 就是 **95 % 置信区间**。两头去掉的一样多。区间从第几百分位开始，到第几百分位结束？填这两个数（0 到 100），小的在前。

# %% [markdown] lang="en"
# Put the 10,000 differences in order and cut off both ends: the 95 % in the middle are the **95 % confidence interval**. As much goes at one end
# as at the other. At which percentile does the interval begin, and at which does it end? Write two numbers, 0 to 100, the smaller one first.

# %% answer="percentiles"
### BEGIN SOLUTION
# starter: low, high = ____, ____
low, high = 2.5, 97.5
### END SOLUTION

# %% rows="M9 M10"
rng = np.random.default_rng(7)
intervals = {}
for name, measure in {"accuracy": accuracy_of, "macro_f1": macro_f1_of}.items():
    intervals[name] = np.percentile([difference(measure, rng) for _ in range(10_000)], [low, high]).tolist()
comparison = {"intervals": intervals}
save_json("comparison.json", comparison)
display(pd.DataFrame(intervals, ["low", "high"]).round(3))

# %% [markdown] lang="zh"
# **McNemar 检验**看的是只有一个候选答对的消息：如果两个候选一样好，“只有 A 对”和“只有 B 对”应该差不多。**p 值**是：假如两个候选一样好，碰巧差这么多或更多的可能有多大。p 值很小（小于 0.05），就不像是碰巧。
# 四个数已经数好：`both_right` 都对，`both_wrong` 都错，`only_a_right`、`only_b_right` 只有一个对。请把后两个填进方阵：只有 A 对的填前一个空，只有 B 对的填后一个空，不加引号。

# %% [markdown] lang="en"
# **McNemar's test** looks at messages that only one candidate got right: were both equally good, "only A" and "only B" would be about as many. The **p-value**
# says how likely a gap this large or larger would be if both were equally good; a small one (below 0.05) does not look like chance. Four counts are ready: `both_right`, `both_wrong`, `only_a_right` and `only_b_right`. Put the last two into the
# square: A alone right into the first blank, B alone right into the second, without quotes.

# %%
both_right = int((test["right_a"] & test["right_b"]).sum())
both_wrong = int((~test["right_a"] & ~test["right_b"]).sum())
only_a_right = int((test["right_a"] & ~test["right_b"]).sum())
only_b_right = int((~test["right_a"] & test["right_b"]).sum())
print(both_right, only_a_right, only_b_right, both_wrong)

# %% answer="mcnemar"
### BEGIN SOLUTION
# starter: square = [[both_right, ____], [____, both_wrong]]
square = [[both_right, only_a_right], [only_b_right, both_wrong]]
### END SOLUTION

# %% rows="M11"
from statsmodels.stats.contingency_tables import mcnemar

comparison |= {"only_a": square[0][1], "only_b": square[1][0], "p": mcnemar(square, exact=True).pvalue}
save_json("comparison.json", comparison)
print(f"p = {comparison['p']:.4f}")

# %% [markdown] lang="zh"
# 区间整个在 0 以上，可以认为 A 更高，填 `"a"`；整个在 0 以下，填 `"b"`；跨过 0，还不能下结论，填 `"unclear"`。准确率和 macro-F1 各得出什么结论？

# %% [markdown] lang="en"
# If the whole interval is above 0, A may be taken to be higher: write `"a"`. If all of it is below 0, write `"b"`. If 0 is inside, nothing can be concluded yet:
# write `"unclear"`. What do you conclude for accuracy, and what for macro-F1?

# %% answer="conclusions"
### BEGIN SOLUTION
# starter: accuracy_verdict = ____
accuracy_verdict = "a" if intervals["accuracy"][0] > 0 else "b" if intervals["accuracy"][1] < 0 else "unclear"
# starter: macro_f1_verdict = ____
macro_f1_verdict = "a" if intervals["macro_f1"][0] > 0 else "b" if intervals["macro_f1"][1] < 0 else "unclear"
### END SOLUTION

# %% rows="M12"
comparison |= {"accuracy_verdict": accuracy_verdict, "macro_f1_verdict": macro_f1_verdict}
save_json("comparison.json", comparison)

# %% [markdown] lang="zh"
# ## 5 · 它说的把握可信吗？
#
# 打分可以换算成概率，最大的那个概率就是模型的**把握**。说有九成把握的一百条里，应该对大约九十条，这叫**校准**（calibration）。
# 下表把候选 B 的消息按把握分成十档（两个候选都画在图里，这种图叫**可靠性图**）：`sure` 是这一档的平均把握，`right` 是这一档答对的比例，`many` 是条数。

# %% [markdown] lang="en"
# ## 5 · Does it know how sure it is?
#
# Scores can be turned into probabilities, and the largest is how **sure** the model is. Of a hundred messages of which it is 90 % sure, about ninety
# should be right: that is **calibration**. The table has candidate B in ten bins by how sure it is (both are in the plot, a **reliability diagram**): `sure` is the mean of the bin, `right` its share of right answers, and
# `many` its number of messages.

# %%
def probabilities(name, split, temperature=1.0):
    table = scores[name].loc[tables[split].index] / temperature
    powers = np.exp(table.sub(table.max(axis=1), axis=0))
    return powers.div(powers.sum(axis=1), axis=0)


def ten_bins(name, split, temperature=1.0):
    sure = probabilities(name, split, temperature).max(axis=1)
    table = pd.DataFrame({"sure": sure, "right": tables[split][f"right_{name}"]})
    place = (sure * 10).astype(int).clip(upper=9)
    return table.groupby(place).agg(sure=("sure", "mean"), right=("right", "mean"), many=("right", "size"))


bins = {name: ten_bins(name, "test") for name in "ab"}
display(bins["b"].round(2), plot_calibration({name: list(zip(each["sure"], each["right"])) for name, each in bins.items()}))

# %% [markdown] lang="zh"
# 点在虚线下面，是把握大于实际，叫**过于自信**，填 `"over"`；在虚线上面，是**信心不足**，填 `"under"`。两个候选总的来说是哪一种？

# %% [markdown] lang="en"
# Points below the dotted line are surer than they are right: **overconfident**, `"over"`. Above it they are **underconfident**, `"under"`. Which are the two
# candidates, on the whole?

# %% answer="sureness"
### BEGIN SOLUTION
# starter: sureness = ____
sureness = "over"
### END SOLUTION

# %% [markdown] lang="zh"
# **ECE**（期望校准误差）把它变成一个数：每一档算“平均把握”和“答对的比例”相差多少（不管正负），按条数加权平均，0 最好。减号前面该填什么？照 `bins["right"]` 的样子写。

# %% [markdown] lang="en"
# **ECE**, the expected calibration error, makes one number of it: in each bin the distance between how sure and how right, weighted by the number of messages;
# 0 is best. What stands before the minus? Write it in the form of `bins["right"]`.

# %% answer="ece"
def calibration_error(bins):
    weight = bins["many"] / bins["many"].sum()
    ### BEGIN SOLUTION
    # starter: gap = (____ - bins["right"]).abs()
    gap = (bins["sure"] - bins["right"]).abs()
    ### END SOLUTION
    return (weight * gap).sum()

# %% rows="M13 M14"
calibration = {"sureness": sureness, "before": {name: calibration_error(bins[name]) for name in "ab"}}
save_json("calibration.json", calibration)
display(pd.Series(calibration["before"]).round(3))

# %% [markdown] lang="zh"
# **温度缩放**：把所有打分除以同一个数 T（温度）。T 大于 1，把握就整体变小；谁得分最高不变，所以答案不变。T 要从数据里拟合出来，
# 属于“做选择”：用哪个划分？填它的名字，加英文引号。

# %% [markdown] lang="en"
# **Temperature scaling** divides all scores by one number T, the temperature. Above 1 it makes the model less sure throughout; the highest score stays the
# highest, so no answer changes. T is fitted to data, and that is a choice: on which split? Write its name, between quotes.

# %% answer="fit_on"
### BEGIN SOLUTION
# starter: fit_on = ____
fit_on = "validation"
### END SOLUTION

# %% rows="M15 M16"
from scipy.optimize import minimize_scalar


def log_loss(temperature, name):
    shares, right = probabilities(name, fit_on, temperature), tables[fit_on]["team"]
    return -np.log(shares.to_numpy()[np.arange(len(right)), shares.columns.get_indexer(right)]).mean()


temperature = {name: minimize_scalar(log_loss, bounds=(0.1, 10), args=(name,), method="bounded").x for name in "ab"}
calibrated = {name: ten_bins(name, "test", temperature[name]) for name in "ab"}
calibration |= {"temperature": temperature, "after": {name: calibration_error(calibrated[name]) for name in "ab"}}
save_json("calibration.json", calibration)
display(pd.DataFrame(calibration)[["temperature", "before", "after"]].round(3))
display(plot_calibration({name: list(zip(each["sure"], each["right"])) for name, each in calibrated.items()}))

# %% [markdown] lang="zh"
# ## 6 · 算一笔账：多大把握才放行？
#
# 把握可信了，就可以定一个**阈值**：把握不到阈值的消息先请人读（花 `read` 的钱），其余的直接派。直接派的，派对了不花钱；派错了要花钱：
# 消息本属“{{ scenario.rarest }}”却派给了别人，算 `missed`；其他的错，算 `hand_over`。两个空填费用表里的代码，加英文引号。

# %% [markdown] lang="en"
# ## 6 · Reckon: how sure is sure enough?
#
# Now that you can trust how sure it is, set a **threshold**: where the model is less sure, a person reads the message (price `read`); all others are sent at once. Sent
# right costs nothing. Sent wrong costs: when it belonged to "{{ scenario.rarest }}" it is a `missed` one, and any other mistake is a `hand_over`.
# Write the codes from the price list into the blanks, between quotes.

# %% answer="prices"
def cost_of(team, given, sure, threshold):
    wrong = team != given
    missed = wrong & (team == scenario.rarest)
    ### BEGIN SOLUTION
    # starter: price = np.where(missed, costs[____], np.where(wrong, costs[____], 0))
    price = np.where(missed, costs["missed"], np.where(wrong, costs["hand_over"], 0))
    ### END SOLUTION
    return np.where(sure < threshold, costs["read"], price)

# %%
def cost_per_1000(name, split, threshold):
    table = tables[split]
    sure = probabilities(name, split, temperature[name]).max(axis=1)
    return float(1000 * cost_of(table["team"], table[name], sure, threshold).mean())


# %% [markdown] lang="zh"
# 阈值从 0（全部直接派）试到 1（全部请人读），看每千条花多少钱。定阈值也是“做选择”：用哪个划分？填它的名字，加英文引号。

# %% [markdown] lang="en"
# Thresholds from 0 (send all at once) to 1 (a person reads all) are tried: what do 1,000 messages cost? Setting the threshold is a choice, too: on which split? Write its name, between quotes.

# %% answer="choose_on"
### BEGIN SOLUTION
# starter: choose_on = ____
choose_on = "validation"
### END SOLUTION

# %%
thresholds = np.linspace(0, 1, 41).round(3).tolist()
curves = {name: {each: cost_per_1000(name, choose_on, each) for each in thresholds} for name in "ab"}
plot_costs(curves)

# %% [markdown] lang="zh"
# 给每个候选挑出曲线上的阈值：要花费最多的（填 `max`）还是最少的（填 `min`）？不加引号。

# %% [markdown] lang="en"
# Pick each candidate's threshold from its curve: where it costs most (write `max`) or least (write `min`)? No quotes.

# %% answer="threshold"
### BEGIN SOLUTION
# starter: threshold = {name: ____(curves[name], key=curves[name].get) for name in "ab"}
threshold = {name: min(curves[name], key=curves[name].get) for name in "ab"}
### END SOLUTION

# %% rows="M17 M18"
cost = {name: cost_per_1000(name, "test", threshold[name]) for name in "ab"}
save_json("costs.json", {"temperature": temperature, "threshold": threshold, "cost": cost})
sure = {name: probabilities(name, "test", temperature[name]).max(axis=1) for name in "ab"}
read = {name: (sure[name] < threshold[name]).mean() for name in "ab"}
display(pd.DataFrame({"threshold": threshold, "cost": cost, "share read by people": read}).round(2))
print("read by people alone", 1000 * costs["read"])

# %% [markdown] lang="zh"
# ## 7 · 换个写法还认得吗？
#
# 真实的消息有错字、有别的说法、有夹杂的外语。我们把测试消息改写三遍，意思不变，看答案变不变，这叫**扰动**。
#
# 第一种：**错字**。随机找个位置，把相邻的两个字对调。`text[place]` 是前一个字，`text[place + 1]` 是后一个字；对调以后谁在前，谁在后？

# %% [markdown] lang="en"
# ## 7 · Does it still understand?
#
# Real messages have typos, other wordings, and words of another language. The test messages are rewritten three times, with the same meaning, to see
# whether answers change: **perturbation**.
#
# First **typos**: at a random place two neighbouring letters change places. `text[place]` is the first and `text[place + 1]` the second; after the swap, which
# stands first and which second?

# %% answer="swap"
def typos(text, rng):
    for _ in range(1 + len(text) // 30):
        place = int(rng.integers(len(text) - 1))
        ### BEGIN SOLUTION
        # starter: swapped = ____ + ____
        swapped = text[place + 1] + text[place]
        ### END SOLUTION
        text = text[:place] + swapped + text[place + 2 :]
    return text

# %% [markdown] lang="zh"
# 第二、三种：**换说法**（paraphrase）和**夹杂外语**（mixed），都靠一张词表：把 `said` 换成 `instead`。`text.replace(旧, 新)` 把一句话里的旧词换成新词。

# %% [markdown] lang="en"
# Second and third, **paraphrase** and **mixed** languages, go by a list of words: `said` becomes `instead`. `text.replace(old, new)` puts the new words in
# place of the old ones.

# %%
wordings = pd.read_csv(scenario.file("wordings.csv"))
wordings.groupby("kind").head(4)

# %% answer="reword"
def reword(text, kind):
    for said, instead in wordings.loc[wordings["kind"] == kind, ["said", "instead"]].to_numpy():
        ### BEGIN SOLUTION
        # starter: text = text.replace(____, ____)
        text = text.replace(said, instead)
        ### END SOLUTION
    return text

# %%
rng = np.random.default_rng(7)
rewritten = {
    "typos": [typos(text, rng) for text in test["text"]],
    "paraphrase": [reword(text, "paraphrase") for text in test["text"]],
    "mixed": [reword(text, "mixed") for text in test["text"]],
}
print(test["text"].iloc[0], *(texts[0] for texts in rewritten.values()), sep="\n\n")

# %% [markdown] lang="zh"
# 读一读上面四段：第一段是原文。改过了吗？还看得懂吗？两问都答“是”，再往下走：让两个候选答改写后的消息。

# %% [markdown] lang="en"
# Read the four texts above; the first is the original. Are they changed? Can they still be understood? If both is so, go on and let the candidates answer
# what was rewritten.

# %% rows="M19"
parts = []
for kind, changed in rewritten.items():
    part = pd.DataFrame({"id": test.index, "kind": kind, "text": changed})
    for name, model in models.items():
        part[name] = [label_order[place] for place in score(model, changed).argmax(axis=1)]
    parts.append(part)
perturbed = pd.concat(parts, ignore_index=True)
save_table("perturbed.csv", perturbed)

# %% [markdown] lang="zh"
# **准确率下降**是原来的准确率减去改写后的。`after[name]` 是改写后的；原来的准确率第 2 节算过，叫什么名字？

# %% [markdown] lang="en"
# The **drop** is the accuracy before less the accuracy after. `after[name]` is the one after; you computed the one before in section 2. What is its name?

# %%
team = perturbed["id"].map(test["team"])
after = {name: (perturbed[name] == team).groupby(perturbed["kind"]).mean() for name in "ab"}

# %% answer="drop"
### BEGIN SOLUTION
# starter: drop = {name: ____[name] - after[name] for name in "ab"}
drop = {name: accuracy[name] - after[name] for name in "ab"}
### END SOLUTION

# %% rows="M20"
robustness = {"drop": {name: dict(drop[name]) for name in "ab"}}
save_json("robustness.json", robustness)
display(pd.DataFrame(drop).round(3))

# %% [markdown] lang="zh"
# 哪一种改写让候选 B 下降得最多？填 `"typos"`、`"paraphrase"` 或 `"mixed"`。

# %% [markdown] lang="en"
# Which kind of rewriting costs candidate B most? Write `"typos"`, `"paraphrase"` or `"mixed"`.

# %% answer="weak_spot"
### BEGIN SOLUTION
# starter: weak_spot = ____
weak_spot = drop["b"].idxmax()
### END SOLUTION

# %% rows="M21"
robustness["weak_spot"] = weak_spot
save_json("robustness.json", robustness)

# %% [markdown] lang="zh"
# ## 8 · 上线哪一个？
#
# 把证据放在一起看。业务部门的规矩很简单：在各自最合适的阈值上，**每千条花费少的**上线。填 `"a"` 或 `"b"`。

# %% [markdown] lang="en"
# ## 8 · Which one goes live?
#
# Look at the evidence side by side. The rule of the business side is simple: at the best threshold of each, **whichever costs less for 1,000 messages**
# goes live. Write `"a"` or `"b"`.

# %%
evidence = {"accuracy": accuracy, "macro_f1": macro_f1, scenario.rarest: dict(recall.loc[scenario.rarest]), "cost": cost}
pd.DataFrame(evidence).T.round(3)

# %% answer="release"
### BEGIN SOLUTION
# starter: release = ____
release = min("ab", key=lambda name: cost[name])
### END SOLUTION

# %% rows="M22"
save_json("decision.json", {"model": release, "temperature": temperature[release], "threshold": threshold[release], "cost": cost[release]})

# %% [markdown] lang="zh"
# ## 9 · 最糟的 20 个错误
#
# 要上线的模型也会错。这里先不管阈值，凡是模型自己答错的都算。先看最糟的：**错得最贵的排在前面；一样贵的，把握越大越糟**。`errors` 里，`cost` 是错一次的花费，`sure` 是把握。
# 按哪两列排？先填最要紧的那一列，都加英文引号。

# %% [markdown] lang="en"
# ## 9 · The 20 worst errors
#
# The model that goes live is wrong at times, too. Leave the threshold aside here: every wrong answer of the model counts. See the worst first: **what costs most comes first, and of equal cost, what the model was surest of**. In
# `errors`, `cost` is the price of the error and `sure` is how sure the model was. By which two columns is it sorted, the more important one first? Use quotes.

# %%
errors = test[test[release] != test["team"]].rename(columns={release: "given"})
errors["sure"] = probabilities(release, "test", temperature[release]).max(axis=1).loc[errors.index]
errors["cost"] = np.where(errors["team"] == scenario.rarest, costs["missed"], costs["hand_over"])

# %% answer="worst"
### BEGIN SOLUTION
# starter: worst = errors.sort_values([____, ____], ascending=False).head(20)
worst = errors.sort_values(["cost", "sure"], ascending=False).head(20)
### END SOLUTION

# %% rows="M23"
save_table("worst_errors.csv", worst.reset_index()[["id", "team", "given", "cost", "sure"]].round(4))
display(worst.reset_index().set_index(pd.RangeIndex(1, len(worst) + 1))[["text", "team", "given", "cost", "sure"]].round(2))

# %% [markdown] lang="zh"
# 一条一条读，判断**为什么**错，自己定 3 到 8 种原因，把 1 到 20 号每一条归入一种。例如：
#
# `causes = {"两件事，抓错了": [1, 4, 7], "太短": [2], …}`：原因加英文引号，编号（上表最左一列）写在方括号里，用英文逗号隔开；“…”表示照样接着写，不要抄进去。

# %% [markdown] lang="en"
# Read them one by one and judge **why** each went wrong. Name 3 to 8 causes of your own, and put each number from 1 to 20 under one of them, such as
#
# `causes = {"two matters, the wrong one taken": [1, 4, 7], "too short": [2], …}`: causes between quotes, numbers (the first column of the table) in square brackets, with commas; "…" means go on in this way, do not copy it.

# %% answer="causes"
### BEGIN SOLUTION
# starter: causes = {"____": [____]}
causes = dict(zip(
    ("too little is said", "two matters, the wrong one taken", "the request drowns in other matters"),
    (part.tolist() for part in np.array_split(worst["text"].str.len().argsort().to_numpy() + 1, 3)),
))
### END SOLUTION

# %% rows="M24"
save_json("causes.json", causes)

# %% [markdown] lang="zh"
# **第 1 题**（考评员评分）：**双击**下面括号里的提示，再在出现的框里点一下，写错误分析：每种原因各有几条；引用至少两条原文，说明是哪些词句误导了模型；
# 哪些靠补数据能改，哪些连人也拿不准。

# %% [markdown] lang="en"
# **Question 1** (marked by an examiner): **double-click** the sentence in brackets below, click once in the box that opens, and write the error analysis: how many of each cause; quote at least two messages
# and say which words misled the model; which can be mended by more data, and where people would hesitate, too.

# %% [markdown] lang="zh" answer="error_analysis" rows="J1"
# ### BEGIN SOLUTION
# 20 条里，8 条是一段话说了两件事，模型抓住了已经解决或被否认的那一件的关键词；6 条前面铺垫太长，真正的诉求只有半句；6 条太短，缺少地点或对象，人也要追问。前两种可以补充标注“一段话两件事”的消息来改；最后一种只能靠追问或转人工。引用：“……上次……已经弄好了……眼下……”，模型按“上次”之后的词选了团队。
# ### END SOLUTION

# %% [markdown] lang="en" answer="error_analysis" rows="J1"
# ### BEGIN SOLUTION
# Of the 20, 8 name two matters and the model held on to words of the one that is solved or denied; in 6 the request is half a sentence at the end of a long preamble; 6 are so short that a person would have to ask. The first two can be mended by labelling more messages with two matters; the last only by asking back or by handing over to a person. Quote: "that was settled ... the problem now: ...", where the model chose by the words before "settled".
# ### END SOLUTION

# %% [markdown] lang="zh"
# ## 10 · 一份黄金测试集
#
# 模型以后还会更新，每次都要用同一份小而全的**黄金测试集**把关。从测试集里挑 40 条，规矩写死，谁来挑都一样：
#
# 1. 每个团队至少 3 条；
# 2. 每个渠道至少 5 条；
# 3. 难题至少 10 条（`hard`：两个候选没有都答对）；
# 4. 不够 40 条，按表里的顺序补足，不重复。
#
# `top_up(哪些行, 几条)` 的意思是：如果已经挑的里面不够这么多条，就从这些行里按顺序补到够。请按规矩填四个数。

# %% [markdown] lang="en"
# ## 10 · A golden test set
#
# The model will be updated, and each time the same small and complete **golden test set** stands guard. Choose 40 items from the test set by a fixed
# rule, so that everybody would choose the same:
#
# 1. at least 3 of each team;
# 2. at least 5 of each channel;
# 3. at least 10 hard ones (`hard`: not both candidates are right);
# 4. if that is fewer than 40, fill up in the order of the table, none twice.
#
# `top_up(rows, many)` means: if fewer than that many of these rows are chosen so far, add them in order until there are enough. Fill in four numbers by the rule.

# %%
test["hard"] = ~(test["right_a"] & test["right_b"])
golden = []


def top_up(rows, many):
    for one in rows.index:
        if len(set(rows.index) & set(golden)) >= many:
            break
        if one not in golden:
            golden.append(one)


# %% answer="golden"
### BEGIN SOLUTION
# starter: each_team, each_channel, hard_ones, in_all = ____, ____, ____, ____
each_team, each_channel, hard_ones, in_all = 3, 5, 10, 40
### END SOLUTION
for team in scenario.label_codes:
    top_up(test[test["team"] == team], each_team)
for channel in test["channel"].unique():
    top_up(test[test["channel"] == channel], each_channel)
top_up(test[test["hard"]], hard_ones)
top_up(test, in_all)

# %% rows="M25"
save_table("golden.csv", test.loc[golden].reset_index()[["id", "text", "team"]])
print(len(golden))

# %% [markdown] lang="zh"
# ## 11 · 发布决定
#
# **第 2 题**（考评员评分）：写一张**模型卡**。要有：给谁用、不能用在哪里；在什么数据上测的；准确率、macro-F1，与另一个候选之差的 95 % 区间（第 4 节），最要紧的团队的召回率；
# 校准和阈值（多少消息要人读、每千条多少钱）；最弱的切片和扰动；已知的错误；上线后看什么、什么时候停用。

# %% [markdown] lang="en"
# ## 11 · The decision
#
# **Question 2** (marked by an examiner): write a **model card**. It says who may use it and what it is not for; the data it was tested on; accuracy and
# macro-F1, the 95 % intervals of the difference from the other candidate (section 4), and the recall of the team that matters most; calibration and threshold (how many messages people read, and what 1,000 cost); the
# weakest slice and perturbation; known errors; what is watched once it is live, and when it is switched off.

# %% [markdown] lang="zh" answer="model_card" rows="J2"
# ### BEGIN SOLUTION
# 用途：给消息选团队，供坐席派单；不用于自动答复，也不用于其他语言。数据：测试集（正确答案经人工核对），验证集定温度和阈值。结果：准确率、macro-F1 见第 2 节，与另一个候选之差的 95 % 区间见第 4 节；最要紧的团队召回率明显高于另一个候选，但测试集中这类消息很少，这个数本身不太稳。校准：原来过于自信，用验证集拟合的温度修正；把握低于阈值的消息请人读，每千条花费见第 6 节。弱点：最差的切片见第 3 节，最怕的扰动见第 7 节；一段话两件事时容易抓错。上线后：每周抽查这类消息的召回率、人读的比例和 ECE；召回率明显低于上线前的测试结果，或花费高于全部人读，就停用并退回上一版。
# ### END SOLUTION

# %% [markdown] lang="en" answer="model_card" rows="J2"
# ### BEGIN SOLUTION
# Use: picks a team for a message, for staff who route cases; not for automatic answers, not for other languages. Data: the test set with labels checked by people; temperature and threshold were set on validation. Results: accuracy and macro-F1 as in section 2, the 95 % intervals of the difference from the other candidate as in section 4; the recall of the team that matters most is clearly above that of the other candidate, but such messages are few in the test set, so this number is not very steady. Calibration: overconfident as delivered, mended by a temperature fitted on validation; below the threshold a person reads; the cost of 1,000 messages is in section 6. Weak points: the hardest slice of section 3, the worst perturbation of section 7, messages with two matters. Live: check weekly the recall of that team, the share read by people, and ECE; when recall is clearly below that of the test before release, or when it costs more than reading everything, switch it off and go back to the former version.
# ### END SOLUTION

# %% [markdown] lang="zh"
# **第 3 题**（考评员评分）：主管说：“A 的准确率更高，为什么不上线 A？”用你算出的数字，两三句话答复他。

# %% [markdown] lang="en"
# **Question 3** (marked by an examiner): your manager says: "A has the higher accuracy. Why not release A?" Answer in two or three sentences, with the numbers
# that you found.

# %% [markdown] lang="zh" answer="why_not_a" rows="J3"
# ### BEGIN SOLUTION
# A 的准确率高，是因为大团队的消息多；最要紧的团队的消息，它一条也没有找到，而漏一条的花费抵得上几十次转手。即使在各自最合适的阈值上，A 每千条的花费仍然高于 B（数字见上表）：A 只能靠请人读来避免漏报。
# ### END SOLUTION

# %% [markdown] lang="en" answer="why_not_a" rows="J3"
# ### BEGIN SOLUTION
# A's accuracy comes from the large teams, which have most messages; of the team that matters most it finds not one, and one miss costs as much as dozens of hand-overs. Even at the best threshold of each, A costs more for 1,000 messages than B (see the table above): only people who read can keep A from missing them.
# ### END SOLUTION

# %% [markdown] lang="zh"
# ## 做完了
#
# 请在菜单里选 **内核 → 重启内核 和 运行所有单元格…**，从头到尾再运行一遍，确认没有报错，然后保存并交卷。

# %% [markdown] lang="en"
# ## Done
#
# Choose **Kernel → Restart Kernel and Run All Cells…** in the menu, see that it runs to the end without an error, save, and hand in.
