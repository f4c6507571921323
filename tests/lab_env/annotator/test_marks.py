"""Facts about work done by mouse and keyboard, marked by the two rooms.

What is done, and what it must be worth, of 17 machine points:

choices  the right team                                         4 of 4
spans    the person right, the place called a drug: F1 0.5      2 of 4
boxes    160 by 104 pixels of 160 by 160: IoU 0.65, half way
         from 0.5 to 0.8                                        2 of 4
pair     the answer that does not help                          0 of 2
ranking  a c b for c a b: two of three pairs                    2 of 3
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from five_kinds import content, names
from lab_page import LOCAL, LabPage, lab
from playwright.sync_api import Browser
from samples import KINDS, LANGUAGES, words

from lab_env.exam import grade_folder
from lab_env.publish import publish_content
from lab_env.release import Release, find_release
from lab_env.work import start_work

pytestmark = pytest.mark.xdist_group("annotator")
PREDICTED = {"M1": 4, "M2": 2, "M3": 2, "M4": 0, "M5": 2}
SHOWN_IN = {"zh": "zh-CN", "en": "en"}
SHOW = """from lab_env.notebook import annotate, load_scenario
scenario = load_scenario()
form, tasks = scenario.file("{kind}.xml"), scenario.file("{kind}.jsonl")
annotate(form, tasks, "{kind}_done.jsonl")"""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course in which the five kinds are published, zh and en."""
    folder = tmp_path_factory.mktemp("five kinds")
    (folder / "samples").mkdir()
    publish_content(folder / "course", content(folder / "samples"))
    return folder / "course"


@contextmanager
def at_work(browser: Browser, folder: Path, language: str) -> Iterator[LabPage]:
    """Yield a notebook in the work folder of a release."""
    locale = {"zh": "zh-CN", "en": "en-GB"}[language]
    with lab(folder) as address:
        context = browser.new_context(
            viewport={"width": 1280, "height": 900}, locale=locale
        )
        context.set_default_timeout(20_000)
        found = LabPage(context.new_page(), folder, address)
        found.open()
        yield found
        context.close()


def show(page: LabPage, kind: str) -> None:
    """Run the cell of one kind; the focus is in the page."""
    page.annotate(SHOW.format(kind=kind))
    page.widget.locator(".an-counts").click()


def annotate_all(page: LabPage, language: str) -> None:
    """Do one task of each kind, as the docstring above says."""
    person, place = names(language)
    _, _, drug = words(language)["labels"]

    show(page, "choices")
    page.press("2", "Enter")
    page.state("saved")

    show(page, "spans")
    page.select_text(person)
    page.press("1")
    page.widget.locator(".an-chip", has_text=drug).first.click()
    page.select_text(place)
    page.press("Enter")
    page.state("saved")

    show(page, "boxes")
    sheet = page.widget.locator(".an-sheet")
    page.widget.locator(".an-sheet img").wait_for()
    page.widget.locator(".an-chip").first.click()
    page.drag(sheet, (60, 80), (220, 184))
    page.press("Enter")
    page.state("saved")

    show(page, "pair")
    page.widget.locator(".an-card .an-plain").first.click()
    page.widget.locator(".an-submit").click()
    page.state("saved")

    show(page, "ranking")
    page.press("ArrowDown", "ArrowDown", "Shift+ArrowUp", "Enter")
    page.state("saved")


def hand_in(work: Path, release: Release, folder: Path) -> None:
    """Hand in what lies in the work folder, the scratch notebook left out."""
    folder.mkdir(parents=True)
    done = [f"{kind}_done.jsonl" for kind in KINDS]
    for name in (release.notebook.name, "release.json", *done):
        shutil.copyfile(work / name, folder / name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_mark_is_the_predicted_one(
    browser: Browser, course: Path, language: str, tmp_path: Path
) -> None:
    """Each row has the points that follow from what was clicked and typed."""
    release = find_release(course, f"five_kinds-samples-{language}-r1")
    work = start_work(course / "release" / release.id, tmp_path).folder
    with at_work(browser, work, language) as page:
        annotate_all(page, language)
        assert page.widget.get_attribute("lang") == SHOWN_IN[language]
        assert [url for url in page.asked if not url.startswith(LOCAL)] == []
    hand_in(work, release, tmp_path / "in" / "2026-0042")

    [graded] = grade_folder(course, release, tmp_path / "in").rows
    assert graded.sheet is not None
    given = {row.code: row.given for row in graded.sheet.machine_rows}
    assert given == pytest.approx(PREDICTED)
    assert graded.sheet.given(graded.sheet.rows) == 10
