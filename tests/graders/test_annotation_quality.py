"""The mark sheet of annotation_quality gives points for the review and nothing else."""

import json
import math
import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from annotation_files import of_release, read_lines, write_lines
from quality_numbers import acceptance, table, write_final, write_numbers
from quality_reviewers import CODES, DECIDED, redecide, value_of

from lab_env.files import content_folder, write_json
from lab_env.marksheet import Row, mark
from lab_env.mistakes import Mistake, load_mistakes
from lab_env.open_rows import open_codes
from lab_env.release import load_checks
from lab_env.scenario import read_scenario
from lab_env.submission import Submission, TrustedFiles

GRADER = content_folder("graders") / "annotation_quality.py"
LAB = content_folder("labs") / "annotation_quality"
SCENARIO = content_folder("datasets") / "label_review"
CHECKS = load_checks(GRADER)
MISTAKES = load_mistakes(LAB / "mistakes.py")
RELEASE = "annotation_quality-label_review-xx-r7"
CLOSED = {"M6", "M7", "M10", "M14", "M15", "J1", "J2", "J3"}
WRITTEN = ("corrected_rules", "quality_report", "follow_up")
both_languages = pytest.mark.parametrize("language", ["zh", "en"])


def write_release(folder: Path, language: str) -> None:
    """Write what trainees get, as far as rows read it."""
    shutil.copytree(SCENARIO / "data" / language, folder / "data")
    write_json(folder / "release.json", {"release": RELEASE})


def write_work(folder: Path, language: str) -> None:
    """Write every deliverable of faultless work."""
    hand = SCENARIO / "key" / language / "by_hand"
    shutil.copytree(hand, folder, dirs_exist_ok=True)
    of_release(folder, RELEASE)
    write_numbers(folder, SCENARIO / "data" / language)


def submission_of(folder: Path, language: str = "zh") -> Submission:
    """Return the submission in ``folder`` beside the release in ``folder/released``."""
    starters = dict.fromkeys(WRITTEN, "starter")
    return Submission(
        folder,
        TrustedFiles(folder / "released"),
        read_scenario(SCENARIO / "scenario.toml"),
        language,
        dict.fromkeys(WRITTEN, "an answer"),
        starters,
        key=TrustedFiles(SCENARIO / "key" / language),
    )


def rows_of(folder: Path, language: str = "zh") -> dict[str, Row]:
    """Return the marked rows by code."""
    return {row.code: row for row in mark(CHECKS, submission_of(folder, language))}


def points(rows: dict[str, Row]) -> float:
    """Return the machine points."""
    return round(sum(row.given or 0 for row in rows.values() if not row.by_hand), 1)


def lost(rows: dict[str, Row]) -> set[str]:
    """Return the machine rows that lost something."""
    return {c for c, row in rows.items() if not row.by_hand and row.given != row.points}


def said(row: Row) -> str:
    """Return the row's message in English."""
    return row.message.en if row.message else ""


