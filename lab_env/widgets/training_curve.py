"""The curve that grows while ``Trainer`` works: two losses, macro-F1, a progress bar.

Shown by display handles, so it works in JupyterLab and in a plain runner alike, and
leaves one picture behind.
"""

import io
import time
from typing import Any

import IPython.display
import matplotlib
from matplotlib.figure import Figure
from transformers import (
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from lab_env.checks import Text
from lab_env.widgets.fonts import chinese_font

# IPython's functions carry no types.
ui: Any = IPython.display

EVERY_SECONDS = 0.4
EPOCH = Text("轮(epoch)", "epoch")
LOSS = Text("损失（越低越好）", "loss (lower is better)")
SCORE = Text("macro-F1（越高越好）", "macro-F1 (higher is better)")
TRAIN = Text("训练集", "train")
VALIDATION = Text("验证集", "validation")
RUNNING = Text(
    "第 {epoch:.1f} 轮，共 {epochs:g} 轮 · 已用 {seconds:.0f} 秒",
    "epoch {epoch:.1f} of {epochs:g} · {seconds:.0f} s",
)


class Progress:
    """A line with a bar, as HTML and as plain text."""

    def __init__(self, share: float, words: str) -> None:
        self.share, self.words = share, words

    def __repr__(self) -> str:
        """Return the words alone."""
        return self.words

    def _repr_html_(self) -> str:
        return f'<progress max="1" value="{self.share:.3f}"></progress> {self.words}'


class TrainingCurve(TrainerCallback):
    """Draws after every epoch; the first display is made when training begins."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.losses: list[tuple[float, float]] = []
        self.checks: list[tuple[float, float, float]] = []
        self.started = self.shown = 0.0
        self.bar = ui.DisplayHandle()
        self.picture = ui.DisplayHandle()

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Begin anew, so that running the cell twice draws two curves."""
        self.losses, self.checks = [], []
        self.started = self.shown = time.monotonic()
        self.bar, self.picture = ui.DisplayHandle(), ui.DisplayHandle()
        self.bar.display(self._progress(state))
        self.picture.display(ui.HTML(""))

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Move the bar, a few times a second at most."""
        if time.monotonic() - self.shown > EVERY_SECONDS:
            self.shown = time.monotonic()
            self.bar.update(self._progress(state))

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Keep the numbers and draw again when an epoch was checked."""
        epoch = float(state.epoch or 0)
        logs = logs or {}
        if "loss" in logs:
            self.losses.append((epoch, logs["loss"]))
        if "eval_loss" in logs and state.global_step:
            score = logs.get("eval_macro_f1", float("nan"))
            self.checks.append((epoch, logs["eval_loss"], score))
            self.picture.update(ui.Image(self.draw(), format="png"))

    def on_train_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Fill the bar."""
        self.bar.update(self._progress(state))

    def draw(self) -> bytes:
        """Return the picture as PNG."""
        family = [chinese_font(), "DejaVu Sans"]
        with matplotlib.rc_context({"font.family": [name for name in family if name]}):
            figure = Figure(figsize=(8, 2.8), layout="constrained")
            left, right = figure.subplots(1, 2)
            epochs = [epoch for epoch, _, _ in self.checks]
            left.plot(*zip(*self.losses, strict=True), "o--", label=self._say(TRAIN))
            losses = [loss for _, loss, _ in self.checks]
            left.plot(epochs, losses, "s-", label=self._say(VALIDATION))
            right.plot(
                epochs, [score for *_, score in self.checks], "s-", color="tab:green"
            )
            left.set(xlabel=self._say(EPOCH), ylabel=self._say(LOSS))
            right.set(xlabel=self._say(EPOCH), ylabel=self._say(SCORE), ylim=(0, 1))
            left.legend()
            picture = io.BytesIO()
            figure.savefig(picture, format="png", dpi=100)
        return picture.getvalue()

    def _say(self, text: Text) -> str:
        # Without a Chinese font the labels would be boxes.
        return text.read(self.language if chinese_font() else "en")

    def _progress(self, state: TrainerState) -> Progress:
        words = RUNNING.read(self.language).format(
            epoch=state.epoch or 0,
            epochs=state.num_train_epochs,
            seconds=time.monotonic() - self.started,
        )
        return Progress(state.global_step / max(1, state.max_steps), words)
