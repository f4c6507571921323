"""How fast the annotation page is, and how many keys an item takes.

    python tests/bench/annotator.py
    python tests/bench/annotator.py --screenshots build/annotator

Works items of every kind in a real Chromium and JupyterLab and prints a Markdown table.
Times are taken in the browser: from running the cell until the item may be worked on,
and from the key that submits until the next item stands there.
"""

import argparse
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "lab_env" / "annotator"))
sys.path.insert(0, str(Path(__file__).parent.parent / "fixtures"))

from chromium import chromium
from lab_page import LabPage, lab
from samples import cell, draw_parts

from lab_env.files import content_folder
from lab_env.widgets.annotator import Annotator, page_buffers

RUNS = 3
ITEMS = 8
SHOW = """async (source) => {
  const { shell, commands } = window.jupyterapp;
  shell.currentWidget.content.activeCell.model.sharedModel.setSource(source);
  document.querySelectorAll(".annotator").forEach((old) => old.remove());
  const ready = () => {
    const body = document.querySelector(".annotator .an-body");
    const picture = body?.querySelector("img");
    return body && (!picture || picture.naturalWidth);
  };
  const began = performance.now();
  commands.execute("notebook:run-cell");
  while (!ready()) await new Promise(requestAnimationFrame);
  return performance.now() - began;
}"""
SHOTS = {
    "choices": ("field_service", "messages.xml", "messages.jsonl"),
    "spans": ("field_service", "orders.xml", "orders.jsonl"),
    "boxes": ("surface_defects", "boxes.xml", "tasks.jsonl"),
    "pair": ("assistant_answers", "pairs.xml", "pairs.jsonl"),
    "ranking": ("assistant_answers", "rankings.xml", "rankings.jsonl"),
}
WATCH = """() => {
  const seen = (window.seen = { delays: [], keys: 0, presses: 0 });
  let began = 0;
  const modifiers = ["Shift", "Control"];
  addEventListener("keydown", (event) => {
    if (!modifiers.includes(event.key)) seen.keys += 1;
    began = performance.now();
  }, true);
  addEventListener("pointerdown", () => (seen.presses += 1), true);
  const place = document.querySelector(".an-holder");
  const note = () => seen.delays.push(performance.now() - began);
  new MutationObserver(note).observe(place, { childList: true });
}"""


@dataclass(frozen=True)
class Line:
    """What one kind of work took."""

    name: str
    first_ms: list[float]
    between_ms: float
    keys: float
    drags: float

    def markdown(self) -> str:
        """Return the line of the table."""
        first = " · ".join(f"{each:.0f}" for each in self.first_ms)
        drags = f" + {self.drags:g} drag" if self.drags else ""
        return (
            f"| {self.name} | {first} | {self.between_ms:.0f} | {self.keys:g}{drags} |"
        )


def choose(room: LabPage) -> None:
    """Answer with a digit."""
    room.press("1", "Enter")


def choose_fast(room: LabPage) -> None:
    """Answer, submit and go on with one digit."""
    room.press("1")


def mark(room: LabPage) -> None:
    """Drag over a name and label it."""
    room.select_text("张伟")
    room.press("1", "Enter")


def draw(room: LabPage) -> None:
    """Draw a box with the label at hand."""
    sheet = room.widget.locator(".an-sheet")
    room.drag(sheet, (60, 80), (220, 240))
    room.press("Enter")


def rank(room: LabPage) -> None:
    """Move the first answer down by one place."""
    room.press("Shift+ArrowDown", "Enter")


WORK: dict[str, tuple[str, str, Callable[[LabPage], None]]] = {
    "choices, normal mode": ("choices", "normal", choose),
    "choices, fast mode": ("choices", "fast", choose_fast),
    "spans": ("spans", "normal", mark),
    "boxes": ("boxes", "normal", draw),
    "pair, normal mode": ("pair", "normal", choose),
    "pair, fast mode": ("pair", "fast", choose_fast),
    "ranking": ("ranking", "normal", rank),
}


def measure(room: LabPage, name: str) -> Line:
    """Show one kind a few times, then work items of it."""
    kind, mode, work = WORK[name]
    source = cell(kind, "zh", f"{kind}-{mode}.jsonl", number=ITEMS + 1, mode=mode)
    first = [room.page.evaluate(SHOW, source) for _ in range(RUNS)]
    room.widget.locator(".an-counts").click()
    if kind == "boxes":
        room.press("1")
    room.page.evaluate(WATCH)
    for done in range(1, ITEMS + 1):
        work(room)
        room.widget.get_by_text(f"已完成 {done}").wait_for()
    seen: dict[str, Any] = room.page.evaluate("window.seen")
    return Line(
        name,
        first,
        median(seen["delays"]),
        seen["keys"] / ITEMS,
        seen["presses"] / ITEMS,
    )


@contextmanager
def room() -> Iterator[LabPage]:
    """Yield a notebook whose kernel is ready."""
    with TemporaryDirectory() as name:
        folder = Path(name) / "room"
        folder.mkdir()
        draw_parts(folder)
        with lab(folder) as address, chromium() as browser:
            page = browser.new_page(viewport={"width": 1180, "height": 960})
            found = LabPage(page, folder, address)
            found.open()
            found.import_it()
            yield found


def take_screenshots(found: LabPage, folder: Path) -> None:
    """Write one picture of each kind, half worked, on the tasks of our labs."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind, (scenario, form, tasks) in SHOTS.items():
        for part in ("shared", "zh"):
            data = content_folder("datasets") / scenario / "data" / part
            if data.is_dir():
                shutil.copytree(data, found.folder / kind, dirs_exist_ok=True)
        given = f"{kind}/{form}", f"{kind}/{tasks}", f"{kind}.jsonl"
        found.annotate(f"annotate(*{given!r}, language='zh')")
        found.widget.locator(".an-counts").click()
        if kind == "spans":
            for key, text in (("4", "体育馆东侧"), ("1", "闸机"), ("2", "电源模块")):
                found.select_text(text)
                found.press(key)
        elif kind == "boxes":
            found.widget.locator(".an-sheet img").wait_for()
            draw_both(found)
        else:
            found.press({"choices": "3", "pair": "2"}.get(kind, "Shift+ArrowDown"))
        found.page.wait_for_timeout(300)
        found.widget.screenshot(path=folder / f"{kind}.png")


def draw_both(found: LabPage) -> None:
    """Draw the scratch and the dent of the first part."""
    sheet = found.widget.locator(".an-sheet")
    found.press("1")
    found.drag(sheet, (148, 159), (304, 264))
    found.press("2")
    found.drag(sheet, (348, 318), (425, 359))


def main() -> None:
    """Print the table; write the pictures if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER")
    folder = parser.parse_args().screenshots
    with room() as found:
        lines = [measure(found, name) for name in WORK]
        if folder:
            take_screenshots(found, folder)
        outside = [url for url in found.asked if "127.0.0.1" not in url]
    packed, loader = sum(map(len, page_buffers())), len(str(Annotator._esm))
    print("| work | first interactive, ms | item to item, ms | keys per item |")
    print("|---|---|---|---|")
    print(*(line.markdown() for line in lines), sep="\n")
    print(f"\nLoaded: {packed:,} bytes for the page, {loader:,} for each widget;")
    print(f"requests to other machines: {len([u for u in outside if u[:4] == 'http'])}")


if __name__ == "__main__":
    main()
