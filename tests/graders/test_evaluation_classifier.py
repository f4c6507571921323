"""The mark sheet of evaluation_classifier gives points for the work and nothing else."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import evaluation_work as lab
import numpy as np
import pandas as pd
import pytest

from lab_env.files import content_folder, write_json
from lab_env.marksheet import Row, mark
from lab_env.open_rows import open_codes
from lab_env.release import load_checks

GRADER = content_folder("graders") / "evaluation_classifier.py"
CHECKS = load_checks(GRADER)
MACHINE = sum(check.points for check in CHECKS if not check.by_hand)
TRIVIAL = 0.6 * MACHINE
Change = Callable[[Path], None]


def rows_of(folder: Path) -> dict[str, Row]:
    """Return the marked rows by code."""
    return {row.code: row for row in mark(CHECKS, lab.submission_of(folder))}


def points_of(folder: Path) -> float:
    """Return the machine points; no row may be broken."""
    rows = rows_of(folder).values()
    assert "broken" not in {row.outcome for row in rows}
    return sum(row.given or 0 for row in rows)


@pytest.fixture(scope="module")
def gold_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a release and faultless work, not to be changed."""
    folder = tmp_path_factory.mktemp("gold")
    lab.write_release(folder)
    lab.write_work(folder)
    return folder


@pytest.fixture
def work(gold_folder: Path, tmp_path: Path) -> Path:
    """Return a copy of the faultless work."""
    return shutil.copytree(gold_folder, tmp_path / "work")


def test_points_sum_to_a_hundred_with_twenty_by_hand() -> None:
    """All rows together are 100 points, 20 of them given by a person."""
    assert sum(check.points for check in CHECKS) == 100
    assert MACHINE == 80
    assert 20 <= len(CHECKS) <= 30


def test_only_the_sealed_scores_and_written_answers_are_closed() -> None:
    """The notebook answers every row but the one that reads the key."""
    closed = {"M2", "J1", "J2", "J3"}
    codes = {check.code for check in CHECKS}
    assert set(open_codes(GRADER.read_text("utf-8"))) == codes - closed


def test_numbers_of_the_libraries_get_every_machine_point(gold_folder: Path) -> None:
    """What scikit-learn, scipy and statsmodels give earns all 80 points."""
    rows = rows_of(gold_folder)
    lost = [row for row in rows.values() if not row.by_hand and row.given != row.points]
    assert lost == []


def test_untouched_release_is_not_attempted(tmp_path: Path) -> None:
    """An empty hand-in scores 0 and every row says that it was not attempted."""
    lab.write_release(tmp_path)
    submission = lab.submission_of(tmp_path)
    rows = mark(CHECKS, replace(submission, answers=submission.starters))
    assert {(row.outcome, row.given) for row in rows} == {("not attempted", 0.0)}


def edit(name: str, **changes: Any) -> Change:
    """Return a change of some fields of a JSON deliverable."""

    def change(folder: Path) -> None:
        value = json.loads((folder / name).read_text("utf-8"))
        write_json(folder / name, value | changes)

    return change


def rewrite(**texts: Callable[[str], str]) -> Change:
    """Return a change of the rewritten texts of some kinds."""

    def change(folder: Path) -> None:
        table = pd.read_csv(folder / "perturbed.csv")
        was = lab.messages("test").set_index("id")["text"]
        for kind, pick in texts.items():
            mine = table["kind"] == kind
            table.loc[mine, "text"] = table.loc[mine, "id"].map(was).map(pick)
        table.to_csv(folder / "perturbed.csv", index=False)

    return change


def golden(pick: Callable[[pd.DataFrame], pd.DataFrame]) -> Change:
    """Return a change of the golden set."""

    def change(folder: Path) -> None:
        chosen = pick(lab.messages("test"))[["id", "team"]]
        chosen.to_csv(folder / "golden.csv", index=False)

    return change


