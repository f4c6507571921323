"""What grading costs beside the work itself: stock nbgrader, our cold and warm start.

    python tests/bench/throughput.py                     # 20 submissions, every mode
    python tests/bench/throughput.py --submissions 4 --mode warm-1
    python tests/bench/throughput.py --parts             # the two parts of the overhead

The same submissions (the gold work with one epoch, each a little different) of the
newest Chinese practice release go through every mode, one torch thread each. "Own
compute" is what the cells themselves, and the examiner's run of the model, cost in a
process that has imported everything; overhead is the rest. Prints a table in
Markdown; --plot writes it as a picture. --parts says what a warm batch pays once, and
what the same work costs more when two of it run at once.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any

import matplotlib.pyplot as plt
import nbformat
from cost import Cost, cost_of

from lab_env.build import fill, gold_answers
from lab_env.lab import load_lab
from lab_env.release import Release, latest_release

LAB = "finetuning_classifier"
MODES = ("stock", "cold-1", "cold-2", "warm-1", "warm-2")
NAMES = {
    "stock": "stock nbgrader autograde",
    "cold": "ours, cold",
    "warm": "ours, warm",
}
QUIET = {
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "PYTHONHASHSEED": "0",
    # nbgrader starts alembic by name.
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
}
STOCK_CONFIG = (
    "c = get_config()\nc.Execute.timeout = 900\nc.CourseDirectory.course_id = 'stock'\n"
)
# In a kernel, as in the lab, figures and all; every import is there before the clock.
IMPORTS = """
import resource
import torch, transformers, datasets, sklearn.linear_model, pandas, matplotlib.pyplot
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import ConfusionMatrixDisplay
from transformers import Trainer, TrainingArguments, AutoTokenizer
from transformers import AutoModelForSequenceClassification, DataCollatorWithPadding
import lab_env.notebook, lab_env.classifier, tokenizers
def seconds():
    both = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in both)
before = seconds()
"""
CLOCK = 'print("SECONDS", seconds() - before)'
OWN_COMPUTE = """
import json, sys
import nbclient, nbformat
notebook = nbformat.read(sys.argv[1], as_version=4)
for place, source in ((0, sys.argv[2]), (len(notebook.cells) + 1, sys.argv[3])):
    notebook.cells.insert(place, nbformat.v4.new_code_cell(source))
nbclient.NotebookClient(notebook, timeout=900, kernel_name="python3").execute()
print(notebook.cells[-1].outputs[0]["text"])
"""
BATCH_START = """
from lab_env import warm
from lab_env.sandbox import require_isolation
with warm.commands(require_isolation(False)) as command:
    assert not command.why, command.why
"""
MODEL_COMPUTE = """
import resource, runpy, sys
import torch, transformers
from transformers import AutoModelForSequenceClassification, AutoTokenizer, AutoConfig
def seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
before = seconds()
runpy.run_path(sys.argv[1], run_name="__main__")
print("SECONDS", seconds() - before)
"""


@dataclass(frozen=True)
class Line:
    """One mode: what a submission cost in it."""

    mode: str
    workers: int
    per_minute: float
    cpu_seconds: float
    own_seconds: float
    overhead_seconds: float
    peak_mb: float


def make_submissions(release: Release, count: int, folder: Path) -> None:
    """Write ``count`` hand-ins, each a little different, below ``folder``."""
    gold = gold_answers(load_lab(LAB), release.scenario, release.language)
    for number in range(1, count + 1):
        choices = f"learning_rate = 5e-4\nnumber_of_epochs = 1  # candidate {number}"
        notebook = fill(
            nbformat.read(release.notebook, as_version=4),
            gold | {"training_choices": choices},
        )
        place = folder / f"2026{number:04d}"
        place.mkdir(parents=True)
        nbformat.write(notebook, place / f"{LAB}.ipynb")


def own_seconds(
    release: Release, submissions: Path, scratch: Path
) -> tuple[float, float]:
    """Return the CPU seconds of the cells, and of the examiner's run of the model."""
    cells, models = [], []
    for number, hand_in in enumerate(sorted(submissions.iterdir())[:3]):
        work = scratch / f"own-{number}"
        shutil.copytree(release.released, work)
        given = [str(hand_in / f"{LAB}.ipynb"), IMPORTS, CLOCK]
        cells.append(_seconds([OWN_COMPUTE, *given], work))
        models.append(_model_seconds(release, work))
    return mean(cells), mean(models)


