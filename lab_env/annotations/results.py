"""What an annotator says about a task: six kinds of region, to and from JSON.

The form on disk is Label Studio's. Offsets count characters (code points), as Python
and Label Studio do, and not JavaScript's UTF-16 units. Boxes are in percent.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from lab_env.annotations.labelling import Labelling

Side = Literal["left", "right"]


@dataclass(frozen=True)
class Choice:
    """The choices made in one <Choices>."""

    control: str
    to: str
    codes: tuple[str, ...]
    id: str = field(default="", compare=False)


@dataclass(frozen=True)
class Span:
    """Characters ``start`` to ``end`` (not included) of a text, and their labels."""

    control: str
    to: str
    start: int
    end: int
    text: str
    codes: tuple[str, ...]
    id: str = field(default="", compare=False)


@dataclass(frozen=True)
class Box:
    """A rectangle of an image: percent of its width and height, from top left."""

    control: str
    to: str
    x: float
    y: float
    width: float
    height: float
    codes: tuple[str, ...]
    # The image's own pixels.
    image_width: int
    image_height: int
    id: str = field(default="", compare=False)

    @property
    def pixels(self) -> tuple[float, float, float, float]:
        """Left, top, width, height in pixels."""
        across, down = self.image_width / 100, self.image_height / 100
        left, top = self.x * across, self.y * down
        return left, top, self.width * across, self.height * down


@dataclass(frozen=True)
class Pair:
    """Which of two is better."""

    control: str
    selected: Side
    id: str = field(default="", compare=False)


@dataclass(frozen=True)
class Ranking:
    """Ids of a list's items, best first."""

    control: str
    to: str
    order: tuple[str, ...]
    id: str = field(default="", compare=False)


@dataclass(frozen=True)
class Note:
    """What was written in a <TextArea>."""

    control: str
    to: str
    text: str
    id: str = field(default="", compare=False)


Region = Choice | Span | Box | Pair | Ranking | Note


def box_of_pixels(
    control: str,
    to: str,
    corner_and_size: tuple[float, float, float, float],
    codes: tuple[str, ...],
    image_size: tuple[int, int],
) -> Box:
    """Return the box whose left, top, width, height are given in pixels."""
    left, top, width, height = corner_and_size
    across, down = image_size[0] / 100, image_size[1] / 100
    return Box(
        control,
        to,
        left / across,
        top / down,
        width / across,
        height / down,
        codes,
        *image_size,
    )


def unanswered(labelling: Labelling, regions: Iterable[Region]) -> tuple[str, ...]:
    """Return the names of required controls that no region answers."""
    answered = {region.control for region in regions}
    asked = [control.name for control in labelling.controls if control.required]
    return tuple(name for name in asked if name not in answered)


def region_json(region: Region, place: int) -> dict[str, Any]:
    """Return a region as Label Studio writes it; ``place`` names it if nothing does."""
    kind, value = _value(region)
    # Label Studio points a comparison at itself, since it is about two objects.
    to = region.control if isinstance(region, Pair) else region.to
    facts: dict[str, Any] = {
        "id": region.id or f"region-{place}",
        "from_name": region.control,
        "to_name": to,
        "type": kind,
        "origin": "manual",
        "value": value,
    }
    if isinstance(region, Box):
        facts["original_width"] = region.image_width
        facts["original_height"] = region.image_height
        facts["image_rotation"] = 0
    return facts


def _value(region: Region) -> tuple[str, dict[str, Any]]:
    match region:
        case Choice():
            return "choices", {"choices": list(region.codes)}
        case Span():
            place = {"start": region.start, "end": region.end, "text": region.text}
            return "labels", {**place, "labels": list(region.codes)}
        case Box():
            place = {"x": region.x, "y": region.y, "rotation": 0}
            place |= {"width": region.width, "height": region.height}
            return "rectanglelabels", {**place, "rectanglelabels": list(region.codes)}
        case Pair():
            return "pairwise", {"selected": region.selected}
        case Ranking():
            return "ranker", {"ranker": {region.control: list(region.order)}}
        case Note():
            return "textarea", {"text": [region.text]}
