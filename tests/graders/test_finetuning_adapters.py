"""The mark sheet of finetuning_adapters gives points for the work and nothing else."""

import csv
import json
import math
import shutil
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab_env.checks import Text
from lab_env.files import content_folder, write_json
from lab_env.marksheet import Row, mark
from lab_env.metrics import fingerprint, macro_f1
from lab_env.open_rows import open_codes
from lab_env.release import load_checks
from lab_env.scenario import Label, Scenario
from lab_env.submission import Submission, TrustedFiles

GRADER = content_folder("graders") / "finetuning_adapters.py"
CHECKS = load_checks(GRADER)
CODES = ("bill", "net", "scam")
# Of each ten messages: six, three and one.
PATTERN = ("bill",) * 6 + ("net",) * 3 + ("scam",)
SIZES = {"train": 100, "validation": 50, "test": 50, "heldout": 60}
HIDDEN, WORDS, RANK, ALPHA = 4, 7, 2, 16
CURVES = {"adapter_macro_f1": {"zero": 0.5, "full": 0.9}}
BASE = {
    "model.embeddings.tok_embeddings.weight": [WORDS, HIDDEN],
    "model.layers.0.attn.Wqkv.weight": [12, HIDDEN],
    "model.layers.0.attn.Wo.weight": [HIDDEN, HIDDEN],
    "model.final_norm.weight": [HIDDEN],
    "decoder.bias": [WORDS],
}
TABLE = "model.embeddings.tok_embeddings"
LAYERS = {"model.layers.0.attn.Wqkv": (12, 4), "model.layers.0.attn.Wo": (4, 4)}
# 7*4 + 12*4 + 4*4 + 4 without the decoder, and the head of 3 labels.
HEAD = 3 * HIDDEN + 3
FULL = 96 + HEAD
# Rows and columns of both layers and the table of words together; rows by columns.
ADDED, WHOLE = 35, 92
Change = Callable[[Path], None]
NOTHING = Text("", "")


def labels_of(split: str) -> dict[str, str]:
    """Return {id: label}; the wrong column is the next label."""
    size = SIZES[split]
    return {f"{split}-{n}": PATTERN[n % len(PATTERN)] for n in range(size)}


def worse(split: str, wrong: int) -> dict[str, str]:
    """Return labels of a split, so many of "net" given as "bill"."""
    labels = labels_of(split)
    some = [one for one, label in labels.items() if label == "net"][:wrong]
    return labels | dict.fromkeys(some, "bill")


def score(split: str, given: Mapping[str, str]) -> float:
    """Return macro-F1 of labels for a split."""
    return macro_f1(list(labels_of(split).values()), list(given.values()))


def write_csv(path: Path, header: list[str], rows: Iterable[Iterable[str]]) -> None:
    """Write a CSV file of the fixture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])


def write_tensors(path: Path, shapes: Mapping[str, Iterable[int]]) -> None:
    """Write a safetensors file of zeros."""
    tensors, end = {}, 0
    for name, shape in shapes.items():
        begin, end = end, end + 4 * math.prod(shape)
        place = {"dtype": "F32", "shape": list(shape), "data_offsets": [begin, end]}
        tensors[name] = place
    header = json.dumps(tensors).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(end))


def adapter_shapes(rank: int = RANK) -> dict[str, list[int]]:
    """Return what the adapter's file holds."""
    shapes = {"classifier.weight": [3, HIDDEN], "classifier.bias": [3]}
    for layer, (rows, columns) in LAYERS.items():
        shapes[f"{layer}.lora_A.weight"] = [rank, columns]
        shapes[f"{layer}.lora_B.weight"] = [rows, rank]
    shapes[f"{TABLE}.lora_embedding_A"] = [rank, WORDS]
    shapes[f"{TABLE}.lora_embedding_B"] = [HIDDEN, rank]
    return {f"base_model.model.{name}": shape for name, shape in shapes.items()}


