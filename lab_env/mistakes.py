"""Named wrong answers that trainees really give, and the rows each must lose.

They are how we know that a grader can tell good work from bad.
"""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab_env.checks import Text
from lab_env.errors import LabError


@dataclass(frozen=True)
class Mistake:
    """One wrong answer: the code that stands instead of each named solution region.

    Work of the hand is wrong by ``by_hand``: it gets a folder with the right
    deliverables of one language and spoils them. With ``until`` the answers after
    that one stay blank, so that an early mistake costs no training.
    """

    name: str
    says: Text
    answers: Mapping[str, str]
    loses: tuple[str, ...]
    by_hand: Callable[[Path], None] | None = None
    until: str = ""


def load_mistakes(path: Path) -> tuple[Mistake, ...]:
    """Return ``MISTAKES`` of a lab's ``mistakes.py``; it is our own code."""
    spec = importlib.util.spec_from_file_location("lab_mistakes", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise LabError(f"No file {path}; write MISTAKES there, at least one.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    mistakes: tuple[Mistake, ...] = module.MISTAKES
    return mistakes
