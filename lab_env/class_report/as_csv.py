"""The report's figures as CSV for Excel: a line per row, a line per candidate.

``lab record export`` writes every row of every attempt; these two are one release.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from lab_env.class_report.attempts import Attempt, decided_points
from lab_env.class_report.facts import ClassFacts, RowFacts
from lab_env.record import harmless

_ROWS = (
    *("试卷版本 release", "细则编号 row", "评分细则描述 sentence", "配分 points"),
    *("已评人数 n", "得分率 difficulty", "区分度 discrimination"),
    *("区分度人数 discrimination n", "通过 passed", "未达到 failed"),
    *("未作答 not attempted", "未评 skipped", "待评 awaiting marking", "故障 broken"),
    *("最常见的提示 most frequent message", "收到的人数 got it"),
)
_CANDIDATES = (
    *("准考证号 candidate", "试卷版本 release", "次数 attempt", "结论 outcome"),
    *("机评得分 machine", "机评配分 machine points", "人评得分 hand"),
    *("人评配分 hand points", "总分 total", "配分 points", "时间 at", "运行编号 run"),
    *("运行时间秒 wall seconds", "CPU 秒 CPU seconds", "内存峰值 MB peak memory MB"),
    "运行如何结束 ended",
)
_OUTCOMES = (
    *("passed", "failed", "not attempted", "skipped"),
    *("awaiting marking", "broken"),
)


def rows_csv(facts: ClassFacts, language: str) -> str:
    """Return one line for each row of the sheet."""
    lines = (_row(facts.release, row, language) for row in facts.rows)
    return _written(_ROWS, lines)


def candidates_csv(facts: ClassFacts) -> str:
    """Return one line for each candidate: points, time, memory."""
    return _written(_CANDIDATES, map(_candidate, facts.attempts))


def _row(release: str, row: RowFacts, language: str) -> Sequence[object]:
    said = row.failed_said
    found = row.discrimination
    message = (said.text.read(language), said.count) if said else ("", "")
    counts = (row.outcomes[name] for name in _OUTCOMES)
    about = (release, row.code, row.sentence.read(language), row.points, row.n)
    return (*about, _exact(row.share), _exact(found.value), found.n, *counts, *message)


def _candidate(attempt: Attempt) -> Sequence[object]:
    sheet = attempt.sheet
    points: list[object] = []
    for rows in (sheet.machine_rows, sheet.hand_rows, sheet.rows):
        points += [decided_points(rows), sum(row.points for row in rows)]
    names = ("wall_seconds", "cpu_seconds", "peak_memory_mb", "ended")
    used = [sheet.environment.get(name) for name in names]
    about = (sheet.candidate, sheet.release, sheet.attempt, sheet.outcome)
    return (*about, *points, attempt.at, attempt.run, *used)


def _exact(value: float | None) -> float | None:
    # A number and no text: a minus sign at its head is then no formula.
    return None if value is None else round(value, 4)


def _written(headings: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    # The byte order mark, without which Excel reads Chinese as something else.
    stream = StringIO("\ufeff", newline="")
    stream.seek(1)
    writer = csv.writer(stream)
    writer.writerow(headings)
    writer.writerows(_harmless_line(line) for line in lines)
    return stream.getvalue()


def _harmless_line(line: Sequence[object]) -> Iterator[object]:
    return map(harmless, line)
