"""Facts about the five kinds of task, worked by mouse and by keyboard alone."""

from typing import Any

import pytest
from lab_page import LabPage
from samples import LANGUAGES, cell, words

pytestmark = [
    pytest.mark.xdist_group("annotator"),
    pytest.mark.parametrize("language", LANGUAGES),
]


def show(room: LabPage, kind: str, language: str, **options: Any) -> str:
    """Show one kind and return its file; the focus is in the page."""
    out = f"{kind}-{language}.jsonl"
    room.annotate(cell(kind, language, out, **options))
    room.widget.locator(".an-counts").click()
    return out


def values(room: LabPage, out: str) -> list[list[dict[str, Any]]]:
    """Return the values of the regions of each task."""
    return [[region["value"] for region in task] for task in room.results(out)]


def test_choices(room: LabPage, language: str) -> None:
    """A choice takes two keys, or two clicks."""
    out = show(room, "choices", language)
    one, two, _ = words(language)["teams"]

    room.press("1", "Enter")
    room.state("saved")
    room.widget.get_by_text(two, exact=True).click()
    room.widget.locator(".an-submit").click()
    room.widget.get_by_text(words(language)["message"].format(n=3)).wait_for()

    assert values(room, out) == [[{"choices": [one]}], [{"choices": [two]}]]
    assert room.widget.get_attribute("lang") == {"zh": "zh-CN", "en": "en"}[language]


def test_spans(room: LabPage, language: str) -> None:
    """Spans count characters, not UTF-16 units, by mouse and by keyboard."""
    out = show(room, "spans", language)
    person, place, _ = words(language)["labels"]
    name, town = {"zh": ("张伟", "北京"), "en": ("Zhang Wei", "Beijing")}[language]
    text = words(language)["note"]

    room.select_text(name)
    room.press("1")
    room.widget.locator(".an-chip", has_text=place).first.click()
    room.select_text(town)
    room.press("Enter")
    room.state("saved")
    room.press("Home", "ArrowRight", *["Shift+ArrowRight"] * len(name), "1", "Enter")
    room.widget.get_by_text("/ 4").wait_for()
    room.state("saved")

    def span(found: str, label: str) -> dict[str, Any]:
        start = text.index(found)
        end = start + len(found)
        return {"start": start, "end": end, "text": found, "labels": [label]}

    assert values(room, out)[0] == [span(name, person), span(town, place)]
    room.widget.locator("input[type=number]:focus").wait_for(state="detached")
    assert values(room, out)[1:] == [[span(name, person)]]


def test_boxes(room: LabPage, language: str) -> None:
    """Boxes are exact to the pixel, drawn, moved, resized and deleted both ways."""
    out = show(room, "boxes", language)
    scratch, dent = words(language)["defects"]
    room.widget.locator(".an-sheet img").wait_for()
    sheet = room.widget.locator(".an-sheet")

    room.widget.locator(".an-chip", has_text=scratch).click()
    room.drag(sheet, (60, 80), (220, 240))
    room.drag(sheet, (300, 20), (340, 60))
    room.drag(sheet, (310, 30), (320, 50))
    room.drag(sheet, (350, 80), (360, 100))
    room.press("2", "Enter")
    room.state("saved")
    room.press("n", "1", "Shift+ArrowRight", "ArrowDown", "n", "2", "Delete", "Enter")
    room.widget.locator(".an-counts", has_text="2").wait_for()

    def box(left: int, top: int, width: int, height: int, label: str) -> dict[str, Any]:
        return {
            "x": left / 4, "y": top / 3.2, "width": width / 4, "height": height / 3.2,
            "rotation": 0, "rectanglelabels": [label],
        }  # fmt: skip

    first = [box(60, 80, 160, 160, scratch), box(310, 40, 50, 60, dent)]
    second = [box(168, 129, 65, 64, scratch)]
    assert values(room, out) == [first, second]
    assert room.results(out)[0][0]["original_width"] == 400


def test_pair(room: LabPage, language: str) -> None:
    """A pair is decided by a key or a click; the reason is typed."""
    out = show(room, "pair", language)

    room.press("2", "Enter")
    room.state("saved")
    room.widget.locator(".an-card .an-plain").first.click()
    room.widget.locator("textarea").click()
    room.page.keyboard.type("x g 1 理由")
    room.press("Control+Enter")
    room.widget.locator(".an-counts", has_text="2").wait_for()

    note = {"text": ["x g 1 理由"]}
    assert values(room, out) == [[{"selected": "right"}], [{"selected": "left"}, note]]
    assert room.results(out)[0][0]["to_name"] == "pair"


def test_ranking(room: LabPage, language: str) -> None:
    """An order is made by dragging, by arrows and by digits; untouched it counts too."""
    out = show(room, "ranking", language)
    rows = room.widget.locator(".an-row")

    room.drag(rows.nth(2), (60, 12), (60, -120))
    room.press("Enter")
    room.state("saved")
    room.press("Shift+ArrowDown", "ArrowUp", "3", "Enter")
    room.widget.locator(".an-counts", has_text="2").wait_for()
    room.press("Enter")
    room.widget.locator(".an-counts", has_text="3").wait_for()

    orders = [task[0]["ranker"]["rank"] for task in values(room, out)]
    assert orders == [["c", "a", "b"], ["a", "c", "b"], ["a", "b", "c"]]
