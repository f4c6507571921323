"""What a grader sees of one submission: deliverables, released files, answer key.

The same class serves the notebook (open rows, no key) and room B (all rows, with
the key), so a row cannot behave differently in practice and in the exam.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab_env import readers
from lab_env.checks import Finding, NotAttempted, Text, Unreadable
from lab_env.errors import BrokenError
from lab_env.scenario import Scenario


@dataclass(frozen=True)
class TrustedFiles:
    """Files of ours: whatever is wrong with them makes the attempt broken."""

    folder: Path

    def read_csv(self, name: str, columns: Sequence[str]) -> list[dict[str, str]]:
        """Return the rows of one of our CSV files."""
        try:
            return readers.read_csv(self.folder, name, columns)
        except Finding as finding:
            seen = f"{self.folder / name}: {finding.message.en}"
            raise BrokenError(seen) from finding


@dataclass(frozen=True)
class Submission:
    """The deliverables of one attempt, beside what they are compared with."""

    folder: Path
    released: TrustedFiles
    scenario: Scenario
    language: str
    # Answer cells by name: what was handed in, and the starter they began as.
    answers: Mapping[str, str] = field(default_factory=dict)
    starters: Mapping[str, str] = field(default_factory=dict)
    # Deliverables that were there but not taken, with the reason.
    refused: Mapping[str, Finding] = field(default_factory=dict)
    # Closed to the notebook: only room B fills these in.
    key: TrustedFiles | None = None
    model_output: Path | None = None

    @property
    def answer_key(self) -> TrustedFiles:
        """The sealed key; a row that reads it is closed to the notebook."""
        if self.key is None:
            raise BrokenError("A row asked for the answer key, which is not here.")
        return self.key

    @property
    def curves(self) -> dict[str, dict[str, float]]:
        """The scenario's published curves in the language of this release."""
        return self.scenario.curves[self.language]

    def read_json(self, name: str, fields: Mapping[str, type]) -> dict[str, Any]:
        """Return a JSON deliverable that has ``fields``, each of its type."""
        self._refuse(name)
        return readers.read_json(self.folder, name, fields)

    def read_csv(self, name: str, columns: Sequence[str]) -> list[dict[str, str]]:
        """Return the rows of a CSV deliverable that has ``columns``."""
        self._refuse(name)
        return readers.read_csv(self.folder, name, columns)

    def read_text(self, name: str) -> str:
        """Return a text deliverable."""
        self._refuse(name)
        return readers.read_text(self.folder, name)

    def read_tensor_shapes(self, name: str) -> dict[str, tuple[int, ...]]:
        """Return {tensor name: shape} of a safetensors deliverable."""
        self._refuse(name)
        return readers.read_tensor_shapes(self.folder, name)

    def written_answer(self, name: str) -> str:
        """Return the text of a written answer; the starter is NotAttempted."""
        text = self.answers.get(name, "").strip()
        if not text or text == self.starters.get(name, "").strip():
            zh = "这段文字还没有写。请双击单元格，把提示换成你自己的话。"
            en = "Nothing is written yet. Double-click the cell and write your answer."
            raise NotAttempted(Text(zh, en))
        return text

    def model_predictions(self) -> list[dict[str, str]]:
        """Return id and label of each held-out input, by our own run of the model.

        A submitted model that would not load is a Finding.
        """
        if self.model_output is None:
            raise BrokenError("A row asked for the examiner's run of the model.")
        failure = self.model_output / "failure.txt"
        if failure.is_file():
            raise _unusable(readers.read_text(self.model_output, failure.name))
        if not (self.model_output / "predictions.csv").is_file():
            zh = "还没有保存模型。请完成训练，并运行保存模型的单元格。"
            en = "No model is saved yet. Finish the training, then run the saving cell."
            raise NotAttempted(Text(zh, en))
        return readers.read_csv(self.model_output, "predictions.csv", ["id", "label"])

    def numbers_of_model(self, split: str) -> dict[str, str] | None:
        """Return {id: number of the label} of a released split, by our own run.

        None in the notebook, where nobody runs the model but the trainee; nothing
        for a split that was not run.
        """
        if self.model_output is None:
            return None
        self.model_predictions()
        name = f"numbers_{split}.csv"
        if not (self.model_output / name).is_file():
            return {}
        rows = readers.read_csv(self.model_output, name, ["id", "number"])
        return {row["id"]: row["number"] for row in rows}

    def _refuse(self, name: str) -> None:
        for refused, finding in self.refused.items():
            if name == refused or name.startswith(f"{refused}/"):
                raise finding


def _unusable(said: str) -> Finding:
    """Return the finding about a model that did not load: a line zh, a line en."""
    lines = [line[:200] for line in said.splitlines()] or ["?"]
    zh = f"考评程序无法使用你保存的模型：{lines[0]}。请重新运行保存它的单元格。"
    en = f"The examiner could not use your saved model: {lines[-1]}. Save it again."
    return Unreadable(Text(zh, en))
