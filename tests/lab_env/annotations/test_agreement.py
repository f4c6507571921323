"""Facts about agreement, matching and sampling: equal to the field's libraries."""

import io
import math
import warnings
from contextlib import redirect_stdout
from typing import Any

import numpy as np
import pytest
from annotated_toy import UNTIMED
from hypothesis import assume, given
from hypothesis import strategies as st

from lab_env.annotations.agreement import (
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    raw_agreement,
)
from lab_env.annotations.bio import tags
from lab_env.annotations.matching import (
    Counts,
    box_iou,
    count_spans,
    match_boxes,
    span_iou,
)
from lab_env.annotations.results import Box, Span
from lab_env.annotations.sampling import (
    acceptance_probability,
    error_limit,
    sample_size,
)

LABEL = st.sampled_from("abc")
PAIRS = st.lists(st.tuples(LABEL, LABEL), min_size=1, max_size=30)


def near(value: float, nominal: float) -> bool:
    """Say whether two numbers are one, or both are undefined."""
    both_undefined = math.isnan(value) and math.isnan(nominal)
    return both_undefined or math.isclose(value, nominal, abs_tol=1e-9)


@UNTIMED
@given(PAIRS)
def test_cohen_kappa_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    """Raw agreement and Cohen's kappa equal scikit-learn's, undefined cases too."""
    from sklearn.metrics import accuracy_score, cohen_kappa_score

    first, second = map(list, zip(*pairs, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nominal = cohen_kappa_score(first, second)

    assert near(raw_agreement(first, second), accuracy_score(first, second))
    assert near(cohen_kappa(first, second), nominal)


@UNTIMED
@given(st.integers(2, 5).flatmap(lambda n: st.lists(st.lists(LABEL, min_size=n, max_size=n), min_size=1, max_size=12)))  # fmt: skip
def test_fleiss_kappa_is_that_of_statsmodels(items: list[list[str]]) -> None:
    """Fleiss' kappa equals statsmodels', undefined cases too."""
    from statsmodels.stats.inter_rater import fleiss_kappa as theirs

    table = np.array([[item.count(label) for label in "abc"] for item in items])
    with np.errstate(all="ignore"):
        nominal = float(theirs(table))

    # Where everybody agrees on one label, 0 / 0 may come out as any number there.
    assume(len({label for item in items for label in item}) > 1)
    assert near(fleiss_kappa(items), nominal)


@UNTIMED
@given(st.lists(st.tuples(LABEL, LABEL, LABEL), min_size=2, max_size=12))
def test_krippendorff_alpha_is_that_of_nltk(items: list[tuple[str, ...]]) -> None:
    """Krippendorff's alpha equals NLTK's where every label was given."""
    from nltk.metrics.agreement import AnnotationTask

    assume(len({label for item in items for label in item}) > 1)
    data = [(f"c{n}", f"i{k}", label) for k, item in enumerate(items) for n, label in enumerate(item)]  # fmt: skip

    assert near(krippendorff_alpha(items), AnnotationTask(data=data).alpha())


def test_krippendorff_alpha_with_labels_missing() -> None:
    """The worked example of the field, with gaps, gives 0.743."""
    rows = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    ]
    items = [
        [None if x is None else str(x) for x in each]
        for each in zip(*rows, strict=True)
    ]

    assert krippendorff_alpha(items) == pytest.approx(0.743, abs=0.0005)


def test_undefined_coefficients_are_not_a_number() -> None:
    """Where all used one label, or nobody labelled, no coefficient is claimed."""
    assert math.isnan(cohen_kappa(["a", "a"], ["a", "a"]))
    assert math.isnan(fleiss_kappa([["a", "a"]]))
    assert math.isnan(krippendorff_alpha([["a", "a"], ["b", None]]))
    assert math.isnan(raw_agreement([], []))
    assert math.isnan(cohen_kappa([], []))


@pytest.mark.parametrize("items", [[], [["a"]], [["a", "b"], ["a"]]])
def test_fleiss_needs_equally_many_labels(items: list[list[str]]) -> None:
    """A table with gaps is said to be none."""
    with pytest.raises(
        ValueError, match="each item needs the same 2 or more labels, got"
    ):
        fleiss_kappa(items)


def spans_in(size: int) -> st.SearchStrategy[list[Span]]:
    """Return spans that do not overlap, in a text of ``size`` characters."""

    def make(edges: list[int], labels: list[str]) -> list[Span]:
        pairs = zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False)
        return [
            Span("n", "t", a, b, "x" * (b - a), (label,))
            for (a, b), label in zip(pairs, labels, strict=False)
        ]

    edges = st.lists(st.integers(0, size), unique=True, max_size=8)
    return st.builds(make, edges, st.lists(LABEL, min_size=4, max_size=4))


