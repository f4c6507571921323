"""Honest work is never punished: the same road, full marks, whatever it looks like."""

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from graded_toy import NOTEBOOK, gold
from pile import (
    ALL,
    Attack,
    Pile,
    cases,
    code,
    graded,
    handed,
    judged,
    notebook,
    undisturbed,
    with_cells,
)

# nbclient keeps the state of an Output widget where we told it to keep none.
LIMITS = "[limits]\nwall_seconds = 120\ncell_seconds = 20\noutput_mb = 4\n"


def noisy(name: str, does: str, *sources: str) -> Attack:
    """Return right work with cells of the trainee's own, before and after."""
    value = with_cells(*sources)
    mine = [code(source, f"before-{n}") for n, source in enumerate(sources)]
    return Attack(name, does, handed(value | {"cells": [*mine, *value["cells"]]}), ALL)


def answers(name: str, does: str, **changed: str) -> Attack:
    """Return right work whose answers are written in another way."""
    return Attack(name, does, handed(notebook(**gold() | changed)), ALL)


def as_saved(name: str, does: str, save: Callable[[dict[str, Any]], bytes]) -> Attack:
    """Return right work as another program saves it."""
    value = notebook(**gold())
    for place, cell in enumerate(value["cells"]):
        cell["source"] = "".join(cell["source"])
        if cell["cell_type"] == "code":
            cell["execution_count"] = 40 - place
    return Attack(name, does, handed(save(value)), ALL)


WARNINGS = """
import logging, sys, warnings
warnings.warn("old", DeprecationWarning); warnings.simplefilter("always")
for _ in range(300):
    warnings.warn("this may be wrong")
logging.basicConfig(level=logging.DEBUG); logging.getLogger("x").error("no error")
print("to the other stream", file=sys.stderr)
"""
BARS = """
import time
from tqdm.auto import tqdm
from tqdm import tqdm as plain
for step in tqdm(range(2000)):
    pass
for step in plain(range(2000), mininterval=0):
    pass
for percent in range(101):
    print(f"\\r{percent} %", end="", flush=True)
"""
LONG = "for n in range(60_000):\n    print('第', n, '行', '内容' * 10)"
PLOTS = """
%matplotlib inline
import matplotlib.pyplot as plt
plt.plot([1, 2, 3]); plt.title("curve"); plt.show()
plt.bar(["a", "b"], [1, 2]);
"""
MAGICS = """
%time sum(range(1000))
%timeit -n 2 -r 2 sum(range(100))
%pwd
!ls data
%who
get_ipython().run_cell_magic("capture", "out", "print(1)")
"""
ASKS = """
try:
    name = input("Your name? ")
except Exception:
    name = "nobody"
try:
    import getpass; getpass.getpass()
except Exception:
    pass
"""
SLOW = "import time\ntime.sleep(9)"
CHINESE = """
训练集大小 = 6
def 计算(数据):
    return len(数据)
with open("我的笔记 1.txt", "w", encoding="utf-8") as 文件:
    文件.write(f"共 {训练集大小} 条，{计算('𠮷野家')} 个字")
import os
os.makedirs("中间结果/图", exist_ok=True)
"""
TABLES = """
import pandas as pd
from IPython.display import HTML, Markdown, display
frame = pd.read_csv("data/train.csv")
display(frame.style.highlight_max(), frame, HTML("<b>fine</b>"), Markdown("**fine**"))
frame.describe(include="all")
"""
ASYNC = """
import asyncio
async def later():
    await asyncio.sleep(0.05)
    return 6
await asyncio.gather(later(), later())
task = asyncio.ensure_future(later())
"""
MISTAKES = ["1 / 0", "raise SystemExit", "undefined_name", "def broken(:", "%no_magic"]
PARALLEL = """
import subprocess, sys, threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import Pool
with Pool(2) as pool:
    print(pool.map(abs, [-1, -2]))
with ThreadPoolExecutor(4) as threads:
    print(list(threads.map(abs, range(9))))
print(subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True).stdout)
threading.Thread(target=lambda: sum(range(10**6))).start()
"""
LIBRARIES = """
import numpy as np, random, torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
random.seed(0); np.random.seed(0); torch.manual_seed(0)
large = np.ones(60_000_000)
LogisticRegression().fit(TfidfVectorizer().fit_transform(["a b", "b c"]), [0, 1])
"""
WIDGETS = """
import ipywidgets
from IPython.display import display
out = ipywidgets.Output()
display(ipywidgets.IntSlider(3), out)
with out:
    print("inside")
bar = ipywidgets.IntProgress(max=10); display(bar); bar.value = 10
"""
OPEN_ENDS = """
left_open = open("log.txt", "w"); left_open.write("not closed")
import atexit; atexit.register(print, "bye")
del left_open
"""
ANSWER = (
    "When **no word** of it is there:\n\n| a | b |\n|---|---|\n| `x<y` | 3 > 2 |\n\n"
    "```python\nprint('<b>')\n```\n\n- 当留言没有这个词 😀\n- $a_1 < b$\n\n<details>more</details>"
)


def with_mark(value: dict[str, Any]) -> bytes:
    """Save as Notepad does: a byte order mark, line ends of Windows."""
    return (
        "\ufeff".encode() + json.dumps(value, indent=1).replace("\n", "\r\n").encode()
    )


