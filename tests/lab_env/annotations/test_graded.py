"""Facts about grading: gold gets everything, each kind of bad work loses its part."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from annotated_toy import IMAGES, PAIRS, RANKS, TEXTS, UNTIMED
from hypothesis import given
from hypothesis import strategies as st

from lab_env.annotations.annotated import Annotated, Work, read_work, work_text
from lab_env.annotations.graded import (
    Done,
    box_scores,
    choice_scores,
    completeness,
    consistency,
    notes,
    pair_accuracy,
    ranking_agreement,
    read_gold,
    refuse_other_origin,
    span_scores,
)
from lab_env.annotations.labelling import read_labelling
from lab_env.annotations.matching import Counts
from lab_env.annotations.results import (
    Box,
    Choice,
    Note,
    Pair,
    Ranking,
    Region,
    Span,
)
from lab_env.annotations.tasks import tasks_of
from lab_env.checks import Finding
from lab_env.errors import BrokenError

BODY = "😀客户张伟昨天在上海的门店买了手机今天要求退款"
LABELLING = read_labelling(TEXTS)
# Twenty texts; 18 is the hidden duplicate of 1, 19 of 2, 20 of 3.
TASKS = tasks_of([{"text": BODY + str(n % 17)} for n in range(20)])
GROUPS = [(1, 18), (2, 19), (3, 20)]


def gold_regions(number: int) -> tuple[Region, ...]:
    """Return the right answer of one text."""
    team = "refund" if number % 17 % 3 == 1 else "delivery"
    return (
        Choice("team", "text", (team,)),
        Span("ner", "text", 3, 5, BODY[3:5], ("PER",)),
        Span("ner", "text", 8, 10, BODY[8:10], ("LOC",)),
    )


def worked(change: Callable[[int], Sequence[Region] | None]) -> Work:
    """Return work in which ``change`` gives each task's result, or None for none."""
    found = [(task, change(task.id)) for task in TASKS]
    items = [Annotated(task, tuple(each)) for task, each in found if each is not None]
    # Through the file: what a grader sees is what was handed in.
    return read_work(work_text(items), "annotations.jsonl", TASKS, LABELLING)


GOLD = worked(gold_regions).items


def choices(work: Work, only: Sequence[int] | None = None) -> tuple[float, float]:
    """Return accuracy and macro-F1 of the teams."""
    scores = choice_scores(work, GOLD, "team", only)
    return scores.accuracy, scores.macro_f1


def test_gold_gets_everything() -> None:
    """The key against itself is full in every measure."""
    work = Work(GOLD)

    assert choices(work) == (1.0, 1.0)
    assert span_scores(work, GOLD, "ner") == Counts(40, 0, 0)
    assert completeness(work, TASKS, LABELLING) == Done(20, 20, ())
    assert consistency(work, GROUPS) == 1.0


def test_one_label_for_all_is_consistent_and_not_right() -> None:
    """All-one-label keeps its duplicates equal, and loses accuracy and more macro-F1."""
    work = worked(lambda _: (Choice("team", "text", ("delivery",)),))
    accuracy, macro_f1 = choices(work)

    assert consistency(work, GROUPS) == 1.0
    assert macro_f1 < accuracy < 0.75
    assert span_scores(work, GOLD, "ner") == Counts(0, 40, 0)


def test_swapped_classes_lose_everything() -> None:
    """Two classes taken for one another are right nowhere."""
    swap = {"refund": "delivery", "delivery": "refund"}

    def change(number: int) -> Sequence[Region]:
        team, *rest = gold_regions(number)
        assert isinstance(team, Choice)
        return (replace(team, codes=(swap[team.codes[0]],)), *rest)

    assert choices(worked(change)) == (0.0, 0.0)


