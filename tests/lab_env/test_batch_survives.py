"""What a pile survives: kills of every kind, two graders, a full or read-only disk."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from clusters import children, is_alive, until
from graded_toy import ID, gold, hand_in, seal_toy
from large_pile import QUICK, SHEET, hand_in_many, start_grading, write_sheet

from lab_env import desk
from lab_env.record import Record
from lab_env.release import Release, open_release

MANY = 200
FULL = """
set -eu
mount -t tmpfs -o size=200M tmpfs "$1"
cp -a "$2/." "$1/"
fill() { cat /dev/zero > "$1/ballast" 2>/dev/null || true; }
[ "$5" = first ] && fill "$1"
set +e
"${@:6}" "$1" "$3" > /dev/null &
if [ "$5" = later ]; then
  until grep -q graded "$1"/record.db-wal 2>/dev/null; do sleep 0.05; done
  fill "$1"
fi
wait $!
echo "first $?"
rm "$1/ballast"
"${@:6}" "$1" "$3" > /dev/null
echo "second $?"
cp "$1"/record.* "$4/"
"""
READ_ONLY = """
set -eu
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
set +e
"$2" -m lab_env.cli grade "$3" "$4" --course "$1" --no-gradebook --cold >&2
echo "first $?"
"""

own_mounts = pytest.mark.skipif(
    os.geteuid() != 0
    or subprocess.run(["unshare", "-m", "true"], check=False).returncode != 0,
    reason="needs root and mount namespaces: a small disk is mounted for the test",
)


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """Return a sealed toy release in a course of its own."""
    return seal_toy(tmp_path / "course")


def graded(course: Path) -> int:
    """Return how many marks the record has."""
    if not (course / "record.pub").is_file() or not (course / "record.db").is_file():
        return 0
    record = Record.open(course, create=False)
    return sum(1 for _ in record.entries(event="graded"))


def kill_a_job(grading: "subprocess.Popen[str]", chance: random.Random) -> None:
    """SIGKILL one job; the grading goes on, for a little while."""
    jobs = children(grading.pid)
    if jobs:
        with suppress(ProcessLookupError):
            os.kill(chance.choice(jobs), signal.SIGKILL)
    time.sleep(0.05)
    kill_it(grading)


def kill_it(grading: "subprocess.Popen[str]", *_: object) -> None:
    """SIGKILL the coordinator alone."""
    grading.kill()


def kill_all(grading: "subprocess.Popen[str]", *_: object) -> None:
    """SIGKILL the coordinator and everything that it started."""
    with suppress(ProcessLookupError):
        os.killpg(grading.pid, signal.SIGKILL)


def test_a_large_pile_survives_every_kill(tmp_path: Path, release: Release) -> None:
    """Killed six times at random moments, then done: each has one mark, and none two."""
    course, pile = tmp_path / "course", tmp_path / "pile"
    names = hand_in_many(pile, MANY)
    chance = random.Random(5)
    for turn in range(6):
        before = graded(course)
        grading = start_grading(course, pile, release)
        more = chance.randint(1, 20)
        until(lambda b=before, m=more: graded(course) >= b + m, 30)  # type: ignore[misc]
        kill = (kill_it, kill_all, kill_a_job)[turn % 3]
        jobs = children(grading.pid)
        kill(grading, chance)
        grading.communicate()
        assert until(lambda j=jobs: not any(map(is_alive, j)), 10)  # type: ignore[misc]

    grading = start_grading(course, pile, release)
    said, complaint = grading.communicate(timeout=120)

    assert grading.returncode == 0, complaint
    assert 0 < said.count("already graded") < MANY
    record = Record.open(course, create=False)
    assert record.verify().ok
    counted = Counter((entry.candidate, entry.event) for entry in record.entries())
    wanted = {(name, event) for name in names for event in ("received", "graded")}
    assert counted == dict.fromkeys(wanted, 1)
    given = {e.body["sheet"]["machine_given"] for e in record.entries(event="graded")}
    assert given == {8}
    results = [*(course / "results" / ID).glob("*/*/sheet.json")]
    assert len(results) == MANY
    assert not [*(course / "results").glob("**/.*")]
    assert all(
        (course / "feedback" / name / ID / "sheet.json").is_file() for name in names
    )


def test_the_second_of_two_graders_stops_at_once(
    tmp_path: Path, release: Release
) -> None:
    """It names the process that is at work; the first one is not disturbed."""
    course, pile = tmp_path / "course", tmp_path / "pile"
    hand_in_many(pile, 40)
    first = start_grading(course, pile, release)
    assert until(lambda: graded(course) > 0, 30)

    second = start_grading(course, pile, release)

    assert second.communicate()[1].strip() == (
        f"Another grading (process {first.pid}) is at work in {course}; "
        "wait until it has ended, then start again."
    )
    assert first.communicate()[0].count(" graded") == 40
    with desk.only_grader(course):
        assert Record.open(course).verify().size == 80


@own_mounts
@pytest.mark.parametrize("when", ["first", "later"])
def test_a_full_disk_is_said_and_then_the_pile_goes_on(
    tmp_path: Path, release: Release, when: str
) -> None:
    """One sentence and no mark; with room again every hand-in has its mark, once."""
    names = hand_in_many(tmp_path / "pile", 30)
    for name in ("disk", "kept"):
        (tmp_path / name).mkdir()
    places = [tmp_path / name for name in ("disk", "course", "pile", "kept")]

    done = in_own_mounts(FULL, *places, when, *through_the_door(tmp_path / "course"))

    assert done.stdout.split() == ["first", "2", "second", "0"], done
    sentence = done.stderr.splitlines()[0]
    assert "the disk is full; make room" in sentence
    record = Record.open(tmp_path / "kept", create=False)
    assert record.verify().ok
    counted = Counter((entry.candidate, entry.event) for entry in record.entries())
    wanted = {(name, event) for name in names for event in ("received", "graded")}
    assert counted == dict.fromkeys(wanted, 1)


def through_the_door(course: Path) -> list[object]:
    """Return a command like lab grade, with quick jobs; course and pile are to come."""
    write_sheet(course, open_release(course / "sealed" / ID))
    door = (
        "import sys; from lab_env import cli, start_jobs; course, pile = sys.argv[2:];"
        f"command = [sys.executable, '-I', '-S', {str(QUICK)!r}, course + '/{SHEET}'];"
        "start_jobs.cold_command = lambda job: [*command, str(job)];"
        "options = ['--course', course, '--cold', '--no-gradebook'];"
        "sys.exit(cli.run(['grade', sys.argv[1], pile, *options]))"
    )
    return [sys.executable, "-c", door, ID]


@own_mounts
def test_a_read_only_course_is_said(tmp_path: Path, release: Release) -> None:
    """A course that cannot be written is one sentence, and nothing is tried."""
    hand_in(tmp_path / "pile", "good", **gold())

    words = (tmp_path / "course", sys.executable, ID, tmp_path / "pile")
    done = in_own_mounts(READ_ONLY, *words)

    assert done.stdout.split() == ["first", "2"]
    assert done.stderr.count("\n") == 1
    assert "it lies on a read-only disk; choose another place" in done.stderr


def in_own_mounts(script: str, *words: object) -> "subprocess.CompletedProcess[str]":
    """Run a script whose mounts nobody else sees."""
    return subprocess.run(
        ["unshare", "-m", "bash", "-c", script, "test", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
