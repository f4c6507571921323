"""Scores of two given candidates, as the grader of evaluation_classifier reads them.

Every number that was reported is reckoned anew from the scores that were handed in.
Where these are not what the given candidate says, a right reckoning is worth a part.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import median

from lab_env import evaluation
from lab_env.checks import Graded, Mismatch, Text
from lab_env.classifier import labels_of
from lab_env.metrics import close, number
from lab_env.submission import Submission

WHO = ("a", "b")
# In the key: what both candidates answer. A machine may round one in fifty otherwise.
CANDIDATES, AGREEMENT = "candidates.csv", 0.98
SPLITS = ("validation", "test")
# A part for a right reckoning from scores that are not the candidate's.
OTHER_SCORES = 1 / 3
# Another machine moves the fourth decimal; another model moves the first.
NEAR = 0.05
# As the notebook has it: words of the other language in a text.
OTHER_LANGUAGE = {"zh": re.compile("[a-z]{4,}"), "en": re.compile("[\u4e00-\u9fff]")}
NOT_THEIRS = Text(
    "算得对，但打分不是这个候选模型的。请先让第 1 节的核对通过。",
    "Reckoned right, from scores that are not this candidate's; mend section 1 first.",
)

Table = dict[str, list[float]]


@dataclass(frozen=True)
class Scored:
    """One candidate's scores of one split, beside the right labels."""

    codes: tuple[str, ...]
    right: Mapping[str, str]
    tables: Mapping[str, list[float]]

    @cached_property
    def given(self) -> dict[str, str]:
        """{id: label with the highest score}."""
        found = {}
        for one in self.right:
            scores = self.tables[one]
            found[one] = self.codes[scores.index(max(scores))]
        return found

    @property
    def pair(self) -> tuple[list[str], list[str]]:
        """Right and given labels, in one order."""
        return list(self.right.values()), list(self.given.values())

    def confidence(self, temperature: float = 1.0) -> dict[str, float]:
        """Return {id: how sure the model is}."""
        return {
            one: evaluation.confidence(self.tables[one], temperature)
            for one in self.right
        }

    def calibration_error(self, temperature: float = 1.0) -> float:
        """Return the ECE at this temperature."""
        sure = self.confidence(temperature)
        hits = [self.given[one] == label for one, label in self.right.items()]
        return evaluation.calibration_error(list(sure.values()), hits)

    def temperature(self) -> float:
        """Return the temperature that fits this split best."""
        places = [self.codes.index(label) for label in self.right.values()]
        return evaluation.best_temperature(
            [self.tables[one] for one in self.right], places
        )

    def cost(
        self,
        prices: Mapping[str, float],
        rarest: str,
        sure: Mapping[str, float],
        least: float,
    ) -> float:
        """Return yuan for 1,000 messages if a person reads those below ``least``."""
        total = 0.0
        for one, label in self.right.items():
            if sure[one] < least:
                total += prices["read"]
            elif self.given[one] != label:
                total += prices["missed" if label == rarest else "hand_over"]
        return 1000 * total / len(self.right)


def scores_of(submission: Submission, who: str) -> Table:
    """Return {id: scores} of validation and test; each id once, each score finite."""
    name, codes = f"scores_{who}.csv", submission.scenario.label_codes
    rows = submission.read_csv(name, ["id", *codes])
    wanted = {one for split in SPLITS for one in labels_of(submission, split)}
    ids = [row["id"] for row in rows]
    missing, extra = wanted - set(ids), set(ids) - wanted
    if missing or extra or len(ids) > len(set(ids)):
        twice = len(ids) - len(set(ids))
        zh = f"{name}：缺 {len(missing)} 条，多 {len(extra)} 条，重复 {twice} 条。"
        en = f"{name}: {len(missing)} missing, {len(extra)} extra, {twice} twice."
        raise Mismatch(Text(zh, en), actual=len(ids), nominal=len(wanted))
    return {row["id"]: [_score(name, row[code]) for code in codes] for row in rows}


