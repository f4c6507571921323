"""A toy release whose work includes a model, and notebooks that save one by hand.

The model is a very small BERT that always says "net". Cells write its file byte by
byte, so that an attack can write any file, and no kernel needs a second for torch.
"""

import base64
import csv
import io
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from graded_toy import TOY

from lab_env.files import write_whole

SIZES = {
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 16,
}
TOML = '\n[[deliverables]]\nname = "model/"\nfrom = "rerun"\nmax_mb = 2\n'
ROWS = '''

@check("M4", points=3, part="model", needs=predictions_are_complete)
def model_gives_the_predictions(
    submission: Submission, labels: dict[str, str]
) -> Graded:
    """考评端运行模型，结果与 predictions.csv 一致。

    The examiner's run of the model agrees with predictions.csv.
    """
    found = submission.model_predictions()
    share = sum(labels[row["id"]] == row["label"] for row in found) / len(labels)
    return Graded(float(share == 1), actual=share, nominal=1.0)


@check("M5", points=1, part="model")
def model_is_saved(submission: Submission) -> None:
    """模型是 safetensors 文件。

    The model is a safetensors file.
    """
    submission.read_json("model/config.json", {"model_type": str})
    submission.read_tensor_shapes("model/model.safetensors")
'''
PRELUDE = '''
import base64, json, math, os, struct
os.makedirs("model", exist_ok=True)
FILE = base64.b64decode({weights!r})
LENGTH = struct.unpack("<Q", FILE[:8])[0]
HEADER, DATA = json.loads(FILE[8 : 8 + LENGTH]), FILE[8 + LENGTH :]
BIAS = "bert.encoder.layer.0.output.dense.bias"

def save(header=HEADER, data=DATA, text=None, length=None):
    """Write a safetensors file, or what looks like one."""
    text = json.dumps(header).encode() if text is None else text
    size = struct.pack("<Q", len(text) if length is None else length)
    open("model/model.safetensors", "wb").write(size + text + data)

def configure(**more):
    """Write the model's config.json."""
    base = {{"model_type": "bert", "hidden_size": 8, "num_hidden_layers": 1}}
    json.dump(base | more, open("model/config.json", "w"))

def filled(value):
    """Return the weights with one tensor full of a value."""
    start, end = HEADER[BIAS]["data_offsets"]
    return DATA[:start] + struct.pack("<f", value) * ((end - start) // 4) + DATA[end:]

save()
configure()
'''


def add_model(folder: Path) -> None:
    """Let the sealed toy ask for a model: base model, two rows, a deliverable."""
    write_base_model(folder / "released" / "base_model")
    for name, text in (("grader.py", ROWS), ("lab.toml", "")):
        path = folder / name
        write_whole(path, path.read_text("utf-8") + text)
    toml = (folder / "lab.toml").read_text("utf-8")
    write_whole(folder / "lab.toml", 'model = "model/"\n' + toml)


def words() -> list[str]:
    """Return the words of the toy messages."""
    rows = csv.DictReader(
        io.StringIO((TOY / "scenario" / "data" / "en" / "train.csv").read_text())
    )
    return sorted({word for row in rows for word in row["text"].split()})


def write_base_model(folder: Path) -> None:
    """Write a very small encoder without a head, and its tokenizer."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    vocabulary = {word: place for place, word in enumerate([*special, *words()])}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]"
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    BertModel(BertConfig(vocab_size=len(vocabulary), **SIZES)).save_pretrained(folder)


@cache
def prelude() -> str:
    """Return the cell that saves the honest model, and what attacks build with."""
    import torch
    from transformers import AutoModelForSequenceClassification

    with TemporaryDirectory() as folder:
        write_base_model(Path(folder, "base"))
        build = AutoModelForSequenceClassification.from_pretrained
        model = build(Path(folder, "base"), num_labels=2)
        with torch.no_grad():
            model.classifier.bias.copy_(torch.tensor([0.0, 9.0]))
        model.save_pretrained(folder)
        weights = Path(folder, "model.safetensors").read_bytes()
    return PRELUDE.format(weights=base64.b64encode(weights).decode())
