# %% [markdown] lang="zh"
# # 审核标注质量
#
# **{{ scenario.title }}**
#
# {{ scenario.brief }}
#
# 你要做六件事：算一致性，找分歧的原因，比实体边界，裁决 30 条留言，写出每个人的错误率，抽样验收一批交付。最后写审核报告。全程约 {{ lab.minutes }} 分钟，不需要会编程：代码都写好了，只有 `____` 要你来填。请从上往下，一格一格按 **Shift + Enter** 运行。

# %% [markdown] lang="en"
# # Review the quality of labels
#
# **{{ scenario.title }}**
#
# {{ scenario.brief }}
#
# Six things to do: compute agreement, find why people differ, compare spans, decide 30 messages, work out each person's error rate, and sample a
# delivery for acceptance. At the end you write the quality report. It takes about {{ lab.minutes }} minutes and you need not program: the code is
# there, and only `____` is for you to fill in. Go from the top, one cell after the other, with **Shift + Enter**.

# %%
import json

import pandas as pd
from IPython.display import Markdown, display

from lab_env.notebook import annotate, load_scenario, save_json, save_predictions, show_rows

scenario = load_scenario()
agreement, disagreement, span_numbers, acceptance = {}, {}, {}, {}
labels = pd.read_csv(scenario.file("labels.csv"))


def in_full(table):
    left = [{"selector": "th, td", "props": "text-align: left"}]
    return table.style.hide(axis="index").format(na_rep="NaN").set_table_styles(left)


in_full(labels.head())

# %% [markdown] lang="zh"
# ## 1 · 他们有多一致？
#
# 表里一行是一条留言，`a`、`b`、`c` 三列是三位标注员给的标签。C 有一部分没有标，显示为 `NaN`。标签有五个：
#
# {{ scenario.labels }}
#
# **原始一致率**最简单：相同的条数，除以比过的条数。`same` 是一串“是/否”，比过几条就有几个；`sum(same)` 数出“是”的个数，`len(...)` 给出一串东西的个数。

# %% [markdown] lang="en"
# ## 1 · How far do they agree?
#
# Each row of the table is a message; the columns `a`, `b`, `c` hold the labels of three annotators. C left some messages out, shown as `NaN`. There are
# five labels:
#
# {{ scenario.labels }}
#
# **Raw agreement** is the simplest measure: how many labels are equal, over how many were compared. `same` is a list of yes and no, one for each message
# compared; `sum(same)` counts the yes, and `len(...)` tells how many things are in a list.

# %% answer="raw_agreement"
def raw_agreement(first, second):
    same = [one == other for one, other in zip(first, second)]
    ### BEGIN SOLUTION
    # starter: return sum(same) / ____
    return sum(same) / len(same)
    ### END SOLUTION

# %% [markdown] lang="zh"
# 三个人两两相比，有三对：`ab`、`ac`、`bc`。每一对只比两人都标过的留言。

# %% [markdown] lang="en"
# Three people make three pairs: `ab`, `ac`, `bc`. Each pair is compared on the messages that both of them labelled.

# %% rows="M1"
def for_pairs(measure):
    found = {}
    for one, other in ("ab", "ac", "bc"):
        both = labels[[one, other]].dropna()
        found[one + other] = measure(both[one], both[other])
    return found


agreement["raw"] = for_pairs(raw_agreement)
save_json("agreement.json", agreement)
display(pd.Series(agreement["raw"]))

# %% [markdown] lang="zh"
# 就算两个人闭着眼睛乱标，也会碰巧标得一样。**Cohen's kappa** 把碰巧的部分扣掉：
#
# $$\kappa = \frac{\text{observed} - \text{chance}}{1 - \text{chance}}$$
#
# 1 是完全一致，0 是和乱标一样。`observed` 是实际的一致率，`chance` 是碰巧的一致率，都算好了。两个空填同一个词。

# %% [markdown] lang="en"
# Two people who label with their eyes shut agree now and then by chance. **Cohen's kappa** takes that away:
#
# $$\kappa = \frac{\text{observed} - \text{chance}}{1 - \text{chance}}$$
#
# 1 is full agreement, 0 is no better than chance. `observed` is the agreement there is, `chance` the agreement by chance; both are computed for you.
# The same word goes into both blanks.

