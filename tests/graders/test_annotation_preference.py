"""The mark sheet of annotation_preference: points for judgement, not for habit."""

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from annotation_files import Line, of_release, read_lines, result_of, write_lines

from lab_env.files import content_folder, write_json
from lab_env.marksheet import Row, mark
from lab_env.mistakes import Mistake, load_mistakes
from lab_env.open_rows import open_codes
from lab_env.release import load_checks
from lab_env.scenario import read_scenario
from lab_env.submission import Submission, TrustedFiles

GRADER = content_folder("graders") / "annotation_preference.py"
LAB = content_folder("labs") / "annotation_preference"
SCENARIO = content_folder("datasets") / "assistant_answers"
CHECKS = load_checks(GRADER)
MISTAKES = load_mistakes(LAB / "mistakes.py")
RELEASE = "annotation_preference-assistant_answers-xx-r7"
PRACTICE, PAIRS = "practice_done.jsonl", "pairs_done.jsonl"
RANKINGS, EXPORT = "rankings_done.jsonl", "preference.jsonl"
CLOSED = {"M4", "M5", "M6", "M7", "M8", "M11", "M12", "J1", "J2", "J3"}
QUALITY = ("M4", "M5", "M6", "M7", "M8")
WRITTEN = ("hardest_pair", "bias", "amendment")
Triple = tuple[str, str, str]
both_languages = pytest.mark.parametrize("language", ["zh", "en"])


def opposite(side: str) -> str:
    """Return the other side."""
    return "right" if side == "left" else "left"


def triples(folder: Path, name: str, *, ties: bool = True) -> list[Triple]:
    """Return prompt, chosen, rejected of each comparison, reckoned in another way."""
    found = []
    for line in read_lines(folder / name):
        said = {region["from_name"]: region["value"] for region in result_of(line)}
        if "better" in said and (ties or "tie" not in said):
            data, side = line["data"], said["better"]["selected"]
            found.append((data["prompt"], data[side], data[opposite(side)]))
    return found


def mean(values: list[bool]) -> float | None:
    """Return the share that is true; None of nothing."""
    return sum(values) / len(values) if values else None


def numbers(found: list[Triple]) -> tuple[float | None, float | None]:
    """Return the shares of longer answers, and of repeated pairs decided alike."""
    longer = mean([len(chosen) > len(rejected) for _, chosen, rejected in found])
    twice = [
        one[1] == two[1] for one, two in combinations(found, 2) if one[0] == two[0]
    ]
    return longer, mean(twice)


def left(folder: Path, name: str) -> float | None:
    """Return the share of the left side."""
    regions = [
        region for line in read_lines(folder / name) for region in result_of(line)
    ]
    sides = [
        region["value"]["selected"]
        for region in regions
        if region["from_name"] == "better"
    ]
    return mean([side == "left" for side in sides])


def write_numbers(folder: Path) -> None:
    """Write every file that the notebook makes of the annotations."""
    data = folder / "released" / "data"
    mine, theirs = triples(folder, PAIRS), triples(data, "colleague.jsonl")
    for place, name in enumerate(("longer", "swapped")):
        both = {"mine": numbers(mine)[place], "colleague": numbers(theirs)[place]}
        write_json(folder / f"{name}.json", both)
    both = {"mine": left(folder, PAIRS), "colleague": left(data, "colleague.jsonl")}
    write_json(folder / "left.json", both)
    same = [
        one == two for one, two in zip(triples(folder, PRACTICE), theirs, strict=True)
    ]
    write_json(folder / "agreement.json", {"agreement": mean(same)})
    write_export(folder)


def write_export(folder: Path) -> None:
    """Write the exported file and the numbers about it."""
    found = triples(folder, PAIRS, ties=False)
    for line in read_lines(folder / RANKINGS):
        bodies = {each["id"]: each["body"] for each in line["data"]["answers"]}
        order = [bodies[name] for name in result_of(line)[0]["value"]["ranker"]["rank"]]
        found += [(line["data"]["prompt"], *two) for two in combinations(order, 2)]
    unique = dict.fromkeys(found)
    kept = [one for one in unique if turned(one) not in unique]
    write_triples(folder, kept)


def write_triples(folder: Path, kept: list[Triple]) -> None:
    """Write these lines, and true numbers about them."""
    names = ("prompt", "chosen", "rejected")
    write_lines(folder / EXPORT, [dict(zip(names, one, strict=True)) for one in kept])
    checks = {
        "lines": len(kept),
        "repeated": len(kept) - len(set(kept)),
        "without_prompt": 0,
        "same_answer": sum(one[1] == one[2] for one in kept),
        "pairs_of_four": 6,
    }
    write_json(folder / "checks.json", checks)


def turned(one: Triple) -> Triple:
    """Return chosen and rejected exchanged."""
    return one[0], one[2], one[1]


