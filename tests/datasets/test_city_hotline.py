"""Facts about the scenario city_hotline: its bytes, its labels, its cases, its card."""

import csv
import hashlib
import importlib.util
import re
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from transformers import AutoTokenizer

FOLDER = Path(__file__).parents[2] / "datasets" / "city_hotline"
SCENARIO = tomllib.loads((FOLDER / "scenario.toml").read_text("utf-8"))
CODES = [label["code"] for label in SCENARIO["labels"]]
SPLITS = {"train": 1200, "validation": 400, "test": 600, "heldout": 900}
TOTAL = 3100
CARD = (FOLDER / "README.md").read_text("utf-8")
HEADINGS = [
    "Source", "How it was made", "Licence", "Columns", "Splits and sizes",
    "Label scheme", "Known limits", "Baselines", "Targets", "Checksums", "Versions",
]  # fmt: skip
ANSWERS = ["team", "urgency", "case"]
both_languages = pytest.mark.parametrize("language", ["zh", "en"])


@cache
def rows(language: str, split: str, part: str = "data") -> list[dict[str, str]]:
    """Return the rows of one file."""
    path = FOLDER / part / language / f"{split}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def answers(language: str, split: str) -> list[dict[str, str]]:
    """Return the rows with team, urgency and case; held-out ones come from the key."""
    return rows(language, split, "key" if split == "heldout" else "data")


