"""Spans as BIO tags, one token a line: by character for Chinese, else by word.

Label Studio's own CoNLL export splits at blanks, so a Chinese sentence would be one
token. Blanks are no tokens here: a span that ends in one comes back without it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lab_env.annotations.errors import AnnotationError
from lab_env.annotations.results import Span

# Chinese, Japanese and Korean writing, which puts no blank between words.
_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_WORD = re.compile(r"\w+|[^\w\s]")
_CHARACTER = re.compile(r"\S")


@dataclass(frozen=True)
class Token:
    """A token and where it stands in its text."""

    text: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """Return the tokens of a text: characters if it holds any Chinese, else words."""
    pattern = _CHARACTER if _CJK.search(text) else _WORD
    return [Token(m[0], m.start(), m.end()) for m in pattern.finditer(text)]


def tags(text: str, spans: Sequence[Span]) -> list[str]:
    """Return one tag for each token of ``tokens(text)``.

    A token that a span only touches belongs to it. Spans that overlap, or that have
    several labels, cannot be said in BIO: an AnnotationError.
    """
    row = tokens(text)
    said = ["O"] * len(row)
    for span in sorted(spans, key=lambda span: span.start):
        inside = [
            place
            for place, token in enumerate(row)
            if token.start < span.end and span.start < token.end
        ]
        if len(span.codes) != 1 or any(said[place] != "O" for place in inside):
            raise _unsayable(span)
        for place in inside:
            first = place == inside[0]
            said[place] = f"{'B' if first else 'I'}-{span.codes[0]}"
    return said


def places(text: str, words: Sequence[str]) -> list[Token]:
    """Return where the words of a file stand in ``text``, in their order.

    A word that is not there is an AnnotationError.
    """
    found: list[Token] = []
    at = 0
    for word in words:
        start = text.find(word, at)
        if start < 0 or text[at:start].strip():
            seen = text[at : at + 10]
            zh = (
                f"第 {len(found) + 1} 个词是“{word[:20]}”，原文这里是“{seen}”。请检查。"
            )
            en = f'Token {len(found) + 1} is "{word[:20]}", the text here is "{seen}".'
            raise AnnotationError(zh, f"{en} Is it the file of these tasks?")
        at = start + len(word)
        found.append(Token(word, start, at))
    return found


def entities(
    row: Sequence[Token], said: Sequence[str]
) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and label of each run of tags; an I without its B begins one."""
    start, end, label = 0, 0, ""
    for token, tag in zip(row, said, strict=True):
        kind, _, name = tag.partition("-")
        if kind == "I" and name == label:
            end = token.end
            continue
        if label:
            yield start, end, label
        start, end, label = token.start, token.end, name if kind in ("B", "I") else ""
    if label:
        yield start, end, label


def _unsayable(span: Span) -> AnnotationError:
    where, labels = f"{span.start}-{span.end}", ", ".join(span.codes)
    zh = f"片段 {where}（{labels}）与别的重叠，或有多个标签，BIO 写不出来。请先改。"
    en = f"Span {where} ({labels}) overlaps another or has several labels; BIO cannot"
    return AnnotationError(zh, f"{en} say that. Change the annotation first.")
