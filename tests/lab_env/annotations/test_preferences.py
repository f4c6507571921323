"""Preferences: what was chosen, what is doubtful, and which habits show."""

import math

import pytest

from lab_env.annotations.annotated import Annotated, Work
from lab_env.annotations.labelling import Labelling, read_labelling
from lab_env.annotations.preferences import (
    Preference,
    compared,
    decision,
    left_share,
    longer_share,
    preferences,
    read_preferences,
    same_again_share,
    side_of,
    undisputed,
)
from lab_env.annotations.results import Choice, Pair, Ranking, Region, Side
from lab_env.annotations.tasks import Task
from lab_env.checks import Unreadable

PAIRS = """<View><Text name="q" value="$q"/><Text name="a" value="$a"/>
<Text name="b" value="$b"/><Pairwise name="better" toName="a,b"/>
<Choices name="tie" toName="q" choice="multiple"><Choice value="tie"/></Choices>
</View>"""
LISTS = """<View><Text name="q" value="$q"/><List name="l" value="$l"/>
<Ranker name="rank" toName="l"/></View>"""
TICK = Choice("tie", "q", ("tie",))


def pair(
    number: int, a: str, b: str, *regions: Region, skipped: bool = False
) -> Annotated:
    """Return a comparison of two answers to one question."""
    return Annotated(Task(number, {"q": "Why?", "a": a, "b": b}), regions, skipped)


def took(side: Side) -> Pair:
    """Return the region of a chosen side."""
    return Pair("better", side)


@pytest.fixture
def form() -> Labelling:
    """Return the configuration of the comparisons."""
    return read_labelling(PAIRS)


def test_a_tick_makes_a_tie_whatever_the_side() -> None:
    """Left, right, tie and open are told apart; a tie keeps its side."""
    items = [
        pair(1, "x", "y", took("left")),
        pair(2, "x", "y", took("right"), TICK),
        pair(3, "x", "y"),
    ]
    assert [decision(item) for item in items] == ["left", "tie", ""]
    assert [side_of(item) for item in items] == ["left", "right", ""]
    assert decision(None) == ""


def test_what_is_skipped_or_open_was_not_compared() -> None:
    """Only comparisons with a side count."""
    items = {
        1: pair(1, "x", "y", took("left")),
        2: pair(2, "x", "y", took("left"), skipped=True),
        3: pair(3, "x", "y"),
    }
    assert [item.task.id for item in compared(Work(items))] == [1]


def test_a_ranking_of_three_makes_three_preferences() -> None:
    """Each answer is preferred to all that stand after it."""
    answers = [{"id": name, "body": name.lower()} for name in "ABC"]
    item = Annotated(
        Task(1, {"q": "Why?", "l": answers}), (Ranking("rank", "l", tuple("CAB")),)
    )
    found = preferences([item], read_labelling(LISTS))
    assert [(one.chosen, one.rejected) for one in found] == [
        ("c", "a"), ("c", "b"), ("a", "b"),
    ]  # fmt: skip


def test_an_answer_with_a_line_separator_is_one_answer(form: Labelling) -> None:
    """U+2028 in an answer breaks no line of the export."""
    found = preferences([pair(1, "x\u2028x", "y", took("left"))], form)
    assert found == [Preference("Why?", "x\u2028x", "y")]


def test_contradicted_preferences_go_and_repeated_ones_stay_once() -> None:
    """A over B with B over A leaves neither; A over B twice leaves one."""
    one, other = Preference("q", "a", "b"), Preference("q", "c", "d")
    assert undisputed([one, one.turned, other, other]) == {other}


def test_habits_are_shares_and_nothing_is_no_number(form: Labelling) -> None:
    """Half on the left, all longer, the same again; of nothing NaN."""
    items = [
        pair(1, "long", "s", took("left")),
        pair(2, "s", "long", took("right")),
    ]
    found = preferences(items, form)
    assert left_share(items) == 0.5
    assert longer_share(found) == 1
    assert same_again_share(found) == 1
    assert same_again_share([found[0], found[0].turned]) == 0
    assert all(
        map(math.isnan, (left_share([]), longer_share([]), same_again_share([])))
    )


@pytest.mark.parametrize(
    "line",
    [
        '{"prompt": "q", "chosen": "a"}',
        '{"prompt": " ", "chosen": "a", "rejected": "b"}',
        '{"prompt": "q", "chosen": ["a"], "rejected": "b"}',
        '{"prompt": "q", "prompt": "q", "chosen": "a", "rejected": "b"}',
        "[1]",
        "{",
    ],
)
def test_a_line_without_its_three_texts_is_refused_by_its_number(line: str) -> None:
    """The first line that has not the form is named."""
    good = '{"prompt": "q", "chosen": "a", "rejected": "b", "id": 3}\n\n'
    assert read_preferences(good, "p.jsonl") == [Preference("q", "a", "b")]
    with pytest.raises(Unreadable, match=r"p\.jsonl, line 3"):
        read_preferences(good + line, "p.jsonl")
