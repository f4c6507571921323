"""A scenario: an industry case, its labels, its curves, and where its files are."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab_env.checks import Text
from lab_env.errors import LabError, NotFoundError
from lab_env.files import content_folder


@dataclass(frozen=True)
class Label:
    """One class of the label scheme: a short code and its name."""

    code: str
    name: Text
    description: Text


@dataclass(frozen=True)
class Scenario:
    """What ``scenario.toml`` says; ``facts`` keeps the rest of the file."""

    name: str
    version: str
    title: Text
    brief: Text
    labels: tuple[Label, ...]
    columns: dict[str, str]
    # curves[language][metric] = {"zero": ..., "full": ...}
    curves: dict[str, dict[str, dict[str, float]]]
    facts: dict[str, Any]

    @property
    def label_codes(self) -> tuple[str, ...]:
        """The codes of the label scheme, in its order."""
        return tuple(label.code for label in self.labels)

    @property
    def base_model(self) -> str:
        """The bundled model that trainees fine-tune, or "" for none."""
        return str(self.facts.get("model", {}).get("base", ""))


def scenario_names() -> tuple[str, ...]:
    """Return the scenarios there are, by name."""
    files = content_folder("datasets").glob("*/scenario.toml")
    return tuple(sorted(path.parent.name for path in files))


def scenario_folder(name: str) -> Path:
    """Return ``datasets/<name>``; an unknown name raises NotFoundError."""
    if name not in scenario_names():
        raise NotFoundError("scenario", name, scenario_names(), "lab list --scenarios")
    return content_folder("datasets") / name


def base_model_folder(name: str) -> Path:
    """Return the folder of a bundled base model."""
    folder = content_folder("datasets") / "base_models" / name
    if not (folder / "config.json").is_file():
        known = [path.parent.name for path in folder.parent.glob("*/config.json")]
        raise NotFoundError("base model", name, known, "datasets/base_models")
    return folder


def read_scenario(path: Path) -> Scenario:
    """Read a ``scenario.toml``; a missing field is named."""
    try:
        facts: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return Scenario(
            name=facts["name"],
            version=facts["version"],
            title=Text(**facts["title"]),
            brief=Text(**facts["brief"]),
            labels=tuple(_label(item) for item in facts["labels"]),
            columns=facts["columns"],
            curves=facts["curves"],
            facts=facts,
        )
    except FileNotFoundError as error:
        raise LabError(f"No scenario file {path}.") from error
    except KeyError as missing:
        raise LabError(f"{path}: the field {missing} is missing; add it.") from missing
    except tomllib.TOMLDecodeError as error:
        raise LabError(f"{path} is not valid TOML: {error}.") from error


def _label(item: dict[str, str]) -> Label:
    description = Text(item.get("zh_line", ""), item.get("en_line", ""))
    return Label(item["code"], Text(item["zh"], item["en"]), description)
