"""A toy release as trainees get it, and notebooks for it as JupyterLab saves them."""

import json
import shutil
from pathlib import Path
from typing import Any

from lab_env.files import hashes, write_json, write_whole
from lab_env.open_rows import open_source

TOY = Path(__file__).parent.parent / "fixtures" / "toy"
RELEASE = "toy_lab-toy_scenario-en-r1"


def cell(kind: str, name: str, source: str, **more: Any) -> dict[str, Any]:
    """Return a notebook cell as JupyterLab saves it."""
    metadata = more.pop("metadata", {}) | {"lab": {"answer": name}}
    code = {"outputs": [], "execution_count": None} if kind == "code" else {}
    base = {"cell_type": kind, "id": f"answer-{name}", "source": source}
    return base | {"metadata": metadata} | code | more


def write_notebook(folder: Path, *cells: dict[str, Any]) -> Path:
    """Write the notebook of the toy release with these cells."""
    path = folder / "toy_lab.ipynb"
    metadata = {"lab": {"release": RELEASE}}
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4}
    write_whole(path, json.dumps(notebook | {"nbformat_minor": 5}))
    return path


def release_toy(course: Path) -> Path:
    """Make a toy release as trainees get it, and return its folder."""
    folder = course / "release" / RELEASE
    shutil.copytree(TOY / "scenario" / "data" / "en", folder / "data")
    shutil.copy(TOY / "scenario" / "scenario.toml", folder)
    write_whole(folder / "rows.py", open_source((TOY / "lab/grader.py").read_text()))
    write_notebook(folder, cell("code", "count", "messages = ____"))
    facts = {
        "release": RELEASE,
        "lab": "toy_lab",
        "language": "en",
        "mode": "practice",
        "deliverables": ["counts.json", "predictions.csv"],
        "files": hashes(folder),
    }
    write_json(folder / "release.json", facts)
    return folder
