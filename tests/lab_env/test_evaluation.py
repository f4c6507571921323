"""Numbers of an evaluation are those of scikit-learn, scipy and statsmodels."""

import math
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn.metrics import f1_score, log_loss
from statsmodels.stats.contingency_tables import mcnemar

from lab_env import evaluation

LABELS = ("bill", "net", "scam")
triples_of = st.lists(
    st.tuples(*[st.sampled_from(LABELS)] * 3), min_size=1, max_size=60
)
tables_of = st.lists(
    st.tuples(st.lists(st.floats(-9, 9), min_size=3, max_size=3), st.integers(0, 2)),
    min_size=5,
    max_size=30,
)


@given(st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=9), st.floats(0.05, 20))
def test_softmax_is_that_of_scipy(scores: list[float], temperature: float) -> None:
    """Shares are scipy's, and together 1, however large the scores."""
    ours = evaluation.softmax(scores, temperature)
    theirs = softmax([score / temperature for score in scores])
    assert ours == pytest.approx(theirs, abs=1e-9)


@given(tables_of, st.floats(0.2, 8))
def test_log_loss_is_that_of_scikit_learn(
    rows: list[tuple[list[float], int]], temperature: float
) -> None:
    """The mean negative log-likelihood is scikit-learn's."""
    tables, places = [row for row, _ in rows], [place for _, place in rows]
    shares = [evaluation.softmax(row, temperature) for row in tables]
    ours = evaluation.log_loss(tables, places, temperature)
    # scikit-learn lifts what is nearly 0.
    if min(share for row in shares for share in row) > 1e-12:
        assert ours == pytest.approx(log_loss(places, shares, labels=[0, 1, 2]))


@settings(max_examples=25, deadline=None)
@given(tables_of)
def test_temperature_is_as_good_as_that_of_scipy(
    rows: list[tuple[list[float], int]],
) -> None:
    """No temperature that scipy finds has a smaller loss."""
    tables, places = [row for row, _ in rows], [place for _, place in rows]

    def loss(temperature: float) -> float:
        return evaluation.log_loss(tables, places, temperature)

    theirs = minimize_scalar(loss, bounds=(0.1, 10), method="bounded").x
    assert (
        loss(evaluation.best_temperature(tables, places)) <= 1.001 * loss(theirs) + 1e-4
    )


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_that_of_statsmodels(only_a: int, only_b: int) -> None:
    """The exact p-value is statsmodels'; with nothing to tell apart it is 1."""
    if only_a + only_b:
        theirs = mcnemar([[0, only_a], [only_b, 0]], exact=True).pvalue
        assert evaluation.mcnemar_p(only_a, only_b) == pytest.approx(min(1, theirs))
    else:
        assert evaluation.mcnemar_p(0, 0) == 1


def counted(
    triples: list[evaluation.Triple],
) -> tuple[list[evaluation.Triple], np.ndarray]:
    """Return the kinds of triples, and one draw with as many of each."""
    found = Counter(triples)
    return list(found), np.array([list(found.values())])


@given(triples_of)
def test_gap_of_macro_f1_is_that_of_scikit_learn(
    triples: list[evaluation.Triple],
) -> None:
    """Macro-F1 of A less B, over counted triples, is scikit-learn's."""
    right, a, b = zip(*triples, strict=True)
    theirs = f1_score(right, a, average="macro") - f1_score(right, b, average="macro")
    [ours] = evaluation.macro_f1_gap(*counted(triples))
    assert ours == pytest.approx(theirs)


@given(triples_of)
def test_gap_of_accuracy_counts_who_alone_is_right(
    triples: list[evaluation.Triple],
) -> None:
    """Accuracy of A less B is what each got right alone, over all."""
    only_a, only_b = evaluation.only_one_right(triples)
    [ours] = evaluation.accuracy_gap(*counted(triples))
    assert ours == pytest.approx((only_a - only_b) / len(triples))


def some_triples() -> list[evaluation.Triple]:
    """Return 400 answers: both right, A alone, B alone, both wrong."""
    kinds = [("bill",) * 3, ("bill", "bill", "net"), ("net", "bill", "net")]
    counts = (300, 60, 40)
    return [kind for kind, many in zip(kinds, counts, strict=True) for _ in range(many)]


def test_interval_has_the_width_of_theory() -> None:
    """Over 400 messages the interval is 1.96 standard errors to either side."""
    draws = evaluation.bootstrap(some_triples(), evaluation.accuracy_gap)
    low, high = evaluation.interval(draws)
    error = math.sqrt((100 - 20**2 / 400) / 400**2)
    assert low == pytest.approx(0.05 - 1.96 * error, abs=0.004)
    assert high == pytest.approx(0.05 + 1.96 * error, abs=0.004)


def test_end_of_another_seed_is_an_end() -> None:
    """An end that other draws give cuts the tail; that of 90 % does not."""
    triples, rng = some_triples(), random.Random(3)
    found = sorted(
        evaluation.accuracy_gap(*counted(rng.choices(triples, k=len(triples))))[0]
        for _ in range(10_000)
    )
    draws = evaluation.bootstrap(triples, evaluation.accuracy_gap)
    assert evaluation.cuts_tail(draws, evaluation.quantile(found, 0.025))
    assert not evaluation.cuts_tail(draws, evaluation.quantile(found, 0.05))
    assert not evaluation.cuts_tail(draws, evaluation.quantile(found, 0.01))


def test_sure_and_always_wrong_is_the_worst_calibration() -> None:
    """ECE is 1 for what is sure and wrong, 0 for what is sure and right."""
    assert evaluation.calibration_error([1.0] * 4, [False] * 4) == 1
    assert evaluation.calibration_error([1.0] * 4, [True] * 4) == 0


def test_ece_weighs_a_bin_by_its_messages() -> None:
    """Three messages off by 0.5 and one by 0.1 are 0.4 together."""
    error = evaluation.calibration_error([0.5, 0.5, 0.5, 0.9], [False] * 3 + [True])
    assert error == pytest.approx((3 * 0.5 + 0.1) / 4)