# %% answer="cohen_kappa"
def cohen_kappa(first, second):
    observed = raw_agreement(first, second)
    chance = sum((first == code).mean() * (second == code).mean() for code in scenario.label_codes)
    ### BEGIN SOLUTION
    # starter: return (observed - ____) / (1 - ____)
    return (observed - chance) / (1 - chance)
    ### END SOLUTION

# %% rows="M2"
agreement["kappa"] = for_pairs(cohen_kappa)
save_json("agreement.json", agreement)
display(pd.Series(agreement["kappa"]))

# %% [markdown] lang="zh"
# 三个人一起看，用两个系数，库里都有：
#
# - **Fleiss' kappa** 要求每条留言都有三个标签，缺一个就不能用。`votes.dropna()` 去掉有空缺的行。
# - **Krippendorff's alpha** 允许空缺，有两个以上标签的留言都能用，不必丢行。
#
# 三列标签在表 `votes` 里。两个空各填哪张表：`votes`，还是 `votes.dropna()`？

# %% [markdown] lang="en"
# For all three at once there are two coefficients, both in libraries:
#
# - **Fleiss' kappa** asks for three labels of every message; a row with a gap cannot be used. `votes.dropna()` leaves out rows with a gap.
# - **Krippendorff's alpha** allows gaps: every message with two labels or more counts, and no row need be dropped.
#
# The three columns of labels are in the table `votes`. Which table goes into which blank: `votes` or `votes.dropna()`?

# %% answer="tables_for_three"
votes = labels[["a", "b", "c"]]
### BEGIN SOLUTION
# starter: table_for_fleiss = ____
table_for_fleiss = votes.dropna()
# starter: table_for_alpha = ____
table_for_alpha = votes
### END SOLUTION

# %% rows="M3"
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

counts, _ = aggregate_raters(table_for_fleiss.to_numpy(dtype=str))
agreement["complete"] = len(table_for_fleiss)
agreement["fleiss"] = fleiss_kappa(counts)
save_json("agreement.json", agreement)
print(f"Fleiss' kappa = {agreement['fleiss']:.3f}")

# %% rows="M4"
from nltk.metrics.agreement import AnnotationTask

given = [(who, item, label) for who in "abc" for item, label in table_for_alpha[who].dropna().items()]
agreement["alpha"] = AnnotationTask(given).alpha()
save_json("agreement.json", agreement)
print(f"Krippendorff's alpha = {agreement['alpha']:.3f}")

# %% [markdown] lang="zh"
# 常见的看法：0.8 以上可以放心用，0.67 以下不能用，当中的要先查原因。这一批大约 0.65：不能直接交，得查。

# %% [markdown] lang="en"
# A common reading: above 0.8 the labels can be relied on, below 0.67 they cannot, and in between one looks for the reason first. This batch has about
# 0.65: it cannot be delivered as it is, and we must look.

# %% [markdown] lang="zh"
# ## 2 · 分歧从哪里来？
#
# 一个系数只说“不一致”，不说为什么。把 A 和 B 的标签排成一张表：行是 A 给的，列是 B 给的，对角线（左上到右下）上是一致的。

# %% [markdown] lang="en"
# ## 2 · Where does it come from?
#
# A coefficient says that people differ, and not why. Here are A's labels (rows) against B's (columns); what they agree on is on the diagonal, from
# top left to bottom right.

# %%
pd.crosstab(labels["a"], labels["b"])

# %% [markdown] lang="zh"
# 对角线以外，最大的数在哪里？它在哪一行、哪一列？填这两类的代码，就是表里的英文。代码是文字，要加英文引号，例如 `"road"`。

# %% [markdown] lang="en"
# Which is the largest number off the diagonal? In which row and which column? Write the codes of these two classes, as in the table. Codes are words,
# so write them between quotes, such as `"road"`.

# %% answer="systematic_pair"
### BEGIN SOLUTION
# starter: first_class = ____
first_class = "property"
# starter: second_class = ____
second_class = "waste"
### END SOLUTION

# %% rows="M5"
disagreement["pair"] = [first_class, second_class]
save_json("disagreement.json", disagreement)

# %% [markdown] lang="zh"
# 把这些留言调出来读一读，再翻开 `guideline.md`（在左边的文件列表里双击）。两个人各有各的道理：是哪一条规则没有写清楚？填编号，例如 `"R1"`。

