"""What a power cut leaves of the record, of hand-ins and of results.

The programs are the real ones; their writes are replayed up to a random moment.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from graded_toy import ID, gold, hand_in, seal_toy
from power_cuts import cuts, record

from lab_env.receive import Received, receive_folder
from lab_env.record import Record
from lab_env.release import open_release

CUTS = 200

# A grading holds the record open, so that an append does not copy the log each time.
WRITER = """
import sqlite3, sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from lab_env import record_store
from lab_env.record import Record

class Weaker(sqlite3.Connection):
    def execute(self, sql, *more):
        return super().execute(sql.replace("= FULL", "= {level}"), *more)

record_store.sqlite3.connect = partial(sqlite3.connect, factory=Weaker)
record = Record.open(Path(sys.argv[1]))
with record_store.reading(record.path) if {held} else nullcontext():
    for number in range(40):
        entry = record.append(
            "graded", candidate="c1", release="lab-r1", attempt=number + 1,
            body={{"sheet": {{"text": "x" * 700}}}}, key=f"k{{number}}",
        )
        print(entry.seq, entry.hash, flush=True)
"""
RECEIVE = """
import sys
from pathlib import Path
from lab_env.receive import receive_folder
from lab_env.release import open_release
release = open_release(Path({release!r}))
for each in receive_folder(Path(sys.argv[1]), release, Path({pile!r})):
    print(each.candidate, flush=True)
"""
SETTLE = """
import sys
from pathlib import Path
from lab_env import durable
if {careless}:
    durable.sync = lambda path: None
top = Path(sys.argv[1])
for name in "abcdef":
    final = top / "results" / name / "r"
    durable.make_folder(final.parent)
    fresh = final.with_name(".fresh")
    (fresh / "deliverables").mkdir(parents=True)
    (fresh / "deliverables" / "model").write_bytes(name.encode() * 3000)
    (fresh / "sheet.json").write_text(name * 3000)
    durable.settle(fresh, final)
    print(name, flush=True)
"""


def traces() -> bool:
    """Say whether strace may trace a program here."""
    command = ["strace", "-o", "/dev/null", "true"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


pytestmark = pytest.mark.skipif(
    not traces(), reason="needs strace, and a kernel that lets it trace (ptrace)"
)


def left(code: str, tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Yield what each cut leaves of what some code wrote; each is removed again."""
    folder = tmp_path / "top"
    folder.mkdir()
    calls = record(code, folder, tmp_path / "calls")
    places = tmp_path / "cuts"
    places.mkdir()
    for place, said in cuts(calls, folder, CUTS, places):
        yield place, said
        shutil.rmtree(place)


def lost_entries(place: Path, said: str) -> int:
    """Return how many acknowledged entries are missing; LabError if it is damaged."""
    # The last line may have been cut off while it was printed.
    lines = [line.split() for line in said.rpartition("\n")[0].splitlines()]
    promised = {int(seq): digest for seq, digest in lines}
    if not (place / "record.db").exists():
        return len(promised)
    kept = Record.open(place, create=False)
    assert kept.verify().ok
    found = {entry.seq: entry.hash for entry in kept.entries()}
    return len(promised.items() - found.items())


@pytest.mark.parametrize("held", [True, False])
def test_a_power_cut_loses_no_acknowledged_entry(tmp_path: Path, held: bool) -> None:
    """At every moment the record is whole, and holds all that was reported."""
    lost = [
        lost_entries(place, said)
        for place, said in left(WRITER.format(level="FULL", held=held), tmp_path)
    ]

    assert lost == [0] * CUTS


def test_a_weaker_record_would_lose_entries(tmp_path: Path) -> None:
    """The control: with synchronous=NORMAL the same replay finds losses."""
    code = WRITER.format(level="NORMAL", held=True)

    lost = [lost_entries(place, said) for place, said in left(code, tmp_path)]

    assert sum(map(bool, lost)) > CUTS / 4


def test_what_was_received_is_whole_after_a_power_cut(tmp_path: Path) -> None:
    """A hand-in that has its name has its content; the same pile can be taken again."""
    release = seal_toy(tmp_path / "course")
    for number in range(6):
        hand_in(tmp_path / "pile", f"c{number}", **gold())
    code = RECEIVE.format(release=str(release.folder), pile=str(tmp_path / "pile"))

    for place, said in left(code, tmp_path):
        kept = {path.parts[-2] for path in place.glob(f"received/{ID}/*/[!.]*")}
        assert {*said.split()} <= kept
        sealed = open_release(tmp_path / "course" / "sealed" / ID)
        again = list(receive_folder(place, sealed, tmp_path / "pile"))
        assert all(isinstance(each, Received) for each in again), again


def damaged(place: Path, said: str) -> bool:
    """Say whether a result was lost, or has its name and not its content."""
    names = {path.parts[-2] for path in place.glob("results/*/r")}
    whole = {
        name
        for name in names
        for text in [name * 3000]
        if _read(place / "results" / name / "r" / "sheet.json") == text
        and _read(place / "results" / name / "r" / "deliverables" / "model") == text
    }
    return names != whole or not {*said.split()} <= names


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.is_file() else ""


def test_a_result_appears_whole_after_a_power_cut(tmp_path: Path) -> None:
    """A result folder with its name has every file; one that was told of is there."""
    found = [damaged(*each) for each in left(SETTLE.format(careless=False), tmp_path)]

    assert not any(found)


def test_a_rename_alone_would_not_do(tmp_path: Path) -> None:
    """The control: without waiting for the disk the same replay finds damage."""
    found = [damaged(*each) for each in left(SETTLE.format(careless=True), tmp_path)]

    assert sum(found) > CUTS / 4
