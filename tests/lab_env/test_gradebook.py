"""nbgrader on our road: its commands give our marks, and nothing of a trainee's runs."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from published_toy import EN, english, hand_in, published
from traitlets.config.loader import PyFileConfigLoader

from lab_env import exam, gradebook
from lab_env.errors import BrokenError, LabError
from lab_env.graded_notebook import find_result, inert
from lab_env.marksheet import MarkSheet

GOLD = {"rows-M1": (2, False), "rows-M2": (6, False), "answer-why": (None, True)}
NOTHING = dict.fromkeys(GOLD, (0, False))
OPEN = dict.fromkeys(GOLD, (None, True))
HOSTILE = "<script>steal()</script> <img src=x onerror=steal()> [x](JavaScript:steal())"


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a course in which lab grade marked three hand-ins."""
    folder = tmp_path_factory.mktemp("graded")
    course = published(folder)
    release = english(course)
    hand_in(folder / "pile" / "gold", release)
    hand_in(folder / "pile" / "untouched", release, untouched="")
    wrong = 'def guess(text):\n    print("M3 4 / 4")\n    return "net"'
    hand_in(folder / "pile" / "hostile", release, guess=wrong, why=HOSTILE)
    report = exam.grade_folder(course, release, folder / "pile")
    assert [row.sentence for row in report.rows] == ["", "", ""]
    return course


@pytest.fixture
def course(graded: Path, tmp_path: Path) -> Path:
    """Return a copy of the graded course that a test may change."""
    return Path(shutil.copytree(graded, tmp_path / "course"))


def sources(course: Path, candidate: str) -> str:
    """Return the text of a notebook in autograded/."""
    path = course / "autograded" / candidate / EN / "toy_lab.ipynb"
    return path.read_text("utf-8")


def nbgrader_autograde(course: Path, candidate: str) -> int:
    """Run nbgrader's own command from within the course folder."""
    command = [sys.executable, "-m", "nbgrader", "autograde", EN, "--force"]
    environment = dict(os.environ)
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    return subprocess.run(
        [*command, "--student", candidate],
        cwd=course,
        env=environment,
        capture_output=True,
    ).returncode


def test_points_of_lab_grade_are_in_the_gradebook(graded: Path) -> None:
    """Each graded cell has the points of its rows; written answers wait for a person."""
    scores = gradebook.scores_of(graded, EN)
    assert scores["gold"] == GOLD
    assert scores["untouched"] == NOTHING
    assert scores["hostile"] == GOLD | {"rows-M2": (4, False)}


def test_autograded_notebook_shows_rows_and_nothing_secret(graded: Path) -> None:
    """The rows are readable; no nominal value and no forged table stands there."""
    notebook = json.loads(sources(graded, "hostile"))
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    (table,) = cells["rows-M2"]["outputs"]
    shown = "".join(table["data"]["text/plain"]).split("\n")
    assert shown == ["M2       2 / 2    passed", "M3       2 / 4    failed", ""]
    assert "nominal" not in sources(graded, "hostile")


def test_script_of_a_trainee_is_shown_and_not_run(graded: Path) -> None:
    """HTML and script links in a written answer are text in the examiner's browser."""
    text = sources(graded, "hostile")
    assert "&lt;script>" in text
    assert "<script" not in text
    assert "<img" not in text
    assert "](JavaScript:" not in text


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("a < b", "a &lt; b"),
        (["two ", "lines"], "two lines"),
        ("5 & 6, https://a.cn [7]", "5 & 6, https://a.cn [7]"),
        ("$\\href{javascript:f()}{x}$", "$＼href{javascript:f()}{x}$"),
        ("[a](java&#115;cript:f())", "[a] (java&amp;#115;cript:f())"),
        ("[a][b]\n\n[b]: javascript:f()", "[a][b]\n\n[b] : javascript:f()"),
    ],
)
def test_inert_markdown(markdown: str | list[str], shown: str) -> None:
    """Only what could run is changed."""
    assert inert(markdown) == shown


@pytest.mark.parametrize(
    "markdown",
    [
        "[a](javascript:f())",
        "[a](java&#115;cript:f())",
        "[a](javascript\\:f())",
        "[a][b]\n\n[b]: javascript:f()",
        "$\\newcommand{\\f}[1]{\\href{java#1:f()}{x}}\\f{script}$",
        "![pasted](attachment:image.png)",
        "<img src=x onerror=f()>",
    ],
)
def test_formgrader_shows_no_link_of_a_trainee(markdown: str) -> None:
    """Rendered as formgrader does: no link, no picture, no macro, and no error page."""
    renderer = pytest.importorskip("nbconvert.filters.markdown")

    html = renderer.markdown2html(inert(markdown))

    assert "href=" not in html
    assert "<img" not in html
    assert "\\" not in html


