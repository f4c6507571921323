"""XML as a tree with line numbers, read so that a hostile file costs nothing.

Covered: a DOCTYPE, and so every entity of its own (billion laughs, files of the
machine), size, depth. Not covered: what the elements mean; see ``labelling``.
"""

from dataclasses import dataclass, field
from xml.parsers import expat

from lab_env.annotations.errors import AnnotationError

MAX_BYTES = 100_000
MAX_DEPTH = 12


@dataclass(frozen=True)
class Element:
    """One element, its attributes, and the line where it begins."""

    name: str
    attributes: dict[str, str]
    line: int
    children: list["Element"] = field(default_factory=list)


def read_tree(xml: str) -> Element:
    """Return the root element; broken or hostile XML is an AnnotationError."""
    size = len(xml.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        zh = f"标注配置有 {size} 字节，最多 {MAX_BYTES}。请只保留需要的标签。"
        en = f"The configuration has {size} bytes, at most {MAX_BYTES}; shorten it."
        raise AnnotationError(zh, en)
    # An XML declaration must stand first, which in a triple-quoted text it does not.
    body = xml.lstrip("\ufeff \t\r\n")
    reader = _Reader(xml[: len(xml) - len(body)].count("\n"))
    try:
        reader.parser.Parse(body.encode(), True)
    except expat.ExpatError as error:
        why = expat.ErrorString(error.code) or "error"
        raise _broken(error.lineno + reader.skipped, why) from error
    except UnicodeEncodeError as error:
        line = body.count("\n", 0, error.start) + 1 + reader.skipped
        raise _broken(line, "half a character") from error
    return reader.root


class _Reader:
    def __init__(self, skipped: int) -> None:
        self.skipped = skipped
        self.parser = expat.ParserCreate(encoding="utf-8")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.root = Element("", {}, 0)
        self._open: list[Element] = []

    @property
    def line(self) -> int:
        """The line that is being read, as an editor counts."""
        return self.parser.CurrentLineNumber + self.skipped

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        element = Element(name, attributes, self.line)
        if len(self._open) >= MAX_DEPTH:
            zh = f"第 {element.line} 行：<{name}> 嵌套超过 {MAX_DEPTH} 层，请减少嵌套。"
            en = f"Line {element.line}: <{name}> is nested deeper than {MAX_DEPTH}."
            raise AnnotationError(zh, en + " Use fewer levels.")
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, name: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        if text.strip():
            line, inside = self.line, self._open[-1].name
            seen = " ".join(text.split())[:40]
            zh = f"第 {line} 行：<{inside}> 里有文字“{seen}”。请把它写进属性 value。"
            en = f'Line {line}: <{inside}> holds the text "{seen}". Write it as value=.'
            raise AnnotationError(zh, en)

    def _doctype(self, name: str, *_: object) -> None:
        line = self.line
        zh = f"第 {line} 行：标注配置里不能有 DOCTYPE（{name}）。请删除它。"
        en = f"Line {line}: a configuration has no DOCTYPE ({name}). Delete it."
        raise AnnotationError(zh, en)


def _broken(line: int, why: str) -> AnnotationError:
    zh = f"第 {line} 行：标注配置的 XML 有错（{why}）。请检查尖括号、引号和结束标签。"
    en = f"Line {line}: the XML is broken ({why}). Check brackets, quotes, end tags."
    return AnnotationError(zh, en)
