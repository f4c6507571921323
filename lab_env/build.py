"""Make notebooks of ``lab.py``: the source for nbgrader, the starters, the gold work.

``lab.py`` carries two marks only, ``answer`` and ``rows``. Ids, locks and points are
added here, from the grader, so that they exist once.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import jupytext  # type: ignore[import-untyped]
import nbformat
from nbformat import NotebookNode

from lab_env.checks import LANGUAGES, Check
from lab_env.errors import LabError
from lab_env.files import write_whole
from lab_env.lab import Lab
from lab_env.mistakes import Mistake
from lab_env.release import load_checks
from lab_env.scenario import Scenario
from lab_env.solutions import (
    regions_of,
    starter_of,
    with_answer,
    without_markers,
    written_starter_of,
)
from lab_env.wrapping import unwrap

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_FIELD = re.compile(r"\{\{ *([a-z_.]+) *\}\}")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Cell:
    """One cell of a lab: shared code, or prose in each language."""

    id: str
    kind: Literal["code", "markdown"]
    texts: Mapping[str, str]
    answer: str = ""
    rows: tuple[str, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether the trainee works in this cell."""
        return bool(self.answer)


def lab_cells(lab: Lab) -> tuple[Cell, ...]:
    """Return the cells of ``lab.py``; a mark or a pair that is wrong is named."""
    text = lab.source.read_text(encoding="utf-8")
    notebook = jupytext.reads(text, fmt="py:percent")
    cells = tuple(_numbered(lab, _paired(lab, notebook.cells)))
    _check_cells(lab, cells)
    return cells


