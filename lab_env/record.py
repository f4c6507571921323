"""The practical-exam record: an append-only, signed list of what happened.

Each entry names the hash of the one before and is signed (`lab_env.signing` says what
that covers and what it does not). The events:

- received: a submission was taken in;
- graded, marked, regraded: a mark sheet was made, by machine, by hand, or once more;
- broken: our machinery failed and a person must decide;
- appeal: reserved, nothing writes it yet.

An entry is never changed: a correction is a new entry. `append` returns only when the
entry is on disk. The database's own triggers forbid changes by mistake; changes on
purpose, with the triggers dropped, are found by `Record.verify`.

No personal data belongs here: a candidate is an exam number or a pseudonym.
"""

import csv
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from lab_env import record_store, signing
from lab_env.candidate import check_candidate
from lab_env.errors import LabError
from lab_env.signing import BadEntry, Head, Verification

__all__ = [
    "EVENTS",
    "BadEntry",
    "Entry",
    "Head",
    "Record",
    "Verification",
    "check_candidate",
    "export_csv",
    "holds_sheet",
]

EVENTS = ("received", "graded", "marked", "regraded", "broken", "appeal")
_FIELDS = (*signing.HASHED, "hash", "signature")
# By name, so that a damaged or foreign table is refused and not misread.
_SELECT = f"SELECT {', '.join(_FIELDS)} FROM entries"
_INSERT = (
    f"INSERT INTO entries ({', '.join(_FIELDS)})"
    f" VALUES ({', '.join(f':{name}' for name in _FIELDS)})"
)
_COLUMNS = (
    *("准考证号 candidate", "试卷版本 release", "次数 attempt", "结论 outcome"),
    *("细则编号 row", "配分 points", "评分细则描述 sentence", "规定或标称值 nominal"),
    *("结果或实际值 actual", "得分 given", "评分人 marked by", "时间 at"),
)
# Full-width signs too: a Chinese Excel takes them as the start of a formula.
_FORMULA = re.compile(r"[\s\0\ufeff]*[=+\-@＝＋－＠]|[\t\r\n]")


@dataclass(frozen=True)
class Entry:
    """One event; `body` is what was recorded about it."""

    seq: int
    event: str
    candidate: str
    release: str
    attempt: int
    at: str
    key: str | None
    body: Mapping[str, Any]
    prev: str
    hash: str
    signature: bytes