def write_release(folder: Path) -> None:
    """Write data, key and the shapes of a base model."""
    for split in SIZES:
        rows = [(one, "a b c", label) for one, label in labels_of(split).items()]
        if split == "heldout":
            inputs = [row[:2] for row in rows]
            write_csv(folder / "data/heldout.csv", ["id", "text"], inputs)
            hidden = [row[::2] for row in rows]
            write_csv(folder / "key/heldout.csv", ["id", "team"], hidden)
            continue
        queued = [(*row, CODES[(CODES.index(row[2]) + 1) % 3]) for row in rows]
        header = ["id", "text", "team", "queue"]
        write_csv(folder / f"data/{split}.csv", header, queued)
    write_tensors(folder / "base_model/model.safetensors", BASE)


def write_predictions(path: Path, labels: Mapping[str, str]) -> None:
    """Write id and label as the notebook does."""
    write_csv(path, ["id", "label"], labels.items())


def write_numbers(folder: Path, split: str, labels: Mapping[str, str]) -> None:
    """Write what the examiner's run of the adapter gave for a released split."""
    rows = [(one, str(CODES.index(label))) for one, label in labels.items()]
    write_csv(folder / f"run/numbers_{split}.csv", ["id", "number"], rows)


def run_of(rank: int, rate: float, wrong: int, split: str = "validation") -> Any:
    """Return a short run as the notebook writes it."""
    # Nobody gets all of them right in a short run.
    given = worse(split, wrong + 2)
    return {
        "rank": rank,
        "learning_rate": rate,
        "macro_f1": score(split, given),
        "labels": list(given.values()),
    }


def search(split: str = "validation") -> dict[str, Any]:
    """Return search.json; rank 2 with the larger rate is best."""
    runs = [
        run_of(2, 0.002, 5, split),
        run_of(2, 0.005, 1, split),
        run_of(8, 0.002, 6, split),
        run_of(8, 0.005, 3, split),
    ]
    return {"ids": list(labels_of(split)), "runs": runs}


def training() -> dict[str, Any]:
    """Return training.json of two epochs; the second is better and was kept."""
    log: list[dict[str, float]] = []
    for epoch, loss, found in ((1, 2.0, 0.9), (2, 0.5, 1.0)):
        log.append({"epoch": epoch, "step": epoch * 7, "loss": loss})
        log.append({"epoch": epoch, "step": epoch * 7, "eval_macro_f1": found})
    return {
        "log": log,
        "best_step": 14,
        "chosen_by": "macro_f1",
        "training_examples": 100,
        "training_ids": fingerprint(labels_of("train")),
        "checking_ids": fingerprint(labels_of("validation")),
        "max_length": 112,
    }


def settings() -> dict[str, Any]:
    """Return adapter_config.json as peft writes it, as far as it matters."""
    return {
        "peft_type": "LORA",
        "r": RANK,
        "lora_alpha": ALPHA,
        "target_modules": [*LAYERS, TABLE],
        "modules_to_save": ["classifier"],
        "bias": "none",
        "use_dora": False,
        "rank_pattern": {},
    }


def write_gold(folder: Path) -> None:
    """Write every deliverable of faultless work, and the examiner's own run."""
    counts = {"bill": 60, "net": 30, "scam": 10}
    write_json(folder / "data_facts.json", {"messages_per_team": counts})
    write_json(folder / "full.json", {"parameters": FULL})
    added = {str(rank): rank * ADDED for rank in (1, 2, 4, 8, 16, 32)}
    write_json(folder / "added.json", {"added": added})
    trained = 8 * ADDED + HEAD
    write_json(folder / "trainable.json", {"rank": 8, "trainable": trained})
    memory = {"full_bytes": FULL * 12, "lora_bytes": trained * 12}
    write_json(folder / "memory.json", memory)
    full = run_of(0, 5e-4, 2)
    write_json(folder / "full_run.json", {"ids": search()["ids"], **full})
    write_json(folder / "search.json", search())
    chosen = {"rank": 2, "learning_rate": 0.005, "chosen_by": "macro_f1"}
    write_json(folder / "chosen.json", chosen)
    write_json(folder / "training.json", training())
    write_json(folder / "adapter/adapter_config.json", settings())
    write_tensors(folder / "adapter/adapter_model.safetensors", adapter_shapes())
    merged = {"scale": ALPHA / RANK, "weight_difference": 0.0}
    write_json(folder / "merged.json", merged | {"largest_difference": 2e-6})
    write_predictions(folder / "predictions.csv", labels_of("heldout"))
    write_predictions(folder / "run/predictions.csv", labels_of("heldout"))
    for split in ("validation", "test"):
        write_numbers(folder, split, labels_of(split))
    test = worse("test", 1)
    write_predictions(folder / "test_predictions.csv", test)
    write_json(folder / "test_report.json", {"macro_f1": score("test", test)})


