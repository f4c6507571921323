# %% [markdown] lang="zh"
# # 偏好标注：哪个回答更好？
#
# **{{ scenario.title }}**
#
# {{ scenario.brief }}
#
# 你将完成四件事：先试标 8 对；再比较 29 对回答、给 8 组回答排序；用数字检查自己的判断有没有被习惯带着走；最后导出训练用的文件。全程约 {{ lab.minutes }} 分钟，不需要会编程：代码里只有几处填空 `____`，把它换成你的答案即可。请从上往下，一格一格按 **Shift + Enter** 运行。每提交一条就存一次盘；中途关掉，回来重新运行那一格，会接着标。

# %% [markdown] lang="en"
# # Preference annotation: which answer is better?
#
# **{{ scenario.title }}**
#
# {{ scenario.brief }}
#
# Four things to do: compare a trial batch of 8; compare 29 pairs and rank 8 lists of answers; check by numbers whether habit decided for you; and export a
# file for tuning. It takes about {{ lab.minutes }} minutes and no programming: a few cells have a blank, `____`, and you put your answer in its place.
# Go from the top, one cell after the other, with **Shift + Enter**. Every item is saved as you submit it: if you have to stop, run the cell again
# later and go on where you were.

# %%
import json
from itertools import combinations

import pandas as pd

from lab_env.notebook import annotate, load_scenario, save_json, show_rows

scenario = load_scenario()

# %% [markdown] lang="zh"
# ## 1 · 读规范，试标 8 对
#
# 回答按四条标准比，**从上往下，上面一条分出高下，就不再看下面一条**：
#
# {{ scenario.labels }}
#
# 先花五分钟读完 `guideline.md`（R1 到 R11，在左边的文件列表里双击打开）；标注时随时可以在界面里再打开它。每一条都附一张**资料卡**，事实以它为准。
#
# 运行下一格试标。先用鼠标在界面里点一下，再按 **1** 选左边，**2** 选右边，按 **Enter** 提交。两个真的说得一模一样（R11），才按 **3** 勾“两个一样好”，左右随便选一边。

# %% [markdown] lang="en"
# ## 1 · Read the guideline, try 8 pairs
#
# Answers are compared by four things, **from the top: once one of them decides, do not look at those below**:
#
# {{ scenario.labels }}
#
# First take five minutes to read `guideline.md` (R1 to R11; double-click it in the list of files on the left); you can open it again in the annotation page at any time. Every item comes with a **card**, which
# decides what is true.
#
# Run the next cell and try. Click once in the page; then **1** chooses the left answer, **2** the right one, **Enter** submits. Only where both really say the same (R11), press **3** to
# tick "Both are equally good", and choose either side.

# %%
annotate(scenario.file("pairs.xml"), scenario.file("practice.jsonl"), "practice_done.jsonl")

# %% [markdown] lang="zh"
# 下一格把标注文件读成一张表：`chosen` 是你选中的回答，`rejected` 是没选的，`side` 是选中的在左（left）还是右（right），`tie` 表示是不是勾了“一样好”。这段代码不用改，也不用看懂。再下一格把参考答案（`better`）、规则和理由放在你的选择旁边。`agree` 是 False 的，对着规则想一想：是看漏了，还是规范和你想的不同？以规范为准。

# %% [markdown] lang="en"
# The next cell reads the file into a table: `chosen` is the answer you took, `rejected` the other one, `side` where the chosen one stood (left or right),
# and `tie` whether you ticked "equally good". You need neither change nor understand it. The cell after it shows the right side (`better`), the rule and the
# reason beside your choice. Where `agree` is False, look into the rule: did you overlook something, or does the guideline differ from what you think? The
# guideline decides.

# %%
COLUMNS = ["id", "prompt", "side", "tie", "chosen", "rejected"]


def read_pairs(name):
    rows = []
    for line in open(name, encoding="utf-8"):
        task = json.loads(line)
        data, result = task["data"], task["annotations"][0]["result"]
        said = {region["from_name"]: region["value"] for region in result}
        if "better" in said:
            side = said["better"]["selected"]
            other = "right" if side == "left" else "left"
            rows.append([task["id"], data["prompt"], side, "tie" in said, data[side], data[other]])
    return pd.DataFrame(rows, columns=COLUMNS).astype({"tie": bool})


# %% rows="M1"
practice = read_pairs("practice_done.jsonl")

# %%
def in_full(table):
    left = [{"selector": "th, td", "props": "text-align: left"}]
    return table.style.hide(axis="index").set_table_styles(left)


