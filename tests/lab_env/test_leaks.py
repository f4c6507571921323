"""Leaks: each secret planted in what trainees get is found, wherever it lies."""

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from published_toy import TOY, content_of

from lab_env.assemble import draft_release
from lab_env.build import build_source
from lab_env.errors import GateError
from lab_env.leaks import Secret, check_leaks, secrets_of
from lab_env.release import Release, open_release

Notebook = dict[str, Any]
ROW = "share = sum(labels[name] == key[name] for name in key) / len(key)"


@pytest.fixture(scope="module")
def draft(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Return a drafted toy release."""
    folder = tmp_path_factory.mktemp("draft")
    return draft_release(folder, content_of(TOY), "en", 1, exam=False)


@pytest.fixture
def release(draft: Release, tmp_path: Path) -> Release:
    """Return a copy of the draft that a test may change."""
    return open_release(shutil.copytree(draft.folder, tmp_path / draft.id))


@pytest.fixture(scope="module")
def secrets() -> tuple[Secret, ...]:
    """Return what the toy must not give away."""
    content = content_of(TOY)
    sources = [
        build_source(content.lab, content.scenario, language)
        for language in ("zh", "en")
    ]
    return secrets_of(sources, content.lab.grader.read_text(encoding="utf-8"))


def edit(release: Release, change: Callable[[Notebook], object]) -> None:
    """Change the released notebook."""
    notebook = json.loads(release.notebook.read_text("utf-8"))
    change(notebook)
    release.notebook.write_text(json.dumps(notebook), encoding="utf-8")


def test_draft_of_the_toy_leaks_nothing(
    release: Release, secrets: tuple[Secret, ...]
) -> None:
    """The toy's own release passes, so what follows is found and not imagined."""
    check_leaks(release, secrets)
    assert any("message_count" in secret.shown for secret in secrets)


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("guideline.md", "message_count  =  len( train )", "solution of"),
        ("guideline.md", "留言里没有出现这个词，却仍然在说账单。", "solution of"),
        ("guideline.md", "### BEGIN SOLUTION", "solution marker"),
        ("guideline.md", "toy-en-900 is net", "hidden label"),
        ("guideline.md", '{"toy-en-900": "net"}', "hidden label"),
        ("guideline.md", "toy-en-900", ""),
        ("rows.py", ROW, "closed row"),
        ("notes.csv", "id,answer\ntoy-en-900,net\n", 'column "answer"'),
        ("base_model/weights.bin", f"\0\1{ROW}\2", "closed row"),
        ("scenario.toml", "[recipe]\nhow = 1\n", "recipe"),
    ],
)
def test_secret_in_a_file_is_found(
    release: Release, secrets: tuple[Secret, ...], name: str, text: str, found: str
) -> None:
    """A secret is found in prose, code, tables and binary files, not an id alone."""
    path = release.released / name
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8") as stream:
        stream.write(f"\n{text}\n" if "csv" not in name else text)
    if not found:
        check_leaks(release, secrets)
        return
    with pytest.raises(GateError, match=f"{name} holds .*{found}"):
        check_leaks(release, secrets)


def test_labels_beside_held_out_inputs_are_found(
    release: Release, secrets: tuple[Secret, ...]
) -> None:
    """A label column left in the held-out inputs is found, whatever its name."""
    rows = (release.key / "heldout.csv").read_text(encoding="utf-8").splitlines()
    named = "\n".join(rows).replace("id,label", "id,queue")
    (release.released / "data" / "heldout.csv").write_text(named, encoding="utf-8")
    with pytest.raises(GateError, match='hidden labels in the column "queue"'):
        check_leaks(release, secrets)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            lambda nb: nb["cells"][0].update(
                attachments={
                    "a.txt": {"text/plain": base64.b64encode(ROW.encode()).decode()}
                }
            ),
            "closed row",
        ),
        (lambda nb: nb["metadata"].update(note=ROW), "closed row"),
        (lambda nb: nb["cells"][2]["metadata"].update({ROW: 1}), "closed row"),
        (
            lambda nb: nb["cells"][0].update(
                source=["so  message_count = le", "n(train)"]
            ),
            "solution of",
        ),
        (
            lambda nb: nb["cells"][2].update(
                outputs=[{"output_type": "stream", "name": "stdout", "text": "6"}]
            ),
            "outputs in the cell",
        ),
        (lambda nb: nb["cells"][2].update(execution_count=3), "outputs in the cell"),
    ],
)
def test_secret_in_the_notebook_is_found(
    release: Release,
    secrets: tuple[Secret, ...],
    change: Callable[[Notebook], object],
    found: str,
) -> None:
    """Metadata, attachments, split lines and saved outputs hide nothing."""
    edit(release, change)
    with pytest.raises(GateError, match=found):
        check_leaks(release, secrets)
