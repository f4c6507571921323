"""Facts about the page as a whole: access, size, speed, and that it stays at home."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from lab_page import LOCAL, LabPage
from samples import KINDS, LANGUAGES, cell, draw_parts

pytestmark = pytest.mark.xdist_group("annotator")

AXE_VERSION = "4.14.1"
AXE_RUN = """async () => {
  const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const { violations } = await axe.run(".annotator", { runOnly: rules });
  return violations.map((each) => [each.id, each.nodes.map((node) => node.html)]);
}"""


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, from LAB_AXE or from npm's cache; else a loud skip."""
    cache = Path(os.environ.get("LAB_AXE", Path.home() / ".cache" / "lab-axe"))
    source = cache / "node_modules" / "axe-core" / "axe.min.js"
    npm = shutil.which("npm")
    if not source.is_file() and npm:
        cache.mkdir(parents=True, exist_ok=True)
        ask = [npm, "install", "--prefix", str(cache), "--ignore-scripts", "--no-audit"]
        package = f"axe-core@{AXE_VERSION}"
        with suppress(subprocess.TimeoutExpired):
            subprocess.run([*ask, package], capture_output=True, timeout=60)
    if not source.is_file():
        pytest.skip(f"axe-core {AXE_VERSION} is not there: npm install it in {cache}")
    return source.read_text("utf-8")


@pytest.fixture(params=("JupyterLab Light", "JupyterLab Dark"))
def theme(request: pytest.FixtureRequest, room: LabPage) -> Iterator[str]:
    """Each of Jupyter's two themes."""
    room.theme(request.param)
    yield request.param
    room.theme("JupyterLab Light")


def test_anybody_can_use_it(room: LabPage, axe: str, theme: str) -> None:
    """axe-core finds no violation of WCAG A and AA in any kind, with all of it open."""
    room.page.evaluate(axe)
    found = {}
    for number, kind in enumerate(KINDS):
        language = LANGUAGES[number % 2]
        room.annotate(cell(kind, language, f"axe-{kind}.jsonl", guideline="rules.md"))
        room.widget.locator(".an-counts").click()
        room.press("g")
        if kind == "boxes":
            room.widget.locator(".an-tools button").first.click()
        if kind == "spans":
            room.press("Home", "Shift+ArrowRight", "Shift+ArrowRight")
        room.press("1")
        found[kind] = room.page.evaluate(AXE_RUN)

    assert found == {kind: [] for kind in KINDS}


def test_the_door_of_the_notebook_shows_it(room: LabPage) -> None:
    """What a trainee imports from lab_env.notebook is this page."""
    source = cell("choices", "zh", "door.jsonl").replace(", language='zh'", "")
    room.annotate(f"lab_env.notebook.{source}")
    room.widget.locator(".an-counts").click()

    room.press("1", "Enter")
    room.state("saved")

    assert len(room.lines("door.jsonl")) == 1


def test_the_guideline_is_one_key_away(room: LabPage) -> None:
    """A guideline is shown beside the item, and nothing in it runs or is fetched."""
    room.annotate(cell("choices", "zh", "rules.jsonl", guideline="rules.md"))
    room.widget.locator(".an-counts").click()
    panel = room.widget.locator(".an-guideline")
    assert not panel.is_visible()

    room.press("g")
    panel.wait_for()
    assert panel.locator("td").first.inner_text() == "账务"
    assert panel.locator("img, script").count() == 0
    room.press("2")
    assert room.widget.locator("input:checked").count() == 1

    room.press("Escape")
    assert not panel.is_visible()


def test_pictures_never_enter_the_notebook(room: LabPage) -> None:
    """Saved by JupyterLab, a notebook with pictures stays small."""
    room.annotate(cell("boxes", "zh", "small.jsonl"))
    room.widget.locator(".an-sheet img").wait_for()

    saved = json.dumps(room.saved())

    assert len(saved) < 4_000
    assert "iVBOR" not in saved


def test_an_executed_notebook_stays_small(tmp_path: Path) -> None:
    """Run by nbclient, which keeps widget state, it grows by less than ten kilobytes."""
    import nbformat
    from nbclient import NotebookClient

    draw_parts(tmp_path)
    source = "from lab_env.widgets.annotator import annotate\n"
    source += cell("boxes", "zh", "out.jsonl", number=200)
    new: Any = nbformat.v4
    notebook = new.new_notebook(cells=[new.new_code_cell(source)])
    before = len(nbformat.writes(notebook))  # type: ignore[no-untyped-call]

    NotebookClient(notebook, resources={"metadata": {"path": tmp_path}}).execute()

    after = len(nbformat.writes(notebook))  # type: ignore[no-untyped-call]
    assert "已完成 0 / 200" in notebook.cells[0].outputs[0].data["text/plain"]
    assert after - before < 10_000


def test_each_picture_has_one_address(room: LabPage) -> None:
    """Going back and forth loads each picture from one address, which stays good."""
    failed: list[str] = []
    listen = room.page.on
    listen("requestfailed", lambda request: failed.append(request.url))
    room.annotate(cell("boxes", "en", "blobs.jsonl", number=6))
    room.widget.locator(".an-counts").click()
    shown = set()
    picture = room.widget.locator(".an-sheet img")
    for place in "]]]]][[[[[":
        picture.wait_for()
        shown.add(picture.get_attribute("src"))
        room.press("n", "1", "u", "u", place)
        room.page.locator(".annotator:not(.an-locked)").wait_for()

    assert len(shown) == 3
    assert room.page.evaluate("document.querySelector('.an-sheet img').naturalWidth")
    assert failed == []


