"""Facts about reading a submitted notebook and rebuilding it on ours."""

import base64
import json
from typing import Any

import pytest

from lab_env import notebook_file
from lab_env.errors import SubmissionError
from lab_env.executed import first_error, with_outputs
from lab_env.notebook_file import answers, check_release, parse_notebook, rebuild

RELEASE = "toy_lab-toy_scenario-en-r1"


def cell(name: str, source: str, kind: str = "code", **lab: object) -> dict[str, Any]:
    """Return a cell as the build makes it."""
    grading = {"grade_id": name, "locked": "answer" not in lab}
    made: dict[str, Any] = {"cell_type": kind, "id": name, "source": source}
    made["metadata"] = {"lab": lab, "nbgrader": grading}
    if kind == "code":
        made |= {"outputs": [], "execution_count": None}
    return made


def ours() -> dict[str, Any]:
    """Return a sealed notebook: text, answer, rows, written answer."""
    cells = [
        cell("text-01", "# Count", "markdown"),
        cell("answer-count", "count = ____", answer="count"),
        cell("rows-M1", "save(count)", rows=["M1"]),
        cell("answer-why", "Write here", "markdown", answer="why", rows=["J1"]),
    ]
    metadata = {"lab": {"release": RELEASE}, "kernelspec": {"name": "python3"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def handed_in(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return ours with this notebook's answers in it."""
    return rebuild(ours(), parse_notebook(json.dumps(notebook).encode(), "a.ipynb"))


def sources(notebook: dict[str, Any]) -> dict[str, str]:
    """Return {cell id: source}."""
    return {each["id"]: each["source"] for each in notebook["cells"]}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x89PNG\r\n", "a.ipynb is not a complete notebook file"),
        (b'{"cells": [', "a.ipynb is not a complete notebook file"),
        (b"", "a.ipynb is not a complete notebook file"),
        (b"[1]", "a.ipynb holds a JSON list, not a notebook"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": 1, "a": 2}', "a key stands twice in one object"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" * 60 + b"]" * 60, "nested too deeply"),
        (b'{"a": ' + b"1" * 5000 + b"}", "is not a complete notebook file"),
        (b"{}", "a.ipynb has the notebook format none, expected 4"),
        (b'{"nbformat": 3}', "a.ipynb has the notebook format 3, expected 4"),
        (b'{"nbformat": 5}', "a.ipynb has the notebook format 5, expected 4"),
        (b'{"nbformat": 4.0}', "a.ipynb has the notebook format 4.0, expected 4"),
        (b'{"nbformat": 4}', "a list of at most 2000 cells, got NoneType"),
        (
            json.dumps({"nbformat": 4, "cells": [{}] * 2001}).encode(),
            "a list of at most 2000 cells, got 2001",
        ),
        (b'{"nbformat": 4, "cells": [7]}', "cell 1 is not a notebook cell (7)"),
        (
            b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": [1]}]}',
            "cell 1 is not a notebook cell",
        ),
        (
            b'{"nbformat": 4, "cells": [{"cell_type": "virus", "source": ""}]}',
            "cell 1 is not a notebook cell",
        ),
    ],
)
def test_what_is_no_notebook_is_refused(data: bytes, said: str) -> None:
    """A file that is no notebook of format 4 is refused with what was seen."""
    with pytest.raises(SubmissionError) as caught:
        parse_notebook(data, "a.ipynb")

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_huge_notebook_is_refused_before_it_is_parsed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A notebook over the limit says its size and how to make it smaller."""
    monkeypatch.setattr(notebook_file, "MAX_BYTES", 10)

    with pytest.raises(SubmissionError, match=r"Clear All Outputs"):
        parse_notebook(b"[" * 11, "a.ipynb")


@pytest.mark.parametrize(
    ("release", "said"),
    [
        ("toy_lab-toy_scenario-zh-r1", "names release toy_lab-toy_scenario-zh-r1, but"),
        ("", "names no release, but"),
        (7, "names no release, but"),
    ],
)
def test_a_notebook_of_another_release_names_both(release: object, said: str) -> None:
    """A notebook of another release, or of none, is refused with both names."""
    notebook = ours()
    notebook["metadata"]["lab"]["release"] = release
    parsed = parse_notebook(json.dumps(notebook).encode(), "a.ipynb")

    with pytest.raises(SubmissionError) as caught:
        check_release(parsed, "a.ipynb", RELEASE)

    assert said in str(caught.value)
    assert str(caught.value).count(RELEASE) == 2


def test_only_answers_are_taken() -> None:
    """Answers come from the hand-in; locked text and code come from us."""
    theirs = ours()
    for each in theirs["cells"]:
        each["source"] = f"mine {each['id']}"
        each["metadata"] = {"tags": ["skip-execution"]}

    built = handed_in(theirs)

    assert sources(built) == {
        "text-01": "# Count",
        "answer-count": "mine answer-count",
        "rows-M1": "save(count)",
        "answer-why": "mine answer-why",
    }
    assert built["metadata"] == ours()["metadata"]
    assert [each["metadata"] for each in built["cells"]] == [
        each["metadata"] for each in ours()["cells"]
    ]
    assert answers(built) == {
        "count": "mine answer-count",
        "why": "mine answer-why",
    }


def test_deleted_and_moved_cells_are_put_back() -> None:
    """The order and number of our cells do not depend on the hand-in."""
    theirs = ours()
    theirs["cells"] = [theirs["cells"][3], theirs["cells"][1]]

    assert list(sources(handed_in(theirs))) == list(sources(ours()))
    assert sources(handed_in(theirs | {"cells": []})) == sources(ours())


def test_a_changed_cell_type_is_put_back_and_the_answer_kept() -> None:
    """A code answer turned into text by a slip still counts as code."""
    theirs = ours()
    theirs["cells"][1] |= {"cell_type": "markdown", "source": ["count = 1\n", "# ok"]}

    built = handed_in(theirs)

    assert built["cells"][1]["cell_type"] == "code"
    assert built["cells"][1]["source"] == "count = 1\n# ok"


def test_of_two_equal_ids_the_first_is_the_answer() -> None:
    """A doubled id is read as JupyterLab reads it; the copy is an extra cell."""
    theirs = ours()
    theirs["cells"].insert(2, theirs["cells"][1] | {"source": "second"})
    theirs["cells"][1]["source"] = "first"

    built = handed_in(theirs)

    assert answers(built)["count"] == "first"
    assert list(sources(built))[2] == "extra-01"


def test_swapped_metadata_changes_nothing() -> None:
    """Cells are known by id; grade_id counts only for an id that no cell has."""
    theirs = ours()
    one, other = theirs["cells"][1], theirs["cells"][3]
    one["source"], other["source"] = "one", "other"
    one["metadata"], other["metadata"] = other["metadata"], one["metadata"]

    assert answers(handed_in(theirs)) == {"count": "one", "why": "other"}


def test_a_notebook_without_ids_is_known_by_grade_id() -> None:
    """An editor that drops cell ids does not lose the trainee's answers."""
    theirs = ours()
    for each in theirs["cells"]:
        del each["id"]
        each["source"] = each["source"].replace("____", "6")

    assert sources(handed_in(theirs))["answer-count"] == "count = 6"


def test_extra_cells_stay_where_they_were() -> None:
    """A trainee's own cells keep their place, without metadata, raw as text."""
    theirs = ours()
    theirs["cells"].insert(0, cell("x", "import math", answer="count"))
    theirs["cells"].insert(3, cell("y", "note", "raw"))
    theirs["cells"].insert(4, cell("z", "  \n"))

    built = handed_in(theirs)

    assert list(sources(built)) == [
        "extra-01",
        "text-01",
        "answer-count",
        "extra-02",
        "rows-M1",
        "answer-why",
    ]
    assert built["cells"][0]["metadata"] == {}
    assert built["cells"][3]["cell_type"] == "markdown"


def test_half_a_character_does_not_stop_the_grading() -> None:
    """A lone surrogate, which no file can hold, is replaced."""
    theirs = ours()
    theirs["cells"][1]["source"] = "a = '\ud800'"

    assert answers(handed_in(theirs))["count"] == "a = '?'"


def test_outputs_that_could_run_are_dropped() -> None:
    """Text, PNG, streams and errors stay; HTML, script, SVG and forged text go."""
    page = {"text/html": "<script>", "image/svg+xml": "<svg>", "text/plain": "plain"}
    png = base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1").decode()
    picture = {"image/png": f"{png}\n"}
    forged = {"image/png": '"><script>', "text/plain": ["a", "b"]}
    outputs: list[object] = [
        {"output_type": "display_data", "data": data}
        for data in (page, picture, forged)
    ]
    outputs += [
        {"output_type": "stream", "name": "odd", "text": "x" * 30_000},
        {"output_type": "error", "ename": "E", "evalue": 3, "traceback": ["t"]},
        {"output_type": "virus"},
        "text",
    ]
    theirs = ours()
    theirs["cells"][1] |= {"outputs": outputs, "source": "forged"}

    built = with_outputs(ours(), json.dumps(theirs).encode())["cells"][1]

    assert built["source"] == "count = ____"
    kinds = [output["output_type"] for output in built["outputs"]]
    assert kinds == [*["display_data"] * 3, "stream", "error"]
    assert [output["data"] for output in built["outputs"][:3]] == [
        {"text/plain": "plain"},
        {"text/plain": "", "image/png": f"{png}\n"},
        {"text/plain": "ab"},
    ]
    assert len(built["outputs"][3]["text"]) < 20_010
    assert built["outputs"][3]["name"] == "stdout"
    assert built["outputs"][4]["evalue"] == ""


@pytest.mark.parametrize("data", [b"", b"[]", b'{"cells": [[], {"id": []}]}'])
def test_an_executed_notebook_that_does_not_read_gives_no_outputs(data: bytes) -> None:
    """What comes out of room A may be anything; then there are no outputs."""
    assert with_outputs(ours(), data) == ours()


def test_a_blank_is_not_reported_as_an_error() -> None:
    """The first failing cell is named, unless it is a blank left as it was."""
    error = {"output_type": "error", "ename": "ValueError\x1b", "evalue": ""}
    broken = ours()
    broken["cells"][2]["outputs"] = [error]
    assert first_error(broken) == ("rows-M1", "ValueError")

    broken["cells"][1]["outputs"] = [error]
    assert first_error(broken) is None
    assert first_error(ours()) is None
