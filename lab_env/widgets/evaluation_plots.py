"""Pictures of an evaluation, in the notebook's language, with a font that has it.

Where no font of the machine has Chinese, words are English and teams have their code:
an empty box in a picture tells nobody anything.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import IPython.display
from matplotlib import rc_context
from matplotlib.figure import Figure

from lab_env.checks import Text
from lab_env.widgets.fonts import chinese_font

# IPython's functions carry no types.
ui: Any = IPython.display

RECALL = Text("召回率（找到了多少）", "recall (share found)")
SURE = Text("模型有多大把握", "how sure the model is")
RIGHT = Text("其中答对的比例", "share of right answers")
IDEAL = Text("说几成就对几成", "as right as it is sure")
THRESHOLD = Text(
    "阈值：把握不到这么大，就请人读", "threshold: less sure, and a person reads it"
)
YUAN = Text("每千条消息的花费（元）", "yuan for 1,000 messages")
COLOURS = {"a": "#4477aa", "b": "#cc6633"}
SIZE, DPI = (7, 3.4), 110


def recall_bars(
    recalls: Mapping[str, Mapping[str, float]], names: Mapping[str, str]
) -> Any:
    """Draw one group of bars for each team."""
    chinese = any(not name.isascii() for name in names.values())
    with _words("zh" if chinese else "en") as language:
        figure, axes = _figure(YUAN, RECALL, language)
        axes.set_xlabel("")
        for shift, (who, shares) in enumerate(recalls.items()):
            places = [place + 0.4 * shift - 0.2 for place in range(len(shares))]
            axes.bar(places, list(shares.values()), 0.4, **_look(who))
        codes = list(next(iter(recalls.values())))
        readable = chinese == (language == "zh")
        shown = [names[code] if readable else code for code in codes]
        axes.set_xticks(range(len(codes)), shown, rotation=40, ha="right")
        return _finished(figure, axes)


def reliability(
    bins: Mapping[str, Sequence[tuple[float, float]]], language: str
) -> Any:
    """Draw mean confidence against accuracy, one point for each bin."""
    with _words(language) as spoken:
        figure, axes = _figure(SURE, RIGHT, spoken)
        axes.plot([0, 1], [0, 1], ":", color="grey", label=IDEAL.read(spoken))
        for who, points in bins.items():
            sure, right = zip(*points, strict=True)
            axes.plot(sure, right, "o-", **_look(who))
        return _finished(figure, axes)


def cost_curves(costs: Mapping[str, Mapping[float, float]], language: str) -> Any:
    """Draw what 1,000 messages cost at each threshold."""
    with _words(language) as spoken:
        figure, axes = _figure(THRESHOLD, YUAN, spoken)
        for who, found in costs.items():
            axes.plot(list(found), list(found.values()), ".-", **_look(who))
        return _finished(figure, axes)


@contextmanager
def _words(language: str) -> Iterator[str]:
    """Draw with a font for this language; yield the language that can be drawn."""
    font = chinese_font()
    family = ["DejaVu Sans"] if font is None else [font, "DejaVu Sans"]
    # The minus sign of matplotlib is in few Chinese fonts.
    with rc_context({"font.family": family, "axes.unicode_minus": False}):
        yield "en" if font is None else language


def _figure(x: Text, y: Text, language: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=SIZE, layout="constrained")
    axes: Any = figure.subplots()
    axes.set_xlabel(x.read(language))
    axes.set_ylabel(y.read(language))
    return figure, axes


def _look(who: str) -> dict[str, Any]:
    return {"color": COLOURS.get(who), "label": who.upper()}


def _finished(figure: Figure, axes: Any) -> Any:
    """Return the picture, drawn while the font is set."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    stream = io.BytesIO()
    figure.savefig(stream, dpi=DPI)
    return ui.Image(data=stream.getvalue(), format="png", width=SIZE[0] * 96)