def parts(release: Release, scratch: Path) -> str:
    """Return what the start of a warm batch costs, and own compute alone and in pairs."""
    root = Path(__file__).parent.parent.parent
    env = dict(os.environ) | QUIET | {"PYTHONPATH": str(root)}
    start = cost_of(
        [sys.executable, "-c", BATCH_START],
        cwd=scratch,
        env=env,
        log=scratch / "start.log",
    )
    submissions = scratch / "two"
    make_submissions(release, 2, submissions)
    places = [scratch / name for name in ("alone", "first", "second")]
    for place in places:
        place.mkdir()
    alone = sum(own_seconds(release, submissions, places[0]))
    with ThreadPoolExecutor(2) as pool:
        both = pool.map(lambda at: own_seconds(release, submissions, at), places[1:])
        paired = mean(sum(each) for each in both)
    return (
        f"start of a warm batch {start.cpu_seconds:.1f} CPU s; own compute alone"
        f" {alone:.1f}, two at once {paired:.1f} CPU s"
    )


def _model_seconds(release: Release, work: Path) -> float:
    from lab_env import examine

    shutil.copy(work / "model" / "model.safetensors", work)
    splits = examine._splits(release, work)
    facts = examine._facts(release, work) | {"splits": splits}
    (work / "facts.json").write_text(json.dumps(facts))
    for name, split in (("inputs", "heldout"), *zip(splits, splits, strict=True)):
        shutil.copy(work / "data" / f"{split}.csv", work / f"{name}.csv")
    return _seconds([MODEL_COMPUTE, str(examine.PROGRAM)], work)


def _seconds(arguments: list[str], work: Path) -> float:
    root = Path(__file__).parent.parent.parent
    env = dict(os.environ) | QUIET | {"PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", *arguments],
        cwd=work,
        env=env,
        capture_output=True,
        text=True,
    )
    said = [line for line in done.stdout.splitlines() if line.startswith("SECONDS")]
    if not said:
        sys.exit(f"The cells did not run to their end: {done.stderr[-500:]}")
    return float(said[-1].split()[1])


def stock(release: Release, submissions: Path, folder: Path) -> tuple[list[str], Path]:
    """Return the command of stock nbgrader, and the course it runs in."""
    source = release.folder.parent.parent / "source" / release.id
    shutil.copytree(source, folder / "source" / release.id)
    (folder / "nbgrader_config.py").write_text(STOCK_CONFIG)
    for hand_in in submissions.iterdir():
        shutil.copytree(hand_in, folder / "submitted" / hand_in.name / release.id)
    nbgrader = str(Path(sys.executable).with_name("nbgrader"))
    subprocess.run(
        [nbgrader, "generate_assignment", release.id],
        cwd=folder,
        env=dict(os.environ) | QUIET,
        check=True,
        capture_output=True,
    )
    return [nbgrader, "autograde", release.id], folder


def ours(
    release: Release, submissions: Path, folder: Path, start: str, workers: int
) -> tuple[list[str], Path]:
    """Return the command of ``lab grade``, and the folder it runs in."""
    course = release.folder.parent.parent
    for kind in ("sealed", "source", "release"):
        shutil.copytree(course / kind / release.id, folder / kind / release.id)
    shutil.copy(course / "gradebook.db", folder)
    command = [
        sys.executable,
        "-m",
        "lab_env.cli",
        "grade",
        release.id,
        str(submissions),
    ]
    command += ["--course", ".", "--workers", str(workers)]
    return [*command, *(["--cold"] if start == "cold" else [])], folder


