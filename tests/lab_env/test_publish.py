"""Publishing: what comes out, which gate refuses what, and that a refusal leaves nothing."""

import json
import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from published_toy import (
    EN,
    TOY,
    ZH,
    change,
    content_of,
    copy_of_toy,
    graded_before,
    published,
)

from lab_env import gradebook, publish
from lab_env.assemble import draft_release
from lab_env.errors import BrokenError, GateError, LabError, NotFoundError
from lab_env.files import hashes
from lab_env.publish import publish_content
from lab_env.release import check_seal, find_release, load_checks, releases


def left_behind(course: Path) -> set[str]:
    """Return what of a release there is in a course, on disk or in the gradebook."""
    kinds = ("source", "release", "sealed")
    names = {path.name for kind in kinds for path in (course / kind).glob("*")}
    names |= {path.name for path in course.glob(".publish-*")}
    if (course / "gradebook.db").exists():
        names |= set(gradebook.assignments(course))
    return names


def refused(folder: Path, toy: Path, sentence: str) -> None:
    """Publish a faulty toy: it is refused with this sentence and leaves nothing."""
    course = graded_before(folder)
    with pytest.raises(LabError, match=sentence):
        publish_content(course, content_of(toy))
    assert left_behind(course) == set()


def test_published_release_is_whole_and_sealed(tmp_path: Path) -> None:
    """Both languages are there, sealed, equal in release/ and in the sealed copy."""
    course = published(tmp_path)
    assert [release.id for release in releases(course)] == [EN, ZH]
    for release in releases(course):
        check_seal(release)
        assert hashes(course / "release" / release.id) == hashes(release.released)
        assert release.lab.name == "toy_lab"
        assert [check.code for check in load_checks(release.grader)][-1] == "J1"
        assert (release.folder / "lock.txt").read_text("utf-8").strip()


def test_trainees_get_the_released_files(tmp_path: Path) -> None:
    """Notebook, data, guideline, public scenario, facts and open rows; nothing else."""
    release = find_release(published(tmp_path), ZH)
    names = {"toy_lab.ipynb", "guideline.md", "scenario.toml", "rows.py"}
    names |= {f"data/{split}.csv" for split in ("train", "validation", "test")}
    files = hashes(release.released)
    assert set(files) == names | {"data/heldout.csv", "release.json"}
    facts = json.loads((release.released / "release.json").read_text("utf-8"))
    assert facts["files"] == {
        name: value for name, value in files.items() if name != "release.json"
    }
    assert (facts["release"], facts["mode"], facts["number"]) == (ZH, "practice", 1)
    scenario = tomllib.loads((release.released / "scenario.toml").read_text("utf-8"))
    assert "recipe" not in scenario
    assert "recipe" in release.scenario.facts


def test_a_lab_gets_its_own_data_and_not_those_of_others(tmp_path: Path) -> None:
    """A folder of data named as a lab goes to that lab alone, straight into data/."""
    toy = copy_of_toy(tmp_path)
    for part, lab in (("en", "toy_lab"), ("shared", "finetuning_classifier")):
        folder = toy / "scenario" / "data" / part / lab
        folder.mkdir(parents=True)
        (folder / f"for_{lab}.txt").write_text("given", encoding="utf-8")
    draft = draft_release(tmp_path / "draft", content_of(toy), "en", 1, exam=False)
    given = {path.name for path in (draft.released / "data").iterdir()}
    assert given == {"for_toy_lab.txt"} | {
        f"{name}.csv" for name in ("train", "validation", "test", "heldout")
    }


def test_manifest_says_what_the_gates_saw(tmp_path: Path) -> None:
    """The manifest keeps versions and, for each trial, the rows that were lost."""
    manifest = find_release(published(tmp_path), EN).manifest
    assert manifest["gates"]["gold (en)"]["lost"] == []
    assert manifest["gates"]["untouched (en)"]["machine_given"] == 0
    assert manifest["gates"]["one_label_for_all (en)"]["lost"] == ["M3"]
    assert manifest["packages"]["nbgrader"] == "0.9.6"


def test_unchanged_content_is_published_again_without_grading(tmp_path: Path) -> None:
    """The next number is taken, and every gate result of before is reused."""
    course = published(tmp_path)
    said: list[str] = []
    made = publish_content(course, content_of(TOY), progress=said.append)
    assert {release.number for release in made} == {2}
    assert len(said) == 7
    assert all("graded before" in line for line in said[1:])
    assert made[0].manifest["gates"]["gold (zh)"]["reused"] is True


def test_exam_release_has_no_rows_to_try(tmp_path: Path) -> None:
    """In an exam the notebook confirms files only: no open rows leave."""
    course = tmp_path / "course"
    content = content_of(TOY)
    with publish._draft_folder(course) as draft:
        release = publish.draft_release(draft, content, "en", 1, exam=True)
        facts = json.loads((release.released / "release.json").read_text("utf-8"))
        assert facts["mode"] == "exam"
        assert not (release.released / "rows.py").exists()


