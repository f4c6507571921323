"""Files and folders: where things are, whole writes, hashes."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lab_env.errors import LabError


def content_folder(kind: str) -> Path:
    """Return the folder of "labs", "graders" or "datasets".

    A checkout has them beside ``lab_env``; an installed wheel carries them inside.
    """
    package = Path(__file__).parent
    for folder in (package.parent / kind, package / "content" / kind):
        if folder.is_dir():
            return folder
    raise LabError(f'No folder "{kind}" beside {package}: install the project again.')


def write_whole(path: Path, content: str | bytes) -> None:
    """Write so that a reader, or a power cut, sees the old file or the new one."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes 0600, which another grading user could not read.
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: object) -> None:
    """Write ``value`` as readable JSON, whole."""
    text = json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False)
    write_whole(path, text + "\n")


def sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def regular_files(folder: Path) -> Iterator[Path]:
    """Yield the files below ``folder`` in a fixed order; links are refused."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise LabError(f"{path} is a link; only plain files are taken.")
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def hashes(folder: Path) -> dict[str, str]:
    """Return {relative path: SHA-256} of every file below ``folder``."""
    found = regular_files(folder)
    return {path.relative_to(folder).as_posix(): sha256(path) for path in found}
