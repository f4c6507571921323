"""Which sheets a class report counts, and what it says of them."""

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from made_class import (
    broken,
    enter,
    enter_class,
    real_release,
    row_of,
    sheet_of,
    toy_release,
    used,
)

from lab_env.checks import Text
from lab_env.class_report.facts import ClassFacts, facts_of
from lab_env.class_report.messages import CHARACTERS, most_said
from lab_env.class_report.on_rows import WEAK, rows_of_the_sheet
from lab_env.class_report.parts import Voice
from lab_env.class_report.runs import stops
from lab_env.errors import LabError
from lab_env.marksheet import Row
from lab_env.record import Record
from lab_env.release import Release, load_checks

Toy = tuple[Path, Release]


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    """A course with the toy release and nobody in it."""
    return tmp_path / "course", toy_release(tmp_path / "course")


def rows(
    release: Release, *given: float | None, message: Text | None = None
) -> list[Row]:
    """Return the four rows of the toy with these points."""
    found = []
    for one, points in zip(load_checks(release.grader), given, strict=True):
        if points is None:
            found.append(row_of(one, "awaiting marking", None))
        else:
            outcome: Any = "passed" if points == one.points else "failed"
            found.append(row_of(one, outcome, points, message))
    return found


def test_the_newest_sheet_of_a_candidate_counts(toy: Toy) -> None:
    """Of two attempts and a mark by hand, the one entered last is counted."""
    course, release = toy
    enter(course, sheet_of(release, "a", rows(release, 0, 0, 0, None)))
    second = sheet_of(release, "a", rows(release, 2, 2, 4, None), attempt=2)
    enter(course, second)
    enter(course, second.marked("J1", 1, "examiner 7", "thin"), row="J1")

    found = facts_of(course, release)

    (attempt,) = found.attempts
    assert attempt.sheet.attempt == 2
    assert found.total.given == (9.0,)


def test_other_releases_are_not_counted(toy: Toy) -> None:
    """A candidate of another release is no candidate of this one."""
    course, release = toy
    other = toy_release(course, "en")
    enter(course, sheet_of(release, "a", rows(release, 2, 2, 4, 2)))
    enter(course, sheet_of(other, "b", rows(other, 0, 0, 0, 0)))

    assert [each.candidate for each in facts_of(course, release).attempts] == ["a"]


def test_handed_in_but_not_graded_is_named(toy: Toy) -> None:
    """Who handed in and has no sheet is listed, and counts nowhere else."""
    course, release = toy
    enter(course, sheet_of(release, "a", rows(release, 2, 2, 4, 2)))
    about = {"candidate": "b", "release": release.id, "attempt": 1}
    Record.open(course).append("received", **about, body={})

    found = facts_of(course, release)

    assert found.ungraded == ("b",)
    assert len(found.attempts) == 1


@pytest.mark.parametrize("handed_in", [0, 1])
def test_nobody_graded_is_one_sentence(toy: Toy, handed_in: int) -> None:
    """Without a mark sheet there is no report, and the sentence says what to do."""
    course, release = toy
    for number in range(handed_in):
        about = {"candidate": f"c{number}", "release": release.id, "attempt": 1}
        Record.open(course).append("received", **about, body={})

    with pytest.raises(LabError) as caught:
        facts_of(course, release)

    assert str(caught.value) == (
        f"Nobody has a mark sheet for {release.id} yet ({handed_in} handed in); "
        f"grade first: lab grade {release.id} FOLDER"
    )


def test_open_rows_are_never_counted_as_zero(toy: Toy) -> None:
    """A broken row is left out of its share, and its sheet out of the points."""
    course, release = toy
    enter(course, sheet_of(release, "a", rows(release, 2, 2, 4, 2)))
    bad = broken(rows(release, 2, 2, 4, None), ["M3"], "ValueError: x")
    enter(course, sheet_of(release, "b", bad))

    found = facts_of(course, release)

    assert found.machine.given == (8.0,)
    assert (found.machine.open, found.total.open) == (1, 1)
    row = next(row for row in found.rows if row.code == "M3")
    assert (row.n, row.share) == (1, 1.0)
    assert found.unmarked[0][0] == "b"


def test_faults_come_with_their_run(facts: ClassFacts) -> None:
    """What broke is told by run, candidate and rows, a whole sheet as such."""
    whole, two = facts.faults

    assert (whole.candidate, whole.all_rows) == ("2026-0006", True)
    assert whole.said == "Traceback: MemoryError"
    assert (two.candidate, two.codes) == ("2026-0040", ("M16", "M17"))
    assert all(len(fault.run) == 8 for fault in facts.faults)