def submission_of(folder: Path) -> Submission:
    """Return the submission in ``folder`` beside the release in it."""
    labels = tuple(Label(code, Text(code, code), NOTHING) for code in CODES)
    columns = {"text": "text", "label": "team", "wrong_label": "queue"}
    curves = {"zh": CURVES, "en": CURVES}
    scenario = Scenario("toy", "1", NOTHING, NOTHING, labels, columns, curves, {})
    written = dict.fromkeys(("compare_ways", "read_search", "deploy"), "starter")
    answers = dict.fromkeys(written, "an answer")
    trusted, key = TrustedFiles(folder), TrustedFiles(folder / "key")
    base = Submission(folder, trusted, scenario, "en", answers, written, key=key)
    return replace(base, model_output=folder / "run")


def rows_of(folder: Path) -> dict[str, Row]:
    """Return the marked rows by code."""
    return {row.code: row for row in mark(CHECKS, submission_of(folder))}


def given_to(folder: Path) -> float:
    """Return the machine points of the work in a folder."""
    return sum(row.given or 0 for row in rows_of(folder).values())


@pytest.fixture(scope="module")
def gold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a release and faultless work."""
    folder = tmp_path_factory.mktemp("gold")
    write_release(folder)
    write_gold(folder)
    return folder


@pytest.fixture
def work(gold: Path, tmp_path: Path) -> Path:
    """Return a copy of the faultless work to spoil."""
    return shutil.copytree(gold, tmp_path / "work")


def test_gold_gets_all_machine_points(gold: Path) -> None:
    """Faultless work passes every machine row; the written answers await marking."""
    rows = rows_of(gold)
    lost = [row.code for row in rows.values() if row.given not in (row.points, None)]
    assert lost == []
    assert given_to(gold) == 85
    assert {row.outcome for row in rows.values() if row.given is None} == {
        "awaiting marking"
    }


def test_points_are_a_hundred_and_85_by_machine() -> None:
    """There are 21 machine rows of 85 points and 3 rows by hand of 15."""
    machine = [check.points for check in CHECKS if not check.by_hand]
    hand = [check.points for check in CHECKS if check.by_hand]
    assert (len(machine), sum(machine), len(hand), sum(hand)) == (21, 85, 3, 15)


def test_rows_with_hidden_labels_are_closed() -> None:
    """The notebook runs all machine rows but the three that need hidden labels."""
    machine = {check.code for check in CHECKS if not check.by_hand}
    shown = set(open_codes(GRADER.read_text("utf-8")))
    assert machine - shown == {"M19", "M20", "M21"}


def test_nothing_handed_in_is_not_attempted(tmp_path: Path) -> None:
    """Without any deliverable no row passes and none is broken."""
    write_release(tmp_path)
    (tmp_path / "run").mkdir()
    rows = rows_of(tmp_path)
    assert {row.given for row in rows.values()} <= {0.0, None}
    assert {row.outcome for row in rows.values()} <= {
        "not attempted",
        "skipped",
        "awaiting marking",
    }


def edit(name: str, **changes: Any) -> Change:
    """Return a change of some fields of a JSON deliverable."""

    def change(folder: Path) -> None:
        value = json.loads((folder / name).read_text("utf-8"))
        write_json(folder / name, value | changes)

    return change


def with_shapes(shapes: Mapping[str, Iterable[int]]) -> Change:
    """Return a change of the tensors in the adapter's file."""

    def change(folder: Path) -> None:
        write_tensors(folder / "adapter/adapter_model.safetensors", shapes)

    return change