def measure(
    mode: str,
    release: Release,
    submissions: Path,
    own: tuple[float, float],
    scratch: Path,
) -> Line:
    """Return the line of one mode."""
    start, _, workers = mode.partition("-")
    folder = scratch / mode
    folder.mkdir()
    if start == "stock":
        command, cwd = stock(release, submissions, folder)
    else:
        command, cwd = ours(release, submissions, folder, start, int(workers))
    root = Path(__file__).parent.parent.parent
    env = dict(os.environ) | QUIET | {"PYTHONPATH": str(root)}
    cost = cost_of(command, cwd=cwd, env=env, log=scratch / f"{mode}.log")
    if cost.exit_code:
        sys.exit(
            f"{mode} ended with {cost.exit_code}: {(scratch / f'{mode}.log').read_text()[-800:]}"
        )
    count = len(list(submissions.iterdir()))
    # Stock nbgrader does not run the model itself.
    return line(
        mode, int(workers or 1), cost, count, own[0] if start == "stock" else sum(own)
    )


def line(mode: str, workers: int, cost: Cost, count: int, own: float) -> Line:
    """Return one line of the table."""
    each = cost.cpu_seconds / count
    return Line(
        mode,
        workers,
        60 * count / cost.wall_seconds,
        each,
        own,
        each - own,
        cost.peak_mb,
    )


def table(lines: list[Line]) -> str:
    """Return the table in Markdown."""
    rows = [
        "| Mode | Workers | Submissions a minute | CPU s each | Own compute | Overhead, CPU s | Peak MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in lines:
        name = NAMES[one.mode.partition("-")[0]]
        rows.append(
            f"| {name} | {one.workers} | {one.per_minute:.1f} | {one.cpu_seconds:.1f} | "
            f"{one.own_seconds:.1f} | {one.overhead_seconds:.2f} | {one.peak_mb:.0f} |"
        )
    return "\n".join(rows)


def draw(lines: list[Line], path: Path) -> None:
    """Write the overhead and the rate of every mode as a picture."""
    names = [f"{NAMES[one.mode.partition('-')[0]]}, {one.workers}" for one in lines]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 2.6), sharey=True)
    left.barh(names, [one.overhead_seconds for one in lines], color="#c44e52")
    left.set_xlabel("overhead of a submission, CPU seconds")
    right.barh(names, [one.per_minute for one in lines], color="#4c72b0")
    right.set_xlabel("submissions a minute")
    left.invert_yaxis()
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.bar_label(axes.containers[0], fmt="%.2g", padding=2)
    figure.tight_layout()
    figure.savefig(path, dpi=150)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--course", type=Path, default=Path("course"))
    parser.add_argument("--submissions", type=int, default=20)
    parser.add_argument("--mode", choices=MODES, action="append")
    parser.add_argument("--parts", action="store_true")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    release = latest_release(chosen.course.resolve(), LAB, "", "zh")
    if release is None:
        sys.exit(f'No release of {LAB} in "{chosen.course}": run make demo.')
    lines = []
    with TemporaryDirectory() as name:
        scratch = Path(name)
        if chosen.parts:
            print(parts(release, scratch))
            return
        submissions = scratch / "submissions"
        make_submissions(release, chosen.submissions, submissions)
        own = own_seconds(release, submissions, scratch)
        print(
            f"own compute: cells {own[0]:.2f}, model {own[1]:.2f} CPU s",
            file=sys.stderr,
        )
        for mode in chosen.mode or MODES:
            lines.append(measure(mode, release, submissions, own, scratch))
            print(lines[-1], file=sys.stderr)
    facts: list[Mapping[str, Any]] = [asdict(one) for one in lines]
    if chosen.json:
        chosen.json.write_text(json.dumps(facts, indent=1))
    if chosen.plot:
        draw(lines, chosen.plot)
    print(table(lines))


if __name__ == "__main__":
    main()
