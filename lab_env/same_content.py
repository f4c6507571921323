"""Whether a release still has the content that its lab and scenario have now."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from lab_env.files import hashes, sha256
from lab_env.lab import Lab, load_lab
from lab_env.lab_files import data_files, guideline_text, key_files
from lab_env.release import Release
from lab_env.scenario import base_model_folder, scenario_folder


def has_same_content(release: Release, *, key: Path | None, exam: bool) -> bool:
    """Say whether publishing again would freeze the same lab, data and key."""
    lab = load_lab(release.lab_name)
    sealed_lab = replace(release.lab, folder=lab.folder)
    same_mode = release.manifest["mode"] == ("exam" if exam else "practice")
    pairs = _pairs(release, lab, key)
    same_files = all(_content(now) == _content(then) for now, then in pairs)
    return (
        sealed_lab == lab
        and same_mode
        and same_files
        and _has_same_parts(release, lab, key)
    )


def _pairs(release: Release, lab: Lab, key: Path | None) -> Iterator[tuple[Path, Path]]:
    scenario = scenario_folder(release.scenario_name)
    yield lab.source, release.folder / "lab.py"
    yield lab.grader, release.grader
    yield scenario / "scenario.toml", release.folder / "scenario.toml"
    model = release.scenario.base_model
    if model and not lab.own_data:
        yield base_model_folder(model), release.released / "base_model"


def _has_same_parts(release: Release, lab: Lab, key: Path | None) -> bool:
    """Say whether guideline, data and key would be cut out of the scenario alike."""
    scenario, language = scenario_folder(release.scenario_name), release.language
    guideline = (release.released / "guideline.md").read_text("utf-8")
    data = data_files(scenario, lab, language)
    hidden = key_files(key or scenario / "key", lab, language)
    return (
        guideline == guideline_text(scenario, lab, language)
        and _hashes(data) == hashes(release.released / "data")
        and _hashes(hidden) == hashes(release.key)
    )


def _hashes(files: Mapping[str, Path]) -> dict[str, str]:
    return {name: sha256(path) for name, path in files.items()}


def _content(path: Path) -> object:
    if path.is_dir():
        return hashes(path)
    return sha256(path) if path.is_file() else None
