"""What travels between the examiner's machine and a worker node: bytes under names.

Covered: only plain files are packed; names that lead elsewhere, too many files and too
many bytes are refused on arrival; nothing that a submission made is ever unpickled.
Not covered: who is at the other end. Dask runs what it is sent: use TLS, see README.
"""

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from lab_env.errors import BrokenError

Files = Mapping[str, bytes]
Kind = Literal["ended", "lacks release", "called off"]

MAX_FILES = 4_000
MB = 1024 * 1024
RESULTS = ("sheet.json", "executed.ipynb")
DELIVERABLES = "deliverables"


@dataclass(frozen=True)
class Spec:
    """One job: everything that its result depends on, and no path of this machine."""

    release: str
    seal: str
    code: str
    handed_in: Files
    facts: Mapping[str, Any]
    program: str
    device: str
    cold: bool
    timeout_seconds: float
    result_mb: int


@dataclass(frozen=True)
class Answer:
    """What came of a job on a node.

    "lacks release" and "called off" are no ends: the job is sent once more.
    """

    kind: Kind
    node: str
    worker: str
    code: int = 0
    said: str = ""
    files: Files | None = None


def pack(folder: Path, most_mb: int) -> dict[str, bytes]:
    """Return the plain files below ``folder``; BrokenError at a link or too much."""
    files: dict[str, bytes] = {}
    left = most_mb * MB
    for path in sorted(folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            continue
        name = path.relative_to(folder).as_posix()
        data = _plain(path, left)
        left -= len(data)
        if left < 0 or len(files) >= MAX_FILES:
            raise BrokenError(
                f"{name}: more than {most_mb} MB or {MAX_FILES} files to be sent."
            )
        files[name] = data
    return files


def _plain(path: Path, most: int) -> bytes:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise BrokenError(f"{path.name} is no plain file and is not sent.")
        return stream.read(most + 1)


def unpack(files: Files, folder: Path, most_mb: int) -> None:
    """Write what arrived into ``folder``; BrokenError at an odd name or too much."""
    if len(files) > MAX_FILES or sum(map(len, files.values())) > most_mb * MB:
        raise BrokenError(f"{len(files)} files of more than {most_mb} MB arrived.")
    for name, data in files.items():
        parts = PurePosixPath(name).parts
        plain = bool(parts) and name == "/".join(parts) and name.isprintable()
        if not plain or {"..", "/"} & {*parts}:
            raise BrokenError(f"A file with the name {name[:80]!r} arrived.")
        path = folder.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Exclusive: two names of one file, on a disk that ignores case.
        with path.open("xb") as stream:
            stream.write(data)


def check_result(files: Files) -> None:
    """Raise BrokenError unless this is a whole result folder and nothing else."""
    odd = [
        name
        for name in files
        if name not in RESULTS and name.partition("/")[0] != DELIVERABLES
    ]
    missing = [name for name in RESULTS if name not in files]
    if odd or missing:
        raise BrokenError(
            f"A result arrived with {', '.join(map(repr, odd[:3])) or 'no odd file'}, "
            f"without {', '.join(missing) or 'none'}; expected {', '.join(RESULTS)}."
        )


@cache
def code_hash() -> str:
    """Return the SHA-256 of this package: both ends must grade with the same code."""
    package = Path(__file__).parent.parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package)
        if "content" not in name.parts:
            digest.update(f"{name.as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()
