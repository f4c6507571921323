"""Facts about the command line: exit codes, sentences, and what each command does."""

import errno
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from graded_toy import seal_toy
from toy_work import RELEASE, cell, release_toy, write_notebook

from lab_env import cli, doctor, lab_server
from lab_env.doctor import Fact
from lab_env.files import write_json
from lab_env.marksheet import MarkSheet
from lab_env.record import Record

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def lab(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run `lab` in an empty folder; return exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.run(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def one_line(err: str) -> bool:
    """Say whether stderr holds one line that starts with the program's name."""
    return err.count("\n") == 1 and err.startswith("lab: ")


BAD_INPUT = {
    "no such command": (["grad"], "No such command 'grad'"),
    "no such option": (["doctor", "--deep"], "No such option: --deep"),
    "too few arguments": (["grade", "r1"], "Missing argument 'FOLDER'"),
    "not a number": (
        ["mark", "r", "c", "J1", "three"],
        "for 'POINTS': Input should be a valid number",
    ),
    "no workers": (
        ["grade", "r", "f", "--workers", "0"],
        "for '--workers': Input should be greater than or equal to 1",
    ),
    "no such language": (["list", "--language", "fr"], "'fr' is not one of"),
    "no such lab": (
        ["start", "finetuning_clasifier"],
        'No lab "finetuning_clasifier". Did you mean finetuning_classifier?',
    ),
    "nothing published": (["start", "finetuning_classifier"], "lab publish finetuning"),
    "no work folder": (["check"], 'Which work folder? There is none in "work"'),
    "not a work folder": (["check", "."], 'No release.json in "."'),
    "no such release": (
        ["grade", "toy-case-zh-r1", "."],
        'No release "toy-case-zh-r1"',
    ),
    "mark no release": (
        ["mark", "toy-case-zh-r1", "1", "J1", "3", "--by", "7", "--reason", "ok"],
        'No release "toy-case-zh-r1"',
    ),
    "no record": (["record", "show", "20260001"], "There is no record in course"),
    "no record to verify": (["record", "verify"], "There is no record in course"),
    "no course": (["formgrader"], 'No course folder "course"'),
    "a name": (["submit", "--candidate", "li@example.org"], "an e-mail address"),
    "an identity number": (
        ["submit", "--candidate", "11010519491231002X"],
        "an identity-card number",
    ),
    "no such scenario": (
        ["publish", "finetuning_classifier", "--scenario", "customer"],
        'No scenario "customer"',
    ),
    "publish in French": (
        ["publish", "toy", "--scenario", "s", "--language", "fr"],
        'No language "fr"',
    ),
    "build no lab": (["build", "toy"], 'No lab "toy"'),
    "a file as course": (
        ["releases", "--course", "a-file"],
        "(env var: 'LAB_COURSE'): dir 'a-file' is a file. See: lab releases --help",
    ),
    "a notebook as work folder": (
        ["check", "a-file"],
        "Invalid value for '[FOLDER]': dir 'a-file' is a file. See: lab check --help",
    ),
    "a folder as table": (
        ["record", "export", "--csv", "."],
        "Invalid value for '--csv': file '.' is a directory.",
    ),
    "a file as parent": (
        ["start", "finetuning_classifier", "--folder", "a-file"],
        "Invalid value for '--folder': dir 'a-file' is a file.",
    ),
    "start on no scenario": (
        ["start", "finetuning_classifier", "--scenario", "customer"],
        'No scenario "customer"',
    ),
    "another course": (
        ["grade", "toy-case-zh-r1", ".", "--course", "exam"],
        'No release "toy-case-zh-r1". There is none yet. See: lab releases --course exam',
    ),
    "a name that steers the terminal": (
        ["grade", "\x1b[2Jr1", "."],
        'No release "\ufffd[2Jr1"',
    ),
}


@pytest.mark.parametrize("kind", BAD_INPUT)
def test_bad_input_is_one_line_and_exit_code_2(
    lab: Run, tmp_path: Path, kind: str
) -> None:
    """Whatever a user mistypes is answered with one sentence and exit code 2."""
    arguments, sentence = BAD_INPUT[kind]
    (tmp_path / "a-file").touch()

    code, out, err = lab(*arguments)

    assert code == 2
    assert sentence in err
    assert one_line(err)
    assert out == ""


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.EACCES, "this user may not read or write it; choose another."),
        (errno.EROFS, "it lies on a read-only disk; choose another place."),
        (errno.ENOSPC, "the disk is full; make room, then start again."),
    ],
)
def test_a_place_that_cannot_be_used_is_for_the_user_to_change(
    lab: Run, monkeypatch: pytest.MonkeyPatch, number: int, sentence: str
) -> None:
    """No rights, a read-only disk and a full one are no fault of ours."""

    def fail(course: Path) -> None:
        raise OSError(number, "no", str(course))

    monkeypatch.setattr(doctor, "examine", fail)

    assert lab("doctor") == (2, "", f"lab: course: {sentence}\n")


