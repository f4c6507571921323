"""Facts about grading a pile and marking by hand; jobs and jails are real."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from graded_toy import ID, NOTEBOOK, gold, hand_in, seal, seal_toy, work

import lab_env
from lab_env import batch, desk
from lab_env.errors import BrokenError, LabError
from lab_env.exam import GradingReport, grade_folder, mark_by_hand
from lab_env.marksheet import MarkSheet, broken_rows
from lab_env.record import Record
from lab_env.release import Release, load_checks, open_release
from lab_env.sandbox import Isolation
from lab_env.start_jobs import cold_command, commands

# A row of the grader that ends the job, as a fault in a library would.
CRASH = """

import os, pathlib
@check("M9", points=1)
def crashes(submission: Submission) -> None:
    \"\"\"崩溃。

    Crashes.
    \"\"\"
    flag = pathlib.Path({flag!r})
    if flag.exists():
        if {once}:
            flag.unlink()
        os._exit(9)
"""
GRADE = """
import sys
from pathlib import Path
from lab_env.exam import Site, grade_folder
from lab_env.errors import LabError
from lab_env.release import open_release
course, folder = Path(sys.argv[1]), Path(sys.argv[2])
release = open_release(next((course / "sealed").iterdir()))
try:
    site = Site(cold=True)
    report = grade_folder(course, release, folder, gradebook=False, site=site)
except LabError as error:
    sys.exit(str(error))
print([(row.outcome, row.sheet and row.sheet.isolation) for row in report.rows])
"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Return a course with a sealed toy release."""
    seal_toy(tmp_path / "course")
    return tmp_path / "course"


@pytest.fixture
def pile(tmp_path: Path) -> Path:
    """Return a folder with two hand-ins: right work, and an untouched release."""
    hand_in(tmp_path / "pile", "good", **gold())
    hand_in(tmp_path / "pile", "blank")
    return tmp_path / "pile"


def release_of(course: Path) -> Release:
    """Return the toy release."""
    return open_release(course / "sealed" / ID)


def grade(course: Path, pile: Path, **more: Any) -> GradingReport:
    """Grade a pile, without nbgrader."""
    return grade_folder(course, release_of(course), pile, gradebook=False, **more)


