"""Facts seen in a real browser: a trainee opens the lab, works it, hands it in."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from in_jupyterlab import MINUTE, code_cells, errors_in, open_lab, run_all, served
from playwright.sync_api import Browser, Page, expect

from lab_env.build import fill, gold_answers, notebook_text
from lab_env.exam import grade_folder
from lab_env.lab import load_lab
from lab_env.release import Release

CANDIDATE = "2026-0042"
LAB = [sys.executable, "-m", "lab_env.cli"]


@pytest.fixture
def work(course: Path, published: dict[str, Release], tmp_path: Path) -> Path:
    """A work folder as `lab start` makes it, all blanks filled but the first."""
    release = published["zh"]
    start = ["start", release.lab_name, "--folder", str(tmp_path), "--prepare-only"]
    subprocess.run([*LAB, *start, "--course", str(course)], check=True)
    folder = tmp_path / release.id
    notebook = folder / f"{release.lab_name}.ipynb"
    answers = gold_answers(load_lab(release.lab_name), release.scenario, "zh")
    del answers["label_column"]
    answers |= {
        name: f"第 {name} 题的回答。" for name in answers if _written(release, name)
    }
    import nbformat

    filled = fill(nbformat.read(notebook, as_version=4), answers)  # type: ignore[no-untyped-call]
    notebook.write_text(notebook_text(filled), encoding="utf-8")
    return folder


@pytest.fixture
def address(course: Path, work: Path) -> Iterator[str]:
    """The address of the server that `make lab` starts."""
    start = ["start", "finetuning_classifier", "--folder", str(work.parent)]
    with served([*LAB, *start, "--no-browser", "--course", str(course)]) as found:
        yield found


def _written(release: Release, name: str) -> bool:
    cells = json.loads(release.notebook.read_text("utf-8"))["cells"]
    return any(
        cell["cell_type"] == "markdown"
        and cell["metadata"].get("lab", {}).get("answer") == name
        for cell in cells
    )


def fill_first_blank(page: Page) -> None:
    """Type the answer into the first blank, as a trainee does: at the second try.

    Run first, blank and before any other cell, it says in Chinese what is missing.
    """
    cell = page.locator(".jp-CodeCell", has_text="label_column = ____").first
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    expect(cell.locator(".jp-OutputArea")).to_contain_text("填", timeout=MINUTE)
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.type('label_column = "team"')


def test_a_trainee_works_the_lab_and_hands_it_in(
    browser: Browser,
    address: str,
    work: Path,
    course: Path,
    published: dict[str, Release],
    tmp_path: Path,
) -> None:
    """The lab runs to its end in the browser, shows its checks, is handed in, graded."""
    notebook = work / "finetuning_classifier.ipynb"
    page, asked = open_lab(browser, address)
    fill_first_blank(page)
    saved = run_all(page, notebook)

    # Every cell ran, no traceback, and each check cell shows its table.
    assert errors_in(saved) == []
    code = code_cells(saved)
    checks = [cell for cell in code if cell["metadata"].get("lab", {}).get("rows")]
    assert all("text/html" in str(cell["outputs"]) for cell in checks)

    # What the person sees.
    table = page.locator(".jp-OutputArea table", has_text="M1").first
    table.scroll_into_view_if_needed()
    expect(table).to_be_visible()
    expect(table).to_contain_text("通过")

    page.screenshot(path=tmp_path / "checked.png")

    # Nothing was asked of any other machine.
    local = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")
    assert [url for url in asked if not url.startswith(local)] == []

    # Handed in from a terminal in the browser.
    page.get_by_role("menuitem", name=re.compile("^(File|文件)$")).click()
    page.get_by_text(re.compile("^(New|新建)$"), exact=True).first.hover()
    page.get_by_role("menuitem", name=re.compile("^(Terminal|终端)$")).click()
    page.wait_for_selector(".xterm-helper-textarea", state="attached", timeout=MINUTE)
    page.wait_for_timeout(1500)
    out = tmp_path / "submissions" / f"{CANDIDATE}.zip"
    page.keyboard.type(f"lab submit --candidate {CANDIDATE} --yes --out {out}\n")
    for _ in range(60):
        page.wait_for_timeout(500)
        if out.is_file():
            break
    assert out.is_file()
    page.screenshot(path=tmp_path / "handed-in.png")
    page.close()

    # And graded: all machine points, three rows open for a person.
    report = grade_folder(course, published["zh"], out.parent)
    sheet = report.rows[0].sheet
    assert sheet is not None
    assert sheet.given(sheet.machine_rows) == sum(
        row.points for row in sheet.machine_rows
    )
    assert sheet.outcome == "awaiting marking"
    assert [row.code for row in sheet.open_rows] == ["J1", "J2", "J3"]
