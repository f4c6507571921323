"""The class report in a real Chromium: nothing runs, nothing is fetched, all is seen."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from made_class import broken, enter, enter_class, real_release, sheet_of

from lab_env.checks import Text
from lab_env.class_report.facts import facts_of
from lab_env.class_report.page import report_page
from lab_env.marksheet import MarkSheet
from lab_env.release import Release

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.xdist_group("class_report")

ATTACK = (
    '"><script>document.title = "hit"</script>'
    "<img src=https://evil.example/x onerror=\"document.title='hit'\">"
    "<svg onload=\"document.title='hit'\"><style>*{display:none}</style>"
    "</style></section><a href=javascript:hit>{{ 7 * 7 }}\u202e"
)
# Every text of the page against what is painted below it, as WCAG computes contrast.
CONTRAST = """() => {
  const channel = (value) =>
    value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = parts(colour).map((part) => channel(part / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if (parts(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const said = [...document.querySelectorAll("body *")].filter((each) =>
    [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  const texts = said.map((each) => {
    const style = getComputedStyle(each);
    const ink = each instanceof SVGElement ? style.fill : style.color;
    return [each.textContent.slice(0, 30), ratio(ink, ground(each)), 4.5];
  });
  const drawn = "circle, rect.full, rect.hand, line.weak, line.line, line.axis";
  const shapes = [...document.querySelectorAll(drawn)].map((each) => {
    const style = getComputedStyle(each);
    const ink = each.matches("line") ? style.stroke : style.fill;
    return [each.outerHTML.slice(0, 60), ratio(ink, ground(each)), 3];
  });
  return [...texts, ...shapes].filter(([, found, least]) => !(found >= least));
}"""


@dataclass
class Seen:
    """A page that was opened, and what it asked for and complained of."""

    page: "Page"
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


class Opener:
    """Opens files in fresh pages of one browser."""

    def __init__(self, browser: "Browser") -> None:
        self.browser, self.contexts = browser, []  # type: ignore[var-annotated]

    def __call__(self, path: Path, width: int = 1280, **options: Any) -> Seen:
        """Return the page once it is loaded."""
        viewport = {"width": width, "height": 900}
        context = self.browser.new_context(viewport=viewport, **options)  # type: ignore[arg-type]
        self.contexts.append(context)
        seen = Seen(context.new_page())
        seen.page.on("request", lambda request: seen.asked.append(request.url))
        seen.page.on("console", lambda message: seen.said.append(message.text))
        seen.page.on("pageerror", lambda error: seen.said.append(str(error)))
        seen.page.goto(path.as_uri())
        return seen


@pytest.fixture
def open_page(browser: "Browser") -> Iterator[Opener]:
    """Open a file in a fresh page, told of what it asks for."""
    opener = Opener(browser)
    yield opener
    for context in opener.contexts:
        context.close()


@pytest.fixture(scope="session")
def reports(
    forty: tuple[Path, Release], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """The report on the forty in each language."""
    folder, facts = tmp_path_factory.mktemp("report"), facts_of(*forty)
    paths = {language: folder / f"{language}.html" for language in ("zh", "en")}
    for language, path in paths.items():
        path.write_text(report_page(facts, language), "utf-8")
    return paths


@pytest.fixture(params=["zh", "en"])
def report(request: pytest.FixtureRequest, reports: dict[str, Path]) -> Path:
    """The report in one language after the other."""
    return reports[request.param]


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report on one candidate."""
    folder = tmp_path_factory.mktemp("alone")
    lab, scenario = "finetuning_classifier", "customer_service"
    release = real_release(folder / "course", lab, scenario, "en")
    enter_class(folder / "course", release, 1)
    path = folder / "report.html"
    path.write_text(report_page(facts_of(folder / "course", release), "en"), "utf-8")
    return path


def scrolls(page: "Page") -> bool:
    """Say whether the page is wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_asks_for_nothing_and_fits(
    open_page: Opener, report: Path, width: int, scheme: str
) -> None:
    """One file, no console line, no sideways scrolling, contrast of WCAG AA."""
    seen = open_page(report, width, color_scheme=scheme)

    assert seen.asked == [report.as_uri()]
    assert seen.said == []
    assert not scrolls(seen.page)
    assert seen.page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("width", [1280, 390])
def test_one_candidate_is_shown(open_page: Opener, alone: Path, width: int) -> None:
    """A class of one has its page, and no plot of correlations."""
    seen = open_page(alone, width)

    assert not scrolls(seen.page)
    assert "needs the marks of 8 candidates; there are 1." in seen.page.inner_text(
        "#rows"
    )
    assert seen.page.locator("#rows svg.plot").count() == 0


def test_paper_is_white_and_holds_it(open_page: Opener, report: Path) -> None:
    """On A4 nothing is cut, tables stay tables, and the dark theme stays away."""
    seen = open_page(report, 688, color_scheme="dark")
    seen.page.emulate_media(media="print")

    white = "getComputedStyle(document.body).backgroundColor"
    assert seen.page.evaluate(white) == "rgb(255, 255, 255)"
    assert not scrolls(seen.page)
    head = "getComputedStyle(document.querySelector('thead')).display"
    assert seen.page.evaluate(head) == "table-header-group"
    assert seen.page.evaluate(CONTRAST) == []
    assert seen.page.pdf(format="A4", prefer_css_page_size=True).startswith(b"%PDF")


def test_readers_programs_get_all_of_it(open_page: Opener, report: Path) -> None:
    """Tables have captions and headings, plots say in words what they show."""
    page = open_page(report).page

    tables = page.locator("table").count()
    assert tables >= 7
    assert page.locator("table > caption").count() == tables
    assert (
        page.locator("thead th:not([scope=col]), tbody th:not([scope=row])").count()
        == 0
    )
    assert page.locator("tbody tr").count() == page.locator("tbody th").count()
    plots = page.locator("svg.plot").all()
    assert len(plots) == 3
    for plot in plots:
        assert plot.get_attribute("role") == "img"
        assert len(plot.get_attribute("aria-label") or "") > 60
    assert page.locator("h1").count() == 1
    assert page.locator("html").get_attribute("lang") in ("zh-CN", "en")


def test_a_narrow_table_is_still_a_table(open_page: Opener, report: Path) -> None:
    """Drawn as cards, it keeps its rows, cells and headings for a reader's program."""
    page = open_page(report, 390).page

    assert page.locator("#candidates").get_by_role("row").count() == 41
    assert page.locator("#candidates").get_by_role("columnheader").count() == 6


def test_chinese_has_a_font(open_page: Opener, reports: dict[str, Path]) -> None:
    """Every Chinese character of page and plots is drawn by a font that has it."""
    page = open_page(reports["zh"]).page
    session = page.context.new_cdp_session(page)
    session.send("DOM.enable")
    session.send("CSS.enable")
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    for place in ("h1", "#marks svg.plot", "#rows table"):
        node = session.send("DOM.querySelector", {"nodeId": root, "selector": place})
        found = session.send("CSS.getPlatformFontsForNode", node)
        names = [font["familyName"] for font in found["fonts"]]
        assert any("CJK" in name or "Hei" in name or "Song" in name for name in names)


def test_nothing_of_a_submission_runs(open_page: Opener, tmp_path: Path) -> None:
    """A hostile name, message, fault, log, run and title are words on the page."""
    lab, scenario = "finetuning_classifier", "customer_service"
    release = real_release(tmp_path, lab, scenario, "zh")
    sheets = enter_class(tmp_path, release, 9)
    for number, sheet in enumerate(sheets):
        enter(tmp_path, _hostile(sheet, number), run={"id": ATTACK})
    path = tmp_path / "report.html"
    facts = facts_of(tmp_path, release)
    text = report_page(facts, "zh")
    path.write_text(text, "utf-8")

    seen = open_page(path)

    assert seen.asked == [path.as_uri()]
    assert seen.said == []
    assert "hit" not in seen.page.title()
    assert seen.page.locator("script, img, iframe, a[href^=javascript]").count() == 0
    assert seen.page.locator("style").count() == 1
    assert "{{ 7 * 7 }}" in seen.page.inner_text("body")
    assert "\u202e" not in text
    assert not scrolls(seen.page)
    assert not scrolls(open_page(path, 390).page)


def _hostile(sheet: MarkSheet, number: int) -> MarkSheet:
    """Return the sheet with an attack in each field that a submission can touch."""
    message = Text(f"{number} {ATTACK}", ATTACK + "x" * 3000)
    rows = [
        type(row)(
            **(vars(row) | {"message": message, "actual": ATTACK, "reason": ATTACK})
        )
        for row in sheet.rows
    ]
    if number == 3:
        rows = broken(rows, ["M1"], ATTACK + "长" * 3000)
    if number == 4:
        rows = broken(rows, [row.code for row in rows], ATTACK)
    told = sheet.environment | {"log": ATTACK, "ended": ATTACK, "machine": ATTACK}
    return MarkSheet(
        **(vars(sheet) | {"rows": tuple(rows), "environment": told, "title": ATTACK})
    )


def test_a_candidate_may_have_any_name(open_page: Opener, tmp_path: Path) -> None:
    """A name that no exam office gave, such as markup, is text in every table."""
    lab, scenario = "finetuning_classifier", "customer_service"
    release = real_release(tmp_path, lab, scenario, "en")
    (sheet,) = enter_class(tmp_path, release, 1)
    facts = facts_of(tmp_path, release)
    named = sheet_of(release, ATTACK, sheet.rows, sheet.environment)
    (attempt,) = facts.attempts
    attempts = (type(attempt)(**(vars(attempt) | {"sheet": named})),)
    ungraded = (ATTACK, "a" * 64)
    facts = type(facts)(facts.release, facts.title, attempts, ungraded)
    path = tmp_path / "report.html"
    path.write_text(report_page(facts, "en"), "utf-8")

    seen = open_page(path, 390)

    assert seen.asked == [path.as_uri()]
    assert seen.said == []
    assert seen.page.locator("script, img, iframe").count() == 0
    assert not scrolls(seen.page)


def test_the_same_record_gives_the_same_page(forty: tuple[Path, Release]) -> None:
    """Byte for byte: nothing in it is of the time or the machine it was made on."""
    first, second = (report_page(facts_of(*forty), "zh") for _ in range(2))

    assert first == second
    assert str(forty[0]) not in first
