"""Put one release together: what trainees get, and what only examiners may read."""

import platform
import re
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Any

from lab_env.build import build_source, notebook_text
from lab_env.errors import LabError
from lab_env.files import hashes, write_json, write_whole
from lab_env.gradebook import generate_release
from lab_env.lab import Lab
from lab_env.lab_files import CACHED, data_files, guideline_text, key_files
from lab_env.open_rows import open_source
from lab_env.release import (
    MANIFEST,
    PUBLIC_FACTS,
    Release,
    open_release,
    release_id,
)
from lab_env.scenario import Scenario, base_model_folder

OPEN_ROWS = "rows.py"
CACHES = shutil.ignore_patterns(*CACHED)
# How the data were made, and what a good trainee writes.
SECRET_TABLES = ("recipe", "answers")
PACKAGES = (
    *("ai-trainer-lab", "nbgrader", "ipykernel", "numpy", "scikit-learn", "torch"),
    *("transformers", "tokenizers", "safetensors", "datasets", "peft"),
)
_TABLE = re.compile(r"\[\[? *([A-Za-z0-9_-]+)")


@dataclass(frozen=True)
class Content:
    """What a release is made of; ``folder`` and ``key`` hold the scenario's files."""

    lab: Lab
    scenario: Scenario
    folder: Path
    key: Path

    def key_of(self, language: str) -> dict[str, Path]:
        """Return {path in the sealed key: file} of what is hidden in that language."""
        found = key_files(self.key, self.lab, language)
        if not found:
            raise LabError(
                f"{self.key / language} is not there or empty; a key has one folder"
                " for each language."
            )
        return found


def draft_release(
    draft: Path, content: Content, language: str, number: int, *, exam: bool
) -> Release:
    """Make source/, release/ and sealed/ of one language below ``draft``."""
    name = release_id(content.lab.name, content.scenario.name, language, number)
    source = draft / "source" / name
    _write_public(source, content, language, name, exam=exam)
    released = generate_release(draft, name, record=False)
    facts = _public_facts(content, language, name, number, exam=exam)
    facts["files"] = hashes(released)
    # In source/ too: nbgrader makes release/ anew when the course gets it.
    for folder in (source, released):
        write_json(folder / PUBLIC_FACTS, facts)
    sealed = draft / "sealed" / name
    shutil.copytree(released, sealed / "released")
    _write_sealed(sealed, content, language)
    return open_release(sealed)


def write_manifest(
    release: Release, content: Content, *, exam: bool, gates: dict[str, Any]
) -> None:
    """Write what a release was made of and with; from then on it is sealed."""
    (release.folder / MANIFEST).unlink(missing_ok=True)
    facts = {
        "release": release.id,
        "language": release.language,
        "number": release.number,
        "mode": _mode(exam),
        "lab": {"name": content.lab.name, "version": content.lab.version},
        "scenario": {
            "name": content.scenario.name,
            "version": content.scenario.version,
        },
        "at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "python": platform.python_version(),
        "packages": package_versions(),
        "gates": gates,
        "files": hashes(release.folder),
    }
    write_json(release.folder / MANIFEST, facts)


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that can move a mark."""
    return {name: _version(name) for name in PACKAGES}


def public_scenario(text: str) -> str:
    """Return a scenario.toml without the tables that are no trainee's business."""
    kept, secret = [], False
    for line in text.splitlines(keepends=True):
        table = _TABLE.match(line)
        secret = table[1] in SECRET_TABLES if table else secret
        if not secret:
            kept.append(line)
    public = "".join(kept)
    facts = tomllib.loads(text).items()
    expected = {name: fact for name, fact in facts if name not in SECRET_TABLES}
    if tomllib.loads(public) != expected:
        raise LabError(
            f"scenario.toml: the tables {', '.join(SECRET_TABLES)} could not be taken"
            " out; write each as a table of its own, at the end."
        )
    return public


def _write_public(
    folder: Path, content: Content, language: str, name: str, *, exam: bool
) -> None:
    lab, scenario = content.lab, content.scenario
    notebook = build_source(lab, scenario, language, name)
    write_whole(folder / f"{lab.name}.ipynb", notebook_text(notebook))
    _copy_all(data_files(content.folder, lab, language), folder / "data")
    guideline = guideline_text(content.folder, lab, language)
    write_whole(folder / "guideline.md", guideline)
    text = (content.folder / "scenario.toml").read_text(encoding="utf-8")
    write_whole(folder / "scenario.toml", public_scenario(text))
    if scenario.base_model and not lab.own_data:
        model = base_model_folder(scenario.base_model)
        shutil.copytree(model, folder / "base_model", ignore=CACHES)
    if not exam:
        rows = open_source(lab.grader.read_text(encoding="utf-8"))
        write_whole(folder / OPEN_ROWS, rows)


def _public_facts(
    content: Content, language: str, name: str, number: int, *, exam: bool
) -> dict[str, Any]:
    lab, scenario = content.lab, content.scenario
    return {
        "release": name,
        "lab": lab.name,
        "scenario": scenario.name,
        "language": language,
        "number": number,
        "mode": _mode(exam),
        "title": lab.title.read(language),
        "minutes": lab.minutes,
        "versions": {
            "lab": lab.version,
            "scenario": scenario.version,
            "lab_env": _version("ai-trainer-lab"),
        },
        "deliverables": [deliverable.name for deliverable in lab.deliverables],
    }


def _write_sealed(sealed: Path, content: Content, language: str) -> None:
    lab = content.lab
    _copy(lab.grader, sealed / "grader.py")
    _copy(lab.source, sealed / "lab.py")
    _copy(content.folder / "scenario.toml", sealed / "scenario.toml")
    text = (lab.folder / "lab.toml").read_text(encoding="utf-8")
    # The sealed folder has the name of the release, which is no lab's name.
    named = "name" in tomllib.loads(text)
    write_whole(sealed / "lab.toml", text if named else f'name = "{lab.name}"\n{text}')
    write_whole(sealed / "lock.txt", _lock())
    _copy_all(content.key_of(language), sealed / "key")


def _lock() -> str:
    path = Path(__file__).parent.parent / "requirements.txt"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    found = {f"{each.name}=={each.version}" for each in distributions()}
    return "\n".join(sorted(found, key=str.lower)) + "\n"


def _copy(source: Path, target: Path) -> None:
    if not source.is_file():
        raise LabError(f"{source} is missing; a release needs it.")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _copy_all(files: Mapping[str, Path], target: Path) -> None:
    for name, source in files.items():
        _copy(source, target / name)


def _mode(exam: bool) -> str:
    return "exam" if exam else "practice"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