def test_only_the_notebook_gets_into_autograded(graded: Path) -> None:
    """Files beside a submitted notebook are not copied to the examiner's side."""
    folder = graded / "autograded" / "gold" / EN
    assert [path.name for path in folder.iterdir()] == ["toy_lab.ipynb"]


def test_nbgrader_autograde_gives_the_marks_of_lab_grade(
    course: Path, tmp_path: Path
) -> None:
    """The command of nbgrader grades a new submission through the two rooms."""
    release = english(course)
    hand_in(course / "submitted" / "new" / EN, release, guess="guess = lambda t: 'net'")
    assert nbgrader_autograde(course, "new") == 0
    result = find_result(course, release, "new")
    assert result is not None
    assert MarkSheet.given(result.sheet.rows) == 6
    new = gradebook.scores_of(course, EN)["new"]
    assert new == GOLD | {"rows-M2": (4, False)}


def test_submission_that_cannot_be_graded_stops_only_itself(course: Path) -> None:
    """A notebook that is none fails loudly, without points; its neighbours stay."""
    path = hand_in(course / "submitted" / "torn" / EN, english(course))
    path.write_text('{"cells": [', encoding="utf-8")
    assert nbgrader_autograde(course, "torn") != 0
    scores = gradebook.scores_of(course, EN)
    assert scores["torn"] == OPEN
    assert scores["gold"] == GOLD


def test_button_of_formgrader_gives_the_same_marks(course: Path) -> None:
    """NbGraderAPI, which formgrader calls, takes our road with the written config."""
    loader = PyFileConfigLoader(gradebook.CONFIG_FILE, path=str(course))
    config = loader.load_config()
    folder = CourseDirectory(config=config, root=str(course))
    with gradebook._nbgrader_at_home():
        api = NbGraderAPI(coursedir=folder, config=config)
        done = api.autograde(EN, "hostile")
    assert done["success"], done
    assert gradebook.scores_of(course, EN)["hostile"]["rows-M2"] == (4, False)


def change_sheet(course: Path, change: Callable[[dict[str, object]], None]) -> None:
    """Change a row of the gold candidate's mark sheet."""
    result = find_result(course, english(course), "gold")
    assert result is not None
    path = result.folder / "sheet.json"
    sheet = json.loads(path.read_text("utf-8"))
    change(sheet["rows"][0])
    path.write_text(json.dumps(sheet), encoding="utf-8")


def test_regrade_that_breaks_takes_the_old_points_back(course: Path) -> None:
    """A broken sheet never leaves an older mark standing."""
    change_sheet(course, lambda row: row.update(outcome="broken", given=None))
    with pytest.raises(BrokenError, match=r"no points of gold .* is broken"):
        gradebook.autograde(course, EN, "gold")
    assert gradebook.scores_of(course, EN)["gold"] == OPEN


def test_candidate_without_a_result_gets_no_points(course: Path) -> None:
    """No result of ours, no points: nothing is run in nbgrader's process instead."""
    path = hand_in(course / "submitted" / "nobody" / EN, english(course))
    assert path.is_file()
    with pytest.raises(BrokenError, match="nobody has no result"):
        gradebook.autograde(course, EN, "nobody")
    assert gradebook.scores_of(course, EN)["nobody"] == OPEN


def test_points_of_a_person_stand_until_the_work_is_graded_again(course: Path) -> None:
    """A manual score counts at once, and is flagged again after a regrade."""
    gradebook.write_manual_score(course, EN, "gold", "answer-why", 1.5)
    assert gradebook.scores_of(course, EN)["gold"]["answer-why"] == (1.5, False)
    gradebook.autograde(course, EN, "gold")
    assert gradebook.scores_of(course, EN)["gold"]["answer-why"] == (1.5, True)


def test_manual_score_in_the_wrong_place_is_named(course: Path) -> None:
    """An unknown cell or candidate is said with what there is."""
    with pytest.raises(LabError, match=r'no graded cell "why"; there is .*answer-why'):
        gradebook.write_manual_score(course, EN, "gold", "why", 1)
    with pytest.raises(LabError, match="no submission of nobody"):
        gradebook.write_manual_score(course, EN, "nobody", "answer-why", 1)


def test_config_is_the_same_anywhere_and_a_persons_file_stays(course: Path) -> None:
    """The written config holds no path of this machine; one made by hand is kept."""
    path = course / gradebook.CONFIG_FILE
    assert str(course.anchor) not in path.read_text("utf-8").split("\n", 2)[2]
    path.write_text(f"{gradebook.HEADING}\nold", encoding="utf-8")
    gradebook.write_config(course)
    assert "Autograde.sanitize_preprocessors" in path.read_text("utf-8")
    path.write_text("c = get_config()", encoding="utf-8")
    gradebook.write_config(course)
    assert path.read_text("utf-8") == "c = get_config()"
