"""Whether a large pile takes no more of the coordinator than a small one.

    python tests/bench/many.py                           # 1,000 submissions of the toy lab
    python tests/bench/many.py --submissions 100 --plot many.png

Grades small submissions in one batch, as `lab grade` does, and notes after each how
long it took so far and what memory the coordinator holds. Prints what each tenth of
the pile cost; --plot draws both curves.
"""

import argparse
import shutil
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt

sys.path.insert(0, str(Path(__file__).parent.parent / "lab_env"))

from graded_toy import gold, hand_in, seal_toy

from lab_env.exam import ReportRow, grade_folder

PARTS = 10


def resident_mb() -> float:
    """Return the memory this process holds now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def measure(count: int, workers: int) -> list[tuple[float, float]]:
    """Return (seconds since the start, MB of the coordinator) after each submission."""
    seen: list[tuple[float, float]] = []
    with TemporaryDirectory() as name:
        course = Path(name) / "course"
        release = seal_toy(course)
        first = hand_in(course.parent / "pile", "2026-0000", **gold())
        for number in range(1, count):
            shutil.copytree(first, first.with_name(f"2026-{number:04d}"))
        begun = time.monotonic()

        def note(done: int, total: int, row: ReportRow) -> None:
            seen.append((time.monotonic() - begun, resident_mb()))
            if row.outcome != "graded":
                sys.exit(f"{row.candidate}: {row.outcome} {row.sentence}")
            if done % 50 == 0:
                print(f"{done} of {total}: {seen[-1][0]:.0f} s", file=sys.stderr)

        grade_folder(
            course,
            release,
            first.parent,
            workers=workers,
            progress=note,
            gradebook=False,
        )
    return seen


def table(seen: list[tuple[float, float]]) -> str:
    """Return what each tenth of the pile cost, in Markdown."""
    lines = [
        "| Submissions | Seconds for the last tenth | Coordinator, MB |",
        "|---|---|---|",
    ]
    size = max(1, len(seen) // PARTS)
    before = 0.0
    for end in range(size, len(seen) + 1, size):
        at, memory = seen[end - 1]
        lines.append(f"| {end} | {at - before:.1f} | {memory:.0f} |")
        before = at
    return "\n".join(lines)


def draw(seen: list[tuple[float, float]], path: Path) -> None:
    """Write both curves as a picture."""
    numbers = range(1, len(seen) + 1)
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 2.6))
    left.plot(numbers, [at / 60 for at, _ in seen], color="#4c72b0")
    left.set_ylabel("minutes since the start")
    right.plot(numbers, [memory for _, memory in seen], color="#c44e52")
    right.set_ylabel("coordinator's memory, MB")
    for axes in (left, right):
        axes.set_xlabel("submissions graded")
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=150)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--plot", type=Path)
    chosen = parser.parse_args()
    seen = measure(chosen.submissions, chosen.workers)
    if chosen.plot:
        draw(seen, chosen.plot)
    print(table(seen))


if __name__ == "__main__":
    main()
