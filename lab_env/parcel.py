"""What a candidate gave us, opened without trust: a folder, a zip or a notebook.

A parcel lists plain relative names and opens them one by one; it is never unpacked.
See ``lab_env.receive`` for what is covered.
"""

import io
import os
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from lab_env.errors import SubmissionError
from lab_env.files import sha256

MAX_FILES = 2_000
MAX_DEPTH = 8
MAX_ZIP_BYTES = 500_000_000
MAX_DIRECTORY_BYTES = 1_000_000
# Left aside unread: hidden files, and what macOS puts into every zip.
ASIDE = ("__MACOSX",)
_SAYS_UTF_8 = 0x800
_END = b"PK\x05\x06"
_PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class Parcel:
    """The files of one hand-in; ``sha256`` is that of a zip, to match a receipt."""

    name: str
    names: Callable[[], list[str]]
    open: Callable[[str], BinaryIO]
    sha256: str | None = None


@contextmanager
def open_parcel(path: Path, lab: str, release: str) -> Iterator[Parcel]:
    """Yield the parcel at ``path``; nbgrader's CANDIDATE/RELEASE/ is looked into."""
    kind = path.lstat().st_mode
    if stat.S_ISDIR(kind):
        with _folder(path, lab, release) as parcel:
            yield parcel
    elif stat.S_ISREG(kind) and path.suffix == ".zip":
        with _zip(path, lab) as parcel:
            yield parcel
    elif stat.S_ISREG(kind) and path.suffix == ".ipynb":
        name = f"{lab}.ipynb"
        yield Parcel(path.name, lambda: [name], lambda _: _open_plain(path))
    else:
        shown = _odd(kind) or f"a {path.suffix or 'nameless kind of'} file"
        raise SubmissionError(
            f"{path.name} is {shown}; expected a folder, a .zip or a .ipynb file."
        )


def _odd(kind: int) -> str:
    """Return what a file is that is no plain one; "" for a plain one."""
    if stat.S_ISREG(kind):
        return ""
    return "a link" if stat.S_ISLNK(kind) else "a pipe, socket or device"


def _open_plain(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, _PLAIN), "rb")


@contextmanager
def _folder(path: Path, lab: str, release: str) -> Iterator[Parcel]:
    inner = path / release
    if not (path / f"{lab}.ipynb").exists() and inner.is_dir():
        if inner.is_symlink():
            raise _refused(path.name, release, "is a link")
        path = inner
    found = list(_walk(path, ""))

    def open_file(name: str) -> BinaryIO:
        # Part by part: a folder may be swapped for a link while we look.
        return os.fdopen(_open_below(path, name.split("/")), "rb")

    yield Parcel(path.name, lambda: found, open_file)


def _walk(root: Path, below: str, depth: int = 0) -> Iterator[str]:
    count = 0
    for entry in sorted(os.scandir(root / below), key=lambda each: each.name):
        name = f"{below}{entry.name}"
        if entry.name[0] == "." or entry.name in ASIDE:
            continue
        kind = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISDIR(kind):
            if depth >= MAX_DEPTH:
                raise _refused(root.name, name, f"is deeper than {MAX_DEPTH} folders")
            names = _walk(root, f"{name}/", depth + 1)
        elif stat.S_ISREG(kind):
            names = iter([name])
        else:
            raise _refused(root.name, name, f"is {_odd(kind)}")
        for each in names:
            count += 1
            if count > MAX_FILES:
                raise _too_many(root.name)
            yield each


def _open_below(root: Path, parts: list[str]) -> int:
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        for part in parts[:-1]:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
            deeper = os.open(part, flags, dir_fd=folder)
            os.close(folder)
            folder = deeper
        handle = os.open(parts[-1], _PLAIN, dir_fd=folder)
    except OSError as error:
        raise _refused(root.name, "/".join(parts), "cannot be opened") from error
    finally:
        os.close(folder)
    count = os.fstat(handle).st_nlink
    if count != 1:
        # On a shared disk, the other name may be a file of the examiner's.
        os.close(handle)
        why = f"is one file under {count} names (a hard link)"
        raise _refused(root.name, "/".join(parts), why)
    return handle


