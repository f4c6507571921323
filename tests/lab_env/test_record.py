"""The record: appending, finding, refusing, reading back."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab_env.errors import LabError
from lab_env.record import EVENTS, Entry, Head, Record

RELEASE = "finetuning_classifier-customer_service-zh-r3"


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """A new record."""
    return Record.open(tmp_path / "course")


def add(record: Record, event: str = "graded", **changes: Any) -> Entry:
    """Append one entry that is right except for the changes."""
    fields: dict[str, Any] = {
        "candidate": "考生-01",
        "release": RELEASE,
        "attempt": 1,
        "body": {},
    }
    return record.append(event, **(fields | changes))


def test_entry_reads_back_as_it_was_appended(record: Record) -> None:
    """An entry reads back with the same body, time and numbers."""
    body = {"sheet": {"total_given": 82.5, "title": "客服"}, "log": [1, 2.0, None]}
    entry = add(record, body=body, at="2026-11-23T01:30:00Z", key="job-1")
    assert list(record.entries()) == [entry]
    assert (entry.seq, entry.body, entry.at) == (1, body, "2026-11-23T01:30:00Z")


def test_time_is_taken_from_the_clock_in_utc(record: Record) -> None:
    """Without a time, the entry holds the present in UTC."""
    at = datetime.fromisoformat(add(record).at)
    assert abs((datetime.now(UTC) - at).total_seconds()) < 60


def test_entries_are_filtered_by_all_that_is_given(record: Record) -> None:
    """Entries match candidate, release and event together."""
    add(record, "received")
    wanted = add(record, "graded")
    add(record, "graded", candidate="B")
    found = record.entries(candidate="考生-01", release=RELEASE, event="graded")
    assert list(found) == [wanted]


def test_latest_is_the_last_entry_with_a_mark_sheet(record: Record) -> None:
    """The latest entry is the last that holds a mark sheet, not a later event."""
    add(record, "graded", body={"sheet": {"total_given": 50}})
    marked = add(record, "marked", body={"sheet": {"total_given": 61}})
    add(record, "broken", attempt=2, body={"run": "7f3a"})
    assert record.latest("考生-01", RELEASE) == marked
    assert record.latest("nobody", RELEASE) is None


def test_attempts_are_counted_for_each_candidate_and_release(record: Record) -> None:
    """The next attempt is one more than the highest attempt seen."""
    assert record.next_attempt("考生-01", RELEASE) == 1
    add(record, "received", attempt=4)
    assert record.next_attempt("考生-01", RELEASE) == 5
    assert record.next_attempt("考生-01", "another-r1") == 1


def test_same_key_appends_once(record: Record) -> None:
    """A repeated job gets the first entry back and doubles nothing."""
    first = add(record, key="job-1", body={"sheet": {"total_given": 60}})
    again = add(record, key="job-1", body={"sheet": {"total_given": 99}})
    assert again == first == record.find("job-1")
    assert record.head().size == 1
    assert record.find("job-2") is None


def test_key_of_another_candidate_is_refused(record: Record) -> None:
    """A key never hands one candidate's entry to another."""
    add(record, key="job-1")
    with pytest.raises(LabError, match=r'"job-1" already names entry 1.*not B;'):
        add(record, key="job-1", candidate="B")
    assert record.head().size == 1


def test_triggers_forbid_every_change(record: Record) -> None:
    """The database itself refuses to change, delete or replace an entry."""
    add(record, key="job-1")
    row = "2, 'graded', 'B', 'r', 1, '', 'job-1', '{}', '', '', x''"
    statements = [
        "UPDATE entries SET attempt = 2",
        "DELETE FROM entries",
        "INSERT OR REPLACE INTO entries SELECT * FROM entries",
        f"INSERT OR REPLACE INTO entries VALUES ({row})",
    ]
    database = sqlite3.connect(record.path)
    for statement in statements:
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            database.execute(statement)
    database.close()
    assert record.verify().ok


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_points_that_are_no_number_are_refused(record: Record, value: float) -> None:
    """NaN and infinity are refused in one sentence and nothing is recorded."""
    with pytest.raises(LabError, match=r"cannot be written as JSON \((nan|-?inf) is"):
        add(record, body={"sheet": {"total_given": value}})
    assert record.head() == Head(0, "0" * 64)


