# %% [markdown] lang="zh"
# # 给图像画框：零件表面缺陷
#
# **{{ scenario.title }}**
#
# {{ scenario.brief }}
#
# 你将当一次标注员：按书面规范，在照片里把缺陷一处一处框出来，再检查自己的框。全程约 {{ lab.minutes }} 分钟，不需要会编程。
# 大部分时间用鼠标画框；最后有三处代码填空 `____`，把它换成你的答案即可。
# 请从上往下，一格一格按 **Shift + Enter** 运行。出现红色的 `NameError`，多半是前面有一格没有运行：从最上面一格起，依次再运行一遍。

# %% [markdown] lang="en"
# # Boxes in images: surface defects
#
# **{{ scenario.title }}**
#
# {{ scenario.brief }}
#
# You will be an annotator: by a written guideline you box the defects in photographs, one by one, and then check your boxes. It takes
# about {{ lab.minutes }} minutes and no programming. Most of the time you draw with the mouse; at the end three cells have a blank,
# `____`, and you put your answer in its place. Run the cells from the top, one after the other, with **Shift + Enter**. A red `NameError`
# most likely means that a cell above was not run: start again from the top.

# %%
import json
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from lab_env.notebook import annotate, load_scenario, save_json, show_rows
from PIL import Image

scenario = load_scenario()

# %% [markdown] lang="zh"
# ## 1 · 先认识缺陷，再读规范
#
# 一共四类缺陷：
#
# {{ scenario.labels }}
#
# 运行下面一格，每一类看一个例子（是从照片里剪下来的）。每张完整的照片左下角有一根白色标尺，长 16 像素，后面要用。

# %% [markdown] lang="en"
# ## 1 · Know the defects, then read the guideline
#
# There are four classes of defects:
#
# {{ scenario.labels }}
#
# Run the next cell to see one example of each, cut out of a photograph. Every whole photograph has a white bar at the bottom left, 16 pixels long; you will need it later.

# %%
COLOURS = dict(scratch="tab:blue", dent="tab:green", stain="tab:purple", crack="tab:red")
answers = pd.read_csv(scenario.file("practice_answers.csv"))


def picture(name):
    return Image.open(Path(scenario.data) / name)


figure, places = plt.subplots(1, 4, figsize=(11, 3))
for place, row in zip(places, answers.itertuples()):
    around = (row.x - 25, row.y - 25, row.x + row.width + 25, row.y + row.height + 25)
    place.imshow(picture(row.image).crop(around))
    place.set_title(row.label, color=COLOURS[row.label])
    place.axis("off")
plt.show()

# %% [markdown] lang="zh"
# 现在请**完整地读一遍** `guideline.md`（在左侧文件列表里双击打开；标注界面里也能随时查看）。规范决定一切，尤其是这四件事：
#
# - **什么不算**（G4–G7）：反光、螺孔、加工痕迹、灰尘。把它们框进去要扣分。
# - **框多紧**（G8）：四边留空不超过 3 像素。
# - **挨在一起怎么办**（G10、G11）：有时是一个框，有时是两个。
# - **没有缺陷怎么办**（G13）：不画框，直接提交。

# %% [markdown] lang="en"
# Now **read all of** `guideline.md` (double-click it in the list of files on the left; the annotation page shows it too, at any time). The guideline
# decides everything, above all these four things:
#
# - **What does not count** (G4 to G7): reflections, screw holes, machining marks, dust. Boxing them costs points.
# - **How tight** (G8): at most 3 pixels of margin on each side.
# - **What to do with defects close together** (G10, G11): sometimes one box, sometimes two.
# - **What to do without a defect** (G13): no box, and submit.

# %% [markdown] lang="zh"
# ## 2 · 练习两张
#
# 运行下面一格，出现标注界面。先点类别（或按数字键 1–4），再从缺陷的一角拖到对角，最后提交。画歪了可以拖动边角修改，也可以删掉重画。
# 类别按一次就一直有效，按钮外面有一圈蓝线；要画另一类时再换。重复按同一个类别是取消，画出来的框会写着“未标”：这时按数字键补上类别。

# %% [markdown] lang="en"
# ## 2 · Practise on two pictures
#
# Run the next cell and the annotation page appears. Click a class (or press 1 to 4), drag from one corner of the defect to the opposite one, and
# submit. A box that is not right can be pulled by its corners, or deleted and drawn again. A class stays chosen, with a blue ring around its button,
# until you choose another. Pressing the same one again lets it go, and the next box has no class: press its number then.

