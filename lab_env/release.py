"""A release: lab × scenario × language, frozen and numbered.

Under the course folder::

    release/<id>/            what trainees get (nbgrader's folder)
    sealed/<id>/             what only the examiner's side may read
        manifest.json        versions, and the SHA-256 of every file below
        grader.py  lab.toml  lab.py  scenario.toml  lock.txt
        key/                 hidden labels
        released/            a second copy of what trainees get; grading uses this one
"""

import importlib.util
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab_env.checks import Check, rows_of
from lab_env.errors import BrokenError, LabError, NotFoundError
from lab_env.files import hashes, sha256
from lab_env.lab import Lab, read_lab
from lab_env.scenario import Scenario, read_scenario

MANIFEST = "manifest.json"
PUBLIC_FACTS = "release.json"
ID_PATTERN = re.compile(r"([a-z0-9_]+)-([a-z0-9_]+)-(zh|en)-r([1-9][0-9]*)")


@dataclass(frozen=True)
class Release:
    """One frozen release; ``folder`` is its sealed folder."""

    id: str
    lab_name: str
    scenario_name: str
    language: str
    number: int
    folder: Path

    @property
    def released(self) -> Path:
        """Our copy of what trainees got."""
        return self.folder / "released"

    @property
    def notebook(self) -> Path:
        """The notebook as trainees got it."""
        return self.released / f"{self.lab_name}.ipynb"

    @property
    def grader(self) -> Path:
        """The sealed mark sheet, in code."""
        return self.folder / "grader.py"

    @property
    def key(self) -> Path:
        """The folder of hidden labels."""
        return self.folder / "key"

    @property
    def lab(self) -> Lab:
        """The lab as it was when published."""
        return read_lab(self.folder)

    @property
    def scenario(self) -> Scenario:
        """The scenario as it was when published."""
        return read_scenario(self.folder / "scenario.toml")

    @property
    def manifest(self) -> dict[str, Any]:
        """Versions and hashes written at publishing."""
        try:
            text = (self.folder / MANIFEST).read_text("utf-8")
            value: dict[str, Any] = json.loads(text)
        except (OSError, ValueError) as error:
            raise BrokenError(
                f"sealed/{self.id}/{MANIFEST} cannot be read ({error}): "
                "restore the sealed folder."
            ) from error
        return value

    @property
    def seal(self) -> str:
        """The SHA-256 of the manifest: one word for the whole frozen release."""
        return sha256(self.folder / MANIFEST)


def release_id(lab: str, scenario: str, language: str, number: int) -> str:
    """Return the id of a release, e.g. ``my_lab-my_scenario-zh-r3``."""
    return f"{lab}-{scenario}-{language}-r{number}"


def open_release(folder: Path) -> Release:
    """Return the release whose sealed folder this is."""
    match = ID_PATTERN.fullmatch(folder.name)
    if match is None:
        raise LabError(
            f'"{folder.name}" is not a release id; expected LAB-SCENARIO-zh|en-rNUMBER.'
        )
    lab, scenario, language, number = match.groups()
    return Release(folder.name, lab, scenario, language, int(number), folder)


def releases(course: Path) -> tuple[Release, ...]:
    """Return the releases of a course, oldest first within each lab."""
    folders = (path.parent for path in (course / "sealed").glob(f"*/{MANIFEST}"))
    found = [open_release(path) for path in folders]
    return tuple(
        sorted(found, key=lambda r: (r.lab_name, r.scenario_name, r.language, r.number))
    )


def find_release(course: Path, name: str) -> Release:
    """Return a release by id; an unknown id raises NotFoundError."""
    found = {release.id: release for release in releases(course)}
    if name not in found:
        see = f"lab releases --course {course}"
        raise NotFoundError("release", name, found, see)
    return found[name]


def latest_release(
    course: Path, lab: str, scenario: str, language: str
) -> Release | None:
    """Return the newest release of that lab, or None; "" as scenario means any."""
    matching = [
        release
        for release in releases(course)
        if release.lab_name == lab
        and release.language == language
        and scenario in ("", release.scenario_name)
    ]
    return max(matching, key=lambda release: release.number, default=None)


def check_seal(release: Release) -> None:
    """Raise BrokenError if any sealed file is not as it was when published."""
    expected = release.manifest["files"]
    now = hashes(release.folder)
    now.pop(MANIFEST)
    names = sorted(expected | now)
    changed = [name for name in names if expected.get(name) != now.get(name)]
    if changed:
        raise BrokenError(
            f"sealed/{release.id}/{changed[0]} is not as it was published"
            f" ({len(changed)} such files): restore the sealed folder, then grade."
        )


def load_checks(grader: Path) -> tuple[Check, ...]:
    """Return the rows of a grader file; it is our own code and may be imported."""
    name = f"lab_grader_{sha256(grader)[:12]}"
    spec = importlib.util.spec_from_file_location(name, grader)
    if spec is None or spec.loader is None:
        raise BrokenError(f"{grader} cannot be loaded as a grader.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return rows_of(module)
