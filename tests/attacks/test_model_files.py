"""Model files: of a submitted model only weights are taken, for our own architecture.

Every hand-in labels each message "net" and saves a model that says so too: points
(2, 2, 2), 3 for the examiner's run, 1 for the file. Then a file is changed.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from graded_toy import gold
from pile import (
    LEFT,
    ONE_LABEL,
    PATIENT,
    Attack,
    Pile,
    Points,
    cases,
    graded,
    handed,
    judged,
    running_with,
    with_cells,
)
from toy_model import TOML, add_model, prelude

# A run of a model costs seconds where it is started cold.
SLOW = PATIENT.replace("60", "120")
WHOLE: Points = (2, 2, 2, 3, 1)
# The file reads as safetensors, but the weights are not those of the model.
FILE_ONLY: Points = (2, 2, 2, 0, 1)
NO_MODEL: Points = (2, 2, 2, 0, 0)


def saved(name: str, does: str, source: str, points: Points = NO_MODEL) -> Attack:
    """Return work with a model, at whose end its files are changed."""

    def put(place: Path) -> None:
        cells = (prelude(), source)
        handed(with_cells(*cells, answers=gold() | ONE_LABEL))(place)

    return Attack(name, does, put, points)


EVIL = f"open('{LEFT}', 'w').write('ran'); import os; os.system('sleep 600 # {LEFT} &')"
REMOTE_CODE = f"""
evil = {EVIL!r}
for name in ("modeling_evil", "configuration_evil", "tokenization_evil", "__init__"):
    open(f"model/{{name}}.py", "w").write(evil)
auto = {{"AutoConfig": "configuration_evil.C", "AutoModel": "modeling_evil.M",
        "AutoModelForSequenceClassification": "modeling_evil.M"}}
configure(auto_map=auto, trust_remote_code=True, architectures=["../evil.M"],
          _name_or_path="/etc/passwd", _attn_implementation="evil/kernel",
          quantization_config={{"quant_method": "evil"}})
"""
PICKLES = f"""
import pickle
class Runs:
    def __reduce__(self):
        return exec, ({EVIL!r},)
for name in ("pytorch_model.bin", "training_args.bin", "optimizer.pt", "model.ckpt"):
    pickle.dump(Runs(), open(f"model/{{name}}", "wb"))
"""
PICKLE_INSTEAD = (
    f"{PICKLES}\nos.replace('model/training_args.bin', 'model/model.safetensors')"
)
TOKENIZER = f"""
config = {{"tokenizer_class": "evil.T", "auto_map": {{"AutoTokenizer": ["evil.T", None]}},
          "model_max_length": 10**30, "added_tokens_decoder": {{"0": {{"content": "x"}}}}}}
open("model/tokenizer_config.json", "w").write(json.dumps(config))
open("model/tokenizer.json", "w").write("[" * 100_000)
open("model/evil.py", "w").write({EVIL!r})
open("model/chat_template.jinja", "w").write("{{{{ ''.__class__.__mro__ }}}}")
"""
LENGTHS = """
for said in ("1e30", "-1", "true", '"x"', "9" * 4000, "NaN"):
    open("training.json", "w").write('{"max_length": %s, "checking_ids": "x"}' % said)
"""
INDEX = """
index = {"weight_map": {name: "../../key/heldout.csv" for name in HEADER}}
open("model/model.safetensors.index.json", "w").write(json.dumps(index))
os.remove("model/model.safetensors")
"""
ADAPTER = """
other = {"base_model_name_or_path": "/etc", "peft_type": "LORA", "auto_mapping": {"x": 1}}
open("model/adapter_config.json", "w").write(json.dumps(other))
os.replace("model/model.safetensors", "model/adapter_model.safetensors")
"""
HUGE_CONFIG = """
configure(vocab_size=2**62, hidden_size=8, num_labels=10**9, num_hidden_layers=1,
          max_position_embeddings=10**12, id2label={"0": "bill", "1": "net"})
"""
ODD_CONFIG = "open('model/config.json', 'w').write('[' * 100_000)"
SHAPES = """
save({name: one | {"shape": [2**40, 2**20]} for name, one in HEADER.items()
      if name != "__metadata__"})
"""
OVERLAP = """
first = HEADER[BIAS]["data_offsets"]
save({name: one | {"data_offsets": first} for name, one in HEADER.items()
      if name != "__metadata__"})
