"""The record: keys, read-only use, damage, many writers, kills."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

import lab_env
from lab_env.errors import LabError
from lab_env.record import Entry, Record

WRITER = """
import sys
from pathlib import Path
from lab_env.record import Record
record = Record.open(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    entry = record.append(
        "graded", candidate=sys.argv[2], release="lab-r1", attempt=number + 1,
        body={"sheet": {}}, key=f"{sys.argv[2]}-{number}",
    )
    print(entry.seq, entry.hash, flush=True)
"""


def writer(folder: Path, name: str, count: int) -> "subprocess.Popen[str]":
    """Start a process that appends and prints what was acknowledged."""
    command = [sys.executable, "-c", WRITER, str(folder), name, str(count)]
    home = Path(lab_env.__file__).parents[1]
    return subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE, text=True)


def add(record: Record, attempt: int = 1) -> Entry:
    """Append one entry."""
    fields: dict[str, Any] = {"candidate": "A", "release": "lab-r1", "attempt": attempt}
    return record.append("graded", **fields, body={"sheet": {}})


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Give up root's rights, for which every folder is writable."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_private_key_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """The private key file has mode 0600 and is made once."""
    record = Record.open(tmp_path)
    assert record.key_path.stat().st_mode & 0o777 == 0o600
    before = record.key_path.read_bytes()
    assert Record.open(tmp_path).key_path.read_bytes() == before
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"record.db", "record.key", "record.pub"}


def test_private_key_can_be_kept_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key may lie where an argument or LAB_RECORD_KEY says."""
    record = Record.open(tmp_path / "a", key_path=tmp_path / "usb.key")
    add(record)
    monkeypatch.setenv("LAB_RECORD_KEY", str(tmp_path / "usb.key"))
    other = Record.open(tmp_path / "b")
    add(other)
    assert other.fingerprint == record.fingerprint
    assert not (tmp_path / "a" / "record.key").exists()


def test_verifying_needs_the_public_key_alone(tmp_path: Path) -> None:
    """Without the private key the record is shown and verified, not appended to."""
    record = Record.open(tmp_path)
    add(record)
    record.key_path.unlink()
    for create in (True, False):
        reader = Record.open(tmp_path, create=create)
        assert reader.verify(record.head()).ok
        with pytest.raises(LabError, match="cannot be read as the record's private"):
            add(reader)
    assert not record.key_path.exists()


def test_verifying_works_in_a_folder_that_is_read_only() -> None:
    """An auditor verifies on a read-only disk, and appending says why it cannot."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        record = Record.open(folder)
        entry = add(record)
        assert record.verify().ok
        record.key_path.chmod(0o644)
        # A reader's leftovers would spare the next reader from needing its own.
        for leftover in folder.glob("record.db-*"):
            leftover.unlink()
        folder.chmod(0o555)
        with ordinary_user():
            reader = Record.open(folder)
            assert reader.verify(record.head()).ok
            assert list(reader.entries()) == [entry]
            with pytest.raises(LabError, match=r"record\.db cannot be used .*: it may"):
                add(reader)
        folder.chmod(0o755)


def test_lost_keys_are_not_replaced(tmp_path: Path) -> None:
    """A record that lost both keys gets no new ones, which would hide the loss."""
    record = Record.open(tmp_path)
    add(record)
    for name in ("record.key", "record.pub"):
        (tmp_path / name).unlink()
    with pytest.raises(LabError, match="put the key back or set LAB_RECORD_KEY"):
        Record.open(tmp_path)


def test_key_of_another_record_cannot_append(tmp_path: Path) -> None:
    """A wrong private key is noticed before anything is signed with it."""
    Record.open(tmp_path / "a")
    other = Record.open(tmp_path / "b")
    record = Record.open(tmp_path / "a", key_path=other.key_path)
    with pytest.raises(LabError, match=f"is the key {other.fingerprint}, but"):
        add(record)


@pytest.mark.parametrize("name", ["record.key", "record.pub"])
def test_damaged_key_file_is_named(tmp_path: Path, name: str) -> None:
    """A key file that holds no key is named with its path."""
    Record.open(tmp_path)
    (tmp_path / name).write_text("not a key")
    with pytest.raises(LabError, match=rf"{name} cannot be read as the record's p"):
        add(Record.open(tmp_path))


def test_missing_record_is_named(tmp_path: Path) -> None:
    """Opening without making says that there is no record."""
    with pytest.raises(LabError, match=r"no record in .*: record\.db is missing"):
        Record.open(tmp_path, create=False)


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A course folder that is a file is refused in one sentence."""
    (tmp_path / "course").write_text("")
    with pytest.raises(LabError, match="The record could not be made in"):
        Record.open(tmp_path / "course")


@pytest.mark.parametrize("content", ["nonsense", "empty", "half"])
def test_damaged_database_is_named(tmp_path: Path, content: str) -> None:
    """A file that is no database, empty or cut short is named with its path."""
    record = Record.open(tmp_path)
    for attempt in range(1, 40):
        add(record, attempt)
    whole = record.path.read_bytes()
    cuts = {"nonsense": b"not a database" * 99, "empty": b"", "half": whole[:8192]}
    record.path.write_bytes(cuts[content])
    sentence = rf"{record.path} cannot be used \(.*\): it is damaged or not a record"
    for use in (record.verify, record.head, lambda: add(record)):
        with pytest.raises(LabError, match=sentence):
            use()


def test_four_processes_keep_one_chain(tmp_path: Path) -> None:
    """Four processes that make and fill a record at once keep one linear chain."""
    running = [writer(tmp_path, name, 25) for name in "ABCD"]
    for process in running:
        process.communicate()
    assert [process.returncode for process in running] == [0] * 4
    record = Record.open(tmp_path, create=False)
    verification = record.verify()
    assert (verification.ok, verification.size) == (True, 100)
    assert len({entry.key for entry in record.entries()}) == 100


def test_threads_share_a_record(tmp_path: Path) -> None:
    """Threads of one process may append with the same record."""
    record = Record.open(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda attempt: add(record, attempt), range(1, 41)))
    assert record.verify().size == 40


def test_killed_writer_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """However often a writer is killed, what it acknowledged is there."""
    acknowledged: dict[int, str] = {}
    chance = random.Random(7)
    for turn in range(6):
        process = writer(tmp_path, f"turn{turn}", 100_000)
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(chance.randint(1, 60))]
        process.kill()
        lines += process.stdout.readlines()
        process.stdout.close()
        process.wait()
        whole = (line.split() for line in lines if line.endswith("\n"))
        acknowledged |= {int(seq): digest for seq, digest in whole}
    record = Record.open(tmp_path, create=False)
    assert record.verify().ok
    found = {entry.seq: entry.hash for entry in record.entries()}
    assert acknowledged.items() <= found.items()
    assert len(acknowledged) >= 6


def test_entries_still_in_the_log_are_copied_with_it(tmp_path: Path) -> None:
    """A copy taken after a kill holds every entry once its log is copied too."""
    process = writer(tmp_path / "a", "A", 100_000)
    assert process.stdout
    process.stdout.readline()
    process.kill()
    process.stdout.close()
    process.wait()
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    copy = Record.open(tmp_path / "b", create=False)
    assert copy.head() == Record.open(tmp_path / "a").head()
    assert copy.head().size > 0