def change(path: Path, **values: Any) -> None:
    """Change some fields of a JSON deliverable."""
    write_json(path, json.loads(path.read_text("utf-8")) | values)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Return a folder with the Chinese release and faultless work."""
    write_release(tmp_path / "released", "zh")
    write_work(tmp_path, "zh")
    return tmp_path


def test_points_sum_to_a_hundred_with_fourteen_by_hand() -> None:
    """25 rows are 100 points, 14 of them given by a person."""
    assert len(CHECKS) == 25
    assert sum(check.points for check in CHECKS) == 100
    assert sum(check.points for check in CHECKS if check.by_hand) == 14


def test_only_rows_without_key_are_open() -> None:
    """The notebook answers form, completeness and numbers, and no more."""
    codes = {check.code for check in CHECKS}
    assert set(open_codes(GRADER.read_text("utf-8"))) == codes - CLOSED


@both_languages
def test_numbers_of_the_fields_libraries_get_every_point(
    tmp_path: Path, language: str
) -> None:
    """Work by scikit-learn, statsmodels and nltk gets 86, and three rows wait."""
    write_release(tmp_path / "released", language)
    write_work(tmp_path, language)
    rows = rows_of(tmp_path, language)
    assert (lost(rows), points(rows)) == (set(), 86)
    waiting = [row.code for row in rows.values() if row.outcome == "awaiting marking"]
    assert waiting == ["J1", "J2", "J3"]


def test_untouched_release_is_not_attempted(tmp_path: Path) -> None:
    """An empty hand-in scores 0 and every row says that it was not attempted."""
    write_release(tmp_path / "released", "zh")
    submission = submission_of(tmp_path)
    rows = mark(CHECKS, replace(submission, answers=submission.starters))
    assert {(row.outcome, row.given) for row in rows} == {("not attempted", 0.0)}


@both_languages
@pytest.mark.parametrize(
    "mistake", [one for one in MISTAKES if one.by_hand], ids=lambda one: one.name
)
def test_each_mistake_of_the_hand_loses_its_rows(
    tmp_path: Path, language: str, mistake: Mistake
) -> None:
    """In both languages, a mistake loses the rows that it names, and breaks none."""
    write_release(tmp_path / "released", language)
    write_work(tmp_path, language)
    assert mistake.by_hand is not None
    mistake.by_hand(tmp_path)
    rows = rows_of(tmp_path, language)
    assert set(mistake.loses) <= lost(rows)
    assert "broken" not in {row.outcome for row in rows.values()}


def test_taking_one_side_earns_nothing_for_decisions(work: Path) -> None:
    """Neither A's labels throughout nor B's give a point for M14 or M15."""
    rows = {row["id"]: row for row in table(work / "released" / "data", "labels")}
    original = (work / DECIDED).read_bytes()
    for who in "ab":
        (work / DECIDED).write_bytes(original)
        lines = read_lines(work / DECIDED)
        for line in lines:
            value_of(line)["choices"] = [rows[str(line["id"])][who]]
        write_lines(work / DECIDED, lines)
        marked = rows_of(work)
        assert (marked["M14"].given, marked["M15"].given) == (0, 0)


def test_random_decisions_earn_nothing(work: Path) -> None:
    """Of 20 random reviewers none gets a point for decisions."""
    original = (work / DECIDED).read_bytes()
    for seed in range(20):
        (work / DECIDED).write_bytes(original)
        rng = random.Random(seed)
        redecide(lambda place, right, rng=rng: rng.choice(CODES))(work)  # type: ignore[misc]
        marked = rows_of(work)
        assert (marked["M14"].given, marked["M15"].given) == (0, 0)


def test_two_wrong_decisions_cost_nothing(work: Path) -> None:
    """28 of 30 is what a careful person gets: full points for accuracy."""
    redecide(lambda place, right: "noise" if place in (3, 17) else right)(work)
    assert rows_of(work)["M14"].given == 12


def test_numbers_follow_from_ones_own_decisions(work: Path) -> None:
    """Wrong decisions cost their rows alone: the report that follows is right."""
    redecide(lambda place, right: "noise")(work)
    write_numbers(work, work / "released" / "data")
    assert lost(rows_of(work)) == {"M14", "M15"}


def test_numbers_of_other_decisions_are_seen(work: Path) -> None:
    """A report that does not follow from the decisions handed in loses its rows."""
    redecide(lambda place, right: "noise")(work)
    assert lost(rows_of(work)) == {"M14", "M15", "M16", "M18"}


def test_half_decided_loses_its_share(work: Path) -> None:
    """With 15 of 30 decided, M12 is 1.5 of 3 and names what is open."""
    write_lines(work / DECIDED, read_lines(work / DECIDED)[:15])
    write_numbers(work, work / "released" / "data")
    rows = rows_of(work)
    assert rows["M12"].given == 1.5
    assert rows["M16"].given == round(4 * 93 / 108, 1)
    assert said(rows["M12"]).startswith("15 items are open, such as no. ")


def test_raw_agreement_is_not_kappa(work: Path) -> None:
    """Raw agreement handed in as kappa gets a hint about chance."""
    facts = json.loads((work / "agreement.json").read_text("utf-8"))
    change(work / "agreement.json", kappa=facts["raw"])
    rows = rows_of(work)
    assert lost(rows) == {"M2"}
    assert "Take chance away" in said(rows["M2"])


def test_percentages_get_their_own_hint(work: Path) -> None:
    """A number a hundred times too large is told to be a share."""
    facts = json.loads((work / "agreement.json").read_text("utf-8"))
    change(work / "agreement.json", alpha=100 * facts["alpha"])
    rows = rows_of(work)
    assert lost(rows) == {"M4"}
    assert "not a percentage" in said(rows["M4"])


def test_three_decimals_are_enough(work: Path) -> None:
    """Numbers rounded to three decimals are right, to two they are not."""
    facts = json.loads((work / "agreement.json").read_text("utf-8"))
    for digits, expected in ((3, set()), (1, {"M1"})):
        raw = {pair: round(value, digits) for pair, value in facts["raw"].items()}
        change(work / "agreement.json", raw=raw)
        assert lost(rows_of(work)) == expected


def test_the_pair_is_right_in_either_order(work: Path) -> None:
    """The two classes may be named in any order; the diagonal is no pair."""
    change(work / "disagreement.json", pair=["waste", "property"])
    assert "M5" not in lost(rows_of(work))
    change(work / "disagreement.json", pair=["waste", "waste"])
    assert "M5" in lost(rows_of(work))


def test_half_a_reading_gets_half_its_points(work: Path) -> None:
    """The right person with the wrong rule gets 3 of 6, case and space aside."""
    change(work / "disagreement.json", annotator=" C", broken_rule="R4")
    change(work / "spans.json", difference="type")
    rows = rows_of(work)
    assert (rows["M7"].given, rows["M10"].given) == (3, 2)


def test_a_wrong_sample_costs_its_row_and_no_other(work: Path) -> None:
    """With 100 drawn instead of 88, what follows from 100 is right."""
    rows = table(work / "released" / "data", "inspection")
    write_json(work / "acceptance.json", acceptance(rows, 100))
    assert lost(rows_of(work)) == {"M19"}


@pytest.mark.parametrize("size", [0, -3, 5, 121, 900])
def test_a_sample_of_no_use_carries_nothing(work: Path, size: int) -> None:
    """A sample of next to none, or of more than was looked at, loses all four rows."""
    change(work / "acceptance.json", sample=size)
    assert lost(rows_of(work)) == {"M19", "M20", "M21", "M22"}


def test_all_inspected_labels_are_not_the_sample(work: Path) -> None:
    """Counting all 120 instead of the sample's 88 gets a hint."""
    change(work / "acceptance.json", defects=10, rate=10 / 120)
    rows = rows_of(work)
    assert lost(rows) == {"M20"}
    assert "within the sample" in said(rows["M20"])