@dataclass(frozen=True)
class Record:
    """The record of one course folder; every call opens the database anew.

    So a record may be shared by threads and forks, and has nothing to close.
    """

    folder: Path
    key_path: Path
    public: Ed25519PublicKey

    @classmethod
    def open(
        cls, folder: Path, create: bool = True, *, key_path: Path | None = None
    ) -> "Record":
        """Open the record of a course folder, with `create` making what is missing.

        The private key lies at `key_path`, else where LAB_RECORD_KEY says, else in
        the folder. It is needed to append, and not to show or verify.
        """
        kept = os.environ.get("LAB_RECORD_KEY") or folder / "record.key"
        key_path = Path(key_path or kept)
        if create:
            _make_missing(folder, key_path)
        if not (folder / "record.db").exists():
            raise LabError(
                f"There is no record in {folder}: record.db is missing; "
                "name the course folder that holds it."
            )
        return cls(folder, key_path, signing.read_public(folder / "record.pub"))

    @property
    def path(self) -> Path:
        """The database."""
        return self.folder / "record.db"

    @property
    def fingerprint(self) -> str:
        """What names the public key; an auditor compares it with the printed one."""
        return signing.fingerprint(self.public)

    def append(
        self,
        event: str,
        *,
        candidate: str,
        release: str,
        attempt: int,
        body: Mapping[str, Any],
        key: str | None = None,
        at: str | None = None,
    ) -> Entry:
        """Write one entry to disk and return it.

        When `key` was used before, return its entry and write nothing, so that a
        job that was killed and repeated never doubles a mark.
        """
        fields = {
            "event": _check_event(event),
            "candidate": check_candidate(candidate),
            "release": _check_label("release", release),
            "attempt": _check_attempt(attempt),
            "at": _check_time(at),
            "key": None if key is None else _check_label("key", key),
            "body": _body_text(event, candidate, body),
        }
        private = self._private()
        with record_store.writing(self.path) as database:
            known = _row_of_key(database, key) if key else None
            row = known or _insert(database, fields, private)
        return self._same(_entry(row), fields)

    def entries(
        self,
        *,
        candidate: str | None = None,
        release: str | None = None,
        event: str | None = None,
    ) -> Iterator[Entry]:
        """Yield the entries, oldest first, that match everything that is given."""
        wanted = {"candidate": candidate, "release": release, "event": event}
        given = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join(f"{name} = :{name}" for name in given) or "1"
        query = f"{_SELECT} WHERE {where} ORDER BY seq"
        with record_store.reading(self.path) as database:
            yield from map(_entry, database.execute(query, given))

    def latest(self, candidate: str, release: str) -> Entry | None:
        """Return the last entry that holds a mark sheet of this candidate."""
        found = self.entries(candidate=candidate, release=release)
        sheets = [entry for entry in found if holds_sheet(entry)]
        return sheets[-1] if sheets else None

    def find(self, key: str) -> Entry | None:
        """Return the entry that was appended with this key."""
        with record_store.reading(self.path) as database:
            row = _row_of_key(database, key)
        return _entry(row) if row else None

    def head(self) -> Head:
        """Return size, hash and signature of the last entry, to be kept elsewhere."""
        with record_store.reading(self.path) as database:
            return _head(database)

    def verify(self, head: Head | None = None) -> Verification:
        """Check every entry with the public key and name the first bad one.

        Without `head` a cut-off tail cannot be found: a shorter chain is a good
        chain. So print a head after each batch and verify against it.
        """
        if head and head.signature and not self._signed(head):
            raise LabError(
                f"The checkpoint {head.size}:{head.hash} was not signed by the key "
                f"{self.fingerprint} of {self.path}; take the one of this record."
            )
        with record_store.reading(self.path) as database:
            rows = database.execute(f"{_SELECT} ORDER BY seq")
            return signing.verify_chain(rows, self.public, head)

    def next_attempt(self, candidate: str, release: str) -> int:
        """Return the number that follows this candidate's last attempt; 1 at first."""
        query = "SELECT max(attempt) FROM entries WHERE candidate = ? AND release = ?"
        with record_store.reading(self.path) as database:
            (last,) = database.execute(query, (candidate, release)).fetchone()
        return (last or 0) + 1

    def _signed(self, head: Head) -> bool:
        return signing.is_signed(head.hash, head.signature, self.public)

    def _private(self) -> Ed25519PrivateKey:
        private = signing.read_private(self.key_path)
        own = private.public_key()
        if own.public_bytes_raw() != self.public.public_bytes_raw():
            raise LabError(
                f"{self.key_path} is the key {signing.fingerprint(own)}, but "
                f"{self.path} is signed with {self.fingerprint}; use that one."
            )
        return private

    def _same(self, entry: Entry, fields: Mapping[str, object]) -> Entry:
        for name in ("event", "candidate", "release"):
            if getattr(entry, name) != fields[name]:
                raise LabError(
                    f'The key "{entry.key}" already names entry {entry.seq}, whose '
                    f"{name} is {getattr(entry, name)}, not {fields[name]}; "
                    "nothing was recorded, use another key."
                )
        return entry


def holds_sheet(entry: Entry) -> bool:
    """Say whether the entry holds a mark sheet."""
    return entry.event in ("graded", "marked", "regraded") and "sheet" in entry.body


def _check_event(event: str) -> str:
    if event not in EVENTS:
        known = ", ".join(EVENTS)
        raise LabError(f'The record knows no event "{event}"; it knows {known}.')
    return event


def _check_label(name: str, value: str) -> str:
    if not value.isprintable() or not 0 < len(value.strip()) <= 200:
        raise LabError(
            f"The {name} {value[:80]!r} should be 1 to 200 printable characters."
        )
    return value


def _check_attempt(attempt: int) -> int:
    if attempt < 1:
        raise LabError(f"The attempt is {attempt}; attempts are counted from 1.")
    return attempt


