"""What a grader asks about annotations: read strictly, compared with gold.

Pure functions of the file, the released tasks and the key. A task that was skipped, not
done, or not readable has no answer: it counts against the work and never for it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lab_env.annotations.annotated import Annotated, Work, read_work
from lab_env.annotations.labelling import Labelling
from lab_env.annotations.matching import Counts, count_spans, match_boxes
from lab_env.annotations.results import (
    Box,
    Choice,
    Note,
    Pair,
    Ranking,
    Region,
    Span,
    unanswered,
)
from lab_env.annotations.tasks import Task
from lab_env.checks import Finding, Text, Unreadable
from lab_env.errors import BrokenError

Gold = Mapping[int, Annotated]
_Kind = TypeVar("_Kind", Choice, Span, Box, Pair, Ranking, Note)


@dataclass(frozen=True)
class Done:
    """How much was annotated; ``missing`` names the tasks that were not."""

    done: int
    total: int
    missing: tuple[int, ...]

    @property
    def share(self) -> float:
        """The share of tasks done."""
        return self.done / self.total if self.total else 0.0


@dataclass(frozen=True)
class ChoiceScores:
    """Choices against gold; ``wrong`` names the tasks that differ."""

    accuracy: float
    macro_f1: float
    wrong: tuple[int, ...]


@dataclass(frozen=True)
class BoxScores:
    """Boxes against gold: ``counts`` by place alone, then the class of those found."""

    counts: Counts
    wrong_class: int
    # Over the boxes found; 0 where none was.
    mean_iou: float

    @property
    def class_accuracy(self) -> float:
        """The share of found boxes with the right class; 0 where none was found."""
        found = self.counts.matched
        return (found - self.wrong_class) / found if found else 0.0


def read_gold(path: Path, tasks: Sequence[Task], labelling: Labelling) -> Gold:
    """Return the key; whatever is wrong with it is our fault."""
    try:
        text = path.read_text(encoding="utf-8")
        work = read_work(text, path.name, tasks, labelling)
        work.refuse_findings()
    except Finding as finding:
        raise BrokenError(f"{path}: {finding.message.en}") from finding
    return work.items


def refuse_other_origin(work: Work, *, release: str, annotator: str = "") -> None:
    """Raise Unreadable for lines made in another release, or by another annotator.

    An honest mix-up is found here. A copier can write any name: see DESIGN, promise 1.
    """
    for item in work.items.values():
        for seen, own, zh, en in (
            (item.release, release, "发放版本", "release"),
            (item.annotator, annotator, "标注员", "annotator"),
        ):
            if own and seen != own:
                task, shown = item.task.id, seen[:80]
                zh_line = (
                    f"任务 {task} 的{zh}是“{shown}”，应为“{own}”。请交自己的文件。"
                )
                en_line = f'Task {task} has the {en} "{shown}", expected "{own}". Hand'
                raise Unreadable(Text(zh_line, f"{en_line} in your own file."))


def completeness(work: Work, tasks: Sequence[Task], labelling: Labelling) -> Done:
    """Return which tasks were done, each required question answered."""
    missing = tuple(
        task.id
        for task in tasks
        if task.id not in work.done or unanswered(labelling, work.done[task.id].regions)
    )
    return Done(len(tasks) - len(missing), len(tasks), missing)


def choice_scores(
    work: Work, gold: Gold, control: str, only: Collection[int] | None = None
) -> ChoiceScores:
    """Compare the choices of one control; ``only`` these tasks, such as those that the
    guideline decides in so many words.
    """
    ids = _asked(gold, only)
    right = [_codes(gold[key].regions, control) for key in ids]
    given = [_codes(_regions(work, key), control) for key in ids]
    wrong = tuple(
        key for key, a, b in zip(ids, right, given, strict=True) if a != b
    )  # fmt: skip
    labels = sorted(frozenset().union(*right, *given))
    f1s = [_f1(label, right, given) for label in labels]
    accuracy = 1 - len(wrong) / len(ids) if ids else 0.0
    return ChoiceScores(accuracy, sum(f1s) / len(f1s) if f1s else 0.0, wrong)


def span_scores(
    work: Work,
    gold: Gold,
    control: str,
    *,
    overlap: float | None = None,
    only: Collection[int] | None = None,
) -> Counts:
    """Count spans over all texts: exact, or with ``overlap`` as in ``count_spans``."""
    counts = Counts(0, 0, 0)
    for key in _asked(gold, only):
        right = _of(Span, gold[key].regions, control)
        given = _of(Span, _regions(work, key), control)
        counts += count_spans(right, given, overlap=overlap)
    return counts


def box_scores(
    work: Work,
    gold: Gold,
    control: str,
    *,
    least: float = 0.5,
    only: Collection[int] | None = None,
) -> BoxScores:
    """Count boxes over all images, matched at an IoU of ``least`` or more."""
    counts, shares, wrong = Counts(0, 0, 0), [0.0][:0], 0
    for key in _asked(gold, only):
        right = _of(Box, gold[key].regions, control)
        given = _of(Box, _regions(work, key), control)
        pairs = match_boxes(right, given, least=least)
        found = len(pairs)
        counts += Counts(found, len(right) - found, len(given) - found)
        shares += [pair.iou for pair in pairs]
        wrong += sum(not pair.same_class for pair in pairs)
    return BoxScores(counts, wrong, sum(shares) / len(shares) if shares else 0.0)


def pair_accuracy(
    work: Work, gold: Gold, control: str, only: Collection[int] | None = None
) -> float:
    """Return the share of comparisons decided as gold decides them."""
    ids = _asked(gold, only)
    same = [
        _of(Pair, gold[key].regions, control) == _of(Pair, _regions(work, key), control)
        for key in ids
    ]
    return sum(same) / len(ids) if ids else 0.0


def ranking_agreement(
    work: Work, gold: Gold, control: str, only: Collection[int] | None = None
) -> float:
    """Return the mean share of pairs in gold's order: chance gives 0.5, no answer 0.

    For complete rankings it is (Kendall's tau + 1) / 2.
    """
    ids = _asked(gold, only)
    shares = [
        _in_order(
            _of(Ranking, gold[key].regions, control),
            _of(Ranking, _regions(work, key), control),
        )
        for key in ids
    ]
    return sum(shares) / len(shares) if shares else 0.0


def consistency(work: Work, groups: Iterable[Sequence[int]]) -> float:
    """Return the share of groups of hidden duplicates that got one and the same answer.

    For choices, spans, comparisons and rankings; two boxes are never the same. What was
    written freely is not compared. One label for everything is consistent too: give the
    row only beside a fair accuracy.
    """
    answers = [
        [_answer(work.done[key]) if key in work.done else None for key in group]
        for group in groups
    ]
    same = [None not in group and len(set(group)) == 1 for group in answers]
    return sum(same) / len(same) if same else 0.0


def notes(work: Work, control: str) -> dict[int, str]:
    """Return what was written, by task, for a person to mark."""
    found = {key: _of(Note, item.regions, control) for key, item in work.done.items()}
    return {key: each[0].text for key, each in found.items() if each}


def _asked(gold: Gold, only: Collection[int] | None) -> list[int]:
    return [key for key in gold if only is None or key in only]


def _regions(work: Work, key: int) -> tuple[Region, ...]:
    return work.done[key].regions if key in work.done else ()


def _of(kind: type[_Kind], regions: Iterable[Region], control: str) -> list[_Kind]:
    named = (region for region in regions if region.control == control)
    return [region for region in named if isinstance(region, kind)]


def _codes(regions: Iterable[Region], control: str) -> frozenset[str]:
    found = _of(Choice, regions, control)
    return frozenset(found[0].codes) if found else frozenset()


def _f1(
    label: str, right: Sequence[frozenset[str]], given: Sequence[frozenset[str]]
) -> float:
    both = sum(label in a and label in b for a, b in zip(right, given, strict=True))
    either = sum(label in each for each in (*right, *given))
    return 2 * both / either


def _in_order(right: Sequence[Ranking], given: Sequence[Ranking]) -> float:
    if not right or not given:
        return 0.0
    place = {name: number for number, name in enumerate(given[0].order)}
    order = right[0].order
    pairs = [(a, b) for i, a in enumerate(order) for b in order[i + 1 :]]
    return sum(place[a] < place[b] for a, b in pairs) / len(pairs)


def _answer(item: Annotated) -> frozenset[Region]:
    return frozenset(each for each in item.regions if not isinstance(each, Note))
