"""Facts about the two candidates that evaluation_classifier gives, in each scenario."""

import csv
import json
import re
import tomllib
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score

from lab_env.evaluation import mcnemar_p, only_one_right

DATASETS = Path(__file__).parents[2] / "datasets"
LAB = "evaluation_classifier"
MOST_BYTES = 400_000
everywhere = pytest.mark.parametrize(
    ("scenario", "language"),
    list(product(("customer_service", "city_hotline"), ("zh", "en"))),
)


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def rarest(scenario: str, language: str) -> str:
    """Return the team that matters most."""
    facts = tomllib.loads((DATASETS / scenario / "scenario.toml").read_text("utf-8"))
    code: str = facts["languages"][language]["rarest"]
    return code


@cache
def answers(scenario: str, language: str) -> list[tuple[str, str, str]]:
    """Return right team, A's and B's answer, for each test message."""
    key = DATASETS / scenario / "key" / language / LAB / "candidates.csv"
    given = {row["id"]: (row["a"], row["b"]) for row in rows_of(key)}
    test = rows_of(DATASETS / scenario / "data" / language / "test.csv")
    return [(row["team"], *given[row["id"]]) for row in test]


@everywhere
def test_one_is_better_on_average_the_other_where_it_matters(
    scenario: str, language: str
) -> None:
    """A has the higher accuracy, beyond chance; B finds far more of the rarest team."""
    triples = answers(scenario, language)
    right, a, b = zip(*triples, strict=True)
    only = only_one_right(triples)
    assert only[0] > only[1]
    assert mcnemar_p(*only) < 0.05
    found = [
        recall_score(right, each, labels=[rarest(scenario, language)], average="macro")
        for each in (a, b)
    ]
    assert found[1] > found[0] + 0.3


@everywhere
def test_candidates_are_small_and_safe(scenario: str, language: str) -> None:
    """An adapter is a safetensors file below 400 KB and a configuration of plain values."""
    folder = DATASETS / scenario / "data" / language / LAB
    for who in "ab":
        names = {path.name for path in (folder / f"candidate_{who}").iterdir()}
        weights = folder / f"candidate_{who}" / "adapter_model.safetensors"
        assert names == {"adapter_config.json", weights.name, "expected.csv"}
        assert weights.stat().st_size < MOST_BYTES
        facts = json.loads(weights.with_name("adapter_config.json").read_text("utf-8"))
        assert facts["base_model_name_or_path"] == "base_model"


@everywhere
def test_what_is_shown_is_what_the_candidate_answers(
    scenario: str, language: str
) -> None:
    """The twenty released scores have the answers of the key."""
    key = DATASETS / scenario / "key" / language / LAB / "candidates.csv"
    given = {row["id"]: row for row in rows_of(key)}
    for who in "ab":
        path = DATASETS / scenario / "data" / language / LAB / f"candidate_{who}"
        shown = rows_of(path / "expected.csv")
        assert len(shown) == 20
        for row in shown:
            scores = {code: float(row[code]) for code in row if code != "id"}
            assert max(scores, key=scores.__getitem__) == given[row["id"]][who]


@everywhere
def test_the_card_says_how_good_they_are(scenario: str, language: str) -> None:
    """Accuracy, macro-F1 and recall of the rarest team on test stand in the card."""
    card = (DATASETS / scenario / "README.md").read_text("utf-8")
    lines = re.findall(rf"^\| {language} \| ([AB]) \| (.+) \|$", card, re.MULTILINE)
    said = {who.lower(): cells.split(" | ") for who, cells in lines}
    right, a, b = zip(*answers(scenario, language), strict=True)
    for who, given in (("a", a), ("b", b)):
        one = rarest(scenario, language)
        values = (
            accuracy_score(right, given),
            f1_score(right, given, average="macro", zero_division=0),
            recall_score(right, given, labels=[one], average="macro"),
        )
        assert said[who] == [f"{value:.3f}" for value in values]


@everywhere
def test_wordings_can_be_put_in_place(scenario: str, language: str) -> None:
    """Each kind of rewriting changes at least nine test messages in ten."""
    path = DATASETS / scenario / "data" / language
    wordings = rows_of(path / LAB / "wordings.csv")
    texts = [row["text"] for row in rows_of(path / "test.csv")]
    for kind in ("paraphrase", "mixed"):
        said = [row["said"] for row in wordings if row["kind"] == kind]
        changed = sum(any(word in text for word in said) for text in texts)
        assert changed >= 0.9 * len(texts)