def test_exam_key_comes_from_outside(tmp_path: Path) -> None:
    """A key folder without the language is named; no lab or scenario is guessed."""
    toy = content_of(TOY)
    outside = publish.Content(toy.lab, toy.scenario, toy.folder, tmp_path)
    with pytest.raises(LabError, match="a key has one folder for each language"):
        publish_content(tmp_path / "course", outside)
    with pytest.raises(NotFoundError, match='No scenario "toy"'):
        publish.publish(tmp_path / "course", "toy", "toy")


@pytest.mark.parametrize(
    ("path", "old", "new", "sentence"),
    [
        (
            "lab/lab.py",
            "About {{ lab.minutes }}",
            "message_count = len(train). About {{ lab.minutes }}",
            'holds a line of the solution of "answer-count"',
        ),
        (
            "scenario/key/en/heldout.csv",
            "toy-en-900",
            "toy-en-999",
            "toy-en-900 is only in the released inputs",
        ),
        (
            "lab/mistakes.py",
            '("M3",)',
            '("J1",)',
            'names the row "J1"; expected at least one row that the machine marks',
        ),
        (
            "lab/mistakes.py",
            '("M3",),',
            '("M3",), until="count",',
            'stops at "count" and row M3 was not attempted',
        ),
        (
            "lab/lab.py",
            'lang="en" answer="why"',
            'lang="en" answer="whi"',
            "equal in a pair",
        ),
        (
            "lab/mistakes.py",
            "len(train[0])",
            "len(train) + 0",
            r"counts_the_columns .\w\w. mistake came out as M1 passed, 2 of 2 points",
        ),
        (
            "lab/lab.py",
            "message_count = len(train)",
            "message_count = len(train) - 1",
            r"gold .\w\w. work came out as M1 failed, 0 of 2 points .actual 5; nominal 6",
        ),
        (
            "lab/grader.py",
            'counts = submission.read_json("counts.json", {"messages": int})',
            'counts = {"messages": 6}',
            r"untouched .\w\w. release came out as M1 passed, 2 of 2",
        ),
        (
            "lab/grader.py",
            "key = hidden_labels(submission)",
            "key = hidden_labels(submission)[0]",
            "broke row M3 broken, no points .actual KeyError: 0",
        ),
    ],
)
def test_faulty_content_is_refused_and_leaves_nothing(
    tmp_path: Path, path: str, old: str, new: str, sentence: str
) -> None:
    """Each planted fault meets its gate, which says what it saw and expected."""
    toy = copy_of_toy(tmp_path)
    change(toy / path, old, new)
    refused(tmp_path, toy, sentence)


@pytest.mark.parametrize("fault", [KeyboardInterrupt, BrokenError])
@pytest.mark.parametrize("step", ["check_tried", "generate_release", "_rename"])
def test_publish_that_stops_leaves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    fault: type[BaseException],
) -> None:
    """Ctrl-C or an error, in the gates or halfway through moving in, is undone."""
    course = graded_before(tmp_path)
    real = getattr(publish, step)
    calls: list[object] = []

    def stop(*arguments: object) -> object:
        calls.append(arguments)
        # The second one: by then the first language is in place.
        if len(calls) == 2:
            raise fault
        return real(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(publish, step, stop)
        with pytest.raises(fault):
            publish_content(course, content_of(TOY))
    assert left_behind(course) == set()


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from published_toy import TOY, content_of
from lab_env import publish
real, calls = publish._rename, []
def rename(*arguments):
    calls.append(arguments)
    if len(calls) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    real(*arguments)
publish._rename = rename
publish.publish_content(Path(sys.argv[1]), content_of(TOY))
"""


def test_killed_publish_uses_no_number(tmp_path: Path) -> None:
    """After a kill with one language in place the next publish clears up first."""
    course = graded_before(tmp_path)
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", KILLED, str(course), here]
    done = subprocess.run(command, env=dict(os.environ), capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert {ZH, EN} <= left_behind(course)
    made = publish_content(course, content_of(TOY))
    assert [release.id for release in made] == [ZH, EN]
    assert left_behind(course) == {ZH, EN}


def test_two_publishes_at_once_are_refused(tmp_path: Path) -> None:
    """The second one is told to wait, and does not touch the first one's draft."""
    course = tmp_path / "course"
    with publish._draft_folder(course) as draft:
        with pytest.raises(LabError, match="Another lab publish is at work"):
            publish_content(course, content_of(TOY))
        assert draft.is_dir()


def test_gate_refusal_exits_with_one() -> None:
    """A refusal is not the user's typing: its exit code is 1."""
    assert GateError("refused").exit_code == 1