@pytest.mark.parametrize("value", [{1}, 2**60, {1: "x"}, "\ud800", {"\ud800": 1}])
def test_bodies_that_are_no_json_are_refused(record: Record, value: object) -> None:
    """What JSON cannot hold exactly is refused in one sentence."""
    with pytest.raises(LabError, match='The entry "graded" of candidate 考生-01'):
        add(record, body={"value": value})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"event": "deleted"}, 'knows no event "deleted"; it knows received, graded'),
        ({"release": "r\n1"}, r"The release 'r\\n1' should be 1 to 200 printable"),
        ({"key": ""}, "The key '' should be 1 to 200 printable"),
        ({"attempt": 0}, "The attempt is 0; attempts are counted from 1"),
        ({"at": "yesterday"}, 'The time "yesterday" should be ISO 8601 in UTC'),
        ({"at": "2026-11-23T09:30:00+08:00"}, r"\+08:00\" should be ISO 8601 in UTC"),
        ({"at": "2026-11-23"}, 'The time "2026-11-23" should be ISO 8601 in UTC'),
    ],
)
def test_wrong_fields_are_refused(
    record: Record, changes: dict[str, Any], sentence: str
) -> None:
    """Every wrong field is refused with its value in the sentence."""
    with pytest.raises(LabError, match=sentence):
        add(record, **changes)


@pytest.mark.parametrize("name", ["20261123001", "考生甲", "བསྟན", "a.b-c_d", "x" * 64])
def test_exam_numbers_and_pseudonyms_are_taken(record: Record, name: str) -> None:
    """Letters of any script, digits, hyphen, underscore and dot are taken."""
    assert add(record, candidate=name).candidate == name


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "a b", "x" * 65, "a\n", "a'"])
def test_other_names_are_refused(record: Record, name: str) -> None:
    """Anything else is refused and the sentence asks for the exam number."""
    with pytest.raises(LabError, match=r"should be 1 to 64 letters.*exam number"):
        add(record, candidate=name)


@pytest.mark.parametrize(
    "name",
    ["li.lei@example.com", "li＠example", "11010519491231002X", "11010519491231002x",
     "ID-11010519491231002X", "１１０１０５１９４９１２３１００２X"],
)  # fmt: skip
def test_personal_data_are_refused_and_not_repeated(record: Record, name: str) -> None:
    """An e-mail address or identity number is refused without showing it."""
    with pytest.raises(LabError, match="no personal data; use the exam number") as seen:
        add(record, candidate=name)
    assert name not in str(seen.value)


def test_eighteen_digits_with_a_wrong_checksum_are_an_exam_number(
    record: Record,
) -> None:
    """An 18-digit exam number is not taken for an identity number."""
    assert add(record, candidate="110105194912310021").seq == 1


def test_full_width_digits_are_refused_with_the_plain_form(record: Record) -> None:
    """An input method's full-width digits cannot make a second candidate."""
    with pytest.raises(LabError, match='write "123", so that one person'):
        add(record, candidate="１２３")


def test_head_survives_printing(record: Record) -> None:
    """A head that was printed reads back the same, with and without signature."""
    add(record)
    head = record.head()
    assert Head.parse(f" {head}\n") == head
    assert Head.parse(f"1:{head.hash}") == Head(1, head.hash)


@pytest.mark.parametrize("text", ["", "12", "x:" + "0" * 64, "1:abcd", "1:zz"])
def test_miscopied_head_is_refused(text: str) -> None:
    """A checkpoint that was copied wrongly is refused in one sentence."""
    with pytest.raises(LabError, match="is not a checkpoint: it should read SIZE:HASH"):
        Head.parse(text)


bodies = st.recursive(
    st.none() | st.booleans() | st.text() | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
steps = st.tuples(
    st.sampled_from(EVENTS),
    st.sampled_from(["A", "考生"]),
    st.none() | st.sampled_from(["k1", "k2", "k3"]),
    st.dictionaries(st.text(), bodies),
)


# Health checks measure the machine's load here, not the strategy.
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(steps, max_size=6))
def test_any_sequence_of_appends_verifies(sequence: list[Any]) -> None:
    """Whatever is appended verifies and reads back, and refusals leave no trace."""
    with TemporaryDirectory() as folder:
        record = Record.open(Path(folder))
        written: dict[int, Entry] = {}
        for event, candidate, key, body in sequence:
            try:
                entry = add(record, event, candidate=candidate, key=key, body=body)
                written[entry.seq] = entry
            except LabError:
                continue
        assert list(record.entries()) == list(written.values())
        verification = record.verify(record.head())
        assert (verification.ok, verification.size) == (True, len(written))
        assert verification.head == record.head().hash
