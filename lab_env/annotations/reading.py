"""Strict reading of a task's result: nothing that was written is believed.

Covered: unknown controls and labels, offsets outside the text, text that does not stand
at its offsets, boxes outside the image, NaN, too many regions, two answers to one
question. The first thing wrong is an ``Unreadable`` with its place.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from lab_env.annotations.labelling import Control, Labelling, Shown
from lab_env.annotations.results import (
    Box,
    Choice,
    Note,
    Pair,
    Ranking,
    Region,
    Span,
)
from lab_env.checks import Text, Unreadable

MAX_REGIONS = 500
MAX_NOTE = 10_000
MAX_PIXELS = 100_000
# Percent: what a division by the image's width leaves over.
_ROUNDING = 1e-6
_KINDS = {
    "Choices": "choices",
    "Labels": "labels",
    "RectangleLabels": "rectanglelabels",
    "Pairwise": "pairwise",
    "Ranker": "ranker",
    "TextArea": "textarea",
}
_ID = re.compile(r"[\w-]{1,60}")


def read_result(
    raw: object, labelling: Labelling, data: Mapping[str, Any], place: Text
) -> tuple[Region, ...]:
    """Return the regions of one result list; ``place`` begins every sentence."""
    if not isinstance(raw, list) or len(raw) > MAX_REGIONS:
        many = len(raw) if isinstance(raw, list) else shorten(raw)
        zh = f"result 应为列表，最多 {MAX_REGIONS} 项，现在是 {many}"
        refuse(place, zh, f"result is {many}, expected a list of up to {MAX_REGIONS}")
    regions: list[Region] = []
    for number, item in enumerate(raw, 1):
        where = Text(f"{place.zh}第 {number} 个标注：", f"{place.en}region {number}: ")
        regions.append(_Reader(labelling, data, where).region(item))
    once = [each.control for each in regions if not isinstance(each, Span | Box)]
    for name in once:
        if once.count(name) > 1:
            many = once.count(name)
            zh = f"“{name}”回答了 {many} 次，只能一次"
            refuse(place, zh, f'"{name}" is answered {many} times, expected once')
    return tuple(regions)


def refuse(
    place: Text, zh: str, en: str, cause: BaseException | None = None
) -> NoReturn:
    """Raise what is wrong at a place, with what to do."""
    zh = f"{place.zh}{zh}。请在标注界面里重做这一条。"
    en = f"{place.en}{en}. Do this item again in the widget."
    raise Unreadable(Text(zh, en)) from cause


def shorten(value: object) -> str:
    """Return a value for a sentence: one line, not long."""
    # repr of a large container would be made whole before it is cut.
    if isinstance(value, dict | list):
        return f"{type(value).__name__} ({len(value)})"
    return repr(value[:30]) if isinstance(value, str) else repr(value)[:30]


class _Reader:
    """Reads one region of one task."""

    def __init__(
        self, labelling: Labelling, data: Mapping[str, Any], place: Text
    ) -> None:
        self.labelling, self.data, self.place = labelling, data, place

    def region(self, raw: object) -> Region:
        """Return one region of the kind that its control asks for."""
        item = self._dict("region", raw)
        control = self._control(item)
        value = self._dict("value", item.get("value"))
        name = item.get("id")
        known = name if isinstance(name, str) and _ID.fullmatch(name) else ""
        match control.kind:
            case "Choices":
                codes = self._codes(control, value.get("choices"))
                return Choice(control.name, control.to[0], codes, known)
            case "Labels":
                return self._span(control, value, known)
            case "RectangleLabels":
                return self._box(control, value, item, known)
            case "Pairwise":
                return self._pair(control, value, known)
            case "Ranker":
                return self._ranking(control, value, known)
            case "TextArea":
                note = self._note(value.get("text"))
                return Note(control.name, control.to[0], note, known)

    def _control(self, item: dict[str, Any]) -> Control:
        name, kind, to = item.get("from_name"), item.get("type"), item.get("to_name")
        controls = {control.name: control for control in self.labelling.controls}
        if not isinstance(name, str) or name not in controls:
            self._expected("from_name", name, "、".join(controls), ", ".join(controls))
        control = controls[name]
        if kind != _KINDS[control.kind]:
            self._expected("type", kind, _KINDS[control.kind], _KINDS[control.kind])
        target = control.name if control.kind == "Pairwise" else control.to[0]
        if to != target:
            self._expected("to_name", to, target, target)
        return control

    def _codes(self, control: Control, raw: object) -> tuple[str, ...]:
        known = control.codes
        if not isinstance(raw, list) or not 1 <= len(raw) <= len(known):
            self._expected("labels", raw, "一个标签的列表", "a list of labels")
        for code in raw:
            if code not in known or raw.count(code) > 1:
                names = ", ".join(known)[:80]
                self._expected(
                    "labels", code, f"{names}，各一次", f"{names}, each once"
                )
        if len(raw) > 1 and not control.multiple:
            self._expected("labels", raw, "只有一个标签", "one label only")
        return tuple(raw)

    def _span(self, control: Control, value: dict[str, Any], known: str) -> Span:
        text = self._shown_text(control.to[0])
        start, end = self._whole("start", value), self._whole("end", value)
        if not 0 <= start < end <= len(text):
            seen, most = f"{start} - {end}", len(text)
            self._expected("start/end", seen, f"0 到 {most}", f"0 to {most}")
        there = text[start:end]
        if value.get("text", there) != there:
            self._expected("text", value["text"], repr(there[:30]), repr(there[:30]))
        codes = self._codes(control, value.get("labels"))
        return Span(control.name, control.to[0], start, end, there, codes, known)

    def _box(
        self, control: Control, value: dict[str, Any], item: dict[str, Any], known: str
    ) -> Box:
        x, y = self._number("x", value), self._number("y", value)
        width, height = self._number("width", value), self._number("height", value)
        for at, size in ((x, width), (y, height)):
            if not (at >= 0 and size > 0 and at + size <= 100 + _ROUNDING):
                seen = f"{at:.2f} + {size:.2f}"
                self._expected("box", seen, "0 到 100（百分比）", "within 0 to 100 %")
        if value.get("rotation", 0) != 0:
            self._expected("rotation", value["rotation"], "0", "0")
        across = self._pixels("original_width", item)
        down = self._pixels("original_height", item)
        codes = self._codes(control, value.get("rectanglelabels"))
        size_and_id = (codes, across, down, known)
        return Box(control.name, control.to[0], x, y, width, height, *size_and_id)

    def _pair(self, control: Control, value: dict[str, Any], known: str) -> Pair:
        side = value.get("selected")
        if side == "left":
            return Pair(control.name, "left", known)
        if side != "right":
            self._expected("selected", side, "left 或 right", "left or right")
        return Pair(control.name, "right", known)

    def _ranking(self, control: Control, value: dict[str, Any], known: str) -> Ranking:
        raw = value.get("ranker")
        # Label Studio has written both: a list, and a dictionary of one list.
        order = raw.get(control.name) if isinstance(raw, dict) else raw
        shown = self.labelling.named(control.to[0])
        ids = [str(item["id"]) for item in self.data[shown.field]]
        given = [each for each in order if isinstance(each, str)] if (
            isinstance(order, list) and len(order) == len(ids)
        ) else []  # fmt: skip
        if sorted(given) != sorted(ids):
            names = ", ".join(ids)[:80]
            self._expected("ranker", order, f"{names}，各一次", f"{names}, each once")
        return Ranking(control.name, control.to[0], tuple(given), known)

    def _note(self, raw: object) -> str:
        lines: Sequence[object] = raw if isinstance(raw, list) else [raw]
        if not lines or not all(isinstance(line, str) for line in lines):
            self._expected("text", raw, "文字", "a text")
        text = "\n".join(str(line) for line in lines)
        if len(text) > MAX_NOTE or not is_whole(text):
            seen = f"{len(text)}"
            zh = f"最多 {MAX_NOTE} 个完整的字"
            self._expected("text", seen, zh, f"at most {MAX_NOTE} whole characters")
        return text

    def _shown_text(self, name: str) -> str:
        shown: Shown = self.labelling.named(name)
        return str(self.data[shown.field])

    def _number(self, name: str, value: dict[str, Any]) -> float:
        raw = value.get(name)
        if isinstance(raw, bool) or not isinstance(raw, int | float):
            self._expected(name, raw, "一个数值", "a number")
        # A whole number of any length is JSON; as a float it may be no number at all.
        if not (math.isfinite(raw) if isinstance(raw, float) else abs(raw) < 2**53):
            self._expected(name, raw, "一个数值", "a number")
        return float(raw)

    def _whole(self, name: str, item: dict[str, Any]) -> int:
        raw = item.get(name)
        if not isinstance(raw, int) or isinstance(raw, bool):
            self._expected(name, raw, "整数", "a whole number")
        return raw

    def _pixels(self, name: str, item: dict[str, Any]) -> int:
        raw = self._whole(name, item)
        if not 1 <= raw <= MAX_PIXELS:
            self._expected(name, raw, f"1 到 {MAX_PIXELS}", f"1 to {MAX_PIXELS}")
        return raw

    def _dict(self, name: str, raw: object) -> dict[str, Any]:
        if not isinstance(raw, dict):
            self._expected(name, raw, "一个字典", "a dictionary")
        return raw

    def _expected(self, name: str, seen: object, zh: str, en: str) -> NoReturn:
        said = shorten(seen)
        refuse(
            self.place,
            f"{name} 是 {said}，应为 {zh}",
            f"{name} is {said}, expected {en}",
        )


def is_whole(text: str) -> bool:
    """Say whether a text can be saved: half an emoji cannot."""
    return not any("\ud800" <= char <= "\udfff" for char in text)
