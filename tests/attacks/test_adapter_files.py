"""Adapter files: of an adapter only rank, alpha, targets and tensors are taken.

Every hand-in labels each message "net" and saves an adapter that says so too: points
(2, 2, 2), 3 for the examiner's run, 1 for the files. Then a file is changed.
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
from toy_adapter import TOML, add_adapter, prelude

# A run of a model costs seconds where it is started cold.
SLOW = PATIENT.replace("60", "120")
WHOLE: Points = (2, 2, 2, 3, 1)
# The files are in order, but the numbers are not.
FILES_ONLY: Points = (2, 2, 2, 0, 1)
NO_ADAPTER: Points = (2, 2, 2, 0, 0)


def saved(
    name: str, does: str, source: str, points: Points = NO_ADAPTER, said: str = ""
) -> Attack:
    """Return work with an adapter, at whose end its files are changed."""

    def put(place: Path) -> None:
        cells = (prelude(), source)
        handed(with_cells(*cells, answers=gold() | ONE_LABEL))(place)

    return Attack(name, does, put, points, said)


EVIL = f"open('{LEFT}', 'w').write('ran'); import os; os.system('sleep 600 # {LEFT} &')"
REMOTE_CODE = f"""
evil = {EVIL!r}
for name in ("evil", "modeling_evil", "peft_evil", "__init__"):
    open(f"adapter/{{name}}.py", "w").write(evil)
configure(auto_mapping={{"base_model_class": "E", "parent_library": "evil"}},
          auto_map={{"AutoModel": "modeling_evil.M"}}, trust_remote_code=True,
          base_model_name_or_path="/etc", revision="evil", task_type="EVIL",
          runtime_config={{"evil": 1}}, megatron_core="evil", peft_version="evil",
          eva_config={{"evil": 1}}, loftq_config={{"x": 1}}, inference_mode="evil")
"""
PICKLES = f"""
import pickle
class Runs:
    def __reduce__(self):
        return exec, ({EVIL!r},)
for name in ("adapter_model.bin", "training_args.bin", "adapter_model.pt"):
    pickle.dump(Runs(), open(f"adapter/{{name}}", "wb"))
"""
PICKLE_ALONE = f"{PICKLES}\nos.remove('adapter/adapter_model.safetensors')"
PICKLE_INSTEAD = (
    f"{PICKLES}\n"
    "os.replace('adapter/adapter_model.bin', 'adapter/adapter_model.safetensors')"
)
# Tensors of the rank that the settings say, so that only a bound of ours stops it.
HUGE_RANK = """
rank = 5000
packed({name: [rank if size == RANK and "lora" in name else size for size in shape]
        for name, shape in SHAPES.items()})
configure(r=rank)
"""
RANKS = """
configure(r={})
"""
OTHER_SHAPES = """
packed({name: shape[::-1] for name, shape in SHAPES.items()})
"""
MORE = """
packed(SHAPES | {PREFIX + "bert.encoder.layer.0.intermediate.dense.lora_A.weight": [2, 8]})
"""
REPLACES = """
packed(SHAPES | {PREFIX + LAYER + ".base_layer.weight": [8, 8]})
"""
WHOLE_MODEL = """
import shutil
shutil.copyfile("base_model/model.safetensors", "adapter/adapter_model.safetensors")
"""
HEADLESS = """
packed({name: shape for name, shape in SHAPES.items() if "classifier" not in name})
"""
OVERLAP = """
first = HEADER[A]["data_offsets"]
save({name: one | {"data_offsets": first} for name, one in HEADER.items()
      if name != "__metadata__"})