def test_random_labels_lose_accuracy_and_consistency() -> None:
    """Labels by chance are far from gold, and duplicates differ somewhere."""
    dice = random.Random(4)

    def change(_: int) -> Sequence[Region]:
        return (Choice("team", "text", (dice.choice(["delivery", "refund"]),)),)

    work = worked(change)

    assert choices(work)[0] < 0.75
    assert consistency(work, GROUPS) < 1


@pytest.mark.parametrize(
    ("shift", "exact", "relaxed"), [(0, 40, 40), (1, 0, 40), (2, 0, 0)]
)
def test_shifted_spans_lose_the_exact_score_first(shift: int, exact: int, relaxed: int) -> None:  # fmt: skip
    """A shift by one character keeps the overlap and loses the exact match."""

    def change(number: int) -> Sequence[Region]:
        return [
            replace(
                each,
                start=each.start + shift,
                end=each.end + shift,
                text=BODY[each.start + shift : each.end + shift],
            )
            for each in gold_regions(number)
            if isinstance(each, Span)
        ]

    work = worked(change)

    assert span_scores(work, GOLD, "ner").matched == exact
    assert span_scores(work, GOLD, "ner", overlap=0).matched == relaxed


def test_half_done_loses_half() -> None:
    """What was not done, or skipped, counts against the work everywhere."""
    work = worked(lambda number: gold_regions(number) if number <= 10 else None)
    done = completeness(work, TASKS, LABELLING)

    assert (done.done, done.share, done.missing[0]) == (10, 0.5, 11)
    assert choices(work)[0] == 0.5
    assert span_scores(work, GOLD, "ner") == Counts(20, 20, 0)
    assert consistency(work, GROUPS) == 0.0
    skipped = {
        key: replace(item, regions=(), skipped=True) for key, item in GOLD.items()
    }
    assert choices(Work(skipped)) == (0.0, 0.0)
    assert completeness(Work(skipped), TASKS, LABELLING).done == 0
    assert consistency(Work(skipped), GROUPS) == consistency(Work({}), GROUPS) == 0.0


def test_a_missing_required_answer_is_not_done() -> None:
    """An item without its required choice is incomplete, as the widget would say."""
    work = worked(lambda number: gold_regions(number)[1:] if number == 4 else gold_regions(number))  # fmt: skip

    assert completeness(work, TASKS, LABELLING).missing == (4,)


def test_duplicated_items_earn_nothing() -> None:
    """A span marked ten times is found once, and a line twice is refused."""
    work = worked(lambda number: [*gold_regions(number), *gold_regions(number)[1:] * 9])
    lines = work_text(GOLD.values())

    assert span_scores(work, GOLD, "ner") == Counts(40, 0, 360)
    assert span_scores(work, GOLD, "ner").f1 < 0.2
    twice = read_work(lines + lines, "annotations.jsonl", TASKS, LABELLING)
    assert len(twice.findings) == 20
    assert choices(twice) == (1.0, 1.0)


def test_the_items_that_the_guideline_decides_are_asked_alone() -> None:
    """A measure over some tasks is blind to the others."""

    def change(number: int) -> Sequence[Region]:
        return gold_regions(number) if number in (1, 2) else gold_regions(number + 1)

    work = worked(change)

    assert choices(work, [1, 2]) == (1.0, 1.0)
    assert choices(work)[0] < 1
    assert choices(work, []) == (0.0, 0.0)
    assert choice_scores(work, GOLD, "team", [1, 2]).wrong == ()


@pytest.mark.parametrize(
    ("release", "annotator", "sentence"),
    [
        (
            "r2",
            "",
            'Task 1 has the release "r1", expected "r2". Hand in your own file.',
        ),
        (
            "r1",
            "u02",
            'Task 1 has the annotator "u01", expected "u02". Hand in your own file.',
        ),
        ("", "", None),
        ("r1", "u01", None),
    ],
)
def test_a_file_of_another_candidate_is_found(release: str, annotator: str, sentence: str | None) -> None:  # fmt: skip
    """Lines of another release, or another annotator, are said with both names."""
    work = Work({key: replace(item, release="r1", annotator="u01") for key, item in GOLD.items()})  # fmt: skip

    if sentence is None:
        refuse_other_origin(work, release=release, annotator=annotator)
        return
    with pytest.raises(Finding) as caught:
        refuse_other_origin(work, release=release, annotator=annotator)
    assert caught.value.message.en == sentence


