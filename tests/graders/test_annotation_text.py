"""The mark sheet of annotation_text gives points for the labels and nothing else."""

import json
import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from annotation_files import of_release, read_lines, values_of, write_lines
from text_annotators import MESSAGES, ORDERS, annotators, set_span

from lab_env.files import content_folder, write_json
from lab_env.marksheet import Row, mark
from lab_env.mistakes import Mistake, load_mistakes
from lab_env.open_rows import open_codes
from lab_env.release import load_checks
from lab_env.scenario import read_scenario
from lab_env.submission import Submission, TrustedFiles

GRADER = content_folder("graders") / "annotation_text.py"
LAB = content_folder("labs") / "annotation_text"
SCENARIO = content_folder("datasets") / "field_service"
CHECKS = load_checks(GRADER)
MISTAKES = load_mistakes(LAB / "mistakes.py")
RELEASE = "annotation_text-field_service-xx-r7"
CLOSED = {"M4", "M5", "M6", "M7", "M11", "M12", "M13", "M14", "J1", "J2", "J3"}
WRITTEN = ("hardest_boundary", "amendment", "audit")
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
    write_numbers(folder, language)


def write_numbers(folder: Path, language: str) -> None:
    """Write the three files that the notebook makes of the annotations."""
    mine = read_lines(folder / MESSAGES)
    other = read_lines(SCENARIO / "data" / language / "trial_done.jsonl")
    counts = {"mine": count(mine), "colleague": count(other)}
    write_json(folder / "label_counts.json", counts)
    open_items = {
        "mine": left(mine, range(101, 161)),
        "colleague": left(other, range(301, 313)),
    }
    write_json(folder / "open_items.json", open_items)
    slowest = max(mine, key=lambda line: float(line["annotations"][0]["lead_time"]))
    most = max(count(mine), key=lambda code: count(mine)[code])
    facts = {"most_given": most, "slowest_item": slowest["id"]}
    write_json(folder / "quality.json", facts)


def count(lines: list[dict]) -> dict[str, int]:  # type: ignore[type-arg]
    """Return how many lines have each label."""
    values = [value for line in lines for value in values_of(line)]
    return dict(Counter(value["choices"][0] for value in values))