# %%
annotate(scenario.file("boxes.xml"), scenario.file("practice.jsonl"), "practice_boxes.jsonl")

# %% [markdown] lang="zh"
# 两张都提交以后，运行下面两格：先自查，再对着看。白色虚线是参考答案，彩色是你的框。差别大的，回到上面改好，再运行一遍。

# %% [markdown] lang="en"
# When both are submitted, run the next two cells: first the check, then the comparison. White dashes are the answers and colours are your boxes. Where
# they differ, go back, mend your boxes, and run the cells again.

# %%
COLUMNS = ["image", "label", "x", "y", "width", "height"]


def read_boxes(name):
    lines = Path(name).read_text("utf-8").splitlines() if Path(name).is_file() else []
    rows = []
    for task in map(json.loads, lines):
        for region in task["annotations"][0]["result"]:
            box = region["value"]
            across, down = region["original_width"] / 100, region["original_height"] / 100
            place = [box["x"] * across, box["y"] * down]
            size = [box["width"] * across, box["height"] * down]
            rows.append([task["data"]["image"], box["rectanglelabels"][0], *place, *size])
    return pd.DataFrame(rows, columns=COLUMNS)


# %% rows="M1"
practice = read_boxes("practice_boxes.jsonl")

# %%
def draw(place, boxes, colour=None, style="-"):
    for row in boxes.itertuples():
        look = {"edgecolor": colour or COLOURS[row.label], "linestyle": style}
        place.add_patch(plt.Rectangle((row.x, row.y), row.width, row.height, fill=False, **look))


figure, places = plt.subplots(1, 2, figsize=(11, 4.2))
for place, name in zip(places, answers["image"].unique()):
    place.imshow(picture(name))
    draw(place, answers[answers["image"] == name], "white", "--")
    draw(place, practice[practice["image"] == name])
    place.axis("off")
plt.show()

# %% [markdown] lang="zh"
# ## 3 · 正式标注 22 张
#
# 每张图看三遍：先看有没有**线**，再看有没有**斑和坑**，最后看**四条边**。拿不准就查规范，不要凭感觉。
# 每提交一张就自动保存；中途关掉页面，或者重启了内核，回来先运行最上面的 `import` 一格，再运行这一格，会接着做。

# %% [markdown] lang="en"
# ## 3 · Annotate 22 pictures
#
# Look at each picture three times: for **lines**, for **patches and hollows**, and along its **four borders**. When in doubt, look into the guideline; do
# not go by feeling. Every submit is saved at once. If you closed the page or restarted the kernel, run the first cell of the notebook (`import …`) and then
# this one: it goes on where you were.

# %%
annotate(scenario.file("boxes.xml"), scenario.file("tasks.jsonl"), "boxes.jsonl")

# %% [markdown] lang="zh"
# 全部提交以后，运行自查。找得全不全、准不准、紧不紧，由考评端对照答案评分，这里看不到；其余各项现在就能看到。
# 找到的缺陷不足八成，或者一半以上的框里没有缺陷，质量各项会按比例减分：先求全，再求快。
#
# 由考评端评分的各项：M6 找全，M7 找准，M8 框得紧，M9 和 M10 类别正确，M11 没有缺陷的图，M12 不是缺陷的东西（G4–G7），
# M13 挨在一起的缺陷（G10、G11），M14 伸出图外的缺陷（G9）。

# %% [markdown] lang="en"
# When all are submitted, run the check. Whether all defects were found, nothing else was boxed, and the boxes are tight is marked by the examiner against
# the key and cannot be seen here; the rest is answered now. When fewer than four defects of five are found, or most boxes hold none, the quality rows
# give less in proportion: be complete first, quick second.
#
# Marked by the examiner: M6 nothing missing, M7 nothing extra, M8 tight, M9 and M10 the right classes, M11 parts without a defect, M12 what is no defect
# (G4 to G7), M13 defects close together (G10, G11), M14 defects that run out of the picture (G9).

# %% rows="M2 M3 M4 M5 M6 M7 M8 M9 M10 M11 M12 M13 M14"
boxes = read_boxes("boxes.jsonl")
print(len(boxes), "boxes")

