"""Wrong answers that trainees really give in annotation_preference.

``loses`` names rows that the mistake must lose; it may lose others too.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab_env.checks import Text
from lab_env.mistakes import Mistake

PAIRS, RANKINGS = "pairs_done.jsonl", "rankings_done.jsonl"
CHOICES_LOST = ("M4", "M5", "M6")
# Words of the questions in which safety is at stake.
DANGEROUS = re.compile(
    "股燃气味|502|供电公司的名义|换了新手机号|打火花|头晕"
    "|smells of gas|502|from the electricity company|new mobile|sparking|dizzy"
)

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


def choose(pick: Callable[[Line, str], str], *, ticks: bool = True) -> Change:
    """Return a change of each side: from the data and the right side to another.

    Without ``ticks`` nothing is called equally good any more.
    """

    def change(lines: list[Line]) -> list[Line]:
        for line in lines:
            answer = line["annotations"][0]
            kept = [r for r in answer["result"] if ticks or r["type"] != "choices"]
            value = kept[0]["value"]
            value["selected"] = pick(line["data"], value["selected"])
            answer["result"] = kept
        return lines

    return change


def opposite(side: str) -> str:
    """Return the other side."""
    return "right" if side == "left" else "left"


def longer(data: Line, right: str) -> str:
    """Return the side of the longer answer."""
    return "left" if len(data["left"]) > len(data["right"]) else "right"


def obliging(data: Line, right: str) -> str:
    """Return the wrong side where safety is at stake: what pleases the customer."""
    return opposite(right) if DANGEROUS.search(data["prompt"]) else right


def all_equal(lines: list[Line]) -> list[Line]:
    """Tick "equally good" everywhere."""
    for line in lines:
        tick = {"from_name": "tie", "to_name": "prompt", "type": "choices"}
        answer = line["annotations"][0]
        kept = [r for r in answer["result"] if r["type"] != "choices"]
        answer["result"] = [*kept, {**tick, "value": {"choices": ["tie"]}}]
    return lines


def one_reason(lines: list[Line]) -> list[Line]:
    """Write the same words as every reason."""
    for line in lines:
        for region in line["annotations"][0]["result"]:
            if region["type"] == "textarea":
                region["value"]["text"] = ["这个回答更好一些。 This one is simply better."]
    return lines


def ranked(pick: Callable[[list[str]], list[str]]) -> Change:
    """Return a change of each ranking."""

    def change(lines: list[Line]) -> list[Line]:
        for line in lines:
            value = line["annotations"][0]["result"][0]["value"]
            value["ranker"]["rank"] = pick(value["ranker"]["rank"])
        return lines

    return change


def of_another_release(lines: list[Line]) -> list[Line]:
    """Say that the file was made in another release."""
    for line in lines:
        line["meta"]["release"] = "annotation_preference-assistant_answers-r0"
    return lines


MISTAKES = (
    Mistake(
        "always_left",
        Text("一路按左边，什么也没有勾。", "Took the left answer every time."),
        {},
        (*CHOICES_LOST, "M7", "M8"),
        spoil(PAIRS, choose(lambda data, right: "left", ticks=False)),
    ),
    Mistake(
        "always_longer",
        Text("哪个长就选哪个。", "Took the longer answer every time."),
        {},
        (*CHOICES_LOST, "M7", "M8"),
        spoil(PAIRS, choose(longer, ticks=False)),
    ),
    Mistake(
        "safety_ignored",
        Text("只看回答热不热心，不管危险。", "Took what is obliging, safe or not."),
        {},
        ("M4", "M6"),
        spoil(PAIRS, choose(obliging)),
    ),
    Mistake(
        "sides_exchanged",
        Text("左右看反了，每一对都选反。", "Took left for right throughout."),
        {},
        (*CHOICES_LOST, "M8"),
        spoil(PAIRS, choose(lambda data, right: opposite(right))),
    ),
    Mistake(
        "all_equal",
        Text("每一对都勾“一样好”。", "Called every pair equally good."),
        {},
        (*CHOICES_LOST, "M7", "M8"),
        spoil(PAIRS, all_equal),
    ),
    Mistake(
        "half_done",
        Text("29 对只做了一半。", "Did half of the pairs."),
        {},
        ("M3", *CHOICES_LOST, "M8", "M9"),
        spoil(PAIRS, lambda lines: lines[: len(lines) // 2]),
    ),
    Mistake(
        "lines_doubled",
        Text("把文件接在自己后面，每条两遍。", "Joined the file to itself."),
        {},
        ("M2",),
        spoil(PAIRS, lambda lines: lines + lines),
    ),
    Mistake(
        "one_reason_for_all",
        Text("八条理由是同一句话。", "Wrote one sentence as every reason."),
        {},
        ("M9",),
        spoil(PAIRS, one_reason),
    ),
    Mistake(
        "file_of_another_release",
        Text("交了另一份材料里标的文件。", "Handed in a file of another release."),
        {},
        ("M2", "M3", *CHOICES_LOST, "M7", "M8", "M9", "M13", "M14", "M15", "M17"),
        spoil(PAIRS, of_another_release),
    ),
    Mistake(
        "ranking_reversed",
        Text("排序从差到好，排反了。", "Ranked from worst to best."),
        {},
        ("M11", "M12"),
        spoil(RANKINGS, ranked(lambda order: order[::-1])),
    ),
    Mistake(
        "rankings_left_as_they_came",
        Text("没有排，直接提交。", "Submitted the lists as they came."),
        {},
        ("M11", "M12"),
        spoil(RANKINGS, ranked(sorted)),
    ),
    Mistake(
        "right_counted_for_left",
        Text("数成了选右边的。", "Counted the right side."),
        {"share_left": 'return (table["side"] == "right").mean()'},
        ("M13",),
    ),
    Mistake(
        "compared_with_the_question",
        Text("拿选中的回答和问题比长短。", "Compared the length with the question's."),
        {
            "share_longer": 'return (table["chosen"].str.len()'
            ' > table["prompt"].str.len()).mean()'
        },
        ("M14",),
    ),
    Mistake(
        "sides_compared_for_answers",
        Text("比的是左右，不是回答。", "Compared sides instead of answers."),
        {"same_again": 'return (twice["side_first"] == twice["side_again"]).mean()'},
        ("M15",),
    ),
    Mistake(
        "compared_with_oneself",
        Text("和自己比，当然全一致。", "Compared one's own column with itself."),
        {"agreement": 'agreement = (both["chosen_mine"] == both["chosen_mine"]).mean()'},
        ("M16",),
    ),
    Mistake(
        "ties_kept",
        Text("“一样好”的没有去掉。", "Left the ties in the export."),
        {"without_ties": "decided = mine"},
        ("M17", "M19"),
    ),
    Mistake(
        "only_ties_kept",
        Text("留反了，只剩“一样好”的。", "Kept the ties and dropped the others."),
        {"without_ties": 'decided = mine[mine["tie"] == True]'},
        ("M17", "M19"),
    ),
    Mistake(
        "chosen_and_rejected_exchanged",
        Text("排在后面的填成了 chosen。", "Wrote the worse one as chosen."),
        {
            "ranked_pairs": "ranked.append({"
            '"prompt": prompt, "chosen": second, "rejected": first})'
        },
        ("M17",),
    ),
    Mistake(
        "column_written_twice",
        Text("填成 chosen，没有反过来。", "Wrote the same column twice."),
        {
            "other_way_round": "turned = unique.rename("
            'columns={"chosen": "chosen", "rejected": "chosen"})'
        },
        ("M17", "M18", "M19", "M20"),
    ),
    Mistake(
        "pairs_counted_twice",
        Text("4 个回答算成 12 对。", "Counted each pair in both orders."),
        {
            "file_checks": "pairs_of_four = 12\n"
            'same_answer = (exported["chosen"] == exported["rejected"]).sum()'
        },
        ("M20",),
    ),
)
