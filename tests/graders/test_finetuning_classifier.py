"""The mark sheet of finetuning_classifier gives points for the work and nothing else."""

import csv
import json
import math
import shutil
import struct
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score
from tokenizers import Tokenizer, models, pre_tokenizers

from lab_env.checks import Text
from lab_env.files import content_folder, write_json
from lab_env.marksheet import Row, mark
from lab_env.metrics import fingerprint, macro_f1
from lab_env.open_rows import open_codes
from lab_env.release import load_checks
from lab_env.scenario import Label, Scenario
from lab_env.submission import Submission, TrustedFiles

GRADER = content_folder("graders") / "finetuning_classifier.py"
CHECKS = load_checks(GRADER)
CODES = ("bill", "net", "scam")
# Of each ten messages: six, three and one.
PATTERN = ("bill",) * 6 + ("net",) * 3 + ("scam",)
SIZES = {"train": 100, "validation": 50, "test": 50, "heldout": 60}
HIDDEN, WIDTH, WORDS = 4, 2, 3
CURVES = {"macro_f1": {"zero": 0.5, "full": 0.9}}
CURVES["rarest_recall"] = {"zero": 0.2, "full": 0.8}


def labels_of(split: str) -> dict[str, str]:
    """Return {id: label}; the wrong column is the next label."""
    size = SIZES[split]
    return {f"{split}-{n}": PATTERN[n % len(PATTERN)] for n in range(size)}


def write_csv(path: Path, header: list[str], rows: Iterable[Iterable[str]]) -> None:
    """Write a CSV file of the fixture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])


def write_release(folder: Path) -> None:
    """Write data, key and a base model that is only a shape and a tokenizer."""
    for split in SIZES:
        rows = [(one, "a b c", label) for one, label in labels_of(split).items()]
        if split == "heldout":
            write_csv(
                folder / "data/heldout.csv", ["id", "text"], [r[:2] for r in rows]
            )
            write_csv(
                folder / "key/heldout.csv", ["id", "team"], [r[::2] for r in rows]
            )
            continue
        queued = [(*row, CODES[(CODES.index(row[2]) + 1) % 3]) for row in rows]
        header = ["id", "text", "team", "queue"]
        write_csv(folder / f"data/{split}.csv", header, queued)
    tokenizer = Tokenizer(models.WordLevel({"a": 0, "b": 1, "c": 2}, unk_token="a"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    write_json(folder / "base_model/config.json", base_config())
    tokenizer.save(str(folder / "base_model/tokenizer.json"))


def base_config() -> dict[str, Any]:
    """Return the shape of the fixture's base model."""
    sizes = {"hidden_size": HIDDEN, "num_hidden_layers": WIDTH, "vocab_size": WORDS}
    return {"model_type": "tiny", "max_position_embeddings": 8} | sizes


def write_predictions(path: Path, labels: dict[str, str]) -> None:
    """Write id and label as the notebook does."""
    write_csv(path, ["id", "label"], labels.items())


def write_gold(folder: Path) -> None:
    """Write every deliverable of faultless work, and the examiner's own run."""
    write_json(
        folder / "data_facts.json",
        {"messages": 100, "messages_per_team": {"bill": 60, "net": 30, "scam": 10}},
    )
    write_json(folder / "balance.json", {"imbalance_ratio": 6.0})
    write_json(folder / "majority.json", {"accuracy": 0.6})
    learned = fingerprint(labels_of("train"))
    write_json(folder / "baseline.json", {"macro_f1": 1.0, "training_ids": learned})
    write_predictions(folder / "baseline_predictions.csv", labels_of("validation"))
    write_json(folder / "tokens.json", {"max_length": 3})
    write_json(folder / "training.json", training())
    write_predictions(folder / "predictions.csv", labels_of("heldout"))
    write_predictions(folder / "run/predictions.csv", labels_of("heldout"))
    for split in ("validation", "test"):
        write_numbers(folder, split, labels_of(split))
    ids = {str(number): code for number, code in enumerate(CODES)}
    write_json(folder / "model/config.json", base_config() | {"id2label": ids})
    write_tensors(folder / "model/model.safetensors", [WORDS, HIDDEN], [3, HIDDEN])
    test = labels_of("test")
    one = next(name for name, label in test.items() if label == "bill")
    test[one] = "net"
    write_predictions(folder / "test_predictions.csv", test)
    right = list(labels_of("test").values())
    scores = {"accuracy": 0.98, "macro_f1": macro_f1(right, list(test.values()))}
    write_json(folder / "test_report.json", scores)
    pair = {"right_team": "bill", "given_team": "net"}
    write_json(folder / "most_confused.json", pair)


