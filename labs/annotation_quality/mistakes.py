"""Wrong answers that trainees really give in annotation_quality.

``loses`` names rows that the mistake must lose; it may lose others too.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab_env.checks import Text
from lab_env.mistakes import Mistake

DECIDED = "adjudicated.jsonl"
NAMES = {"垃圾": "waste", "物业": "property", "道路": "road", "噪声": "noise"}
NAMES |= {"供排水": "water", "Waste": "waste", "Property": "property"}
NAMES |= {"Road": "road", "Noise": "noise", "Water": "water"}

Line = dict[str, Any]
Change = Callable[[list[Line]], list[Line]]


def spoil(change: Change) -> Callable[[Path], None]:
    """Return what changes the lines of the file of decisions."""

    def by_hand(folder: Path) -> None:
        path = folder / DECIDED
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        made = [json.dumps(line, ensure_ascii=False) for line in change(lines)]
        path.write_text("\n".join(made) + "\n", encoding="utf-8")

    return by_hand


def decide(pick: Callable[[str, str, str], str]) -> Change:
    """Return a change of each decision: from A's, B's and the right label."""

    def change(lines: list[Line]) -> list[Line]:
        for line in lines:
            value = line["annotations"][0]["result"][0]["value"]
            a, b = (
                NAMES[name] for name in re.findall(r"[:：]\s*(\w+)", opinions(line))
            )
            value["choices"] = [pick(a, b, value["choices"][0])]
        return lines

    return change


def opinions(line: Line) -> str:
    """Return what the page shows above the message: what A and B gave."""
    return str(line["data"]["given"])


def swapped(a: str, b: str, right: str) -> str:
    """Return the other of property and waste."""
    return {"property": "waste", "waste": "property"}.get(right, right)


def of_another_release(lines: list[Line]) -> list[Line]:
    """Say that the file was made in another release."""
    for line in lines:
        line["meta"]["release"] = "annotation_quality-label_review-r0"
    return lines


MISTAKES = (
    Mistake(
        "raw_over_the_wrong_number",
        Text(
            "除以“一致的条数”而不是总条数。", "Divided by the equal ones, not by all."
        ),
        {"raw_agreement": "return sum(same) / max(1, len(same) - sum(same))"},
        ("M1", "M2"),
    ),
    Mistake(
        "chance_not_taken_away",
        Text("kappa 里减的是 observed。", "Took observed away from itself."),
        {"cohen_kappa": "return (observed - 0) / (1 - 0)"},
        ("M2",),
    ),
    Mistake(
        "chance_above_only",
        Text("分母忘了减去碰巧一致。", "Forgot chance below the line."),
        {"cohen_kappa": "return (observed - chance) / 1"},
        ("M2",),
    ),
    Mistake(
        "tables_swapped",
        Text("两张表填反了。", "Swapped the two tables."),
        {
            "tables_for_three": "table_for_fleiss = votes\n"
            "table_for_alpha = votes.dropna()"
        },
        ("M3", "M4"),
    ),
    Mistake(
        "largest_on_the_diagonal",
        Text("把对角线上的数当成分歧。", "Took the diagonal for disagreement."),
        {"systematic_pair": 'first_class = "waste"\nsecond_class = "waste"'},
        ("M5",),
    ),
    Mistake(
        "blamed_the_wrong_person",
        Text(
            "怪了 B，还怪在没写清楚的规则上。", "Blamed B, for a rule that is unclear."
        ),
        {"rule_breaker": 'annotator = "b"\nbroken_rule = "R4"'},
        ("M7",),
    ),
    Mistake(
        "spans_over_one_count",
        Text(
            "F1 的分母只用了一个人的段数。", "Used one person's count below the line."
        ),
        {"span_f1": "return 2 * common / many_a"},
        ("M8", "M9"),
    ),
    Mistake(
        "brackets_forgotten",
        Text("F1 的分母忘了加括号。", "Left out the brackets below the line."),
        {"span_f1": "return 2 * common / many_a + many_b"},
        ("M8", "M9"),
    ),
    Mistake(
        "difference_misread",
        Text("把边界不同说成类型不同。", "Called other ends another type."),
        {"weakest_type": 'weakest_type = "facility"\ndifference = "type"'},
        ("M10",),
    ),
    Mistake(
        "always_with_a",
        Text("裁决时总站在 A 一边。", "Always took A's side."),
        {},
        ("M14", "M15"),
        spoil(decide(lambda a, b, right: a)),
    ),
    Mistake(
        "always_with_b",
        Text("裁决时总站在 B 一边。", "Always took B's side."),
        {},
        ("M14", "M15"),
        spoil(decide(lambda a, b, right: b)),
    ),
    Mistake(
        "reply_read_backwards",
        Text("把答复读反了。", "Read the reply the wrong way round."),
        {},
        ("M14", "M15"),
        spoil(decide(swapped)),
    ),
    Mistake(
        "stopped_half_way",
        Text("裁决只做了一半。", "Decided half of them."),
        {},
        ("M12", "M14", "M15", "M16"),
        spoil(lambda lines: lines[: len(lines) // 2]),
    ),
    Mistake(
        "lines_doubled",
        Text("把文件接在自己后面，每条两遍。", "Joined the file to itself."),
        {},
        ("M11",),
        spoil(lambda lines: lines + lines),
    ),
    Mistake(
        "file_of_another_release",
        Text("交了另一份材料里做的裁决。", "Handed in decisions of another release."),
        {},
        ("M12", "M13", "M14", "M15", "M16", "M18"),
        spoil(of_another_release),
    ),
    Mistake(
        "a_taken_as_final",
        Text("没有用裁决，直接采用 A 的标签。", "Took A's label without the decision."),
        {"settle": 'return row["a"]'},
        ("M16", "M18"),
    ),
    Mistake(
        "compared_with_b",
        Text("错误率是和 B 比出来的。", "Compared with B instead of the final labels."),
        {"audit": 'wrong = int((given[who] != given["b"]).sum())'},
        ("M18",),
    ),
    Mistake(
        "confidence_as_the_chance",
        Text("把把握当成混过去的概率。", "Took confidence for the chance to pass."),
        {"sample_size": 'largest_chance = plan["confidence"]'},
        ("M19",),
    ),
    Mistake(
        "lot_taken_as_limit",
        Text(
            "把总条数当成允许错的条数，还让 A 返工。",
            "Took the lot for the limit, and sent A back.",
        ),
        {"decide": 'most_allowed = plan["lot"]\nredo = "a"'},
        ("M22",),
    ),
)
