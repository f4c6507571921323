"""The path: the labs in the order in which a newcomer should take them.

The order lives in ``labs/path.toml`` alone, so that no lab has a number in its name
and none is ever renumbered.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lab_env.checks import Text
from lab_env.errors import LabError
from lab_env.files import content_folder


@dataclass(frozen=True)
class Step:
    """One lab of the path: what a trainee can do after it, and which labs it opens."""

    lab: str
    leads_to: Text
    opens: tuple[str, ...]


def steps() -> tuple[Step, ...]:
    """Return the steps in their order; LabError names what the index has wrong."""
    return read_path(content_folder("labs") / "path.toml")


def in_order(names: set[str]) -> tuple[str, ...]:
    """Return lab names in the order of the path; a lab that is not on it comes last."""
    path = [step.lab for step in steps() if step.lab in names]
    return (*path, *sorted(names - set(path)))


@cache
def read_path(file: Path) -> tuple[Step, ...]:
    """Read an index of order."""
    try:
        items = tomllib.loads(file.read_text(encoding="utf-8"))["steps"]
        found = tuple(
            Step(item["lab"], Text(item["zh"], item["en"]), tuple(item["opens"]))
            for item in items
        )
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise LabError(
            f"{file} cannot be read ({error}); each [[steps]] has lab, opens, zh, en."
        ) from error
    _check(file, [step.lab for step in found], found)
    return found


def _check(file: Path, order: list[str], found: tuple[Step, ...]) -> None:
    for place, step in enumerate(found):
        if step.lab in order[:place]:
            raise LabError(f"{file}: {step.lab} stands twice; keep one.")
        for lab in step.opens:
            if lab not in order[place + 1 :]:
                raise LabError(
                    f"{file}: {step.lab} opens {lab}, which does not come after it; "
                    "change the order or the name."
                )
