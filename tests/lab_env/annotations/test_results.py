"""Facts about regions: what a screen sends is read strictly and written back."""

import json
import math
from contextlib import suppress
from typing import Any

import pytest
from annotated_toy import (
    UNTIMED,
    box,
    chosen,
    images,
    note,
    pair,
    pairs,
    rank,
    ranks,
    span,
    texts,
)
from hypothesis import example, given
from hypothesis import strategies as st

from lab_env.annotations.labelling import Labelling
from lab_env.annotations.reading import read_result
from lab_env.annotations.results import Box, Region, Span, box_of_pixels, region_json
from lab_env.annotations.tasks import Task, tasks_of
from lab_env.checks import Finding, Text

HERE = Text("任务 1 ", "Task 1, ")


def read(
    toy: tuple[Labelling, list[Task]], *raw: object, at: int = 0
) -> tuple[Region, ...]:
    """Return the regions of a result for one task of a toy."""
    labelling, tasks = toy
    # Through JSON, as a comm or a file brings them.
    sent = json.loads(json.dumps(list(raw)))
    return read_result(sent, labelling, tasks[at].data, HERE)


def refused(toy: tuple[Labelling, list[Task]], *raw: object) -> str:
    """Return the sentence that a result ends in, without its place and its advice."""
    with pytest.raises(Finding) as caught:
        read(toy, *raw)
    said = caught.value.message
    assert said.zh.startswith("任务 1 ")
    return said.en.removeprefix("Task 1, ").removesuffix(
        ". Do this item again in the widget."
    )


ALL: list[tuple[tuple[Labelling, list[Task]], list[dict[str, Any]]]] = [
    (texts(), [chosen(), span(0, 2, text="张伟"), span(3, 5, "LOC"), note("因为")]),
    (images(), [box(10, 20, 30.5, 40), box(0, 0, 100, 100)]),
    (pairs(), [pair("right"), note("更安全", "question")]),
    (ranks(), [rank("c", "a", "b")]),
]


@pytest.mark.parametrize(("toy", "raw"), ALL, ids=["text", "image", "pair", "rank"])
def test_every_kind_comes_back_as_it_was(
    toy: tuple[Labelling, list[Task]], raw: list[dict[str, Any]]
) -> None:
    """All six kinds survive Label Studio's JSON, and ids that a screen gave stay."""
    regions = read(toy, *[{**each, "id": f"r-{n}"} for n, each in enumerate(raw)])
    written = [region_json(region, 9) for region in regions]

    assert read(toy, *written) == regions
    assert [each["id"] for each in written] == [f"r-{n}" for n in range(len(raw))]
    assert [each["type"] for each in written] == [each["type"] for each in raw]


def test_the_names_that_label_studio_writes() -> None:
    """A comparison points at itself, a ranking is a list under its control's name."""
    (better,) = read(pairs(), pair("left"))
    (order,) = read(ranks(), rank("b", "a", "c"))

    assert region_json(better, 1)["to_name"] == "better"
    assert region_json(order, 1)["value"] == {"ranker": {"rank": ["b", "a", "c"]}}
    assert read(ranks(), {**rank(), "value": {"ranker": ["b", "a", "c"]}}) == (order,)