def test_our_own_fault_has_a_run_id_and_a_log(
    lab: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody foresaw leaves with 3, and the traceback is in the course's logs."""
    (tmp_path / "course").mkdir()

    def fail(course: Path) -> None:
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr(doctor, "examine", fail)

    code, _, err = lab("doctor")

    (log,) = (tmp_path / "course" / "logs").iterdir()
    assert code == 3
    assert one_line(err)
    assert f"the disk is on fire Run {log.stem}, details: course/logs/" in err
    assert "Traceback" in log.read_text()


def test_the_log_is_in_the_course_that_was_named(
    lab: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --course the log lies there; without a course it lies with other logs."""
    monkeypatch.setattr(doctor, "examine", lambda course: 1 / 0)
    (tmp_path / "exam").mkdir()

    lab("doctor", "--course", "exam")
    code, _, err = lab("doctor", "--course", "nowhere")

    assert list((tmp_path / "exam" / "logs").iterdir())
    assert (code, (tmp_path / "nowhere").exists()) == (3, False)
    assert one_line(err)


def test_ctrl_c_is_one_line(lab: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupted command leaves with 130 and no traceback."""

    def interrupt(course: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor, "examine", interrupt)

    assert lab("doctor") == (130, "", "lab: Stopped by Ctrl+C.\n")


@pytest.mark.parametrize(("state", "expected"), [("ok", 0), ("!", 0), ("x", 1)])
def test_doctor_fails_only_when_labs_cannot_be_worked(
    lab: Run, monkeypatch: pytest.MonkeyPatch, state: Any, expected: int
) -> None:
    """A fact with [x] makes the exit code 1; a mere remark does not."""
    monkeypatch.setattr(doctor, "examine", lambda course: [Fact(state, "a fact")])

    code, out, _ = lab("doctor")

    assert code == expected
    assert out.startswith(f"[{state}]")


def test_start_prepares_the_work_and_prints_the_address(
    lab: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """lab start copies the newest release, prints where to go and becomes the server."""
    release_toy(tmp_path / "course")
    write_json(tmp_path / "course" / "sealed" / RELEASE / "manifest.json", {})
    started = []
    monkeypatch.setattr(
        lab_server, "run", lambda server, browser: started.append(server)
    )

    code, out, _ = lab("start", "toy_lab", "--language", "en", "--no-browser")

    assert code == 0
    assert f"work/{RELEASE}/toy_lab.ipynb" in out
    assert started[0].address in out
    assert "http://127.0.0.1:" in out


def test_check_fails_until_every_open_row_passes(lab: Run, tmp_path: Path) -> None:
    """lab check leaves with 1 while a row or a deliverable is missing, then with 0."""
    released = release_toy(tmp_path / "work")
    inputs = (released / "data" / "heldout.csv").read_text().splitlines()[1:]
    count = len((released / "data" / "train.csv").read_text().splitlines()) - 1

    code, out, _ = lab("check", str(released))
    assert code == 1
    assert "not attempted" in out

    write_json(released / "counts.json", {"messages": count})
    lines = ["id,label", *(f"{line.split(',')[0]},x" for line in inputs)]
    (released / "predictions.csv").write_text("\n".join(lines) + "\n")

    code, out, _ = lab("check", str(released))
    assert code == 0
    assert "[ok] predictions.csv" in out


def test_submit_asks_before_packing_doubtful_work(
    lab: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Warnings are shown and asked about; a no packs nothing, --yes packs."""
    work = release_toy(tmp_path / "work")
    write_json(work / "counts.json", {"messages": 1})
    monkeypatch.setattr("sys.stdin", StringIO("n\n"))
    packed = work.parent / "submissions" / "20260001.zip"

    code, out, err = lab("submit", str(work), "--candidate", "20260001")
    assert code == 1
    assert "[!] Not there yet: predictions.csv" in out
    assert "[!] Blanks (____) are left in: count." in out
    assert err.endswith("lab: Stopped; nothing was changed.\n")
    assert not packed.exists()

    code, out, _ = lab("submit", str(work), "--candidate", "20260001", "--yes")
    assert code == 0
    assert "SHA-256: " in out
    assert "toy_lab.ipynb" in zipfile.ZipFile(packed).namelist()


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A course with the record of one graded attempt."""
    sealed = seal_toy(tmp_path / "course")
    facts = (sealed.id, "20260001", 1, "en", "Count the messages", "bubblewrap")
    body = {"sheet": MarkSheet(*facts, ()).as_json()}
    Record.open(tmp_path / "course").append(
        "graded", candidate="20260001", release=sealed.id, attempt=1, body=body
    )
    return tmp_path / "course"


def test_the_record_is_shown_verified_and_exported(lab: Run, recorded: Path) -> None:
    """A recorded sheet can be printed, checked against a checkpoint, and exported."""
    code, shown, _ = lab("record", "show", "20260001")
    assert code == 0
    assert "Count the messages (toy_lab-toy_scenario-en-r1)" in shown

    _, head, _ = lab("record", "head")
    assert lab("record", "verify", "--head", head.strip())[0] == 0
    assert lab("record", "export", "--csv", "marks.csv")[0] == 0
    assert Path("marks.csv").read_bytes().startswith("\ufeff准考证号".encode())


def test_a_cut_off_record_is_found(lab: Run, recorded: Path) -> None:
    """A checkpoint with more entries than the record has makes verify leave with 1."""
    code, out, _ = lab("record", "verify", "--head", f"2:{'0' * 64}")

    assert code == 1
    assert out.startswith("[x] Entries 2 to 2 are missing")


def test_an_unknown_candidate_gets_a_suggestion(lab: Run, recorded: Path) -> None:
    """A mistyped exam number is answered with the nearest one."""
    code, _, err = lab("record", "show", "20260011")

    assert code == 2
    assert "Did you mean 20260001?" in err


def test_a_refused_hand_in_leaves_with_2(
    lab: Run, recorded: Path, tmp_path: Path
) -> None:
    """The class table names the refused hand-in; the exit code says change something."""
    pile = tmp_path / "pile"
    pile.mkdir()
    (pile / "20260002.ipynb").write_text("{")

    code, out, err = lab("grade", RELEASE, str(pile), "--no-gradebook")

    assert (code, err) == (2, "")
    assert "20260002" in out
    assert "refused" in out


def test_the_result_needs_no_number_after_submit(lab: Run, tmp_path: Path) -> None:
    """lab result takes the candidate from the receipt and hides nominal values."""
    work = release_toy(tmp_path / "work")
    write_notebook(work, cell("code", "count", "messages = 1", execution_count=1))
    lab("submit", str(work), "--candidate", "20260001", "--yes")
    facts = (RELEASE, "20260001", 1, "en", "Count the messages", "bubblewrap")
    sheet = MarkSheet(*facts, ()).as_json()
    write_json(
        tmp_path / "course" / "feedback" / "20260001" / RELEASE / "sheet.json", sheet
    )

    code, out, _ = lab("result", str(work))

    assert code == 0
    assert "20260001" in out


def test_help_is_quick_and_imports_no_library_of_the_labs() -> None:
    """`lab --help` loads neither torch nor nbgrader nor pandas, in half a second."""
    program = (
        "import sys, lab_env.cli as cli; code = cli.run(['--help']);"
        "heavy = {'torch', 'nbgrader', 'pandas', 'nbformat', 'transformers'};"
        "print(code, *(heavy & set(sys.modules)), file=sys.stderr)"
    )
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, check=False, text=True
        )
        times.append(time.perf_counter() - begun)
        assert done.stderr == "0\n"

    # The best of three: other tests run beside this one.
    assert min(times) < 1.5


def test_the_program_leaves_with_the_exit_code(tmp_path: Path) -> None:
    """`python -m lab_env.cli` is the same program as `lab`."""
    done = subprocess.run(
        [sys.executable, "-m", "lab_env.cli", "start", "nothing"],
        capture_output=True,
        check=False,
        text=True,
        cwd=tmp_path,
    )

    assert done.returncode == 2
    assert done.stderr.startswith('lab: No lab "nothing".')
    assert done.stderr.count("\n") == 1


def test_the_version_is_that_of_the_package(lab: Run) -> None:
    """lab --version names the installed version; lab alone shows the help."""
    assert lab("--version")[1].startswith("lab ")
    assert "学员 Trainee" in lab()[1]


def test_json_of_a_receipt_is_plain(lab: Run, tmp_path: Path) -> None:
    """receipt.json has the five facts that a trainee keeps."""
    work = release_toy(tmp_path / "work")
    lab("submit", str(work), "--candidate", "20260001", "--yes")

    receipt = json.loads((work / "receipt.json").read_text())

    assert sorted(receipt) == ["at", "candidate", "path", "release", "sha256"]
