"""Pictures of an evaluation show every sign in both languages."""

import warnings
from pathlib import Path
from typing import Any

import pandas
import pytest

from lab_env import notebook
from lab_env.widgets import evaluation_plots, fonts

NAMES = {"net": "无线网络组", "scam": "反诈安全组"}
RECALLS = {"a": {"net": 0.9, "scam": 0.1}, "b": {"net": 0.8, "scam": 0.9}}
BINS = {"a": [(0.4, 0.2), (0.9, 0.7)], "b": [(0.5, 0.5), (0.95, 0.9)]}
COSTS = {"a": {0.0: 9000.0, 1.0: 4000.0}, "b": {0.0: 3000.0, 1.0: 4000.0}}
PNG = b"\x89PNG\r\n\x1a\n"


def pictures(language: str) -> list[Any]:
    """Return every picture; a sign that no font has is an error."""
    names = NAMES if language == "zh" else {code: code.title() for code in NAMES}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return [
            evaluation_plots.recall_bars(RECALLS, names),
            evaluation_plots.reliability(BINS, language),
            evaluation_plots.cost_curves(COSTS, language),
        ]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_sign_is_missing(language: str) -> None:
    """All pictures are drawn without a word about a missing glyph."""
    assert all(picture.data.startswith(PNG) for picture in pictures(language))


def test_without_a_chinese_font_words_are_english(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A machine without Chinese fonts draws codes and English, and no empty boxes."""
    monkeypatch.setattr(evaluation_plots, "chinese_font", lambda: None)
    assert all(picture.data.startswith(PNG) for picture in pictures("zh"))


def test_this_machine_has_a_chinese_font() -> None:
    """The machine that tests can draw Chinese, or the tests above say little."""
    if fonts.chinese_font() is None:
        pytest.skip("no font with Chinese is installed")


def test_a_table_is_written_without_its_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """save_table writes the columns alone, and the cell confirms the file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(notebook, "_saved", [])
    notebook.save_table("golden.csv", pandas.DataFrame({"id": ["x"], "team": ["net"]}))
    assert Path("golden.csv").read_text("utf-8") == "id,team\nx,net\n"
    assert notebook._saved == [Path("golden.csv")]


def test_the_case_says_what_mistakes_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scenario with costs gives prices and words in the notebook's language."""
    labs = Path(__file__).parents[2] / "labs" / "evaluation_classifier"
    monkeypatch.chdir(labs)
    monkeypatch.setenv("LAB_LANGUAGE", "en")
    case = notebook.load_scenario()
    assert set(case.costs) == set(case.cost_words) == {"read", "hand_over", "missed"}
    assert case.rarest in case.label_codes
    assert case.label_names[case.rarest] != case.rarest
    assert Path(case.file("wordings.csv")).is_file()
