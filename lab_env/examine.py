"""The examiner's own run of a submitted model, in the jail, on hidden inputs.

A lab whose ``model`` is the folder ``adapter`` hands in an adapter of the released
base model: its settings are read here, as data, and our program adds it to the base.
Our failures raise BrokenError; whatever the weights do wrong becomes failure.txt,
which the row that asks for the predictions reads.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from lab_env import adapter, readers
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
ADAPTER = "adapter"
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
    name = adapter.WEIGHTS if folder == ADAPTER else WEIGHTS
    weights = deliverables / folder / name
    out.mkdir(parents=True, exist_ok=True)
    if not_taken := refused.get(folder) or refused.get(f"{folder}/{name}"):
        _refuse(out, not_taken)
        return
    if not weights.is_file():
        return
    try:
        known = _facts(release, deliverables)
    except Finding as odd:
        _refuse(out, odd)
        return
    with TemporaryDirectory(dir=out.parent) as scratch:
        facts, splits = Path(scratch, "facts.json"), _splits(release, deliverables)
        write_json(facts, known | {"splits": splits})
        data = release.released / "data"
        run = run_program(
            [sys.executable, "-I", str(PROGRAM)],
            files={
                "facts.json": facts,
                name: weights,
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


def _refuse(out: Path, why: Finding) -> None:
    # The row that reads it puts it into a sentence of its own.
    said = (why.message.zh.rstrip("。"), why.message.en.rstrip("."))
    lines = (" ".join(text.split()) for text in said)
    write_whole(out / FAILURE, "".join(f"{line}\n" for line in lines))


def _facts(release: Release, deliverables: Path) -> dict[str, object]:
    scenario = release.scenario
    facts: dict[str, object] = {
        "labels": list(scenario.label_codes),
        "text": scenario.columns["text"],
        "max_length": _max_length(deliverables),
    }
    folder = release.lab.model.rstrip("/")
    if folder == ADAPTER:
        facts["adapter"] = _adapter(release, deliverables, folder)
    return facts


def _adapter(release: Release, deliverables: Path, folder: str) -> dict[str, object]:
    """Return rank, scale and layers of an adapter; Finding if they are out of bounds.

    The names of the layers are those of our base model, whatever the settings say.
    """
    name = f"{folder}/{adapter.CONFIG}"
    said = readers.read_json(deliverables, name, adapter.FIELDS)
    settings = adapter.adapter_of(said)
    shapes = adapter.base_shapes(TrustedFiles(release.released))
    layers = adapter.adapted_layers(adapter.adaptable_layers(shapes), settings.targets)
    scale = settings.scale
    return {"rank": settings.rank, "scale": scale, "layers": list(layers)}


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
