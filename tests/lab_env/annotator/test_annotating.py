"""Facts about the kernel's side of the annotation page, without a browser."""

import json
from pathlib import Path
from typing import Any

import pytest
from samples import draw_parts, labelling, tasks

from lab_env.annotations.labelling import read_labelling
from lab_env.annotations.store import Annotations
from lab_env.annotations.tasks import tasks_of
from lab_env.errors import LabError
from lab_env.widgets.annotating import Annotating, Screen
from lab_env.widgets.annotator import annotate, page_buffers

GOOD = [
    {
        "id": "r1",
        "from_name": "team",
        "to_name": "text",
        "type": "choices",
        "value": {"choices": ["账务组"]},
    }
]


def start(folder: Path, kind: str = "choices", number: int = 4) -> Annotating:
    """Return the work at a fresh file of one kind."""
    known = read_labelling(labelling(kind, "zh"))
    store = Annotations(
        folder / "out.jsonl", tasks_of(tasks(kind, "zh", number)), known
    )
    return Annotating(store, Screen("zh", "normal", "", folder))


def act(work: Annotating, kind: str, **more: Any) -> dict[str, Any]:
    """Send one act and return the content of its answer."""
    return work.hear({"kind": kind, "serial": "s", **more}).content


def test_one_answer_holds_all(tmp_path: Path) -> None:
    """Acknowledgement, outcome, next task and progress come in one message."""
    work = start(tmp_path)

    answer = act(work, "submit", task=1, result=GOOD, seconds=2.5)

    assert (answer["ack"], answer["did"], answer["number"]) == ("s", "saved", 1)
    assert answer["task"]["id"] == 2
    assert answer["progress"]["done"] == 1


def test_an_answer_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """A choice that is not in the configuration is one sentence and changes nothing."""
    work = start(tmp_path)
    wrong = [{**GOOD[0], "value": {"choices": ["nobody"]}}]

    answer = act(work, "submit", task=1, result=wrong)

    assert "nobody" in answer["error"]
    assert answer["task"]["id"] == 1
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize(
    "message",
    [
        {"kind": "submit", "task": 99, "result": []},
        {"kind": "submit", "task": 1, "result": "x"},
        {"kind": "goto", "number": 5},
        {"kind": "goto", "number": "2"},
        {"kind": "dance"},
        {},
    ],
)
def test_every_message_is_answered(tmp_path: Path, message: dict[str, Any]) -> None:
    """Whatever a page sends, it gets an answer with a sentence, and never waits."""
    answer = start(tmp_path).hear({**message, "serial": "s"}).content

    assert answer["ack"] == "s"
    assert answer["error"]


def test_a_fault_of_ours_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unexpected error is told to the page, and its trace goes to the log."""
    work = start(tmp_path)
    monkeypatch.setattr(work.store, "submit", lambda *args, **more: 1 / 0)

    answer = act(work, "submit", task=1, result=GOOD)

    assert "ZeroDivisionError" in answer["error"]
    assert "Traceback" in capsys.readouterr().err


def test_what_was_skipped_is_named(tmp_path: Path) -> None:
    """Every answer has the numbers of the items that were skipped and are open."""
    work = start(tmp_path)

    assert act(work, "skip", task=1)["progress"]["left"] == [1]
    assert act(work, "submit", task=1, result=GOOD)["progress"]["left"] == []


def test_a_draft_comes_back_with_its_task(tmp_path: Path) -> None:
    """Leaving an item keeps what was ticked; a box without a label is left out."""
    work = start(tmp_path)
    bare = {"type": "rectanglelabels", "value": {"rectanglelabels": []}}
    work.keep_draft({"task": 1, "result": [*GOOD, bare]})

    act(work, "goto", number=2)
    answer = act(work, "goto", number=1)

    assert answer["task"]["draft"][0]["value"] == {"choices": ["账务组"]}
    assert answer["task"]["result"] == []


@pytest.mark.parametrize("draft", [{}, {"result": [3]}, {"task": "x", "result": []}])
def test_a_draft_that_cannot_be_is_dropped(
    tmp_path: Path, draft: dict[str, Any]
) -> None:
    """A draft that is no answer is no error either."""
    work = start(tmp_path)

    work.keep_draft(draft)

    assert act(work, "open")["task"]["draft"] is None


def test_work_goes_on_at_the_first_open_item(tmp_path: Path) -> None:
    """A new kernel begins behind what was submitted."""
    act(start(tmp_path), "submit", task=1, result=GOOD)

    assert start(tmp_path).task.id == 2


def test_picture_bytes_are_buffers(tmp_path: Path) -> None:
    """The message has a picture's key and type; its bytes go beside it."""
    draw_parts(tmp_path)
    answer = start(tmp_path, "boxes").hear({"kind": "open", "serial": "s"})

    image = answer.content["images"]["image"]
    assert image["type"] == "image/png"
    assert answer.buffers[image["buffer"]].startswith(b"\x89PNG")
    assert len(json.dumps(answer.content)) < 4000


def test_a_picture_is_what_it_begins_with(tmp_path: Path) -> None:
    """A file that only calls itself a picture is not sent."""
    draw_parts(tmp_path)
    (tmp_path / "part-1.png").write_text("<svg onload='alert(1)'/>")

    answer = start(tmp_path, "boxes").hear({"kind": "open", "serial": "s"})

    assert "part-1.png" in answer.content["images"]["image"]["error"]
    assert answer.buffers == []


def test_only_fields_on_the_screen_are_sent(tmp_path: Path) -> None:
    """What else a task holds, such as a gold label, stays in the kernel."""
    known = read_labelling(labelling("choices", "zh"))
    store = Annotations(
        tmp_path / "out.jsonl", tasks_of([{"text": "a", "gold": "b"}]), known
    )

    answer = act(Annotating(store, Screen("zh", "normal", "", tmp_path)), "open")

    assert answer["task"]["data"] == {"text": "a"}


def test_the_page_is_small() -> None:
    """Style and program together are at most 30 kilobytes on their way."""
    assert sum(map(len, page_buffers())) < 30_000


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"labelling": "nowhere.xml"}, "nowhere.xml"),
        ({"tasks": "nowhere.jsonl"}, "nowhere.jsonl"),
        ({"guideline": "nowhere.md"}, "nowhere.md"),
        ({"mode": "turbo"}, '"turbo", expected normal or fast'),
    ],
)
def test_what_annotate_cannot_read_is_one_sentence(
    tmp_path: Path, given: dict[str, Any], sentence: str
) -> None:
    """A file that is not there, or a mode that is none, is named."""
    usual: dict[str, Any] = {
        "labelling": labelling("choices", "en"),
        "tasks": tasks("choices", "en"),
        "out": tmp_path / "out.jsonl",
        "language": "en",
    }

    with pytest.raises(LabError) as caught:
        annotate(**(usual | given))

    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