# %% [markdown] lang="en"
# Read some of these messages, and open `guideline.md` (double-click it in the list of files on the left). Both people have a point: which rule is not clear? Write its number, such as `"R1"`.

# %%
differ = labels[labels["a"] != labels["b"]]
in_full(differ[differ[["a", "b"]].isin([first_class, second_class]).all(axis=1)].head(8))

# %% answer="unclear_rule"
### BEGIN SOLUTION
# starter: unclear_rule = ____
unclear_rule = "R4"
### END SOLUTION

# %% rows="M6"
disagreement["unclear_rule"] = unclear_rule
save_json("disagreement.json", disagreement)

# %% [markdown] lang="zh"
# 规范没写清楚，不能怪人。但也有另一种分歧：规则写得明明白白，有一个人没有照做。再看另外两张表，和刚才那张比：除了刚才那两类，谁身上多出一种**别人都没有**的混淆？

# %% [markdown] lang="en"
# Where a rule is unclear nobody is to blame. There is another kind of disagreement: a rule is plain, and one person does not keep to it. Here are the
# other two tables. Leave aside the two classes just found: who has a mix-up that **nobody else** has?

# %%
display(pd.crosstab(labels["a"], labels["c"]), pd.crosstab(labels["b"], labels["c"]))

# %% [markdown] lang="zh"
# 下面三张表，依次是只有 A、只有 B、只有 C 和另外两人不同的留言。读一读，填两个空：是谁（`"a"`、`"b"` 或 `"c"`），没有照哪一条规则做。

# %% [markdown] lang="en"
# The next three tables hold the messages on which A alone, B alone, and C alone differs from the other two. Read them, and fill in who it is (`"a"`, `"b"` or `"c"`) and which rule is not kept.

# %%
for who, one, other in ("abc", "bac", "cab"):
    together = labels[labels[one] == labels[other]].dropna(subset=[who])
    alone = together[together[who] != together[one]].sort_values([one, who])
    display(in_full(alone).set_caption(who))

# %% answer="rule_breaker"
### BEGIN SOLUTION
# starter: annotator = ____
annotator = "c"
# starter: broken_rule = ____
broken_rule = "R5"
### END SOLUTION

# %% rows="M7"
disagreement |= {"annotator": annotator, "broken_rule": broken_rule}
save_json("disagreement.json", disagreement)

# %% [markdown] lang="zh"
# ## 3 · 实体标得一样吗？
#
# A 和 B 还在 20 张工单里标了实体。下面是一张工单，上半是 A 标的，下半是 B 标的；`start`、`end` 是起止位置，从 0 数起，`end` 那个字不算在内。

# %% [markdown] lang="en"
# ## 3 · Do their spans agree?
#
# A and B marked entities in 20 tickets, too. Here is one ticket, A's spans first, then B's. `start` and `end` count characters
# from 0; the one at `end` no longer belongs to the span.

# %%
spans = pd.read_csv(scenario.file("spans.csv"))
in_full(spans[spans["ticket"] == 602])

# %% [markdown] lang="zh"
# 实体不好算 kappa：没标的地方太多，算不出碰巧一致。通常用**两两 F1**：
#
# $$F_1 = \frac{2 \times \text{common}}{\text{many\_a} + \text{many\_b}}$$
#
# `common` 是两人标得一样的段数，`many_a`、`many_b` 是各人标的段数。请补全分母，记得加括号。

# %% [markdown] lang="en"
# Kappa does not suit spans: so much is left unmarked that agreement by chance cannot be stated. One uses **pairwise F1**:
#
# $$F_1 = \frac{2 \times \text{common}}{\text{many\_a} + \text{many\_b}}$$
#
# `common` is the number of spans both have, `many_a` and `many_b` are how many each has. Complete what stands below the line, in brackets.

# %% answer="span_f1"
def span_f1(common, many_a, many_b):
    ### BEGIN SOLUTION
    # starter: return 2 * common / ____
    return 2 * common / (many_a + many_b)
    ### END SOLUTION

# %% [markdown] lang="zh"
# 怎样算“一样”，有两种算法。**严格**：类型、起点、终点都相同。**宽松**：类型相同，并且有重合的字。

