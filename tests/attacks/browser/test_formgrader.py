"""Whatever a trainee hands in, formgrader shows it and does not do it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from formgrader_page import CLICK, FORGED, Examiner, planted
from markup import MARKUP, OTHER_TEXT
from playwright.sync_api import expect

ALL = MARKUP | OTHER_TEXT
THEIRS = ".lab-theirs"
BAD_TAGS = (
    "a, form, input, button, iframe, script, style, svg, object, embed, link, base"
)

ON_TOP = """box => {
  $("html, body").stop();
  box.scrollIntoView({ block: "center" });
  const at = box.getBoundingClientRect();
  const seen = document.elementFromPoint(at.x + at.width / 2, at.y + at.height / 2);
  return seen === box;
}"""


@pytest.fixture
def hostile(examiner: Examiner) -> Iterator[Path]:
    """The notebook of the hostile hand-in, put back after the test."""
    path = examiner.notebook("hostile")
    before = path.read_bytes()
    yield path
    path.chmod(0o644)
    path.write_bytes(before)


@pytest.fixture(scope="session")
def usual(asked_by_the_page: set[str]) -> set[str]:
    """What the page of a submission asks for when nobody attacks it."""
    return asked_by_the_page


def of_any_submission(asked: set[str]) -> set[str]:
    """Return requests without the number of the submission."""
    return {re.sub(r"submissions/\w+", "submissions/N", each) for each in asked}


@pytest.fixture(scope="session")
def asked_by_the_page() -> set[str]:
    """Filled by the first page that is opened: the honest one."""
    return set()


def open_honest(examiner: Examiner, usual: set[str]) -> None:
    """Open the honest page and learn what such a page asks for."""
    examiner.open_submission("honest")
    usual |= of_any_submission(examiner.asked)


def test_an_honest_page_shows_all_of_the_work(
    examiner: Examiner, usual: set[str]
) -> None:
    """Text, plot, formula, Chinese and rows are there, and the policy is not felt."""
    said: list[str] = []
    examiner.page.on("console", lambda message: said.append(message.text))
    examiner.page.on("pageerror", lambda error: said.append(str(error)))
    open_honest(examiner, usual)

    body = examiner.page.locator("main")
    expect(body).to_contain_text("当 $p < 0.5$ 且 $\\frac{a}{b} > 1$ 时会出错")
    expect(body).to_contain_text("共 6 条")
    expect(body).not_to_contain_text("进度 1")
    picture = examiner.page.locator(f"{THEIRS} img")
    assert picture.evaluate("image => image.naturalWidth") > 100
    expect(examiner.page.locator(".lab-rows").last).to_contain_text("M3")
    assert said == []
    assert examiner.ran_nothing()


def test_a_hostile_hand_in_is_shown_as_text(
    examiner: Examiner, usual: set[str]
) -> None:
    """Every attack at once, through the real road: the page asks and does nothing."""
    open_honest(examiner, usual)
    examiner.asked.clear()
    before = examiner.scores("hostile")

    examiner.open_submission("hostile")

    assert of_any_submission(examiner.asked) <= usual
    assert examiner.ran_nothing()
    expect(examiner.page.locator("main")).to_contain_text(
        "<script>top.pwned=1;alert(1)"
    )
    assert examiner.scores("hostile") == before
    assert examiner.thief.asked == []


@pytest.mark.parametrize("name", ALL)
def test_text_in_any_place_is_inert(
    name: str, examiner: Examiner, hostile: Path, usual: set[str]
) -> None:
    """Our page holds by itself: an attack in every field, and none was taken out."""
    open_honest(examiner, usual) if not usual else None
    examiner.asked.clear()
    text = ALL[name].replace("THIEF", examiner.thief.address)
    hostile.chmod(0o644)
    hostile.write_text(json.dumps(planted(json.loads(hostile.read_text()), text)))
    before = examiner.scores("hostile")

    examiner.open_submission("hostile")

    page = examiner.page
    assert page.locator(f"{THEIRS} :is({BAD_TAGS})").count() == 0
    assert page.locator(f"{THEIRS} [style], {THEIRS} [id]").count() == 0
    # Nothing lies over the score, and a person can still give it.
    assert page.locator("#answer-why").evaluate(ON_TOP)
    assert page.evaluate("document.body.scrollWidth <= window.innerWidth")
    assert of_any_submission(examiner.asked) <= usual
    assert examiner.ran_nothing()
    assert examiner.scores("hostile") == before
    assert examiner.thief.asked == []


@pytest.mark.parametrize("name", MARKUP)
def test_the_policy_holds_by_itself(
    name: str, examiner: Examiner, usual: set[str]
) -> None:
    """Markup put into the page unescaped runs nothing, loads nothing, covers nothing."""
    open_honest(examiner, usual) if not usual else None
    examiner.asked.clear()
    before = examiner.scores("hostile")
    markup = MARKUP[name].replace("THIEF", examiner.thief.address)
    page = examiner.page
    inside = '<div class="lab-theirs" data-says="The trainee&#39;s answer">'

    def unescaped(route: object) -> None:
        answer = route.fetch()  # type: ignore[attr-defined]
        body = answer.text().replace(inside, f"{inside}{markup}")
        assert markup in body
        route.fulfill(response=answer, body=body)  # type: ignore[attr-defined]

    page.route(f"**/{examiner.address_of('hostile')}", unescaped)
    page.goto(f"{examiner.base}/formgrader/{examiner.address_of('hostile')}")
    page.evaluate(CLICK, f"{THEIRS} :is(a, button)")
    # Whatever started on its own, or by the click, has had its turn.
    page.wait_for_timeout(100)

    shown = page.evaluate(
        "[...document.querySelectorAll('.lab-theirs [style]')].map("
        "each => getComputedStyle(each).position)"
    )
    assert set(shown) <= {"static"}
    allowed = usual | {f"GET {examiner.base}/formgrader/submissions/N"}
    assert of_any_submission(examiner.asked) <= allowed | own_pages(examiner)
    assert not examiner.dialogs
    assert page.evaluate("window.pwned") is None
    assert examiner.scores("hostile") == before
    assert examiner.thief.asked == []


def own_pages(examiner: Examiner) -> set[str]:
    """Return what a clicked link may open: our page again."""
    return {f"GET {examiner.base}/formgrader/submissions/N/"}


def test_a_forged_table_does_not_look_like_ours(examiner: Examiner) -> None:
    """Rows of the grader stand in its table; what a trainee printed, in their frame."""
    examiner.open_submission("hostile")
    page = examiner.page
    forged = page.locator("pre", has_text=FORGED).last
    frame = forged.locator("xpath=ancestor::div[contains(@class, 'lab-theirs')]")

    expect(frame).to_have_attribute("data-says", "Printed by the trainee's program")
    expect(page.locator(".lab-rows", has_text="M3")).to_contain_text("2 / 4")
    assert page.locator(f"{THEIRS} .lab-rows, .lab-rows {THEIRS}").count() == 0
    colour = "element => getComputedStyle(element).borderColor"
    assert frame.evaluate(colour) != page.locator(".lab-rows").last.evaluate(colour)


def test_a_hidden_character_is_named(examiner: Examiner, hostile: Path) -> None:
    """A mark that turns the line round is shown, so that 0 / 2 is not read as 2 / 0."""
    hostile.chmod(0o644)
    text = OTHER_TEXT["turned round"]
    hostile.write_text(json.dumps(planted(json.loads(hostile.read_text()), text)))

    examiner.open_submission("hostile")

    expect(examiner.page.locator("main")).to_contain_text("given ‹U+202E›2 / 0‹U+202C›")
