"""A toy release whose work is an adapter, and notebooks that save one by hand.

The base model is a very small BERT; with its adapter it always says "net". Cells write
the files byte by byte, so that an attack can write any, and no kernel needs torch.
"""

import base64
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from toy_model import SIZES, words

from lab_env.files import write_whole

TOML = '\n[[deliverables]]\nname = "adapter/"\nfrom = "rerun"\nmax_mb = 2\n'
PREFIX = "base_model.model."
RANK = 2
LAYER = "bert.encoder.layer.0.output.dense"
TABLE = "bert.embeddings.word_embeddings"
CONFIG = {
    "peft_type": "LORA",
    "r": RANK,
    "lora_alpha": 4,
    "target_modules": ["query", "value", "word_embeddings", LAYER],
    "bias": "none",
    "modules_to_save": ["classifier"],
}
ROWS = '''

@check("M4", points=3, part="model", needs=predictions_are_complete)
def adapter_gives_the_predictions(
    submission: Submission, labels: dict[str, str]
) -> Graded:
    """考评端运行适配器，结果与 predictions.csv 一致。

    The examiner's run of the adapter agrees with predictions.csv.
    """
    found = submission.model_predictions()
    share = sum(labels[row["id"]] == row["label"] for row in found) / len(labels)
    return Graded(float(share == 1), actual=share, nominal=1.0)


@check("M5", points=1, part="model")
def adapter_is_saved(submission: Submission) -> None:
    """适配器的设置合理，文件里正好是它的表。

    The settings of the adapter are in bounds, and its file holds just its tables.
    """
    from lab_env import adapter

    said = submission.read_json("adapter/adapter_config.json", adapter.FIELDS)
    shapes = submission.read_tensor_shapes("adapter/adapter_model.safetensors")
    base = adapter.base_shapes(submission.released)
    if shapes != adapter.expected_shapes(adapter.adapter_of(said), base, 2):
        from lab_env.checks import Mismatch, Text

        raise Mismatch(Text("表不对", "other tables"), actual=0, nominal=1)
'''
PRELUDE = """
import base64, json, math, os, struct
os.makedirs("adapter", exist_ok=True)
CONFIG = {config!r}
FILE = base64.b64decode({weights!r})
LENGTH = struct.unpack("<Q", FILE[:8])[0]
HEADER, DATA = json.loads(FILE[8 : 8 + LENGTH]), FILE[8 + LENGTH :]
PREFIX, LAYER, RANK = {prefix!r}, {layer!r}, {rank!r}
BIAS, A = PREFIX + "classifier.bias", PREFIX + LAYER + ".lora_A.weight"

def save(header=HEADER, data=DATA, text=None, length=None):
    '''Write a safetensors file, or what looks like one.'''
    text = json.dumps(header).encode() if text is None else text
    size = struct.pack("<Q", len(text) if length is None else length)
    open("adapter/adapter_model.safetensors", "wb").write(size + text + data)

def configure(**more):
    '''Write the adapter's settings.'''
    json.dump(CONFIG | more, open("adapter/adapter_config.json", "w"))

def filled(name, value):
    '''Return the data with one tensor full of a value.'''
    start, end = HEADER[name]["data_offsets"]
    return DATA[:start] + struct.pack("<f", value) * ((end - start) // 4) + DATA[end:]

def packed(shapes, value=0.0):
    '''Write tensors of these shapes, all of one value.'''
    header, parts, end = {{}}, [], 0
    for name, shape in shapes.items():
        part = struct.pack("<f", value) * math.prod(shape)
        place = [end, end + len(part)]
        header[name] = {{"dtype": "F32", "shape": shape, "data_offsets": place}}
        parts.append(part)
        end += len(part)
    save(header, b"".join(parts))

SHAPES = {{name: one["shape"] for name, one in HEADER.items() if name != "__metadata__"}}
save()
configure()
"""


def add_adapter(folder: Path) -> None:
    """Let the sealed toy ask for an adapter: base model, two rows, a deliverable."""
    write_base_model(folder / "released" / "base_model")
    for name, text in (("grader.py", ROWS), ("lab.toml", "")):
        path = folder / name
        write_whole(path, path.read_text("utf-8") + text)
    toml = (folder / "lab.toml").read_text("utf-8")
    write_whole(folder / "lab.toml", 'model = "adapter"\n' + toml)


def write_base_model(folder: Path) -> None:
    """Write a very small encoder under the names of a classifier, and its tokenizer."""
    import torch
    from safetensors.torch import save_file
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        PreTrainedTokenizerFast,
    )

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    vocabulary = {word: place for place, word in enumerate([*special, *words()])}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]"
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    model = BertForSequenceClassification(
        BertConfig(vocab_size=len(vocabulary), num_labels=2, **SIZES)
    )
    model.save_pretrained(folder)
    kept = {
        name: tensor.contiguous()
        for name, tensor in model.state_dict().items()
        if not name.startswith("classifier.")
    }
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})


def tensors_of(base: Path) -> dict[str, Any]:
    """Return the honest adapter of a base model: its head always says "net"."""
    import torch
    from safetensors.torch import load_file

    shapes = {name: list(one.shape) for name, one in load_file(base).items()}
    layers = [
        name.removesuffix(".weight")
        for name in shapes
        if name.endswith(("query.weight", "value.weight", f"{LAYER}.weight"))
    ]
    torch.manual_seed(1)
    found = {
        "classifier.weight": torch.zeros(2, SIZES["hidden_size"]),
        "classifier.bias": torch.tensor([0.0, 9.0]),
    }
    words_known = shapes[f"{TABLE}.weight"][0]
    found[f"{TABLE}.lora_embedding_A"] = torch.randn(RANK, words_known)
    found[f"{TABLE}.lora_embedding_B"] = torch.randn(SIZES["hidden_size"], RANK)
    for layer in layers:
        rows, columns = shapes[f"{layer}.weight"]
        found[f"{layer}.lora_A.weight"] = torch.randn(RANK, columns)
        found[f"{layer}.lora_B.weight"] = torch.randn(rows, RANK)
    return {f"{PREFIX}{name}": tensor for name, tensor in found.items()}


@cache
def prelude() -> str:
    """Return the cell that saves the honest adapter, and what attacks build with."""
    from safetensors.torch import save

    with TemporaryDirectory() as folder:
        write_base_model(Path(folder))
        weights = save(tensors_of(Path(folder, "model.safetensors")))
    return PRELUDE.format(
        config=CONFIG,
        weights=base64.b64encode(weights).decode(),
        prefix=PREFIX,
        layer=LAYER,
        rank=RANK,
    )
