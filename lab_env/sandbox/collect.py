"""Carry files into a work folder and out of a dead one.

Covered: links of either kind, pipes, devices, folders within folders, sparse and
huge files, many files, strange names. A name is opened part by part below a folder
that is held open, never through a link.
Not covered: what a file says. Whoever reads it must expect anything.
"""

import os
import shutil
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath

from lab_env.errors import LabError
from lab_env.files import regular_files
from lab_env.sandbox.runs import MB, Limits, SandboxError

FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK, opening a pipe would wait for a writer for ever.
PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Refused(Exception):
    """One file is not taken; the text is the reason."""


def parts_of(name: str) -> tuple[str, ...]:
    """Return the parts of a relative name; a way upwards is our own mistake."""
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts:
        raise SandboxError(f'"{name}" should name something below the work folder.')
    return path.parts


def copy_in(source: Path, folder: int, name: str, owner: int | None) -> None:
    """Copy a file or a folder to ``name`` below the open ``folder``."""
    if not source.is_dir():
        copy_file_in(source, folder, parts_of(name), owner)
        return
    make_folders(folder, parts_of(name), owner)
    for path in regular_files(source):
        parts = (*parts_of(name), *path.relative_to(source).parts)
        copy_file_in(path, folder, parts, owner)


def copy_file_in(
    source: Path, folder: int, parts: Sequence[str], owner: int | None
) -> None:
    """Copy one file to ``parts`` below the open ``folder``, folders made as needed."""
    if source.is_symlink():
        raise LabError(f"{source} is a link; only plain files are taken.")
    make_folders(folder, parts[:-1], owner)
    target = os.open(
        "/".join(parts), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=folder
    )
    with os.fdopen(target, "wb") as writer, source.open("rb") as reader:
        shutil.copyfileobj(reader, writer)
        give(writer.fileno(), owner)


def make_folders(folder: int, parts: Sequence[str], owner: int | None) -> None:
    """Make the folders ``parts`` below the open ``folder``, if they are not there."""
    for depth in range(1, len(parts) + 1):
        path = "/".join(parts[:depth])
        try:
            os.mkdir(path, 0o755, dir_fd=folder)
        except FileExistsError:
            continue
        if owner is not None:
            os.chown(path, owner, owner, dir_fd=folder)


def give(handle: int, owner: int | None) -> None:
    """Give an open file to the uid that runs in the jail; None: it is ours."""
    if owner is not None:
        os.fchown(handle, owner, owner)
    os.fchmod(handle, 0o644)


@dataclass
class Collector:
    """Takes named files out of an open folder; keeps count of what it took."""

    folder: int
    out: Path
    limits: Limits
    collected: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    total: int = 0

    def collect(self, names: Sequence[str]) -> None:
        """Take each name; a missing one is no fault here, only not collected."""
        for name in names:
            try:
                for file_name in self._files_of(name):
                    self._try(file_name)
            except FileNotFoundError:
                continue
            except (OSError, Refused) as error:
                self.refused.append((name, reason(error)))

    def _files_of(self, name: str) -> list[str]:
        if not name.endswith("/"):
            return [name]
        most = 2 * self.limits.deliverable_count
        handle = open_below(self.folder, parts_of(name), os.O_RDONLY | FOLDER)
        try:
            # A folder may hold millions of names: never list all of them.
            with os.scandir(handle) as entries:
                found = sorted(entry.name for entry in islice(entries, most + 1))
        finally:
            os.close(handle)
        if len(found) > most:
            raise Refused(f"holds more than {most} files; none was taken.")
        return [name + each for each in found]

    def _try(self, name: str) -> None:
        try:
            self._take(name)
        except FileNotFoundError:
            return
        except (OSError, Refused) as error:
            self.refused.append((readable(name), reason(error)))
        else:
            self.collected.append(name)

    def _take(self, name: str) -> None:
        if readable(name) != name:
            raise Refused("has a name with characters that cannot be shown.")
        source = open_below(self.folder, parts_of(name), PLAIN)
        try:
            size = self._allowed_size(os.fstat(source))
            target = self.out.joinpath(*parts_of(name))
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as writer:
                # Not more than was allowed, even if the file grows meanwhile.
                while size and (block := os.read(source, min(size, MB))):
                    size -= writer.write(block)
                    self.total += len(block)
        finally:
            os.close(source)

    def _allowed_size(self, facts: os.stat_result) -> int:
        limits = self.limits
        if not stat.S_ISREG(facts.st_mode):
            raise Refused("is a folder, pipe or device; a plain file was expected.")
        if facts.st_nlink != 1:
            raise Refused(f"is one file under {facts.st_nlink} names (hard links).")
        if facts.st_size > limits.deliverable_mb * MB:
            raise Refused(too_much("has", facts.st_size, limits.deliverable_mb))
        if self.total + facts.st_size > limits.deliverables_total_mb * MB:
            total = self.total + facts.st_size
            raise Refused(
                too_much("brings the total to", total, limits.deliverables_total_mb)
            )
        if len(self.collected) >= limits.deliverable_count:
            raise Refused(f"is beyond the limit of {limits.deliverable_count} files.")
        return facts.st_size


def open_below(folder: int, parts: Sequence[str], flags: int) -> int:
    """Open ``parts`` below ``folder``, each step without following a link."""
    handle = os.dup(folder)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | FOLDER, dir_fd=handle)
            os.close(handle)
            handle = inner
        return os.open(parts[-1], flags, dir_fd=handle)
    finally:
        os.close(handle)


def readable(name: str) -> str:
    """Return ``name`` with everything that is not printable text replaced."""
    text = name.encode("utf-8", "replace").decode("utf-8")
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def reason(error: OSError | Refused) -> str:
    """Return why a file was not taken, without a path of this machine."""
    if isinstance(error, Refused):
        return str(error)
    return "is a link or cannot be opened." if error.errno else str(error)


def too_much(verb: str, size: int, limit_mb: int) -> str:
    """Return the sentence about a size that is over its limit."""
    return f"{verb} {size / MB:.1f} MB; the limit is {limit_mb} MB."


def split_by_size(
    files: Mapping[str, Path], writable: Sequence[str], largest: int
) -> tuple[dict[str, Path], dict[str, Path], int]:
    """Return what to copy, what to bind read-only, and the bytes to copy."""
    copied, bound, total = {}, {}, 0
    kept_writable = {parts_of(name)[0] for name in writable}
    for name, path in files.items():
        size = size_of(path)
        if path.is_dir() and size > largest and name not in kept_writable:
            bound[name] = path
        else:
            copied[name] = path
            total += size
    return copied, bound, total


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder."""
    if not path.is_dir():
        return path.stat().st_size
    return sum(each.stat().st_size for each in regular_files(path))