def test_a_picture_that_went_away_can_be_skipped(room: LabPage) -> None:
    """A picture gone since the start is said in its place; the item can be skipped."""
    (room.folder / "gone.png").write_bytes((room.folder / "part-1.png").read_bytes())
    source = cell("boxes", "zh", "gone.jsonl").replace("part-2.png", "gone.png", 1)
    room.annotate(source)
    room.widget.locator(".an-counts").click()
    (room.folder / "gone.png").unlink()

    room.press("x")
    sorry = room.widget.locator(".an-sorry")
    sorry.wait_for()
    assert "gone.png" in sorry.inner_text()
    room.press("x")
    room.widget.locator(".an-sheet img").wait_for()


def test_the_page_zooms(room: LabPage) -> None:
    """A picture is enlarged by keys and by the wheel, and boxes stay exact."""
    room.annotate(cell("boxes", "en", "zoom.jsonl"))
    sheet = room.widget.locator(".an-sheet")
    room.widget.locator(".an-sheet img").wait_for()
    sheet.click(position={"x": 5, "y": 5})
    room.press("+", "+")
    assert sheet.evaluate("node => Math.round(node.clientWidth)") == 625

    room.widget.locator(".an-window").evaluate("node => node.scrollTo(0, 0)")
    room.press("1")
    room.drag(sheet, (62.5, 62.5), (125, 187.5))
    room.press("=", "Enter")
    room.state("saved")

    assert sheet.evaluate("node => node.clientWidth") == 400
    value = room.results("zoom.jsonl")[0][0]["value"]
    assert [round(value[name] * 4) for name in ("x", "width")] == [40, 40]


def test_two_thousand_long_texts_stay_fluid(room: LabPage) -> None:
    """With 2,000 tasks of 5,000 characters and 20 spans a key answers at once."""
    text = "张伟在北京服用了阿司匹林，三天后出现皮疹😀。" * 220
    source = cell("spans", "zh", "long.jsonl").split("[{", 1)
    tail = source[1].split("}], ", 1)[1]
    tasks = f"[{{'text': {text[:5000]!r}}}] * 2000"
    began = time.monotonic()
    room.annotate(f"{source[0]}{tasks}, {tail}")
    shown = time.monotonic() - began
    room.widget.locator(".an-text").click()
    room.press("Control+Home", *["Home"] * 2)
    for _ in range(20):
        room.press("Shift+ArrowRight", "Shift+ArrowRight", "1", "ArrowRight")
    delay = room.page.evaluate(KEY_DELAY)
    room.press(*["ArrowDown"] * 30)
    assert room.widget.locator(".an-text").evaluate("node => node.scrollTop") > 0
    assert room.widget.locator(".an-caret").is_visible()
    room.press("Enter")
    room.state("saved")

    assert len(room.results("long.jsonl")[0]) == 20
    assert shown < 8
    assert delay < 250


KEY_DELAY = """async () => {
  const text = document.querySelector(".an-text");
  const began = performance.now();
  for (let n = 0; n < 10; n += 1) {
    text.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
    await new Promise(requestAnimationFrame);
  }
  return (performance.now() - began) / 10;
}"""


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("</View>'", "'"), "第 1 行"),
        (("<Text ", "<Video "), "<Video>"),
        (("part-2.png", "none.png"), "没有图片“none.png”"),
        (("'image':", "'picture':"), "“image”里没有文字"),
        (("bad.jsonl'", "bad.jsonl', mode='turbo'"), "应为 normal 或 fast"),
    ],
)
def test_bad_input_is_one_sentence(
    room: LabPage, change: tuple[str, str], sentence: str
) -> None:
    """A configuration or task that cannot be is said under the cell, and writes nothing."""
    source = cell("boxes" if "Text" not in change[0] else "choices", "zh", "bad.jsonl")
    assert change[0] in source

    room.run(source.replace(*change))
    error = room.page.locator(".jp-OutputArea-output").last
    error.wait_for()

    assert sentence in error.inner_text()
    assert "Traceback" not in error.inner_text()
    assert not (room.folder / "bad.jsonl").exists()


def test_a_file_that_cannot_be_written_loses_nothing(room: LabPage) -> None:
    """When saving fails the item stays as it was answered, and can be sent again."""
    room.annotate(cell("choices", "zh", "locked/full.jsonl"))
    room.widget.locator(".an-counts").click()
    room.press("1", "Enter")
    room.state("saved")
    # A file in the place of the folder: as root no folder is read-only.
    kept = room.folder / "locked"
    kept.rename(room.folder / "aside")
    kept.write_text("")

    room.press("2", "Enter")
    room.state("problem")
    assert room.status().startswith("没有保存：full.jsonl")
    assert room.widget.locator(".an-choice:has(:checked) span").inner_text() == "网络组"
    kept.unlink()
    (room.folder / "aside").rename(kept)
    room.press("Enter")
    room.state("saved")

    assert len(room.lines("locked/full.jsonl")) == 2


def test_the_file_is_as_label_studio_takes_it(room: LabPage) -> None:
    """Another user may read it, and no line names a user whom Label Studio lacks."""
    room.annotate(cell("choices", "zh", "plain.jsonl"))
    room.widget.locator(".an-counts").click()
    room.press("1", "Enter")
    room.state("saved")

    assert (room.folder / "plain.jsonl").stat().st_mode & 0o777 == 0o644
    assert "completed_by" not in (room.folder / "plain.jsonl").read_text("utf-8")


def test_nothing_is_asked_of_another_machine(room: LabPage) -> None:
    """After all of these tests: every request went to this machine, no popup came."""
    assert [url for url in room.asked if not url.startswith(LOCAL)] == []
    assert room.page.locator(".Toastify__toast").count() == 0
