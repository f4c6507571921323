"""Honest work under confinement: what a trainee may do works, in each tier."""

import json
import re
from typing import Any

import pytest
from confined_run import WAYS, drive, why_not

RUN = """
import json, sys, tempfile
from pathlib import Path
from lab_env.sandbox import Isolation, Limits, run_notebook
tier, cells = sys.argv[1], json.loads(sys.argv[2])
content = {
    "nbformat": 4, "nbformat_minor": 5, "metadata": {},
    "cells": [
        {"cell_type": "code", "id": f"c{index}", "metadata": {}, "source": source,
         "outputs": [], "execution_count": None}
        for index, source in enumerate(cells)
    ],
}
with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    (folder / "released").mkdir()
    rows = "text,label\\n退款 a b,0\\n发票 c d,1\\n" * 20
    (folder / "released" / "数据.csv").write_text(rows, encoding="utf-8")
    (folder / "work.ipynb").write_text(json.dumps(content))
    run = run_notebook(
        folder / "work.ipynb", released=folder / "released",
        deliverables=("model/", "答案.json"), out=folder / "out",
        limits=Limits(wall_seconds=240, cell_seconds=90, memory_mb=3072),
        isolation=Isolation(tier, "under test"),
    )
    assert run.executed, run.jail
    executed = json.loads(run.executed.read_text())
    texts = []
    for cell in executed["cells"]:
        said = ""
        for output in cell["outputs"]:
            data = output.get("data", {})
            said += output.get("text", "") + data.get("text/plain", "")
            said += output.get("ename", "") + " " + output.get("evalue", "")
            said += " ".join(data)
        texts.append(said)
    print(json.dumps([texts, list(run.deliverables), run.jail.ended]))
"""
# What it is: the cell, and what it must say.
WORK = {
    "inline plots": (
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);\nplt.show()",
        r"image/png",
    ),
    "bash": (
        "%%bash\nfor n in 1 2; do echo $n; done\ncat <<END\nhere\nEND",
        r"1\s+2\s+here",
    ),
    "a list of files": ("import os; print(os.listdir('.'))", "数据.csv"),
    "a program": (
        "import subprocess\nsubprocess.run(['sort', '数据.csv'], capture_output=True, check=True).returncode",
        r"^0",
    ),
    "a pool": (
        "from multiprocessing import Pool\ndef square(x): return x * x\n"
        "with Pool(2) as pool: print(pool.map(square, [1, 2, 3]))",
        r"\[1, 4, 9\]",
    ),
    "a manager": (
        "from multiprocessing import Manager\nwith Manager() as m:\n    print(dict(m.dict(a=1)))",
        r"\{'a': 1\}",
    ),
    "loader workers": (
        "import torch\nfrom torch.utils.data import DataLoader\n"
        "loader = DataLoader(torch.arange(8.0), batch_size=2, num_workers=2)\n"
        "print(sum(batch.sum().item() for batch in loader))",
        r"28\.0",
    ),
    "data sets in two processes": (
        "import datasets\nrows = datasets.load_dataset('csv', data_files='数据.csv')['train']\n"
        "print(rows.map(lambda row: {'n': len(row['text'])}, num_proc=2)[0]['n'])",
        r"6",
    ),
    "a tokenizer": (
        "from tokenizers import Tokenizer, models, trainers\n"
        "own = Tokenizer(models.BPE())\n"
        "own.train_from_iterator(['退款 退款'] * 50, trainers.BpeTrainer(vocab_size=50))\n"
        "own.save('tokenizer.json'); print('trained', own.get_vocab_size())",
        r"trained\s+\d",
    ),
    "saving a model": (
        "from transformers import BertConfig, BertForSequenceClassification as Bert\n"
        "small = BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2,\n"
        "                   intermediate_size=16, vocab_size=50)\n"
        "model = Bert(small); model.save_pretrained('model'); Bert.from_pretrained('model')\n"
        "torch.save(model.state_dict(), 'state.pt'); print('saved')",
        r"saved",
    ),
    "pip without a network": (
        "%%bash\npip install no-such-package --retries 0 2>&1 | tail -8",
        r"No matching distribution|Could not install",
    ),
    "the hub without a network": (
        "import time\nbegun = time.monotonic()\ntry:\n"
        "    Bert.from_pretrained('bert-base-chinese')\nexcept OSError:\n"
        "    print(time.monotonic() - begun < 60)",
        r"True",
    ),
    "joblib": (
        "from joblib import Parallel, delayed\n"
        "print(Parallel(n_jobs=2)(delayed(abs)(x) for x in (-1, -2)))",
        r"\[1, 2\]",
    ),
    "temporary files": (
        "import tempfile\nwith tempfile.NamedTemporaryFile('w') as stream:\n"
        "    print(stream.write('x'))\n"
        "with tempfile.TemporaryDirectory() as folder: print(os.listdir(folder))",
        r"1\n\[\]",
    ),
    "Chinese names": (
        "import json\n答案 = {'团队': '退款'}\n"
        "with open('答案.json', 'w', encoding='utf-8') as 文件: json.dump(答案, 文件)\n"
        "print(open('答案.json', encoding='utf-8').read()[:3])",
        r"\{",
    ),
    "moving files": (
        "import shutil\nos.makedirs('a/b'); shutil.copy2('答案.json', 'a/b/x')\n"
        "os.replace('a/b/x', 'y'); os.symlink('y', 'z'); print(os.path.exists('z'))",
        r"True",
    ),
    "a database": (
        "import sqlite3\nbase = sqlite3.connect('x.db')\n"
        "base.execute('create table t (a)'); base.commit(); print('made')",
        r"made",
    ),
    "tables": (
        "import pandas\npandas.DataFrame({'a': [1]}).to_parquet('p')\n"
        "print(pandas.read_parquet('p').shape)",
        r"\(1, 1\)",
    ),
    "the time": ("print(time.strftime('%Y %Z'))", r"20\d\d \w+"),
    "what is used": (
        "import psutil; print(psutil.Process().memory_info().rss > 0)",
        r"True",
    ),
    "waiting": ("import asyncio\nawait asyncio.sleep(0)\nprint('waited')", r"waited"),
    "our own package": ("import lab_env.notebook; print('loaded')", r"loaded"),
    "threads": (
        "import threading\nthread = threading.Thread(target=print, args=('ran',))\n"
        "thread.start(); thread.join()",
        r"ran",
    ),
}
SHELL = {"a shell line": ("!echo from $((1 + 1))", r"from\s+2")}


