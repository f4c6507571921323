"""Names that a trainee types: light, quiet, and friendly when something is wrong."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pandas
import pytest
from nbclient import NotebookClient
from toy_work import release_toy

from lab_env import notebook
from lab_env.checks import Text
from lab_env.errors import LabError
from lab_env.marksheet import Row
from lab_env.widgets.errors import explain, know_words
from lab_env.widgets.fonts import chinese_font
from lab_env.widgets.row_table import RowTable, SavedFiles

BASE = Path(__file__).parents[2]


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a toy release, entered as a notebook's kernel does."""
    folder = release_toy(tmp_path)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(notebook, "_saved", [])
    return folder


def row(**changes: Any) -> Row:
    """Return a failed row whose values try to be HTML."""
    fields: dict[str, Any] = {
        "code": "M1",
        "points": 2,
        "sentence": Text("一句", "A sentence."),
        "skill": "2.2",
        "part": "data",
        "by_hand": False,
        "outcome": "failed",
        "given": 0.0,
        "actual": "<script>",
        "nominal": "SECRET",
        "message": Text("<b>错</b>", "<img src=x onerror=alert(1)>"),
    }
    return Row(**(fields | changes))


def test_import_is_light() -> None:
    """Importing the door loads no torch, transformers, pandas, sklearn or nbgrader."""
    heavy = "torch transformers pandas sklearn nbgrader matplotlib datasets"
    code = (
        "import sys, lab_env.notebook\n"
        f"print(*[name for name in {heavy.split()} if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=BASE
    )
    assert (run.stdout.strip(), run.stderr) == ("", "")


def test_every_exported_name_is_there() -> None:
    """What a lab cell may import exists."""
    assert all(callable(getattr(notebook, name)) for name in notebook.__all__)


def test_scenario_comes_from_the_release(work: Path) -> None:
    """In a released folder all paths are relative, in the release's language."""
    case = notebook.load_scenario()
    assert (case.language, case.title) == ("en", "Two kinds of messages")
    assert case.files["train"] == "data/train.csv"
    assert (case.unseen, case.base_model) == ("data/heldout.csv", "base_model")
    assert case.label_codes == ["bill", "net"]


def test_scenario_comes_from_the_checkout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In labs/LAB/ the same names reach into datasets/, in the notebook's language."""
    monkeypatch.chdir(BASE / "labs/finetuning_classifier")
    monkeypatch.setenv("JPY_SESSION_NAME", "labs/finetuning_classifier/lab.en.ipynb")
    case = notebook.load_scenario()
    assert case.language == "en"
    assert Path(case.files["train"]).parts[-3:] == ("data", "en", "train.csv")
    assert Path(case.base_model, "config.json").is_file()