answers = pd.read_csv(scenario.file("practice_answers.csv"))
beside = practice[["id", "side"]].merge(answers, on="id")
beside.insert(2, "agree", beside["side"] == beside["better"])
in_full(beside)

# %% [markdown] lang="zh"
# ## 2 · 比较 29 对回答
#
# 现在正式标注。每一对都问自己四个问题：会不会出事？和资料卡对得上吗？答全了吗？说得清楚吗？有 8 条要写一句**理由**，带上规则编号；其余的不用写。在文字框里按 Enter 是换行，提交要按 **Ctrl + Enter**，或者点“提交”。
#
# 第一对的编号是 101，第二对是 102，依此类推；第 3 节的排序从 201 开始。后面说到哪一条，用的都是编号。

# %% [markdown] lang="en"
# ## 2 · Compare 29 pairs
#
# Now for the real batch. Ask yourself four things about every pair: could somebody come to harm? Does it agree with the card? Is it a full answer? Is it
# clear? Eight items ask for a **reason** in one sentence, with the number of the rule; the others do not. In the text field Enter begins a new
# line: there press **Ctrl + Enter**, or click "Submit".
#
# The first pair has the id 101, the second 102, and so on; the rankings of section 3 begin with 201. Later on, items are named by their ids.

# %%
annotate(scenario.file("pairs.xml"), scenario.file("pairs.jsonl"), "pairs_done.jsonl")

# %% [markdown] lang="zh"
# 标完以后运行下一格，看看是否齐全。选得对不对，由考评端对照答案评分，这里看不到。

# %% [markdown] lang="en"
# When you are through, run the next cell to see whether the file is complete. Whether you chose right is marked by the examiner against the key and cannot
# be seen here.

# %% rows="M2 M3 M4 M5 M6 M7 M8 M9"
mine = read_pairs("pairs_done.jsonl")
print(len(mine))

# %% [markdown] lang="zh"
# ## 3 · 给 8 组回答排序
#
# 同一个问题有三四个回答。用鼠标拖动，或者用箭头按钮，把它们**从好到差**排好，最好的放最上面，再提交。先把不安全的放到最后，再把错的放到它前面，剩下的就容易了。

# %% [markdown] lang="en"
# ## 3 · Rank 8 lists of answers
#
# Here one question has three or four answers. Drag them, or use the arrow buttons, until they stand **from best to worst**, the best on top, and submit.
# Put what is unsafe last, what is false just before it, and the rest is easy.

# %%
annotate(scenario.file("rankings.xml"), scenario.file("rankings.jsonl"), "rankings_done.jsonl")

# %% rows="M10 M11 M12"

# %% [markdown] lang="zh"
# ## 4 · 习惯有没有替你判断？
#
# 人会不知不觉地偏爱**左边**的回答（位置偏差），或者偏爱**长**的回答（长度偏差）。不看答案，用数字也能查出来。同事也标了那 8 对试标的题，文件是 `colleague.jsonl`。下面每个检查都对两份文件各做一次：你的 29 对，同事的 8 对。

# %% [markdown] lang="en"
# ## 4 · Did habit decide for you?
#
# Without noticing, people tend to prefer the answer on the **left** (position bias), or the **longer** one (length bias). Numbers show that without a key.
# A colleague compared the 8 pairs of the trial batch, too, in `colleague.jsonl`. Each check below is made for both files: your 29 pairs, and
# the colleague's 8.

# %%
colleague = read_pairs(scenario.file("colleague.jsonl"))
in_full(colleague)

# %% [markdown] lang="zh"
# **选左边的占多少？** 左右是随机摆的，所以应当在 0.5 左右。`table["side"] == ...` 逐行判断是不是等于右边的值，`.mean()` 算出“是”的比例。要数的是哪个值？填进去，两边加英文引号。

# %% [markdown] lang="en"
# **What share did you choose on the left?** Sides were drawn by lot, so it should be near 0.5. `table["side"] == ...` asks of every row whether it is that
# value, and `.mean()` gives the share of rows where it is. Which value is to be counted? Write it between quotes.

# %% answer="share_left"
def share_left(table):
    ### BEGIN SOLUTION
    # starter: return (table["side"] == ____).mean()
    return (table["side"] == "left").mean()
    ### END SOLUTION

# %% rows="M13"
left = {"mine": share_left(mine), "colleague": share_left(colleague)}
save_json("left.json", left)
print(pd.Series(left).round(3).to_string())

# %% [markdown] lang="zh"
# **选中的比没选的长的，占多少？** `.str.len()` 数出每个回答有多少个字。选中的和谁比？填列名，加引号。

# %% [markdown] lang="en"
# **In what share is the chosen answer longer than the other?** `.str.len()` counts the characters of each answer. What is the chosen one compared with?
# Write the name of the column, between quotes.

