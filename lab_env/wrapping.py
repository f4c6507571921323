"""Line breaking for text in which Chinese and English stand side by side.

``textwrap`` counts a Chinese character as one column and breaks only at spaces. Here
a line may break between any two Chinese characters, and no line starts with a closing
mark or ends with an opening one.
"""

import re
from itertools import pairwise
from unicodedata import east_asian_width

# One word, or one wide character with the marks that may not be parted from it.
_OPENING = "“‘「『《〈（【([{"
_CLOSING = "，。、；：？！”’」』》〉）】…,.;:?!)]}%"
_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
_PIECE = re.compile(
    rf"[{re.escape(_OPENING)}]*"
    rf"(?:[{_WIDE}]|[^\s{_WIDE}]+|(?<=\S))"
    rf"[{re.escape(_CLOSING)}]*\s*"
)


def columns(text: str) -> int:
    """Return how many terminal columns ``text`` takes."""
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def plain(text: str) -> str:
    """Return ``text`` on one line, without what could steer the terminal.

    A trainee's answer is printed on the examiner's screen: no escape sequences, and
    no marks that turn the direction of writing.
    """
    words = " ".join(text.split())
    return "".join(char if char.isprintable() else "\ufffd" for char in words)


def wrap(text: str, width: int) -> str:
    """Return ``text`` in lines of at most ``width`` columns, nothing left out."""
    lines = [""]
    for piece in _pieces(text, width):
        if lines[-1] and columns((lines[-1] + piece).rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(line.rstrip() for line in lines)


def unwrap(markdown: str) -> str:
    """Return Markdown whose Chinese lines are joined again within their paragraph.

    A browser shows a line break as a space, and Chinese has none between words.
    """
    return "".join(
        line + ("" if _goes_on(line, after) else "\n")
        for line, after in pairwise([*markdown.split("\n"), ""])
    ).removesuffix("\n")


def _goes_on(line: str, after: str) -> bool:
    """Say whether two lines are one Chinese sentence, and not a heading or a table."""
    ends = re.search(rf"[{_WIDE}“”‘’…]$", line) and not line.startswith(("#", "|"))
    # Bold is bold before a character, but not before a mark: that would show stars.
    return bool(ends and re.match(rf"(\*\*)?[\u3400-\u9fff]|[{_WIDE}“‘]", after))


def _pieces(text: str, width: int) -> list[str]:
    pieces: list[str] = []
    for piece in _PIECE.findall(plain(text)):
        while columns(piece.rstrip()) > width:
            cut = _fitting(piece, width)
            pieces.append(piece[:cut])
            piece = piece[cut:]
        pieces.append(piece)
    return pieces


def _fitting(piece: str, width: int) -> int:
    taken = 0
    for place, char in enumerate(piece):
        taken += columns(char)
        if taken > width:
            return max(place, 1)
    return len(piece)