def _check_time(at: str | None) -> str:
    if at is None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        return now.replace("+00:00", "Z")
    try:
        known = datetime.fromisoformat(at).utcoffset() == timedelta(0)
    except ValueError:
        known = False
    if not known:
        raise LabError(
            f'The time "{at}" should be ISO 8601 in UTC, such as 2026-11-23T09:30:00Z.'
        )
    return at


def _body_text(event: str, candidate: str, body: Mapping[str, Any]) -> str:
    try:
        return signing.canonical(dict(body))
    except (ValueError, RecursionError) as error:
        raise LabError(
            f'The entry "{event}" of candidate {candidate} cannot be written as JSON '
            f"({error}); give plain text and ordinary numbers."
        ) from None


def _make_missing(folder: Path, key_path: Path) -> None:
    """Make what is not there yet.

    Made in the order key, public key, database and looked for in the other order, so
    that two programs at once never sign with two keys, nor a new key an old record.
    """
    has_entries = (folder / "record.db").exists()
    has_public = (folder / "record.pub").exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not has_entries and not has_public and not key_path.exists():
            signing.make_key(key_path)
        if not has_public:
            private = signing.read_private(key_path)
            signing.write_public(folder / "record.pub", private)
        if not has_entries:
            record_store.make_database(folder / "record.db")
    except OSError as error:
        raise LabError(
            f"The record could not be made in {folder} ({error.strerror}: "
            f"{error.filename}); choose a folder that you may write to."
        ) from None


def _head(database: sqlite3.Connection) -> Head:
    query = "SELECT seq, hash, signature FROM entries ORDER BY seq DESC LIMIT 1"
    row = database.execute(query).fetchone()
    return Head(*row) if row else Head(0, signing.GENESIS)


def _row_of_key(database: sqlite3.Connection, key: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = database.execute(
        f"{_SELECT} WHERE key = ?", (key,)
    ).fetchone()
    return row


def _insert(
    database: sqlite3.Connection,
    fields: Mapping[str, object],
    private: Ed25519PrivateKey,
) -> dict[str, Any]:
    head = _head(database)
    row = {**fields, "seq": head.size + 1, "prev": head.hash}
    digest = signing.entry_hash(row)
    row |= {"hash": digest, "signature": private.sign(bytes.fromhex(digest))}
    database.execute(_INSERT, row)
    return row


def _entry(row: Mapping[str, Any] | sqlite3.Row) -> Entry:
    values = dict(row)
    try:
        values["body"] = signing.read_canonical(values["body"])
    except (ValueError, TypeError):
        raise LabError(
            f"Entry {values['seq']} of the record was damaged: its body is not "
            "canonical JSON; run: lab record verify"
        ) from None
    return Entry(**values)


def export_csv(entries: Iterable[Entry], stream: TextIO) -> None:
    """Write one line per row of the latest mark sheet of each candidate and attempt.

    For Excel: open `stream` with encoding="utf-8" and newline=""; the byte order mark
    is written here. What a spreadsheet would run as a formula gets an apostrophe.
    """
    latest = {
        (entry.candidate, entry.release, entry.attempt): entry
        for entry in entries
        if holds_sheet(entry)
    }
    stream.write("\ufeff")
    writer = csv.writer(stream)
    writer.writerow(_COLUMNS)
    for entry in latest.values():
        writer.writerows(map(harmless, line) for line in _lines(entry))


def _lines(entry: Entry) -> Iterator[tuple[object, ...]]:
    sheet = entry.body["sheet"]
    about = (entry.candidate, entry.release, entry.attempt, sheet["outcome"])
    for row in sheet["rows"]:
        sentence = row["sentence"]["en" if sheet["language"] == "en" else "zh"]
        rule = (row["code"], row["points"], sentence, row["nominal"])
        found = (row["actual"], row["given"], row["marked_by"], entry.at)
        yield (*about, *rule, *found)


def harmless(cell: object) -> object:
    """Return a cell that a spreadsheet does not take for a formula."""
    if isinstance(cell, str) and _FORMULA.match(cell):
        return f"'{cell}"
    return cell