@pytest.fixture(scope="module")
def regenerated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the generator has just written everything."""
    folder = tmp_path_factory.mktemp("city_hotline")
    script = FOLDER / "generate.py"
    subprocess.run([sys.executable, script, "--out", folder], check=True)
    return folder


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return generate.py as a module of a name that no other scenario has."""
    monkeypatch.syspath_prepend(str(FOLDER))
    name = "city_hotline_generate"
    spec = importlib.util.spec_from_file_location(name, FOLDER / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


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
    """Every split has the size that scenario.toml states, and the lab's columns."""
    for split, size in SPLITS.items():
        part = rows(language, split)
        assert len(part) == size == SCENARIO["languages"][language][split]
        labelled = [] if split == "heldout" else ANSWERS
        assert list(part[0]) == ["id", "text", "channel", "queue", *labelled]


@both_languages
def test_heldout_key_answers_the_heldout_rows(language: str) -> None:
    """The key has team, urgency and case of every held-out id, in the same order."""
    key = rows(language, "heldout", "key")
    assert [row["id"] for row in key] == [r["id"] for r in rows(language, "heldout")]
    assert list(key[0]) == ["id", *ANSWERS]


@both_languages
def test_labels_and_queues_use_the_same_eleven_teams(language: str) -> None:
    """Every split of both languages uses exactly the teams of scenario.toml."""
    assert len(CODES) == 11
    for split in SPLITS:
        assert {row["team"] for row in answers(language, split)} == set(CODES)
        assert {row["queue"] for row in rows(language, split)} == set(CODES)


@both_languages
def test_teams_have_a_long_tail(language: str) -> None:
    """The rarest held-out team has 3 per cent of the rows, the largest six times it."""
    counts = Counter(row["team"] for row in answers(language, "heldout"))
    (_, most), *_, (rarest, least) = counts.most_common()
    facts = SCENARIO["languages"][language]
    assert rarest == facts["rarest"]
    assert 0.025 <= least / SPLITS["heldout"] <= 0.035
    assert most >= 5.5 * least
    assert facts["majority_accuracy"] == pytest.approx(most / 900, abs=0.001)


@both_languages
def test_queue_is_a_wrong_label(language: str) -> None:
    """The category the citizen chose is right in less than half of the rows."""
    for split in ("train", "validation", "test"):
        part = rows(language, split)
        agreement = sum(row["queue"] == row["team"] for row in part) / len(part)
        assert 0.38 <= agreement <= 0.52


@both_languages
def test_only_training_labels_are_noisy(language: str, generator: ModuleType) -> None:
    """3 to 5 per cent of training teams and urgencies are wrong, elsewhere none."""
    for split, part in generator.make_rows(language).items():
        teams = sum(row.team != row.case.team for row in part) / len(part)
        urgencies = sum(row.urgency != row.case.urgency for row in part) / len(part)
        for wrong in (teams, urgencies):
            assert 0.03 <= wrong <= 0.05 if split == "train" else wrong == 0


@both_languages
def test_no_text_or_id_is_shared(language: str) -> None:
    """No text and no id occurs twice, within a split or across splits."""
    everything = [row for split in SPLITS for row in rows(language, split)]
    letters = ["".join(filter(str.isalpha, row["text"].lower())) for row in everything]
    assert len(set(letters)) == len(letters) == TOTAL
    assert len({row["id"] for row in everything}) == TOTAL


@both_languages
def test_ids_reveal_nothing(language: str) -> None:
    """Ids have one form, and their order does not follow the splits."""
    numbers = []
    for row in rows(language, "heldout"):
        match = re.fullmatch(rf"ch-{language}-(\d{{5}})", row["id"])
        assert match
        numbers.append(int(match[1]))
    assert min(numbers) < 100
    assert max(numbers) > TOTAL - 100


@both_languages
def test_a_case_is_one_matter_in_one_split(language: str) -> None:
    """Messages of a case share split, team and urgency; one in seven has a twin."""
    seen = defaultdict(list)
    for split in SPLITS:
        for row in answers(language, split):
            seen[row["case"]].append((split, row["team"], row["urgency"]))
    for messages in seen.values():
        assert len({split for split, _, _ in messages}) == 1
        if messages[0][0] != "train":
            assert len(set(messages)) == 1
    shared = [messages for messages in seen.values() if len(messages) > 1]
    assert 0.12 <= sum(map(len, shared)) / TOTAL <= 0.2
    assert max(map(len, shared)) == 4


@both_languages
def test_slices_are_large_enough(language: str) -> None:
    """Every channel and urgency can be told apart, and long texts from short ones."""
    test = rows(language, "test") + rows(language, "validation")
    assert {row["channel"] for row in test} == {"phone", "app", "web"}
    assert min(Counter(row["channel"] for row in test).values()) >= 100
    levels = [str(level["level"]) for level in SCENARIO["urgency"]]
    counts = Counter(row["urgency"] for row in test)
    assert sorted(counts) == levels == ["1", "2", "3", "4"]
    assert min(counts.values()) >= 40
    lengths = sorted(len(row["text"]) for row in test)
    assert lengths[-100] >= 2 * lengths[100]


@both_languages
def test_tokens_are_known(language: str) -> None:
    """Hardly any token is [UNK], and the recipe's length keeps 95 per cent whole."""
    base = FOLDER.parent / "base_models" / SCENARIO["model"]["base"]
    tokenizer = AutoTokenizer.from_pretrained(base)
    texts = [row["text"] for row in rows(language, "train")]
    encoded = [tokenizer(text, truncation=True)["input_ids"] for text in texts]
    tokens = [token for ids in encoded for token in ids]
    assert tokens.count(tokenizer.unk_token_id) < 0.005 * len(tokens)
    limit = SCENARIO["recipe"]["max_length"]
    assert sum(len(ids) <= limit for ids in encoded) >= 0.96 * len(encoded)


def test_first_training_text_tells_the_language() -> None:
    """The first English training text has no Chinese: baselines.py looks at it."""
    assert rows("en", "train")[0]["text"].isascii()
    assert not rows("zh", "train")[0]["text"].isascii()


@both_languages
def test_guideline_names_every_team_and_numbers_its_rules(language: str) -> None:
    """The guideline names each team in words and code, and cites only real rules."""
    text = (FOLDER / f"guideline.{language}.md").read_text("utf-8")
    for label in SCENARIO["labels"]:
        assert f"| {label[language]} | `{label['code']}` |" in text
    stated = re.findall(r"\*\*([GUD]\d+)", text)
    groups = {"G": 15, "U": 4, "D": 3}
    assert stated == [f"{k}{i}" for k, n in groups.items() for i in range(1, n + 1)]
    assert set(re.findall(r"\b[GUD]\d+\b", text, re.ASCII)) <= set(stated)


@both_languages
def test_curves_leave_room_above_the_baseline(language: str) -> None:
    """No points at or above the TF-IDF baseline, and a real way up to full points."""
    curves = SCENARIO["curves"][language]
    baseline = SCENARIO["languages"][language]["baseline_macro_f1"]
    assert 0.3 < baseline <= curves["macro_f1"]["zero"] < curves["macro_f1"]["full"] < 1
    assert curves["macro_f1"]["full"] - baseline >= 0.07
    assert 0 < curves["rarest_recall"]["zero"] < curves["rarest_recall"]["full"] < 1
