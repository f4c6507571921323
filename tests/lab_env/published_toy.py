"""The toy lab, published once through all gates; tests work on copies of it."""

import atexit
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import nbformat

from lab_env.assemble import Content
from lab_env.build import fill, gold_answers, notebook_text
from lab_env.lab import read_lab
from lab_env.publish import publish_content
from lab_env.release import Release, find_release
from lab_env.scenario import read_scenario

TOY = Path(__file__).parent.parent / "fixtures" / "toy"
EN, ZH = "toy_lab-toy_scenario-en-r1", "toy_lab-toy_scenario-zh-r1"


@cache
def _course() -> Path:
    place = mkdtemp(prefix="toy-course-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    publish_content(Path(place) / "course", content_of(TOY))
    return Path(place) / "course"


def published(folder: Path) -> Path:
    """Return a course of its own with both releases of the toy lab."""
    return Path(shutil.copytree(_course(), folder / "course"))


def graded_before(folder: Path) -> Path:
    """Return a course without releases that knows the toy's gate results."""
    shutil.copytree(_course() / "gates", folder / "course" / "gates")
    return folder / "course"


def copy_of_toy(folder: Path) -> Path:
    """Return a toy that a test may change."""
    return Path(shutil.copytree(TOY, folder / "toy"))


def content_of(toy: Path) -> Content:
    """Return what a release of the toy in this folder is made of."""
    lab = read_lab(toy / "lab")
    scenario = read_scenario(toy / "scenario" / "scenario.toml")
    return Content(lab, scenario, toy / "scenario", toy / "scenario" / "key")


def change(path: Path, old: str, new: str) -> None:
    """Replace some text of a file that must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path.name} does not hold {old!r}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def hand_in(folder: Path, release: Release, **changed: str) -> Path:
    """Write the gold work with these answers changed; "untouched" leaves all blank."""
    content = content_of(TOY)
    gold = gold_answers(content.lab, content.scenario, release.language)
    answers = {} if "untouched" in changed else gold | changed
    notebook = nbformat.read(release.notebook, as_version=4)
    folder.mkdir(parents=True)
    path = folder / release.notebook.name
    path.write_text(notebook_text(fill(notebook, answers)), encoding="utf-8")
    return path


def english(course: Path) -> Release:
    """Return the English release of a published toy course."""
    return find_release(course, EN)
