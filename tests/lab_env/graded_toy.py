"""A sealed toy release and hand-ins for it, made once and copied by the tests."""

import atexit
import json
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from unittest.mock import patch

from lab_env.build import build_source, cell_starter, gold_answers, notebook_text
from lab_env.files import hashes, write_json, write_whole
from lab_env.lab import read_lab
from lab_env.release import Release, open_release
from lab_env.scenario import read_scenario

TOY = Path(__file__).parent.parent / "fixtures" / "toy"
ID = "toy_lab-toy_scenario-en-r1"
NOTEBOOK = "toy_lab.ipynb"


@cache
def _sealed() -> tuple[Path, dict[str, str]]:
    folder = Path(mkdtemp(prefix="toy-")) / ID
    atexit.register(shutil.rmtree, folder.parent, ignore_errors=True)
    content = folder.parent / "content"
    shutil.copytree(TOY / "lab", content / "toy_lab")
    shutil.copy(TOY / "lab" / "grader.py", content / "toy_lab.py")
    lab = read_lab(TOY / "lab")
    scenario = read_scenario(TOY / "scenario" / "scenario.toml")
    with patch("lab_env.lab.content_folder", lambda kind: content):
        notebook = build_source(lab, scenario, "en", ID)
        gold = gold_answers(lab, scenario, "en")
    for cell in notebook.cells:
        cell.source = cell_starter(cell, "en")
    released = folder / "released"
    write_whole(released / NOTEBOOK, notebook_text(notebook))
    shutil.copytree(TOY / "scenario" / "data" / "en", released / "data")
    shutil.copy(TOY / "scenario" / "scenario.toml", released)
    facts = {"release": ID, "lab": "toy_lab", "language": "en", "mode": "exam"}
    write_json(released / "release.json", facts)
    shutil.copytree(TOY / "scenario" / "key" / "en", folder / "key")
    for name in ("grader.py", "lab.toml"):
        shutil.copy(TOY / "lab" / name, folder)
    shutil.copy(TOY / "scenario" / "scenario.toml", folder)
    return folder, gold


def seal_toy(course: Path) -> Release:
    """Return a sealed toy release in the course."""
    folder = course / "sealed" / ID
    shutil.copytree(_sealed()[0], folder)
    return seal(folder)


def seal(folder: Path) -> Release:
    """Write the manifest over what the folder holds now."""
    (folder / "manifest.json").unlink(missing_ok=True)
    write_json(folder / "manifest.json", {"files": hashes(folder)})
    return open_release(folder)


def gold() -> dict[str, str]:
    """Return the right answers by name."""
    return dict(_sealed()[1])


def work(**answers: str) -> bytes:
    """Return a notebook handed in with these answers in it."""
    notebook = json.loads((_sealed()[0] / "released" / NOTEBOOK).read_text("utf-8"))
    for cell in notebook["cells"]:
        name = cell["metadata"].get("lab", {}).get("answer", "")
        if name in answers:
            cell["source"] = answers[name]
    return json.dumps(notebook).encode()


def hand_in(folder: Path, candidate: str, **answers: str) -> Path:
    """Put a candidate's folder with a notebook into ``folder``."""
    mine = folder / candidate
    mine.mkdir(parents=True)
    (mine / NOTEBOOK).write_bytes(work(**answers))
    return mine