def searched(**changes: Any) -> Change:
    """Return a change of the second run of the search."""
    runs = search()["runs"]
    return edit("search.json", runs=[runs[0], runs[1] | changes, *runs[2:]])


HEADLESS = {n: s for n, s in adapter_shapes().items() if "classifier" not in n}
POOR = {"macro_f1": 0.25, "labels": ["bill"] * 50}
COMMON = {
    "other label column": (
        edit("data_facts.json", messages_per_team={"net": 60, "scam": 30, "bill": 10}),
        "M1",
        "other column",
    ),
    "tables counted": (edit("full.json", parameters=7), "M2", "directions"),
    "whole tables": (
        edit("added.json", added={str(r): r * WHOLE for r in (1, 2, 4, 8, 16, 32)}),
        "M3",
        "narrow",
    ),
    "frozen ones counted": (
        edit("trainable.json", trainable=FULL + 8 * ADDED),
        "M4",
        "Frozen",
    ),
    "head frozen": (edit("trainable.json", trainable=8 * ADDED), "M4", "head"),
    "gradient forgotten": (
        edit("memory.json", full_bytes=FULL * 8, lora_bytes=(8 * ADDED + HEAD) * 8),
        "M5",
        "gradient",
    ),
    "score of what was learned": (
        edit("training.json", training_examples=150),
        "M21",
        "no test any more",
    ),
    "score made up": (edit("full_run.json", macro_f1=0.99), "M6", "labels"),
    "one rate only": (edit("search.json", runs=search()["runs"][:2]), "M7", "2 runs"),
    "a run twice": (searched(learning_rate=0.002), "M7", "4 runs"),
    "a label missing": (searched(labels=["bill"]), "M7", "1 labels for 50"),
    "score of a run made up": (searched(macro_f1=1.0), "M8", "labels"),
    "steps too small": (
        edit(
            "search.json",
            runs=[run | POOR for run in search()["runs"]],
        ),
        "M9",
        "larger",
    ),
    "searched on test": (edit("search.json", **search("test")), "M10", "validation"),
    "chosen by loss": (edit("chosen.json", chosen_by="loss"), "M10", "macro-F1"),
    "worse run chosen": (edit("chosen.json", learning_rate=0.002), "M10", "higher"),
    "other rank": (edit("chosen.json", rank=8), "M11", "rank 2"),
    "huge rank": (edit("adapter/adapter_config.json", r=9999), "M11", '"r" is 9999'),
    "foreign layer": (
        edit("adapter/adapter_config.json", target_modules=["q_proj"]),
        "M11",
        "q_proj",
    ),
    "another kind": (
        edit("adapter/adapter_config.json", use_dora=True),
        "M15",
        "use_dora",
    ),
    "nothing learned": (
        edit("training.json", log=[*training()["log"], {"epoch": 3, "loss": 2.1}]),
        "M12",
        "learning rate",
    ),
    "checked on test": (
        edit("training.json", checking_ids=fingerprint(labels_of("test"))),
        "M13",
        "validation",
    ),
    "trained on test": (edit("training.json", training_examples=150), "M14", "test"),
    "head not saved": (with_shapes(HEADLESS), "M15", "head"),
    "whole model saved": (with_shapes(BASE), "M15", "too many"),
    "scale turned round": (edit("merged.json", scale=RANK / ALPHA), "M16", "wrong way"),
    "other weights": (edit("merged.json", weight_difference=0.3), "M16", "peft"),
    "compared with itself": (
        edit("merged.json", largest_difference=0.0),
        "M17",
        "itself",
    ),
    "merge changed it": (edit("merged.json", largest_difference=2.0), "M17", "changed"),
    "micro for macro": (edit("test_report.json", macro_f1=0.98), "M21", "micro"),
}