def test_a_small_pile_starts_cold_and_a_larger_one_warm(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two are not worth the seconds; a server that fails is said, and all go cold."""
    asked: list[str] = []

    @contextmanager
    def failing(*_: object) -> Iterator[SimpleNamespace]:
        asked.append("warm")
        yield SimpleNamespace(why="No warm start: no room.", command=cold_command)

    monkeypatch.setattr("lab_env.start_jobs.warm.commands", failing)
    isolation = Isolation("bubblewrap", "here")
    said: list[str] = []
    for jobs, cold in [(2, False), (3, True), (3, False)]:
        with commands(isolation, jobs, said.append, cold=cold) as command:
            assert command(course) == cold_command(course)

    assert asked == ["warm"]
    assert said == [
        "No warm start: no room. Started cold: the same marks, some seconds more each."
    ]


def test_a_job_that_failed_warm_is_tried_again_cold(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warm server that died costs each job one try and no mark."""

    @contextmanager
    def warm(*_: object) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(why="", command=lambda file: ["knock", str(file)])

    monkeypatch.setattr("lab_env.start_jobs.warm.commands", warm)
    with commands(Isolation("bubblewrap", "here"), 3, print) as command:
        tries = [command(course) for _ in range(2)]

    assert tries == [["knock", str(course)], cold_command(course)]


def outcomes(report: GradingReport) -> dict[str, str]:
    """Return what became of each candidate."""
    return {row.candidate: row.outcome for row in report.rows}


def events(course: Path) -> list[tuple[str, str, int]]:
    """Return the entries of the record, by candidate."""
    entries = Record.open(course).entries()
    return sorted((e.candidate, e.event, e.attempt) for e in entries)


def feedback(course: Path, candidate: str) -> dict[str, Any]:
    """Return the trainee's copy."""
    path = course / "feedback" / candidate / ID / "sheet.json"
    value: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return value


def crashing(course: Path, flag: Path, once: bool = False) -> None:
    """Make jobs die while the flag is there."""
    grader = course / "sealed" / ID / "grader.py"
    text = grader.read_text("utf-8") + CRASH.format(flag=str(flag), once=once)
    grader.write_text(text, "utf-8")
    seal(grader.parent)
    flag.touch()


def test_a_pile_is_graded_recorded_and_told(course: Path, pile: Path) -> None:
    """Each hand-in gets a sheet, an entry and a copy for the trainee; once."""
    (pile / "cut.ipynb").write_bytes(work()[:99])
    heard: list[tuple[int, int, str]] = []
    report = grade(
        course, pile, progress=lambda done, n, row: heard.append((done, n, row.outcome))
    )

    assert outcomes(report) == {"blank": "graded", "cut": "refused", "good": "graded"}
    assert report.exit_code == 2
    assert heard[0] == (1, 3, "refused")
    assert [done for done, _, _ in heard] == [1, 2, 3]
    written = [("blank", "graded", 1), ("blank", "received", 1)]
    written += [("good", "graded", 1), ("good", "received", 1)]
    assert events(course) == written
    record = Record.open(course)
    assert record.verify().ok
    entry = record.latest("good", ID)
    assert entry is not None
    assert (course / entry.body["result"] / "sheet.json").is_file()
    assert feedback(course, "good")["machine_given"] == 8
    assert all(row["nominal"] is None for row in feedback(course, "good")["rows"])
    assert feedback(course, "good")["environment"] == {}

    again = grade(course, pile)

    assert set(outcomes(again).values()) == {"already graded", "refused"}
    assert again.rows[2].sheet == report.rows[2].sheet
    assert events(course) == written


def test_grading_again_is_a_new_entry_and_keeps_hand_marks(
    course: Path, pile: Path
) -> None:
    """With force the sheet is made anew; what a person gave for this work stays."""
    grade(course, pile, only="good")
    mark_by_hand(course, release_of(course), "good", "J1", 1.5, "examiner-7", "partly")

    report = grade(course, pile, only="good", force=True)

    assert [event for _, event, _ in events(course)] == [
        "graded",
        "marked",
        "received",
        "regraded",
    ]
    assert report.rows[0].sheet is not None
    row = report.rows[0].sheet.row("J1")
    assert row is not None
    assert (row.given, row.marked_by, row.reason) == (1.5, "examiner-7", "partly")
    assert feedback(course, "good")["total_given"] == 9.5


def test_other_work_is_another_attempt(course: Path, pile: Path) -> None:
    """A second hand-in counts as attempt 2 and begins without hand marks."""
    grade(course, pile, only="good")
    mark_by_hand(course, release_of(course), "good", "J1", 2, "examiner-7", "good")
    (pile / "good" / NOTEBOOK).write_bytes(work(**(gold() | {"why": "Other."})))

    [row] = grade(course, pile, only="good").rows

    assert row.sheet is not None
    assert (row.sheet.attempt, row.sheet.outcome) == (2, "awaiting marking")
    assert ("good", "graded", 2) in events(course)


def test_a_job_that_dies_is_broken_until_a_person_decides(
    course: Path, pile: Path, tmp_path: Path
) -> None:
    """Never zero and never full: every row is open, with a run id, and may be marked."""
    crashing(course, tmp_path / "flag")
    report = grade(course, pile, only="good")

    assert (outcomes(report), report.exit_code) == ({"good": "broken"}, 3)
    sheet = report.rows[0].sheet
    assert sheet is not None
    assert {row.given for row in sheet.rows} == {None}
    run = sheet.environment["run"]
    assert f"run {run}" in feedback(course, "good")["rows"][0]["message"]["en"]
    log = (course / "logs" / f"{run}.log").read_text("utf-8")
    assert log.count("exit code 9") == 2

    release = release_of(course)
    for row in sheet.rows:
        sheet = mark_by_hand(
            course, release, "good", row.code, row.points, "e-1", "seen on paper"
        )

    assert (sheet.broken, sheet.as_json()["total_given"]) == (False, 11)
    assert outcomes(grade(course, pile, only="good")) == {"good": "already graded"}


def test_a_broken_hand_in_is_graded_when_the_fault_is_gone(
    course: Path, pile: Path, tmp_path: Path
) -> None:
    """The same command again grades what was broken, without force."""
    crashing(course, tmp_path / "flag")
    grade(course, pile, only="good")
    (tmp_path / "flag").unlink()

    assert outcomes(grade(course, pile, only="good")) == {"good": "graded"}
    assert [e for _, e, _ in events(course)] == ["broken", "graded", "received"]


def test_a_job_gets_a_second_try(course: Path, pile: Path, tmp_path: Path) -> None:
    """A job that dies once leaves no trace in the mark or in the record."""
    crashing(course, tmp_path / "flag", once=True)

    assert outcomes(grade(course, pile, only="good")) == {"good": "graded"}
    assert [event for _, event, _ in events(course)] == ["graded", "received"]


@pytest.mark.parametrize("after", [1, 3])
def test_a_killed_grading_neither_loses_nor_doubles(
    course: Path, pile: Path, after: int
) -> None:
    """kill -9 in the middle, then the same command: each candidate has one mark."""
    for number in range(3):
        hand_in(pile, f"more-{number}", **gold())
    command = [sys.executable, "-c", GRADE, str(course), str(pile)]
    Record.open(course)
    grading = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while time.monotonic() < until and grading.poll() is None:
        if sum(event == "graded" for _, event, _ in events(course)) >= after:
            break
        time.sleep(0.01)
    os.kill(grading.pid, signal.SIGKILL)
    grading.wait()

    report = grade(course, pile)

    assert set(outcomes(report).values()) <= {"graded", "already graded"}
    counted = Counter((candidate, event) for candidate, event, _ in events(course))
    assert len(counted) == 10
    assert set(counted.values()) == {1}
    assert not [*(course / "results").glob("**/.*")]
    assert all((course / "feedback" / name / ID).is_dir() for name in outcomes(report))


def test_a_result_that_was_not_recorded_is_not_made_again(
    course: Path, pile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between result and record: the next grading records that result."""
    with monkeypatch.context() as patch:
        patch.setattr(desk, "with_hand_marks", None)
        with pytest.raises(TypeError):
            grade(course, pile, only="good")
    assert [event for _, event, _ in events(course)] == ["received"]
    monkeypatch.setattr(batch, "run_twice", lambda engine, tasks: iter(()))

    assert outcomes(grade(course, pile, only="good")) == {"good": "graded"}


def test_two_gradings_of_one_course_do_not_mix(course: Path, pile: Path) -> None:
    """The second one stops with a sentence that names the first."""
    said = rf"Another grading \(process {os.getpid()}\) is at work in .*; wait until"

    with desk.only_grader(course), pytest.raises(LabError, match=said) as caught:
        grade(course, pile)

    assert caught.value.exit_code == 2


def test_a_changed_release_is_not_graded(course: Path, pile: Path) -> None:
    """A sealed file that was changed stops the grading before anything is taken."""
    (course / "sealed" / ID / "key" / "heldout.csv").write_text("id,label\n")

    with pytest.raises(BrokenError, match="is not as it was published"):
        grade(course, pile)

    assert not (course / "received").exists()


def test_without_a_sandbox_only_trust_grades(
    course: Path, pile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No sandbox: refused with what to install, or graded and said so."""
    nothing = Isolation("none", "No sandbox: none is here.", ("Install bubblewrap.",))
    place = "lab_env.sandbox.isolation.detect_isolation"
    monkeypatch.setattr(place, lambda: nothing)

    said = r"none is here\. Install bubblewrap\. .*pass --trust-submissions"
    with pytest.raises(LabError, match=said):
        grade(course, pile)
    assert not (course / "received").exists()
    sheets = [row.sheet for row in grade(course, pile, trust=True).rows]

    assert [sheet and sheet.isolation for sheet in sheets] == [
        "ungraded isolation: No sandbox: none is here."
    ] * 2


def test_the_mark_is_safe_when_the_gradebook_is_not(
    course: Path, pile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of nbgrader is said, costs no mark, and is made good the next time."""
    scores: dict[str, dict[str, tuple[float | None, bool]]] = {}

    def failing(*_: object) -> None:
        raise BrokenError("the database is locked")

    def working(course: Path, release: str, candidate: str) -> None:
        scores[candidate] = {"rows-M1": (8.0, False)}

    book = SimpleNamespace(scores_of=lambda *_: scores, autograde=failing)
    monkeypatch.setattr(lab_env, "gradebook", book, raising=False)
    monkeypatch.setitem(sys.modules, "lab_env.gradebook", book)  # type: ignore[arg-type]
    release = release_of(course)

    report = grade_folder(course, release, pile, only="good")
    book.autograde = working
    again = grade_folder(course, release, pile, only="good")
    book.autograde = failing
    third = grade_folder(course, release, pile, only="good")

    assert (report.rows[0].outcome, report.exit_code) == ("graded", 3)
    assert report.rows[0].sentence == (
        "The mark is recorded, but not in the gradebook: the database is locked"
    )
    assert (course / "submitted" / "good" / ID / NOTEBOOK).is_file()
    assert [again.exit_code, third.exit_code] == [0, 0]
    assert outcomes(third) == {"good": "already graded"}


@pytest.fixture
def marked(tmp_path: Path) -> Path:
    """Return a course with one recorded sheet, made without a run."""
    course = tmp_path / "marked"
    release = seal_toy(course)
    checks = load_checks(release.grader)
    rows = broken_rows(checks, checks[0].sentence)
    sheet = MarkSheet(release.id, "c1", 1, "en", "t", "i", rows)
    passed = {row.code: row.points for row in rows if row.code != "M3"}
    value = sheet.as_json()
    for row in value["rows"]:
        if row["code"] == "J1":
            row["outcome"] = "awaiting marking"
        elif row["code"] in passed:
            row |= {"outcome": "passed", "given": row["points"]}
    Record.open(course).append(
        "broken",
        candidate="c1",
        release=release.id,
        attempt=1,
        body={"sheet": value, "submission": "s", "seal": "s", "result": "r"},
    )
    return course


@pytest.mark.parametrize(
    ("candidate", "code", "given", "by", "reason", "said"),
    [
        ("c2", "J1", 1, "e", "r", 'Candidate "c2" has no mark sheet for'),
        (
            "c1",
            "J9",
            1,
            "e",
            "r",
            'No row "J9". There is J1, M1, M2, M3. See: lab record show c1',
        ),
        ("c1", "M1", 1, "e", "r", r"Row M1 is marked by the grader \(passed, 2 of 2\)"),
        (
            "c1",
            "J1",
            2.5,
            "e",
            "r",
            "Row J1 takes 0 to 2 points in steps of 0.5, got 2",
        ),
        ("c1", "J1", -1, "e", "r", "in steps of 0.5, got -1"),
        ("c1", "J1", 0.3, "e", "r", "in steps of 0.5, got 0.3"),
        ("c1", "J1", float("nan"), "e", "r", "in steps of 0.5, got nan"),
        ("c1", "J1", 1, " ", "r", "Row J1: the name is ' '; say who marks and why"),
        ("c1", "J1", 1, "e", "", "Row J1: the reason is ''; say who marks and why"),
    ],
)
def test_a_mark_that_cannot_be_is_refused(
    marked: Path,
    candidate: str,
    code: str,
    given: float,
    by: str,
    reason: str,
    said: str,
) -> None:
    """Unknown names, machine rows, odd points and missing reasons are each said."""
    with pytest.raises(LabError, match=said):
        mark_by_hand(marked, release_of(marked), candidate, code, given, by, reason)

    assert len(list(Record.open(marked).entries())) == 1


def test_a_person_decides_open_rows(marked: Path) -> None:
    """Rows marked by hand and broken rows take a person's points, and keep who and why."""
    release = release_of(marked)
    mark_by_hand(marked, release, "c1", "M3", 4, "e-1", "the log shows it")
    sheet = mark_by_hand(marked, release, "c1", "J1", 0.5, "e-2", "half of it")
    changed = mark_by_hand(marked, release, "c1", "M3", 3, "e-1", "one label is wrong")

    assert sheet.given(sheet.rows) == 8.5
    assert changed.given(changed.rows) == 7.5
    last = list(Record.open(marked).entries(event="marked"))[-1]
    assert (last.body["row"], last.body["submission"]) == ("M3", "s")
    row = last.body["sheet"]["rows"][2]
    assert (row["given"], row["marked_by"]) == (3, "e-1")
    assert feedback(marked, "c1")["total_given"] == 7.5