def test_a_person_who_decided_a_broken_row_is_named(toy: Toy) -> None:
    """A broken row that got points by hand is still told, as decided."""
    course, release = toy
    bad = broken(rows(release, 2, 2, 4, 2), ["M3"], "ValueError: x")
    sheet = sheet_of(release, "b", bad)
    enter(course, sheet.marked("M3", 4, "examiner 7", "seen by eye"))

    (fault,) = facts_of(course, release).faults

    assert (fault.decided_by, fault.codes) == ("examiner 7", ("M3",))


def test_marks_by_hand_are_no_faults(toy: Toy) -> None:
    """A row that a person is there to mark did not break."""
    course, release = toy
    sheet = sheet_of(release, "a", rows(release, 2, 2, 4, None))
    enter(course, sheet.marked("J1", 1, "examiner 7", "thin"))

    assert facts_of(course, release).faults == ()


def test_one_candidate_is_a_class(tmp_path: Path) -> None:
    """Of one there is a share and a median, and no discrimination."""
    course = tmp_path / "course"
    release = real_release(course, "finetuning_classifier", "customer_service", "en")
    enter_class(course, release, 1)

    found = facts_of(course, release)

    assert found.machine.spread is not None
    assert found.machine.spread.deviation is None
    assert {row.discrimination.missing for row in found.rows} == {"few"}


def test_messages_of_one_kind_are_counted_together(toy: Toy) -> None:
    """Values of one candidate do not make a message another one."""
    _, release = toy
    said = [
        Text("训练用了 1400 条。", "Trained on 1400, not 1000."),
        Text("训练用了 1200 条。", "Trained on 1200, not 1000."),
        Text("没有训练。", "Nothing was trained."),
    ]
    four = [rows(release, 0, 0, 0, 0, message=each)[0] for each in said]

    found = most_said(four)

    assert found is not None
    assert (found.text, found.count) == (said[0], 2)
    assert most_said([replace(four[0], message=None)]) is None


def test_messages_are_short_and_steer_nothing(toy: Toy) -> None:
    """A message that quotes a submission is one line, cut, without control marks."""
    _, release = toy
    long = Text("\x1b[2J\u202e行\n" * 500, "x" * 500)

    found = most_said(rows(release, 0, 0, 0, 0, message=long))

    assert found is not None
    assert "\x1b" not in found.text.zh
    assert "\u202e" not in found.text.zh
    assert len(found.text.zh) == len(found.text.en) == CHARACTERS + 2


def test_time_and_memory_are_those_of_the_record(facts: ClassFacts) -> None:
    """Runs are measured where the record has figures; the largest is named."""
    seconds, _, memory = facts.used

    assert seconds.spread.n == memory.spread.n == 39
    assert (memory.most, memory.spread.largest) == ("2026-0009", 4101.3)
    assert (memory.limit, seconds.limit) == (4096, 400)


REMARK = "In the re-run, cell answer-train was stopped after 180 s."


@pytest.mark.parametrize(
    ("environment", "said", "why"),
    [
        ({"ended": "memory"}, "", "reached the limit of memory"),
        ({"ended": "wall time"}, "", "reached the limit of run time"),
        ({"wall_seconds": 185.0}, REMARK, "cell answer-train was stopped after 180 s"),
        ({"wall_seconds": 3.0}, REMARK, None),
        ({}, "In the re-run, the kernel died and later cells…", "the kernel died"),
        ({}, "Fill in the blank.", None),
    ],
)
def test_stopped_runs_are_found(
    toy: Toy, environment: dict[str, Any], said: str, why: str | None
) -> None:
    """A limit, a cell over its seconds and a dead kernel are told; words alone not."""
    course, release = toy
    message = Text("", said) if said else None
    mine = rows(release, 0, 0, 0, 0, message=message)
    enter(course, sheet_of(release, "a", mine, used(Random(1)) | environment))

    found = stops(facts_of(course, release).attempts)

    assert [stop.why.en for stop in found] == ([why] if why else [])


def test_chance_names_no_row(tmp_path: Path, facts: ClassFacts) -> None:
    """Weak rows are named in a class of forty; in one of nineteen nothing is said."""
    course = tmp_path / "course"
    release = real_release(course, "finetuning_classifier", "customer_service", "en")
    enter_class(course, release, 19)
    say = Voice("en")

    weak = [
        row.code
        for row in facts.rows
        if row.discrimination.value is not None and row.discrimination.value < WEAK
    ]
    large = rows_of_the_sheet(facts, say).notes
    small = rows_of_the_sheet(facts_of(course, release), say).notes

    assert [note.partition(":")[0] for note in large] == weak != []
    assert small == ()


def test_a_row_that_nobody_solved_is_named(toy: Toy) -> None:
    """Where eight have no point, the row is to be looked at again."""
    course, release = toy
    for number in range(8):
        enter(course, sheet_of(release, f"c{number}", rows(release, 0, 2, 4, 2)))

    (note,) = rows_of_the_sheet(facts_of(course, release), Voice("en")).notes

    assert note == "M1: nobody got a point. Check its task, its teaching, its check."
