"""The gates that a release must pass before anybody gets it.

1. the languages are in step: the same cells, code and marks;
2. the points of the notebook are those of the grader; the key fits the inputs;
3. nothing secret is in the bytes that leave (``lab_env.leaks``);
4. the untouched release gets no point, and is told "not attempted";
5. the gold work gets all points of the machine's rows;
6. every named mistake loses the rows that it names.

Gates 4 to 6 grade real hand-ins in the two rooms. Not covered: mistakes nobody named.
"""

import shutil
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import uuid4

import nbformat
from nbformat import NotebookNode

from lab_env.assemble import Content
from lab_env.build import (
    build_source,
    compare_languages,
    gold_answers,
    mistaken_answers,
)
from lab_env.errors import GateError, LabError
from lab_env.leaks import check_leaks, secrets_of
from lab_env.marksheet import Row
from lab_env.mistakes import Mistake, load_mistakes
from lab_env.readers import read_csv
from lab_env.release import Release, load_checks
from lab_env.trials import Trial, Tried

BY_HAND = "by_hand"
UNTOUCHED, GOLD = "untouched", "gold"


def check_still(content: Content, releases: Sequence[Release]) -> None:
    """Raise GateError at the first of gates 1 to 3 that refuses."""
    notebooks = {release: _read(release) for release in releases}
    first = notebooks[releases[0]]
    for release in releases:
        try:
            compare_languages(first, notebooks[release])
        except LabError as error:
            raise GateError(f"{release.id}: {error}") from error
        _check_points(release, notebooks[release])
        _check_key(release)
    sources = [
        build_source(content.lab, content.scenario, release.language)
        for release in releases
    ]
    secrets = secrets_of(sources, content.lab.grader.read_text(encoding="utf-8"))
    for release in releases:
        check_leaks(release, secrets)


def trials_of(
    content: Content, releases: Sequence[Release], scratch: Path, *, thorough: bool
) -> tuple[Trial, ...]:
    """Return the work to hand in: gold, untouched, and each mistake in one language.

    With ``thorough`` every mistake is tried in every language. Work of the hand that
    is wrong lies below ``scratch``.
    """
    lab, scenario = content.lab, content.scenario
    mistakes = load_mistakes(lab.folder / "mistakes.py")
    _check_mistakes(content, mistakes)
    trials = []
    for release in releases:
        gold = gold_answers(lab, scenario, release.language)
        trials.append(Trial(GOLD, release, gold, by_hand=_by_hand(release)))
        trials.append(Trial(UNTOUCHED, release, {}))
    turns = cycle(releases)
    for mistake in mistakes:
        for release in releases if thorough else [next(turns)]:
            answers = mistaken_answers(lab, scenario, release.language, mistake)
            hand = _spoiled(mistake, _by_hand(release), scratch)
            trials.append(
                Trial(
                    *(mistake.name, release, answers, mistake.loses),
                    by_hand=hand,
                    until=mistake.until,
                )
            )
    return tuple(trials)


def _by_hand(release: Release) -> Path | None:
    """Return ``by_hand/`` of the key: right deliverables that cannot be run again."""
    folder = release.key / BY_HAND
    return folder if folder.is_dir() else None


def _spoiled(mistake: Mistake, right: Path | None, scratch: Path) -> Path | None:
    """Return the work of the hand with the mistake in it."""
    if mistake.by_hand is None or right is None:
        return right
    folder = scratch / uuid4().hex
    shutil.copytree(right, folder)
    mistake.by_hand(folder)
    return folder


def check_tried(tried: Tried) -> Tried:
    """Return a trial whose sheet is what it must be; GateError at any other."""
    trial, sheet = tried.trial, tried.sheet
    where = f"{trial.release.id}: the {trial.title}"
    for row in sheet.rows:
        if row.outcome == "broken":
            raise GateError(f"{where} broke row {_seen(row)}; mend the grader.")
    if trial.name == UNTOUCHED:
        _check_untouched(where, sheet.rows)
    elif trial.name == GOLD:
        _check_gold(where, sheet.machine_rows)
    for code in trial.loses:
        _check_lost(where, code, sheet.row(code))
        _check_reached(where, trial.until, sheet.row(code))
    return tried


