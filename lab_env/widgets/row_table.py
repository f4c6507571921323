"""The small table under a cell: row, sentence, outcome, points, what to do.

Everything shown may come from a trainee's file, so all of it is escaped; the nominal
value is never shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from lab_env.checks import Text
from lab_env.marksheet import Row

# A symbol and a word: colour alone would leave some readers out.
OUTCOMES = {
    "passed": Text("✓ 通过", "✓ passed"),
    "failed": Text("✗ 未通过", "✗ not yet"),
    "partly": Text("◐ 部分得分", "◐ partly"),
    "not attempted": Text("○ 还没做", "○ to do"),
    "skipped": Text("– 跳过", "– skipped"),
    "awaiting marking": Text("… 待考评员评分", "… an examiner marks it"),
    "broken": Text("! 程序故障", "! our fault"),
}
TITLE = Text("自查结果", "Your rows")
HEADINGS = (
    Text("细则", "Row"),
    Text("要求", "What is asked"),
    Text("结果", "Outcome"),
    Text("得分", "Points"),
    Text("说明", "What to do"),
)
CLOSED = Text("交卷后由考评端评分", "marked after you hand in")
NOTHING = Text("这个单元格没有写出文件。", "This cell wrote no file.")
WRITTEN = Text("已写出，交卷时会带上", "written; it will be handed in")
STYLE = "text-align:left;padding:.3em .8em;vertical-align:baseline"


@dataclass(frozen=True)
class RowTable:
    """Rows as a table; ``closed`` are the codes that only the examiner's side marks."""

    rows: Sequence[Row]
    closed: Sequence[str]
    language: str

    def __repr__(self) -> str:
        """Return the table as plain text."""
        return "\n".join("  ".join(filter(None, line)) for line in self._lines())

    def _repr_html_(self) -> str:
        head = _cells("th", [item.read(self.language) for item in HEADINGS])
        body = "".join(f"<tr>{_cells('td', line)}</tr>" for line in self._lines())
        caption = escape(TITLE.read(self.language))
        return (
            f"<table><caption>{caption}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def _lines(self) -> list[list[str]]:
        closed = CLOSED.read(self.language)
        lines = [self._line(row) for row in self.rows]
        return [*lines, *([code, "", f"… {closed}", "", ""] for code in self.closed)]

    def _line(self, row: Row) -> list[str]:
        name = "partly" if row.outcome == "failed" and row.given else row.outcome
        given = "…" if row.given is None else f"{row.given:g}"
        return [
            row.code,
            row.sentence.read(self.language),
            OUTCOMES[name].read(self.language),
            f"{given} / {row.points}",
            row.message.read(self.language) if row.message else "",
        ]


@dataclass(frozen=True)
class SavedFiles:
    """What an exam shows under a cell: that its files are there, and no mark."""

    files: Sequence[Path]
    language: str

    def __repr__(self) -> str:
        """Return one line for each file."""
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{escape(line)}</li>" for line in self._lines())
        return f"<ul>{items}</ul>"

    def _lines(self) -> list[str]:
        if not self.files:
            return [NOTHING.read(self.language)]
        written = WRITTEN.read(self.language)
        return [f"✓ {path.as_posix()} · {written}" for path in self.files]


def _cells(tag: str, texts: Sequence[str]) -> str:
    scope = ' scope="col"' if tag == "th" else ""
    return "".join(f'<{tag}{scope} style="{STYLE}">{escape(t)}</{tag}>' for t in texts)
