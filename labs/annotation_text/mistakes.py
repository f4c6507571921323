"""Wrong answers that trainees really give in annotation_text.

``loses`` names rows that the mistake must lose; it may lose others too.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from lab_env.checks import Text
from lab_env.mistakes import Mistake

MESSAGES, ORDERS = "messages_done.jsonl", "orders_done.jsonl"
LABELS_LOST = ("M4", "M5", "M6")
SAYS_NOTHING_WRONG = re.compile(
    r"未见\w\w|无裂纹|没有损坏|不再漏水|每[周月天日]|[一二两三四五六七八九十个半]+(?:分钟|小时|天)"
    r"|no (?:more |oil |gas )?leak\w*|without cracks|not damaged"
    r"|every \w+|\w+ (?:hours|minutes|days)"
)
CLAUSE_ENDS = "，。；：,.;:"

Line = dict[str, Any]
Change = Callable[[list[Line]], list[Line]]


def spoil(name: str, change: Change) -> Callable[[Path], None]:
    """Return what changes the lines of one file of the hand."""

    def by_hand(folder: Path) -> None:
        path = folder / name
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        made = [json.dumps(line, ensure_ascii=False) for line in change(lines)]
        path.write_text("\n".join(made) + "\n", encoding="utf-8")

    return by_hand


def chosen(line: Line) -> str:
    """Return the label of a message."""
    return str(line["annotations"][0]["result"][0]["value"]["choices"][0])


def choose(line: Line, label: str) -> None:
    """Give a message another label."""
    line["annotations"][0]["result"][0]["value"]["choices"] = [label]


def by_frequency(codes: Iterable[str]) -> list[str]:
    """Return the codes, the most frequent first."""
    counts = Counter(codes)
    return sorted(counts, key=lambda code: (-counts[code], code))


def relabel(pick: Callable[[int, str, list[str]], str]) -> Change:
    """Return a change of each label: from place, right label and all labels.

    All labels come with the most frequent first.
    """

    def change(lines: list[Line]) -> list[Line]:
        labels = by_frequency(map(chosen, lines))
        for place, line in enumerate(lines):
            choose(line, pick(place, chosen(line), labels))
        return lines

    return change


def swapped(place: int, right: str, labels: list[str]) -> str:
    """Return the two most frequent labels for each other."""
    first, second = labels[:2]
    return {first: second, second: first}.get(right, right)


def drifting(place: int, right: str, labels: list[str]) -> str:
    """Return the right label at first, and ever more often the most frequent later."""
    return labels[0] if place >= 30 and place % 2 else right


def like_the_nearest(lines: list[Line]) -> list[Line]:
    """Label each message as the one that looks most like it; no guideline is read."""
    texts = [line["data"]["text"].lower() for line in lines]
    pairs = [set(map("".join, pairwise(text))) for text in texts]
    labels = [chosen(line) for line in lines]
    for mine, line in enumerate(lines):
        others = [one for one in range(len(lines)) if texts[one] != texts[mine]]
        shared = {
            one: len(pairs[mine] & pairs[one]) / len(pairs[mine] | pairs[one])
            for one in others
        }
        choose(line, labels[max(shared, key=lambda one: shared[one])])
    return lines


def respan(pick: Callable[[str, int, int], tuple[int, int]]) -> Change:
    """Return a change of the ends of each span, its words moved along."""

    def change(lines: list[Line]) -> list[Line]:
        for line in lines:
            text = line["data"]["text"]
            for region in line["annotations"][0]["result"]:
                value = region["value"]
                start, end = pick(text, value["start"], value["end"])
                value |= {"start": start, "end": end, "text": text[start:end]}
        return lines

    return change


def shifted(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span one character to the right, or to the left at the end."""
    step = 1 if end < len(text) else -1
    return start + step, end + step


