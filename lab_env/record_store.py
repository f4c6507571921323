"""The database file under the record: made whole, opened anew for every call.

SQLite in WAL mode with synchronous=FULL. A commit returns only when it is on disk.
"""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from lab_env import signing
from lab_env.errors import LabError

BUSY_SECONDS = 60
# A damaged name in the schema makes SQLite's own message undecodable.
_FAULTS = (sqlite3.Error, UnicodeDecodeError)

_SCHEMA = """
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY, event TEXT NOT NULL, candidate TEXT NOT NULL,
    release TEXT NOT NULL, attempt INTEGER NOT NULL, at TEXT NOT NULL,
    key TEXT UNIQUE, body TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL,
    signature BLOB NOT NULL
);
CREATE INDEX entries_of_candidate ON entries (candidate, release);
CREATE TRIGGER entries_never_change BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'entries of the record are never changed'); END;
CREATE TRIGGER entries_never_go BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'entries of the record are never deleted'); END;
-- INSERT OR REPLACE would delete without asking the trigger above.
CREATE TRIGGER entries_never_replaced BEFORE INSERT ON entries
WHEN NEW.seq <= (SELECT max(seq) FROM entries)
  OR EXISTS (SELECT 1 FROM entries WHERE key = NEW.key)
BEGIN SELECT RAISE(ABORT, 'entries of the record are never replaced'); END;
"""
_ADVICE = {
    "SQLITE_BUSY": "another program holds it; try again in a minute",
    "SQLITE_FULL": "the disk is full; make room and try again",
    "SQLITE_IOERR": "the disk refused it, perhaps it is full; make room and try again",
    "SQLITE_READONLY": "it may not be written here; ask who owns the course folder",
    "SQLITE_CANTOPEN": "it may not be opened here; copy the folder to one of yours",
}
_DAMAGED = "it is damaged or not a record; put back the last good copy"


def make_database(path: Path) -> None:
    """Make an empty record, or leave alone the one that was made first."""
    draft = path.with_name(f".record.{secrets.token_hex(8)}.db")
    with _translated(path), closing(sqlite3.connect(draft)) as database:
        # WAL stays set in the file. Made aside, so nobody meets half a database.
        database.execute("PRAGMA journal_mode = WAL")
        database.executescript(_SCHEMA)
    signing.keep_first(draft, path)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except _FAULTS as error:
        advice = _ADVICE.get(_code(error), _DAMAGED)
        raise LabError(f"{path} cannot be used ({error}): {advice}.") from error


def _connect(path: Path, options: str) -> sqlite3.Connection:
    database = sqlite3.connect(
        f"{path.resolve().as_uri()}?{options}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
    )
    database.row_factory = sqlite3.Row
    # Bytes that were damaged must come back different, not stop the reading.
    database.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    return database


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """Open one write transaction; it is on disk when the block ends without error."""
    with _translated(path), closing(_connect(path, "mode=rw")) as database:
        # FULL, not NORMAL: a power cut must not lose an entry that was reported.
        database.execute("PRAGMA synchronous = FULL")
        database.execute("BEGIN IMMEDIATE")
        try:
            yield database
            database.execute("COMMIT")
        finally:
            if database.in_transaction:
                database.execute("ROLLBACK")


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open for reading alone, on a read-only disk too."""
    with _translated(path), closing(_open_for_reading(path)) as database:
        yield database


def _open_for_reading(path: Path) -> sqlite3.Connection:
    database = _connect(path, "mode=ro")
    try:
        database.execute("SELECT 1 FROM entries LIMIT 1").fetchone()
    except _FAULTS as error:
        database.close()
        if _code(error) not in ("SQLITE_CANTOPEN", "SQLITE_READONLY") or _log(path):
            raise
        # WAL needs a file beside it: on a read-only disk, promise that none writes.
        return _connect(path, "immutable=1")
    return database


def _log(path: Path) -> bool:
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0


def _code(error: Exception) -> str:
    # SQLITE_IOERR_READ and the like: the first two words name the kind.
    return "_".join(getattr(error, "sqlite_errorname", "").split("_")[:2])