# %% [markdown] lang="en"
# There are two ways to call spans the same. **Exact**: type, start and end are equal. **Relaxed**: the type is equal and they have characters in common.

# %%
def f1_by_type(how):
    found = {}
    for kind in [*spans["type"].unique(), "all"]:
        chosen = spans if kind == "all" else spans[spans["type"] == kind]
        a, b = chosen[chosen["annotator"] == "a"], chosen[chosen["annotator"] == "b"]
        pairs = a.merge(b, on=["ticket", "type"])
        found[kind] = span_f1(how(pairs).sum(), len(a), len(b))
    return found


def exact(pair):
    return (pair["start_x"] == pair["start_y"]) & (pair["end_x"] == pair["end_y"])


def relaxed(pair):
    return (pair["start_x"] < pair["end_y"]) & (pair["start_y"] < pair["end_x"])


# %% rows="M8 M9"
span_numbers |= {"exact": f1_by_type(exact), "relaxed": f1_by_type(relaxed)}
save_json("spans.json", span_numbers)
display(pd.DataFrame({how: span_numbers[how] for how in ("exact", "relaxed")}))

# %% [markdown] lang="zh"
# 哪一类实体的严格 F1 最低？填它的代码，就是最左边一列的英文。再看这一类的宽松 F1，并对照上面 602 号工单，差别在哪里？填一个词：`"ends"`（找到的是同一处，边界不同）、`"type"`（类型不同）或 `"missing"`（漏标）。

# %% [markdown] lang="en"
# Which type has the lowest exact F1? Write its code, as in the first column. Then see its relaxed F1, and ticket 602 above: what do they differ in? Write one word:
# `"ends"` (the same place, other boundaries), `"type"` (another type) or `"missing"` (left out).

# %% answer="weakest_type"
### BEGIN SOLUTION
# starter: weakest_type = ____
weakest_type = "problem"
# starter: difference = ____
difference = "ends"
### END SOLUTION

# %% rows="M10"
span_numbers |= {"weakest_type": weakest_type, "difference": difference}
save_json("spans.json", span_numbers)

# %% [markdown] lang="zh"
# ## 4 · 裁决
#
# 规范没写清楚的，标注组长也不能自己拍板。你把那一条报给了热线办公室，这是他们的答复：

# %% [markdown] lang="en"
# ## 4 · Decide
#
# What the guideline leaves open is not for the lead annotator to settle alone. You asked the hotline office about that rule, and this is the answer:

# %%
Markdown(filename=scenario.file("reply.md"))

# %% [markdown] lang="zh"
# A 和 B 有分歧的 30 条，现在由你裁决。每条上面写着两人各给了什么；请照规范和答复判断，**有时 A 对，有时 B 对**，不要总站在一边。先用鼠标在界面里点一下，再按 **1** 到 **5** 选标签，按 **Enter** 提交；答复和规范可以在界面里打开。每提交一条就存一次盘，可以中途停下，再运行这一格接着做。

# %% [markdown] lang="en"
# The 30 messages on which A and B differ are now yours to decide. Above each you see what they gave. Go by the guideline and the answer: **now A is
# right and now B**, so do not take one side throughout. Click once in the page; then keys **1** to **5** choose and **Enter** submits; answer and guideline can be opened in the page.
# Every decision is saved as you submit it: you may stop, and run the cell again later to go on.

# %%
annotate(
    scenario.file("disputed.xml"),
    scenario.file("disputed.jsonl"),
    "adjudicated.jsonl",
    guideline=scenario.file("guideline_with_reply.md"),
)

# %% [markdown] lang="zh"
# 做完以后运行下一格，看看是否齐全。裁决得对不对，只有考评端才知道。

# %% [markdown] lang="en"
# When you are through, run the next cell to see whether all is there. Whether you decided rightly is for the examiner to say.

# %% rows="M11 M12 M13 M14 M15"

# %% [markdown] lang="zh"
# ## 5 · 最终标签和每个人的错误率
#
# 最终标签这样定：A 和 B 一致，就用这个标签；不一致，就用你的裁决。`adjudicated` 是你的裁决，按编号查：`adjudicated.get(编号)`。一行的编号在 `row["id"]` 里。

