"""Facts about the file of annotated tasks: strict, line by line."""

import json
import time
from typing import Any

import pytest
from annotated_toy import UNTIMED, chosen, span, texts
from hypothesis import given
from hypothesis import strategies as st

from lab_env.annotations.annotated import Annotated, Work, read_work, work_text
from lab_env.annotations.reading import read_result
from lab_env.annotations.results import Choice, Note, Region, Span
from lab_env.annotations.tasks import tasks_of
from lab_env.checks import Finding, NotAttempted, Text

LABELLING, TASKS = texts()
NAME = "annotations.jsonl"


def entry(number: int = 1, *raw: object, **more: object) -> dict[str, Any]:
    """Return a task of the file as a dictionary."""
    regions = read_result(
        list(raw) or [chosen()], LABELLING, TASKS[number - 1].data, Text("", "")
    )
    item = Annotated(TASKS[number - 1], regions, annotator="u01", release="r1")
    return {**item.as_json(), **more}


def read(*lines: object) -> Work:
    """Return the work of a file of these lines."""
    rows = [
        x if isinstance(x, str) else json.dumps(x, ensure_ascii=False) for x in lines
    ]
    return read_work("\n".join(rows) + "\n", NAME, TASKS, LABELLING)


def test_one_task_a_line_as_label_studio_writes_it() -> None:
    """A line has id, data, meta and one annotation, and never a completed_by."""
    line = json.loads(Annotated(TASKS[0], (), annotator="u01").as_line())

    assert list(line) == ["id", "data", "meta", "annotations"]
    assert line["meta"]["annotator"] == "u01"
    assert set(line["annotations"][0]) == {
        *("id", "result", "was_cancelled", "ground_truth"),
        *("lead_time", "created_at", "updated_at"),
    }


def test_a_good_file_is_read() -> None:
    """Done and skipped tasks come back, with who made them in which release."""
    skipped = entry(2)
    skipped["annotations"][0]["was_cancelled"] = True
    work = read(entry(1, chosen(), span(0, 2)), "", skipped)

    assert list(work.items) == [1, 2]
    assert list(work.done) == [1]
    assert work.items[1].annotator == "u01"
    assert work.items[1].release == "r1"
    assert work.items[2].regions == ()
    work.refuse_findings()


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_file_is_not_attempted(text: str) -> None:
    """A file without a line is work not begun."""
    with pytest.raises(NotAttempted, match="holds no annotation yet"):
        read_work(text, NAME, TASKS, LABELLING)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{", "not complete JSON."),
        ("[1]", "list (1) is not an object."),
        ('{"id": 1, "id": 1}', "not complete JSON."),
        ('{"id": NaN}', "not complete JSON."),
        ("[" * 100_000, "not complete JSON."),
        ('{"id": ' + "9" * 5000 + "}", "not complete JSON."),
        (entry(id=9), "there is no task 9."),
        (entry(id=True), "there is no task True."),
        (entry(id="1"), "there is no task '1'."),
        (entry(id=[]), "there is no task list (0)."),
        (entry(data={"text": "another"}), "task 1 is not as it was released."),
        (entry(data=None), "task 1 is not as it was released."),
        (entry(annotations=[]), "task 1 has 0 annotations, expected 1."),
        (entry(annotations=[{}, {}]), "task 1, result is None, expected a list of up to 500."),
        (entry(annotations=2), "annotations is 2."),
        (entry(annotations=[1]), "annotations is list (1)."),
        (entry(annotations=[{"result": [span(0, 99)]}]), "task 1, region 1: start/end is '0 - 99', expected 0 to 6."),
        (entry(2), "task 2 twice."),
    ],
)  # fmt: skip
def test_a_bad_line_is_said_and_costs_only_itself(line: object, sentence: str) -> None:
    """What is wrong with a line is one sentence, and the line before it still counts."""
    work = read(entry(2), line, entry(3))

    said = f"annotations.jsonl, line 2: {sentence} Do this item again in the widget."
    assert [finding.message.en for finding in work.findings] == [said]
    assert list(work.items) == [2, 3]
    with pytest.raises(Finding):
        work.refuse_findings()


def test_two_annotations_of_one_task_are_refused() -> None:
    """A hand-in has one annotation a task: nobody may offer two answers."""
    twice = entry()
    twice["annotations"] *= 2

    (finding,) = read(twice).findings
    assert "task 1 has 2 annotations, expected 1." in finding.message.en


@pytest.mark.parametrize("seconds", [-1, float("inf"), True, "1", None, 1e300, 10**400])
def test_a_time_that_cannot_be_is_nothing(seconds: object) -> None:
    """Times are hints: a false one is taken as none and refuses nothing."""
    line = entry()
    line["annotations"][0] |= {"lead_time": 0, "created_at": "<b>"}
    text = json.dumps(line)
    if seconds != float("inf"):
        text = text.replace('"lead_time": 0', f'"lead_time": {json.dumps(seconds)}')

    item = read(text).items[1]

    assert (item.lead_time, item.created_at) == (0.0, "")


def test_a_hostile_file_takes_no_time() -> None:
    """A file of many wrong lines is left after the first twenty."""
    began = time.process_time()
    work = read_work("{\n" * 1_000_000, NAME, TASKS, LABELLING)

    assert len(work.findings) == 20
    assert time.process_time() - began < 2


def regions_of(text: str) -> st.SearchStrategy[tuple[Region, ...]]:
    """Return results for one text: a choice, spans, a note."""
    written = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
    starts = st.integers(0, len(text) - 1)
    spans = st.builds(
        lambda start, size, label: Span(
            "ner", "text", start, min(start + size, len(text)),
            text[start : start + size], (label,),
        ),
        starts, st.integers(1, 9), st.sampled_from(["PER", "LOC"]),
    )  # fmt: skip
    team = st.sampled_from(["delivery", "refund"])
    return st.tuples(
        team.map(lambda code: Choice("team", "text", (code,))),
        written.map(lambda said: Note("why", "text", said)),
        spans,
        spans,
    )


BODY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@UNTIMED
@given(st.lists(BODY.filter(str.strip), min_size=1, max_size=4), st.data())
def test_any_work_survives_its_file(bodies: list[str], data: st.DataObject) -> None:
    """What was annotated is read as it was written, and written again byte for byte."""
    tasks = tasks_of([{"text": body} for body in bodies])
    items = [
        Annotated(task, data.draw(regions_of(body)), lead_time=1.5, annotator="u")
        for task, body in zip(tasks, bodies, strict=True)
    ]
    text = work_text(items)

    work = read_work(text, NAME, tasks, LABELLING)

    assert work.findings == ()
    assert list(work.items.values()) == items
    assert work_text(work.items.values()) == text
    assert text.count("\n") == len(items)
