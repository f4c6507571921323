"""Facts about the examiner's run of a submitted model; the jail runs are real."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from graded_toy import TOY, seal, seal_toy
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    BertModel,
    PreTrainedTokenizerFast,
)

from lab_env.checks import Finding, NotAttempted, Text, Unreadable
from lab_env.errors import BrokenError
from lab_env.examine import examine_model
from lab_env.files import write_json
from lab_env.inside import model_run
from lab_env.metrics import fingerprint
from lab_env.release import Release
from lab_env.sandbox import require_isolation
from lab_env.submission import Submission, TrustedFiles

SIZES = {
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 16,
}


def words() -> list[str]:
    """Return the words of the toy messages."""
    text = (TOY / "scenario" / "data" / "en" / "train.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return sorted({word for row in rows for word in row["text"].split()})


@pytest.fixture(scope="module")
def base_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a very small encoder and its tokenizer."""
    folder = tmp_path_factory.mktemp("base")
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    vocabulary = {word: place for place, word in enumerate([*special, *words()])}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]"
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(vocab_size=len(vocabulary), **SIZES)
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def trained(base_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return deliverables with a model as a lab saves it: it always says "net"."""
    folder = tmp_path_factory.mktemp("deliverables")
    build = AutoModelForSequenceClassification.from_pretrained
    model = build(base_model, num_labels=2)
    with torch.no_grad():
        model.classifier.bias.copy_(torch.tensor([0.0, 9.0]))
    model.save_pretrained(folder / "model")
    (folder / "model" / "config.json").write_text('{"auto_map": "evil.py"}')
    return folder


@pytest.fixture
def release(tmp_path: Path, base_model: Path) -> Release:
    """Return the toy release with a model to hand in."""
    made = seal_toy(tmp_path / "course")
    toml = made.folder / "lab.toml"
    toml.write_text('model = "model/"\n' + toml.read_text("utf-8"), "utf-8")
    target = made.released / "base_model"
    target.mkdir()
    for path in base_model.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return seal(made.folder)


@pytest.fixture
def room(tmp_path: Path, base_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in a folder like the one in the jail, without the jail."""
    (tmp_path / "base_model").symlink_to(base_model)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def examined(
    release: Release, deliverables: Path, out: Path, **refused: Finding
) -> Submission:
    """Return the submission with the examiner's run of its model."""
    isolation = require_isolation(trust=False)
    examine_model(release, deliverables, out, refused=refused, isolation=isolation)
    return Submission(
        deliverables,
        TrustedFiles(release.released),
        release.scenario,
        "en",
        model_output=out,
    )


def test_a_saved_model_predicts_in_the_jail(
    release: Release, trained: Path, tmp_path: Path
) -> None:
    """Our program and the trainee's weights give a label for each hidden input."""
    submission = examined(release, trained, tmp_path / "out")

    inputs = submission.released.read_csv("data/heldout.csv", ["id"])
    labels = {row["id"]: row["label"] for row in submission.model_predictions()}
    assert labels == {row["id"]: "net" for row in inputs}


def test_the_splits_that_a_log_is_held_against_are_run_too(
    release: Release, trained: Path, tmp_path: Path
) -> None:
    """A log that names a released split has it run, with validation and test."""
    released = TrustedFiles(release.released)
    ids = {
        split: [row["id"] for row in released.read_csv(f"data/{split}.csv", ["id"])]
        for split in ("train", "validation", "test")
    }
    work = shutil.copytree(trained, tmp_path / "work")
    write_json(work / "training.json", {"checking_ids": fingerprint(ids["train"])})
    submission = examined(release, work, tmp_path / "out")

    for split, known in ids.items():
        assert submission.numbers_of_model(split) == dict.fromkeys(known, "1")
    assert submission.numbers_of_model("heldout") == {}
    assert replace(submission, model_output=None).numbers_of_model("train") is None


def test_a_missing_model_is_not_attempted(release: Release, tmp_path: Path) -> None:
    """No model is no failure of anyone: the row says what to do."""
    (tmp_path / "none").mkdir()
    submission = examined(release, tmp_path / "none", tmp_path / "out")

    with pytest.raises(NotAttempted, match="No model is saved yet"):
        submission.model_predictions()


def test_a_model_that_was_not_taken_says_why(
    release: Release, trained: Path, tmp_path: Path
) -> None:
    """A model over its limit is a failed row with the reason, and is not run."""
    too_large = Unreadable(Text("模型太大", "the model is too large"))
    submission = examined(release, trained, tmp_path / "out", model=too_large)

    with pytest.raises(Unreadable, match="the model is too large"):
        submission.model_predictions()


def test_our_own_failure_is_broken(
    release: Release, trained: Path, tmp_path: Path
) -> None:
    """What fails before the weights were touched is never the trainee's."""
    (release.released / "base_model" / "config.json").write_text("{}")

    with pytest.raises(BrokenError, match="before the weights were read"):
        examined(release, trained, tmp_path / "out")


def test_a_file_that_is_no_model_is_the_trainees(
    release: Release, tmp_path: Path
) -> None:
    """Weights that do not read become a sentence about the weights."""
    deliverables = tmp_path / "bad"
    (deliverables / "model").mkdir(parents=True)
    (deliverables / "model" / "model.safetensors").write_bytes(b"\x80\x04pickle")
    submission = examined(release, deliverables, tmp_path / "out")

    with pytest.raises(Unreadable, match="the file does not read") as caught:
        submission.model_predictions()
    assert "模型文件读不出来" in caught.value.message.zh


def first(weights: dict[str, torch.Tensor]) -> str:
    """Return the name of a tensor in the middle of the model."""
    return "bert.encoder.layer.0.output.dense.bias"


def nan(weights: dict[str, torch.Tensor]) -> None:
    """Put a NaN into one tensor."""
    weights[first(weights)][0] = float("nan")


def missing(weights: dict[str, torch.Tensor]) -> None:
    """Leave one tensor out."""
    del weights[first(weights)]


def extra(weights: dict[str, torch.Tensor]) -> None:
    """Add a tensor that no model has."""
    weights["evil" * 30] = torch.zeros(1)


def shape(weights: dict[str, torch.Tensor]) -> None:
    """Give the head three labels instead of two."""
    weights["classifier.bias"] = torch.zeros(3)


def whole(weights: dict[str, torch.Tensor]) -> None:
    """Store whole numbers where fractions belong."""
    weights[first(weights)] = weights[first(weights)].to(torch.int8)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (nan, "holds NaN or infinity"),
        (missing, "dense.bias is missing"),
        (extra, f"the tensor {'evil' * 15} is not of this model"),
        (shape, "classifier.bias has the shape [3], expected [2]"),
        (whole, "dense.bias is torch.int8"),
    ],
)
def test_wrong_weights_are_said_in_one_sentence(
    room: Path, trained: Path, change: Any, said: str
) -> None:
    """A missing, extra, misshapen or unusable tensor is named, in both languages."""
    weights = load_file(trained / "model" / "model.safetensors")
    change(weights)
    save_file(weights, room / "changed.safetensors")

    with pytest.raises(SystemExit):
        model_run.load_weights(model_run.architecture(2), room / "changed.safetensors")

    zh, en = (room / "failure.txt").read_text("utf-8").splitlines()
    assert said in en
    assert zh


def test_half_precision_is_taken(room: Path, trained: Path) -> None:
    """A model saved in 16 bits loads like any other."""
    weights = load_file(trained / "model" / "model.safetensors")
    halves = {name: tensor.half() for name, tensor in weights.items()}
    save_file(halves, room / "half.safetensors")
    model = model_run.architecture(2)

    model_run.load_weights(model, room / "half.safetensors")

    assert model.classifier.bias.tolist() == [0.0, 9.0]


@pytest.mark.parametrize(
    ("said", "length"),
    [('{"max_length": 64}', 64), ('{"max_length": 3}', 128), ("{", 128), (None, 128)],
)
def test_the_trainees_length_is_used_if_it_makes_sense(
    release: Release, tmp_path: Path, said: str | None, length: int
) -> None:
    """Inputs are cut where the trainee cut them, else at a length of ours."""
    from lab_env.examine import _facts

    if said is not None:
        (tmp_path / "training.json").write_text(said)

    assert _facts(release, tmp_path)["max_length"] == length
    assert json.dumps(_facts(release, tmp_path)["labels"]) == '["bill", "net"]'
