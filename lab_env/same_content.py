"""Whether a release still has the content that its lab and scenario have now."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from lab_env.files import hashes, sha256
from lab_env.lab import Lab, load_lab
from lab_env.release import Release
from lab_env.scenario import base_model_folder, scenario_folder


def has_same_content(release: Release, *, key: Path | None, exam: bool) -> bool:
    """Say whether publishing again would freeze the same lab, data and key."""
    lab = load_lab(release.lab_name)
    sealed_lab = replace(release.lab, folder=lab.folder)
    same_mode = release.manifest["mode"] == ("exam" if exam else "practice")
    pairs = _pairs(release, lab, key)
    same_files = all(_content(now) == _content(then) for now, then in pairs)
    return sealed_lab == lab and same_mode and same_files


def _pairs(release: Release, lab: Lab, key: Path | None) -> Iterator[tuple[Path, Path]]:
    scenario = scenario_folder(release.scenario_name)
    released, language = release.released, release.language
    yield lab.source, release.folder / "lab.py"
    yield lab.grader, release.grader
    yield scenario / "scenario.toml", release.folder / "scenario.toml"
    yield scenario / f"guideline.{language}.md", released / "guideline.md"
    yield scenario / "data" / language, released / "data"
    yield (key or scenario / "key") / language, release.key
    model = release.scenario.base_model
    if model:
        yield base_model_folder(model), released / "base_model"


def _content(path: Path) -> object:
    if path.is_dir():
        return hashes(path)
    return sha256(path) if path.is_file() else None
