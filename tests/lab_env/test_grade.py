"""Facts about grading one submission through both rooms; every run is real."""

import json
from pathlib import Path

import pytest
from graded_toy import NOTEBOOK, gold, hand_in, seal, seal_toy

from lab_env import grade
from lab_env.checks import Text
from lab_env.errors import BrokenError, SubmissionError
from lab_env.examine import _judge
from lab_env.marksheet import MarkSheet, Row
from lab_env.release import Release
from lab_env.room_a import _check, limits_of
from lab_env.sandbox import Isolation, JailRun, NotebookRun, require_isolation

SAID = Text("说明。", "Said.")


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """Return the sealed toy release."""
    return seal_toy(tmp_path / "course")


def limited(release: Release, limits: str) -> Release:
    """Return the release with other limits in its lab.toml."""
    toml = release.folder / "lab.toml"
    toml.write_text(f"{toml.read_text('utf-8')}\n[limits]\n{limits}\n", "utf-8")
    return seal(release.folder)


def graded(release: Release, tmp_path: Path, **answers: str) -> MarkSheet:
    """Return the sheet of a hand-in with these answers, the others right."""
    folder = hand_in(tmp_path / "in", "c1", **(gold() | answers))
    return run(release, folder, tmp_path / "out")


def run(release: Release, folder: Path, out: Path) -> MarkSheet:
    """Return the sheet of a hand-in."""
    isolation = require_isolation(trust=False)
    return grade.grade_submission(
        release, folder, out, candidate="c1", attempt=2, isolation=isolation
    )


def points(sheet: MarkSheet) -> dict[str, float | None]:
    """Return the points by row."""
    return {row.code: row.given for row in sheet.rows}


def message(sheet: MarkSheet, code: str) -> Text:
    """Return what a row tells the trainee."""
    row = sheet.row(code)
    assert row is not None
    assert row.message is not None
    return row.message


def test_good_work_gets_all_points(release: Release, tmp_path: Path) -> None:
    """Right answers get every machine point; the written one waits for a person."""
    sheet = graded(release, tmp_path)

    assert points(sheet) == {"M1": 2, "M2": 2, "M3": 4, "J1": None}
    assert (sheet.attempt, sheet.outcome) == (2, "awaiting marking")
    assert sheet.isolation == require_isolation(trust=False).sentence
    assert sheet.environment["ended"] == "finished"
    assert sheet.environment["seal"] == release.seal
    assert set(sheet.environment["versions"]) == {"python", *grade.PACKAGES}
    written = json.loads((tmp_path / "out" / "sheet.json").read_text("utf-8"))
    assert MarkSheet.from_json(written) == sheet
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"sheet.json", "executed.ipynb", "deliverables"}


def test_an_untouched_release_gets_nothing(release: Release, tmp_path: Path) -> None:
    """The starter scores zero, and a blank is not called an error."""
    sheet = run(release, hand_in(tmp_path / "in", "c1"), tmp_path / "out")

    assert points(sheet) == {"M1": 0, "M2": 0, "M3": 0, "J1": 0}
    assert sheet.row("M1").outcome == "not attempted"  # type: ignore[union-attr]
    assert "first to fail" not in message(sheet, "M1").en


def test_a_failing_cell_is_named(release: Release, tmp_path: Path) -> None:
    """A row that has nothing to mark says which cell failed in the re-run."""
    sheet = graded(release, tmp_path, count="message_count = 1 / 0")

    assert points(sheet) == {"M1": 0, "M2": 2, "M3": 4, "J1": None}
    said = message(sheet, "M1")
    assert said.en.endswith(
        "cell answer-count was the first to fail: ZeroDivisionError."
    )
    assert said.zh.endswith("单元格 answer-count 最先出错(ZeroDivisionError)。")


def test_a_cell_without_end_costs_only_its_own_rows(
    release: Release, tmp_path: Path
) -> None:
    """A cell over its limit is stopped and named; later cells run."""
    release = limited(release, "cell_seconds = 2")

    sheet = graded(release, tmp_path, count="while True: pass")

    assert points(sheet) == {"M1": 0, "M2": 2, "M3": 4, "J1": None}
    assert "cell answer-count was stopped after 2 s" in message(sheet, "M1").en


