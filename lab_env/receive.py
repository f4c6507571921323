"""Take hand-ins: copy what is marked out of whatever a candidate gave us.

Covered: links, ways upwards, absolute names, special files, zip bombs (bytes are
counted while unpacking), too many files, two notebooks, two hand-ins of one candidate,
another release, files that are no notebook. Nothing is run, unpickled or unpacked
whole: only the notebook and work of the hand are copied, the rest is named and hashed.
Not covered: whether somebody else did the work.
"""

import errno
import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from lab_env.candidate import check_candidate
from lab_env.durable import make_folder, settle
from lab_env.errors import LabError, NotFoundError, SubmissionError
from lab_env.files import sha256
from lab_env.lab import Deliverable
from lab_env.notebook_file import MAX_BYTES, check_release, parse_notebook
from lab_env.parcel import ASIDE, Parcel, open_parcel
from lab_env.release import ID_PATTERN, Release

FACTS = "submission.json"
OUR_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
MB = 1024 * 1024


@dataclass(frozen=True)
class Received:
    """One hand-in as taken; ``folder`` is ours and never changes."""

    candidate: str
    sha256: str
    folder: Path

    @property
    def facts(self) -> dict[str, Any]:
        """Its files and where it came from, read anew: a pile may be large."""
        value: dict[str, Any] = json.loads((self.folder / FACTS).read_text("utf-8"))
        return value


@dataclass(frozen=True)
class Refused:
    """One hand-in that cannot be taken, and the sentence that says why."""

    candidate: str
    sentence: str


def receive_folder(
    course: Path, release: Release, folder: Path, only: str | None = None
) -> Iterator[Received | Refused]:
    """Take every hand-in in ``folder``; a bad one never stops the others."""
    entries = _entries(folder, release)
    if only is not None and only not in entries:
        raise NotFoundError("submission", only, entries, f"the names in {folder}")
    chosen = entries if only is None else {only: entries[only]}
    for candidate, paths in chosen.items():
        try:
            yield receive(course, release, candidate, paths)
        except LabError as error:
            yield Refused(candidate, str(error))
        except Exception as error:  # whatever a hand-in does, the others go on
            if isinstance(error, OSError) and error.errno in OUR_DISK:
                raise
            # Not str(error), in which an OSError names a path of this machine.
            seen = getattr(error, "strerror", None) or error
            yield Refused(
                candidate,
                f"{candidate} cannot be read or copied ({seen}); "
                "pack it again with: lab submit",
            )


def receive(
    course: Path, release: Release, candidate: str, paths: list[Path]
) -> Received:
    """Take one hand-in into the course; SubmissionError says why it is refused."""
    check_candidate(candidate)
    if len(paths) > 1:
        names = ", ".join(path.name for path in paths)
        raise SubmissionError(
            f"Candidate {candidate} has {len(paths)} hand-ins ({names}); keep one."
        )
    mine = course / "received" / release.id / candidate
    make_folder(mine)
    fresh = Path(mkdtemp(prefix=".", dir=mine))
    try:
        with open_parcel(paths[0], release.lab_name, release.id) as parcel:
            facts = _copy(parcel, release, candidate, fresh)
        return _keep(fresh, mine, facts)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _entries(folder: Path, release: Release) -> dict[str, list[Path]]:
    """Return {candidate: what is there of that name}; hidden files are left aside."""
    found: dict[str, list[Path]] = {}
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            aside = path.name[0] == "." or path.name in ASIDE
            if aside or _is_for_another_release(path, release):
                continue
            known = path.suffix in (".zip", ".ipynb") and not path.is_dir()
            found.setdefault(path.stem if known else path.name, []).append(path)
    if not found:
        lab, seen = release.lab_name, "is not a folder"
        if folder.is_dir():
            seen = "holds no submissions"
        raise LabError(
            f"{folder} {seen}; expected CANDIDATE/{lab}.ipynb, "
            f"CANDIDATE.zip or CANDIDATE.ipynb in it."
        )
    return found