# %% [markdown] lang="en"
# ## 5 · Final labels, and the error rate of each person
#
# This makes the final label: where A and B agree, their label; where they differ, your decision. `adjudicated` holds your decisions, to be looked up by
# id: `adjudicated.get(the id)`. The id of a row is `row["id"]`.

# %%
adjudicated = {}
for line in open("adjudicated.jsonl", encoding="utf-8"):
    task = json.loads(line)
    for region in task["annotations"][0]["result"]:
        adjudicated[task["id"]] = region["value"]["choices"][0]
len(adjudicated)

# %% answer="settle"
def settle(row):
    if row["a"] == row["b"]:
        return row["a"]
    ### BEGIN SOLUTION
    # starter: return ____
    return adjudicated.get(row["id"])
    ### END SOLUTION

# %% rows="M16"
labels["final"] = labels.apply(settle, axis=1)
settled = labels.dropna(subset=["final"])
save_predictions("final.csv", settled["id"], settled["final"])

# %% [markdown] lang="zh"
# 审核报告要写两个数：**完整性**（漏标几条）和**准确性**（错误率）。表 `settled` 里有 `a`、`b`、`c` 三列，还有刚算出来的 `final`。一个标签算不算错，要和哪一列比？填列名，加引号。

# %% [markdown] lang="en"
# A quality report states two things: **completeness** (labels left out) and **accuracy** (the error rate). The table `settled` has
# the columns `a`, `b`, `c`, and now `final`. With which must a label be compared to see whether it is wrong? Write its name, between quotes.

# %% answer="audit"
def audit(who):
    missing = int(labels[who].isna().sum())
    given = settled.dropna(subset=[who])
    ### BEGIN SOLUTION
    # starter: wrong = int((given[who] != given[____]).sum())
    wrong = int((given[who] != given["final"]).sum())
    ### END SOLUTION
    return {"missing": missing, "given": len(given), "wrong": wrong, "error_rate": wrong / len(given)}

# %% rows="M17 M18"
report = {who: audit(who) for who in "abc"}
save_json("report.json", report)
display(pd.DataFrame(report).T)

# %% [markdown] lang="zh"
# 表里从左到右是漏标几条、标了几条、标错几条和错误率。注意：两个人一致，不等于都对。两个人一起错了，这张表是看不出来的。所以交付之前还要**抽样验收**。

# %% [markdown] lang="en"
# The columns are the labels left out, given and wrong, and the error rate. Mind that two who agree may both be wrong, and then this table does not show it. That is why a delivery is also checked by **sampling**.

# %% [markdown] lang="zh"
# ## 6 · 抽样验收
#
# 三个人接着又标了 900 条，准备交给热线办公室。双方的约定在 `plan.json` 里：`lot` 总条数、`tolerated_rate` 允许的错误率、`confidence` 把握、`allowed` 样本里最多允许错几条。

# %% [markdown] lang="en"
# ## 6 · Acceptance by sampling
#
# The three have labelled 900 more messages for the hotline office. What was agreed is in `plan.json`: `lot`, the number of labels; `tolerated_rate`, the
# error rate that is tolerated; `confidence`; and `allowed`, how many wrong labels the sample may hold.

# %%
from scipy.stats import hypergeom

plan = json.load(open(scenario.file("plan.json"), encoding="utf-8"))
too_many = int(plan["lot"] * plan["tolerated_rate"]) + 1


def chance_to_pass(size):
    return hypergeom.cdf(plan["allowed"], plan["lot"], too_many, size)


plan

# %% [markdown] lang="zh"
# 要抽多少条？抽得太少，坏批次会混过去。`chance_to_pass(n)` 是抽 `n` 条时，一个**错得太多**（比允许的还多一条）的批次混过去的概率。把握是 95%，这个概率就不能超过 1 减去把握。下面的循环从 1 开始，只要概率还太大，就多抽一条。`plan["lot"]` 是总条数，照这个样子把“把握”（`confidence`）从 `plan` 里取出来填空。

# %% [markdown] lang="en"
# How many are to be drawn? With too few, a bad batch slips through. `chance_to_pass(n)` is how likely a batch with **too many** wrong labels (one more than
# is tolerated) passes when `n` are drawn. With a confidence of 95 % it may be at most 1 minus the confidence. The loop begins with 1 and draws one more as long as the chance is
# too high. `plan["lot"]` is the number of all labels: take the `confidence` out of `plan` in the same way, and fill the blank with it.