@contextmanager
def _zip(path: Path, lab: str) -> Iterator[Parcel]:
    _check_size(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(path.name, archive, lab)

            def open_member(name: str) -> BinaryIO:
                return cast(BinaryIO, _Unpacked(path.name, archive, members[name]))

            yield Parcel(path.name, lambda: list(members), open_member, sha256(path))
    except (zipfile.BadZipFile, NotImplementedError, UnicodeError) as error:
        raise SubmissionError(
            f"{path.name} is not a zip file that can be read ({error}); "
            "make it again with: lab submit"
        ) from error


def _check_size(path: Path) -> None:
    """Refuse a zip whose list of files alone would fill the memory."""
    size = path.stat().st_size
    if size > MAX_ZIP_BYTES:
        seen, most = f"{size / 1e6:.0f} MB", f"{MAX_ZIP_BYTES / 1e6:.0f} MB"
        raise SubmissionError(
            f"{path.name} has {seen}, the limit is {most}; "
            "make it again with: lab submit"
        )
    with path.open("rb") as stream:
        stream.seek(max(0, size - 42))
        tail = stream.read()
    # Exactly the form that zipfile looks for first, so that both see one list.
    if tail[-22:-18] != _END or tail[-2:] != b"\0\0" or tail[:4] == b"PK\x06\x07":
        raise SubmissionError(
            f"{path.name} does not end like a plain zip file (cut off, or changed "
            "after it was made?); make it again with: lab submit"
        )
    entries, directory = struct.unpack("<HL", tail[-12:-6])
    if entries > MAX_FILES or directory > MAX_DIRECTORY_BYTES:
        raise _too_many(path.name)


def _members(
    parcel: str, archive: zipfile.ZipFile, lab: str
) -> dict[str, zipfile.ZipInfo]:
    for info in archive.infolist():
        info.filename = _name_of(info)
    # Not info.is_dir(), which cannot bear a member without a name.
    infos = [each for each in archive.infolist() if not each.filename.endswith("/")]
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        _check_member(parcel, info)
        parts = info.filename.split("/")
        if any(part.startswith(".") or part in ASIDE for part in parts):
            continue
        if info.filename in members:
            raise _refused(parcel, info.filename, "is in it twice")
        members[info.filename] = info
    return _without_top(members, f"{lab}.ipynb")


def _name_of(info: zipfile.ZipInfo) -> str:
    """Return a member's name; a Chinese Windows writes GBK and does not say so."""
    if info.flag_bits & _SAYS_UTF_8:
        return info.filename
    data = info.filename.encode("cp437")
    for encoding in ("utf-8", "gb18030"):
        with suppress(UnicodeDecodeError):
            return data.decode(encoding)
    return info.filename


def _check_member(parcel: str, info: zipfile.ZipInfo) -> None:
    parts = info.filename.split("/")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        what = "a link" if kind == stat.S_IFLNK else "not a plain file"
        raise _refused(parcel, info.filename, f"is {what}")
    if ".." in parts or "" in parts or "\\" in info.filename or ":" in parts[0]:
        raise _refused(parcel, info.filename, "points outside of the hand-in")
    if info.flag_bits & 1:
        raise _refused(parcel, info.filename, "is locked with a password")


def _without_top(
    members: dict[str, zipfile.ZipInfo], notebook: str
) -> dict[str, zipfile.ZipInfo]:
    """Return the members without a folder that all of them are in."""
    tops = {name.partition("/")[0] for name in members}
    flat = any("/" not in name for name in members)
    if flat or len(tops) != 1 or notebook in members:
        return members
    return {name.partition("/")[2]: info for name, info in members.items()}


class _Unpacked(io.BufferedIOBase):
    """One member as a stream; what is wrong with its bytes is said of the hand-in."""

    def __init__(
        self, parcel: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo
    ) -> None:
        self._parcel, self._name = parcel, info.filename
        try:
            self._stream = archive.open(info)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise _refused(parcel, info.filename, "does not unpack") from error

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Return at most ``size`` bytes, so never more than was asked for."""
        try:
            return self._stream.read(-1 if size is None else size)
        except Exception as error:  # zlib, lzma and bz2 each have their own
            raise _refused(self._parcel, self._name, "does not unpack") from error


def _refused(parcel: str, name: str, why: str) -> SubmissionError:
    shown = repr(name[:80])[1:-1]
    return SubmissionError(
        f'{parcel}: "{shown}" {why}; only plain files are taken, '
        "hand in again without it."
    )


def _too_many(parcel: str) -> SubmissionError:
    return SubmissionError(
        f"{parcel} holds more than {MAX_FILES} files; hand in the notebook and the "
        "files the task asks for."
    )
