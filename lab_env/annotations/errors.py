"""The error of an annotation file, in both languages of the lab."""

from lab_env.checks import Text
from lab_env.errors import LabError


class AnnotationError(LabError):
    """A configuration, task file or result file that the user must change."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.message = Text(zh, en)
