"""Which rows the trainee's notebook may run, and the part of a grader that holds them.

A row is closed if it, or anything it reaches in its module, asks for the answer key or
for the examiner's run of the model; if it needs a closed row; or if a person marks it.
Decided by reading the source, so that nothing about a closed row leaves with a release.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from lab_env.errors import LabError

CLOSED = {"answer_key", "model_predictions", "key", "model_output"}


@dataclass(frozen=True)
class _Module:
    """A grader's statements by the names they define, and its rows by code."""

    source: str
    tree: ast.Module
    defined: dict[str, ast.stmt]
    checks: dict[str, ast.FunctionDef]


def open_codes(source: str) -> tuple[str, ...]:
    """Return the codes of the open rows, in the order of the file."""
    module = _read(source)
    return tuple(code for code in module.checks if _is_open(module, code))


def open_source(source: str) -> str:
    """Return the docstring and imports of a grader, and what its open rows reach."""
    module = _read(source)
    wanted: set[str] = set()
    for code in open_codes(source):
        wanted |= _reached(module, module.checks[code].name)
    headings = [node for node in module.tree.body if _is_heading(node)]
    others = [node for node in module.tree.body if wanted & set(_names(node))]
    kept = ["\n".join(_segment(module, node) for node in headings)]
    kept += [_segment(module, node) for node in others]
    return "\n\n\n".join(kept) + "\n"


def closed_statements(source: str) -> Iterator[str]:
    """Yield the source lines of what only closed rows reach, docstrings left out."""
    module = _read(source)
    shown = {line.strip() for line in open_source(source).splitlines()}
    for node in module.tree.body:
        if _is_heading(node):
            continue
        spoken = _docstring_lines(node)
        first, last = _span(node)
        for number, line in enumerate(source.splitlines()[first - 1 : last], first):
            if number not in spoken and line.strip() not in shown:
                yield line


def _read(source: str) -> _Module:
    tree = ast.parse(source)
    defined = {name: node for node in tree.body for name in _names(node)}
    checks = {}
    for node in tree.body:
        code = _code(node)
        if code and isinstance(node, ast.FunctionDef):
            checks[code] = node
    return _Module(source, tree, defined, checks)


def _is_open(module: _Module, code: str) -> bool:
    """Whether nothing the row reaches is closed; a row it needs is reached too."""
    reached = _reached(module, module.checks[code].name)
    nodes = [module.defined[name] for name in reached]
    return not any(_is_closed(node) for node in nodes)


def _is_closed(node: ast.stmt) -> bool:
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and part.attr in CLOSED:
            return True
        # getattr(submission, "answer_key") and the like.
        if isinstance(part, ast.Constant) and part.value in CLOSED - {"key"}:
            return True
    keywords = _check_keywords(node)
    by_hand = keywords.get("by_hand")
    return isinstance(by_hand, ast.Constant) and by_hand.value is True


def _reached(module: _Module, name: str) -> set[str]:
    reached: set[str] = set()
    waiting = [name]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        used = {
            part.id
            for part in ast.walk(module.defined[name])
            if isinstance(part, ast.Name)
        }
        waiting += [each for each in used if each in module.defined]
    return reached


def _names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            parts = (part for part in ast.walk(target) if isinstance(part, ast.Name))
            yield from (part.id for part in parts)
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id
    elif not _is_heading(node):
        raise LabError(
            f"The grader has a statement in line {node.lineno} that is no definition;"
            " a grader holds imports, constants, functions and classes only."
        )


def _is_heading(node: ast.stmt) -> bool:
    spoken = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return spoken or isinstance(node, ast.Import | ast.ImportFrom)


def _code(node: ast.stmt) -> str:
    for decorator in _check_calls(node):
        first = decorator.args[0] if decorator.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            return first.value
    return ""


def _check_keywords(node: ast.stmt) -> dict[str, ast.expr]:
    calls = _check_calls(node)
    return {
        word.arg: word.value for call in calls for word in call.keywords if word.arg
    }


def _check_calls(node: ast.stmt) -> list[ast.Call]:
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef) else []
    calls = [each for each in decorators if isinstance(each, ast.Call)]
    return [
        call
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "check"
    ]


def _docstring_lines(node: ast.stmt) -> set[int]:
    for inner in getattr(node, "body", [])[:1]:
        if isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Constant):
            return set(range(inner.lineno, (inner.end_lineno or 0) + 1))
    return set()


def _span(node: ast.stmt) -> tuple[int, int]:
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(each.lineno for each in decorators)])
    return first, node.end_lineno or first


def _segment(module: _Module, node: ast.stmt) -> str:
    first, last = _span(node)
    return "\n".join(module.source.splitlines()[first - 1 : last])