def test_a_file_without_a_release_is_of_no_release() -> None:
    """Lines written by hand, without where they come from, are refused too."""
    with pytest.raises(Finding, match='has the release "", expected "r1"'):
        refuse_other_origin(Work(GOLD), release="r1")


IMAGE_LABELLING = read_labelling(IMAGES)
IMAGE_TASKS = tasks_of([{"image": f"{n}.png"} for n in range(4)])


def drawn(x: float = 10, width: float = 30, code: str = "dent") -> Box:
    """Return a box of the toy's images."""
    return Box("defect", "image", x, 10, width, 30, (code,), 640, 480)


def boxed(*boxes: Box) -> dict[int, Annotated]:
    """Return each image with these boxes."""
    return {task.id: Annotated(task, boxes) for task in IMAGE_TASKS}


BOX_GOLD = boxed(drawn(), drawn(60))


def test_gold_boxes_get_everything() -> None:
    """The key's boxes are found, in the right class, with IoU 1."""
    scores = box_scores(Work(BOX_GOLD), BOX_GOLD, "defect")

    assert scores.counts == Counts(8, 0, 0)
    assert (scores.mean_iou, scores.class_accuracy) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("boxes", "counts", "iou"),
    [
        # One third off: a share of 20 in 40.
        ((drawn(20), drawn(70)), Counts(8, 0, 0), 0.5),
        ((drawn(20.1), drawn(70.1)), Counts(0, 8, 8), 0.0),
        ((drawn(13), drawn(63)), Counts(8, 0, 0), 27 / 33),
        ((drawn(),), Counts(4, 4, 0), 1.0),
        ((drawn(), drawn(60), drawn(), drawn(5, 90)), Counts(8, 0, 8), 1.0),
        ((), Counts(0, 8, 0), 0.0),
    ],
)
def test_boxes_are_counted_by_place(boxes: tuple[Box, ...], counts: Counts, iou: float) -> None:  # fmt: skip
    """Shifted, missing and extra boxes lose their part; mean IoU is over those found."""
    scores = box_scores(Work(boxed(*boxes)), BOX_GOLD, "defect")

    assert scores.counts == counts
    assert scores.mean_iou == pytest.approx(iou)


def test_a_wrong_class_is_found_and_wrong() -> None:
    """Place and class are two measures: the box counts, its class does not."""
    work = Work(boxed(drawn(), drawn(60, code="scratch")))
    scores = box_scores(work, BOX_GOLD, "defect")

    assert scores.counts == Counts(8, 0, 0)
    assert (scores.wrong_class, scores.class_accuracy) == (4, 0.5)
    assert box_scores(Work({}), BOX_GOLD, "defect").class_accuracy == 0.0


def test_comparisons_and_rankings_are_measured() -> None:
    """A comparison is right or not; a ranking by the pairs in order; nothing is zero."""
    read_labelling(PAIRS)
    tasks = tasks_of([{"question": "?"}] * 2)
    gold = {task.id: Annotated(task, (Pair("better", "left"),)) for task in tasks}
    half = {1: gold[1], 2: Annotated(tasks[1], (Pair("better", "right"),))}

    assert pair_accuracy(Work(gold), gold, "better") == 1.0
    assert pair_accuracy(Work(half), gold, "better") == 0.5
    assert pair_accuracy(Work({}), gold, "better") == 0.0


