"""The examiner's own run of a submitted model, in the jail, on hidden inputs.

Our failures raise BrokenError; whatever the weights do wrong becomes failure.txt,
which the row that asks for the predictions reads.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from lab_env import readers
from lab_env.checks import Finding
from lab_env.errors import BrokenError
from lab_env.files import write_json, write_whole
from lab_env.release import Release
from lab_env.room_a import limits_of
from lab_env.sandbox import Isolation, JailRun, run_program
from lab_env.submission import TrustedFiles
from lab_env.training_log import splits_to_run

PROGRAM = Path(__file__).parent / "inside" / "model_run.py"
READY, PREDICTIONS, FAILURE = "ready.txt", "predictions.csv", "failure.txt"
WEIGHTS = "model.safetensors"
MAX_LENGTH, SHORTEST, LONGEST = 128, 4, 512


def examine_model(
    release: Release,
    deliverables: Path,
    out: Path,
    *,
    refused: Mapping[str, Finding],
    isolation: Isolation,
    threads: int = 1,
) -> None:
    """Put predictions.csv or failure.txt into ``out``; nothing if there is no model."""
    folder = release.lab.model.rstrip("/")
    weights = deliverables / folder / WEIGHTS
    out.mkdir(parents=True, exist_ok=True)
    if not_taken := refused.get(folder) or refused.get(f"{folder}/{WEIGHTS}"):
        said = not_taken.message
        write_whole(out / FAILURE, f"{said.zh}\n{said.en}\n")
        return
    if not weights.is_file():
        return
    with TemporaryDirectory(dir=out.parent) as scratch:
        facts, splits = Path(scratch, "facts.json"), _splits(release, deliverables)
        write_json(facts, _facts(release, deliverables) | {"splits": splits})
        data = release.released / "data"
        run = run_program(
            [sys.executable, "-I", str(PROGRAM)],
            files={
                "facts.json": facts,
                WEIGHTS: weights,
                "base_model": release.released / "base_model",
                "inputs.csv": data / "heldout.csv",
            }
            | {f"{split}.csv": data / f"{split}.csv" for split in splits},
            out=out,
            collect=[
                *(READY, PREDICTIONS, FAILURE),
                *(f"numbers_{split}.csv" for split in splits),
            ],
            limits=limits_of(release.lab),
            isolation=isolation,
            threads=threads,
        )
    _judge(run, out)


def _facts(release: Release, deliverables: Path) -> dict[str, object]:
    scenario = release.scenario
    return {
        "labels": list(scenario.label_codes),
        "text": scenario.columns["text"],
        "max_length": _max_length(deliverables),
    }


def _max_length(deliverables: Path) -> int:
    """Return the length the trainee trained with, if it says one that makes sense."""
    try:
        said = readers.read_json(deliverables, "training.json", {"max_length": int})
    except Finding:
        return MAX_LENGTH
    length: int = said["max_length"]
    return length if SHORTEST <= length <= LONGEST else MAX_LENGTH


def _splits(release: Release, deliverables: Path) -> list[str]:
    """Return the released splits against which the training log is held."""
    try:
        said = readers.read_json(deliverables, "training.json", {"checking_ids": str})
    except Finding:
        return []
    return splits_to_run(TrustedFiles(release.released), said["checking_ids"])


def _judge(run: JailRun, out: Path) -> None:
    if READY not in run.collected:
        # The weights had not been touched: this is never the trainee's doing.
        last = (run.log.strip().splitlines() or ["it printed nothing"])[-1]
        raise BrokenError(
            f"The examiner's run of the model ended ({run.ended}, exit code "
            f"{run.exit_code}) before the weights were read: {last[:200]}"
        )
    if FAILURE in run.collected or (
        PREDICTIONS in run.collected and (run.ended, run.exit_code) == ("finished", 0)
    ):
        return
    for path in out.glob("*.csv"):
        path.unlink()
    zh = f"运行这个模型时中途结束({run.ended})"
    en = f"the run of the model ended early ({run.ended}, exit code {run.exit_code})"
    write_whole(out / FAILURE, f"{zh}\n{en}\n")
