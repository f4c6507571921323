"""Notebooks made of lab.py: cells, ids, marks, languages, answers."""

import shutil
from pathlib import Path

import pytest
from nbformat import NotebookNode
from published_toy import TOY, change, content_of, copy_of_toy

from lab_env.build import (
    build_source,
    build_starter,
    compare_languages,
    fill,
    gold_answers,
    lab_cells,
    mistaken_answers,
    notebook_text,
    sync,
)
from lab_env.checks import Text
from lab_env.errors import LabError
from lab_env.mistakes import Mistake, load_mistakes


def starter(toy: Path, language: str = "en") -> NotebookNode:
    """Return the notebook of the toy in this folder as trainees see it."""
    content = content_of(toy)
    return build_starter(content.lab, content.scenario, language)


def test_cell_ids_are_the_same_each_time_and_in_both_languages() -> None:
    """Ids come from the kind, the answer or the first row of a cell, not from chance."""
    expected = ["text-01", "code-01", "answer-count", "rows-M1", "answer-guess"]
    expected += ["rows-M2", "answer-why"]
    for language in ("zh", "en"):
        assert [cell.id for cell in starter(TOY, language).cells] == expected


def test_build_is_the_same_to_the_byte() -> None:
    """Two builds of the same lab are one file, Chinese readable in it."""
    text = notebook_text(starter(TOY, "zh"))
    assert text == notebook_text(starter(TOY, "zh"))
    assert "账单" in text
    assert "\r" not in text


def test_marks_of_cells_say_what_nbgrader_must_do() -> None:
    """Rows are graded and locked, answers are neither, written answers are graded."""
    cells = {cell.id: cell.metadata.nbgrader for cell in starter(TOY).cells}

    def marks(name: str) -> tuple[bool, bool, bool, int | None]:
        found = cells[name]
        return found.grade, found.solution, found.locked, found.get("points")

    assert marks("text-01") == (False, False, True, None)
    assert marks("answer-count") == (False, True, False, None)
    assert marks("rows-M2") == (True, False, True, 6)
    assert marks("answer-why") == (True, True, False, 2)


def test_rows_cell_ends_with_the_call_that_shows_its_rows() -> None:
    """The author writes the mark only; the build writes the call."""
    cells = {cell.id: cell.source for cell in starter(TOY).cells}
    assert cells["rows-M2"].endswith('\n\nshow_rows("M2", "M3")')


def test_prose_is_filled_from_the_scenario() -> None:
    """Title, brief, minutes and the table of labels come from the scenario."""
    prose = starter(TOY, "zh").cells[0].source
    assert "# 两类留言" in prose
    assert "约 5 分钟" in prose
    assert "| `bill` | 账单 | 与付款有关 |" in prose


def test_starter_holds_no_solution_and_source_does() -> None:
    """What trainees see has blanks; nbgrader's source has the markers."""
    content = content_of(TOY)
    source = build_source(content.lab, content.scenario, "en", "some-release")
    assert "### BEGIN SOLUTION" in notebook_text(source)
    assert source.metadata.lab.release == "some-release"
    text = notebook_text(starter(TOY))
    assert "SOLUTION" not in text
    assert "len(train)" not in text


def test_gold_and_mistaken_answers_fit_the_released_notebook() -> None:
    """Answers go into their cells by name; a mistake changes only its own."""
    content = content_of(TOY)
    lab, scenario = content.lab, content.scenario
    gold = gold_answers(lab, scenario, "en")
    assert list(gold) == ["count", "guess", "why"]
    mistake = load_mistakes(lab.folder / "mistakes.py")[0]
    wrong = mistaken_answers(lab, scenario, "en", mistake)
    assert {name for name in gold if gold[name] != wrong[name]} == {"count"}
    filled = {cell.id: cell.source for cell in fill(starter(TOY), wrong).cells}
    assert "message_count = len(train[0])" in filled["answer-count"]
    assert "____" not in "".join(filled.values())


def test_mistake_in_an_unknown_answer_is_named() -> None:
    """A mistake that changes nothing there is says which answers there are."""
    content = content_of(TOY)
    odd = Mistake("odd", Text("奇", "odd"), {"cuont": "1"}, ("M1",))
    with pytest.raises(LabError, match='"cuont", which no cell has; there is count'):
        mistaken_answers(content.lab, content.scenario, "en", odd)