COMMON: dict[str, tuple[Change, str, float, str]] = {
    "micro for macro": (
        edit("overall.json", macro_f1={"a": 0.8291667, "b": 0.7125}),
        "M3",
        2.0,
        "micro",
    ),
    "one winner": (edit("overall.json", better_macro_f1="a"), "M4", 1.0, "column"),
    "team of A": (edit("teams.json", furthest_behind="bill"), "M6", 0.0, "table"),
    "slice of nothing": (edit("slices.json", hardest="night"), "M8", 0.0, "table"),
    "a shorter interval": (
        edit("comparison.json", intervals={"accuracy": [0.055, 0.18]}),
        "M9",
        0.0,
        "5 % are cut",
    ),
    "p of another table": (
        edit("comparison.json", only_a=32, only_b=60, p=0.5),
        "M11",
        0.0,
        "one alone",
    ),
    "not concluded": (
        edit("comparison.json", accuracy_verdict="unclear"),
        "M12",
        1.5,
        "0 within",
    ),
    "ECE of accuracy": (
        edit("calibration.json", before={"a": 0.5, "b": 0.5}),
        "M13",
        0.0,
        "each bin",
    ),
    "underconfident": (edit("calibration.json", sureness="under"), "M14", 0.0, "line"),
    "no temperature": (
        edit("calibration.json", temperature={"a": 1.0, "b": 1.0}),
        "M15",
        0.0,
        "validation",
    ),
    "temperature of zero": (
        edit("calibration.json", temperature={"a": 0.0, "b": 1.0}),
        "M16",
        0.0,
        "0.05 to 20",
    ),
    "dearest threshold": (
        edit("costs.json", threshold={"a": 0.0, "b": 0.9}),
        "M17",
        0.0,
        "validation",
    ),
    "a cost that is not": (edit("costs.json", cost={"a": 1.0, "b": 1.0}), "M18", 0.0, ""),
    "nothing changed": (rewrite(typos=str), "M19", 4 * 2 / 3, "typos"),
    "not to be read": (
        rewrite(mixed=lambda text: "x" * len(text)),
        "M19",
        4 * 2 / 3,
        "mixed",
    ),
    "shipped A": (edit("decision.json", model="a"), "M22", 0.0, "Cost decides"),
    "a model of no name": (edit("decision.json", model="c"), "M23", 0.0, "a or b"),
    "one cause": (edit("causes.json", short=[1], two=[2], long=[3]), "M24", 0.0, "17"),
    "first forty": (golden(lambda test: test[test["team"] != "scam"][:40]), "M25", 3.75, "each team"),
    "too few": (golden(lambda test: test[:10]), "M25", 0.0, "40"),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMON)
def test_common_mistake_loses_its_row_with_a_hint(work: Path, name: str) -> None:
    """Each mistake loses what it should of its row, and the message says what to do."""
    change, code, left, said = COMMON[name]
    change(work)
    row = rows_of(work)[code]
    assert row.outcome == "failed"
    assert row.given == pytest.approx(left, abs=0.05)
    assert said in (row.message.en if row.message else "")


def with_scores(folder: Path, scores: lab.Scores, **more: Any) -> float:
    """Return the points of work that reckons right from these scores."""
    lab.write_work(folder, lab.Work(scores, **more))
    return points_of(folder)


def one_hot(answers: pd.Series) -> pd.DataFrame:
    """Return scores that give these answers."""
    return pd.get_dummies(answers).reindex(columns=lab.CODES, fill_value=0) * 5.0


def test_majority_class_stays_below_sixty_per_cent(work: Path) -> None:
    """Naming the most common team for everything, and all else right, is no pass."""
    index = lab.candidate("a").index
    majority = one_hot(pd.Series("bill", index))
    assert with_scores(work, {"a": majority, "b": majority}) < TRIVIAL


def test_the_same_candidate_twice_stays_below_sixty_per_cent(work: Path) -> None:
    """Both loaded from one folder, and all else right, is no pass."""
    same = {"a": lab.candidate("a"), "b": lab.candidate("a")}
    assert with_scores(work, same) < TRIVIAL