def test_a_run_without_end_is_the_trainees(release: Release, tmp_path: Path) -> None:
    """Past the limit of the whole run what was made counts, the rest was not tried."""
    release = limited(release, "wall_seconds = 4")

    sheet = graded(release, tmp_path, guess="import time; time.sleep(60)")

    assert points(sheet) == {"M1": 2, "M2": 0, "M3": 0, "J1": None}
    assert sheet.environment["ended"] == "wall time"
    assert "stopped at its limit of wall time" in message(sheet, "M2").en
    assert "运行时间超出上限" in message(sheet, "M2").zh


def test_hostile_work_marks_nothing_and_reads_nothing(
    release: Release, tmp_path: Path
) -> None:
    """The key is not in room A, links and large files are not taken, HTML goes."""
    secret = release.key / "heldout.csv"
    attack = (
        "import os\n"
        f"found = [os.path.exists(p) for p in ({str(secret)!r}, 'key', 'grader.py')]\n"
        "os.symlink('data/heldout.csv', 'predictions.csv')\n"
        "open('counts.json', 'w').write(' ' * 3_000_000)\n"
        "save_json = lambda *_: None\n"
        "message_count = 6\n"
        "from IPython.display import HTML, display\n"
        "display(HTML('<script>'))\n"
        "print('seen', found)\n"
    )
    sheet = graded(release, tmp_path, count=attack, guess="raise SystemExit")

    assert points(sheet) == {"M1": 0, "M2": 0, "M3": 0, "J1": None}
    assert "counts.json was not taken: it has 2.9 MB" in message(sheet, "M1").en
    assert "counts.json 没有收取" in message(sheet, "M1").zh
    executed = (tmp_path / "out" / "executed.ipynb").read_text("utf-8")
    assert "seen [False, False, False]" in executed
    assert "<script>" not in json.dumps(
        [cell.get("outputs") for cell in json.loads(executed)["cells"]]
    )


def test_code_that_ends_the_run_is_never_full_marks(
    release: Release, tmp_path: Path
) -> None:
    """Killing what drives the kernel leaves the rows without points."""
    attack = "import os, signal; os.kill(os.getppid(), signal.SIGKILL)"

    sheet = graded(release, tmp_path, count=attack)

    assert points(sheet) == {"M1": 0, "M2": 0, "M3": 0, "J1": None}
    assert "the kernel died" in message(sheet, "M1").en


def test_work_of_the_hand_is_marked_as_handed_in(
    release: Release, tmp_path: Path
) -> None:
    """It lies beside the notebook when it runs, and what the run makes of it is void."""
    toml = release.folder / "lab.toml"
    text = toml.read_text("utf-8").replace(
        'name = "counts.json"\nfrom = "rerun"',
        'name = "counts.json"\nfrom = "submission"',
    )
    toml.write_text(text, "utf-8")
    folder = hand_in(tmp_path / "in", "c1", **gold())
    (folder / "counts.json").write_text('{"messages": 6, "note": "by hand"}')
    (folder / "counts.json").chmod(0o444)

    sheet = run(seal(release.folder), folder, tmp_path / "out")

    assert points(sheet)["M1"] == 2
    kept = (tmp_path / "out" / "deliverables" / "counts.json").read_text()
    assert "by hand" in kept


def test_the_first_complete_result_stays(release: Release, tmp_path: Path) -> None:
    """A repeated job leaves the result that is there, and nothing half made."""
    folder = hand_in(tmp_path / "in", "c1", **gold())
    result = tmp_path / "results" / "c1" / "abc-def"
    isolation = require_isolation(trust=False)
    job = {
        "release": str(release.folder),
        "handed_in": str(folder),
        "result": str(result),
        "candidate": "c1",
        "attempt": 1,
        "isolation": vars(isolation) | {"missing": [], "options": [*isolation.options]},
        "threads": 1,
    }
    (tmp_path / "job.json").write_text(json.dumps(job))

    assert grade.main(str(tmp_path / "job.json")) == 0
    before = (result / "sheet.json").stat().st_mtime_ns
    fresh = tmp_path / "results" / "c1" / ".second"
    fresh.mkdir()
    grade.settle(fresh, result)

    assert (result / "sheet.json").stat().st_mtime_ns == before
    assert [path.name for path in result.parent.iterdir()] == ["abc-def"]


