"""A trainee's work folder: made from a release, found again, looked at."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab_env.candidate import check_candidate
from lab_env.errors import LabError
from lab_env.files import regular_files
from lab_env.marksheet import MarkSheet, Row, mark
from lab_env.release import PUBLIC_FACTS, load_checks
from lab_env.scenario import read_scenario
from lab_env.submission import Submission, TrustedFiles

OPEN_ROWS = "rows.py"


@dataclass(frozen=True)
class Work:
    """One release being worked on; ``facts`` is its release.json."""

    folder: Path
    facts: dict[str, Any]

    @property
    def release(self) -> str:
        """The id of the release."""
        return str(self.facts["release"])

    @property
    def language(self) -> str:
        """The language of the release."""
        return str(self.facts["language"])

    @property
    def notebook(self) -> Path:
        """The notebook that the trainee works in."""
        return self.folder / f"{self.facts['lab']}.ipynb"

    @property
    def deliverables(self) -> tuple[str, ...]:
        """What is handed in; a name that ends in "/" is a folder."""
        return tuple(self.facts["deliverables"])

    def files_of(self, deliverable: str) -> tuple[Path, ...]:
        """Return the files of one deliverable that are there; links are refused."""
        path = self.folder / deliverable
        if path.is_symlink():
            raise LabError(f"{path} is a link; hand in the file itself.")
        if deliverable.endswith("/"):
            return tuple(regular_files(path))
        return (path,) if path.is_file() else ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Deliverables that are not there yet."""
        return tuple(name for name in self.deliverables if not self.files_of(name))


def start_work(released: Path, parent: Path) -> Work:
    """Copy a release into ``parent``, file by file, never over a file that is there."""
    folder = parent / open_work(released).release
    for source in regular_files(released):
        target = folder / source.relative_to(released)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    return open_work(folder)


def open_work(folder: Path) -> Work:
    """Return the work in ``folder``; LabError if no release was started there."""
    path = folder / PUBLIC_FACTS
    try:
        facts: dict[str, Any] = json.loads(path.read_text("utf-8"))
        work = Work(folder, facts)
        if work.release and work.language and work.deliverables is not None:
            return work
    except FileNotFoundError:
        raise LabError(
            f'No {PUBLIC_FACTS} in "{folder}"; name the folder that '
            "`lab start LAB` made, for example work/RELEASE."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabError(
            f"{path} cannot be read ({type(error).__name__}: {error}); delete it and "
            "run lab start again: your own files stay as they are."
        ) from error
    raise LabError(f"{path} names no release; delete it and run lab start again.")


def find_work(folder: Path | None, parent: Path = Path("work")) -> Work:
    """Return the work in ``folder``, else here, else the only one below ``parent``."""
    if folder is not None:
        return open_work(folder)
    if Path(PUBLIC_FACTS).is_file():
        return open_work(Path())
    found = sorted(path.parent for path in parent.glob(f"*/{PUBLIC_FACTS}"))
    if len(found) == 1:
        return open_work(found[0])
    seen = ", ".join(map(str, found)) or f'none in "{parent}"'
    raise LabError(f"Which work folder? There is {seen}; name one after the command.")


def mark_open_rows(work: Work) -> tuple[Row, ...]:
    """Mark the rows that need no key, on the deliverables as they lie there now."""
    rows = work.folder / OPEN_ROWS
    if not rows.is_file():
        return ()
    folder = work.folder
    try:
        checks, scenario = load_checks(rows), read_scenario(folder / "scenario.toml")
    except Exception as error:  # a trainee may have written anything into the two
        raise LabError(
            f"{OPEN_ROWS} or scenario.toml in {folder} cannot be used ({error}); "
            "delete both and run lab start again: your own files stay as they are."
        ) from error
    submission = Submission(folder, TrustedFiles(folder), scenario, work.language)
    return mark(checks, submission)


def own_sheet(work: Work, candidate: str | None, feedback: Path) -> MarkSheet:
    """Return the trainee's mark sheet; LabError if it was not given back yet."""
    number = check_candidate(candidate or _receipt_candidate(work))
    path = feedback / number / work.release / "sheet.json"
    if not path.is_file():
        raise LabError(
            f"No result for {number} in {path.parent} yet; ask when marking is done."
        )
    return MarkSheet.from_json(json.loads(path.read_text("utf-8")))


def _receipt_candidate(work: Work) -> str:
    path = work.folder / "receipt.json"
    try:
        return str(json.loads(path.read_text("utf-8"))["candidate"])
    except (OSError, ValueError, KeyError, TypeError):
        raise LabError(
            f"{path} does not say which candidate this is; add --candidate NUMBER."
        ) from None