def whole_clause(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span stretched to the marks around its clause."""
    while start and text[start - 1] not in CLAUSE_ENDS:
        start -= 1
    while end < len(text) and text[end] not in CLAUSE_ENDS:
        end += 1
    return start, end


def one_type_for_two(lines: list[Line]) -> list[Line]:
    """Mark the second most frequent type as the most frequent."""
    regions = [each for line in lines for each in line["annotations"][0]["result"]]
    values = [region["value"] for region in regions]
    first, second = by_frequency(value["labels"][0] for value in values)[:2]
    for value in values:
        if value["labels"] == [second]:
            value["labels"] = [first]
    return lines


def with_excluded_words(lines: list[Line]) -> list[Line]:
    """Mark durations, and what says that nothing is wrong, as the last type."""
    for line in lines:
        result = line["annotations"][0]["result"]
        text = line["data"]["text"]
        for match in SAYS_NOTHING_WRONG.finditer(text):
            value = {"start": match.start(), "end": match.end(), "text": match[0]}
            value["labels"] = result[-1]["value"]["labels"]
            result.append({**result[0], "id": f"more-{match.start()}", "value": value})
    return lines


def of_another_release(lines: list[Line]) -> list[Line]:
    """Say that the file was made in another release."""
    for line in lines:
        line["meta"]["release"] = "annotation_text-elsewhere-r0"
    return lines


def skip_the_hard(lines: list[Line]) -> list[Line]:
    """Skip the third that took longest."""
    times = [line["annotations"][0]["lead_time"] for line in lines]
    limit = sorted(times)[len(times) * 2 // 3]
    for line, seconds in zip(lines, times, strict=True):
        if seconds >= limit:
            line["annotations"][0] |= {"result": [], "was_cancelled": True}
    return lines


MISTAKES = (
    Mistake(
        "one_label_for_all",
        Text("全部标成最常见的一类。", "Labelled everything as the largest class."),
        {},
        ("M4", "M5", "M6", "M7"),
        spoil(MESSAGES, relabel(lambda place, right, labels: labels[0])),
    ),
    Mistake(
        "labelled_by_likeness",
        Text(
            "不看规范，看着像哪条就跟着标。",
            "Labelled by what looks alike; the guideline was not read.",
        ),
        {},
        LABELS_LOST,
        spoil(MESSAGES, like_the_nearest),
    ),
    Mistake(
        "two_classes_swapped",
        Text("最大的两类标反了。", "Swapped the two largest classes."),
        {},
        LABELS_LOST,
        spoil(MESSAGES, relabel(swapped)),
    ),
    Mistake(
        "drifted",
        Text("标到后半段走了样，同样的话前后不一。", "Drifted in the second half."),
        {},
        ("M4", "M7"),
        spoil(MESSAGES, relabel(drifting)),
    ),
    Mistake(
        "skipped_the_hard",
        Text("难的都跳过了。", "Skipped whatever was hard."),
        {},
        ("M2", "M4", "M7"),
        spoil(MESSAGES, skip_the_hard),
    ),
    Mistake(
        "half_done",
        Text("只标了一半工单。", "Did half of the work orders."),
        {},
        ("M9", "M11", "M12", "M14"),
        spoil(ORDERS, lambda lines: lines[: len(lines) // 2]),
    ),
    Mistake(
        "lines_doubled",
        Text("把文件接在自己后面，每条两遍。", "Joined the file to itself."),
        {},
        ("M1",),
        spoil(MESSAGES, lambda lines: lines + lines),
    ),
    Mistake(
        "file_of_another_release",
        Text("交了另一份材料里标的文件。", "Handed in a file of another release."),
        {},
        ("M2", "M3", "M4", "M5", "M6", "M7", "M15", "M16", "M17"),
        spoil(MESSAGES, of_another_release),
    ),
    Mistake(
        "spans_off_by_one",
        Text("每一段都差一个字。", "Every span is off by one character."),
        {},
        ("M11",),
        spoil(ORDERS, respan(shifted)),
    ),
    Mistake(
        "whole_clauses",
        Text("一标就是整个分句。", "Marked whole clauses."),
        {},
        ("M11", "M12", "M13", "M14"),
        spoil(ORDERS, respan(whole_clause)),
    ),
    Mistake(
        "one_type_for_two",
        Text("把两类实体标成一类。", "Marked two types as one."),
        {},
        ("M11", "M12", "M13"),
        spoil(ORDERS, one_type_for_two),
    ),
    Mistake(
        "excluded_words_marked",
        Text("把时长和“未见……”也标了。", "Marked durations and “no …” too."),
        {},
        ("M14",),
        spoil(ORDERS, with_excluded_words),
    ),
    Mistake(
        "counted_ids",
        Text("数的是编号，不是标签。", "Counted the ids instead of the labels."),
        {"count_labels": 'return Counter(labelled["id"])'},
        ("M15",),
    ),
    Mistake(
        "skipped_taken_as_done",
        Text("把跳过的也算标完了。", "Took skipped items as done."),
        {"find_open": "return [one for one in all_ids if one not in seen]"},
        ("M16",),
    ),
    Mistake(
        "first_item_as_slowest",
        Text("没有排序，随手填了第一条。", "Took the first item without sorting."),
        {
            "read_off": "most_given = label_counts.most_common(1)[0][0]\n"
            'slowest_item = mine["id"].iloc[0]'
        },
        ("M17",),
    ),
)