# %% answer="sample_size"
### BEGIN SOLUTION
# starter: largest_chance = 1 - ____
largest_chance = 1 - plan["confidence"]
### END SOLUTION
n = 1
while chance_to_pass(n) > largest_chance:
    n = n + 1

# %% rows="M19"
acceptance["sample"] = n
save_json("acceptance.json", acceptance)
print("n =", n)

# %% [markdown] lang="zh"
# 热线办公室按抽签的先后看了 120 条，`checked` 是他们认定的标签。取前 `n` 条作样本，数一数错了几条。样本的错误率只是估计，所以还要给出 95% 的**置信区间**：整批的错误率多半在这两个数之间。

# %% [markdown] lang="en"
# The office looked at 120 labels in the order in which they were drawn; `checked` is what they hold to be right. The first `n` are the sample: count the
# wrong ones. The error rate of a sample is only an estimate, so a 95 % **confidence interval** goes with it: the rate of the whole batch is most
# likely between these two numbers.

# %% rows="M20 M21"
from statsmodels.stats.proportion import proportion_confint

sample = pd.read_csv(scenario.file("inspection.csv")).head(n)
wrong = sample[sample["label"] != sample["checked"]]
defects, rate = len(wrong), len(wrong) / len(sample)
low, high = proportion_confint(defects, len(sample), alpha=1 - plan["confidence"], method="beta")
acceptance |= {"defects": defects, "rate": rate, "low": low, "high": high}
save_json("acceptance.json", acceptance)
display(wrong)
print(f"{defects} / {n} = {rate:.3f}  ({low:.3f} – {high:.3f})")

# %% [markdown] lang="zh"
# 收，还是退？样本里错的不超过约定的条数，就收（`"accept"`），否则退（`"reject"`）；约定的条数是 `plan` 里的哪一项？如果只能先让一个人返工，看上面那张表里错的都是谁标的，该是谁（`"a"`、`"b"` 或 `"c"`）？

# %% [markdown] lang="en"
# Accept or reject? With no more wrong labels than was agreed the batch is taken (`"accept"`), else it goes back (`"reject"`): which entry of `plan` says
# how many? And if one person is to redo the work first, who is it, by the list of wrong labels above (`"a"`, `"b"` or `"c"`)?

# %% answer="decide"
### BEGIN SOLUTION
# starter: most_allowed = plan[____]
most_allowed = plan["allowed"]
# starter: redo = ____
redo = "c"
### END SOLUTION
decision = "accept" if defects <= most_allowed else "reject"

# %% rows="M22"
acceptance |= {"decision": decision, "redo": redo}
save_json("acceptance.json", acceptance)
print(decision, redo)

# %% [markdown] lang="zh"
# ## 7 · 写审核报告
#
# 下面三题由考评员阅卷。**双击**括号里的提示，再在出现的框里点一下，把它换成你的回答，最后按 Shift + Enter。
#
# **第 1 题**：你找到了两条没写清楚的规则：一条管留言（R），一条管实体（S，看第 3 节最不一致的那一类归哪一条管）。把它们改写成可以直接用的条文，写明编号；每条举一个例子，说明现在该怎么标。

# %% [markdown] lang="en"
# ## 7 · Write the quality report
#
# An examiner marks these three. **Double-click** the sentence in brackets, click once in the box that opens, put your answer in its place, and press
# Shift + Enter.
#
# **Question 1**: You found two rules that are unclear: one for messages (R) and one for spans (S: which rule is about the type you found in section 3?). Rewrite them so that they can be used as
# they stand; give their numbers, and for each an example of what is now to be done.

# %% [markdown] lang="zh" answer="corrected_rules" rows="J1"
# ### BEGIN SOLUTION
# R4：小区里的卫生问题，要派车运走的标“垃圾”，要保洁员打扫、擦洗的标“物业”；其他物业能处理的事标“物业”。例：“垃圾桶满了三天没人收”标“垃圾”，“楼道里全是烟头没人扫”标“物业”。
#
# S4：`problem` 包括程度和频率，例如“轻微渗漏”整段标出，不能只标“渗漏”。
# ### END SOLUTION

