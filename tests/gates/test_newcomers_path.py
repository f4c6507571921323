"""The whole path in a real browser: every lab on every industry, zh and en, to its end.

Pictures of what a newcomer sees go to the folder that LAB_SCREENSHOTS names, if any.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
import pytest
from every_scenario import PAIRS, drafted
from in_jupyterlab import code_cells, errors_in, open_lab, run_all, served
from playwright.sync_api import Browser, Page

from lab_env.build import fill, gold_answers, notebook_text
from lab_env.lab import load_lab
from lab_env.work import find_work, mark_open_rows, start_work

LONGEST_CELL = 90
LOCALES = {"zh": "zh-CN", "en": "en-US"}
SERVE = """
import sys
from pathlib import Path
from lab_env import lab_server
server = lab_server.trainee_server(Path(sys.argv[1]), None, sys.argv[2])
print(server.address, flush=True)
lab_server.run(server, browser=False)
"""
notebooks: Any = nbformat


@pytest.fixture(params=PAIRS, ids="-".join)
def pair(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Each lab on the path, in its order, with each industry that it is worked on."""
    lab, scenario = request.param
    return lab, scenario


@pytest.fixture(params=sorted(LOCALES))
def work(request: pytest.FixtureRequest, pair: tuple[str, str], tmp_path: Path) -> Path:
    """A work folder with every blank filled, and the work of the hand done."""
    language = str(request.param)
    lab, scenario = pair
    release = drafted(lab, scenario, language, tmp_path / "draft")
    notebook = start_work(release.released, tmp_path / "work").notebook
    answers = gold_answers(load_lab(lab), release.scenario, language)
    filled = fill(notebooks.read(notebook, as_version=4), answers)
    notebook.write_text(notebook_text(filled), encoding="utf-8")
    # The right deliverables that cannot be run again.
    done = release.key / "by_hand"
    if done.is_dir():
        shutil.copytree(done, notebook.parent, dirs_exist_ok=True)
    return notebook


@pytest.fixture
def address(work: Path) -> Iterator[str]:
    """The address of the JupyterLab that `lab start` starts."""
    with served([sys.executable, "-c", SERVE, str(work), language_of(work)]) as found:
        yield found


def language_of(notebook: Path) -> str:
    """Return the language of a work folder."""
    language: str = find_work(notebook.parent).language
    return language


def seconds_of(cell: dict[str, Any]) -> float:
    """Return how long JupyterLab says that a cell ran."""
    times = cell["metadata"]["execution"]
    start, end = (
        datetime.fromisoformat(times[name])
        for name in ("iopub.execute_input", "shell.execute_reply")
    )
    return (end - start).total_seconds()


def keep_pictures(page: Page, name: str) -> None:
    """Photograph every output, where somebody wants to look."""
    wanted = os.environ.get("LAB_SCREENSHOTS")
    if not wanted:
        return
    outputs = page.locator(".jp-OutputArea-output:visible")
    for number in range(outputs.count()):
        place = Path(wanted, name, f"{number:02d}.png")
        outputs.nth(number).screenshot(path=place, timeout=20_000)


def test_a_newcomer_comes_through(
    browser: Browser, pair: tuple[str, str], work: Path, address: str
) -> None:
    """No error, no missing glyph, no long cell, every open row passed, nothing online."""
    language = language_of(work)
    page, asked = open_lab(browser, address, LOCALES[language])
    saved = run_all(page, work, seconds=600)
    assert errors_in(saved) == []
    code = code_cells(saved)
    checks = [cell for cell in code if cell["metadata"].get("lab", {}).get("rows")]
    assert checks
    assert all("text/html" in str(cell["outputs"]) for cell in checks)
    said = str([cell["outputs"] for cell in code])
    assert "missing from" not in said
    assert "Traceback" not in said
    assert max(map(seconds_of, code)) < LONGEST_CELL
    rows = mark_open_rows(find_work(work.parent))
    assert {row.code: row.outcome for row in rows if row.outcome != "passed"} == {}
    local = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")
    assert [url for url in asked if not url.startswith(local)] == []
    keep_pictures(page, "-".join([*pair, language]))
    page.close()