@UNTIMED
@given(st.lists(st.tuples(spans_in(12), spans_in(12)), min_size=1, max_size=4))
def test_exact_span_f1_is_that_of_seqeval(texts: list[tuple[list[Span], list[Span]]]) -> None:  # fmt: skip
    """Precision, recall and F1 of exact spans equal seqeval's over BIO tags."""
    from seqeval.metrics import f1_score, precision_score, recall_score

    counts = sum((count_spans(a, b) for a, b in texts), Counts(0, 0, 0))
    right, given_tags = ([tags("一" * 12, pair[n]) for pair in texts] for n in (0, 1))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert near(counts.f1, float(f1_score(right, given_tags)))
        assert near(counts.precision, float(precision_score(right, given_tags)))
        assert near(counts.recall, float(recall_score(right, given_tags)))


def span(start: int, end: int, label: str = "a") -> Span:
    """Return one span."""
    return Span("n", "t", start, end, "x" * (end - start), (label,))


def test_relaxed_spans_are_paired_once() -> None:
    """A span over everything matches one and not all; the label must be right."""
    right = [span(0, 2), span(4, 6), span(8, 9, "b")]

    assert count_spans(right, [span(0, 9)], overlap=0) == Counts(1, 2, 0)
    assert count_spans(right, [span(1, 3), span(5, 7)], overlap=0) == Counts(2, 1, 0)
    assert count_spans(right, [span(1, 3), span(5, 7)], overlap=0.5) == Counts(0, 3, 2)
    assert count_spans(right, [span(0, 2, "b")], overlap=0) == Counts(0, 3, 1)
    assert count_spans(right, [span(2, 4)], overlap=0) == Counts(0, 3, 1)
    assert span_iou(span(0, 4), span(2, 6)) == pytest.approx(1 / 3)


def test_relaxed_spans_are_paired_as_well_as_can_be() -> None:
    """A first choice that would leave another alone is given up."""
    assert count_spans([span(0, 9), span(0, 3)], [span(0, 3), span(5, 9)], overlap=0) == Counts(2, 0, 0)  # fmt: skip


@UNTIMED
@given(spans_in(12), spans_in(12))
def test_relaxed_is_never_less_than_exact(
    first: list[Span], second: list[Span]
) -> None:
    """Counting is fair in both directions, and relaxed finds at least the exact ones."""
    exact, relaxed = count_spans(first, second), count_spans(first, second, overlap=0)
    back = count_spans(second, first, overlap=0)

    assert relaxed.matched >= exact.matched
    assert (back.matched, back.missing, back.extra) == (relaxed.matched, relaxed.extra, relaxed.missing)  # fmt: skip


def make_box(x: float, y: float, width: float, height: float, code: str = "a") -> Box:
    """Return a box of a picture of 1000 by 1000 pixels."""
    return Box("d", "i", x, y, width, height, (code,), 1000, 1000)


BOX = st.builds(
    make_box,
    st.integers(0, 60), st.integers(0, 60), st.integers(1, 40), st.integers(1, 40),
    st.sampled_from("ab"),
)  # fmt: skip
BOXES = st.lists(BOX, min_size=1, max_size=5)


@UNTIMED
@given(BOXES, BOXES)
def test_iou_is_that_of_pycocotools(first: list[Box], second: list[Box]) -> None:
    """The common share of two boxes equals pycocotools'."""
    from pycocotools import mask

    table = mask.iou(
        np.array([each.pixels for each in second]),
        np.array([each.pixels for each in first]),
        np.zeros(len(first), dtype=np.uint8),
    )

    for i, one in enumerate(first):
        for j, other in enumerate(second):
            assert near(box_iou(one, other), float(table[j][i]))


def best_sum(first: list[Box], second: list[Box]) -> float:
    """Return the largest sum of shares at 0.5 or more, by trying everything."""
    if not first:
        return 0.0
    best = best_sum(first[1:], second)
    for j, other in enumerate(second):
        share = box_iou(first[0], other)
        if share >= 0.5:
            rest = best_sum(first[1:], second[:j] + second[j + 1 :])
            best = max(best, share + rest)
    return best


@UNTIMED
@given(st.lists(BOX, max_size=4), st.data())
def test_boxes_are_matched_as_well_as_can_be(first: list[Box], data: Any) -> None:
    """The Hungarian match has the best sum there is, and uses each box once."""
    near_by = [
        make_box(each.x + data.draw(st.integers(0, 6)), each.y, each.width, each.height)
        for each in first
    ]
    second = near_by + data.draw(st.lists(BOX, max_size=2))

    found = match_boxes(first, second)

    assert sum(pair.iou for pair in found) == pytest.approx(
        best_sum(first, second), abs=1e-4
    )
    assert all(pair.iou >= 0.5 for pair in found)
    assert (
        len({pair.first for pair in found})
        == len({pair.second for pair in found})
        == len(found)
    )