# %% [markdown] lang="en" answer="corrected_rules" rows="J1"
# ### BEGIN SOLUTION
# R4: For dirt in an estate: what a lorry must take away is "Waste", what a cleaner must sweep or wipe is "Property"; anything else the managers handle is "Property". "Bins full for three days" is "Waste"; "cigarette ends on the stairs, nobody sweeps" is "Property".
#
# S4: `problem` includes words of degree and frequency: mark "slightly leaking" as a whole and not "leaking" alone.
# ### END SOLUTION

# %% [markdown] lang="zh"
# **第 2 题**：写一份简短的审核报告（五六句）：完整性、一致性、准确性各用数字说话，说明主要问题，最后给出收或退的结论。

# %% [markdown] lang="en"
# **Question 2**: Write a short quality report (five or six sentences): completeness, agreement and accuracy in numbers, the main problems, and at the end
# whether the delivery is accepted.

# %% [markdown] lang="zh" answer="quality_report" rows="J2"
# ### BEGIN SOLUTION
# 完整性：108 条留言，A、B 全部标完，C 漏标 24 条。一致性：A 与 B 的原始一致率 0.72，kappa 约 0.66，三人 alpha 约 0.65，低于 0.67。准确性：对照裁决后的标签，A、B 错误率约 14%，C 为 25%。主要问题：R4 没写清楚，“物业”和“垃圾”混了 22 条；C 没有照 R5，把小区里的噪声标成“物业”；S4 没说程度词标不标。验收：抽 88 条，错 7 条，错误率 8.0%，95% 置信区间约 3.3% 到 15.7%，超过允许的 1 条，结论：退回。
# ### END SOLUTION

# %% [markdown] lang="en" answer="quality_report" rows="J2"
# ### BEGIN SOLUTION
# Completeness: of 108 messages A and B labelled all, C left out 24. Agreement: raw 0.72 between A and B, kappa about 0.65, alpha of all three about 0.65, below 0.67.
# Accuracy: against the final labels A and B have about 14 % wrong, C 21 %. Main problems: R4 is unclear, 22 messages "Property" against "Waste"; C does not keep R5 and calls noise in an estate "Property"; S4 does not say whether words of degree belong to the span.
# Acceptance: 88 drawn, 7 wrong, 8.0 %, interval about 3.3 % to 15.7 %; one was allowed, so the delivery is rejected.
# ### END SOLUTION

# %% [markdown] lang="zh"
# **第 3 题**：你会怎样给三位标注员反馈？分清哪些是规范的问题、哪些是人的问题，说明谁重做什么、改完怎样复查。

# %% [markdown] lang="en"
# **Question 3**: What feedback do you give to the three? Tell what is the guideline's fault from what is a person's, and say who redoes what and how it
# is checked again.

# %% [markdown] lang="zh" answer="follow_up" rows="J3"
# ### BEGIN SOLUTION
# R4、S4 是规范的问题，A、B 不必检讨，按新条文统一重标“物业/垃圾”和“问题”实体即可。C 违反了写得清楚的 R5，单独讲解并让 C 重做小区噪声的留言、补齐漏标。改完后另抽一批样本，重新计算 kappa 和错误率，错不超过 1 条才交付。
# ### END SOLUTION

# %% [markdown] lang="en" answer="follow_up" rows="J3"
# ### BEGIN SOLUTION
# R4 and S4 are the guideline's fault: A and B are not to blame and label "Property/Waste" and the problem spans again by the new rules. C did not keep to R5, which is clear: explain it, let C redo noise in estates and label what was left out. Then draw a new sample, compute kappa and error rate again, and deliver with one wrong label at most.
# ### END SOLUTION

# %% [markdown] lang="zh"
# ## 做完了
#
# 请在菜单里选 **内核 → 重启内核 和 运行所有单元格…**，从头到尾再运行一遍，确认没有报错，然后保存并交卷。你的裁决在 `adjudicated.jsonl` 里，会和笔记本一起交上去。

# %% [markdown] lang="en"
# ## Done
#
# Choose **Kernel → Restart Kernel and Run All Cells…** in the menu, see that it runs to the end without an error, save, and hand in. Your decisions
# are in `adjudicated.jsonl` and are handed in with the notebook.
