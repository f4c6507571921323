"""The class report as CSV, as a spreadsheet reads it."""

import csv
import io
from dataclasses import replace
from pathlib import Path

from made_class import OTHER, enter, row_of, sheet_of, toy_release

from lab_env.checks import Text
from lab_env.class_report.as_csv import candidates_csv, rows_csv
from lab_env.class_report.facts import ClassFacts, facts_of
from lab_env.release import load_checks


def read(text: str) -> list[dict[str, str]]:
    """Return the lines by the English half of their headings."""
    assert text.startswith("\ufeff")
    lines = list(csv.reader(io.StringIO(text[1:], newline="")))
    names = [heading.partition(" ")[2] for heading in lines[0]]
    return [dict(zip(names, line, strict=True)) for line in lines[1:]]


def test_each_row_of_the_sheet_is_a_line(facts: ClassFacts) -> None:
    """A line has the row's figures as the page has them."""
    lines = read(rows_csv(facts, "zh"))

    assert [line["row"] for line in lines] == [row.code for row in facts.rows]
    for line, row in zip(lines, facts.rows, strict=True):
        assert line["sentence"] == row.sentence.zh
        assert line["n"] == str(row.n)
        assert abs(float(line["difficulty"]) - (row.share or 0)) < 0.0001
        value = row.discrimination.value
        assert value is not None
        assert abs(float(line["discrimination"]) - value) < 0.0001
        counts = ("passed", "failed", "not attempted", "awaiting marking", "broken")
        assert [line[name] for name in counts] == [
            str(row.outcomes[name]) for name in counts
        ]


def test_sentences_and_messages_are_in_the_language(facts: ClassFacts) -> None:
    """In English the same lines have English words."""
    line = next(line for line in read(rows_csv(facts, "en")) if line["row"] == "M13")

    assert line["sentence"].isascii()
    message = line["most frequent message"]
    assert message == "The checkpoint was chosen by loss. Choose it by macro-F1."


def test_each_candidate_is_a_line(facts: ClassFacts) -> None:
    """A line has points, time and memory; what is open is empty and never 0."""
    lines = {line["candidate"]: line for line in read(candidates_csv(facts))}

    assert len(lines) == 40
    assert lines["2026-0006"]["outcome"] == "broken"
    assert lines["2026-0006"]["machine"] == lines["2026-0006"]["total"] == ""
    assert lines["2026-0009"]["MB peak memory MB"] == "4101.3"


def test_formulas_are_made_harmless_and_numbers_are_not(tmp_path: Path) -> None:
    """A message that a spreadsheet would run gets an apostrophe; −0.5 stays a number."""
    release = toy_release(tmp_path)
    checks = load_checks(release.grader)
    for number in range(8):
        given = (2.0 * (number % 2), 2.0 * ((number + 1) % 2), 0.0, 0.0)
        rows = [
            row_of(one, "failed", points, OTHER)
            for one, points in zip(checks, given, strict=True)
        ]
        formula = Text("=cmd|'/c calc'!A1", "@SUM(1)")
        rows[0] = replace(rows[0], message=formula)
        enter(tmp_path, sheet_of(release, f"c{number}", rows))

    first, second, *_ = read(rows_csv(facts_of(tmp_path, release), "zh"))

    assert first["most frequent message"] == "'=cmd|'/c calc'!A1"
    assert (first["discrimination"], second["discrimination"]) == ("-1.0", "-1.0")