def left(lines: list[dict], ids: range) -> list[int]:  # type: ignore[type-arg]
    """Return the ids without a label."""
    done = {line["id"] for line in lines if values_of(line)}
    return [one for one in ids if one not in done]


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


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Return a folder with the Chinese release and faultless work."""
    write_release(tmp_path / "released", "zh")
    write_work(tmp_path, "zh")
    return tmp_path


def test_points_sum_to_a_hundred_with_twelve_by_hand() -> None:
    """All rows together are 100 points, 12 of them given by a person."""
    assert sum(check.points for check in CHECKS) == 100
    assert sum(check.points for check in CHECKS if check.by_hand) == 12


def test_only_rows_without_key_are_open() -> None:
    """The notebook answers form, completeness, own file and numbers, and no more."""
    codes = {check.code for check in CHECKS}
    assert set(open_codes(GRADER.read_text("utf-8"))) == codes - CLOSED


@both_languages
def test_gold_gets_every_machine_point(tmp_path: Path, language: str) -> None:
    """Faultless work gets 88 points, and three rows wait for a person."""
    write_release(tmp_path / "released", language)
    write_work(tmp_path, language)
    rows = rows_of(tmp_path, language)
    assert (lost(rows), points(rows)) == (set(), 88)
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


@both_languages
def test_sample_annotators_get_what_was_reckoned(tmp_path: Path, language: str) -> None:
    """From gold to chance, each annotator ends within the points said beforehand."""
    for one in annotators(LAB):
        folder = tmp_path / one.name
        write_release(folder / "released", language)
        write_work(folder, language)
        one.spoil(folder)
        write_numbers(folder, language)
        rows = rows_of(folder, language)
        assert one.least <= points(rows) <= one.most, (one.name, points(rows))
        assert set(one.loses) <= lost(rows), one.name


Change = Callable[[Path], None]


def relabelled(pick: Callable[[str], str]) -> Change:
    """Return a change of each label."""

    def change(folder: Path) -> None:
        lines = read_lines(folder / MESSAGES)
        for line in lines:
            value = values_of(line)[0]
            value["choices"] = [pick(value["choices"][0])]
        write_lines(folder / MESSAGES, lines)

    return change


def test_one_label_for_all_is_consistent_and_earns_nothing_for_it(work: Path) -> None:
    """All-one-label gets 9 of 46 points: form, completeness and own file."""
    relabelled(lambda right: "repair")(work)
    rows = rows_of(work)
    given = {code: rows[code].given for code in ("M4", "M5", "M6", "M7")}
    assert given == dict.fromkeys(given, 0.0)
    assert "no better than guesses" in rows["M7"].message.en  # type: ignore[union-attr]


def test_random_labels_earn_no_quality_points(work: Path) -> None:
    """Of 20 random labellers none gets a point for accuracy, and none for rules."""
    codes = [label.code for label in read_scenario(SCENARIO / "scenario.toml").labels]
    original = (work / MESSAGES).read_bytes()
    for seed in range(20):
        (work / MESSAGES).write_bytes(original)
        rng = random.Random(seed)
        relabelled(lambda right, rng=rng: rng.choice(codes))(work)  # type: ignore[misc]
        rows = rows_of(work)
        given = {code: rows[code].given for code in ("M4", "M5", "M6", "M7")}
        assert given == dict.fromkeys(given, 0.0)


def test_swapped_classes_lose_in_step_with_their_size(work: Path) -> None:
    """Two rare classes swapped cost less than two common ones."""
    original = (work / MESSAGES).read_bytes()
    given = []
    for one, other in (("feedback", "billing"), ("repair", "visit")):
        (work / MESSAGES).write_bytes(original)
        swap = {one: other, other: one}
        relabelled(lambda right, swap=swap: swap.get(right, right))(work)  # type: ignore[misc]
        given.append(rows_of(work)["M4"].given or 0)
    assert given[0] > given[1] > 0


def test_the_sheet_names_the_rules_that_were_broken(work: Path) -> None:
    """Deciding rule R5 the other way loses in M6, which names R5 and no other."""
    swap = {"parts": "repair"}
    relabelled(lambda right: swap.get(right, right))(work)
    message = rows_of(work)["M6"].message
    assert message is not None
    assert message.en == "Read again: R5."


def test_a_matter_labelled_in_two_ways_costs_its_share(work: Path) -> None:
    """One of six repeated matters with two labels costs one of six points."""
    groups = json.loads((SCENARIO / "key/zh/groups.json").read_text("utf-8"))
    lines = read_lines(work / MESSAGES)
    for line in lines:
        if line["id"] == groups[0][0]:
            values_of(line)[0]["choices"] = ["feedback"]
    write_lines(work / MESSAGES, lines)
    assert rows_of(work)["M7"].given == 5


def test_half_done_loses_half_of_completeness(work: Path) -> None:
    """With 30 messages and 12 orders, completeness is 2.5 of 5 and 1.9 of 4."""
    for name, many in ((MESSAGES, 30), (ORDERS, 12)):
        write_lines(work / name, read_lines(work / name)[:many])
    rows = rows_of(work)
    assert (rows["M2"].given, rows["M9"].given) == (2.5, 1.9)
    assert "30 items are open, such as no. 31, 32" in rows["M2"].message.en  # type: ignore[union-attr]


def test_a_skipped_item_is_not_done(work: Path) -> None:
    """Skipping all messages earns neither completeness nor labels."""
    lines = read_lines(work / MESSAGES)
    for line in lines:
        line["annotations"][0] |= {"result": [], "was_cancelled": True}
    write_lines(work / MESSAGES, lines)
    rows = rows_of(work)
    codes = ("M2", "M4", "M5", "M6", "M7")
    assert {rows[code].given for code in codes} == {0.0}


def test_shifted_spans_are_never_exact(work: Path) -> None:
    """Every span off by one gets nothing for exact ends, whatever its text says."""
    lines = read_lines(work / ORDERS)
    for line in lines:
        for value in values_of(line):
            step = -1 if value["start"] else 1
            set_span(line, value, value["start"] + step, value["end"] + step)
    write_lines(work / ORDERS, lines)
    rows = rows_of(work)
    assert rows["M8"].outcome == "passed"
    assert rows["M11"].given == 0


def test_text_that_is_not_at_its_offsets_is_not_taken(work: Path) -> None:
    """Offsets shifted without the text make the line unusable, and say which."""
    lines = read_lines(work / ORDERS)
    values_of(lines[0])[0]["start"] += 1
    write_lines(work / ORDERS, lines)
    rows = rows_of(work)
    assert rows["M8"].outcome == "failed"
    assert rows["M8"].message.en.startswith(
        f"{ORDERS}, line 1: task 201, region 1: text is"
    )  # type: ignore[union-attr]
    assert rows["M9"].given == round(4 * 24 / 25, 1)


def test_marking_everything_finds_nothing(work: Path) -> None:
    """One span over each whole text, in every type's turn, earns no quality points."""
    types = ("device", "part", "fault", "place", "time")
    lines = read_lines(work / ORDERS)
    for place, line in enumerate(lines):
        result = line["annotations"][0]["result"]
        del result[1:]
        set_span(line, values_of(line)[0], 0, len(line["data"]["text"]))
        values_of(line)[0]["labels"] = [types[place % 5]]
    write_lines(work / ORDERS, lines)
    rows = rows_of(work)
    codes = ("M11", "M12", "M13", "M14")
    assert {rows[code].given for code in codes} == {0.0}


