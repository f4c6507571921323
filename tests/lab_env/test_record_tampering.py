"""The record: every change made behind its back is found and the first one named."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from lab_env import signing
from lab_env.errors import LabError
from lab_env.record import Head, Record

COLUMNS = (
    *("seq", "event", "candidate", "release", "attempt"),
    *("at", "key", "body", "prev", "hash", "signature"),
)
SIZE = 6


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """A record of six entries; tests change copies of it."""
    record = Record.open(tmp_path_factory.mktemp("honest"))
    for number in range(1, SIZE + 1):
        fields: dict[str, Any] = {
            "candidate": "A",
            "release": "lab-r1",
            "attempt": number,
        }
        body = {"sheet": {"total_given": 50 + number}}
        record.append("graded", **fields, body=body, key=f"job-{number}")
    return record


@contextmanager
def copy_of(honest: Record) -> Iterator[Record]:
    """Give a copy without the private key."""
    with TemporaryDirectory() as folder:
        for name in ("record.db", "record.pub"):
            shutil.copy(honest.folder / name, folder)
        yield Record.open(Path(folder), create=False)


def change(record: Record, *statements: str) -> None:
    """Run statements in the database with its triggers dropped."""
    with closing(sqlite3.connect(record.path, isolation_level=None)) as database:
        for name in ("change", "go", "replaced"):
            database.execute(f"DROP TRIGGER entries_never_{name}")
        for statement in statements:
            database.execute(statement)


def bad_seq(record: Record, head: Head | None = None) -> int | None:
    """Return the number of the first bad entry."""
    bad = record.verify(head).bad
    return bad.seq if bad else None


values = st.integers(-(2**40), 2**40) | st.text() | st.binary() | st.none()


# Health checks measure the machine's load here, not the strategy.
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@example(seq=3, column="seq", value="0")
@given(seq=st.integers(1, SIZE), column=st.sampled_from(COLUMNS), value=values)
def test_any_edited_field_is_found(
    honest: Record, seq: int, column: str, value: int | str | bytes | None
) -> None:
    """Whatever field of whatever entry is edited, that entry is named."""
    query = f"SELECT {column} FROM entries WHERE seq = ?"
    edit = f"UPDATE entries SET {column} = ? WHERE seq = ?"
    with copy_of(honest) as record:
        change(record)
        with closing(sqlite3.connect(record.path, isolation_level=None)) as database:
            (before,) = database.execute(query, (seq,)).fetchone()
            try:
                database.execute(edit, (value, seq))
            except (sqlite3.IntegrityError, UnicodeEncodeError):
                assume(False)
            left = database.execute(query, (seq,)).fetchone()
            (lowest,) = database.execute("SELECT min(seq) FROM entries").fetchone()
        assume(left != (before,))
        # An entry renumbered to 0 or below comes first and is named by that number.
        assert bad_seq(record) == (lowest if lowest < 1 else seq)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_flipped_byte_is_found_or_harmless(
    honest: Record, data: st.DataObject
) -> None:
    """A flipped byte of the file is found, or leaves every entry as it was."""
    with copy_of(honest) as record:
        content = bytearray(record.path.read_bytes())
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= data.draw(st.integers(1, 255))
        record.path.write_bytes(content)
        try:
            found = record.verify(honest.head())
        except LabError:
            return
        assert not found.ok or list(record.entries()) == list(honest.entries())


@pytest.mark.parametrize("seq", range(1, SIZE))
def test_deleted_entry_is_found(honest: Record, seq: int) -> None:
    """An entry deleted before the last one leaves a gap that is named."""
    with copy_of(honest) as record:
        change(record, f"DELETE FROM entries WHERE seq = {seq}")
        assert bad_seq(record) == seq


def test_deleted_entry_is_found_after_renumbering(honest: Record) -> None:
    """Closing the gap does not hide a deleted entry."""
    with copy_of(honest) as record:
        shift = "UPDATE entries SET seq = seq - 1 WHERE seq > 3"
        change(record, "DELETE FROM entries WHERE seq = 3", shift)
        bad = record.verify().bad
        assert bad
        assert bad.seq == 3
        assert "as the hash before it" in bad.reason


def test_swapped_entries_are_found(honest: Record) -> None:
    """Of two entries that changed places the first is named."""
    with copy_of(honest) as record:
        moves = ((2, 99), (5, 2), (99, 5))
        change(record, *(f"UPDATE entries SET seq={b} WHERE seq={a}" for a, b in moves))
        assert bad_seq(record) == 2


def test_cut_tail_is_found_with_a_checkpoint_alone(honest: Record) -> None:
    """A cut-off tail is a good chain, until a checkpoint says how long it was."""
    with copy_of(honest) as record:
        change(record, "DELETE FROM entries WHERE seq > 4")
        assert record.verify().ok
        bad = record.verify(Head.parse(str(honest.head()))).bad
        assert bad
        assert (bad.seq, bad.reason) == (
            5,
            "Entries 5 to 6 are missing: the checkpoint counts 6 entries, "
            "the record ends after 4.",
        )


def test_earlier_checkpoint_holds_for_a_longer_record(honest: Record) -> None:
    """A checkpoint made in the middle is met on the way."""
    fourth = list(honest.entries())[3]
    assert honest.verify(Head(4, fourth.hash)).ok


def test_rewritten_record_is_found_with_a_checkpoint(
    honest: Record, tmp_path: Path
) -> None:
    """Even the holder of the key cannot rewrite what a checkpoint has seen."""
    shutil.copy(honest.key_path, tmp_path / "record.key")
    record = Record.open(tmp_path)
    for attempt in range(1, SIZE + 1):
        fields: dict[str, Any] = {
            "candidate": "A",
            "release": "lab-r1",
            "attempt": attempt,
        }
        record.append("graded", **fields, body={"sheet": {"total_given": 100}})
    assert record.verify().ok
    bad = record.verify(honest.head()).bad
    assert bad
    assert bad.seq == SIZE
    assert "was written anew after the checkpoint" in bad.reason


def test_entries_signed_with_another_key_are_refused(
    honest: Record, tmp_path: Path
) -> None:
    """A chain that is right in itself fails when another key signed it."""
    stranger = Record.open(tmp_path)
    fields: dict[str, Any] = {"candidate": "A", "release": "lab-r1", "attempt": 1}
    stranger.append("graded", **fields, body={})
    with copy_of(honest) as record:
        shutil.copy(stranger.path, record.path)
        bad = record.verify().bad
        assert bad
        expected = f"Entry 1 was not signed by the key {honest.fingerprint}."
        assert (bad.seq, bad.reason) == (1, expected)


def test_body_that_is_not_canonical_is_refused(honest: Record) -> None:
    """Even rightly signed, a body in another spelling is refused."""
    private = signing.read_private(honest.key_path)
    with copy_of(honest) as record:
        (row, *_) = (vars(entry) for entry in record.entries())
        row |= {"body": '{"points": 1.0}'}
        digest = signing.entry_hash(row)
        signature = private.sign(bytes.fromhex(digest)).hex()
        columns = f"body = '{row['body']}', hash = '{digest}', signature"
        cut = "DELETE FROM entries WHERE seq > 1"
        change(record, cut, f"UPDATE entries SET {columns} = x'{signature}'")
        bad = record.verify().bad
        assert bad
        assert bad.reason.startswith("Entry 1 holds a body that is not canonical JSON")
        with pytest.raises(LabError, match="Entry 1 of the record was damaged"):
            list(record.entries())


def test_forged_checkpoint_is_told_from_a_cut_record(
    honest: Record, tmp_path: Path
) -> None:
    """A checkpoint signed with another key accuses nobody."""
    stranger = Record.open(tmp_path)
    fields: dict[str, Any] = {"candidate": "A", "release": "lab-r1", "attempt": 1}
    stranger.append("graded", **fields, body={})
    with pytest.raises(LabError, match="was not signed by the key"):
        honest.verify(stranger.head())
