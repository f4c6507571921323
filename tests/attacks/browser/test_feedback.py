"""The page that is given back: a file that shows everything and does nothing."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from formgrader_page import CLICK, Thief, Watched, planted
from markup import MARKUP, OTHER_TEXT
from playwright.sync_api import Page, expect
from published_toy import EN

from lab_env.pages.render import feedback_page

ALL = [*(MARKUP | OTHER_TEXT).values()]


@pytest.fixture
def graded(course: Path) -> dict[str, Any]:
    """The hostile notebook as formgrader has it."""
    path = course / "autograded" / "hostile" / EN / "toy_lab.ipynb"
    value: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return value


def opened(page: Page, html: str, folder: Path) -> Watched:
    """Write the page to a file and open it as its owner would."""
    path = folder / "toy_lab.html"
    path.write_text(html, encoding="utf-8")
    watched = Watched(page)
    page.goto(path.as_uri())
    return watched


def assert_inert(watched: Watched, thief: Thief, folder: Path) -> None:
    """The page asked for itself and nothing else, and ran nothing."""
    assert watched.asked == {f"GET {(folder / 'toy_lab.html').as_uri()}"}
    assert watched.ran_nothing()
    assert thief.asked == []


@pytest.mark.parametrize("first", range(0, len(ALL), 6))
def test_text_in_any_place_is_inert(
    first: int, graded: dict[str, Any], page: Page, thief: Thief, tmp_path: Path
) -> None:
    """Six attacks in every field, comments and rows too, are read and not done."""
    texts = [text.replace("THIEF", thief.address) for text in ALL[first : first + 6]]
    notebook = planted(graded, *texts)
    rows = [
        {**dict.fromkeys(("code", "sentence", "actual", "outcome"), text)}
        | {"given": None, "points": 2}
        for text in texts
    ]
    for cell, text in zip(notebook["cells"], texts, strict=False):
        cell["metadata"].setdefault("nbgrader", {})["comment"] = text

    watched = opened(page, feedback_page(notebook, rows, texts[0]), tmp_path)

    assert_inert(watched, thief, tmp_path)
    assert page.locator("main [style], main [id], main a, main script").count() == 0


@pytest.mark.parametrize("name", MARKUP)
def test_the_policy_holds_by_itself(
    name: str, graded: dict[str, Any], page: Page, thief: Thief, tmp_path: Path
) -> None:
    """Markup put into the file unescaped runs nothing and loads nothing."""
    markup = MARKUP[name].replace("THIEF", thief.address)
    html = feedback_page(graded, [], "hostile")
    unescaped = html.replace("<main", f"{markup}<main", 1)
    assert unescaped != html

    watched = opened(page, unescaped, tmp_path)
    page.evaluate(CLICK, "a, button")
    page.wait_for_timeout(50)

    asked = {each for each in watched.asked if "toy_lab.html" not in each}
    assert asked == set()
    assert not watched.dialogs
    assert page.evaluate("window.pwned") is None
    assert thief.asked == []


def test_an_honest_page_is_worth_reading(
    graded: dict[str, Any], page: Page, tmp_path: Path, course: Path
) -> None:
    """Rows, text, plot, formula and comment are there, without server or network."""
    path = course / "autograded" / "honest" / EN / "toy_lab.ipynb"
    notebook = json.loads(path.read_text("utf-8"))
    for cell in notebook["cells"]:
        if cell["id"] == "answer-why":
            cell["metadata"]["nbgrader"]["comment"] = "写得好 — well said"

    watched = opened(page, feedback_page(notebook, [], "honest"), tmp_path)

    main = page.locator("main")
    expect(main).to_contain_text("写得好 — well said")
    expect(main).to_contain_text("$\\frac{a}{b} > 1$")
    expect(page.locator(".lab-rows").last).to_contain_text(
        re.compile("M3.*4 / 4", re.DOTALL)
    )
    assert page.locator("img").evaluate("image => image.naturalWidth") > 100
    frame = page.locator(".lab-theirs").first
    assert (
        frame.evaluate("element => getComputedStyle(element).borderTopWidth") == "1px"
    )
    assert watched.ran_nothing()
