"""Solution regions: what stands between the two markers, and what trainees see instead.

::

    ### BEGIN SOLUTION            trainees see
    weights = total / counts      weights = ____
    ### END SOLUTION

In code an assignment or a ``return`` keeps its left side, own-line comments stay, any
other statement is dropped. A line ``# starter: CODE`` right above a statement is shown
instead of it. In a written answer the lines ``starter: TEXT`` are shown.
"""

import ast
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lab_env.checks import Text
from lab_env.errors import LabError

BLANK = "____"
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
WRITE_HERE = Text(
    "（请把这句话换成你自己的回答）", "(Replace this sentence by your own answer.)"
)
_CODE_STARTER = re.compile(r"\s*# starter: ?(.*)")
_PROSE_STARTER = re.compile(r"\s*starter: ?(.*)")


@dataclass(frozen=True)
class Region:
    """The lines between two markers, and the indentation of the first marker."""

    indent: str
    lines: tuple[str, ...]


def starter_of(source: str) -> str:
    """Return a code cell as trainees see it; LabError if that is not Python."""
    starter = replace_regions(source, _starter_lines)
    _parse(starter, starter)
    return starter


def written_starter_of(source: str, language: str) -> str:
    """Return a written answer as trainees see it."""

    def shown(region: Region) -> list[str]:
        found = [_PROSE_STARTER.fullmatch(line) for line in region.lines]
        kept = [match[1] for match in found if match]
        return kept or [WRITE_HERE.read(language)]

    return replace_regions(source, shown)


def without_markers(source: str) -> str:
    """Return a cell with its solution, as somebody who knows would hand it in."""
    return replace_regions(source, solution_lines)


def with_answer(source: str, answer: str) -> str:
    """Return a cell with ``answer`` instead of its solution region."""
    lines = textwrap.dedent(answer).strip("\n").split("\n")
    return replace_regions(
        source,
        lambda region: [f"{region.indent}{line}" if line else "" for line in lines],
    )


def solution_lines(region: Region) -> list[str]:
    """Return the lines of the solution, without the lines that say a starter."""
    return [
        line
        for line in region.lines
        if not _CODE_STARTER.fullmatch(line) and not _PROSE_STARTER.fullmatch(line)
    ]


def regions_of(source: str) -> tuple[Region, ...]:
    """Return the solution regions of a cell."""
    return tuple(part for part in _parts(source) if isinstance(part, Region))


def replace_regions(source: str, change: Callable[[Region], list[str]]) -> str:
    """Return ``source`` with every region, markers included, changed."""
    lines: list[str] = []
    for part in _parts(source):
        lines += [part] if isinstance(part, str) else change(part)
    return "\n".join(lines)


def _parts(source: str) -> Iterator[str | Region]:
    inside: list[str] | None = None
    indent = ""
    for line in source.split("\n"):
        if line.strip() in (BEGIN, END):
            if (line.strip() == BEGIN) != (inside is None):
                raise LabError(f'"{line.strip()}" without its pair in:\n{source}')
            if inside is None:
                inside, indent = [], line[: len(line) - len(line.lstrip())]
            else:
                yield Region(indent, tuple(inside))
                inside = None
        elif inside is None:
            yield line
        else:
            inside.append(line)
    if inside is not None:
        raise LabError(f'"{BEGIN}" without "{END}" in:\n{source}')


def _starter_lines(region: Region) -> list[str]:
    # A body of its own keeps the indentation, which strings of several lines need.
    head = "if True:" if region.indent else "# not indented"
    source = "\n".join([head, *region.lines, f"{region.indent}pass"])
    tree = _parse(source, "\n".join(region.lines))
    outer = tree.body[0]
    body = outer.body if region.indent and isinstance(outer, ast.If) else tree.body
    shown = [line for line in _shown(region, body[:-1], source) if line]
    return shown or [f"{region.indent}{BLANK}"]


def _shown(region: Region, body: list[ast.stmt], source: str) -> Iterator[str]:
    covered = {
        line for node in body for line in range(node.lineno, (node.end_lineno or 0) + 1)
    }
    said: list[str] = []
    for number, line in enumerate(region.lines, start=2):
        match = _CODE_STARTER.fullmatch(line)
        begun = [node for node in body if node.lineno == number]
        if begun:
            yield from said or (_blanked(node, region.indent, source) for node in begun)
            said = []
        elif number in covered or not line.strip():
            continue
        elif match:
            said.append(f"{region.indent}{match[1]}")
        else:
            yield line


def _blanked(node: ast.stmt, indent: str, source: str) -> str:
    """Return the statement with its right side blanked, or "" where it is dropped."""

    def written(part: ast.expr) -> str:
        return ast.get_source_segment(source, part) or ast.unparse(part)

    match node:
        case ast.Assign(targets=targets):
            left = " = ".join(map(written, targets))
        case ast.AnnAssign(target=target, annotation=annotation) if node.value:
            left = f"{written(target)}: {written(annotation)}"
        case ast.AugAssign(target=target):
            # The operator is part of the answer.
            left = written(target)
        case ast.Return(value=value) if value:
            return f"{indent}return {BLANK}"
        case _:
            return ""
    return f"{indent}{left} = {BLANK}"


def _parse(code: str, shown: str) -> ast.Module:
    try:
        return ast.parse(code)
    except SyntaxError as error:
        raise LabError(
            f"This solution region is not whole statements ({error.msg}); put the "
            f"markers around whole statements:\n{shown}"
        ) from error
