"""A lab: what ``labs/<lab>/lab.toml`` says, and where its files are."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lab_env.checks import Text
from lab_env.errors import LabError, NotFoundError
from lab_env.files import content_folder
from lab_env.path import in_order


@dataclass(frozen=True)
class Deliverable:
    """What the trainee hands in; a name that ends in "/" is a folder of plain files.

    ``source`` says which copy is marked: the one that room A made ("rerun"), or the
    one handed in ("submission"), for work of the hand that cannot be run again.
    """

    name: str
    source: Literal["rerun", "submission"]
    max_mb: float


@dataclass(frozen=True)
class Lab:
    """A teaching notebook with its tasks."""

    name: str
    folder: Path
    title: Text
    summary: Text
    track: str
    level: int
    version: str
    minutes: int
    compute_seconds: int
    device: str
    skills: tuple[str, ...]
    deliverables: tuple[Deliverable, ...]
    # The deliverable that holds a fine-tuned model, or "": the examiner loads it.
    model: str
    # What the committed notebooks of the lab are worked on.
    scenario: str
    # Where a scenario has data for this lab alone, it gets no others, and no model.
    own_data: bool
    limits: dict[str, float]

    @property
    def source(self) -> Path:
        """The file that a person edits."""
        return self.folder / "lab.py"

    @property
    def grader(self) -> Path:
        """The mark sheet, in code; a sealed lab has its own beside ``lab.toml``."""
        own = self.folder / "grader.py"
        return own if own.is_file() else content_folder("graders") / f"{self.name}.py"


def lab_names() -> tuple[str, ...]:
    """Return the labs there are, in the order in which a newcomer should take them."""
    files = content_folder("labs").glob("*/lab.toml")
    return in_order({path.parent.name for path in files})


def load_lab(name: str) -> Lab:
    """Read a lab by name; an unknown name raises NotFoundError."""
    if name not in lab_names():
        raise NotFoundError("lab", name, lab_names(), "lab list")
    return read_lab(content_folder("labs") / name)


def read_lab(folder: Path) -> Lab:
    """Read ``lab.toml`` in ``folder``; a missing field is named."""
    path = folder / "lab.toml"
    try:
        facts: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return Lab(
            name=facts.get("name", folder.name),
            folder=folder,
            title=Text(**facts["title"]),
            summary=Text(**facts["summary"]),
            track=facts["track"],
            level=facts["level"],
            version=facts["version"],
            minutes=facts["minutes"],
            compute_seconds=facts["compute_seconds"],
            device=facts["device"],
            skills=tuple(facts["skills"]),
            deliverables=tuple(
                Deliverable(item["name"], item["from"], item.get("max_mb", 1))
                for item in facts["deliverables"]
            ),
            model=facts.get("model", ""),
            scenario=facts.get("scenario", ""),
            own_data=facts.get("own_data", False),
            limits=facts.get("limits", {}),
        )
    except KeyError as missing:
        raise LabError(f"{path}: the field {missing} is missing; add it.") from missing
    except tomllib.TOMLDecodeError as error:
        raise LabError(f"{path} is not valid TOML: {error}.") from error
