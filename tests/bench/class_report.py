"""The two pictures of the class report in the README.

    python tests/bench/class_report.py
    python tests/bench/class_report.py --out build/class_report

Enters a made-up class of forty in a record, runs ``lab report`` and photographs the page
in a real Chromium.
"""

import argparse
import sys
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import FloatRect, Page

sys.path.insert(0, str(Path(__file__).parent.parent / "lab_env" / "class_report"))
sys.path.insert(0, str(Path(__file__).parent.parent / "fixtures"))

from chromium import chromium
from made_class import broken, enter, enter_class, real_release

from lab_env import cli

HERE = Path(__file__).parent
COUNT, WIDTH = 40, 1180


def made_page(folder: Path, language: str) -> Path:
    """Return the report of a class in which a run broke."""
    lab, scenario = "finetuning_classifier", "customer_service"
    release = real_release(folder / "course", lab, scenario, "zh")
    sheets = enter_class(folder / "course", release, COUNT)
    last = sheets[-1]
    rows = broken(last.rows, ["M16", "M17", "M18"], "OSError: heldout.csv: I/O error")
    enter(folder / "course", type(last)(**(vars(last) | {"rows": tuple(rows)})))
    out = folder / "report.html"
    words = ("report", release.id, "--out", str(out), "--language", language)
    assert cli.run([*words, "--course", str(folder / "course")]) == 0
    return out


def pictures(page: Page, out: Path) -> None:
    """Photograph the head of the page, and the plot of its rows with some of them."""
    page.evaluate("scrollTo(0, 0)")
    _picture(page, "header", "#marks .figures", out / "marks.png")
    _picture(page, "#rows", "#rows tbody tr:nth-child(5)", out / "rows.png")


def _picture(page: Page, first: str, last: str, path: Path) -> None:
    top, bottom = page.locator(first).bounding_box(), page.locator(last).bounding_box()
    assert top is not None
    assert bottom is not None
    start = max(0, top["y"] - 16)
    height = bottom["y"] + bottom["height"] - start
    clip = FloatRect(x=0, y=start, width=WIDTH, height=height)
    shot = Image.open(BytesIO(page.screenshot(clip=clip, full_page=True)))
    path.parent.mkdir(parents=True, exist_ok=True)
    # Few colours: the picture of a page of text is half as large.
    shot.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
        path, optimize=True
    )


def main() -> None:
    """Make both pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE / "class_report")
    parser.add_argument("--language", default="zh")
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder, chromium() as browser:
        path = made_page(Path(folder), chosen.language)
        page = browser.new_page(viewport={"width": WIDTH, "height": 900})
        page.goto(path.as_uri())
        pictures(page, chosen.out)


if __name__ == "__main__":
    main()