def test_a_checkout_shows_pictures_and_guideline(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In labs/LAB/ the pictures lie beside the tasks, and the guideline is found."""
    monkeypatch.chdir(BASE / "labs/annotation_images")
    monkeypatch.setenv("JPY_SESSION_NAME", "labs/annotation_images/lab.zh.ipynb")
    case = notebook.load_scenario()
    page = notebook.annotate(
        case.file("boxes.xml"), case.file("practice.jsonl"), tmp_path / "done.jsonl"
    )
    assert Path(case.data, "images", "part-01.jpg").is_file()
    assert "G13" in page.work.screen.guideline


def test_folder_without_a_lab_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere the sentence says which folder was looked at."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAB_LANGUAGE", "en")
    with pytest.raises(LabError) as error:
        notebook.load_scenario()
    expected = f"No scenario.toml in {tmp_path}. Open the notebook in its lab folder."
    assert str(error.value) == expected


def test_json_takes_numbers_of_any_library(work: Path) -> None:
    """Numbers of numpy are written plainly, and one that is not finite as null."""
    number = SimpleNamespace(item=lambda: 0.5)
    notebook.save_json("a.json", {"x": number, "log": [{"loss": float("nan")}]})
    written = json.loads((work / "a.json").read_text("utf-8"))
    assert written == {"x": 0.5, "log": [{"loss": None}]}


def test_predictions_of_unequal_length_are_refused(work: Path) -> None:
    """The sentence counts both; nothing is written."""
    with pytest.raises(LabError) as error:
        notebook.save_predictions("p.csv", ["1", "2"], ["bill"])
    expected = "p.csv: 2 ids but 1 labels; expected one for each."
    assert str(error.value) == expected
    assert not (work / "p.csv").exists()


def test_model_folder_is_replaced_whole(work: Path) -> None:
    """Saving again leaves no file of the model saved before."""

    def save_pretrained(folder: str) -> None:
        Path(folder, "model.safetensors").write_text("new", encoding="utf-8")

    (work / "model").mkdir()
    (work / "model/old.bin").write_text("old", encoding="utf-8")
    model = SimpleNamespace(save_pretrained=save_pretrained)
    notebook.save_model(SimpleNamespace(model=model))
    assert [path.name for path in (work / "model").iterdir()] == ["model.safetensors"]
    assert [path.name for path in work.iterdir() if path.name[:2] == ".s"] == []


def test_table_escapes_what_a_trainee_wrote() -> None:
    """No tag of a message reaches the page, and the nominal value is not there."""
    page = RowTable([row()], [], "en")._repr_html_()
    assert "<img" not in page
    assert "&lt;img" in page
    assert "SECRET" not in page + repr(RowTable([row()], [], "en"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "✗ not yet  0 / 2"),
        ({"given": 1.5}, "◐ partly  1.5 / 2"),
        ({"outcome": "passed", "given": 2.0}, "✓ passed  2 / 2"),
        ({"outcome": "not attempted"}, "○ to do  0 / 2"),
        ({"outcome": "broken", "given": None}, "! our fault  … / 2"),
    ],
)
def test_outcome_is_a_word_with_a_symbol(changes: dict[str, Any], words: str) -> None:
    """An outcome can be read without colour."""
    assert words in repr(RowTable([row(**changes)], [], "en"))


def test_closed_row_says_when_it_is_marked() -> None:
    """A row that needs the key is announced, not hidden."""
    assert repr(RowTable([], ["M17"], "zh")) == "M17  … 交卷后由考评端评分"


def test_exam_confirms_the_file_and_gives_no_mark(work: Path) -> None:
    """Without rows.py the cell names the files it wrote, and nothing else."""
    assert repr(SavedFiles([Path("a.json")], "en")) == (
        "✓ a.json · written; it will be handed in"
    )
    assert repr(SavedFiles([], "en")) == "This cell wrote no file."


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("____", "There is still a blank ____ here."),
        ("team", 'team is a word; in code it needs quotes: "team".'),
        ("lables", "Did you mean labels?"),
        ("trainer", "run from the top, cell by cell"),
        ("print（1)", '"（" is a full-width character.'),
        ("f(1", "Check brackets and quotes."),
        ("true", "Write true as True."),
        ("confidence", 'confidence is inside plan: write plan["confidence"]'),
    ],
)
def test_error_says_what_to_do(code: str, hint: str) -> None:
    """Each kind of slip has its own sentence."""
    know_words(["team"])
    with pytest.raises((NameError, SyntaxError)) as error:
        exec(code, {"labels": 1})
    names = {"labels": 1, "messages": 2, "plan": {"confidence": 0.95}}
    said = explain(error.value, names)
    assert said is not None
    assert hint in said.en


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ('table["lable"]', 'Did you mean "label"?'),
        ('table["colour"]', 'There is no column or key "colour".'),
        ("table[label]", 'in code it needs quotes: "label"'),
        ('table["length"] < "16"', 'Write it without quotes: 16, not "16".'),
        ('table["other"]', 'There is no column or key "other".'),
        ('table["label"] == lift', 'put it in quotes: "lift"'),
        ("{'a': rejected, 'b': 1}", 'put it in quotes: "rejected"'),
        ("2 / [1, 2]", "write len(...)"),
        ("table.dropna['label']", "lacks its brackets, as in dropna()"),
        ("json.dumps([property])", "most likely its quotes are missing"),
        ("open('notes.csv')", "There is no notes.csv yet."),
    ],
)
def test_a_slip_with_a_table_has_its_sentence(code: str, hint: str) -> None:
    """A column or file that is not there, wrong quotes or brackets, kinds mixed up."""
    more = pandas.DataFrame({"other": [1]})
    table = pandas.DataFrame({"label": ["a"], "length": [3]})
    names = {"table": table, "more": more, "json": json}
    with pytest.raises((NameError, KeyError, TypeError, FileNotFoundError)) as error:
        exec(code, dict(names))
    said = explain(error.value, names, f"----> 1 {code}")
    assert said is not None
    assert hint in said.en


def test_errors_we_cannot_explain_stay_as_they_are() -> None:
    """A key that the cell does not name, or another kind of mistake, has no sentence."""
    assert explain(KeyError("inner"), {}, "----> 3 model.fit(rows)") is None
    assert explain(KeyError(7), {}, "----> 3 model.fit(rows)") is None
    assert explain(TypeError("f() takes 1 argument"), {}, "----> 1 f(1, 2)") is None


def test_font_is_one_that_is_here() -> None:
    """The font for Chinese is a font of this machine, or none."""
    from matplotlib.font_manager import fontManager

    assert chinese_font() in {None, *(font.name for font in fontManager.ttflist)}


def outputs_of(folder: Path, *sources: str) -> list[str]:
    """Run cells in a real kernel and return what each shows, as text."""
    book = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    book.cells = [
        nbformat.v4.new_code_cell(source)  # type: ignore[no-untyped-call]
        for source in sources
    ]
    metadata = {"metadata": {"path": str(folder)}}
    NotebookClient(book, timeout=60, allow_errors=True, resources=metadata).execute()
    return ["\n".join(map(shown, cell.outputs)) for cell in book.cells]


def shown(output: Any) -> str:
    """Return one output of a cell as text."""
    if output.output_type == "error":
        return "\n".join(["ERROR", output.ename, *output.traceback])
    return str(output.get("text") or output["data"].get("text/plain"))


@pytest.mark.filterwarnings("ignore::Warning")
def test_kernel_shows_rows_and_sentences(work: Path) -> None:
    """In a real kernel rows appear as a table, and a blank as a sentence and a line."""
    start, count, blank, _, above, exam = outputs_of(
        work,
        "from lab_env.notebook import load_scenario, save_json, show_rows\n"
        "scenario = load_scenario()",
        'save_json("counts.json", {"messages": 1})\nshow_rows("M1", "M3")',
        "x = 1\nlabel_column = ____",
        "def share():\n    return 1 / ____",
        "share()",
        "import os; os.remove('rows.py')\nsave_json('counts.json', {})\nshow_rows('M1')",
    )
    assert start == ""
    assert "✗ not yet  0 / 2" in count
    assert "M3  … marked after you hand in" in count
    lines = blank.splitlines()
    assert lines[:3] == ["ERROR", "NameError", "----> 2 label_column = ____"]
    assert lines[3].startswith("There is still a blank ____ here.")
    assert len(lines) == 4
    lines = above.splitlines()
    assert lines[2] == "----> 2 return 1 / ____"
    assert lines[4].startswith("This line is in a cell above: mend it there")
    assert exam == "✓ counts.json · written; it will be handed in"


def test_curve_is_a_picture_after_each_epoch(work: Path) -> None:
    """The callback of a trainer draws one picture from what the trainer logs."""
    curve = notebook.training_curve()
    pictures: list[str] = []
    curve.picture.update = lambda image: pictures.append(image.format)
    state = SimpleNamespace(epoch=1.0, global_step=7, max_steps=14)
    curve.on_log(None, state, None, logs={"loss": 1.5})
    curve.on_log(None, state, None, logs={"eval_loss": 1.0, "eval_macro_f1": 0.5})
    assert pictures == ["png"]
    assert curve.draw().startswith(b"\x89PNG")