def test_a_job_that_cannot_grade_says_why(
    release: Release, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Our own failure leaves no result, one sentence and exit code 3."""
    (tmp_path / "empty").mkdir()
    job = {"release": str(release.folder), "handed_in": str(tmp_path / "empty")}
    job |= {"result": str(tmp_path / "r" / "x"), "candidate": "c1"}
    more = {"attempt": 1, "isolation": {"tier": "none", "sentence": ""}, "threads": 1}
    (tmp_path / "job.json").write_text(json.dumps(job | more))

    assert grade.main(str(tmp_path / "job.json")) == 3
    assert capsys.readouterr().err.startswith(f"empty has no {NOTEBOOK} that can")
    assert not list((tmp_path / "r").iterdir())


def test_a_hand_in_without_its_notebook_is_refused(
    release: Release, tmp_path: Path
) -> None:
    """The sentence names the notebook that was expected."""
    with pytest.raises(SubmissionError, match=f"has no {NOTEBOOK} that can be read"):
        grade.read_submitted(tmp_path, release)


def test_no_isolation_is_said_first() -> None:
    """A sheet made without a sandbox says so in the record."""
    nothing = Isolation("none", "No sandbox here.")

    assert grade.isolation_sentence(nothing) == "ungraded isolation: No sandbox here."


def test_only_rows_without_work_get_the_remark() -> None:
    """What stopped the run is told where something is missing, not where work failed."""
    rows = tuple(
        Row(code, 1, SAID, "2.2", "", by_hand, outcome, 0.0)  # type: ignore[arg-type]
        for code, by_hand, outcome in [
            ("M1", False, "not attempted"),
            ("M2", False, "failed"),
            ("J1", True, "not attempted"),
        ]
    )

    told = grade.with_remark(rows, SAID)

    assert [row.message for row in told] == [SAID, None, None]


@pytest.mark.parametrize(("ended", "code"), [("finished", 1), ("killed", None)])
def test_a_run_that_never_began_is_broken(ended: str, code: int | None) -> None:
    """Without any executed cell it is not known whose fault it was: a person decides."""
    jail = JailRun(ended, code, 1, 1, 1, "no kernel")  # type: ignore[arg-type]

    with pytest.raises(BrokenError, match=f"{ended} with code {code}: no kernel"):
        _check(NotebookRun(jail, None, None, ()))


def test_an_unknown_limit_is_our_own_fault(release: Release) -> None:
    """A slip in lab.toml stops the grading and is named."""
    wrong = limited(release, "memory_gb = 4")

    with pytest.raises(
        BrokenError, match=r"lab.toml of toy_lab, \[limits\].*memory_gb"
    ):
        limits_of(wrong.lab)


@pytest.mark.parametrize(
    ("collected", "ended", "code", "failure"),
    [
        (("ready.txt", "predictions.csv"), "finished", 0, False),
        (("ready.txt", "predictions.csv"), "memory", None, True),
        (("ready.txt",), "finished", 1, True),
        (("ready.txt", "failure.txt"), "finished", 0, True),
    ],
)
def test_a_model_that_breaks_its_run_is_the_trainees(
    tmp_path: Path,
    collected: tuple[str, ...],
    ended: str,
    code: int | None,
    failure: bool,
) -> None:
    """Once the weights are being read, a limit or a crash is a failed row."""
    for name in collected:
        (tmp_path / name).write_text("x")
    run = JailRun(ended, code, 1, 1, 1, "", collected)  # type: ignore[arg-type]

    _judge(run, tmp_path)

    assert (tmp_path / "failure.txt").is_file() == failure
    assert (tmp_path / "predictions.csv").is_file() != failure