def export_of(folder: Path) -> list[Triple]:
    """Return the lines of the exported file."""
    lines = read_lines(folder / EXPORT)
    return [(one["prompt"], one["chosen"], one["rejected"]) for one in lines]


def write_release(folder: Path, language: str) -> None:
    """Write what trainees get, as far as rows read it."""
    shutil.copytree(SCENARIO / "data" / language, folder / "data")
    write_json(folder / "release.json", {"release": RELEASE})


def write_work(folder: Path, language: str) -> None:
    """Write every deliverable of faultless work, beside the release."""
    write_release(folder / "released", language)
    hand = SCENARIO / "key" / language / "by_hand"
    shutil.copytree(hand, folder, dirs_exist_ok=True)
    of_release(folder, RELEASE)
    write_numbers(folder)


def submission_of(folder: Path, language: str = "zh") -> Submission:
    """Return the submission in ``folder`` beside the release in ``folder/released``."""
    return Submission(
        folder,
        TrustedFiles(folder / "released"),
        read_scenario(SCENARIO / "scenario.toml"),
        language,
        dict.fromkeys(WRITTEN, "an answer"),
        dict.fromkeys(WRITTEN, "starter"),
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
    """Return the English message of a row."""
    assert row.message is not None
    return row.message.en


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Return a folder with the Chinese release and faultless work."""
    write_work(tmp_path, "zh")
    return tmp_path


def rechosen(folder: Path, pick: Callable[[Line, str], str]) -> None:
    """Change the side of each comparison and make the other files anew."""
    lines = read_lines(folder / PAIRS)
    for line in lines:
        value = result_of(line)[0]["value"]
        value["selected"] = pick(line, value["selected"])
    write_lines(folder / PAIRS, lines)
    write_numbers(folder)


def test_points_sum_to_a_hundred_with_twelve_by_hand() -> None:
    """All rows together are 100 points, 12 of them given by a person."""
    assert sum(check.points for check in CHECKS) == 100
    assert sum(check.points for check in CHECKS if check.by_hand) == 12


def test_only_rows_without_key_are_open() -> None:
    """The notebook answers form, completeness, numbers and export, and no more."""
    codes = {check.code for check in CHECKS}
    assert set(open_codes(GRADER.read_text("utf-8"))) == codes - CLOSED


@both_languages
def test_gold_gets_every_machine_point(tmp_path: Path, language: str) -> None:
    """Faultless work gets 88 points, and three rows wait for a person."""
    write_work(tmp_path, language)
    rows = rows_of(tmp_path, language)
    assert (lost(rows), points(rows)) == (set(), 88)
    waiting = [row.code for row in rows.values() if row.outcome == "awaiting marking"]
    assert waiting == ["J1", "J2", "J3"]


def test_the_marker_reads_the_reasons_beside_the_answer(work: Path) -> None:
    """Row J1 shows the written answer and the eight reasons with their ids."""
    shown = (rows_of(work)["J1"].actual or "").splitlines()
    assert shown[0] == "an answer"
    assert len(shown) == 9
    assert all(line[:1] == "1" for line in shown[1:])


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
    write_work(tmp_path, language)
    assert mistake.by_hand is not None
    mistake.by_hand(tmp_path)
    rows = rows_of(tmp_path, language)
    assert set(mistake.loses) <= lost(rows)
    assert "broken" not in {row.outcome for row in rows.values()}


@pytest.mark.parametrize("side", ["left", "right"])
def test_one_side_throughout_earns_nothing_for_judgement(work: Path, side: str) -> None:
    """Always the same side keeps its ticks and little else, though its numbers are right."""
    rechosen(work, lambda line, right: side)
    rows = rows_of(work)
    assert sum(rows[code].given or 0 for code in QUALITY) <= 4 + 1
    assert rows["M8"].given == 0
    assert {rows[f"M{n}"].outcome for n in range(13, 20)} == {"passed"}


def test_random_sides_earn_next_to_nothing(work: Path) -> None:
    """Twenty people who toss a coin average under 4 of 39 points for judgement."""
    original, given = (work / PAIRS).read_bytes(), []
    for seed in range(20):
        (work / PAIRS).write_bytes(original)
        rng = random.Random(seed)
        lines = read_lines(work / PAIRS)
        for line in lines:
            regions = result_of(line)
            regions[0]["value"]["selected"] = rng.choice(["left", "right"])
            line["annotations"][0]["result"] = regions[:1]
        write_lines(work / PAIRS, lines)
        rows = rows_of(work)
        given.append(sum(rows[code].given or 0 for code in QUALITY))
    assert sum(given) / len(given) < 4


def test_one_unsafe_choice_costs_two_to_three_points_of_safety(work: Path) -> None:
    """One of eight safety comparisons wrong leaves 5.8 of 9, and its rule is named."""
    wrong = json.loads((SCENARIO / "key/zh/rules.json").read_text("utf-8"))["R2"][0]
    rechosen(
        work, lambda line, right: opposite(right) if line["id"] == wrong else right
    )
    rows = rows_of(work)
    assert rows["M6"].given == 5.8
    assert said(rows["M6"]) == "Read again: R2."
    assert rows["M5"].given == 9


def test_the_side_of_a_tie_does_not_matter(work: Path) -> None:
    """Ticked as equal, either side is right."""
    ties = json.loads((SCENARIO / "key/zh/rules.json").read_text("utf-8"))["R11"]
    rechosen(work, lambda line, right: opposite(right) if line["id"] in ties else right)
    assert lost(rows_of(work)) == set()


def test_unticked_ties_cost_their_row_and_their_share(work: Path) -> None:
    """Without a tick three comparisons count as decided wrongly, and M7 gets nothing."""
    lines = read_lines(work / PAIRS)
    for line in lines:
        kept = [region for region in result_of(line) if region["type"] != "choices"]
        line["annotations"][0]["result"] = kept
    write_lines(work / PAIRS, lines)
    write_numbers(work)
    rows = rows_of(work)
    assert lost(rows) == {"M4", "M7"}
    assert (rows["M4"].actual, rows["M7"].given) == ("0.8966", 0)


def test_a_pair_decided_in_two_ways_costs_its_share(work: Path) -> None:
    """One of four swapped pairs decided against itself costs a quarter of M8."""
    again = json.loads((SCENARIO / "key/zh/groups.json").read_text("utf-8"))[0][1]
    rechosen(
        work, lambda line, right: opposite(right) if line["id"] == again else right
    )
    rows = rows_of(work)
    assert rows["M8"].given == 3.8
    assert {rows[f"M{n}"].outcome for n in range(13, 21)} == {"passed"}


def test_half_done_loses_half_of_completeness(work: Path) -> None:
    """With 15 pairs and 4 rankings, completeness is 2.1 of 4 and 1.5 of 3."""
    for name, many in ((PAIRS, 15), (RANKINGS, 4)):
        write_lines(work / name, read_lines(work / name)[:many])
    rows = rows_of(work)
    assert (rows["M3"].given, rows["M10"].given) == (2.1, 1.5)
    assert said(rows["M3"]).startswith("14 items are open, such as no. 16, 17")
    assert (rows["M5"].message, rows["M6"].message) == (None, None)


def test_what_was_not_met_twice_cannot_be_counted(work: Path) -> None:
    """Stopped before any repetition, M15 says to finish, whatever the file holds."""
    write_lines(work / PAIRS, read_lines(work / PAIRS)[:15])
    row = rows_of(work)["M15"]
    assert row.outcome == "not attempted"
    assert said(row).startswith("What is to be counted is not annotated yet.")


def test_reasons_too_short_or_alike_are_none(work: Path) -> None:
    """Of eight reasons "R1" counts as none, and one sentence twice as one."""
    lines = read_lines(work / PAIRS)
    found = [(line["id"], r) for line in lines for r in result_of(line)]
    notes = [region for _, region in found if region["type"] == "textarea"]
    ids = [number for number, region in found if region["type"] == "textarea"]
    notes[0]["value"]["text"] = ["R1"]
    notes[1]["value"]["text"] = notes[2]["value"]["text"]
    write_lines(work / PAIRS, lines)
    row, first = rows_of(work)["M9"], min(ids)
    assert (row.actual, row.given) == ("6", 2.2)
    assert said(row).endswith(f"Open: {first}.")


def test_a_ranking_with_one_neighbour_exchanged_costs_little(work: Path) -> None:
    """Two best answers exchanged in each list leave the unsafe ones last."""
    lines = read_lines(work / RANKINGS)
    for line in lines:
        order = result_of(line)[0]["value"]["ranker"]["rank"]
        order[:2] = order[1::-1]
    write_lines(work / RANKINGS, lines)
    write_numbers(work)
    rows = rows_of(work)
    assert lost(rows) == {"M11"}
    assert rows["M11"].actual == "0.75"


EXPORTS: dict[str, tuple[Callable[[list[Triple]], list[Triple]], set[str]]] = {
    "turned": (lambda found: [turned(one) for one in found], {"M17"}),
    "twice": (lambda found: found + found[:1], {"M19"}),
    "both ways": (lambda found: [*found, turned(found[0])], {"M17", "M19"}),
    "one answer": (lambda found: [*found, ("q", "x", "x")], {"M17", "M18", "M19"}),
    "a quarter": (
        lambda found: found[: len(found) // 4],
        {"M17", "M18", "M19"},
    ),
    "invented": (
        lambda found: [("q", f"a{n}", f"b{n}") for n in range(60)],
        {"M17", "M18", "M19"},
    ),
}


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_that_is_not_ones_own_work_loses(work: Path, name: str) -> None:
    """What the file holds is compared with what the annotations give."""
    change, loses = EXPORTS[name]
    write_triples(work, change(export_of(work)))
    assert lost(rows_of(work)) == loses


def test_the_sheet_says_that_the_export_is_turned_round(work: Path) -> None:
    """Chosen for rejected gets nothing for content, and is called by its name."""
    write_triples(work, [turned(one) for one in export_of(work)])
    row = rows_of(work)["M17"]
    assert (row.given, said(row)) == (0, "Chosen and rejected are exchanged.")


def test_an_export_that_holds_ties_loses_a_point(work: Path) -> None:
    """Ties written like decided pairs cost a third of M19."""
    ties = set(triples(work, PAIRS)) - set(triples(work, PAIRS, ties=False))
    write_triples(work, [*export_of(work), *sorted(ties)])
    rows = rows_of(work)
    assert rows["M19"].given == 2
    assert "3 are ties" in said(rows["M19"])


def test_invented_numbers_are_seen(work: Path) -> None:
    """Numbers that are not those of the files lose their rows, with a hint."""
    for name in ("left", "longer", "swapped"):
        write_json(work / f"{name}.json", {"mine": 0.123, "colleague": 0.5})
    write_json(work / "agreement.json", {"agreement": 1.0})
    checks = json.loads((work / "checks.json").read_text("utf-8"))
    write_json(work / "checks.json", {**checks, "pairs_of_four": 12})
    rows = rows_of(work)
    assert lost(rows) == {"M13", "M14", "M15", "M16", "M20"}
    assert "answers and not sides" in said(rows["M15"])


@pytest.mark.parametrize("value", ["true", '"0.5"', "1e999", "null", "[1]"])
def test_a_number_of_the_wrong_kind_fails(work: Path, value: str) -> None:
    """True, a text, infinity, null and a list are no share."""
    (work / "left.json").write_text(f'{{"mine": {value}, "colleague": 0.875}}', "utf-8")
    assert rows_of(work)["M13"].given == 0


def test_a_file_of_another_release_earns_nothing(work: Path) -> None:
    """Three files from another release leave the file checks and nothing else."""
    of_release(work, "annotation_preference-assistant_answers-xx-r6")
    rows = rows_of(work)
    assert points(rows) == 2
    assert "xx-r6" in said(rows["M2"])


def test_a_file_in_the_other_language_earns_nothing(work: Path) -> None:
    """Another candidate's files of the English release do not fit the Chinese tasks."""
    shutil.copytree(SCENARIO / "key/en/by_hand", work, dirs_exist_ok=True)
    rows = rows_of(work)
    assert points(rows) == 2
    assert "not as it was released" in said(rows["M2"])


def test_the_colleagues_file_does_not_fit(work: Path) -> None:
    """The colleague's comparisons handed in as one's own are foreign tasks."""
    shutil.copyfile(work / "released/data/colleague.jsonl", work / PAIRS)
    rows = rows_of(work)
    assert {rows[f"M{n}"].given for n in range(2, 10)} == {0.0}


HOSTILE = {
    "no json": "{",
    "array": "[1, 2]",
    "nan": '{"id": NaN}',
    "deep": '{"id": ' + "[" * 3000,
    "unknown": '{"id": 101, "data": {}, "annotations": []}',
    "huge": "x" * 5_000_000,
    "nul": "\0\n" * 1000,
    "many": '{"id": 101}\n' * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("file", [PAIRS, EXPORT])
def test_hostile_files_fail_and_break_nothing(work: Path, file: str, name: str) -> None:
    """A file that is none gets no points, and the rankings still count."""
    (work / file).write_text(HOSTILE[name], encoding="utf-8")
    rows = rows_of(work)
    assert "broken" not in {row.outcome for row in rows.values()}
    dead = range(2, 10) if file == PAIRS else (17, 18, 19, 20)
    assert {rows[f"M{n}"].given for n in dead} == {0.0}
    assert {rows[f"M{n}"].outcome for n in (10, 11, 12)} == {"passed"}


def test_link_to_the_key_is_not_followed(work: Path) -> None:
    """A link as deliverable fails like any other file that is not plain."""
    (work / PAIRS).unlink()
    (work / PAIRS).symlink_to(SCENARIO / "key/zh/gold_pairs.jsonl")
    assert rows_of(work)["M4"].outcome == "failed"


def test_missing_key_is_our_fault(work: Path) -> None:
    """Without the key the closed rows are broken: neither zero nor full."""
    empty = TrustedFiles(work / "released")
    rows = mark(CHECKS, replace(submission_of(work), key=empty))
    broken = {row.code for row in rows if row.outcome == "broken"}
    assert broken == CLOSED - {"J1", "J2", "J3"}
