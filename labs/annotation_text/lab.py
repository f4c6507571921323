# %% [markdown] lang="zh"
# # 按规范标注文本
#
# **{{ scenario.title }}**
#
# {{ scenario.brief }}
#
# 你将完成三件事：给 60 条留言分类；在 25 张工单里标出实体；用数字检查自己的标注，并写出规范哪里该改。
# 全程约 {{ lab.minutes }} 分钟，不需要写程序。请从上往下，一格一格按 **Shift + Enter** 运行。
# 标注时每提交一条就存一次盘；中途关掉也不要紧：回来先运行最上面的 `import` 一格，再运行标注那一格，就从断开的地方接着标。
# 出现红色的 `NameError`，多半是前面有一格没有运行：从最上面一格起，依次再运行一遍。

# %% [markdown] lang="en"
# # Annotate text by a guideline
#
# **{{ scenario.title }}**
#
# {{ scenario.brief }}
#
# Three things to do: label 60 messages; mark the entities in 25 work orders; check your own labels by numbers and
# write what should change in the guideline. It takes about {{ lab.minutes }} minutes and you need not program. Go from the top, one cell after
# the other, with **Shift + Enter**. Every item is saved as you submit it: if you have to stop, run the first cell (`import …`) and the
# annotation cell again later and go on where you were. A red `NameError` most likely means that a cell above was not run: start again from the top.

# %%
import json
from collections import Counter

import pandas as pd

from lab_env.notebook import annotate, load_scenario, save_json, show_rows

scenario = load_scenario()

# %% [markdown] lang="zh"
# ## 1 · 给留言分类
#
# 每条留言只给**一个标签**（label）：
#
# {{ scenario.labels }}
#
# 留言里常常不止提到一件事，表里的一句话说不清的地方，由**标注规范**决定。先花五分钟读完 `guideline.md` 里讲怎样分类的条文
# （{{ scenario.rules.labels }}；在左侧文件列表里双击打开），标注时随时可以在界面里再打开它。请按规范判断，不要按自己的习惯：
# 规范和你的看法不一样时，先照规范标，再把意见写到最后的第 2 题里。
#
# 运行下一格开始标注。先用鼠标在界面里点一下，再按标签旁边显示的键（**1**、**2**……）选标签，按 **Enter** 提交；拿不准可以先跳过，最后再回来，交卷前要全部标完。
# 第 1 条留言的编号是 101，第 2 条是 102，依此类推；后面说到留言都用编号。

# %% [markdown] lang="en"
# ## 1 · Label the messages
#
# Each message gets **one label**:
#
# {{ scenario.labels }}
#
# Messages often name more than one matter. Where one line in the table is not enough, the **guideline** decides. First take five minutes to read
# in `guideline.md` how to label ({{ scenario.rules.labels }}; double-click it in the list of files on the left); you can open it again in the annotation page at any time. Judge by
# the guideline and not by habit: where you do not agree with it, label as it says, and write your objection under question 2 at the end.
#
# Run the next cell to begin. Click once in the page; then the key beside a label (**1**, **2** …) chooses it and **Enter** submits. Skip what you are not sure of and come back
# to it; before you hand in, every message needs a label. The first message has the id 101, the second 102, and so on; later on, messages are named by their ids.

# %%
annotate(scenario.file("messages.xml"), scenario.file("messages.jsonl"), "messages_done.jsonl")

# %% [markdown] lang="zh"
# 标完以后运行下一格，看看是否齐全。标得对不对，只有考评端才知道：答案没有发到这里。
# 由考评端评分的各项：M4 准确率，M5 每一类都要好，M6 规范里有明文的留言，M7 同一件事前后一致。

# %% [markdown] lang="en"
# When you are through, run the next cell to see whether the file is complete. Whether the labels are right is for the examiner to say:
# the key was not given out. Marked by the examiner: M4 accuracy, M5 every class, M6 messages that a rule decides, M7 the same matter labelled alike.

# %% rows="M1 M2 M3 M4 M5 M6 M7"

# %% [markdown] lang="zh"
# ## 2 · 在工单里标出实体
#
# **实体**（entity）是指明某一样具体东西的一段文字。要标五类：
#
# {{ scenario.entities }}
#
# 标注时先选类型（按 **1** 到 **5**），再用鼠标划过文字；
# 一张工单里的实体全部标完，再提交。多一个字、少一个字都算错一处，所以边界很要紧。
# 先读 `guideline.md` 里讲工单的条文（{{ scenario.rules.entities }}），尤其是“哪些不标”。

# %% [markdown] lang="en"
# ## 2 · Mark the entities in work orders
#
# An **entity** is a stretch of text that names something, one of five types:
#
# {{ scenario.entities }}
#
# Choose a type first (keys **1** to **5**), then drag
# over the words; submit an order when all of its entities are marked. One word too many or too few counts as an error, so mind where a stretch begins
# and ends. First read what `guideline.md` says about work orders ({{ scenario.rules.entities }}), above all what is *not* marked.

