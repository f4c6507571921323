"""Facts about the bundled base model: small, offline, bilingual, documented."""

import csv
import re
import tomllib
from pathlib import Path

import pytest
from transformers import AutoModelForSequenceClassification, AutoTokenizer

DATASETS = Path(__file__).parents[2] / "datasets"
FOLDER = DATASETS / "base_models" / "tiny_encoder"
HEADINGS = [
    "What it is", "How to load it", "Corpus", "Recipe", "What it buys", "Limits",
    "Licence",
]  # fmt: skip


def texts(language: str) -> list[str]:
    """Return the training texts of the customer service scenario."""
    path = DATASETS / "customer_service" / "data" / language / "train.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)]


def test_folder_is_small() -> None:
    """The model folder stays under 10 MB and holds no pickle."""
    files = [path for path in FOLDER.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 10 * 2**20
    assert {path.suffix for path in files} <= {
        ".json", ".safetensors", ".md", ".py", ".toml",
    }  # fmt: skip


def test_model_loads_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A classifier loads from the folder; only its last layer is new."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    model, loading = AutoModelForSequenceClassification.from_pretrained(
        FOLDER, num_labels=8, output_loading_info=True
    )
    assert set(loading["missing_keys"]) == {"classifier.weight", "classifier.bias"}
    assert not loading["unexpected_keys"]
    assert str(next(model.parameters()).dtype) == "torch.float32"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_tokens_are_known(language: str) -> None:
    """Hardly any token of the scenario is [UNK], and texts fit the model."""
    tokenizer = AutoTokenizer.from_pretrained(FOLDER)
    encoded = tokenizer(texts(language))["input_ids"]
    tokens = [token for ids in encoded for token in ids]
    assert tokens.count(tokenizer.unk_token_id) < 0.005 * len(tokens)
    limit = tokenizer.model_max_length
    assert sum(len(ids) > limit for ids in encoded) < 0.05 * len(encoded)


def test_every_scenario_names_a_bundled_model() -> None:
    """The model a scenario names is a folder here, so that a lab runs offline."""
    for path in DATASETS.glob("*/scenario.toml"):
        facts = tomllib.loads(path.read_text("utf-8"))
        if "model" in facts:
            base = facts["model"]["base"]
            assert (DATASETS / "base_models" / base / "config.json").is_file()


def test_card_has_its_headings() -> None:
    """The model card has every section a reader looks for, in order."""
    card = (FOLDER / "README.md").read_text("utf-8")
    assert re.findall(r"^## (.+)$", card, re.MULTILINE) == HEADINGS
    assert card.startswith("---\nlicense: apache-2.0\n")