def _check_untouched(where: str, rows: Sequence[Row]) -> None:
    for row in rows:
        if row.given != 0 or row.outcome != "not attempted":
            raise GateError(
                f"{where} release came out as {_seen(row)}, expected 0 points and"
                " not attempted; make the row see that nothing was filled in."
            )


def _check_gold(where: str, rows: Sequence[Row]) -> None:
    for row in rows:
        if row.given != row.points:
            raise GateError(
                f"{where} work came out as {_seen(row)}, expected all points;"
                " correct the solution or the grader."
            )


def _check_lost(where: str, code: str, row: Row | None) -> None:
    if row is None or row.given is None or row.given >= row.points:
        seen = _seen(row) if row else f"no row {code}"
        raise GateError(
            f"{where} mistake came out as {seen}, expected fewer points; make the"
            " row stricter, or name the rows that the mistake does lose."
        )


def _check_reached(where: str, until: str, row: Row | None) -> None:
    if until and row and row.outcome == "not attempted":
        raise GateError(
            f'{where} mistake stops at "{until}" and row {row.code} was not attempted;'
            " name a later answer in until, so that the mistake itself loses the row."
        )


def results_of(tried: Sequence[Tried]) -> dict[str, Any]:
    """Return what the gates saw, as the manifest keeps it."""
    results: dict[str, Any] = {"languages": "in step", "secrets": "none found"}
    for one in tried:
        sheet = one.sheet
        results[one.trial.title] = {
            "machine_given": sheet.given(sheet.machine_rows),
            "lost": [row.code for row in sheet.machine_rows if row.given != row.points],
            "reused": one.reused,
        }
    return results


def _read(release: Release) -> NotebookNode:
    made: NotebookNode = nbformat.read(release.notebook, as_version=4)  # type: ignore[no-untyped-call]
    return made


def _check_points(release: Release, notebook: NotebookNode) -> None:
    in_grader = sum(check.points for check in load_checks(release.grader))
    in_notebook = sum(_points(notebook))
    if in_grader != in_notebook:
        raise GateError(
            f"{release.id}: the cells give {in_notebook:g} points and the grader"
            f" {in_grader}; build the notebook of this grader again."
        )


def _points(notebook: NotebookNode) -> Iterator[float]:
    for cell in notebook.cells:
        grading = cell.metadata.get("nbgrader", {})
        if grading.get("grade"):
            yield grading["points"]


def _check_key(release: Release) -> None:
    if not (release.released / "data" / "heldout.csv").is_file():
        return
    hidden = {row["id"] for row in read_csv(release.key, "heldout.csv", ["id"])}
    inputs = release.released / "data"
    given = {row["id"] for row in read_csv(inputs, "heldout.csv", ["id"])}
    odd = sorted(hidden ^ given)
    if odd:
        where = "key" if odd[0] in hidden else "released inputs"
        raise GateError(
            f"{release.id}: the id {odd[0]} is only in the {where} ({len(odd)} such"
            " ids); key/heldout.csv and data/heldout.csv should have the same ids."
        )


def _check_mistakes(content: Content, mistakes: Sequence[Mistake]) -> None:
    rows = {row.code: row for row in load_checks(content.lab.grader)}
    for mistake in mistakes:
        for code in mistake.loses or ("",):
            if code not in rows or rows[code].by_hand:
                raise GateError(
                    f'{content.lab.name}: the mistake "{mistake.name}" names the row'
                    f' "{code}"; expected at least one row that the machine marks.'
                )


def _seen(row: Row) -> str:
    given = "no" if row.given is None else f"{row.given:g} of {row.points}"
    more = [f"actual {row.actual}"] if row.actual else []
    more += [f"nominal {row.nominal}"] if row.nominal else []
    more += [row.message.en] if row.message else []
    return f"{row.code} {row.outcome}, {given} points ({'; '.join(more) or 'no word'})"