@pytest.mark.parametrize("name", COMMON)
def test_common_mistake_loses_its_row_with_a_hint(work: Path, name: str) -> None:
    """Each mistake fails its row, and the message says what to do."""
    change, code, hint = COMMON[name]
    change(work)
    row = rows_of(work)[code]
    assert (row.outcome, row.given) == ("failed", 0.0)
    assert row.message is not None
    assert hint in row.message.en


def test_a_wrong_count_does_not_cost_the_memory_again(work: Path) -> None:
    """Memory that follows from one's own wrong counts keeps two points of three."""
    edit("full.json", parameters=100)(work)
    edit("memory.json", full_bytes=1200)(work)
    rows = rows_of(work)
    assert (rows["M2"].given, rows["M5"].given) == (0.0, 2.0)


def untrained(folder: Path) -> None:
    """Hand in an adapter that never learned, and what it says: always "bill"."""
    for split in ("validation", "test"):
        write_numbers(folder, split, dict.fromkeys(labels_of(split), "bill"))
    poor = dict.fromkeys(labels_of("heldout"), "bill")
    write_predictions(folder / "run/predictions.csv", poor)
    write_predictions(folder / "predictions.csv", poor)
    log = training()["log"]
    low = score("validation", dict.fromkeys(labels_of("validation"), "bill"))
    log[1]["eval_macro_f1"] = log[3]["eval_macro_f1"] = low
    edit("training.json", log=log)(folder)
    edit("merged.json", largest_difference=0.0)(folder)


def majority(folder: Path) -> None:
    """Hand in the most common team for every held-out message."""
    poor = dict.fromkeys(labels_of("heldout"), "bill")
    write_predictions(folder / "predictions.csv", poor)


def copied(folder: Path) -> None:
    """Hand in an untrained adapter with the predictions of a better model."""
    untrained(folder)
    write_predictions(folder / "predictions.csv", labels_of("heldout"))


def of_a_short_run(folder: Path) -> None:
    """Hand in the adapter of one short run, on a part of train, with its own log."""
    untrained(folder)
    edit("training.json", training_examples=24, training_ids="a part")(folder)
    edit("merged.json", largest_difference=1e-6)(folder)


@pytest.mark.parametrize("spoil", [untrained, majority, copied, of_a_short_run])
def test_trivial_work_stays_below_60_percent(work: Path, spoil: Change) -> None:
    """With all counting and searching right, work that learned nothing stays low."""
    spoil(work)
    assert given_to(work) < 0.6 * 85


def test_quality_between_the_ends_gets_a_part(work: Path) -> None:
    """A score on the curve gets its share of the points, of the lower of both."""
    labels = worse("heldout", 14)
    write_predictions(work / "run/predictions.csv", labels)
    row = rows_of(work)["M20"]
    share = (score("heldout", labels) - 0.5) / 0.4
    assert row.given == pytest.approx(28 * share, abs=0.3)


def test_labels_of_another_model_earn_no_quality(work: Path) -> None:
    """Right predictions count only as far as the adapter gives them too."""
    copied(work)
    rows = rows_of(work)
    assert rows["M18"].given == 2.0
    assert {rows[code].given for code in ("M12", "M19", "M20", "M21")} == {0.0}


def test_a_log_of_another_adapter_gives_no_points(work: Path) -> None:
    """A log whose score the adapter does not reach is not its log."""
    poor = dict.fromkeys(labels_of("validation"), "bill")
    write_numbers(work, "validation", poor)
    row = rows_of(work)["M12"]
    assert (row.outcome, row.given) == ("failed", 0.0)


