"""What a report page is made of: sections with sentences, figures and tables.

Every text is plain text; the template escapes it. Only plots are markup, and ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from lab_env.checks import Text
from lab_env.class_report.plots import bar
from lab_env.wrapping import plain


@dataclass(frozen=True)
class Voice:
    """The language of the report: ``say(zh, en)`` gives the one that is wanted."""

    language: str

    def __call__(self, zh: str, en: str) -> str:
        """Return one of two sentences."""
        return zh if self.language == "zh" else en

    def read(self, text: Text) -> str:
        """Return a text of a lab or a grader."""
        return text.read(self.language)

    def join(self, words: Sequence[str]) -> str:
        """Return a list of words as a sentence has them."""
        return self("、", ", ").join(words)


@dataclass(frozen=True)
class Column:
    """A column by its heading; numbers stand on the right."""

    heading: str
    is_number: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell of a table, with a small bar where ``share`` is given."""

    text: str
    share: float | None = None

    @property
    def bar(self) -> Markup:
        """The bar, or nothing."""
        return Markup("") if self.share is None else bar(self.share)


@dataclass(frozen=True)
class Table:
    """A table; the first cell of a line names it."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Figure:
    """A plot with its title and one sentence."""

    title: str
    sentence: str
    plot: Markup


@dataclass(frozen=True)
class Section:
    """One part of the page, with a heading of its own."""

    name: str
    heading: str
    paragraphs: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    notes_heading: str = ""
    notes: tuple[str, ...] = ()
    is_alarm: bool = False


@dataclass(frozen=True)
class Key:
    """A key figure at the head of the page."""

    label: str
    value: str
    note: str = ""
    is_alarm: bool = False


def cells(*values: object) -> tuple[Cell, ...]:
    """Return a line of a table, with nothing in it that steers a reader's screen.

    What is a cell already stays one.
    """
    return tuple(
        value if isinstance(value, Cell) else Cell(plain(str(value)))
        for value in values
    )


def columns(*headings: str) -> tuple[Column, ...]:
    """Return columns by their headings; one that begins with ``#`` holds numbers."""
    return tuple(Column(each.removeprefix("#"), each[0] == "#") for each in headings)