# %% answer="share_longer"
def share_longer(table):
    ### BEGIN SOLUTION
    # starter: return (table["chosen"].str.len() > table[____].str.len()).mean()
    return (table["chosen"].str.len() > table["rejected"].str.len()).mean()
    ### END SOLUTION

# %% rows="M14"
longer = {"mine": share_longer(mine), "colleague": share_longer(colleague)}
save_json("longer.json", longer)
print(pd.Series(longer).round(3).to_string())

# %% [markdown] lang="zh"
# **左右对调再来一次，选的还是同一个回答吗？** 29 对里有 4 对是重复的：问题一样，左右对调。下面的表把第一次（`_first`）和再一次（`_again`）放在同一行。

# %% [markdown] lang="en"
# **With the sides swapped, did you take the same answer again?** Four of the 29 pairs are repetitions: the same question with left and right swapped. The
# table below has the first time (`_first`) and the second (`_again`) in one row.

# %%
def repeated(table):
    both = table.merge(table, on="prompt", suffixes=("_first", "_again"))
    return both[both["id_first"] < both["id_again"]]


in_full(repeated(mine)[["id_first", "side_first", "chosen_first", "id_again", "side_again", "chosen_again"]])

# %% [markdown] lang="zh"
# 判断前后一致，要看两次选中的**回答**是不是同一个。该和哪一列比？想一想：要是比左右（`side`），前后一致的人算出来会是多少？

# %% [markdown] lang="en"
# You were consistent where you chose the same **answer** both times. Which column is it to be compared with? Think: what would a consistent person get if
# the sides were compared?

# %% answer="same_again"
def same_again(table):
    twice = repeated(table)
    ### BEGIN SOLUTION
    # starter: return (twice["chosen_first"] == twice[____]).mean()
    return (twice["chosen_first"] == twice["chosen_again"]).mean()
    ### END SOLUTION

# %% rows="M15"
swapped = {"mine": same_again(mine), "colleague": same_again(colleague)}
save_json("swapped.json", swapped)
print(pd.Series(swapped).round(3).to_string())

# %% [markdown] lang="zh"
# **你和同事有多一致？** 两个人都标过的只有试标的 8 对。下面把两份按编号拼在一起，列名后面加 `_mine` 和 `_colleague`。你的 `chosen_mine` 要和哪一列比？

# %% [markdown] lang="en"
# **How far do you agree with the colleague?** Only the trial batch was done by both. Below the two tables are joined by id, and the columns end in `_mine`
# and `_colleague`. Which column is your `chosen_mine` to be compared with?

# %% answer="agreement"
both = practice.merge(colleague, on="id", suffixes=("_mine", "_colleague"))
### BEGIN SOLUTION
# starter: agreement = (both["chosen_mine"] == both[____]).mean()
agreement = (both["chosen_mine"] == both["chosen_colleague"]).mean()
### END SOLUTION

# %% rows="M16"
save_json("agreement.json", {"agreement": agreement})
print(agreement)

# %% [markdown] lang="zh"
# 画出来看：`mine` 是你，`colleague` 是同事；`left` 选左边，`longer` 选较长的，`same again` 前后一致；虚线是 0.5。同事的柱子说明了什么？后面第 2 题要用。

# %% [markdown] lang="en"
# See it as a figure: the dashed line is 0.5. What do the colleague's bars say? You will need it for question 2.

# %%
import matplotlib.pyplot as plt

shares = pd.DataFrame({"left": left, "longer": longer, "same again": swapped}).T
shares.plot.bar(rot=0, ylim=(0, 1), figsize=(6, 2.5))
plt.axhline(0.5, color="grey", linestyle="--")
plt.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown] lang="zh"
# ## 5 · 导出训练数据
#
# 偏好训练要的文件，每行一对：`prompt`（问题）、`chosen`（选中的回答）、`rejected`（没选的回答）。先去掉“两个一样好”的：分不出高下，就没有东西可学。要留下的行，`tie` 应当是 `True` 还是 `False`？（不加引号。）运行后显示两个数：原来几对，留下几对。

# %% [markdown] lang="en"
# ## 5 · Export the data for tuning
#
# Tuning on preferences takes a file with one pair a line: `prompt`, `chosen` and `rejected`. First leave out the pairs that you called equally good: where
# neither is better there is nothing to learn. Of the rows to keep, is `tie` `True` or `False`? (No quotes.) The cell prints
# two numbers: how many pairs there were, and how many are left.

# %% answer="without_ties"
### BEGIN SOLUTION
# starter: decided = mine[mine["tie"] == ____]
decided = mine[mine["tie"] == False]
### END SOLUTION
print(len(mine), len(decided))

