"""Open rows: which may run in the notebook, and what of a grader ships for them."""

from pathlib import Path

import pytest

from lab_env.errors import LabError
from lab_env.open_rows import closed_statements, open_codes, open_source
from lab_env.release import load_checks

TOY = Path(__file__).parent.parent / "fixtures" / "toy" / "lab" / "grader.py"
HEAD = "from lab_env.checks import check\n\nLIMIT = 3\nSECRET = 4\n"


def row(code: str, body: str, **more: str) -> str:
    """Return the source of one row."""
    words = "".join(f", {name}={value}" for name, value in more.items())
    return (
        f'\n\n@check("{code}", points=1{words})\ndef row_{code}(submission):\n'
        f'    """一。\n\n    One.\n    """\n    {body}\n'
    )


def test_rows_of_the_toy_that_need_no_key_are_open() -> None:
    """Rows with the key, even through a function, and rows by hand are closed."""
    assert open_codes(TOY.read_text(encoding="utf-8")) == ("M1", "M2")


@pytest.mark.parametrize(
    ("body", "more"),
    [
        ("return submission.answer_key.folder", {}),
        ("return submission.model_predictions()", {}),
        ('return getattr(submission, "answer_key")', {}),
        ("return submission.key", {}),
        ("return helper(submission)", {}),
        ("return 1", {"by_hand": "True"}),
        ("return 1", {"needs": "row_C"}),
    ],
)
def test_row_that_reaches_the_key_is_closed(body: str, more: dict[str, str]) -> None:
    """However a row gets at the key, by itself or by another, it is closed."""
    helper = "\n\ndef helper(submission):\n    return submission.answer_key\n"
    closed = row("C", "return submission.answer_key")
    source = HEAD + helper + closed + row("X", body, **more) + row("M", "return LIMIT")
    assert open_codes(source) == ("M",)


def test_shipped_part_holds_only_what_open_rows_reach(tmp_path: Path) -> None:
    """Constants and rows that only closed rows use stay; the rest runs as it is."""
    closed = row("C", "return submission.answer_key, SECRET")
    source = HEAD + closed + row("M", "return LIMIT")
    shipped = open_source(source)
    assert "SECRET" not in shipped
    assert "answer_key" not in shipped
    path = tmp_path / "rows.py"
    path.write_text(shipped, encoding="utf-8")
    assert [check.code for check in load_checks(path)] == ["M"]


def test_closed_lines_are_all_that_does_not_ship() -> None:
    """A closed row's code is among the closed lines, its sentence is not."""
    lines = "\n".join(closed_statements(TOY.read_text(encoding="utf-8")))
    assert "answer_key" in lines
    assert "按比例给分" not in lines
    assert "messages_are_counted" not in lines


def test_grader_with_a_loose_statement_is_refused() -> None:
    """Code that runs at import cannot be cut out, so it is named."""
    with pytest.raises(LabError, match="line 6 that is no definition"):
        open_codes(f"{HEAD}\nprint(LIMIT)\n")


def test_open_rows_of_the_toy_are_those_of_its_grader(tmp_path: Path) -> None:
    """An open row ships with its points and its sentence unchanged."""
    path = tmp_path / "rows.py"
    path.write_text(open_source(TOY.read_text(encoding="utf-8")), encoding="utf-8")
    full = {check.code: check for check in load_checks(TOY)}
    for check in load_checks(path):
        assert (check.points, check.sentence) == (
            full[check.code].points,
            full[check.code].sentence,
        )
