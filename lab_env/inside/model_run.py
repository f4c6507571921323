"""Run a submitted model on hidden inputs, in the jail: weights are all we take of it.

Run by path with ``-I``; imports nothing of ``lab_env``. The architecture and the
tokenizer are the release's own. An adapter, whose rank, scale and layers stand in
``facts.json``, is added to the release's base model here; peft is not asked. Leaves
``predictions.csv`` of the hidden inputs and ``numbers_<split>.csv`` of released splits
that are asked for; or ``failure.txt`` with one sentence a line (Chinese, English) about
the weights. ``ready.txt`` says that all of ours was in order before the weights were
touched: what fails later is theirs.
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

WEIGHTS, ADAPTER = "model.safetensors", "adapter_model.safetensors"
# What peft puts before the name of every tensor.
PREFIX = "base_model.model."
BATCH = 64


def main() -> None:
    """Predict one label for every hidden input, and numbers for released splits."""
    facts = json.loads(Path("facts.json").read_text("utf-8"))
    adapter = facts.get("adapter")
    model = architecture(len(facts["labels"]), weights=adapter is not None)
    hidden = encoded_inputs(Path("inputs.csv"), facts, model.config)
    released = {
        split: encoded_inputs(Path(f"{split}.csv"), facts, model.config)
        for split in facts["splits"]
    }
    expected = {} if adapter is None else adapter_tensors(model, adapter)
    Path("ready.txt").write_text("ready\n", "utf-8")
    if adapter is None:
        load_weights(model, Path(WEIGHTS))
    else:
        add_adapter(model, read_weights(Path(ADAPTER), expected), adapter)
    for split, batches in released.items():
        write(f"numbers_{split}.csv", "number", predict(model, batches))
    found = predict(model, hidden)
    named = {one: facts["labels"][place] for one, place in found.items()}
    write("predictions.csv", "label", named)


def write(name: str, column: str, found: dict[str, Any]) -> None:
    """Write what was found for each id."""
    with Path(name).open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["id", column], *found.items()])


def architecture(labels: int, *, weights: bool = False) -> Any:
    """Return the release's model, bare or pretrained, with a fresh head."""
    build: Any = AutoModelForSequenceClassification
    if weights:
        model = build.from_pretrained("base_model", num_labels=labels)
    else:
        config = AutoConfig.from_pretrained("base_model", num_labels=labels)
        model = build.from_config(config)
    return model.float().eval()


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
    weights = read_weights(path, model.state_dict())
    model.load_state_dict(weights, strict=True)


def adapter_tensors(model: Any, adapter: dict[str, Any]) -> dict[str, Any]:
    """Return what an adapter's file must hold: the head, and A and B of each layer."""
    state, rank = model.state_dict(), adapter["rank"]
    expected = {f"{PREFIX}{name}": state[name] for name in head_names(state)}
    for layer in adapter["layers"]:
        rows, columns = state[f"{layer}.weight"].shape
        if is_table(model, layer):
            rows, columns = columns, rows
        first, second = matrix_names(model, layer)
        expected |= {first: torch.empty(rank, columns), second: torch.empty(rows, rank)}
    return expected


def add_adapter(model: Any, weights: dict[str, Any], adapter: dict[str, Any]) -> None:
    """Put the head into the model, and add scale * B @ A to each adapted layer."""
    state = model.state_dict()
    for layer in adapter["layers"]:
        first, second = (weights[name].float() for name in matrix_names(model, layer))
        change = adapter["scale"] * (second @ first)
        state[f"{layer}.weight"] += change.T if is_table(model, layer) else change
    for name in head_names(state):
        state[name].copy_(weights[f"{PREFIX}{name}"])


def matrix_names(model: Any, layer: str) -> tuple[str, str]:
    """Return the names that peft gives A and B of a layer."""
    if is_table(model, layer):
        kinds = ("lora_embedding_A", "lora_embedding_B")
    else:
        kinds = ("lora_A.weight", "lora_B.weight")
    first, second = (f"{PREFIX}{layer}.{kind}" for kind in kinds)
    return first, second


def is_table(model: Any, layer: str) -> bool:
    """Return whether a layer is a table of words, whose rows are looked up."""
    return isinstance(model.get_submodule(layer), torch.nn.Embedding)


def head_names(state: dict[str, Any]) -> list[str]:
    """Return the names of the head's tensors."""
    return [name for name in state if name.startswith("classifier.")]


def read_weights(path: Path, expected: dict[str, Any]) -> dict[str, Any]:
    """Return the tensors of a file that has those expected, finite, and no others."""
    try:
        weights = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        fail("模型文件读不出来", f"the file does not read ({str(error)[:60]})")
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
    return weights


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