def test_an_adapter_that_knows_the_test_split_was_trained_on_it(work: Path) -> None:
    """Ids that say "train alone" do not help who has learned the test split."""
    write_numbers(work, "validation", worse("validation", 4))
    row = rows_of(work)["M14"]
    assert (row.outcome, row.given) == ("failed", 0.0)


HOSTILE_JSON = (
    *("", "null", "[]", "{", "NaN", "[" * 5000),
    '{"runs": [null, [], 7], "ids": [1], "labels": [[]], "added": {"1": []}}',
    '{"runs": 1, "ids": {}, "rank": 1e999, "r": true, "lora_alpha": "x"}',
    '{"ids": ["x"], "labels": ["y"], "macro_f1": NaN, "runs": [{"rank": 1e14}]}',
    '{"ids": ["x", "x"], "labels": ["y", "y"], "macro_f1": 0.1, "rank": 10000000000}',
    '{"parameters": 1000000000000000000000000000000, "trainable": -1, "rank": -1}',
    '{"peft_type": "LORA", "r": 2, "lora_alpha": 1, "target_modules": [[], null]}',
    '{"scale": 0, "weight_difference": -1, "largest_difference": -1}',
)
JSON_FILES = (
    *("data_facts.json", "full.json", "added.json", "trainable.json", "memory.json"),
    *("full_run.json", "search.json", "chosen.json", "training.json", "merged.json"),
    *("adapter/adapter_config.json", "test_report.json"),
)


@pytest.mark.parametrize("text", HOSTILE_JSON)
def test_hostile_json_breaks_no_row(work: Path, text: str) -> None:
    """Odd JSON everywhere leaves no row broken and none of its rows passed."""
    for name in JSON_FILES:
        (work / name).write_text(text, encoding="utf-8")
    rows = rows_of(work)
    assert [row.code for row in rows.values() if row.outcome == "broken"] == []
    assert {code for code, row in rows.items() if row.given} <= {"M18", "M20"}


@pytest.mark.parametrize("content", [b"", b"\x80\x04K\x01.", b"\xff" * 64])
def test_adapter_that_is_no_safetensors_fails(work: Path, content: bytes) -> None:
    """A pickle under the name of an adapter fails and is never opened."""
    (work / "adapter/adapter_model.safetensors").write_bytes(content)
    assert rows_of(work)["M15"].outcome == "failed"


def test_adapter_that_would_not_load_fails(work: Path) -> None:
    """What the examiner's run says about the adapter is the trainee's message."""
    (work / "run/failure.txt").write_text("缺少张量\nmissing\n", encoding="utf-8")
    assert rows_of(work)["M20"].outcome == "failed"


def test_missing_key_is_our_fault(work: Path) -> None:
    """Without the key the rows on hidden labels are broken: neither zero nor full."""
    (work / "key/heldout.csv").unlink()
    rows = rows_of(work)
    assert {rows[code].outcome for code in ("M20", "M21")} == {"broken"}
    assert rows["M20"].given is None


def test_missing_base_model_is_our_fault(work: Path) -> None:
    """Without the released base model nothing can be counted: the rows are broken."""
    (work / "base_model/model.safetensors").unlink()
    rows = rows_of(work)
    assert {rows[code].outcome for code in ("M2", "M3", "M15")} == {"broken"}


def test_right_labels_are_no_predictions(work: Path) -> None:
    """Labels of the split itself, handed in for those of a run, get nothing."""
    right = list(labels_of("validation").values())
    edit("full_run.json", labels=right, macro_f1=1.0)(work)
    row = rows_of(work)["M6"]
    assert (row.outcome, row.given) == ("failed", 0.0)
    assert row.message is not None
    assert "right labels" in row.message.en


def test_half_a_character_fails_and_breaks_nothing(work: Path) -> None:
    """An escape that no file can hold is the trainee's slip, never our fault."""
    said = '{"ids": ["\\ud800"], "labels": ["bill"], "macro_f1": 0.5}'
    (work / "full_run.json").write_text(said, encoding="utf-8")
    assert rows_of(work)["M6"].outcome == "failed"
