"""Wrong answers that trainees really give in annotation_text.

``loses`` names rows that the mistake must lose; it may lose others too.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab_env.checks import Text
from lab_env.mistakes import Mistake

MESSAGES, ORDERS = "messages_done.jsonl", "orders_done.jsonl"
CODES = (
    *("safety", "repair", "install", "visit"),
    *("parts", "billing", "howto", "feedback"),
)
LABELS_LOST = ("M4", "M5", "M6")
# The first word that strikes, in this order; the guideline is not read.
STRIKING = (
    ("billing", r"钱|价|费|发票|账|invoice|price|cost|how much|bill|fee"),
    ("feedback", r"投诉|师傅|态度|complain|rude|friendly|engineer"),
    ("visit", r"约|改到|几点|周[一二三四五六]|appointment|visit|day\b"),
    ("parts", r"换|寄|买|滤网|new|buy|send|filter"),
    ("install", r"装|拆|移|install|fit|mount|move"),
    ("howto", r"怎么|显示|面板|how|panel|set\b"),
)
SAYS_NOTHING_WRONG = re.compile(
    r"未见\w\w|无裂纹|没有损坏|不再漏水|每[周月]|[一二两四十个半]+(?:分钟|小时)"
    r"|no (?:more |oil |gas )?leak\w*|without cracks|not damaged"
    r"|every \w+|\w+ (?:hours|minutes)"
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


def relabel(pick: Callable[[int, str, str], str]) -> Change:
    """Return a change of each label: from place, text and right label to another."""

    def change(lines: list[Line]) -> list[Line]:
        for place, line in enumerate(lines):
            value = line["annotations"][0]["result"][0]["value"]
            text = line["data"]["text"]
            value["choices"] = [pick(place, text, value["choices"][0])]
        return lines

    return change


def striking(place: int, text: str, right: str) -> str:
    """Return the label of the first striking word."""
    found = [code for code, words in STRIKING if re.search(words, text, re.IGNORECASE)]
    return found[0] if found else "repair"


def drifting(place: int, text: str, right: str) -> str:
    """Return the right label at first, and ever more often "repair" later."""
    return "repair" if place >= 30 and place % 2 else right


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


def parts_as_devices(lines: list[Line]) -> list[Line]:
    """Mark every part as a device."""
    for line in lines:
        for region in line["annotations"][0]["result"]:
            if region["value"]["labels"] == ["part"]:
                region["value"]["labels"] = ["device"]
    return lines


def with_excluded_words(lines: list[Line]) -> list[Line]:
    """Mark durations as times, and what says that nothing is wrong as a fault."""
    for line in lines:
        result = line["annotations"][0]["result"]
        text = line["data"]["text"]
        for match in SAYS_NOTHING_WRONG.finditer(text):
            said = match[0]
            is_time = bool(re.search(r"每|小时|分钟|every|hour|minute", said))
            value = {"start": match.start(), "end": match.end(), "text": said}
            value["labels"] = ["time" if is_time else "fault"]
            result.append({**result[0], "id": f"more-{match.start()}", "value": value})
    return lines


def of_another_release(lines: list[Line]) -> list[Line]:
    """Say that the file was made in another release."""
    for line in lines:
        line["meta"]["release"] = "annotation_text-field_service-r0"
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
        Text("全部标成“报修”。", "Labelled everything repair."),
        {},
        ("M4", "M5", "M6", "M7"),
        spoil(MESSAGES, relabel(lambda place, text, right: "repair")),
    ),
    Mistake(
        "first_striking_word",
        Text("不看规范，看到哪个词就标哪一类。", "Took the first word that strikes."),
        {},
        LABELS_LOST,
        spoil(MESSAGES, relabel(striking)),
    ),
    Mistake(
        "repair_and_visit_swapped",
        Text("“报修”和“上门”标反了。", "Swapped repair and visit."),
        {},
        LABELS_LOST,
        spoil(
            MESSAGES,
            relabel(
                lambda place, text, right: {"repair": "visit", "visit": "repair"}.get(
                    right, right
                )
            ),
        ),
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
        "parts_as_devices",
        Text("把部件也标成设备。", "Marked parts as devices."),
        {},
        ("M11", "M12", "M13"),
        spoil(ORDERS, parts_as_devices),
    ),
    Mistake(
        "excluded_words_marked",
        Text("把时长和“未见漏油”也标了。", "Marked durations and “no leak” too."),
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