# %% [markdown] lang="zh"
# ## 4 · 检查自己的框
#
# 标注员交稿之前都要自查。把所有图和框放在一起看：有没有漏掉的、画松的、选错类别的？发现问题，就回到第 3 节改，
# 改完从第 3 节的自查那一格起，往下再运行一遍。

# %% [markdown] lang="en"
# ## 4 · Check your own boxes
#
# An annotator checks the work before handing it in. Look at all pictures with their boxes side by side: is anything missing, loose, or of the wrong
# class? If so, go back to section 3 and mend it; then run everything from the check in section 3 downwards again.

# %%
lines = Path(scenario.file("tasks.jsonl")).read_text("utf-8").splitlines()
tasks = [json.loads(line)["data"]["image"] for line in lines]
figure, places = plt.subplots(6, 4, figsize=(12, 13.5))
for place in places.flat:
    place.axis("off")
for number, (place, name) in enumerate(zip(places.flat, tasks), 1):
    place.imshow(picture(name))
    draw(place, boxes[boxes["image"] == name])
    place.set_title(number, fontsize=9)
plt.tight_layout()
plt.show()

# %% [markdown] lang="zh"
# 再数一数：每一类画了多少个框？某一类特别少，可能是漏了，也可能是类别选错了。
# 表 `boxes` 里有哪些列，下面会显示；类别在哪一列？把列名填进去，两边加英文引号。

# %% [markdown] lang="en"
# Then count: how many boxes has each class? A class with very few may have been missed, or confused with another.
# The next cell shows the columns of the table `boxes`. Which one holds the class? Write its name, between quotes.

# %%
boxes.head()

# %% answer="counts"
### BEGIN SOLUTION
# starter: boxes_per_class = boxes[____].value_counts()
boxes_per_class = boxes["label"].value_counts()
### END SOLUTION

# %% rows="M15"
save_json("counts.json", {"boxes_per_class": boxes_per_class.to_dict()})

# %%
plt.figure(figsize=(6, 2.2))
names = boxes_per_class.index
plt.barh(names, boxes_per_class, color=[COLOURS.get(name) for name in names])
plt.show()

# %% [markdown] lang="zh"
# ## 5 · 两个框有多像：IoU
#
# 两个人框同一处缺陷，不会一模一样。**IoU**（交并比）用一个数说明有多像：
#
# > IoU = 公共部分的面积 ÷ 两个框合起来盖住的面积
#
# 完全重合是 1，毫不相干是 0；质检上常以 0.5 为界。下图有两个框，深色是公共部分。

# %% [markdown] lang="en"
# ## 5 · How alike are two boxes? IoU
#
# Two people who box the same defect never draw the very same box. **IoU** (intersection over union) says in one number how alike they are:
#
# > IoU = the area in common ÷ the area that the two boxes cover together
#
# Equal boxes have 1, boxes apart have 0; 0.5 is the usual limit for "the same". The figure shows two boxes; the dark part is what they have in common.

# %%
first = {"left": 100, "top": 80, "width": 120, "height": 90}
second = {"left": 140, "top": 110, "width": 120, "height": 90}

figure, place = plt.subplots(figsize=(4, 3))
for box, colour in ((first, "tab:blue"), (second, "tab:orange")):
    corner = (box["left"], box["top"])
    place.add_patch(plt.Rectangle(corner, box["width"], box["height"], color=colour, alpha=0.5))
place.set_xlim(80, 280)
place.set_ylim(220, 60)
plt.show()

# %% [markdown] lang="zh"
# 每个框的面积和公共部分的面积已经算好了：`area_first`、`area_second`、`common`。
# 两个框**合起来**盖住多少？两个面积相加时，公共部分被算了几次？想好了，再把括号里的空填上。

# %% [markdown] lang="en"
# The areas of each box and of the common part are computed already: `area_first`, `area_second` and `common`.
# How much do the two boxes cover **together**? When the two areas are added, how often is the common part counted? Then fill in the blank.

# %%
area_first = first["width"] * first["height"]
area_second = second["width"] * second["height"]
right = min(first["left"] + first["width"], second["left"] + second["width"])
bottom = min(first["top"] + first["height"], second["top"] + second["height"])
left, top = max(first["left"], second["left"]), max(first["top"], second["top"])
common = (right - left) * (bottom - top)
print(area_first, area_second, common)

