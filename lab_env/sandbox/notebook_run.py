"""Run a submitted notebook in room A, cold or warm.

The kernel and what drives it are both in the jail: nothing outside ever speaks to
the trainee's code. Covered and not covered: see ``lab_env.sandbox.program``.
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab_env.errors import SubmissionError
from lab_env.sandbox.program import Task, run_task
from lab_env.sandbox.runs import MB, Isolation, JailRun, Limits, SandboxError

INSIDE = Path(__file__).parent.parent / "inside" / "run_cells.py"
SUBMITTED = "submitted.ipynb"
# Named by text: importing ``run_cells`` would load Jupyter out here.
EXECUTED = "executed.ipynb"
TIMED_OUT = "timed_out"
CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
NOTEBOOK_MB = 32


@dataclass(frozen=True)
class NotebookRun:
    """What came out. ``executed`` and ``failed_cell`` may be the trainee's words."""

    jail: JailRun
    executed: Path | None
    failed_cell: str | None
    deliverables: tuple[str, ...]
    refused: tuple[tuple[str, str], ...] = ()


def run_notebook(
    notebook: Path,
    *,
    released: Path,
    deliverables: Sequence[str],
    out: Path,
    limits: Limits,
    isolation: Isolation,
    threads: int = 1,
    python: Path | None = None,
) -> NotebookRun:
    """Execute ``notebook`` beside the ``released`` files; results are in ``out``.

    Exit code of the run: 0 all cells ran, 1 the file is no notebook, 4 the kernel
    died, 5 it was stuck. Names of folders among the deliverables end with "/".
    """
    size_mb = accepted_size_mb(notebook, deliverables)
    interpreter = Path(sys.executable) if python is None else python
    run = run_task(
        Task(
            argv=command(interpreter, limits),
            files={path.name: path for path in sorted(released.iterdir())},
            out=out,
            collect=deliverables,
            limits=limits,
            isolation=isolation,
            threads=threads,
            python=interpreter,
            side_files={SUBMITTED: notebook},
            # As ASCII, a Chinese letter of three bytes takes six.
            side_collect={EXECUTED: limits.output_mb + 2 * size_mb, TIMED_OUT: 1},
        )
    )
    return result_of(run, out)


def accepted_size_mb(notebook: Path, deliverables: Sequence[str]) -> int:
    """Return the size, rounded up; raise if the notebook or a name is not taken."""
    size_mb = notebook.stat().st_size / MB
    if size_mb > NOTEBOOK_MB:
        raise SubmissionError(
            f"{notebook.name} has {size_mb:.1f} MB, the limit is {NOTEBOOK_MB} MB. "
            "Clear its outputs and hand it in again."
        )
    if notebook.is_symlink():
        raise SubmissionError(
            f"{notebook.name} is a link, a notebook was expected. Hand in the file."
        )
    if taken := {EXECUTED, TIMED_OUT} & set(deliverables):
        raise SandboxError(f"No deliverable may be called {min(taken)}: rename it.")
    return int(size_mb) + 1


def command(interpreter: Path, limits: Limits) -> list[str]:
    """Return the command that executes the notebook in the run folder."""
    notebook = f"{{run}}/{SUBMITTED}"
    numbers = (str(limits.cell_seconds), str(limits.output_mb))
    return [str(interpreter), "-I", str(INSIDE), notebook, *numbers]


def result_of(run: JailRun, out: Path) -> NotebookRun:
    """Return the run with what our own program left in ``out``."""
    executed = out / EXECUTED
    return NotebookRun(
        jail=run,
        executed=executed if executed.exists() else None,
        failed_cell=take_cell_id(out / TIMED_OUT),
        deliverables=run.collected,
        refused=run.refused,
    )


def take_cell_id(note: Path) -> str | None:
    """Return the cell id in ``note`` and remove it; None if it holds anything else."""
    try:
        text = note.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        text = ""
    note.unlink(missing_ok=True)
    return text if CELL_ID.fullmatch(text) else None
