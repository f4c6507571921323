"""Texts that a trainee rewrote, to see whether a model still understands them."""

import re
from collections import Counter
from collections.abc import Mapping
from difflib import SequenceMatcher

from lab_env.checks import Mismatch, Text
from lab_env.classifier import labels_of
from lab_env.submission import Submission

KINDS = ("typos", "paraphrase", "mixed")
# A rewritten text is still like the original by this much, from 0 to 1.
LIKE = 0.5


def rewritten(submission: Submission, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the rows of perturbed.csv: each test message once for each kind."""
    rows = submission.read_csv("perturbed.csv", ["id", "kind", "text", *columns])
    seen = Counter((row["id"], row["kind"]) for row in rows)
    wanted = {(one, kind) for one in labels_of(submission, "test") for kind in KINDS}
    if seen.keys() != wanted or max(seen.values(), default=0) > 1:
        zh = "perturbed.csv 应该每种改写、每条测试消息各一行。"
        en = "perturbed.csv should have one line for each test message and kind."
        raise Mismatch(Text(zh, en), actual=len(rows), nominal=len(wanted))
    return rows


def shares_rewritten(
    rows: list[dict[str, str]], texts: Mapping[str, str]
) -> dict[str, float]:
    """Return {kind: share of messages that it changed and that can still be read}."""
    found = dict.fromkeys(KINDS, 0)
    seen = {(one, letters(text)) for one, text in texts.items()}
    for row in rows:
        was, now = texts[row["id"]], row["text"]
        # A space more is no rewriting, and one rewriting is not three.
        new = (row["id"], letters(now)) not in seen
        seen.add((row["id"], letters(now)))
        found[row["kind"]] += new and alike(was, now) >= LIKE
    return {kind: count / len(texts) for kind, count in found.items()}


def letters(text: str) -> str:
    """Return a text without spaces and marks."""
    return re.sub(r"[\W_]+", "", text)


def alike(was: str, now: str) -> float:
    """Return how much of two texts is the same, from 0 to 1."""
    # A text of another length by half is not worth the time that comparing takes.
    if not len(was) / 2 <= len(now) <= 2 * len(was) + 20:
        return 0.0
    return SequenceMatcher(None, was, now, autojunk=False).ratio()