# %% [markdown] lang="zh"
# 再把排序变成一对一对。排序 A > B > C 就是三对：A 胜 B，A 胜 C，B 胜 C。`combinations(texts, 2)` 从排好的回答里每次取两个，次序不变：先取到的 `first` 排在 `second` 前面。哪个填 `chosen`，哪个填 `rejected`？

# %% [markdown] lang="en"
# Then turn the rankings into pairs. The ranking A > B > C makes three: A beats B, A beats C, B beats C. `combinations(texts, 2)` takes two at a time out of
# the ranked answers and keeps their order: `first` stood before `second`. Which is `chosen`, which is `rejected`?

# %%
def read_rankings(name):
    for line in open(name, encoding="utf-8"):
        task = json.loads(line)
        bodies = {answer["id"]: answer["body"] for answer in task["data"]["answers"]}
        for region in task["annotations"][0]["result"]:
            order = region["value"]["ranker"]["rank"]
            yield task["data"]["prompt"], [bodies[name] for name in order]


# %% answer="ranked_pairs"
ranked = []
for prompt, texts in read_rankings("rankings_done.jsonl"):
    for first, second in combinations(texts, 2):
        ### BEGIN SOLUTION
        # starter: ranked.append({"prompt": prompt, "chosen": ____, "rejected": ____})
        ranked.append({"prompt": prompt, "chosen": first, "rejected": second})
        ### END SOLUTION
print(len(ranked))

# %% [markdown] lang="zh"
# 两部分合起来，去掉重复的行（对调过的那 4 对，选得一致，就会出现两遍）。还有一种更坏：同一对回答，一行说 A 胜 B，另一行说 B 胜 A。下面把表**反过来写**，再看哪些行两边都有。反过来写，就是 `chosen` 改叫什么？填列名，加引号。

# %% [markdown] lang="en"
# Put both together and drop the rows that come twice (the four swapped pairs do, where you were consistent). Worse is a pair that one row gives as A beats B
# and another as B beats A. Below, the table is written **the other way round**, to see which rows are in both. The other way round: what is
# `chosen` to be called? Write the name of the column, between quotes.

# %%
KEEP = ["prompt", "chosen", "rejected"]
everything = pd.concat([decided[KEEP], pd.DataFrame(ranked, columns=KEEP)])
unique = everything.drop_duplicates()
print(len(everything), len(unique))

# %% answer="other_way_round"
### BEGIN SOLUTION
# starter: turned = unique.rename(columns={"chosen": ____, "rejected": "chosen"})
turned = unique.rename(columns={"chosen": "rejected", "rejected": "chosen"})
### END SOLUTION
both_ways = unique.merge(turned)

# %% [markdown] lang="zh"
# 自相矛盾的两行都不要：不知道该信哪一行。剩下的写进 `preference.jsonl`。

# %% [markdown] lang="en"
# Of two rows that contradict each other neither is kept: nobody knows which to believe. The rest is written to `preference.jsonl`.

# %% rows="M17 M18 M19"
preference = pd.concat([unique, both_ways]).drop_duplicates(keep=False)
with open("preference.jsonl", "w", encoding="utf-8") as file:
    for row in preference.to_dict("records"):
        file.write(json.dumps(row, ensure_ascii=False) + "\n")

# %% [markdown] lang="zh"
# **交出去之前再查一遍文件。** 读回来数：一共几行，重复的几行，缺 `prompt` 的几行，两个回答一样的几行。后三个数都应当是 0。把最后一行补全：`chosen` 要和哪一列比？另外算一算：一组 4 个回答的排序，能变成几对？（直接写数字）

# %% [markdown] lang="en"
# **Check the file before you hand it on.** Read it back and count: lines, repeated lines, lines without a prompt, lines whose two answers are the
# same. The last three should be 0. Complete the last line: which column is `chosen` compared with? And work out: how many pairs does a ranking of
# 4 answers make? (Just the number.)

# %%
exported = pd.read_json("preference.jsonl", lines=True, dtype=False)
checks = {
    "lines": len(exported),
    "repeated": exported.duplicated().sum(),
    "without_prompt": (exported["prompt"] == "").sum(),
}

# %% answer="file_checks"
### BEGIN SOLUTION
# starter: pairs_of_four = ____
pairs_of_four = 6
# starter: same_answer = (exported["chosen"] == exported[____]).sum()
same_answer = (exported["chosen"] == exported["rejected"]).sum()
### END SOLUTION