def test_items_twice_lose_the_form_and_win_nothing(work: Path) -> None:
    """A file joined to itself fails its form row alone."""
    write_lines(work / DECIDED, read_lines(work / DECIDED) * 2)
    rows = rows_of(work)
    assert lost(rows) == {"M11"}
    assert "twice" in said(rows["M11"])


def test_decisions_of_another_release_are_not_taken(work: Path) -> None:
    """A file of another release earns its form; what is reckoned from it is lost."""
    of_release(work, "annotation_quality-label_review-xx-r6")
    rows = rows_of(work)
    assert lost(rows) == {"M12", "M13", "M14", "M15", "M16", "M18"}
    assert "xx-r6" in said(rows["M13"])


def test_decisions_in_the_other_language_earn_nothing(work: Path) -> None:
    """Another candidate's English file does not fit the Chinese messages."""
    shutil.copytree(SCENARIO / "key/en/by_hand", work, dirs_exist_ok=True)
    rows = rows_of(work)
    assert {rows[f"M{n}"].given for n in range(11, 17)} == {0.0}


def test_final_labels_twice_are_seen(work: Path) -> None:
    """A message with two final labels, or one left out, loses the row."""
    path = work / "final.csv"
    text = path.read_text("utf-8")
    path.write_text(text + text.splitlines()[1] + "\n", "utf-8")
    assert lost(rows_of(work)) == {"M16"}
    write_final(work, {"401": "noise"})
    assert lost(rows_of(work)) == {"M16"}


ODD: list[Any] = [math.inf, 10**400, -1, True, "0.7", None, [], {"a": 1}, 1e-320]


@pytest.mark.parametrize("value", ODD, ids=lambda value: str(value)[:9])
def test_odd_numbers_are_wrong_and_break_nothing(work: Path, value: Any) -> None:
    """No strange value in place of a number earns a point or breaks a row."""
    pairs = dict.fromkeys(("ab", "ac", "bc"), value)
    kinds = dict.fromkeys(("place", "time", "facility", "problem", "all"), value)
    each = {"missing": value, "error_rate": value}
    files = {
        "agreement": {
            **{"raw": pairs, "kappa": pairs},
            **{"fleiss": value, "alpha": value, "complete": value},
        },
        "spans": {"exact": kinds, "relaxed": kinds},
        "report": dict.fromkeys("abc", each),
        "acceptance": dict.fromkeys(
            ("sample", "defects", "rate", "low", "high", "decision", "redo"), value
        ),
        "disagreement": dict.fromkeys(
            ("pair", "unclear_rule", "annotator", "broken_rule"), value
        ),
    }
    for name, facts in files.items():
        (work / f"{name}.json").write_text(json.dumps(facts), "utf-8")
    rows = rows_of(work)
    assert "broken" not in {row.outcome for row in rows.values()}
    kept = {"M11", "M12", "M13", "M14", "M15", "M16"}
    assert {row.code for row in rows.values() if row.given} == kept


HOSTILE = {
    "no json": "{",
    "array": "[1, 2]",
    "nan": '{"id": NaN}',
    "deep": '{"id": ' + "[" * 3000,
    "huge": "x" * 5_000_000,
    "nul": "\0\n" * 1000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_fail_and_break_nothing(work: Path, name: str) -> None:
    """Files that are none of ours get no points and break no row."""
    names = ("agreement", "disagreement", "spans", "report", "acceptance")
    for path in (*(work / f"{one}.json" for one in names), work / "final.csv"):
        path.write_text(HOSTILE[name], "utf-8")
    (work / DECIDED).write_text(HOSTILE[name], "utf-8")
    rows = rows_of(work)
    assert "broken" not in {row.outcome for row in rows.values()}
    assert points(rows) == 0


def test_link_to_the_key_is_not_followed(work: Path) -> None:
    """A link as deliverable fails like any other file that is not plain."""
    (work / DECIDED).unlink()
    (work / DECIDED).symlink_to(SCENARIO / "key/zh/gold_disputed.jsonl")
    assert rows_of(work)["M14"].outcome == "failed"


def test_missing_key_is_our_fault(work: Path) -> None:
    """Without the key the closed rows are broken: neither zero nor full."""
    empty = TrustedFiles(work / "released")
    rows = mark(CHECKS, replace(submission_of(work), key=empty))
    broken = {row.code for row in rows if row.outcome == "broken"}
    assert broken == CLOSED - {"J1", "J2", "J3"}