def write_numbers(folder: Path, split: str, labels: dict[str, str]) -> None:
    """Write what the examiner's run of the model gave for a released split."""
    rows = [(one, str(CODES.index(label))) for one, label in labels.items()]
    write_csv(folder / f"run/numbers_{split}.csv", ["id", "number"], rows)


def training() -> dict[str, Any]:
    """Return training.json of two epochs; the second is better and was kept."""
    log: list[dict[str, float]] = []
    for epoch, loss, score in ((1, 2.0, 0.98), (2, 0.5, 1.0)):
        log.append({"epoch": epoch, "step": epoch * 7, "loss": loss})
        log.append(
            {
                "epoch": epoch,
                "step": epoch * 7,
                "eval_loss": 1.0,
                "eval_macro_f1": score,
            }
        )
    return {
        "log": log,
        "best_step": 14,
        "chosen_by": "macro_f1",
        "training_examples": 100,
        "training_ids": fingerprint(labels_of("train")),
        "checking_ids": fingerprint(labels_of("validation")),
        "max_length": 3,
    }


def write_tensors(path: Path, *shapes: list[int]) -> None:
    """Write a safetensors file of zeros."""
    tensors, end = {}, 0
    for number, shape in enumerate(shapes):
        begin, end = end, end + 4 * math.prod(shape)
        place = {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}
        tensors[f"t{number}"] = place
    header = json.dumps(tensors).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(end))


def submission_of(folder: Path) -> Submission:
    """Return the submission in ``folder`` beside the release in it."""
    labels = tuple(Label(code, Text(code, code), Text("", "")) for code in CODES)
    columns = {"text": "text", "label": "team", "wrong_label": "queue"}
    nothing = Text("", "")
    curves = {"zh": CURVES, "en": CURVES}
    scenario = Scenario("toy", "1", nothing, nothing, labels, columns, curves, {})
    written = dict.fromkeys(("which_team", "why", "what_next"), "starter")
    answers = dict.fromkeys(written, "an answer")
    trusted = TrustedFiles(folder)
    key = TrustedFiles(folder / "key")
    base = Submission(folder, trusted, scenario, "en", answers, written, key=key)
    return replace(base, model_output=folder / "run")


def rows_of(folder: Path) -> dict[str, Row]:
    """Return the marked rows by code."""
    return {row.code: row for row in mark(CHECKS, submission_of(folder))}


