"""Key pair, hash chain and checkpoint of the record, and how a stranger checks them.

An entry's hash is sha256 over the RFC 8785 JSON of its columns `HASHED`, taken as they
are stored (the body as its canonical text); the signature is Ed25519 over the 32 bytes
of that hash. Anyone who holds `record.db` and `record.pub` can repeat both.

Covered: an entry that was edited, deleted, inserted, renumbered or moved, and one that
was signed with another key.

Not covered: a tail that was cut off, unless the verifier holds a head (a checkpoint)
printed or kept elsewhere; a swapped `record.pub`, unless its fingerprint was noted;
and whatever the holder of the private key signs. Keep that key off shared machines.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from lab_env.errors import LabError

GENESIS = "0" * 64
HASHED = (
    *("seq", "event", "candidate", "release", "attempt"),
    *("at", "key", "body", "prev"),
)
_EXACT_IN_JSON = 2**53 - 1


@dataclass(frozen=True)
class Head:
    """Size and hash of a record at one moment: print it and keep it elsewhere."""

    size: int
    hash: str
    signature: bytes | None = None

    def __str__(self) -> str:
        """Return the text to print, which `parse` reads."""
        signature = f":{self.signature.hex()}" if self.signature else ""
        return f"{self.size}:{self.hash}{signature}"

    @classmethod
    def parse(cls, text: str) -> "Head":
        """Read a head as it was printed; the signature may be left out."""
        size, _, rest = text.strip().partition(":")
        digest, _, signature = rest.partition(":")
        try:
            if len(bytes.fromhex(digest)) != hashlib.sha256().digest_size:
                raise ValueError(digest)
            return cls(int(size), digest.lower(), bytes.fromhex(signature) or None)
        except ValueError:
            raise LabError(
                f'"{text}" is not a checkpoint: it should read SIZE:HASH, as '
                "printed when it was made; copy it again."
            ) from None


@dataclass(frozen=True)
class BadEntry:
    """The first entry that does not hold, with the reason in one sentence."""

    seq: int
    reason: str


@dataclass(frozen=True)
class Verification:
    """How many entries hold, the hash of the last of them, and the first bad one."""

    size: int
    head: str
    bad: BadEntry | None = None

    @property
    def ok(self) -> bool:
        """Say whether no bad entry was found."""
        return self.bad is None


def canonical(value: object) -> str:
    """Return RFC 8785 JSON; ValueError on what it cannot hold (NaN, huge integers)."""
    # Typed Any because the library's own recursive type is private.
    plain: Any = value
    return rfc8785.dumps(plain).decode()


def read_canonical(text: str) -> Any:
    """Parse canonical JSON; ValueError when the text is not in canonical form."""
    try:
        value = json.loads(text, parse_int=_number)
        same = canonical(value) == text
    except RecursionError:
        same = False
    if not same:
        raise ValueError("the text is not canonical JSON")
    return value


def _number(digits: str) -> int | float:
    # RFC 8785 writes the float 1e20 as digits; as a Python int it could not go back.
    number = float(digits)
    return int(digits) if abs(number) <= _EXACT_IN_JSON else number


def entry_hash(fields: Mapping[str, object]) -> str:
    """Return the hash of an entry; ValueError when a column holds no JSON value."""
    hashed = canonical({name: fields[name] for name in HASHED})
    return hashlib.sha256(hashed.encode()).hexdigest()


def is_signed(digest: object, signature: object, public: Ed25519PublicKey) -> bool:
    """Say whether this key signed this hash."""
    if not isinstance(digest, str) or not isinstance(signature, bytes):
        return False
    try:
        public.verify(signature, bytes.fromhex(digest))
    except (InvalidSignature, ValueError):
        return False
    return True


def verify_chain(
    rows: Iterable[Mapping[str, Any]], public: Ed25519PublicKey, head: Head | None
) -> Verification:
    """Check all rows in order and stop at the first bad one."""
    size, last = 0, GENESIS
    for row in rows:
        bad = _bad_entry(row, size + 1, last, public) or _rewritten(row, head)
        if bad:
            return Verification(size, last, bad)
        size, last = size + 1, row["hash"]
    return Verification(size, last, _cut_off(size, head))


def _bad_entry(
    row: Mapping[str, Any], seq: int, prev: str, public: Ed25519PublicKey
) -> BadEntry | None:
    found = row["seq"]
    if found != seq:
        first = min(found, seq) if isinstance(found, int) else seq
        return BadEntry(first, f"Entry {seq} should stand here, but {found} follows.")
    reason = _reason(row, prev, public)
    return BadEntry(seq, f"Entry {seq} {reason}") if reason else None


def _reason(row: Mapping[str, Any], prev: str, public: Ed25519PublicKey) -> str | None:
    if row["prev"] != prev:
        return f"names {_short(row['prev'])} as the hash before it, not {_short(prev)}."
    try:
        computed = entry_hash(row)
    except ValueError as error:
        return f"was edited: {error}."
    if row["hash"] != computed:
        return f"was edited: its hash is {_short(computed)}, not {_short(row['hash'])}."
    if not is_signed(row["hash"], row["signature"], public):
        return f"was not signed by the key {fingerprint(public)}."
    try:
        read_canonical(row["body"])
    except ValueError as error:
        return f"holds a body that is not canonical JSON: {error}."
    return None


def _rewritten(row: Mapping[str, Any], head: Head | None) -> BadEntry | None:
    if head is None or row["seq"] != head.size or row["hash"] == head.hash:
        return None
    reason = (
        f"Entry {head.size} has the hash {_short(row['hash'])}, the checkpoint says "
        f"{_short(head.hash)}: the record was written anew after the checkpoint."
    )
    return BadEntry(head.size, reason)


def _cut_off(size: int, head: Head | None) -> BadEntry | None:
    if head is None or size >= head.size:
        return None
    reason = (
        f"Entries {size + 1} to {head.size} are missing: the checkpoint counts "
        f"{head.size} entries, the record ends after {size}."
    )
    return BadEntry(size + 1, reason)


def _short(digest: object) -> str:
    return f"{str(digest)[:12]}…"


def fingerprint(public: Ed25519PublicKey) -> str:
    """Return 16 hex digits that name a public key: note them down on paper."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:16]