"""
NEGATIVE = """
save(HEADER | {BIAS: HEADER[BIAS] | {"data_offsets": [-4, 2**63]}})
"""
NO_DATA = "save(data=b'')"
NUMBERS_OF_SHAPE = """
text = json.dumps(HEADER).replace('"shape": [8]', '"shape": [1e999]', 1)
save(text=text.encode())
"""
TYPES = """
save(HEADER | {BIAS: HEADER[BIAS] | {"dtype": "I32"}})
"""
SMALL = """
save(data=b''.join(struct.pack("<f", 1e-42) for _ in range(len(DATA) // 4)))
"""
SECOND_HEAD = """
more = struct.pack("<8f", *range(8))
end = len(DATA)
save(HEADER | {"evil" * 99: {"dtype": "F32", "shape": [8], "data_offsets": [end, end + 32]}},
     DATA + more)
"""
MANY = """
for number in range(300):
    open(f"model/{number}.txt", "w").write("x")
os.makedirs("model/deep/er")
"""
LINKED = """
os.remove("model/model.safetensors")
os.symlink("../base_model/model.safetensors", "model/model.safetensors")
"""
LINKED_FOLDER = """
import shutil
shutil.move("model", "other")
os.symlink("base_model", "model")
"""

ATTACKS = (
    saved("honest-model", "does no harm", "", WHOLE),
    saved("remote-code", "brings code for config and model", REMOTE_CODE, WHOLE),
    saved("pickles", "lays pickles beside the weights", PICKLES, WHOLE),
    saved("pickle", "calls a pickle safetensors", PICKLE_INSTEAD),
    saved("tokenizer", "brings a tokenizer with code", TOKENIZER, WHOLE),
    saved("lengths", "says impossible lengths", LENGTHS, WHOLE),
    saved("index", "points to weights elsewhere", INDEX),
    saved("adapter", "is an adapter of another base", ADAPTER),
    saved("huge-config", "asks for a huge model", HUGE_CONFIG, WHOLE),
    saved("odd-config", "has a config that does not read", ODD_CONFIG, (2, 2, 2, 3, 0)),
    saved("header", "has a header of 100 MB", "save(length=100_000_000)"),
    saved("negative", "has a header of -1 bytes", "save(length=2**64 - 1)"),
    saved("deep", "has a very deep header", "save(text=b'{\"a\":' * 90_000)"),
    saved("shapes", "names huge shapes", SHAPES),
    saved("overlap", "uses one place for all tensors", OVERLAP),
    saved("offsets", "points before and past the file", NEGATIVE),
    saved("no-data", "has a header and nothing else", NO_DATA),
    saved("endless", "has an endless shape", NUMBERS_OF_SHAPE),
    saved("types", "calls fractions whole numbers", TYPES, FILE_ONLY),
    saved("nan", "holds NaN", "save(data=filled(math.nan))", FILE_ONLY),
    saved("infinite", "holds infinity", "save(data=filled(math.inf))", FILE_ONLY),
    saved("large", "holds numbers that overflow", "save(data=filled(3e38))", FILE_ONLY),
    saved("small", "is slow to multiply", SMALL, FILE_ONLY),
    saved("more", "has a tensor too many", SECOND_HEAD, FILE_ONLY),
    saved("many", "has 300 files", MANY),
    saved("sparse", "is huge", "os.truncate('model/model.safetensors', 5 << 20)"),
    saved("linked", "is a link to the base model", LINKED),
    saved("linked-folder", "is in a folder that is a link", LINKED_FOLDER),
)


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pile]:
    """Return the graded pile of this family."""
    folder = tmp_path_factory.mktemp("model")
    yield from graded(folder, ATTACKS, TOML + SLOW, change=add_model)


@pytest.mark.parametrize("attack", cases(ATTACKS))
def test_only_right_weights_have_the_points_of_a_model(
    pile: Pile, attack: Attack
) -> None:
    """Rows that need no model keep their points; the model's follow its weights."""
    judged(pile, attack)


def test_no_code_of_a_model_has_run(pile: Pile) -> None:
    """Neither config, tokenizer nor pickle started or wrote anything."""
    assert running_with(LEFT) == []
    assert [*pile.course.parent.rglob(LEFT)] == []


def test_the_neighbours_without_a_model_keep_their_other_points(pile: Pile) -> None:
    """Honest work that saves no model has all other points; nothing is broken."""
    assert pile.points("zz-honest") == (2, 2, 4, 0, 0)
    assert {row.outcome for row in pile.report.rows} <= {"graded", "already graded"}
