"""The examiner's server on a course with an honest and a hostile hand-in."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from formgrader_page import HOSTILE_WORK, Examiner, Thief
from playwright.sync_api import Browser, BrowserContext, Page
from published_toy import english, hand_in, published

from lab_env.exam import grade_folder

HERE = Path(__file__).parent
LAB = [sys.executable, "-m", "lab_env.cli"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests in one process: they share a server and a browser."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course in which both hand-ins were graded by the real road."""
    folder = tmp_path_factory.mktemp("browser")
    made = published(folder)
    release = english(made)
    hand_in(folder / "pile" / "honest", release, **HONEST_WORK)
    hand_in(folder / "pile" / "hostile", release, **HOSTILE_WORK)
    report = grade_folder(made, release, folder / "pile")
    assert [row.sentence for row in report.rows] == ["", ""]
    return made


HONEST_WORK = {
    "count": (
        'train = read_rows("train")\nmessage_count = len(train)\n'
        'for step in range(3):\n    print(f"进度 {step}", end="\\r")\n'
        'print("共", message_count, "条")\n'
        "import matplotlib.pyplot as plt\nplt.plot([3, 1, 2]); plt.show()"
    ),
    "why": "当 $p < 0.5$ 且 $\\frac{a}{b} > 1$ 时会出错：\n\n- 没有“money”一词",
}


@pytest.fixture(scope="session")
def thief() -> Iterator[Thief]:
    """Another server on this machine, which no page may ask for anything."""
    with Thief() as thief:
        yield thief


@pytest.fixture(scope="session")
def address(course: Path) -> Iterator[str]:
    """The address that `lab formgrader` prints."""
    command = [*LAB, "formgrader", "--no-browser", "--course", str(course)]
    environment = dict(os.environ, HOME=str(course.parent))
    server = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        env=environment,
    )
    assert server.stdout is not None
    found = None
    while not found:
        line = server.stdout.readline()
        assert line, "the server ended before it printed its address"
        found = re.search(r"http://127\.0\.0\.1:\S+", line)
    yield found.group()
    os.killpg(server.pid, signal.SIGTERM)
    server.wait(30)
    server.stdout.close()


@pytest.fixture(scope="session")
def logged_in(browser: Browser, address: str) -> Iterator[BrowserContext]:
    """A browser session of the examiner, who has opened the printed address."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    for _ in range(100):
        try:
            page.goto(address)
            break
        except Exception:
            page.wait_for_timeout(200)
    page.wait_for_selector("#main-table a")
    page.close()
    yield context
    context.close()


@pytest.fixture
def page(logged_in: BrowserContext) -> Iterator[Page]:
    """A new tab of the examiner."""
    page = logged_in.new_page()
    page.set_default_timeout(15_000)
    yield page
    page.close()


@pytest.fixture
def examiner(page: Page, address: str, course: Path, thief: Thief) -> Examiner:
    """The examiner at a new tab, with everything that the tab does written down."""
    return Examiner(page, address.split("/formgrader")[0], course, thief)