def test_of_two_boxes_in_one_place_the_same_class_is_meant() -> None:
    """The class decides between boxes that lie on one another."""
    right = [make_box(0, 0, 10, 10, "a"), make_box(0, 0, 10, 10, "b")]

    assert all(pair.same_class for pair in match_boxes(right, right[::-1]))
    assert match_boxes([], right) == match_boxes(right, []) == []


def test_pycocotools_counts_the_same_boxes() -> None:
    """On boxes far from one another, recall at IoU 0.5 equals the COCO evaluation's."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    right = [make_box(10 * n, 0, 8, 8) for n in range(10)]
    given_boxes = [make_box(10 * n + n / 2, 0, 8, 8) for n in range(10)]
    facts = [
        {"id": n + 1, "image_id": 1, "category_id": 1, "bbox": list(each.pixels),
         "area": 6400, "iscrowd": 0}
        for n, each in enumerate(right)
    ]  # fmt: skip
    found = [
        {"image_id": 1, "category_id": 1, "bbox": list(each.pixels), "score": 1.0}
        for each in given_boxes
    ]
    with redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {"images": [{"id": 1}], "categories": [{"id": 1, "name": "a"}], "annotations": facts}  # fmt: skip
        truth.createIndex()
        run = COCOeval(truth, _results(truth, found), "bbox")
        run.params.iouThrs = np.array([0.5])
        run.evaluate()
        run.accumulate()

    matched = len(match_boxes(right, given_boxes))
    assert 0 < matched < 10
    assert float(run.eval["recall"][0, 0, 0, -1]) == pytest.approx(matched / 10)


def _results(truth: Any, found: list[dict[str, Any]]) -> Any:
    """Return detections as pycocotools wants them."""
    return type(truth).loadRes(_with_info(truth), found)


def _with_info(truth: Any) -> Any:
    truth.dataset["info"] = {}
    truth.dataset["licenses"] = []
    return truth


@UNTIMED
@given(st.integers(1, 60), st.data())
def test_acceptance_is_the_hypergeometric_of_scipy(lot: int, data: Any) -> None:
    """The chance to pass a check equals scipy's distribution."""
    from scipy.stats import hypergeom

    wrong, sample = data.draw(st.integers(0, lot)), data.draw(st.integers(0, lot))
    allowed = data.draw(st.integers(0, 5))

    nominal = hypergeom.cdf(allowed, lot, wrong, sample)
    assert near(acceptance_probability(lot, wrong, sample, allowed), float(nominal))


@UNTIMED
@given(st.integers(1, 300), st.floats(0, 0.5), st.floats(0.5, 0.99), st.integers(0, 2))
def test_the_sample_is_the_smallest_that_will_do(
    lot: int, rate: float, confidence: float, allowed: int
) -> None:
    """The sample keeps its promise, and one item fewer would not."""
    size = sample_size(lot, rate, confidence, allowed)
    wrong = min(lot, math.floor(rate * lot + 1e-9) + 1)

    def passes(count: int) -> float:
        return acceptance_probability(lot, wrong, count, allowed)

    assert size == lot or passes(size) <= 1 - confidence
    assert size == 1 or passes(size - 1) > 1 - confidence


@UNTIMED
@given(st.integers(1, 200), st.data(), st.sampled_from([0.9, 0.95, 0.99]))
def test_the_error_limit_is_clopper_and_pearson(sample: int, data: Any, confidence: float) -> None:  # fmt: skip
    """The error rate still possible equals the exact limit of statsmodels."""
    from statsmodels.stats.proportion import proportion_confint

    wrong = data.draw(st.integers(0, sample))
    alpha = 2 * (1 - confidence)

    nominal = proportion_confint(wrong, sample, alpha=alpha, method="beta")[1]
    assert error_limit(wrong, sample, confidence) == pytest.approx(
        float(nominal), abs=1e-7
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda: acceptance_probability(10, 11, 5),
        lambda: sample_size(0, 0.1, 0.9),
        lambda: sample_size(10, 1.0, 0.9),
        lambda: error_limit(5, 4, 0.9),
    ],
)
def test_impossible_numbers_are_refused(call: Any) -> None:
    """More wrong items than there are, and the like, is said with the values."""
    with pytest.raises(ValueError, match=r"\d"):
        call()
