"""Room A: run code that nobody has read, and take only files from it."""

from lab_env.sandbox.isolation import detect_isolation, require_isolation
from lab_env.sandbox.notebook_run import NotebookRun, run_notebook
from lab_env.sandbox.program import run_program
from lab_env.sandbox.runs import Ended, Isolation, JailRun, Limits, SandboxError

__all__ = [
    "Ended",
    "Isolation",
    "JailRun",
    "Limits",
    "NotebookRun",
    "SandboxError",
    "detect_isolation",
    "require_isolation",
    "run_notebook",
    "run_program",
]
