"""How far seed, threads and language move the mark of the gold submission.

    python tests/bench/marks.py                      # every classifier lab and scenario
    python tests/bench/marks.py --lab finetuning_adapters --scenario city_hotline
    python tests/bench/marks.py --language zh --seeds 2

Drafts a release, changes nothing but the seeds in its given cells, and grades the gold
work in the two rooms: with one thread for every seed, and with two for the first. Prints
a table in Markdown; in the labs of annotation nothing is left to chance.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

import nbformat

sys.path.insert(0, str(Path(__file__).parent.parent / "fixtures"))

from every_scenario import CLASSIFIERS, PAIRS, drafted

from lab_env.build import fill, gold_answers
from lab_env.errors import LabError
from lab_env.grade import grade_submission
from lab_env.lab import load_lab
from lab_env.marksheet import MarkSheet
from lab_env.release import Release
from lab_env.sandbox import detect_isolation

SEED = re.compile(r"(\b(?:\w*seed|random_state|default_rng|Random)\b *[=(] *)\d+\b")


@dataclass(frozen=True)
class Gold:
    """The gold work with one seed and a number of threads, as it was marked."""

    seed: int
    threads: int
    sheet: MarkSheet

    @property
    def points(self) -> float:
        """The machine points."""
        return self.sheet.given(self.sheet.machine_rows)


def reseed(release: Release, seed: int) -> None:
    """Put another seed into the notebook that room A restores its given cells from."""
    text = release.notebook.read_text("utf-8")
    changed, count = SEED.subn(rf"\g<1>{seed}", text)
    if not count:
        raise LabError(f"{release.id}: no seed in its cells.")
    release.notebook.write_text(changed, "utf-8")


def mark_gold(lab: str, scenario: str, language: str, seed: int, threads: int) -> Gold:
    """Grade the gold work of a lab on a scenario."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        release = drafted(lab, scenario, language, folder)
        reseed(release, seed)
        answers = gold_answers(load_lab(lab), release.scenario, language)
        notebook = fill(nbformat.read(release.notebook, as_version=4), answers)
        handed_in = folder / "in"
        handed_in.mkdir()
        nbformat.write(notebook, handed_in / release.notebook.name)
        sheet = grade_submission(
            release,
            handed_in,
            folder / "out",
            candidate="gold",
            attempt=1,
            isolation=detect_isolation(),
            threads=threads,
        )
    print(f"{lab} {scenario} {language} seed {seed}", file=sys.stderr, flush=True)
    return Gold(seed, threads, sheet)


def marked(lab: str, scenario: str, language: str, seeds: int) -> Iterator[list[Gold]]:
    """Yield the marks of every seed with one thread, then of the first with two."""
    # Processes: nbgrader changes the working folder.
    with ProcessPoolExecutor(2) as both_cores:
        runs = [
            both_cores.submit(mark_gold, lab, scenario, language, seed, 1)
            for seed in range(1, seeds + 1)
        ]
        yield [run.result() for run in runs]
    yield [mark_gold(lab, scenario, language, 1, 2)]


def line(lab: str, scenario: str, language: str, golds: list[Gold]) -> str:
    """Return one line of the table."""
    points = [gold.points for gold in golds]
    moved = {
        row.code
        for gold in golds
        for row in gold.sheet.machine_rows
        if row.given != row.points
    }
    seconds = mean(gold.sheet.environment["cpu_seconds"] for gold in golds)
    of = sum(row.points for row in golds[0].sheet.machine_rows)
    shown = ", ".join(f"{one:g}" for one in points)
    return (
        f"| `{lab}` | `{scenario}` | {language} | {golds[0].threads} | {shown} of {of:g}"
        f" | {', '.join(sorted(moved)) or 'none'} | {seconds:.0f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--lab", action="append")
    parser.add_argument("--scenario", action="append")
    parser.add_argument("--language", choices=["zh", "en"], action="append")
    parser.add_argument("--seeds", type=int, default=5)
    chosen = parser.parse_args()
    print(
        "| Lab | Scenario | Language | Threads | Machine points, seed by seed"
        " | Rows below full | CPU s |\n|---|---|---|---|---|---|---|",
        flush=True,
    )
    trained = [pair for pair in PAIRS if load_lab(pair[0]).scenario in CLASSIFIERS]
    for lab, scenario in trained:
        wanted = lab in (chosen.lab or [lab]) and scenario in (
            chosen.scenario or CLASSIFIERS
        )
        for language in (chosen.language or ["zh", "en"]) if wanted else []:
            for golds in marked(lab, scenario, language, chosen.seeds):
                print(line(lab, scenario, language, golds), flush=True)


if __name__ == "__main__":
    main()