def build_source(
    lab: Lab, scenario: Scenario, language: str, release_id: str = ""
) -> NotebookNode:
    """Return the notebook with solutions and markers, as nbgrader's source/ has it."""
    points = {row.code: row for row in load_checks(lab.grader)}
    cells = lab_cells(lab)
    _check_rows(lab, cells, points)
    facts = {"lab": lab.name, "scenario": scenario.name, "language": language}
    metadata = {
        "kernelspec": KERNEL,
        "language_info": {"name": "python"},
        "lab": facts | {"release": release_id},
    }
    nodes = [_node(lab, scenario, language, cell, points) for cell in cells]
    return _notebook(
        {"cells": nodes, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    )


def build_starter(lab: Lab, scenario: Scenario, language: str) -> NotebookNode:
    """Return the notebook as trainees see it, outside any release."""
    notebook = build_source(lab, scenario, language)
    for cell in notebook.cells:
        cell.source = cell_starter(cell, language)
    return notebook


def cell_starter(cell: NotebookNode, language: str) -> str:
    """Return the text of one source cell as trainees see it."""
    if not regions_of(cell.source):
        return str(cell.source)
    if cell.cell_type == "code":
        return starter_of(cell.source)
    return written_starter_of(cell.source, language)


def gold_answers(lab: Lab, scenario: Scenario, language: str) -> dict[str, str]:
    """Return {answer: whole cell} as somebody who knows would hand it in."""
    found = _answer_sources(lab, scenario, language)
    return {name: without_markers(source) for name, source in found.items()}


def mistaken_answers(
    lab: Lab, scenario: Scenario, language: str, mistake: Mistake
) -> dict[str, str]:
    """Return the gold answers with one mistake in them, up to ``mistake.until``."""
    found = _answer_sources(lab, scenario, language)
    last = mistake.until or list(found)[-1]
    for name in (*mistake.answers, last):
        if name not in found:
            known = ", ".join(found)
            raise LabError(
                f'{lab.name}: the mistake "{mistake.name}" names the answer "{name}",'
                f" which no cell has; there is {known}."
            )
    changed = {
        name: with_answer(found[name], code) for name, code in mistake.answers.items()
    }
    names = list(found)
    answers = gold_answers(lab, scenario, language) | changed
    return {name: answers[name] for name in names[: names.index(last) + 1]}


def fill(notebook: NotebookNode, answers: Mapping[str, str]) -> NotebookNode:
    """Return a copy of a released notebook with these answers in its cells."""
    filled = _notebook(notebook)
    for cell in filled.cells:
        name = cell.metadata.get("lab", {}).get("answer", "")
        cell.source = answers.get(name, cell.source)
    return filled


def notebook_text(notebook: NotebookNode) -> str:
    """Return a notebook as it is written to disk: the same bytes each time."""
    text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    return text.rstrip("\n") + "\n"


def sync(lab: Lab, scenario: Scenario, *, check: bool = False) -> tuple[Path, ...]:
    """Write ``lab.zh.ipynb`` and ``lab.en.ipynb``; return those that had drifted.

    With ``check`` nothing is written.
    """
    drifted = []
    for language in LANGUAGES:
        path = lab.folder / f"lab.{language}.ipynb"
        text = notebook_text(build_starter(lab, scenario, language))
        if not path.is_file() or path.read_bytes() != text.encode("utf-8"):
            drifted.append(path)
            if not check:
                write_whole(path, text)
    return tuple(drifted)


def compare_languages(zh: NotebookNode, en: NotebookNode) -> None:
    """Raise LabError unless both have the same ids, code and marks."""
    if len(zh.cells) != len(en.cells):
        raise LabError(
            f"The zh notebook has {len(zh.cells)} cells and the en notebook"
            f" {len(en.cells)}; both should have the same."
        )
    for one, other in zip(zh.cells, en.cells, strict=True):
        for what, here, there in _shared(one, other):
            if here != there:
                raise LabError(
                    f'Cell "{one.id}": its {what} is {here!r:.80} in zh and'
                    f" {there!r:.80} in en; both should be the same."
                )


def _shared(one: NotebookNode, other: NotebookNode) -> Iterator[tuple[str, str, str]]:
    yield "id", one.id, other.id
    yield "type", one.cell_type, other.cell_type
    if one.cell_type == "code":
        yield "code", one.source, other.source
    for name in ("lab", "nbgrader"):
        mine = dict(one.metadata.get(name, {}))
        theirs = dict(other.metadata.get(name, {}))
        if one.cell_type == "markdown":
            # The checksum of prose differs by language.
            mine.pop("checksum", None)
            theirs.pop("checksum", None)
        yield f"{name} metadata", str(mine), str(theirs)


def _notebook(value: Mapping[str, object]) -> NotebookNode:
    made: NotebookNode = nbformat.from_dict(value)  # type: ignore[no-untyped-call]
    return made


def _answer_sources(lab: Lab, scenario: Scenario, language: str) -> dict[str, str]:
    notebook = build_source(lab, scenario, language)
    return {
        cell.metadata["lab"]["answer"]: cell.source
        for cell in notebook.cells
        if "answer" in cell.metadata.get("lab", {})
    }


def _paired(
    lab: Lab, cells: list[NotebookNode]
) -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    """Yield kind, texts and marks of each cell, zh and en prose made one."""
    waiting: NotebookNode | None = None
    for cell in cells:
        language = cell.metadata.get("lang")
        expected = "en" if waiting is not None else "zh"
        wanted = None if cell.cell_type == "code" and not waiting else expected
        if language != wanted:
            start = cell.source[:40].replace("\n", " ")
            raise LabError(
                f'{lab.source}: the {cell.cell_type} cell "{start}" has lang='
                f"{language}, expected {wanted}; prose stands in pairs, zh then en."
            )
        if waiting is None and language == "zh":
            waiting = cell
            continue
        yield cell.cell_type, *_texts_and_marks(lab, waiting, cell)
        waiting = None
    if waiting is not None:
        raise LabError(
            f'{lab.source}: "{waiting.source[:40]}" has no en cell after it.'
        )


def _texts_and_marks(
    lab: Lab, zh: NotebookNode | None, cell: NotebookNode
) -> tuple[dict[str, str], dict[str, str]]:
    marks = _marks(cell)
    other = marks if zh is None else _marks(zh)
    strange = set(marks) - {"answer", "rows"}
    if strange or other != marks:
        raise LabError(
            f'{lab.source}: the cell "{cell.source[:40]}" has the marks {marks}'
            f" (its pair {other}); expected answer and rows only, equal in a pair."
        )
    return {"zh": (zh or cell).source, "en": cell.source}, marks


def _marks(cell: NotebookNode) -> dict[str, str]:
    # jupytext notes the number of empty lines between cells among the marks.
    ours = set(cell.metadata) - {"lang", "lines_to_next_cell"}
    return {name: str(cell.metadata[name]) for name in sorted(ours)}


def _numbered(
    lab: Lab, found: Iterator[tuple[str, dict[str, str], dict[str, str]]]
) -> Iterator[Cell]:
    counts = {"code": 0, "markdown": 0}
    for kind, texts, marks in found:
        answer, rows = marks.get("answer", ""), tuple(marks.get("rows", "").split())
        if answer:
            name = f"answer-{answer}"
        elif rows:
            name = f"rows-{rows[0]}"
        else:
            counts[kind] += 1
            name = f"{'code' if kind == 'code' else 'text'}-{counts[kind]:02d}"
        yield Cell(name, "code" if kind == "code" else "markdown", texts, answer, rows)


def _check_cells(lab: Lab, cells: tuple[Cell, ...]) -> None:
    names = [cell.id for cell in cells]
    for cell in cells:
        counts = {len(regions_of(text)) for text in cell.texts.values()}
        expected = 1 if cell.answer else 0
        written = cell.kind == "markdown" and cell.answer
        if counts != {expected}:
            problem = f"has {max(counts)} solution regions, expected {expected}"
        elif cell.answer and not _NAME.fullmatch(cell.answer):
            problem = "should be named by small letters, digits and _"
        elif cell.kind == "code" and cell.answer and cell.rows:
            problem = "has both answer and rows, expected one of them"
        elif (cell.kind == "markdown") and len(cell.rows) != (1 if written else 0):
            problem = f"has the rows {cell.rows}, expected one for a written answer"
        elif names.count(cell.id) > 1:
            problem = "stands there twice"
        else:
            continue
        raise LabError(f'{lab.source}: the cell "{cell.id}" {problem}.')


def _check_rows(lab: Lab, cells: tuple[Cell, ...], checks: Mapping[str, Check]) -> None:
    placed = [(code, cell) for cell in cells for code in cell.rows]
    codes = [code for code, _ in placed]
    for code in sorted({*codes, *checks}):
        if codes.count(code) != 1 or code not in checks:
            there = "in the grader" if code in checks else "not in the grader"
            raise LabError(
                f"{lab.name}: row {code} stands in {codes.count(code)} cells and is"
                f" {there}; every row of the grader stands in exactly one cell."
            )
    for code, cell in placed:
        if checks[code].by_hand != (cell.kind == "markdown"):
            raise LabError(
                f'{lab.name}: row {code} stands in the {cell.kind} cell "{cell.id}";'
                " a row by hand stands in a written answer, any other in code."
            )


def _node(
    lab: Lab, scenario: Scenario, language: str, cell: Cell, checks: Mapping[str, Check]
) -> dict[str, object]:
    source = cell.texts[language]
    if cell.kind == "markdown":
        source = unwrap(_filled(lab, scenario, language, source))
    elif cell.rows:
        codes = ", ".join(f'"{code}"' for code in cell.rows)
        source = f"{source}\n\nshow_rows({codes})".lstrip("\n")
    metadata = _metadata(cell, sum(checks[code].points for code in cell.rows))
    node: dict[str, object] = {"id": cell.id, "cell_type": cell.kind}
    if cell.kind == "code":
        node |= {"execution_count": None, "outputs": []}
    return node | {"metadata": metadata, "source": source}


def _metadata(cell: Cell, points: int) -> dict[str, object]:
    grading: dict[str, object] = {
        "schema_version": 3,
        "grade_id": cell.id,
        "grade": bool(cell.rows),
        "solution": cell.answered,
        "locked": not cell.answered,
        "task": False,
    }
    marks: dict[str, object] = {}
    if cell.answer:
        marks["answer"] = cell.answer
    if cell.rows:
        grading["points"] = points
        marks["rows"] = list(cell.rows)
    return {"nbgrader": grading, "lab": marks} if marks else {"nbgrader": grading}


def _filled(lab: Lab, scenario: Scenario, language: str, source: str) -> str:
    facts = {
        "scenario.title": scenario.title.read(language),
        "scenario.brief": scenario.brief.read(language),
        "scenario.labels": _label_table(scenario, language),
        "scenario.entities": _entity_table(scenario, language),
        "scenario.rarest": _rarest_label(scenario, language),
        **_texts("scenario.rules", scenario.facts.get("rules", {}), language),
        **_texts("scenario.answers", scenario.facts.get("answers", {}), language),
        "lab.title": lab.title.read(language),
        "lab.minutes": str(lab.minutes),
    }

    def value(match: re.Match[str]) -> str:
        if match[1] not in facts:
            known = ", ".join(facts)
            raise LabError(
                f"{lab.source}: {match[0]} cannot be filled in; there is {known}."
            )
        return facts[match[1]]

    return _FIELD.sub(value, source)


def _texts(
    name: str, texts: Mapping[str, Mapping[str, str]], language: str
) -> dict[str, str]:
    return {f"{name}.{each}": text[language] for each, text in texts.items()}


def _rarest_label(scenario: Scenario, language: str) -> str:
    """Return the name of the small class that matters most, or "" for none."""
    code = scenario.facts.get("languages", {}).get(language, {}).get("rarest", "")
    names = {label.code: label.name.read(language) for label in scenario.labels}
    return names.get(code, "")


def _label_table(scenario: Scenario, language: str) -> str:
    head = "| 代码 | 名称 | 说明 |" if language == "zh" else "| Code | Name | Meaning |"
    lines = [
        f"| `{label.code}` | {label.name.read(language)}"
        f" | {label.description.read(language)} |"
        for label in scenario.labels
    ]
    return "\n".join([head, "| --- | --- | --- |", *lines])


def _entity_table(scenario: Scenario, language: str) -> str:
    zh, en = ("类型", "标什么", "例如"), ("Type", "Meaning", "Such as")
    rows = [zh if language == "zh" else en, ("---", "---", "---")]
    for entity in scenario.facts.get("entities", []):
        names = (language, f"{language}_line", f"{language}_example")
        rows.append(tuple(entity.get(name, "") for name in names))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
