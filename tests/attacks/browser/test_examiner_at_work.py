"""Behind its policy formgrader still does an examiner's work, and nothing besides."""

import json
import re
import urllib.request
from pathlib import Path

import pytest
from formgrader_page import Examiner
from markup import ACT
from playwright.sync_api import BrowserContext, expect
from published_toy import EN

LISTS = (
    "gradebook",
    f"gradebook/{EN}",
    f"gradebook/{EN}/toy_lab",
    "manage_assignments",
    f"manage_submissions/{EN}",
    "manage_students",
    "manage_students/honest",
    f"manage_students/honest/{EN}",
)


def test_points_typed_with_the_keyboard_are_kept(examiner: Examiner) -> None:
    """Tab leads from box to box, and what was typed is in the gradebook."""
    examiner.open_submission("honest")
    page = examiner.page

    page.locator("#answer-guess-comment").click()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "answer-why"
    with page.expect_response(lambda answer: answer.request.method == "PUT"):
        page.keyboard.type("1.5")
        page.keyboard.press("Tab")

    assert examiner.scores("honest")["answer-why"] == (1.5, False)


def test_points_given_with_the_mouse_are_kept(examiner: Examiner) -> None:
    """Full credit and a comment go into the gradebook at a click."""
    examiner.open_submission("honest")
    page = examiner.page
    cell = page.locator(".nbgrader_cell", has=page.locator("#answer-why"))

    with page.expect_response(lambda answer: answer.request.method == "PUT"):
        cell.locator(".full-credit").click()
    with page.expect_response(lambda answer: "/api/comment/" in answer.url):
        cell.locator(".comment").fill("好 <b>good</b> <script>top.pwned=1</script>")
        cell.locator(".comment").blur()
    page.reload()
    examiner.wait_for_scores()

    assert examiner.scores("honest")["answer-why"] == (2, False)
    expect(cell.locator(".score")).to_have_value("2")
    expect(cell.locator(".comment")).to_have_value(re.compile("好 <b>good</b>"))


def test_points_from_elsewhere_are_seen(examiner: Examiner) -> None:
    """A page opened after `lab mark` shows its points; the server keeps none back."""
    from lab_env import gradebook

    examiner.open_submission("honest")
    gradebook.write_manual_score(examiner.course, EN, "honest", "answer-why", 0.5)

    examiner.open_submission("honest")

    expect(examiner.page.locator("#answer-why")).to_have_value("0.5")


def test_an_examiner_leafs_through_and_sees_numbers_on_demand(
    examiner: Examiner,
) -> None:
    """Exam numbers are hidden until asked for; Next leads to the next submission."""
    examiner.open(f"gradebook/{EN}/toy_lab")
    page = examiner.page
    expect(page.get_by_text("Submission #1")).to_be_visible()
    page.locator("#toggle_names").click()
    expect(page.get_by_role("link", name="honest")).to_be_visible()

    page.locator("#main-table a.name-shown").first.click()
    examiner.wait_for_scores()
    number = page.locator("nav span.name-shown").first
    expect(number).to_be_hidden()
    page.locator("nav .glyphicon-eye-open").click()
    expect(number).to_be_visible()

    first = page.url.split("?")[0]
    page.locator("nav .next a").click()
    examiner.wait_for_scores()
    assert page.url.split("?")[0] != first


@pytest.mark.parametrize("path", LISTS)
def test_lists_work_and_feel_no_policy(path: str, examiner: Examiner) -> None:
    """Each list is filled, no script of nbgrader fails, and none is held back."""
    said: list[str] = []
    examiner.page.on("console", lambda message: said.append(message.text))
    examiner.page.on("pageerror", lambda error: said.append(str(error)))

    examiner.open(path)

    expect(examiner.page.locator("#main-table td").first).not_to_contain_text("Loading")
    assert said == []


