"""One server, one browser and one kernel for all tests of the annotation page."""

from collections.abc import Iterator

import pytest
from lab_page import LabPage, lab
from playwright.sync_api import Browser
from samples import draw_parts

RULES = """# 标注规范

| 组 | 归这里 |
|---|---|
| 账务 | **话费** |

![](https://example.org/a.png) <script>alert(1)</script> [链接](javascript:alert(1))
"""


@pytest.fixture(scope="session")
def room(
    tmp_path_factory: pytest.TempPathFactory, browser: Browser
) -> Iterator[LabPage]:
    """The notebook in a browser, with ``annotate`` imported."""
    folder = tmp_path_factory.mktemp("annotator") / "room"
    folder.mkdir()
    draw_parts(folder)
    (folder / "rules.md").write_text(RULES, "utf-8")
    with lab(folder) as address:
        context = browser.new_context(
            viewport={"width": 1280, "height": 900}, locale="zh-CN"
        )
        context.set_default_timeout(20_000)
        found = LabPage(context.new_page(), folder, address)
        found.open()
        found.import_it()
        yield found
        context.close()
