"""Grade the hand-ins of a paper: its releases one after the other, as one.

    FOLDER/annotation_text-field_service-zh-r1/20260001.zip, 20260002.zip, …
    FOLDER/finetuning_classifier-customer_service-zh-r1/20260001.zip, …

Each subfolder is named by its release and holds what ``lab grade`` takes. Every folder
is looked at before anything is graded; then it may be killed and started again, like
the grading of one release.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lab_env.errors import LabError, NotFoundError
from lab_env.exam import GradingReport
from lab_env.paper import Paper
from lab_env.parcel import ASIDE
from lab_env.release import Release, find_release

GradePile = Callable[[Release, Path], GradingReport]


@dataclass(frozen=True)
class Pile:
    """The hand-ins for one release of a paper."""

    release: Release
    folder: Path


def piles(course: Path, paper: Paper, folder: Path) -> tuple[Pile, ...]:
    """Return the piles in ``folder``, in the paper's order; LabError if one is odd."""
    order = [part.lab for part in paper.parts]
    found = [_pile(course, paper, each) for each in _subfolders(folder)]
    if not found:
        raise LabError(
            f"{folder} holds no hand-ins of the paper {paper.name}; expected folders "
            f"named by releases in it, such as {order[0]}-SCENARIO-zh-r1."
        )
    return tuple(sorted(found, key=lambda pile: order.index(pile.release.lab_name)))


def grade_piles(
    some: tuple[Pile, ...], grade: GradePile, only: str | None = None
) -> Iterator[GradingReport]:
    """Yield the report of each pile as it is graded.

    With ``only``, a pile without that candidate is left out; at least one must have it.
    """
    missing: list[NotFoundError] = []
    for pile in some:
        try:
            yield grade(pile.release, pile.folder)
        except NotFoundError as error:
            if only is None:
                raise
            missing.append(error)
    if len(missing) == len(some):
        raise missing[-1]


def _subfolders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    found = sorted(folder.iterdir())
    return [each for each in found if each.name[0] != "." and each.name not in ASIDE]


def _pile(course: Path, paper: Paper, folder: Path) -> Pile:
    release = find_release(course, folder.name)
    if not any(each.name[0] != "." for each in folder.iterdir()):
        raise LabError(
            f"{folder} is empty; expected hand-ins in it, or no such folder."
        )
    part = paper.part(release.lab_name)
    if part is None or part.scenario not in ("", release.scenario_name):
        parts = ", ".join(
            f"{part.lab} on {part.scenario}" if part.scenario else part.lab
            for part in paper.parts
        )
        raise LabError(
            f"{folder} is no part of the paper {paper.name}, which is made of {parts}; "
            "take it out of the folder."
        )
    return Pile(release, folder)