# %%
annotate(scenario.file("orders.xml"), scenario.file("orders.jsonl"), "orders_done.jsonl")

# %% [markdown] lang="zh"
# 25 张都提交以后，运行下一格（第 1 张工单的编号是 201）。
# 由考评端评分的各项：M11 边界和类型都对，M12 找到了、类型对，M13 最差的一类，M14 规范说不标的没有标。

# %% [markdown] lang="en"
# When all 25 are submitted, run the next cell (the first order has the id 201). Marked by the examiner: M11 boundaries and types, M12 found with the right
# type, M13 the weakest type, M14 what the guideline excludes is left alone.

# %% rows="M8 M9 M10 M11 M12 M13 M14"

# %% [markdown] lang="zh"
# ## 3 · 用数字检查标注
#
# 交出去之前，标注员先自查。不看答案也能查三样：标完了没有，每一类各有多少，每条花了多少时间。
# 下一格把标注文件读成一张表：`id` 是编号，`label` 是你给的标签（跳过的没有标签，显示为 `NaN`），`seconds` 是用了几秒。

# %% [markdown] lang="en"
# ## 3 · Check labels by numbers
#
# Annotators check their work before they hand it on. Three things can be seen without a key: is it complete, how many items has each class, how
# long did each take? The next cell reads the annotation file into a table: `id`, the `label` you gave (skipped items have none, shown as `NaN`),
# and the `seconds` it took.

# %%
def read_done(name):
    rows = []
    for line in open(name, encoding="utf-8"):
        task = json.loads(line)
        answer = task["annotations"][0]
        chosen = [each["value"]["choices"][0] for each in answer["result"]]
        rows.append({"id": task["id"], "label": (chosen or [None])[0], "seconds": answer["lead_time"]})
    return pd.DataFrame(rows)


mine = read_done("messages_done.jsonl")
mine.head()

# %% [markdown] lang="zh"
# 同事也试标了 12 条，文件是 `trial_done.jsonl`。你写的检查对两份文件都要管用。看看他的表，有什么不对劲？

# %% [markdown] lang="en"
# A colleague labelled a trial batch of 12, in `trial_done.jsonl`. The checks you write must work for both files. Look at the table: what is
# odd about it?

# %%
colleague = read_done(scenario.file("trial_done.jsonl"))
colleague

# %% [markdown] lang="zh"
# **每一类各有多少？** `table.dropna()` 去掉没有标签的行，`Counter(...)` 给一列里的每个值计数。
# 要数的是哪一列？把列名填进去，两边加英文引号。运行后没有反应是正常的：这一格只写下做法，下一格才照着做；要改答案，两格都要再运行。

# %% [markdown] lang="en"
# **How many items has each class?** `table.dropna()` leaves out the rows without a label, and `Counter(...)` counts every value of a column.
# Which column is to be counted? Write its name, between quotes. Nothing is shown when you run this cell: it says how, and the next cell does it. To change your
# answer, run both again.

# %% answer="count_labels"
def count_labels(table):
    labelled = table.dropna()
    ### BEGIN SOLUTION
    # starter: return Counter(labelled[____])
    return Counter(labelled["label"])
    ### END SOLUTION

# %% rows="M15"
label_counts = count_labels(mine)
save_json("label_counts.json", {"mine": label_counts, "colleague": count_labels(colleague)})

# %% [markdown] lang="zh"
# **哪几条还没标？** 跳过的、没打开过的都算。`all_ids` 是任务里的全部编号，`seen` 是文件里出现过的编号，
# `finished` 是真正有标签的编号。还没标的，就是在 `all_ids` 里、却不在谁里面？

# %% [markdown] lang="en"
# **Which items have no label yet?** Both those skipped and those never opened count. `all_ids` are the ids of all tasks, `seen` those that occur in
# the file, `finished` those that have a label. An item is open when it is in `all_ids` but not in which of them?

# %% answer="find_open"
def find_open(all_ids, table):
    seen = set(table["id"])
    finished = set(table.dropna()["id"])
    ### BEGIN SOLUTION
    # starter: return [one for one in all_ids if one not in ____]
    return [one for one in all_ids if one not in finished]
    ### END SOLUTION

# %% rows="M16"
def ids_of(name):
    return [json.loads(line)["id"] for line in open(scenario.file(name), encoding="utf-8")]


my_open, colleague_open = find_open(ids_of("messages.jsonl"), mine), find_open(ids_of("trial.jsonl"), colleague)
save_json("open_items.json", {"mine": my_open, "colleague": colleague_open})

