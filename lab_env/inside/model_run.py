"""Run a submitted model on hidden inputs, in the jail: weights are all we take of it.

Run by path with ``-I``; imports nothing of ``lab_env``. The architecture and the
tokenizer are the release's own. Leaves ``predictions.csv`` of the hidden inputs and
``numbers_<split>.csv`` of released splits that are asked for; or ``failure.txt`` with
one sentence a line (Chinese, English) about the weights. ``ready.txt`` says that all
of ours was in order before the weights were touched: what fails later is theirs.
"""

import csv
import json
import sys
from pathlib import Path
from typing import Any, NoReturn

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)

WEIGHTS = "model.safetensors"
BATCH = 64


def main() -> None:
    """Predict one label for every hidden input, and numbers for released splits."""
    facts = json.loads(Path("facts.json").read_text("utf-8"))
    model = architecture(len(facts["labels"]))
    hidden = encoded_inputs(Path("inputs.csv"), facts, model.config)
    released = {
        split: encoded_inputs(Path(f"{split}.csv"), facts, model.config)
        for split in facts["splits"]
    }
    Path("ready.txt").write_text("ready\n", "utf-8")
    load_weights(model, Path(WEIGHTS))
    for split, batches in released.items():
        write(f"numbers_{split}.csv", "number", predict(model, batches))
    found = predict(model, hidden)
    named = {one: facts["labels"][place] for one, place in found.items()}
    write("predictions.csv", "label", named)


def write(name: str, column: str, found: dict[str, Any]) -> None:
    """Write what was found for each id."""
    with Path(name).open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["id", column], *found.items()])


def architecture(labels: int) -> Any:
    """Return the release's model with a fresh head for that many labels."""
    config = AutoConfig.from_pretrained("base_model", num_labels=labels)
    build = AutoModelForSequenceClassification.from_config
    return build(config).float().eval()  # type: ignore[no-untyped-call]


def encoded_inputs(path: Path, facts: dict[str, Any], config: Any) -> list[Any]:
    """Return batches of (ids, tensors); messages of one length stand together."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    # Padding costs as much as words; the order of the answers does not matter.
    rows.sort(key=lambda row: len(row[facts["text"]]))
    tokenizer = AutoTokenizer.from_pretrained("base_model")
    room = getattr(config, "max_position_embeddings", facts["max_length"])
    batches = (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))
    return [
        (
            [row["id"] for row in batch],
            tokenizer(
                [row[facts["text"]] for row in batch],
                truncation=True,
                max_length=min(facts["max_length"], room),
                padding=True,
                return_tensors="pt",
            ),
        )
        for batch in batches
    ]


def load_weights(model: Any, path: Path) -> None:
    """Put the weights into the model; a name, shape or number too odd is refused."""
    try:
        weights = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        fail("模型文件读不出来", f"the file does not read ({str(error)[:60]})")
    expected = model.state_dict()
    for name, tensor in expected.items():
        if name not in weights:
            fail(f"缺少张量 {name}", f"the tensor {name} is missing")
        if weights[name].shape != tensor.shape:
            seen, wanted = list(weights[name].shape), list(tensor.shape)
            zh = f"张量 {name} 的形状是 {seen}，应为 {wanted}"
            fail(zh, f"the tensor {name} has the shape {seen}, expected {wanted}")
    for name, tensor in weights.items():
        shown = name[:60]
        if name not in expected:
            fail(f"多出张量 {shown}", f"the tensor {shown} is not of this model")
        if not tensor.is_floating_point() and expected[name].is_floating_point():
            fail(f"张量 {shown} 不是小数", f"the tensor {shown} is {tensor.dtype}")
        if not torch.isfinite(tensor.float()).all():
            zh = f"张量 {shown} 含有 NaN 或无穷大"
            fail(zh, f"the tensor {shown} holds NaN or infinity")
    model.load_state_dict(weights, strict=True)


@torch.inference_mode()
def predict(model: Any, batches: list[Any]) -> dict[str, int]:
    """Return the place of the highest score for every id."""
    found: dict[str, int] = {}
    for ids, inputs in batches:
        scores = model(**inputs).logits
        if not torch.isfinite(scores).all():
            fail("模型的输出是 NaN 或无穷大", "the model's scores are NaN or infinity")
        found |= dict(zip(ids, scores.argmax(dim=-1).tolist(), strict=True))
    return found


def fail(zh: str, en: str) -> NoReturn:
    """Write what is wrong with the weights, and end."""
    lines = (" ".join(text.split()) for text in (zh, en))
    Path("failure.txt").write_text("\n".join(lines) + "\n", "utf-8")
    sys.exit(0)


if __name__ == "__main__":
    main()
