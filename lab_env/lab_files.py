"""Which files of a scenario go to a lab: what all labs get, and what it alone gets.

A folder with the name of a lab, in ``data/<language>/``, ``data/shared/`` or
``key/<language>/``, belongs to that lab alone: in a release its files lie straight in
``data/`` and ``key/``. A lab of ``own_data`` gets nothing else where there is one.
"""

from collections.abc import Iterator
from pathlib import Path

from lab_env.errors import LabError
from lab_env.files import regular_files
from lab_env.lab import Lab, lab_names

# Files of a scenario that are the same in every language.
SHARED = "shared"
CACHED = ("__pycache__", ".ipynb_checkpoints")


def data_files(scenario: Path, lab: Lab, language: str) -> dict[str, Path]:
    """Return {path in the release's ``data/``: file} of one language."""
    own = scenario / "data" / language
    if not own.is_dir():
        raise LabError(f"{own} is missing; a release needs it.")
    return {**files_of(own.parent / SHARED, lab), **files_of(own, lab)}


def key_files(key: Path, lab: Lab, language: str) -> dict[str, Path]:
    """Return {path in the sealed ``key/``: file} of one language."""
    return files_of(key / language, lab)


def guideline_text(scenario: Path, lab: Lab, language: str) -> str:
    """Return the guideline of the scenario, and what it says for this lab alone."""
    name = f"guideline.{language}.md"
    general, special = scenario / name, scenario / lab.name / name
    if not general.is_file():
        raise LabError(f"{general} is missing; a release needs it.")
    texts = [path.read_text("utf-8") for path in (general, special) if path.is_file()]
    return "\n".join(texts)


def files_of(folder: Path, lab: Lab) -> dict[str, Path]:
    """Return the files of one folder that are this lab's, by their released path."""
    special = folder / lab.name
    if not folder.is_dir():
        return {}
    shown = {} if lab.own_data and special.is_dir() else dict(_shown(folder))
    others = {*lab_names(), lab.name}
    general = {name: path for name, path in shown.items() if _top(name) not in others}
    return {**general, **dict(_shown(special))}


def _shown(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in regular_files(folder) if folder.is_dir() else ():
        parts = path.relative_to(folder)
        if not set(CACHED) & set(parts.parts):
            yield parts.as_posix(), path


def _top(name: str) -> str:
    return name.partition("/")[0]
