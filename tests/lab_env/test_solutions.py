"""Starters: what a solution region becomes, and what never ships in it."""

import ast
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab_env.errors import LabError
from lab_env.solutions import (
    regions_of,
    starter_of,
    with_answer,
    without_markers,
    written_starter_of,
)


def region(code: str, indent: str = "") -> str:
    """Return code between the markers."""
    lines = ["### BEGIN SOLUTION", *code.split("\n"), "### END SOLUTION"]
    return "\n".join(indent + line if line else "" for line in lines)


@pytest.mark.parametrize(
    ("code", "starter"),
    [
        ("rate = 5e-5", "rate = ____"),
        ("a = b = 3", "a = b = ____"),
        ('x["k"], y = f(1)', 'x["k"], y = ____'),
        ("rate: float = 5e-5", "rate: float = ____"),
        ("total += 3", "total = ____"),
        ("model.train(3)", "____"),
        ("# why\nrate = 5e-5", "# why\nrate = ____"),
        ("rate = 5e-5  # the secret", "rate = ____"),
        ("a = 1; b = 2", "a = ____\nb = ____"),
        ("rate = (\n    1,\n    2,\n)", "rate = ____"),
        ("# starter: rate = ____  # small\nrate = 5e-5", "rate = ____  # small"),
        (
            "# starter: for x in data:\n# starter:     ____\nfor x in data:\n    go(x)",
            "for x in data:\n    ____",
        ),
        ("a = 1\nb = 2\nrun(a)", "a = ____\nb = ____"),
    ],
)
def test_region_becomes_a_starter(code: str, starter: str) -> None:
    """An assignment keeps its left side, a starter line its code, the rest goes."""
    assert starter_of(region(code)) == starter


def test_region_in_a_function_keeps_its_indentation() -> None:
    """A return within a function becomes a blank return at the same place."""
    body = region("y = x + 1\nreturn y", "    ")
    source = f'def f(x):\n    """Do."""\n{body}\n\n\nf(1)'
    expected = 'def f(x):\n    """Do."""\n    y = ____\n    return ____\n\n\nf(1)'
    assert starter_of(source) == expected


def test_text_over_several_lines_is_no_statement_of_its_own() -> None:
    """A string over several lines within an indented region is left whole."""
    source = 'if True:\n    ### BEGIN SOLUTION\n    a = """x\nkeep\n    """\n    ### END SOLUTION'
    assert starter_of(source) == "if True:\n    a = ____"


def test_region_that_is_not_statements_is_refused() -> None:
    """A region within an expression is refused with the code in question."""
    with pytest.raises(LabError, match="not whole statements"):
        starter_of(f"f(\n{region('3 +')}\n4)")


@pytest.mark.parametrize(
    "source", ["### BEGIN SOLUTION\nx = 1", "### END SOLUTION", region(region("x = 1"))]
)
def test_marker_without_its_pair_is_refused(source: str) -> None:
    """A marker that opens or closes nothing is named."""
    with pytest.raises(LabError, match="SOLUTION"):
        regions_of(source)


def test_gold_cell_has_neither_markers_nor_starter_lines() -> None:
    """What somebody hands in who knows shows no trace of how the lab is made."""
    solved = region("# starter: b = ____\nb = 1")
    source = f"a = 0\n{solved}"
    assert without_markers(source) == "a = 0\nb = 1"


def test_mistake_stands_where_the_solution_stood() -> None:
    """Other code takes the indentation of the region that it stands for."""
    source = f"def f():\n{region('return 1', '    ')}"
    assert with_answer(source, "if 2:\n    return 2") == (
        "def f():\n    if 2:\n        return 2"
    )


def test_written_answer_becomes_a_sentence_in_its_language() -> None:
    """Without a starter of its own, a written answer asks for one."""
    source = f"**Why?**\n\n{region('Because.')}"
    assert written_starter_of(source, "en").endswith("by your own answer.)")
    assert "换成你自己的回答" in written_starter_of(source, "zh")
    own = region("starter: Because ...\nBecause it is.")
    assert written_starter_of(own, "en") == "Because ..."


names = st.text(string.ascii_lowercase, min_size=1, max_size=8).map(lambda s: f"v_{s}")
secrets = st.text(string.ascii_uppercase, min_size=6, max_size=12)
shapes = st.sampled_from(
    (
        "{name} = {secret!r}",
        "{name} = other = f({secret!r})",
        "{name}: str = {secret!r}",
        "{name} += {secret!r}",
        "return {secret!r}",
        "{name}({secret!r})",
        "for x in {name}:\n    y = {secret!r}",
        "if {name}:\n    # {secret}\n    y = {secret!r}\nelse:\n    {secret} = 1",
        "def {name}():\n    return {secret!r}",
        "with {name}({secret!r}) as x:\n    pass",
        "{name} = (\n    # {secret}\n    {secret!r}\n)",
        '{name} = """\n{secret}\n"""',
        "import {secret}",
    )
)


@given(st.lists(st.tuples(shapes, names, secrets), min_size=1, max_size=4))
def test_starter_never_shows_a_right_side(parts: list[tuple[str, str, str]]) -> None:
    """No starter, of any statements, holds what stood right of a sign or within."""
    code = "\n".join(shape.format(name=n, secret=s) for shape, n, s in parts)
    lines = [f"    {line}" if '"""' not in code else line for line in code.split("\n")]
    head = "def outer():\n" if '"""' not in code else ""
    begin = "    ### BEGIN SOLUTION" if head else "### BEGIN SOLUTION"
    end = begin.replace("BEGIN", "END")
    starter = starter_of(f"{head}{begin}\n{chr(10).join(lines)}\n{end}")
    ast.parse(starter)
    assert not any(secret in starter for _, _, secret in parts)
