"""How far seed, threads and language move the mark of the gold submission.

    python tests/bench/marks.py                       # both languages, 5 seeds, 1 and 2 threads
    python tests/bench/marks.py --language zh --seeds 2

Takes the newest practice release of the course, changes nothing but the seed in its
training cell, and grades the gold work in the two rooms. Prints a table in Markdown.
"""

import argparse
import shutil
import sys
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

import nbformat

from lab_env.build import fill, gold_answers
from lab_env.errors import LabError
from lab_env.grade import grade_submission
from lab_env.lab import load_lab
from lab_env.marksheet import MarkSheet
from lab_env.release import Release, latest_release, open_release
from lab_env.sandbox import detect_isolation

SEED = "seed=2026"


def with_seed(release: Release, seed: int, folder: Path) -> Release:
    """Return a copy of a sealed release whose training cell has another seed."""
    shutil.copytree(release.folder, folder / release.id)
    copy = open_release(folder / release.id)
    text = copy.notebook.read_text("utf-8")
    if text.count(SEED) != 1:
        raise LabError(f"{release.id}: expected {SEED} once, saw {text.count(SEED)}.")
    copy.notebook.write_text(text.replace(SEED, f"seed={seed}"), "utf-8")
    return copy


def mark_gold(release: Release, threads: int, folder: Path) -> MarkSheet:
    """Grade the gold work on ``release`` with so many threads."""
    answers = gold_answers(
        load_lab(release.lab_name), release.scenario, release.language
    )
    handed_in = folder / "in"
    handed_in.mkdir()
    notebook = fill(nbformat.read(release.notebook, as_version=4), answers)
    nbformat.write(notebook, handed_in / release.notebook.name)
    return grade_submission(
        release,
        handed_in,
        folder / "out",
        candidate="gold",
        attempt=1,
        isolation=detect_isolation(),
        threads=threads,
    )


def measure(release: Release, seeds: int, threads: int) -> str:
    """Return one line of the table: the marks over all seeds."""
    marks, quality, seconds = [], [], []
    for seed in range(1, seeds + 1):
        with TemporaryDirectory() as scratch:
            folder = Path(scratch)
            sheet = mark_gold(
                with_seed(release, seed, folder / "sealed"), threads, folder
            )
        marks.append(sheet.given(sheet.machine_rows))
        row = sheet.row("M17")
        quality.append(float(row.actual) if row and row.actual else float("nan"))
        seconds.append(sheet.environment["cpu_seconds"])
        print(
            f"{release.language}, {threads} threads, seed {seed}: {marks[-1]}",
            file=sys.stderr,
        )
    shown = ", ".join(f"{one:g}" for one in marks)
    span = f"{min(quality):.3f} to {max(quality):.3f}"
    spread = max(marks) - min(marks)
    return (
        f"| {release.language} | {threads} | {shown} | {spread:g} | {span} | "
        f"{mean(seconds):.0f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--course", type=Path, default=Path("course"))
    parser.add_argument("--lab", default="finetuning_classifier")
    parser.add_argument("--language", choices=["zh", "en"], action="append")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, action="append")
    chosen = parser.parse_args()
    lines = []
    for language in chosen.language or ["zh", "en"]:
        release = latest_release(chosen.course, chosen.lab, "", language)
        if release is None:
            sys.exit(f'No release of {chosen.lab} in "{chosen.course}": run make demo.')
        for threads in chosen.threads or [1, 2]:
            lines.append(measure(release, chosen.seeds, threads))
    print(
        "| Language | Threads | Machine points, seed by seed | Spread | Hidden macro-F1 | CPU s |"
    )
    print("|---|---|---|---|---|---|")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
