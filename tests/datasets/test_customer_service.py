"""Facts about the scenario customer_service: its bytes, its labels, its card."""

import csv
import hashlib
import importlib
import re
import subprocess
import sys
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "datasets" / "customer_service"
SCENARIO = tomllib.loads((FOLDER / "scenario.toml").read_text("utf-8"))
CODES = [label["code"] for label in SCENARIO["labels"]]
SPLITS = {"train": 1000, "validation": 300, "test": 400, "heldout": 600}
CARD = (FOLDER / "README.md").read_text("utf-8")
HEADINGS = [
    "Source", "How it was made", "Licence", "Columns", "Splits and sizes",
    "Label scheme", "Known limits", "Baselines", "Targets", "Checksums", "Versions",
]  # fmt: skip
both_languages = pytest.mark.parametrize("language", ["zh", "en"])


@cache
def rows(language: str, split: str, part: str = "data") -> list[dict[str, str]]:
    """Return the rows of one file."""
    path = FOLDER / part / language / f"{split}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def regenerated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the generator has just written everything."""
    folder = tmp_path_factory.mktemp("customer_service")
    script = FOLDER / "generate.py"
    subprocess.run([sys.executable, script, "--out", folder], check=True)
    return folder


def data_files() -> list[Path]:
    """Return every data and key file, relative to the scenario."""
    found = [*FOLDER.glob("data/*/*.csv"), *FOLDER.glob("key/*/*.csv")]
    return sorted(path.relative_to(FOLDER) for path in found)


def test_generator_writes_the_committed_bytes(regenerated: Path) -> None:
    """Running the generator again gives every file, byte for byte."""
    assert len(data_files()) == 10
    for path in data_files():
        assert (regenerated / path).read_bytes() == (FOLDER / path).read_bytes(), path


def test_card_has_its_headings() -> None:
    """The dataset card has every section a reader looks for, in order."""
    assert re.findall(r"^## (.+)$", CARD, re.MULTILINE) == HEADINGS


def test_card_checksums_hold() -> None:
    """The card lists every data file with its true sha256."""
    listed = dict(re.findall(r"`((?:data|key)/\S+\.csv)` \| `([0-9a-f]{64})`", CARD))
    assert listed == {
        str(path): hashlib.sha256((FOLDER / path).read_bytes()).hexdigest()
        for path in data_files()
    }


@both_languages
def test_splits_have_their_sizes_and_columns(language: str) -> None:
    """Every split has the size and columns that scenario.toml states."""
    for split, size in SPLITS.items():
        assert (
            len(rows(language, split)) == size == SCENARIO["languages"][language][split]
        )
        labelled = [] if split == "heldout" else ["team"]
        columns = ["id", "text", "channel", "queue", *labelled]
        assert list(rows(language, split)[0]) == columns


@both_languages
def test_heldout_key_answers_the_heldout_rows(language: str) -> None:
    """The key has one team for every held-out id, in the same order."""
    key = rows(language, "heldout", "key")
    assert [row["id"] for row in key] == [r["id"] for r in rows(language, "heldout")]
    assert list(key[0]) == ["id", "team"]


@both_languages
def test_labels_and_queues_use_the_same_eight_teams(language: str) -> None:
    """Every split of both languages uses exactly the teams of scenario.toml."""
    assert len(CODES) == 8
    for split in SPLITS:
        part = "key" if split == "heldout" else "data"
        assert {row["team"] for row in rows(language, split, part)} == set(CODES)
        assert {row["queue"] for row in rows(language, split)} == set(CODES)


@both_languages
def test_rarest_team_is_rare(language: str) -> None:
    """The rarest team of the held-out split has 4 to 5 per cent of the rows."""
    counts = Counter(row["team"] for row in rows(language, "heldout", "key"))
    team, count = counts.most_common()[-1]
    assert team == SCENARIO["languages"][language]["rarest"]
    assert 0.04 <= count / 600 <= 0.05


@both_languages
def test_queue_is_a_wrong_label(language: str) -> None:
    """The queue the customer chose is the right team in less than half of the rows."""
    for split in ("train", "validation", "test"):
        part = rows(language, split)
        agreement = sum(row["queue"] == row["team"] for row in part) / len(part)
        assert 0.38 <= agreement <= 0.52


@both_languages
def test_only_training_labels_are_noisy(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between 3 and 5 per cent of the training labels are wrong, elsewhere none."""
    monkeypatch.syspath_prepend(str(FOLDER))
    generate = importlib.import_module("generate")
    for split, part in generate.make_rows(language).items():
        wrong = sum(row.recorded != row.message.team for row in part) / len(part)
        assert 0.03 <= wrong <= 0.05 if split == "train" else wrong == 0


@both_languages
def test_no_text_or_id_is_shared(language: str) -> None:
    """No text and no id occurs twice, within a split or across splits."""
    everything = [row for split in SPLITS for row in rows(language, split)]
    letters = ["".join(filter(str.isalpha, row["text"].lower())) for row in everything]
    assert len(set(letters)) == len(letters) == 2300
    assert len({row["id"] for row in everything}) == 2300


@both_languages
def test_ids_reveal_nothing(language: str) -> None:
    """Ids have one form, and their order does not follow the splits."""
    numbers = []
    for row in rows(language, "heldout"):
        match = re.fullmatch(rf"cs-{language}-(\d{{5}})", row["id"])
        assert match
        numbers.append(int(match[1]))
    assert min(numbers) < 100
    assert max(numbers) > 2200


@both_languages
def test_guideline_names_every_team_and_numbers_its_rules(language: str) -> None:
    """The guideline names each team in words and code, and cites only real rules."""
    text = (FOLDER / f"guideline.{language}.md").read_text("utf-8")
    for label in SCENARIO["labels"]:
        assert f"`{label['code']}`" in text
        assert label[language] in text
    stated = set(re.findall(r"\*\*(G\d+)", text))
    assert stated == {f"G{number}" for number in range(1, 15)}
    assert set(re.findall(r"G\d+", text)) <= stated


@both_languages
def test_curves_leave_room_above_the_baseline(language: str) -> None:
    """No points at or above the TF-IDF baseline, and a real way up to full points."""
    curves = SCENARIO["curves"][language]
    baseline = SCENARIO["languages"][language]["baseline_macro_f1"]
    assert baseline <= curves["macro_f1"]["zero"] < curves["macro_f1"]["full"] < 1
    assert curves["macro_f1"]["full"] - baseline >= 0.1
    assert 0 < curves["rarest_recall"]["zero"] < curves["rarest_recall"]["full"] < 1
