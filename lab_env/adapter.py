"""A LoRA adapter as data: what its settings may say, and what its file must hold.

``adapter_config.json`` is read as JSON, never by peft: rank, alpha and targets are all
that is taken of it. The layers are those of the released base model.
Covered: a rank or alpha past all sense, targets that are no layer of the base model,
kinds of adapter that are computed in another way (DoRA, rsLoRA, patterns).
Not covered: what the numbers in the file are; ``inside/model_run.py`` looks at them.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lab_env import readers
from lab_env.checks import Finding, Text, Unreadable
from lab_env.errors import BrokenError
from lab_env.submission import TrustedFiles

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
FIELDS = {"peft_type": str, "r": int, "lora_alpha": float, "target_modules": list}
# What peft puts before the name of every tensor.
PREFIX = "base_model.model."
HEAD = "classifier"
MOST_RANK, MOST_ALPHA, MOST_TARGETS = 64, 1024, 32
# Set to anything, these change how an adapter is computed or what it belongs to.
UNUSUAL = (
    *("use_rslora", "use_dora", "use_qalora", "use_bdlora", "lora_bias"),
    *("fan_in_fan_out", "rank_pattern", "alpha_pattern", "exclude_modules"),
    *("layers_to_transform", "layers_pattern", "layer_replication"),
    *("target_parameters", "trainable_token_indices", "alora_invocation_tokens"),
)
_NAME = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*")

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]


@dataclass(frozen=True)
class Adapter:
    """The settings that are taken of an adapter."""

    rank: int
    alpha: float
    targets: tuple[str, ...]

    @property
    def scale(self) -> float:
        """What the product of both matrices is multiplied by: alpha / rank."""
        return self.alpha / self.rank


def adapter_of(said: Mapping[str, Any]) -> Adapter:
    """Return the settings in ``said``, which has FIELDS; Finding if out of bounds."""
    if said["peft_type"] != "LORA":
        raise _odd("peft_type", said["peft_type"], "LORA")
    rank, alpha, targets = said["r"], said["lora_alpha"], said["target_modules"]
    if not 1 <= rank <= MOST_RANK:
        raise _odd("r", rank, f"1 … {MOST_RANK}")
    if not 0 < alpha <= MOST_ALPHA:
        raise _odd("lora_alpha", alpha, f"0 … {MOST_ALPHA}")
    names = [each for each in targets if isinstance(each, str) and len(each) < 100]
    named = len(names) == len(targets) and all(map(_NAME.fullmatch, names))
    if not named or not 1 <= len(names) <= MOST_TARGETS:
        raise _odd("target_modules", targets, f"1 … {MOST_TARGETS} names")
    for field in UNUSUAL:
        if said.get(field):
            raise _odd(field, said[field], "none")
    if said.get("bias", "none") != "none":
        raise _odd("bias", said["bias"], "none")
    return Adapter(rank, alpha, tuple(names))


def base_shapes(released: TrustedFiles) -> dict[str, Shape]:
    """Return {tensor name: shape} of the released base model without its decoder."""
    name = "base_model/model.safetensors"
    try:
        shapes = readers.read_tensor_shapes(released.folder, name)
    except Finding as finding:
        raise BrokenError(f"{name}: {finding.message.en}") from finding
    return {key: shape for key, shape in shapes.items() if key[:8] != "decoder."}


def adaptable_layers(shapes: Shapes) -> dict[str, Shape]:
    """Return {layer: (rows, columns)} of the weights that an adapter may stand beside.

    They are the linear layers and the table of words.
    """
    return {
        name.removesuffix(".weight"): shape
        for name, shape in shapes.items()
        if len(shape) == 2 and name.endswith(".weight")
    }


def adapted_layers(layers: Shapes, targets: Iterable[str]) -> dict[str, Shape]:
    """Return the layers that the targets name, as peft matches them: by their end."""
    found: dict[str, Shape] = {}
    for target in targets:
        named = [one for one in layers if one == target or one.endswith(f".{target}")]
        if not named:
            known = ", ".join(sorted({one.rsplit(".", 1)[-1] for one in layers}))
            raise _odd("target_modules", target, known)
        found |= {one: layers[one] for one in named}
    return found


def added_parameters(layers: Shapes, rank: int) -> int:
    """Return how many numbers an adapter of that rank adds to these layers."""
    return rank * sum(rows + columns for rows, columns in layers.values())


def head_shapes(shapes: Shapes, labels: int) -> dict[str, Shape]:
    """Return the shapes of the classification head on the base model."""
    tables = [shape for name, shape in shapes.items() if _is_table(name)]
    width = tables[0][1]
    return {f"{HEAD}.weight": (labels, width), f"{HEAD}.bias": (labels,)}


def count(shapes: Shapes) -> int:
    """Return how many numbers tensors of these shapes hold."""
    return sum(map(math.prod, shapes.values()))


def expected_shapes(adapter: Adapter, shapes: Shapes, labels: int) -> dict[str, Shape]:
    """Return {tensor name: shape} of the adapter's file: two a layer, and the head."""
    expected = head_shapes(shapes, labels)
    layers = adapted_layers(adaptable_layers(shapes), adapter.targets)
    for layer, (rows, columns) in layers.items():
        if _is_table(layer):
            # Rows are looked up, not multiplied: peft keeps both tables turned.
            expected[f"{layer}.lora_embedding_A"] = (adapter.rank, rows)
            expected[f"{layer}.lora_embedding_B"] = (columns, adapter.rank)
        else:
            expected[f"{layer}.lora_A.weight"] = (adapter.rank, columns)
            expected[f"{layer}.lora_B.weight"] = (rows, adapter.rank)
    return {PREFIX + name: shape for name, shape in expected.items()}


def _is_table(name: str) -> bool:
    return "_embeddings" in name


def _odd(field: str, seen: object, expected: str) -> Finding:
    shown = str(seen)[:60]
    zh = f"{CONFIG} 中的“{field}”是 {shown}，应为 {expected}。"
    en = f'{CONFIG}: "{field}" is {shown}, expected {expected}.'
    return Unreadable(Text(zh, en))