# %% answer="iou"
### BEGIN SOLUTION
# starter: together = ____
together = area_first + area_second - common
### END SOLUTION
iou = common / together

# %% rows="M16"
save_json("iou.json", {"iou": iou})
print(f"IoU {iou:.3f}")

# %% [markdown] lang="zh"
# ## 6 · 审一份同事的标注
#
# 同事在另外一些零件上画了 24 个框，存成一张表。他没有注意规则 G4：长边不到一根标尺的，不标。
# 程序已经算出每个框的长边 `longest_side`，请填上界限（像素，直接写数字），把不该标的框找出来。

# %% [markdown] lang="en"
# ## 6 · Review a colleague's boxes
#
# A colleague drew 24 boxes on other parts; they are in a table. He overlooked rule G4: what is shorter than one bar is not boxed.
# The program has computed the longer side of every box, `longest_side`. Fill in the limit (pixels, just the number) to find the boxes that should not be there.

# %%
colleague = pd.read_csv(scenario.file("colleague.csv"))
longest_side = colleague[["width", "height"]].max(axis=1)
colleague.assign(longest_side=longest_side).head()

# %% answer="too_small"
### BEGIN SOLUTION
# starter: too_small = colleague[longest_side < ____]
too_small = colleague[longest_side < 16]
### END SOLUTION

# %% rows="M17"
save_json("too_small.json", {"boxes": list(too_small["box"])})
print(*too_small["box"])

# %% [markdown] lang="zh"
# ## 7 · 写下你的判断
#
# 最后两题由考评员阅卷，每题两三句话即可。**双击**括号里的提示，再在出现的框里点一下，把它换成你的回答，最后按 Shift + Enter。
#
# **第 1 题**：哪一处最难判断？写出是第几张图、你看到了什么、依据哪条规则（如“G5”）怎样决定。

# %% [markdown] lang="en"
# ## 7 · Write down your judgement
#
# An examiner marks these last two; two or three sentences each will do. **Double-click** the sentence in brackets, click once in the box that opens, put your answer in its place,
# and press Shift + Enter.
#
# **Question 1**: Which place was hardest to decide? Say which picture, what you saw, and which rule (such as "G5") decided it, and how.

# %% [markdown] lang="zh" answer="hard_case" rows="J1"
# ### BEGIN SOLUTION
# 第 5 张上有一大一小两块锈斑，中间露出一条窄缝。我用左下角的标尺比了一下，缝比标尺窄，按 G11 属于同一类别且间隔小于一根标尺，所以合成一个污渍框。
# ### END SOLUTION

# %% [markdown] lang="en" answer="hard_case" rows="J1"
# ### BEGIN SOLUTION
# Picture 5 has a large and a small patch of rust with a narrow gap between them. I held the bar against the gap: the gap is narrower. By G11 the same class less than one bar apart is one box, so I drew one stain box around both.
# ### END SOLUTION

# %% [markdown] lang="zh"
# **第 2 题**：换一位标注员，哪里可能标得和你不一样？为什么？请给规范补充一句话，让大家标得一致。

# %% [markdown] lang="en"
# **Question 2**: Where might a second annotator differ from you, and why? Add one sentence to the guideline that would make everybody agree.

# %% [markdown] lang="zh" answer="second_annotator" rows="J2"
# ### BEGIN SOLUTION
# 凹坑的边缘是渐渐变淡的，有人会框到完全看不出明暗的地方，有人只框最暗和最亮的部分，框的大小会差好几个像素。可以补充：“凹坑的框画到明暗与周围刚好分不出的地方为止。”
# ### END SOLUTION

# %% [markdown] lang="en" answer="second_annotator" rows="J2"
# ### BEGIN SOLUTION
# The rim of a dent fades out. One person boxes as far as any shading is seen, another only the darkest and brightest part, and the boxes differ by several pixels. I would add: "The box of a dent ends where its shading can just no longer be told from the surface around it."
# ### END SOLUTION

# %% [markdown] lang="zh"
# ## 做完了
#
# 请在菜单里选 **内核 → 重启内核 和 运行所有单元格…**，确认没有报错（你画的框不会丢），然后保存并交卷。

# %% [markdown] lang="en"
# ## Done
#
# Choose **Kernel → Restart Kernel and Run All Cells…** in the menu, see that it runs to the end without an error (your boxes stay), save, and hand in.