def test_answers_by_chance_stay_below_sixty_per_cent(work: Path) -> None:
    """Scores drawn by chance, and all else right, is no pass."""
    rng, index = np.random.default_rng(5), lab.candidate("a").index
    drawn = {
        who: pd.DataFrame(rng.normal(0, 2, (len(index), 3)).round(4), index, lab.CODES)
        for who in "ab"
    }
    assert with_scores(work, drawn) < TRIVIAL


def test_invented_scores_with_the_known_answers_in_them_are_no_pass(work: Path) -> None:
    """Answers of the candidates that are released do not vouch for made-up scores."""
    right = pd.concat([lab.messages(split) for split in lab.SIZES]).set_index("id")
    made = one_hot(right["team"].where(right["team"] != "scam", "bill"))
    scores = {}
    for who in "ab":
        scores[who] = made.copy()
        known = lab.candidate(who).head(20)
        scores[who].loc[known.index] = known
    assert with_scores(work, scores) < TRIVIAL


LOOKED_AT = ("scores_a.csv", "scores_b.csv", "overall.json")


def test_the_average_model_shipped_without_looking_fails(work: Path) -> None:
    """Accuracy alone, A for everything, and nothing else: a tenth of the points."""
    for path in work.iterdir():
        if path.is_file() and path.name not in LOOKED_AT:
            path.unlink()
    edit("overall.json", macro_f1={"a": 0.0, "b": 0.0}, better_macro_f1="a")(work)
    write_json(work / "decision.json", {"model": "a"})
    rows = rows_of(work)
    assert sum(row.given or 0 for row in rows.values()) < 0.2 * MACHINE
    assert rows["M22"].given == 0


def test_the_average_model_with_its_numbers_copied_fails(work: Path) -> None:
    """A looked at alone, its numbers written for B as well, and A shipped: no pass."""
    for name, fields in {
        "overall.json": ("accuracy", "macro_f1"),
        "teams.json": ("recall",),
        "slices.json": ("accuracy",),
        "calibration.json": ("before", "temperature", "after"),
        "costs.json": ("temperature", "threshold", "cost"),
        "robustness.json": ("drop",),
    }.items():
        value = json.loads((work / name).read_text("utf-8"))
        copied = {each: dict.fromkeys("ab", value[each]["a"]) for each in fields}
        edit(name, **copied)(work)
    edit("overall.json", better_macro_f1="a")(work)
    edit("teams.json", furthest_behind="bill")(work)
    edit("slices.json", hardest="long")(work)
    for name in ("comparison.json", "worst_errors.csv", "golden.csv"):
        (work / name).unlink()
    edit("decision.json", model="a")(work)
    assert points_of(work) < TRIVIAL


def test_right_reckoning_from_wrong_scores_gets_a_part(work: Path) -> None:
    """Who loads one candidate twice keeps a third of what was reckoned right."""
    same = {"a": lab.candidate("a"), "b": lab.candidate("a")}
    lab.write_work(work, lab.Work(same))
    rows = rows_of(work)
    assert rows["M2"].given == 2
    assert rows["M3"].given == pytest.approx(4 / 3, abs=0.05)
    assert "section 1" in rows["M3"].message.en  # type: ignore[union-attr]


HOSTILE: dict[str, tuple[str, str]] = {
    "NaN": ("overall.json", '{"accuracy": {"a": NaN, "b": NaN}}'),
    "huge": ("costs.json", '{"temperature": {"a": 1e999, "b": 1}}'),
    "deep": ("causes.json", '{"a": ' + "[" * 60 + "]" * 60 + "}"),
    "list": ("comparison.json", "[]"),
    "texts for numbers": ("teams.json", '{"recall": {"a": "x", "b": {"bill": "y"}}}'),
    "scores that are none": ("scores_a.csv", "id,bill,net,scam\ntest-1,nan,1,2\n"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_break_nothing(work: Path, name: str) -> None:
    """Whatever a file holds, rows fail in a sentence and none is broken."""
    path, text = HOSTILE[name]
    (work / path).write_text(text, encoding="utf-8")
    assert points_of(work) < MACHINE