def test_offsets_count_characters_and_not_utf_16_units() -> None:
    """An emoji before Chinese text is one character, so 张伟 stands at 1 to 3."""
    (found,) = read(texts(), span(1, 3, text="张伟"), at=1)
    assert isinstance(found, Span)
    assert found.text == "张伟"

    with pytest.raises(Finding, match="text is '张伟', expected '伟在'"):
        read(texts(), span(2, 4, text="张伟"), at=1)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (span(0, 99), "region 1: start/end is '0 - 99', expected 0 to 6"),
        (span(-1, 2), "region 1: start/end is '-1 - 2', expected 0 to 6"),
        (span(2, 2), "region 1: start/end is '2 - 2', expected 0 to 6"),
        (span(3, 2), "region 1: start/end is '3 - 2', expected 0 to 6"),
        (span(0, 2, text="上海"), "region 1: text is '上海', expected '张伟'"),
        (span(0, 2, "ORG"), "region 1: labels is 'ORG', expected PER, LOC, each once"),
        (span(0, 2, start=True), "region 1: start is True, expected a whole number"),
        (span(0, 2, start=0.0), "region 1: start is 0.0, expected a whole number"),
        (span(0, 2, end=10**400), f"region 1: start/end is '0 - {'1' + '0' * 25}', expected 0 to 6"),
        (span(0, 2, labels=[]), "region 1: labels is list (0), expected a list of labels"),
        (span(0, 2, labels=["PER", "LOC"]), "region 1: labels is list (2), expected one label only"),
        (span(0, 2, labels=["PER", "PER"]), "region 1: labels is 'PER', expected PER, LOC, each once"),
        (span(0, 2, labels="PER"), "region 1: labels is 'PER', expected a list of labels"),
        (span(0, 2, labels=[["PER"]]), "region 1: labels is list (1), expected PER, LOC, each once"),
        (chosen("refunds"), "region 1: labels is 'refunds', expected delivery, refund, each once"),
        ({**chosen(), "type": "labels"}, "region 1: type is 'labels', expected choices"),
        ({**chosen(), "from_name": "x"}, "region 1: from_name is 'x', expected team, ner, why"),
        ({**chosen(), "from_name": {}}, "region 1: from_name is dict (0), expected team, ner, why"),
        ({**chosen(), "to_name": "x"}, "region 1: to_name is 'x', expected text"),
        ({**chosen(), "value": []}, "region 1: value is list (0), expected a dictionary"),
        ("x", "region 1: region is 'x', expected a dictionary"),
        (note("a" * 10_001), "region 1: text is '10001', expected at most 10000 whole characters"),
        (note("\ud83d"), "region 1: text is '1', expected at most 10000 whole characters"),
        ({**note(""), "value": {"text": [1]}}, "region 1: text is list (1), expected a text"),
        ({**note(""), "value": {"text": []}}, "region 1: text is list (0), expected a text"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_text_tasks(raw: object, sentence: str) -> None:
    """Offsets outside the text, other words there, unknown labels: one sentence each."""
    assert refused(texts(), raw) == sentence


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (box(90, 0, 20, 10), "region 1: box is '90.00 + 20.00', expected within 0 to 100 %"),
        (box(-1, 0, 20, 10), "region 1: box is '-1.00 + 20.00', expected within 0 to 100 %"),
        (box(0, 0, 0, 10), "region 1: box is '0.00 + 0.00', expected within 0 to 100 %"),
        (box(0, 0, 10, -5), "region 1: box is '0.00 + -5.00', expected within 0 to 100 %"),
        (box(math.nan, 0, 1, 1), "region 1: x is nan, expected a number"),
        (box(0, math.inf, 1, 1), "region 1: y is inf, expected a number"),
        (box(0, 0, 10**400, 1), f"region 1: width is {'1' + '0' * 29}, expected a number"),
        (box(0, 0, 1, 1, x="1"), "region 1: x is '1', expected a number"),
        (box(0, 0, 1, 1, x=True), "region 1: x is True, expected a number"),
        (box(0, 0, 1, 1, rotation=5), "region 1: rotation is 5, expected 0"),
        ({**box(0, 0, 1, 1), "original_width": 0}, "region 1: original_width is 0, expected 1 to 100000"),
        ({**box(0, 0, 1, 1), "original_height": None}, "region 1: original_height is None, expected a whole number"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_images(raw: object, sentence: str) -> None:
    """Boxes outside the image, not-a-number and rotation are refused."""
    assert refused(images(), raw) == sentence


@pytest.mark.parametrize("side", ["both", None, 1, ["left"]])
def test_a_comparison_has_two_sides(side: Any) -> None:
    """Only left and right can be better."""
    assert "expected left or right" in refused(pairs(), pair(side))


@pytest.mark.parametrize(
    "order",
    [["a", "b"], ["a", "b", "b"], ["a", "b", "x"], ["a", "b", ["c"]], "abc", None],
)
def test_a_ranking_has_every_item_once(order: Any) -> None:
    """A ranking that leaves out, repeats or invents an item is refused."""
    raw = {**rank(), "value": {"ranker": {"rank": order}}}

    assert "expected a, b, c, each once" in refused(ranks(), raw)


def test_a_question_is_answered_once() -> None:
    """Two answers to one question are refused, two spans are not."""
    assert (
        refused(texts(), chosen(), chosen())
        == '"team" is answered 2 times, expected once'
    )
    assert len(read(texts(), span(0, 1), span(0, 1))) == 2


def test_a_result_has_a_limit() -> None:
    """A result of a million regions, or one that is no list, is refused."""
    labelling, tasks = texts()

    assert (
        refused(texts(), *[span(0, 1)] * 501)
        == "result is 501, expected a list of up to 500"
    )
    with pytest.raises(Finding, match="result is None"):
        read_result(None, labelling, tasks[0].data, HERE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@UNTIMED
@given(st.data())
def test_whatever_stands_in_a_field_is_read_or_refused(data: st.DataObject) -> None:
    """Any JSON value in any field ends in regions or in a sentence."""
    toy, raw = data.draw(st.sampled_from(ALL))
    item = json.loads(json.dumps(data.draw(st.sampled_from(raw))))
    place = data.draw(st.sampled_from([item, item["value"]]))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(JSON)
    labelling, tasks = toy

    with suppress(Finding):
        regions = read_result([item], labelling, tasks[0].data, HERE)
        assert json.dumps([region_json(each, 1) for each in regions], allow_nan=False)


@UNTIMED
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.data())
@example("😀张伟", None)
def test_a_span_holds_the_characters_that_python_sees(text: str, data: Any) -> None:
    """For any text and any two offsets the span's text is the slice."""
    if not text.strip():
        return
    start = data.draw(st.integers(0, len(text) - 1)) if data else 1
    end = data.draw(st.integers(start + 1, len(text))) if data else 3
    toy = texts()[0], tasks_of([{"text": text}])

    (found,) = read(toy, span(start, end, text=text[start:end]))

    assert isinstance(found, Span)
    assert found.text == text[start:end]


PIXELS = st.integers(1, 8000)


@UNTIMED
@given(PIXELS, PIXELS, st.data())
def test_percent_and_pixels_are_one_box(width: int, height: int, data: Any) -> None:
    """A box over whole pixels comes back, from percent and JSON, as the same pixels."""
    left, top = (
        data.draw(st.integers(0, width - 1)),
        data.draw(st.integers(0, height - 1)),
    )
    size = (
        data.draw(st.integers(1, width - left)),
        data.draw(st.integers(1, height - top)),
    )
    drawn = box_of_pixels(
        "defect", "image", (left, top, *size), ("dent",), (width, height)
    )

    (found,) = read(images(), region_json(drawn, 1))

    assert isinstance(found, Box)
    assert found == drawn
    assert [round(each, 6) for each in found.pixels] == [left, top, *size]


def test_the_box_of_the_notes() -> None:
    """A box over pixels (60, 80) to (220, 240) is exactly [60, 80, 160, 160]."""
    drawn = box_of_pixels("defect", "image", (60, 80, 160, 160), ("dent",), (640, 480))

    assert drawn.pixels == pytest.approx((60, 80, 160, 160), abs=1e-9)
