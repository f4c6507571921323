"""nbgrader: its release step, its gradebook, and its own commands on our road.

The only module that imports nbgrader. What it changes:

- ``Blanks`` writes our starters where nbgrader would write "YOUR CODE HERE";
- ``Rows`` stands where nbgrader would run the notebook: our result of the two rooms
  takes the place of the submitted notebook, and if there is none it is made;
- ``RowScores`` writes the points of our mark sheet into the gradebook;
- feedback is made of our page (``pages/feedback.py``).

Covered: forged metadata, doubled cells, HTML and script in a submission, files and
links beside the notebook: nothing of a submission but texts of cells gets into
``autograded/``, and none of its code runs in nbgrader's process.
Not covered: the "Validate" button of nbgrader, which always runs the notebook itself.
"""

import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Grade, Gradebook, MissingEntry  # type: ignore[import-untyped]
from nbgrader.apps.api import NbGraderAPI  # type: ignore[import-untyped]
from nbgrader.coursedir import CourseDirectory  # type: ignore[import-untyped]
from nbgrader.preprocessors import ClearSolutions, NbGraderPreprocessor, SaveAutoGrades  # type: ignore[import-untyped]
from traitlets import Bool
from traitlets.config import Config

from lab_env.errors import BrokenError, LabError
from lab_env.files import write_whole
from lab_env.graded_notebook import (
    Result,
    find_result,
    graded_notebook,
    points_of_cell,
)
from lab_env.release import find_release
from lab_env.solutions import regions_of, starter_of, written_starter_of

FEEDBACK = "lab_env.pages.feedback.FeedbackPage"
CONFIG_FILE = "nbgrader_config.py"
HEADING = '"""The nbgrader configuration of this course, written by lab."""'
_STOCK = "nbgrader.preprocessors."
_OURS = "lab_env.gradebook."
RELEASE_STEPS = (
    f"{_STOCK}LockCells",
    f"{_OURS}Blanks",
    f"{_STOCK}ClearOutput",
    f"{_STOCK}CheckCellMetadata",
    f"{_STOCK}ComputeChecksums",
    f"{_STOCK}SaveCells",
    f"{_STOCK}CheckCellMetadata",
)
GRADE_STEPS = (
    f"{_OURS}RowScores",
    f"{_STOCK}AssignLatePenalties",
    f"{_STOCK}CheckCellMetadata",
)


@dataclass(frozen=True)
class HandScore:
    """What a person gave for one cell in formgrader, and said about it."""

    points: float
    comment: str


class Blanks(ClearSolutions):  # type: ignore[misc]
    """Writes the starter of each answer cell instead of nbgrader's one stub."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Return the cell as trainees see it."""
        if regions_of(cell.source):
            if cell.cell_type == "code":
                cell.source = starter_of(cell.source)
            else:
                language = resources["nbgrader"]["assignment"].split("-")[-2]
                cell.source = written_starter_of(cell.source, language)
        return cell, resources


class Rows(NbGraderPreprocessor):  # type: ignore[misc]
    """Puts our result in the place of a submitted notebook, grading it if need be."""

    grade = Bool(True, help="Whether to ask lab grade first.").tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Return the notebook that was run in room A, with its rows in it."""
        release, candidate = _who(resources)
        # What nbgrader copied from beside the notebook: behind a link it may be
        # anything, and feedback would take it on to the trainee.
        shutil.rmtree(Path("autograded", candidate, release), ignore_errors=True)
        try:
            if self.grade:
                _grade(release, candidate)
            found = _result(release, candidate)
        except BrokenError:
            reset_scores(Path.cwd(), release, candidate)
            raise
        made = graded_notebook(found.folder / "executed.ipynb", found.sheet)
        node: NotebookNode = nbformat.from_dict(made)  # type: ignore[no-untyped-call]
        return node, resources


class RowScores(SaveAutoGrades):  # type: ignore[misc]
    """Writes the points of our mark sheet; outputs of cells are never read."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Write one score for each graded cell."""
        self.sheet = _result(*_who(resources)).sheet
        done: tuple[NotebookNode, dict[str, Any]] = super().preprocess(nb, resources)
        return done

    def _add_score(self, cell: NotebookNode, resources: dict[str, Any]) -> None:
        grade = self.gradebook.find_grade(
            cell.metadata["nbgrader"]["grade_id"],
            self.notebook_id,
            self.assignment_id,
            self.student_id,
        )
        grade.auto_score = points_of_cell(self.sheet, cell.metadata["lab"]["rows"])
        # A person's earlier mark stays, and is to be looked at again.
        by_person = grade.manual_score is not None
        grade.needs_manual_grade = by_person or grade.auto_score is None
        self.gradebook.db.commit()