@pytest.fixture(scope="module", params=["jail", "own uid"])
def way(request: pytest.FixtureRequest) -> str:
    """The ways in which each submission is a user of its own."""
    if reason := why_not(request.param):
        pytest.skip(reason)
    return str(request.param)


@pytest.fixture(scope="module")
def done(way: str) -> tuple[dict[str, str], list[str]]:
    """What each cell said, and the deliverables."""
    tier, ordinary = WAYS[way]
    everything = WORK | SHELL
    cells = json.dumps([cell for cell, _ in everything.values()])
    texts, files, ended = drive(RUN, tier, cells, ordinary=ordinary)
    assert ended == "finished"
    return dict(zip(everything, texts, strict=True)), files


@pytest.mark.parametrize("name", WORK | SHELL)
def test_it_works(done: tuple[dict[str, str], list[str]], name: str) -> None:
    """As it does on the trainee's own machine."""
    _, expected = (WORK | SHELL)[name]
    assert re.search(expected, done[0][name]), done[0][name][-2000:]


def test_a_shell_line_needs_no_terminal() -> None:
    """A run with the grader's uid has none: it could open the grader's as well."""
    if reason := why_not("shared uid"):
        pytest.skip(reason)
    cells = json.dumps(["x = 2", "!echo from {x} $((1 + 1)); false", "_exit_code"])
    texts, _, ended = drive(RUN, "landlock", cells, ordinary=True)
    assert ended == "finished"
    assert texts[1].startswith("from 2 2\n")
    assert texts[2].startswith("1")


def test_what_was_saved_comes_out(done: tuple[dict[str, Any], list[str]]) -> None:
    """The model and the answers, under their own names."""
    assert {"model/config.json", "model/model.safetensors", "答案.json"} <= set(done[1])
