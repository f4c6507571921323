"""Labels, predictions and logs: what the graders of classifier labs compare.

The answer key is read in the grader itself, so that its rows are seen to be closed.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from lab_env.checks import Mismatch, Text
from lab_env.metrics import number
from lab_env.submission import Submission


def labels_of(submission: Submission, split: str) -> dict[str, str]:
    """Return {id: right label} of a released split, in the order of the file."""
    column = submission.scenario.columns["label"]
    rows = submission.released.read_csv(f"data/{split}.csv", ["id", column])
    return {row["id"]: row[column] for row in rows}


def heldout_ids(submission: Submission) -> list[str]:
    """Return the ids of the held-out messages, in the order of the file."""
    rows = submission.released.read_csv("data/heldout.csv", ["id"])
    return [row["id"] for row in rows]


def other_labels(submission: Submission, split: str) -> list[str]:
    """Return the tempting wrong column of a released split, or nothing."""
    column = submission.scenario.columns.get("wrong_label")
    if column is None:
        return []
    rows = submission.released.read_csv(f"data/{split}.csv", [column])
    return [row[column] for row in rows]


def predicted(submission: Submission, name: str, ids: Iterable[str]) -> dict[str, str]:
    """Return {id: label}: each id once, each label of the scheme; else Mismatch."""
    rows = submission.read_csv(name, ["id", "label"])
    wanted, seen = set(ids), Counter(row["id"] for row in rows)
    missing, extra = wanted - seen.keys(), seen.keys() - wanted
    twice = [one for one, count in seen.items() if count > 1]
    if missing or extra or twice:
        zh = f"{name}：缺 {len(missing)} 条，多 {len(extra)} 条，重复 {len(twice)} 条。"
        en = f"{name}: {len(missing)} missing, {len(extra)} extra, {len(twice)} twice."
        raise Mismatch(Text(zh, en), actual=len(rows), nominal=len(wanted))
    labels = {row["id"]: row["label"] for row in rows}
    unknown = sorted(set(labels.values()) - set(submission.scenario.label_codes))
    if unknown:
        zh = f"{name} 里的“{unknown[0][:40]}”不是任何团队的代码。"
        en = f'{name}: "{unknown[0][:40]}" is not the code of any team.'
        raise Mismatch(Text(zh, en), actual=unknown[0], nominal="a label code")
    return labels


def paired(
    right: Mapping[str, str], given: Mapping[str, str]
) -> tuple[list[str], list[str]]:
    """Return right and given labels, message by message."""
    return list(right.values()), [given[one] for one in right]


def reported(submission: Submission, name: str, field: str) -> float:
    """Return one number that a deliverable reports."""
    value: float = submission.read_json(name, {field: float})[field]
    return value


def logged(log: Iterable[Any], at: str, value: str) -> list[tuple[float, float]]:
    """Return the entries of the log that hold both names as finite numbers."""
    entries = [entry for entry in log if isinstance(entry, dict)]
    pairs = [(number(entry.get(at)), number(entry.get(value))) for entry in entries]
    return [(x, y) for x, y in pairs if x is not None and y is not None]


def base_config(submission: Submission) -> dict[str, Any]:
    """Return config.json of the released base model."""
    path = submission.released.folder / "base_model" / "config.json"
    config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return config


def by_own_table(
    submission: Submission, rows: Iterable[Mapping[str, str]]
) -> dict[str, str]:
    """Return {id: label} of a model's predictions, read by the model's own table.

    ``rows`` have labels by the order of the scheme. Another order is one mistake, and
    has its row; here it must not cost the quality as well.
    """
    fields: dict[str, type] = {"id2label": dict}
    names = submission.read_json("model/config.json", fields)["id2label"]
    codes = submission.scenario.label_codes
    own = {code: str(names.get(str(n), "")) for n, code in enumerate(codes)}
    return {row["id"]: own[row["label"]] for row in rows}


def curve_ends(ends: Mapping[str, float]) -> str:
    """Return the ends of a curve as the sheet prints them."""
    return f"{ends['zero']:.2f} → {ends['full']:.2f}"
