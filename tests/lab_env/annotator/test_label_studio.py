"""Facts about what we export, as Label Studio itself sees it (`make labelstudio`)."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from five_kinds import gold
from samples import KINDS, LANGUAGES, labelling, tasks

from lab_env.annotations.annotated import Annotated
from lab_env.annotations.export import export
from lab_env.annotations.labelling import read_labelling
from lab_env.annotations.tasks import Task

pytestmark = pytest.mark.xdist_group("label studio")
PYTHON = Path(
    os.environ.get("LAB_LABEL_STUDIO", Path.home() / ".cache" / "lab-label-studio"),
    "bin",
    "python",
)
PROGRAM = Path(__file__).parent.parent.parent / "fixtures" / "label_studio_import.py"
SAMPLES = [f"{kind}-{language}" for kind in KINDS for language in LANGUAGES]


def write(folder: Path, kind: str, language: str) -> None:
    """Export the right answers of one kind, and its configuration."""
    form, [task] = labelling(kind, language), tasks(kind, language, 1)
    item = Annotated(
        Task(1, task),
        tuple(gold(kind, language, task)),
        annotator="2026-0042",
        release="lab-zh-r1",
        lead_time=3.5,
        created_at="2026-01-01T08:00:00Z",
        updated_at="2026-01-01T08:00:00Z",
    )
    (folder / f"{kind}-{language}.xml").write_text(form, "utf-8")
    export([item], read_labelling(form), folder / f"{kind}-{language}.json")


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Label Studio said of each exported file, by kind and language."""
    if not PYTHON.is_file():
        pytest.skip("Label Studio is not installed beside us; run: make labelstudio")
    folder = tmp_path_factory.mktemp("label studio")
    for kind in KINDS:
        for language in LANGUAGES:
            write(folder, kind, language)
    shutil.copyfile(folder / "spans-en.xml", folder / "no-text.xml")
    shutil.copyfile(folder / "boxes-en.json", folder / "no-text.json")
    done = subprocess.run(
        [PYTHON, PROGRAM, folder], capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    answer["folder"] = str(folder)
    return answer


@pytest.mark.parametrize("name", SAMPLES)
def test_label_studio_takes_it_and_gives_it_back(
    said: dict[str, Any], name: str
) -> None:
    """Its validation passes, and what it stored is what we exported."""
    assert "refused" not in said[name], said[name]
    path = Path(said["folder"], f"{name}.json")
    [task] = json.loads(path.read_text("utf-8"))
    assert said[name]["results"] == [task["annotations"][0]["result"]]


def test_label_studio_does_look(said: dict[str, Any]) -> None:
    """Tasks of another kind than the configuration asks for are refused by it."""
    assert "text" in said["no-text"]["refused"]