# %% rows="M20"
checks = {**checks, "same_answer": same_answer, "pairs_of_four": pairs_of_four}
save_json("checks.json", checks)
print(pd.Series(checks).to_string())

# %% [markdown] lang="zh"
# ## 6 · 写下你的判断
#
# 下面三题由考评员阅卷，每题两三句话。**双击**括号里的提示，再在出现的框里点一下，把它换成你的回答，最后按 Shift + Enter。
#
# **第 1 题**（考评员会连同你标注时写的 8 条理由一起看）：挑出最难的一对，写出编号、依据哪条规则、为什么另一个回答输了。

# %% [markdown] lang="en"
# ## 6 · Write down your judgement
#
# An examiner marks these three; two or three sentences each. **Double-click** the sentence in brackets, click once in the box that opens,
# put your answer in its place, and press Shift + Enter.
#
# **Question 1** (the examiner reads your answer together with the eight reasons you gave while annotating): Take the pair that was hardest, and give its id,
# the rule you went by, and why the other answer lost.

# %% [markdown] lang="zh" answer="hardest_pair" rows="J1"
# ### BEGIN SOLUTION
# 最难的是电表箱打火花那一对。一个回答把抢修时间说错了，另一个时间对，却教人用木棍去推打火花的总闸。按 R1，安全在正确之前：时间说错，客户多等一会儿；照后一个做，会触电，所以后一个输。
# ### END SOLUTION

# %% [markdown] lang="en" answer="hardest_pair" rows="J1"
# ### BEGIN SOLUTION
# The sparking meter box was hardest. One answer has the time of the crew wrong; the other has it right but tells people to push the sparking switch with a stick. By R1 safety comes before correctness: a wrong time means waiting longer, the other may kill, so the other loses.
# ### END SOLUTION

# %% [markdown] lang="zh"
# **第 2 题**：看第 4 节的数字。同事有哪些偏差？依据是哪几个数？他的文件能不能拿去训练，你会怎么办？

# %% [markdown] lang="en"
# **Question 2**: Look at the numbers of section 4. Which biases does the colleague show, and in which figures? May the file be used for tuning, and what
# would you do?

# %% [markdown] lang="zh" answer="bias" rows="J2"
# ### BEGIN SOLUTION
# 同事选左边的占 0.88，选较长回答的占 0.75，对调以后只有一半选了同一个回答，说明他偏左也偏长，几对里长的恰恰是错的。这份文件不能直接用：先和他对照规范讨论，左右重新打乱，请他重标，再抽一部分由第二个人标，比较一致率。
# ### END SOLUTION

# %% [markdown] lang="en" answer="bias" rows="J2"
# ### BEGIN SOLUTION
# The colleague took the left answer in 0.88 and the longer one in 0.75 of the pairs, and only half of the swapped pairs got the same answer again: position and length bias, and several of the long answers are false. The file cannot be used as it is. I would go through the guideline together, shuffle the sides, have it done again, and let a second person do a sample to compare.
# ### END SOLUTION

# %% [markdown] lang="zh"
# **第 3 题**：给规范补充一条，或者改一条，让两个人标得更一致。写出新的条文和一个例子。

# %% [markdown] lang="en"
# **Question 3**: Add a rule to the guideline, or change one, so that two people would agree more often. Write the rule and an example.

# %% [markdown] lang="zh" answer="amendment" rows="J3"
# ### BEGIN SOLUTION
# 建议给 R8 补一句：“两个都只答了一半的，答了客户先问的那一半的更好。”例如客户先问怎么过户、再问要不要结清欠费，一个只答怎么过户，一个只答结清欠费，现在分不出，补了以后选前一个。
# ### END SOLUTION

# %% [markdown] lang="en" answer="amendment" rows="J3"
# ### BEGIN SOLUTION
# Add to R8: "Where both give half an answer, the one that answers what was asked first is better." For "how do I transfer my account, and must I pay my debts first?", one answer gives only the first half and one only the second; today nothing decides, and with this sentence the first is chosen.
# ### END SOLUTION

# %% [markdown] lang="zh"
# ## 做完了
#
# 请在菜单里选 **内核 → 重启内核 和 运行所有单元格…**，从头到尾再运行一遍，确认没有报错，然后保存并交卷。你的标注在 `practice_done.jsonl`、`pairs_done.jsonl` 和 `rankings_done.jsonl` 里，会和笔记本一起交上去。

# %% [markdown] lang="en"
# ## Done
#
# Choose **Kernel → Restart Kernel and Run All Cells…** in the menu, see that it runs to the end without an error, save, and hand in. Your annotations
# are in `practice_done.jsonl`, `pairs_done.jsonl` and `rankings_done.jsonl` and are handed in with the notebook.