def test_marking_nothing_avoids_no_trap(work: Path) -> None:
    """Work orders without spans are not done, and avoid no excluded word."""
    lines = read_lines(work / ORDERS)
    for line in lines:
        line["annotations"][0]["result"] = []
    write_lines(work / ORDERS, lines)
    rows = rows_of(work)
    codes = ("M9", "M11", "M12", "M13", "M14")
    assert {rows[code].given for code in codes} == {0.0}


@pytest.mark.parametrize(("name", "form"), [(MESSAGES, "M1"), (ORDERS, "M8")])
def test_items_twice_lose_the_form_and_win_nothing(
    work: Path, name: str, form: str
) -> None:
    """A file joined to itself fails its form row and gains no point elsewhere."""
    write_lines(work / name, read_lines(work / name) * 2)
    rows = rows_of(work)
    assert rows[form].given == 0
    assert "twice" in rows[form].message.en  # type: ignore[union-attr]
    assert points(rows) <= 86


def test_a_file_of_another_release_earns_its_form_alone(work: Path) -> None:
    """Both files from another release leave 4 points for their form."""
    of_release(work, "annotation_text-field_service-xx-r6")
    rows = rows_of(work)
    assert points(rows) == 4
    assert "xx-r6" in rows["M3"].message.en  # type: ignore[union-attr]


def test_a_file_in_the_other_language_earns_nothing(work: Path) -> None:
    """Another candidate's files of the English release do not fit the Chinese tasks."""
    shutil.copytree(SCENARIO / "key/en/by_hand", work, dirs_exist_ok=True)
    rows = rows_of(work)
    assert points(rows) == 0
    assert "not as it was released" in rows["M1"].message.en  # type: ignore[union-attr]


def test_files_under_each_others_name_earn_nothing(work: Path) -> None:
    """Orders handed in as messages are foreign tasks."""
    shutil.copyfile(work / ORDERS, work / MESSAGES)
    rows = rows_of(work)
    assert {rows[f"M{n}"].given for n in range(1, 8)} == {0.0}


def test_invented_numbers_are_seen(work: Path) -> None:
    """Numbers that are not those of the file lose their rows, with a hint."""
    write_json(work / "label_counts.json", {"mine": {"repair": 60}, "colleague": {}})
    write_json(work / "open_items.json", {"mine": [], "colleague": [308]})
    write_json(work / "quality.json", {"most_given": "feedback", "slowest_item": 101})
    rows = rows_of(work)
    assert {"M15", "M16", "M17"} == lost(rows)
    assert "skipped item" in rows["M16"].message.en  # type: ignore[union-attr]


HOSTILE = {
    "no json": "{",
    "array": "[1, 2]",
    "nan": '{"id": NaN}',
    "deep": '{"id": ' + "[" * 3000,
    "unknown label": '{"id": 101, "data": {}, "annotations": []}',
    "huge": "x" * 5_000_000,
    "nul": "\0\n" * 1000,
    "many": '{"id": 101}\n' * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_fail_and_break_nothing(work: Path, name: str) -> None:
    """A file that is no annotation gets no points, and the other file still counts."""
    (work / MESSAGES).write_text(HOSTILE[name], encoding="utf-8")
    rows = rows_of(work)
    assert "broken" not in {row.outcome for row in rows.values()}
    assert {rows[f"M{n}"].given for n in range(1, 8)} == {0.0}
    assert {rows[f"M{n}"].given for n in range(8, 15)} == {
        check.points
        for check in CHECKS
        if check.code in {f"M{n}" for n in range(8, 15)}
    }


def test_link_to_the_key_is_not_followed(work: Path) -> None:
    """A link as deliverable fails like any other file that is not plain."""
    (work / MESSAGES).unlink()
    (work / MESSAGES).symlink_to(SCENARIO / "key/zh/gold_messages.jsonl")
    assert rows_of(work)["M4"].outcome == "failed"


def test_missing_key_is_our_fault(work: Path) -> None:
    """Without the key the closed rows are broken: neither zero nor full."""
    empty = TrustedFiles(work / "released")
    rows = mark(CHECKS, replace(submission_of(work), key=empty))
    broken = {row.code for row in rows if row.outcome == "broken"}
    assert broken == CLOSED - {"J1", "J2", "J3"}