def _who(resources: dict[str, Any]) -> tuple[str, str]:
    about = resources["nbgrader"]
    return about["assignment"], about["student"]


def _result(release: str, candidate: str) -> Result:
    """Return the result to take over; nbgrader works from within the course folder."""
    course = Path.cwd()
    found = find_result(course, find_release(course, release), candidate)
    if found is None or found.sheet.broken:
        seen = "has no result" if found is None else f"is broken ({found.folder.name})"
        raise BrokenError(
            f"{release}: the attempt of {candidate} {seen}, so no points were written;"
            " a person decides."
        )
    return found


def _grade(release: str, candidate: str) -> None:
    """Grade what lies in submitted/, in a process of its own; again does nothing."""
    program = [sys.executable, "-m", "lab_env.cli", "grade", release, "submitted"]
    options = ["--only", candidate, "--no-gradebook", "--course", "."]
    done = subprocess.run([*program, *options], capture_output=True, text=True)
    if done.returncode:
        raise BrokenError(
            f"lab grade {release} --only {candidate} ended with {done.returncode}:"
            f" {(done.stderr.strip() or done.stdout.strip())[-300:]}"
        )


def config() -> Config:
    """Return the configuration that makes nbgrader take our road."""
    made = Config()
    made.CourseDirectory.course_id = "ai_trainer"
    made.CourseDirectory.max_file_size = 4_000_000
    made.GenerateAssignment.preprocessors = list(RELEASE_STEPS)
    made.Autograde.sanitize_preprocessors = [f"{_OURS}Rows"]
    made.Autograde.autograde_preprocessors = list(GRADE_STEPS)
    made.GenerateFeedback.preprocessors = [f"{_STOCK}GetGrades"]
    made.GenerateFeedback.exporter_class = FEEDBACK
    # The folder is there already: it holds the trainee's mark sheet.
    made.GenerateFeedback.force = True
    return made


def write_config(course: Path) -> Path:
    """Write ``nbgrader_config.py``; one that a person wrote instead is left alone."""
    lines = [HEADING, "", "c = get_config()  # noqa: F821", *_lines("c", config()), ""]
    path = course / CONFIG_FILE
    text = "\n".join(lines)
    old = path.read_text("utf-8") if path.is_file() else HEADING
    if old != text and old.startswith(HEADING):
        write_whole(path, text)
    return path


def _lines(name: str, section: Mapping[str, Any]) -> Iterator[str]:
    for key, value in section.items():
        if isinstance(value, Config):
            yield from _lines(f"{name}.{key}", value)
        else:
            yield f"{name}.{key} = {value!r}"


def generate_release(course: Path, release_id: str, *, record: bool = True) -> Path:
    """Make ``release/<id>`` of ``source/<id>`` as nbgrader does; return the folder.

    Without ``record`` the gradebook is left alone.
    """
    settings = config()
    if not record:
        kept = [step for step in RELEASE_STEPS if not step.endswith("SaveCells")]
        settings.GenerateAssignment.preprocessors = kept
        settings.GenerateAssignment.no_database = True
    api = _api(course, settings)
    with _nbgrader_at_home():
        _check_done(
            api.generate_assignment(release_id), f"nbgrader made no {release_id}"
        )
    return course / "release" / release_id


def forget_release(course: Path, release_id: str) -> None:
    """Take an assignment that never came to be out of the gradebook."""
    if not (course / "gradebook.db").is_file():
        return
    with _gradebook(course) as book:
        try:
            book.remove_assignment(release_id)
        except MissingEntry:
            return


def assignments(course: Path) -> tuple[str, ...]:
    """Return the releases that the gradebook knows."""
    with _gradebook(course) as book:
        return tuple(assignment.name for assignment in book.assignments)