@pytest.fixture(scope="session")
def gold_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a release and faultless work, not to be changed."""
    folder = tmp_path_factory.mktemp("gold")
    write_release(folder)
    write_gold(folder)
    return folder


@pytest.fixture
def work(gold_folder: Path, tmp_path: Path) -> Path:
    """Return a copy of the faultless work."""
    return shutil.copytree(gold_folder, tmp_path / "work")


def test_points_sum_to_a_hundred_with_twelve_by_hand() -> None:
    """All rows together are 100 points, 12 of them given by a person."""
    assert sum(check.points for check in CHECKS) == 100
    assert sum(check.points for check in CHECKS if check.by_hand) == 12


def test_only_rows_without_key_are_open() -> None:
    """The notebook answers every machine row but the five that need hidden labels."""
    closed = {"M16", "M17", "M18", "M19", "J1", "J2", "J3"}
    codes = {check.code for check in CHECKS}
    assert set(open_codes(GRADER.read_text("utf-8"))) == codes - closed


def test_gold_gets_every_machine_point(gold_folder: Path) -> None:
    """Faultless work gets 88 points, and three rows wait for a person."""
    rows = rows_of(gold_folder)
    lost = [row for row in rows.values() if not row.by_hand and row.given != row.points]
    assert lost == []
    waiting = [row.code for row in rows.values() if row.outcome == "awaiting marking"]
    assert waiting == ["J1", "J2", "J3"]


def test_untouched_release_is_not_attempted(tmp_path: Path) -> None:
    """An empty hand-in scores 0 and every row says that it was not attempted."""
    write_release(tmp_path)
    (tmp_path / "run").mkdir()
    submission = submission_of(tmp_path)
    rows = mark(CHECKS, replace(submission, answers=submission.starters))
    assert {(row.outcome, row.given) for row in rows} == {("not attempted", 0.0)}


Change = Callable[[Path], None]


def edit(name: str, **changes: Any) -> Change:
    """Return a change of some fields of a JSON deliverable."""

    def change(folder: Path) -> None:
        value = json.loads((folder / name).read_text("utf-8"))
        write_json(folder / name, value | changes)

    return change


def relabel(name: str, pick: Callable[[str], str]) -> Change:
    """Return a change of every label of a predictions file."""

    def change(folder: Path) -> None:
        split = "validation" if "baseline" in name else "heldout"
        labels = {one: pick(label) for one, label in labels_of(split).items()}
        write_predictions(folder / name, labels)

    return change


COMMON = {
    "other label column": (
        edit("data_facts.json", messages_per_team={"net": 60, "scam": 30, "bill": 10}),
        "M2",
        "other column",
    ),
    "micro for macro": (edit("test_report.json", macro_f1=0.98), "M20", "micro"),
    "baseline saw the answers": (
        edit("baseline.json", training_ids=fingerprint(labels_of("validation"))),
        "M7",
        "answers",
    ),
    "length cuts": (edit("tokens.json", max_length=2), "M8", "keeps 0% whole"),
    "length past the model": (edit("tokens.json", max_length=9), "M8", "at most 8"),
    "labels in another order": (
        edit("model/config.json", id2label={"0": "scam", "1": "bill", "2": "net"}),
        "M9",
        "scenario.label_codes",
    ),
    "one epoch": (
        edit("training.json", log=training()["log"][:2], best_step=7),
        "M11",
        "epochs",
    ),
    "nothing learned": (
        edit("training.json", log=[*training()["log"], {"epoch": 3, "loss": 1.9}]),
        "M11",
        "learning rate",
    ),
    "log of another model": (
        edit("training.json", log=training()["log"][:2] * 2, best_step=14),
        "M13",
        "no score",
    ),
    "checked on a part": (edit("training.json", checking_ids="x"), "M13", "whole"),
    "trained on test": (edit("training.json", training_examples=150), "M12", "test"),
    "chosen by loss": (edit("training.json", chosen_by="loss"), "M13", "macro-F1"),
    "chosen on test": (
        edit("training.json", checking_ids=fingerprint(labels_of("test"))),
        "M13",
        "test split",
    ),
    "worse checkpoint": (edit("training.json", best_step=7), "M13", "higher"),
    "numbers turned to other codes": (
        relabel("predictions.csv", lambda label: CODES[CODES.index(label) - 1]),
        "M16",
        "order",
    ),
    "score too good": (edit("test_report.json", macro_f1=1.06), "M19", "test split"),
    "pair turned round": (
        edit("most_confused.json", right_team="net", given_team="bill"),
        "M21",
        "Rows are right",
    ),
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


def test_majority_predictions_get_no_quality_points(work: Path) -> None:
    """Naming the most common team for everything is 0 on both curves."""
    relabel("predictions.csv", lambda label: "bill")(work)
    rows = rows_of(work)
    assert (rows["M17"].given, rows["M18"].given) == (0.0, 0.0)


def test_quality_between_the_ends_gets_a_part(work: Path) -> None:
    """Half of the rarest team found is half way up its curve."""
    labels = labels_of("heldout")
    rare = [one for one, label in labels.items() if label == "scam"]
    labels |= dict.fromkeys(rare[: len(rare) // 2], "bill")
    write_predictions(work / "predictions.csv", labels)
    row = rows_of(work)["M18"]
    assert (row.outcome, row.given) == ("failed", 3.0)


LOG_ROWS = ("M10", "M11", "M13")


def test_a_log_counts_only_with_the_model_it_is_of(work: Path) -> None:
    """A log whose score the saved model does not reach gives no points."""
    bad = dict.fromkeys(labels_of("validation"), "bill")
    write_numbers(work, "validation", bad)
    rows = rows_of(work)
    assert {rows[code].given for code in LOG_ROWS} == {0.0}
    assert {rows[code].outcome for code in LOG_ROWS} == {"failed"}
    assert "not that of the model" in rows["M10"].message.en  # type: ignore[union-attr]


def test_a_log_without_a_model_is_not_attempted(work: Path) -> None:
    """Writing training.json by hand gives nothing without a model."""
    (work / "run/predictions.csv").unlink()
    rows = rows_of(work)
    assert {rows[code].outcome for code in LOG_ROWS} == {"not attempted"}


def test_an_untrained_model_has_learned_nothing_whatever_its_log_says(
    work: Path,
) -> None:
    """A loss that falls on paper needs a model that beats the majority."""
    labels = labels_of("validation")
    poor = macro_f1(list(labels.values()), ["bill"] * len(labels))
    write_numbers(work, "validation", dict.fromkeys(labels, "bill"))
    log = training()["log"]
    log[1]["eval_macro_f1"] = log[3]["eval_macro_f1"] = poor
    edit("training.json", log=log)(work)
    row = rows_of(work)["M11"]
    assert (row.outcome, row.given) == ("failed", 0.0)


def test_a_model_that_knows_the_test_split_was_trained_on_it(work: Path) -> None:
    """Ids that say "train alone" do not help a model that has learned the test split."""
    labels = labels_of("validation")
    some = [one for one, label in labels.items() if label == "net"][:4]
    write_numbers(work, "validation", labels | dict.fromkeys(some, "bill"))
    row = rows_of(work)["M12"]
    assert (row.outcome, row.given) == ("failed", 0.0)
    assert "by heart" in row.message.en  # type: ignore[union-attr]


@pytest.mark.parametrize("missing", [True, False])
def test_labels_from_elsewhere_earn_no_quality(work: Path, missing: bool) -> None:
    """Right predictions count only as far as the saved model gives them too."""
    if missing:
        (work / "run/predictions.csv").unlink()
    else:
        labels = dict.fromkeys(labels_of("heldout"), "bill")
        write_predictions(work / "run/predictions.csv", labels)
    rows = rows_of(work)
    assert rows["M14"].given == 3.0
    assert {rows[code].given for code in ("M16", "M17", "M18")} == {0.0}


def test_an_own_order_of_labels_does_not_cost_the_log(work: Path) -> None:
    """Numbers are read by the model's own table; the wrong order is M9's matter."""
    order = ("net", "scam", "bill")
    ids = {str(number): code for number, code in enumerate(order)}
    edit("model/config.json", id2label=ids)(work)
    rows = [
        (one, str(order.index(label))) for one, label in labels_of("validation").items()
    ]
    write_csv(work / "run/numbers_validation.csv", ["id", "number"], rows)
    marked = rows_of(work)
    assert [marked[code].given for code in LOG_ROWS] == [3.0, 3.0, 4.0]
    assert marked["M9"].given == 0.0


def test_the_other_label_column_does_not_cost_the_log(work: Path) -> None:
    """Training on the wrong column is punished where it is asked for, not again."""
    queue = {
        one: CODES[(CODES.index(label) + 1) % 3]
        for one, label in labels_of("validation").items()
    }
    write_numbers(work, "validation", queue)
    rows = rows_of(work)
    assert [rows[code].given for code in LOG_ROWS] == [3.0, 3.0, 4.0]


HOSTILE_JSON = (
    *("", "null", "[]", "{", "NaN", '{"log": 1}', '{"log": [null, [], 7]}'),
    '{"messages": 1e999, "accuracy": NaN, "macro_f1": -Infinity, "max_length": -1}',
    '{"messages": true, "log": [{"epoch": 1e300, "loss": "x", "step": {}}]}',
    '{"log": [{"epoch": 1e14, "loss": 1, "eval_loss": 1, "eval_macro_f1": 1}]}',
    '{"max_length": 10000000000000000000000000000000000000000}',
    "[" * 5000,
    '{"messages_per_team": {"bill": {"bill": ["bill"]}}}',
)
JSON_FILES = (
    *("data_facts.json", "balance.json", "majority.json", "baseline.json"),
    *("tokens.json", "training.json", "test_report.json", "most_confused.json"),
    "model/config.json",
)


@pytest.mark.parametrize("text", HOSTILE_JSON)
def test_hostile_json_never_breaks_or_gains(work: Path, text: str) -> None:
    """Odd JSON everywhere leaves no row broken and none of its rows passed."""
    for name in JSON_FILES:
        (work / name).write_text(text, encoding="utf-8")
    rows = rows_of(work)
    assert [row.code for row in rows.values() if row.outcome == "broken"] == []
    kept = {code for code, row in rows.items() if row.given}
    assert kept <= {"M5", "M14", "M17", "M18"}


HOSTILE_CSV = {
    "duplicate id": "id,label\n" + "heldout-0,bill\n" * 60,
    "unknown label": "id,label\n" + "\n".join(f"heldout-{n},<b>" for n in range(60)),
    "no header": "heldout-0,bill\n",
    "short": "id,label\nheldout-0,bill\n",
    "wide": "id,label\nheldout-0,bill,net\n",
    "nul": "id,label\nheldout-0,\0\n",
    "quote": 'id,label\n"heldout-0,bill\n',
    "huge": "id,label\n" + "x,y\n" * 2_000_000,
}


@pytest.mark.parametrize("name", HOSTILE_CSV)
def test_hostile_predictions_fail(work: Path, name: str) -> None:
    """A predictions file that is not whole fails, and quality is not looked at."""
    (work / "predictions.csv").write_text(HOSTILE_CSV[name], encoding="utf-8")
    rows = rows_of(work)
    assert rows["M14"].outcome == "failed"
    assert rows["M17"].outcome == "skipped"
    assert {rows[code].given for code in ("M14", "M16", "M17", "M18", "M19")} == {0.0}


def test_link_to_the_key_is_not_followed(work: Path) -> None:
    """A link as deliverable fails like any other file that is not plain."""
    (work / "predictions.csv").unlink()
    (work / "predictions.csv").symlink_to(work / "key" / "heldout.csv")
    assert rows_of(work)["M14"].outcome == "failed"


@pytest.mark.parametrize("content", [b"", b"\x80\x04K\x01.", b"\xff" * 64])
def test_model_that_is_no_safetensors_fails(work: Path, content: bytes) -> None:
    """A pickle under the name of a model fails and is never opened."""
    (work / "model/model.safetensors").write_bytes(content)
    rows = rows_of(work)
    assert (rows["M15"].outcome, rows["M16"].outcome) == ("failed", "skipped")


def test_model_that_would_not_load_fails(work: Path) -> None:
    """What the examiner's run says about the weights is the trainee's message."""
    (work / "run/failure.txt").write_text("缺少张量\nmissing\n", encoding="utf-8")
    assert rows_of(work)["M16"].outcome == "failed"


def test_missing_key_is_our_fault(work: Path) -> None:
    """Without the key the closed rows are broken: neither zero nor full."""
    (work / "key/heldout.csv").unlink()
    rows = rows_of(work)
    assert {rows[code].outcome for code in ("M17", "M18", "M19")} == {"broken"}
    assert rows["M17"].given is None


Pairs = st.lists(st.tuples(st.sampled_from(CODES), st.sampled_from(CODES)), min_size=1)


@settings(max_examples=50, deadline=None)
@given(Pairs)
def test_macro_f1_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    """Our few lines give the number of the library that trainees use."""
    right, told = ([pair[n] for pair in pairs] for n in (0, 1))
    expected = f1_score(right, told, average="macro", zero_division=0)
    assert macro_f1(right, told) == pytest.approx(expected)