# %% [markdown] lang="zh"
# 再看两样：各类的条数画成条形图，用时从长到短排一排。

# %% [markdown] lang="en"
# Two more things to look at: a bar chart of the classes, and the items that took longest.

# %%
import matplotlib.pyplot as plt

labels, sizes = zip(*label_counts.most_common())
plt.figure(figsize=(8, 3.2))
plt.barh(labels, sizes)
plt.gca().invert_yaxis()
plt.show()
mine.sort_values("seconds", ascending=False).head()

# %% [markdown] lang="zh"
# 读图读表：你给得最多的是哪个标签（填代码，加引号；有并列的，填其中一个）？哪一条用时最长（填编号，不加引号）？
# 用时最长的，往往就是规范没写清楚的。

# %% [markdown] lang="en"
# Read them off: which label did you give most often (its code, between quotes; any of them where several tie)? Which item took you longest (its id, without quotes)? What took
# long is often what the guideline leaves unclear.

# %% answer="read_off"
### BEGIN SOLUTION
# starter: most_given = ____
most_given = label_counts.most_common(1)[0][0]
# starter: slowest_item = ____
slowest_item = mine.sort_values("seconds")["id"].iloc[-1]
### END SOLUTION

# %% rows="M17"
save_json("quality.json", {"most_given": most_given, "slowest_item": slowest_item})

# %% [markdown] lang="zh"
# ### 写下你的分析
#
# 下面三题由考评员阅卷，每题两三句话。**双击**括号里的提示，再在出现的框里点一下，把它换成你的回答，最后按 Shift + Enter。
#
# **第 1 题**：哪两类最难分开？引用至少两条留言（写编号），说明你怎样判断，依据哪条规则。

# %% [markdown] lang="en"
# ### Write your analysis
#
# An examiner marks these three; two or three sentences each. **Double-click** the sentence in brackets, click once in the box that opens, put your answer in its place,
# and press Shift + Enter.
#
# **Question 1**: Which two classes are hardest to tell apart? Quote at least two messages (with their ids) and say how you decided, and by which rule.

# %% [markdown] lang="zh" answer="hardest_boundary" rows="J1"
# ### BEGIN SOLUTION
# {{ scenario.answers.hardest_boundary }}
# ### END SOLUTION

# %% [markdown] lang="en" answer="hardest_boundary" rows="J1"
# ### BEGIN SOLUTION
# {{ scenario.answers.hardest_boundary }}
# ### END SOLUTION

# %% [markdown] lang="zh"
# **第 2 题**：给规范提一条修改。写出新的条文，举一个改了之后结果会不同、或者不再有争议的例子。

# %% [markdown] lang="en"
# **Question 2**: Propose one amendment to the guideline. Write the new rule itself, and an example that it decides differently or that is no longer in
# dispute.

# %% [markdown] lang="zh" answer="amendment" rows="J2"
# ### BEGIN SOLUTION
# {{ scenario.answers.amendment }}
# ### END SOLUTION

# %% [markdown] lang="en" answer="amendment" rows="J2"
# ### BEGIN SOLUTION
# {{ scenario.answers.amendment }}
# ### END SOLUTION

# %% [markdown] lang="zh"
# **第 3 题**：同事那份文件能直接拿去训练吗？写出你看到的问题，以及你会让他怎么改、怎么抽查。

# %% [markdown] lang="en"
# **Question 3**: May the colleague's file be used for training as it is? Say what is wrong with it, what you would ask to have done, and how you would
# check a sample.

# %% [markdown] lang="zh" answer="audit" rows="J3"
# ### BEGIN SOLUTION
# 不能。12 条里有 2 条跳过、1 条没有打开过，只有 9 条有标签。先补标或写明无法判断的原因，再随机抽几条由另一个人独立重标，比较是否一致，不一致的对照规范讨论。
# ### END SOLUTION

# %% [markdown] lang="en" answer="audit" rows="J3"
# ### BEGIN SOLUTION
# No. Of 12 items two were skipped and one was never opened, so only 9 have a label. They should be labelled, or the reason noted; then a second person labels a random sample independently, and where the two differ they settle it by the guideline.
# ### END SOLUTION

# %% [markdown] lang="zh"
# ## 做完了
#
# 请在菜单里选 **内核 → 重启内核 和 运行所有单元格…**，从头到尾再运行一遍，确认没有报错，然后保存并交卷。
# 你的标注在 `messages_done.jsonl` 和 `orders_done.jsonl` 里，会和笔记本一起交上去。

# %% [markdown] lang="en"
# ## Done
#
# Choose **Kernel → Restart Kernel and Run All Cells…** in the menu, see that it runs to the end without an error, save, and hand in. Your
# annotations are in `messages_done.jsonl` and `orders_done.jsonl` and are handed in with the notebook.