def _score(name: str, text: str) -> float:
    try:
        value = number(float(text))
    except ValueError:
        value = None
    # Beyond this no exponential is a number; NaN fails every comparison.
    if value is None or not -1e4 <= value <= 1e4:
        zh = f"{name} 里的“{text[:30]}”不是打分。请重新运行第 1 节。"
        en = f'{name}: "{text[:30]}" is not a score. Run section 1 again.'
        raise Mismatch(Text(zh, en), actual=text[:30], nominal="a number")
    return value


def scored(submission: Submission, who: str, split: str) -> Scored:
    """Return what one candidate makes of a released split."""
    codes, tables = submission.scenario.label_codes, scores_of(submission, who)
    return Scored(codes, labels_of(submission, split), tables)


def both(submission: Submission, split: str = "test") -> dict[str, Scored]:
    """Return what both candidates make of a released split."""
    return {who: scored(submission, who, split) for who in WHO}


def triples(submission: Submission) -> list[evaluation.Triple]:
    """Return right label, A's and B's, for each test message."""
    one, other = both(submission).values()
    return list(zip(*one.pair, other.given.values(), strict=True))


def is_candidate(submission: Submission, who: str) -> bool:
    """Say whether the scores of some known messages are what the candidate gives.

    Room B knows the answers to all of them, so that pasting the known ones is no use.
    """
    if submission.key is not None:
        rows = submission.key.read_csv(CANDIDATES, ["id", *WHO])
        return agreement(submission, who, rows) >= AGREEMENT
    codes, tables = submission.scenario.label_codes, scores_of(submission, who)
    rows = submission.released.read_csv(
        f"data/candidate_{who}/expected.csv", ["id", *codes]
    )
    return all(
        close(tables[row["id"]][place], float(row[code]), NEAR)
        for row in rows
        for place, code in enumerate(codes)
    )


def agreement(
    submission: Submission, who: str, rows: Iterable[Mapping[str, str]]
) -> float:
    """Return the share of messages to which the scores give the candidate's answer."""
    parts = (both(submission, split)[who].given for split in ("validation", "test"))
    answers = {one: label for part in parts for one, label in part.items()}
    same = [answers[row["id"]] == row[who] for row in rows]
    return sum(same) / len(same)


def as_candidates(
    submission: Submission, graded: Graded, who: Iterable[str] = WHO
) -> Graded:
    """Return the points, cut where the scores are not those of the candidates."""
    if all(is_candidate(submission, each) for each in who):
        return graded
    fraction = graded.fraction * OTHER_SCORES
    return replace(graded, fraction=fraction, hint=graded.hint or NOT_THEIRS)


def texts_of(submission: Submission, split: str) -> dict[str, str]:
    """Return {id: text} of a released split."""
    column = submission.scenario.columns["text"]
    rows = submission.released.read_csv(f"data/{split}.csv", ["id", column])
    return {row["id"]: row[column] for row in rows}


def slices_of(submission: Submission, *wanted: str) -> dict[str, list[str]]:
    """Return {slice: ids} of the test split by channel, length and mixed language."""
    texts = texts_of(submission, "test")
    middle = median(map(len, texts.values()))
    other = OTHER_LANGUAGE[submission.language]
    rows = submission.released.read_csv("data/test.csv", ["id", "channel"])
    found: dict[str, list[str]] = {}
    for row in rows:
        text = texts[row["id"]]
        names = {
            "channel": row["channel"],
            "length": "long" if len(text) > middle else "short",
            "language": "mixed" if other.search(text) else "plain",
        }
        for kind, name in names.items():
            if not wanted or kind in wanted:
                found.setdefault(name, []).append(row["id"])
    return found


def rarest_of(submission: Submission) -> str:
    """Return the class whose misses cost most."""
    code: str = submission.scenario.facts["languages"][submission.language]["rarest"]
    return code


def prices_of(submission: Submission) -> dict[str, float]:
    """Return {code: yuan} of the scenario's costs."""
    return {each["code"]: each["yuan"] for each in submission.scenario.facts["costs"]}