def make_key(path: Path) -> None:
    """Write a new private key that only its owner may read; keep an older one."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_once(path, pem, mode=0o600)


def write_public(path: Path, private: Ed25519PrivateKey) -> None:
    """Write the public half beside the record."""
    pem = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    write_once(path, pem, mode=0o644)


def read_private(path: Path) -> Ed25519PrivateKey:
    """Read the key that signs entries."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise LabError(
            f"{path} cannot be read as the record's private key ({_cause(error)}), "
            "and nothing is recorded without it; put the key back or set "
            "LAB_RECORD_KEY to where it is kept."
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise LabError(f"{path} holds another kind of key, expected Ed25519.")
    return key


def read_public(path: Path) -> Ed25519PublicKey:
    """Read the key that checks entries."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise LabError(
            f"{path} cannot be read as the record's public key ({_cause(error)}); "
            "put back the file that was made with the record."
        ) from None
    if not isinstance(key, Ed25519PublicKey):
        raise LabError(f"{path} holds another kind of key, expected Ed25519.")
    return key


def _cause(error: Exception) -> str:
    return error.strerror or "no reason given" if isinstance(error, OSError) else "PEM"


def write_once(path: Path, data: bytes, mode: int) -> None:
    """Write a whole file, or leave alone the one that another process made first."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    keep_first(draft, path)


def keep_first(draft: Path, path: Path) -> None:
    """Give a finished draft its name, unless the name is taken already."""
    try:
        # A link, unlike a rename, never replaces what is there.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