def escaped(value: dict[str, Any]) -> bytes:
    """Save on one line, keys in another order, letters escaped."""
    turned = {key: value[key] for key in sorted(value, reverse=True)}
    return json.dumps(turned, ensure_ascii=True, separators=(",", ":")).encode()


def as_vscode(value: dict[str, Any]) -> bytes:
    """Save as VS Code does: other kernel names, its own metadata."""
    spec = {"name": "python3", "display_name": "lab (3.11.7)", "language": "python"}
    info = {"name": "python", "version": "3.13.0", "codemirror_mode": {"version": 3}}
    value["metadata"] |= {"kernelspec": spec, "language_info": info, "orig_nbformat": 4}
    for cell in value["cells"]:
        cell["metadata"]["vscode"] = {"languageId": "python"}
    return json.dumps(value, indent=2).encode()


def as_colab(value: dict[str, Any]) -> bytes:
    """Save as Colab does: ids only in its metadata, minor format 0."""
    value["metadata"]["colab"] = {"provenance": [], "toc_visible": True}
    value["nbformat_minor"] = 0
    for cell in value["cells"]:
        cell["metadata"] |= {
            "id": cell.pop("id"),
            "outputId": "0b1c",
            "cellView": "form",
        }
    return json.dumps(value).encode()


def split_answer(value: dict[str, Any]) -> bytes:
    """Split an answer cell in two, as Ctrl-Shift-Minus does."""
    cells = []
    for cell in value["cells"]:
        if cell["metadata"].get("lab", {}).get("answer") == "count":
            first, *more = cell["source"].splitlines(keepends=True)
            cells += [cell | {"source": first}, code("".join(more), "new-half")]
        else:
            cells.append(cell)
    return json.dumps(value | {"cells": cells}).encode()


def put_zip(place: Path) -> None:
    """Hand in a zip with a folder of the trainee's name, made by hand."""
    path = place.with_name(f"{place.name}.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        data = json.dumps(notebook(**gold())).encode()
        archive.writestr(f"第二组 张三/{NOTEBOOK}", data)
        archive.writestr("第二组 张三/说明.txt", "谢谢老师")
        archive.writestr("__MACOSX/._x", b"")
        archive.writestr("第二组 张三/.DS_Store", b"")


def put_alone(place: Path) -> None:
    """Hand in the notebook alone, named for the candidate."""
    data = json.dumps(notebook(**gold())).encode()
    place.with_name(f"{place.name}.ipynb").write_bytes(data)


HONEST = (
    noisy("warnings", "warns on stderr", WARNINGS),
    noisy("bars", "draws progress bars", BARS),
    noisy("long", "prints four megabytes", LONG),
    noisy("plots", "draws plots", PLOTS),
    noisy("magics", "uses magics and the shell", MAGICS),
    noisy("asks", "asks, and goes on without an answer", ASKS),
    noisy("chinese", "has Chinese files and variables", CHINESE),
    noisy("tables", "shows tables", TABLES),
    noisy("async", "awaits", ASYNC),
    noisy("mistakes", "has other cells that fail", *MISTAKES),
    noisy("parallel", "uses processes and threads", PARALLEL),
    noisy("libraries", "uses half a gigabyte", LIBRARIES),
    Attack("widgets", "shows widgets", handed(with_cells(WIDGETS)), ALL),
    noisy("open-ends", "leaves things open", OPEN_ENDS),
    Attack("slow", "is slow", handed(with_cells(SLOW, first=True)), ALL),
    answers("own-style", "answers in another way",
            count='train = list(read_rows("train"))\nmessage_count = 0\n'
                  "for row in train:\n    message_count += 1\n",
            guess='LABELS = {True: "bill", False: "net"}\n\n\n'
                  'guess = lambda text: LABELS["money" in text]'),
    answers("windows", "ends lines as Windows",
            count='train = read_rows("train")\r\nmessage_count = len(train)\r\n'),
    answers("rich-answer", "writes an answer with everything", why=ANSWER),
    as_saved("bom", "is saved by Notepad", with_mark),
    as_saved("one-line", "is saved on one line", escaped),
    as_saved("vscode", "is saved by VS Code", as_vscode),
    as_saved("colab", "is saved by Colab", as_colab),
    as_saved("split", "has a split answer", split_answer),
    Attack("20260001", "is a zip", put_zip, ALL),
    Attack("20260002", "is a notebook alone", put_alone, ALL),
)  # fmt: skip


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pile]:
    """Return the graded pile of honest work."""
    yield from graded(tmp_path_factory.mktemp("honest 实验"), HONEST, LIMITS)


@pytest.mark.parametrize("work", cases(HONEST))
def test_honest_work_has_all_its_points(pile: Pile, work: Attack) -> None:
    """Right answers have full marks, whatever stands beside them."""
    judged(pile, work)


@pytest.mark.parametrize("work", cases(HONEST))
def test_honest_work_is_run_to_its_end(pile: Pile, work: Attack) -> None:
    """No limit, no interrupt and no refusal meets honest work."""
    sheet = pile.row(work.name).sheet
    assert sheet is not None
    assert sheet.environment["ended"] == "finished"
    assert all(row.message is None for row in sheet.machine_rows)


def test_plots_are_kept(pile: Pile) -> None:
    """The examiner sees the plots of a notebook."""
    outputs = [o for c in pile.executed("plots")["cells"] for o in c.get("outputs", ())]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 4


def test_nothing_is_left_of_honest_work(pile: Pile) -> None:
    """Honest work beside honest work has its points, and leaves nothing."""
    undisturbed(pile)
