"""Facts about adapters as data, and about our few lines that add one to its base."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from transformers import BertConfig, BertForSequenceClassification

from lab_env import adapter, notebook
from lab_env.checks import Unreadable
from lab_env.errors import LabError
from lab_env.inside import model_run

# peft asks transformers by a name that is going out of use.
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing")
SIZES = {
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 12,
    "max_position_embeddings": 16,
}
WORDS, RANK, ALPHA = 11, 3, 12
SAID = {"peft_type": "LORA", "r": RANK, "lora_alpha": 4.0, "target_modules": ["query"]}


def base_model() -> Any:
    """Return a very small model, the same each time."""
    torch.manual_seed(0)
    config = BertConfig(vocab_size=WORDS, num_labels=3, **SIZES)
    return BertForSequenceClassification(config).eval()


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a model of peft whose adapter is not zero, saved in ``adapter/``."""
    monkeypatch.chdir(tmp_path)
    settings = LoraConfig(
        r=RANK,
        lora_alpha=ALPHA,
        target_modules=["word_embeddings", "query", "dense"],
        modules_to_save=["classifier"],
    )
    model = get_peft_model(base_model(), settings).eval()
    with torch.no_grad():
        for name, table in model.named_parameters():
            if "lora_" in name or "modules_to_save" in name:
                table.copy_(torch.randn(table.shape))
    notebook.save_adapter(model)
    return model


def shapes_of(model: Any) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a base model's file, which has no head."""
    tables = model.state_dict().items()
    return {n: tuple(t.shape) for n, t in tables if not n.startswith("classifier")}


def read_saved() -> tuple[adapter.Adapter, dict[str, Any]]:
    """Return settings and tensors as they were saved."""
    said = json.loads(Path("adapter", adapter.CONFIG).read_text("utf-8"))
    return adapter.adapter_of(said), load_file(Path("adapter", adapter.WEIGHTS))


def test_only_two_files_are_saved(trained: Any) -> None:
    """A saved adapter is its settings and its tables, no code and no read-me."""
    names = sorted(path.name for path in Path("adapter").iterdir())
    assert names == [adapter.CONFIG, adapter.WEIGHTS]


def test_the_file_of_peft_is_the_one_expected(trained: Any) -> None:
    """What peft saves has the names and shapes that its settings let us expect."""
    settings, tensors = read_saved()
    expected = adapter.expected_shapes(settings, shapes_of(base_model()), 3)
    assert {name: tuple(one.shape) for name, one in tensors.items()} == expected


def test_parameters_are_counted_as_peft_counts_them(trained: Any) -> None:
    """Rank times rows and columns, and the head, is what peft says is trained."""
    settings, _ = read_saved()
    shapes = shapes_of(base_model())
    layers = adapter.adapted_layers(adapter.adaptable_layers(shapes), settings.targets)
    head = adapter.count(adapter.head_shapes(shapes, 3))
    trainable, _ = trained.get_nb_trainable_parameters()
    assert adapter.added_parameters(layers, RANK) + head == trainable


def test_our_merge_is_that_of_peft(trained: Any) -> None:
    """Base model plus scale * B @ A gives the scores of peft, table of words too."""
    settings, tensors = read_saved()
    model = base_model()
    layers = adapter.adapted_layers(
        adapter.adaptable_layers(shapes_of(model)), settings.targets
    )
    facts = {"rank": RANK, "scale": settings.scale, "layers": list(layers)}
    assert set(model_run.adapter_tensors(model, facts)) == set(tensors)
    ids = torch.arange(WORDS).reshape(1, -1)
    with torch.inference_mode():
        model_run.add_adapter(model, tensors, facts)
        assert torch.allclose(model(ids).logits, trained(ids).logits, atol=1e-4)


def test_a_model_without_adapter_is_not_saved_as_one(trained: Any) -> None:
    """After the merge there is no adapter; the sentence says which model to save."""
    with pytest.raises(LabError, match="没有适配器"):
        notebook.save_adapter(base_model())


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("peft_type", "IA3", '"peft_type" is IA3, expected LORA'),
        ("r", 65, '"r" is 65, expected 1 … 64'),
        ("r", 0, '"r" is 0'),
        ("lora_alpha", -1.0, '"lora_alpha" is -1.0'),
        ("lora_alpha", 1e9, '"lora_alpha" is 1000000000.0'),
        ("target_modules", [], '"target_modules" is []'),
        ("target_modules", ["a/b"], "expected 1 … 32 names"),
        ("target_modules", [1], "expected 1 … 32 names"),
        ("target_modules", ["x"] * 33, "expected 1 … 32 names"),
        ("use_rslora", True, '"use_rslora" is True, expected none'),
        ("rank_pattern", {"x": 9}, '"rank_pattern"'),
        ("bias", "all", '"bias" is all'),
    ],
)
def test_settings_out_of_bounds_are_said_in_one_sentence(
    field: str, value: object, said: str
) -> None:
    """Each setting that is out of bounds is named, with what was seen."""
    with pytest.raises(Unreadable, match="adapter_config") as caught:
        adapter.adapter_of(SAID | {field: value})
    assert said in caught.value.message.en


def test_a_layer_that_is_not_there_is_named() -> None:
    """A target of another architecture is refused, and those there are said."""
    layers = adapter.adaptable_layers(shapes_of(base_model()))
    with pytest.raises(Unreadable, match="q_proj") as caught:
        adapter.adapted_layers(layers, ["query", "q_proj"])
    assert "word_embeddings" in caught.value.message.en