def autograde(course: Path, release_id: str, candidate: str) -> None:
    """Take one candidate's points into the gradebook; BrokenError if that fails.

    The work in submitted/ was graded before. nbgrader changes the working folder of
    this process meanwhile.
    """
    settings = config()
    settings.Rows.grade = False
    settings.CourseDirectory.ignore = ["*"]
    api = _api(course, settings)
    with _nbgrader_at_home():
        done = api.autograde(release_id, candidate)
    _check_done(done, f"The gradebook took no points of {candidate} for {release_id}")


def _check_done(done: Mapping[str, Any], failure: str) -> None:
    if done["success"]:
        return
    said = str(done.get("log") or done.get("error") or "").splitlines()
    errors = [line for line in said if "Error: " in line] or said
    raise BrokenError(
        f"{failure}: {errors[-1][:400] if errors else 'it did not say why'}"
    )


def write_manual_score(
    course: Path, release_id: str, candidate: str, cell: str, score: float
) -> None:
    """Write a person's points for one written answer."""
    with _grades(course, release_id, candidate) as grades:
        known = {grade.name: grade for grade in grades}
        if cell not in known:
            raise LabError(
                f'{release_id}: no graded cell "{cell}"; there is {", ".join(known)}.'
            )
        known[cell].manual_score = score
        known[cell].needs_manual_grade = False


def reset_scores(course: Path, release_id: str, candidate: str) -> None:
    """Take back the machine's points, so that an older mark does not stay by chance."""
    with _grades(course, release_id, candidate) as grades:
        for grade in grades:
            grade.auto_score, grade.needs_manual_grade = None, True


def has_submission(course: Path, release_id: str, candidate: str) -> bool:
    """Say whether the gradebook knows this candidate's work."""
    with _gradebook(course) as book:
        try:
            book.find_submission(release_id, candidate)
        except MissingEntry:
            return False
    return True


def scores_of(
    course: Path, release_id: str
) -> dict[str, dict[str, tuple[float | None, bool]]]:
    """Return {candidate: {cell: (points, whether a person must mark it)}}."""
    with _gradebook(course) as book:
        return {
            submission.student.id: {
                grade.name: (_points(grade), grade.needs_manual_grade)
                for notebook in submission.notebooks
                for grade in notebook.grades
            }
            for submission in book.assignment_submissions(release_id)
        }


def hand_scores(course: Path, release_id: str) -> dict[str, dict[str, HandScore]]:
    """Return {candidate: {cell: what a person gave and has not to look at again}}."""
    with _gradebook(course) as book:
        return {
            submission.student.id: {
                grade.name: HandScore(grade.manual_score, said.get(grade.name) or "")
                for notebook in submission.notebooks
                for said in [{each.name: each.comment for each in notebook.comments}]
                for grade in notebook.grades
                if grade.manual_score is not None and not grade.needs_manual_grade
            }
            for submission in book.assignment_submissions(release_id)
        }


def _points(grade: Grade) -> float | None:
    manual: float | None = grade.manual_score
    auto: float | None = grade.auto_score
    return auto if manual is None else manual


@contextmanager
def _grades(course: Path, release_id: str, candidate: str) -> Iterator[list[Grade]]:
    with _gradebook(course) as book:
        try:
            submission = book.find_submission(release_id, candidate)
        except MissingEntry as error:
            raise LabError(
                f"The gradebook has no submission of {candidate} for {release_id};"
                " grade it first."
            ) from error
        yield [grade for notebook in submission.notebooks for grade in notebook.grades]
        book.db.commit()


@contextmanager
def _gradebook(course: Path) -> Iterator[Gradebook]:
    with _nbgrader_at_home():
        url = f"sqlite:///{(course / 'gradebook.db').resolve()}"
        with Gradebook(url, config().CourseDirectory.course_id) as book:
            yield book


def _api(course: Path, settings: Config) -> NbGraderAPI:
    folder = CourseDirectory(config=settings, root=str(course.resolve()))
    return NbGraderAPI(coursedir=folder, config=settings)


@contextmanager
def _nbgrader_at_home() -> Iterator[None]:
    """Let nbgrader find ``alembic``, which it starts by name, and warn nobody.

    The warnings are SQLAlchemy's, about nbgrader's own use of it.
    """
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.environ["PATH"] = before