def _is_for_another_release(path: Path, release: Release) -> bool:
    """Say whether this is nbgrader's submitted/CANDIDATE with other releases only."""
    if path.is_symlink() or not path.is_dir():
        return False
    try:
        inner = [each.name for each in path.iterdir() if each.name[0] != "."]
    except PermissionError:
        return False
    releases = [name for name in inner if ID_PATTERN.fullmatch(name)]
    return bool(inner) and releases == inner and release.id not in releases


def _copy(
    parcel: Parcel, release: Release, candidate: str, target: Path
) -> dict[str, Any]:
    name = f"{release.lab_name}.ipynb"
    data = _notebook(parcel, name)
    check_release(parse_notebook(data, name), name, release.id)
    (target / name).write_bytes(data)
    taken = {name: _sha256(data)}
    left: dict[str, str] = {}
    for item in release.lab.deliverables:
        wanted = item.source == "submission"
        seen = _copy_files(parcel, item, target if wanted else None)
        (taken if wanted else left).update(seen)
    return {
        "candidate": candidate,
        "release": release.id,
        # What is marked, and nothing else, says whether two hand-ins are the same.
        "sha256": _sha256(json.dumps(taken, sort_keys=True).encode()),
        "files": taken,
        "not_taken": left,
        "handed_in_as": parcel.name,
        "zip_sha256": parcel.sha256,
    }


def _notebook(parcel: Parcel, name: str) -> bytes:
    notebooks = [each for each in parcel.names() if _is_notebook(each)]
    if notebooks != [name]:
        seen = ", ".join(sorted(notebooks)[:3]) or "no notebook"
        raise SubmissionError(
            f"{parcel.name} holds {seen}; expected one notebook, {name}: "
            "hand in that file, with its name as it was."
        )
    with parcel.open(name) as stream:
        return stream.read(MAX_BYTES + 1)


def _is_notebook(name: str) -> bool:
    return name.endswith(".ipynb") and "/" not in name


def _copy_files(
    parcel: Parcel, item: Deliverable, target: Path | None
) -> dict[str, str]:
    """Return {name: SHA-256} of a deliverable's files; with ``target`` copy them."""
    seen: dict[str, str] = {}
    left = int(item.max_mb * MB)
    for name in parcel.names():
        inside = item.name.endswith("/") and name.startswith(item.name)
        if name != item.name and not inside:
            continue
        if not name.isprintable():
            raise SubmissionError(
                f"{parcel.name}: {name!a} has characters that cannot be shown; "
                "give the file a plain name and hand in again."
            )
        data = _capped(parcel, name, left)
        if data is None:
            if target is not None:
                raise SubmissionError(
                    f"{parcel.name}: {item.name} has more than {item.max_mb} MB, its "
                    "limit; hand in only what the task asks for."
                )
            seen[name] = f"over {item.max_mb} MB"
            continue
        left -= len(data)
        seen[name] = _sha256(data)
        if target is not None:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes(data)
    return seen


def _capped(parcel: Parcel, name: str, limit: int) -> bytes | None:
    with parcel.open(name) as stream:
        data = stream.read(limit + 1)
    return data if len(data) <= limit else None


def _now(path: Path) -> str:
    return sha256(path) if path.is_file() else "gone"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _keep(fresh: Path, mine: Path, facts: dict[str, Any]) -> Received:
    final = mine / facts["sha256"][:12]
    if not final.is_dir():
        text = json.dumps(facts, ensure_ascii=False, indent=1)
        (fresh / FACTS).write_text(text + "\n", "utf-8")
        for path in fresh.rglob("*"):
            path.chmod(0o555 if path.is_dir() else 0o444)
        fresh.chmod(0o755)
        settle(fresh, final)
    kept = json.loads((final / FACTS).read_text("utf-8"))
    changed = [n for n, digest in facts["files"].items() if _now(final / n) != digest]
    if changed or kept["files"] != facts["files"]:
        raise LabError(
            f"{final / (changed or [FACTS])[0]} is not as it was received; "
            "restore it from a backup, then grade again."
        )
    return Received(facts["candidate"], facts["sha256"], final)
