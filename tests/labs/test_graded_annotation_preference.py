"""Facts about annotation_preference, published and graded in the two rooms."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from annotation_files import Line, read_lines, result_of, write_lines
from published_lab import Candidate, PublishedLab, misjudged, publish_lab

from lab_env.lab import load_lab
from lab_env.marksheet import MarkSheet
from lab_env.mistakes import load_mistakes

LAB, SCENARIO = "annotation_preference", "assistant_answers"
Sheets = dict[str, MarkSheet]
MISTAKES = {
    each.name: each for each in load_mistakes(load_lab(LAB).folder / "mistakes.py")
}
PAIRS, RANKINGS = "pairs_done.jsonl", "rankings_done.jsonl"
SEED = 11
Lines = list[Line]


def edit(folder: Path, name: str, change: Callable[[Lines], Lines]) -> None:
    """Change the lines of one file of annotations."""
    write_lines(folder / name, change(read_lines(folder / name)))


def order_of(line: Line) -> list[str]:
    """Return the order of one ranking, to be changed in place."""
    found: list[str] = result_of(line)[0]["value"]["ranker"]["rank"]
    return found


def careful(folder: Path) -> None:
    """Get two pairs wrong that no danger hangs on, one tie, and two neighbours."""

    def slips(lines: Lines) -> Lines:
        by_prompt = {line["data"]["prompt"]: line for line in lines}
        for words in ("公摊", "电子发票"):
            line = next(one for key, one in by_prompt.items() if words in key)
            value = result_of(line)[0]["value"]
            value["selected"] = "left" if value["selected"] == "right" else "right"
        tie = next(
            one for one in lines if any(r["type"] == "choices" for r in result_of(one))
        )
        del result_of(tie)[1:]
        return lines

    def neighbours(lines: Lines) -> Lines:
        for line in lines[:2]:
            order_of(line)[:2] = order_of(line)[1::-1]
        return lines

    edit(folder, PAIRS, slips)
    edit(folder, RANKINGS, neighbours)


def careless(folder: Path) -> None:
    """Take what is longer, give one reason for all, leave the lists as they come."""
    names = ("always_longer", "one_reason_for_all", "rankings_left_as_they_came")
    for name in names:
        spoil = MISTAKES[name].by_hand
        assert spoil is not None
        spoil(folder)


def by_chance(folder: Path) -> None:
    """Toss a coin for every side, give no reason, shuffle every list."""
    rng = random.Random(SEED)

    def sides(lines: Lines) -> Lines:
        for line in lines:
            result_of(line)[0]["value"]["selected"] = rng.choice(["left", "right"])
            del result_of(line)[1:]
        return lines

    def shuffled(lines: Lines) -> Lines:
        for line in lines:
            rng.shuffle(order_of(line))
        return lines

    edit(folder, PAIRS, sides)
    edit(folder, RANKINGS, shuffled)


def half_done(folder: Path) -> None:
    """Stop half way through both files."""
    for name in (PAIRS, RANKINGS):
        edit(folder, name, lambda lines: lines[: len(lines) // 2])


# The points were reckoned before they were graded: 36 need no judgement (practice 2,
# form and completeness 10, reasons 3, numbers and export 21), 52 do.
PEOPLE = (
    Candidate("gold", 88, 88),
    Candidate("careful", 79, 87, careful, loses=("M4", "M5", "M7")),
    Candidate(
        "careless",
        31,
        37,
        careless,
        loses=("M4", "M5", "M6", "M7", "M8", "M9", "M11", "M12"),
    ),
    Candidate(
        "by_chance", 31, 39, by_chance, loses=("M4", "M5", "M7", "M8", "M9", "M11")
    ),
    Candidate(
        "half_done", 24, 45, half_done, loses=("M3", "M4", "M8", "M9", "M10", "M11")
    ),
)


@pytest.fixture(scope="module")
def published_lab(tmp_path_factory: pytest.TempPathFactory) -> PublishedLab:
    """The lab, published through every gate, zh and en."""
    return publish_lab(tmp_path_factory.mktemp("preference"), LAB, SCENARIO)


@pytest.fixture(scope="module")
def sheets(published_lab: PublishedLab) -> Sheets:
    """The sheets of the sample annotators, by name; graded in Chinese."""
    return published_lab.grade(PEOPLE, "zh")


def test_faultless_work_gets_all_machine_points(published_lab: PublishedLab) -> None:
    """The solution and right work of the hand earn all 88 points, zh and en."""
    assert published_lab.given("gold") == [88, 88]


def test_the_untouched_release_gets_nothing(published_lab: PublishedLab) -> None:
    """Handing in the release as it came earns 0 points in both languages."""
    assert published_lab.given("untouched") == [0, 0]


def test_every_mistake_loses_the_rows_it_names(published_lab: PublishedLab) -> None:
    """Each named mistake lost at least the rows that it names."""
    assert len(published_lab.mistakes) == 20
    assert published_lab.kept() == {}


def test_each_candidate_gets_the_mark_reckoned_before(sheets: Sheets) -> None:
    """Points and lost rows of every candidate are those said beforehand."""
    assert misjudged(PEOPLE, sheets) == {}


def test_export_and_numbers_follow_from_ones_own_files(sheets: Sheets) -> None:
    """Wrong choices are still counted and exported right, by everybody who finished."""
    for name in ("careful", "careless", "by_chance"):
        rows = {row.code: row for row in sheets[name].rows}
        outcomes = {rows[f"M{number}"].outcome for number in range(13, 21)}
        assert outcomes == {"passed"}, name


def test_nobody_passes_before_a_person_has_marked(sheets: Sheets) -> None:
    """A sheet with a written answer is awaiting marking, whatever its points."""
    assert {sheet.outcome for sheet in sheets.values()} == {"awaiting marking"}