def test_names_of_folders_are_text(examiner: Examiner) -> None:
    """A folder in submitted/ named as markup is listed by its name."""
    name = f'<img src=x onerror="{ACT}">'.replace("/", "\\")[:200]
    (examiner.course / "submitted" / name / EN).mkdir(parents=True)

    examiner.open(f"manage_submissions/{EN}")
    expect(examiner.page.locator("#main-table")).to_contain_text("<img src=x onerror")
    examiner.open("manage_students")

    assert examiner.ran_nothing()
    assert examiner.thief.asked == []
    (examiner.course / "submitted" / name / EN).rmdir()
    (examiner.course / "submitted" / name).rmdir()


def press(examiner: Examiner, column: str) -> None:
    """Press a button in the honest row of the list of submissions."""
    examiner.open(f"manage_submissions/{EN}")
    page = examiner.page
    row = page.locator("#main-table tr", has=page.get_by_text("honest", exact=True))
    row.locator(f"td.{column} a").click()
    title = page.locator(".modal-title")
    title.wait_for(timeout=60_000)
    assert title.inner_text() == "Success", page.locator(".modal-body").inner_text()


def test_the_autograde_button_gives_the_same_points(examiner: Examiner) -> None:
    """Pressed in the browser, it takes the road through the two rooms."""
    press(examiner, "autograde")

    assert examiner.scores("honest")["rows-M2"] == (6, False)


def test_the_feedback_button_keeps_the_trainees_mark_sheet(examiner: Examiner) -> None:
    """It writes a page that runs nothing, and `lab result` still finds its sheet."""
    folder = examiner.course / "feedback" / "honest" / EN
    before = json.loads((folder / "sheet.json").read_text("utf-8"))

    press(examiner, "generate-feedback")

    page = (folder / "toy_lab.html").read_text("utf-8")
    assert json.loads((folder / "sheet.json").read_text("utf-8")) == before
    assert "Content-Security-Policy" in page
    assert "<script" not in page
    assert (
        "messages in counts.json" in page or "&#34;messages&#34; in counts.json" in page
    )


@pytest.mark.parametrize(
    "path",
    [
        "/api/contents",
        "/api/kernels",
        "/api/terminals",
        "/files/gradebook.db",
        "/files/sealed",
        "/nbconvert/html/submitted",
        "/view/a.html",
        "/lab",
        "/tree",
        "/formgrader/?path=/tmp",
        "/formgrader?path=submitted",
        '/formgrader/gradebook/";top.pwned=1;"',
        "/formgrader/gradebook/%3Cscript%3E/x",
        "/formgrader/manage_students/x%5C/%22%2Balert(1)",
        "/formgrader/static/../../api.py",
        "/formgrader/static/%2e%2e/apihandlers.py",
        "/formgrader/submissions/1/toy_lab.ipynb",
    ],
)
def test_the_server_answers_for_formgrader_alone(
    path: str, examiner: Examiner, logged_in: BrowserContext
) -> None:
    """No files, no kernels, no other folder's configuration, even when logged in."""
    answer = logged_in.request.get(f"{examiner.base}{path}", max_redirects=0)

    assert answer.status in (403, 404)
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_stranger_gets_no_page(examiner: Examiner) -> None:
    """Without the printed token every page leads to the login, none to a submission."""
    for path in (*LISTS, "api/students", examiner.address_of("honest")):
        with urllib.request.urlopen(f"{examiner.base}/formgrader/{path}") as page:
            assert "/login" in page.url


def test_a_page_from_elsewhere_cannot_write(
    examiner: Examiner, logged_in: BrowserContext, tmp_path: Path
) -> None:
    """A form on another page, sent with the examiner's cookies, does nothing."""
    target = f"{examiner.base}/formgrader/api/assignment/{EN}/hostile/generate_feedback"
    page = tmp_path / "trap.html"
    page.write_text(
        f"<form method=post action='{target}'></form><script>document.forms[0].submit()</script>"
    )

    with examiner.page.expect_response(target) as answer:
        examiner.page.goto(page.as_uri())

    assert answer.value.status in (403, 404)
    assert not (examiner.course / "feedback/hostile" / EN / "toy_lab.html").exists()