"""
MANY_TARGETS = """
configure(target_modules=CONFIG["target_modules"] * 100_000)
"""
EXPRESSION = """
configure(target_modules="((((.*)*)*)*)*z")
"""
INSIDE = """
configure(target_modules=[*CONFIG["target_modules"], "../../key/heldout.csv"])
"""
OTHER_KINDS = """
configure(use_dora=True, use_rslora=True, alpha_pattern={"query": 1e6})
"""
LINKED = """
os.remove("adapter/adapter_config.json")
os.symlink("../release.json", "adapter/adapter_config.json")
"""

ATTACKS = (
    saved("honest-adapter", "does no harm", "", WHOLE),
    saved("remote-code", "brings code for config and model", REMOTE_CODE, WHOLE),
    saved("pickles", "lays pickles beside the weights", PICKLES, WHOLE),
    saved("pickle-alone", "has a pickle instead of weights", PICKLE_ALONE),
    saved("pickle", "calls a pickle safetensors", PICKLE_INSTEAD),
    saved("huge-rank", "has rank 5000 with tensors to match", HUGE_RANK),
    saved("rank-lies", "says another rank", RANKS.format(4)),
    saved("rank-huge-number", "says a rank past memory", RANKS.format("10**30")),
    saved("rank-zero", "says rank 0", RANKS.format(0)),
    saved("rank-text", "says a rank in words", RANKS.format("'two'")),
    saved("alpha-other", "says another alpha", "configure(lora_alpha=1)", WHOLE),
    saved("alpha-huge", "says a huge alpha", "configure(lora_alpha=1e300)"),
    saved("alpha-nan", "says NaN for alpha", "configure(lora_alpha=math.nan)"),
    saved("alpha-minus", "says a negative alpha", "configure(lora_alpha=-4)"),
    saved("nan", "holds NaN", "save(data=filled(A, math.nan))", FILES_ONLY),
    saved("infinite", "holds infinity", "save(data=filled(A, math.inf))", FILES_ONLY),
    saved("large", "overflows in the merge", "save(data=filled(A, 3e38))", FILES_ONLY),
    saved("large-head", "overflows in the head", "save(data=filled(BIAS, math.nan))",
          FILES_ONLY),
    saved("shapes", "has its tables turned", OTHER_SHAPES),
    saved("more", "brings a table for another layer", MORE),
    saved("replaces", "brings a base layer of its own", REPLACES),
    saved("whole-model", "is the whole model", WHOLE_MODEL),
    saved("headless", "has no head", HEADLESS),
    saved("overlap", "uses one place for all tables", OVERLAP),
    saved("foreign", "names a layer there is not", "configure(target_modules=['q_proj'])"),
    saved("fewer", "names fewer layers", "configure(target_modules=['query'])"),
    saved("norms", "names what is no table",
          "configure(target_modules=[*CONFIG['target_modules'], 'LayerNorm'])"),
    saved("head-target", "names the head as a layer",
          "configure(target_modules=[*CONFIG['target_modules'], 'classifier'])"),
    saved("many", "names 300,000 layers", MANY_TARGETS),
    saved("expression", "has an endless expression for layers", EXPRESSION),
    saved("path", "names a file as a layer", INSIDE),
    saved("kinds", "is computed in another way", OTHER_KINDS),
    saved("bias", "trains biases too", "configure(bias='all')"),
    saved("no-lora", "is another kind", "configure(peft_type='IA3')"),
    saved("no-settings", "has no settings", "os.remove('adapter/adapter_config.json')"),
    saved("deep", "has very deep settings",
          "open('adapter/adapter_config.json', 'w').write('[' * 100_000)"),
    saved("linked", "has settings that are a link", LINKED),
    saved("sparse", "is huge",
          "os.truncate('adapter/adapter_model.safetensors', 5 << 20)"),
)  # fmt: skip


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pile]:
    """Return the graded pile of this family."""
    folder = tmp_path_factory.mktemp("adapter")
    yield from graded(folder, ATTACKS, TOML + SLOW, change=add_adapter)


@pytest.mark.parametrize("attack", cases(ATTACKS))
def test_only_right_tables_have_the_points_of_an_adapter(
    pile: Pile, attack: Attack
) -> None:
    """Rows that need no adapter keep their points; its own follow its tables."""
    judged(pile, attack)


def test_no_code_of_an_adapter_has_run(pile: Pile) -> None:
    """Neither settings nor pickle started or wrote anything."""
    assert running_with(LEFT) == []
    assert [*pile.course.parent.rglob(LEFT)] == []


def test_the_neighbours_without_an_adapter_keep_their_other_points(pile: Pile) -> None:
    """Honest work that saves no adapter has all other points; nothing is broken."""
    assert pile.points("zz-honest") == (2, 2, 4, 0, 0)
    assert {row.outcome for row in pile.report.rows} <= {"graded", "already graded"}