def test_a_mistake_may_stop_where_it_is_made() -> None:
    """With ``until`` later answers stay blank; an answer nobody knows is named."""
    content = content_of(TOY)
    says = Text("数错", "counted wrong")
    early = Mistake("early", says, {"count": "0"}, ("M1",), until="count")
    answers = mistaken_answers(content.lab, content.scenario, "en", early)
    assert list(answers) == ["count"]
    odd = Mistake("odd", says, {"count": "0"}, ("M1",), until="end")
    with pytest.raises(LabError, match='"end", which no cell has'):
        mistaken_answers(content.lab, content.scenario, "en", odd)


def test_sync_writes_once_and_finds_drift(tmp_path: Path) -> None:
    """The committed notebooks are compared to the byte and written when they differ."""
    content = content_of(copy_of_toy(tmp_path))
    lab, scenario = content.lab, content.scenario
    assert len(sync(lab, scenario, check=True)) == 2
    assert not (lab.folder / "lab.zh.ipynb").exists()
    assert len(sync(lab, scenario)) == 2
    assert sync(lab, scenario, check=True) == ()
    change(lab.folder / "lab.en.ipynb", "Two kinds", "Two sorts")
    assert sync(lab, scenario, check=True) == (lab.folder / "lab.en.ipynb",)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('[markdown] lang="en"\n# # ', '[markdown] lang="zh"\n# # ', "zh then en"),
        ('lang="en" answer="why"', 'lang="en" answer="how"', "equal in a pair"),
        ('# %% rows="M1"', '# %% rows="M1" points="9"', "answer and rows only"),
        ('# %% rows="M1"', '# %% rows="M9"', "row M1 stands in 0 cells"),
        ('# %% rows="M1"', '# %% rows="M1 M2"', "row M2 stands in 2 cells"),
        ('# %% answer="guess"', '# %% answer="count"', "stands there twice"),
        ('# %% answer="guess"', '# %% answer="Guess!"', "small letters"),
        ('# %% answer="count"', "# %%", "has 1 solution regions, expected 0"),
        (
            '# %% answer="count"',
            '# %% answer="count" rows="M1"',
            "both answer and rows",
        ),
        ("{{ lab.minutes }}", "{{ lab.hours }}", "lab.hours }} cannot be filled in"),
        ('answer="why" rows="J1"', 'answer="why" rows="M1"', "row J1 stands in 0"),
        ("return ____  # ", "return (____  # ", "not whole statements"),
    ],
)
def test_wrong_mark_in_lab_py_is_named(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    """Whatever is wrong in lab.py is said with the cell and what was expected."""
    toy = copy_of_toy(tmp_path)
    change(toy / "lab" / "lab.py", old, new)
    with pytest.raises(LabError, match=sentence.replace("}}", ".*")):
        starter(toy)


def test_last_prose_cell_needs_its_pair(tmp_path: Path) -> None:
    """A zh cell at the end without its en cell is named."""
    toy = copy_of_toy(tmp_path)
    with (toy / "lab" / "lab.py").open("a", encoding="utf-8") as stream:
        stream.write('\n# %% [markdown] lang="zh"\n# 完\n')
    with pytest.raises(LabError, match="has no en cell after it"):
        lab_cells(content_of(toy).lab)


def test_notebooks_out_of_step_are_named() -> None:
    """A cell more, other code, or other marks in one language is found."""
    zh, en = starter(TOY, "zh"), starter(TOY, "en")
    compare_languages(zh, en)
    en.cells[3].source += "\nextra = 1"
    with pytest.raises(LabError, match='Cell "rows-M1": its code is'):
        compare_languages(zh, en)
    en = starter(TOY, "en")
    en.cells[3].metadata.nbgrader.points = 3
    with pytest.raises(LabError, match="its nbgrader metadata is"):
        compare_languages(zh, en)
    del en.cells[-1]
    with pytest.raises(LabError, match="has 7 cells and the en notebook 6"):
        compare_languages(zh, en)


def test_lab_without_mistakes_is_told_to_name_some(tmp_path: Path) -> None:
    """A lab has at least one named mistake."""
    toy = Path(shutil.copytree(TOY, tmp_path / "toy"))
    (toy / "lab" / "mistakes.py").unlink()
    with pytest.raises(LabError, match="write MISTAKES there"):
        load_mistakes(toy / "lab" / "mistakes.py")