@UNTIMED
@given(st.permutations("abcde"), st.permutations("abcde"))
def test_ranking_agreement_is_kendall_tau(right: list[str], given_order: list[str]) -> None:  # fmt: skip
    """The share of pairs in order is (tau + 1) / 2 of scipy."""
    from scipy.stats import kendalltau

    task = tasks_of([{"question": "?"}])[0]
    gold = {1: Annotated(task, (Ranking("rank", "answers", tuple(right)),))}
    work = Work({1: Annotated(task, (Ranking("rank", "answers", tuple(given_order)),))})

    tau = kendalltau([right.index(x) for x in "abcde"], [given_order.index(x) for x in "abcde"]).statistic  # fmt: skip
    assert ranking_agreement(work, gold, "rank") == pytest.approx((tau + 1) / 2)
    assert ranking_agreement(Work({}), gold, "rank") == 0.0
    assert read_labelling(RANKS).control("rank").kind == "Ranker"


@UNTIMED
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=20))  # fmt: skip
def test_choice_scores_are_those_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    """Accuracy and macro-F1 equal scikit-learn's."""
    from sklearn.metrics import accuracy_score, f1_score

    tasks = tasks_of([{"text": "t"}] * len(pairs))
    right, given_codes = zip(*pairs, strict=True)
    gold, work = (
        {task.id: Annotated(task, (Choice("c", "t", (code,)),)) for task, code in zip(tasks, codes, strict=True)}
        for codes in (right, given_codes)
    )  # fmt: skip

    scores = choice_scores(Work(work), gold, "c")

    assert scores.accuracy == pytest.approx(accuracy_score(right, given_codes))
    nominal = f1_score(right, given_codes, average="macro", zero_division=0)
    assert scores.macro_f1 == pytest.approx(nominal)


def test_several_choices_are_right_together() -> None:
    """With several choices, all must be right for accuracy, each counts for macro-F1."""
    task = tasks_of([{"text": "t"}])[0]
    gold = {1: Annotated(task, (Choice("c", "t", ("a", "b")),))}
    work = Work({1: Annotated(task, (Choice("c", "t", ("b",)),))})

    scores = choice_scores(work, gold, "c")

    assert (scores.accuracy, scores.macro_f1, scores.wrong) == (0.0, 0.5, (1,))


def test_consistency_asks_for_the_answer_and_not_for_the_words() -> None:
    """Duplicates with other notes, or spans in another order, are the same answer."""
    same = (*gold_regions(1)[::-1], Note("why", "text", "别的话"))
    work = Work({**GOLD, 18: replace(GOLD[18], regions=same)})
    other = Work({**GOLD, 18: replace(GOLD[18], regions=gold_regions(1)[:2])})

    assert consistency(work, GROUPS) == 1.0
    assert consistency(other, GROUPS) == pytest.approx(2 / 3)
    assert consistency(work, []) == 0.0
    assert notes(work, "why") == {18: "别的话"}


def test_a_wrong_key_is_our_fault(tmp_path: Path) -> None:
    """A gold file that does not fit is broken, and never a mark."""
    (tmp_path / "gold.jsonl").write_text(work_text(GOLD.values()), encoding="utf-8")
    assert read_gold(tmp_path / "gold.jsonl", TASKS, LABELLING) == GOLD

    with pytest.raises(
        BrokenError, match=r"gold\.jsonl.*task 20 twice|there is no task"
    ):
        read_gold(tmp_path / "gold.jsonl", TASKS[:5], LABELLING)


def test_a_forged_line_counts_as_not_done() -> None:
    """A line with an offset outside its text is a finding, and the rest still counts."""
    entries = [json.loads(line) for line in work_text(GOLD.values()).splitlines()]
    regions: list[Any] = entries[0]["annotations"][0]["result"]
    regions[1]["value"]["end"] = 10**6
    text = "\n".join(json.dumps(each) for each in entries)

    work = read_work(text, "annotations.jsonl", TASKS, LABELLING)

    assert len(work.findings) == 1
    assert choice_scores(work, GOLD, "team").wrong == (1,)
    assert span_scores(work, GOLD, "ner") == Counts(38, 2, 0)
