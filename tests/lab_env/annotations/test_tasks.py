"""Facts about task files: each bad one is named by its line or place."""

import json
from pathlib import Path

import pytest
from annotated_toy import UNTIMED, images, ranks, texts
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lab_env.annotations.errors import AnnotationError
from lab_env.annotations.images import image_size
from lab_env.annotations.tasks import check_tasks, image_path, read_tasks, tasks_of


def put(folder: Path, content: str | bytes) -> Path:
    """Write a task file."""
    path = folder / "tasks.jsonl"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(path: Path) -> str:
    """Return the sentence that a task file ends in."""
    with pytest.raises(AnnotationError) as caught:
        read_tasks(path)
    return str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        '{"text": "a"}\n\n{"text": "b"}\n',
        '[{"text": "a"}, {"text": "b"}]',
        '{"id": 1, "data": {"text": "a"}}\r\n{"id": 2, "data": {"text": "b"}}',
        '\ufeff[{"data": {"text": "a"}}, {"data": {"text": "b"}}]',
    ],
)
def test_four_ways_to_write_the_same_tasks(tmp_path: Path, content: str) -> None:
    """JSONL or an array, data alone or wrapped: the ids are the same."""
    tasks = read_tasks(put(tmp_path, content))

    assert [(task.id, task.data) for task in tasks] == [
        (1, {"text": "a"}),
        (2, {"text": "b"}),
    ]


def test_an_id_of_its_own_stays(tmp_path: Path) -> None:
    """A task keeps the id of its file, and bare data keeps a field called id."""
    tasks = read_tasks(put(tmp_path, '{"id": 7, "data": {"id": "m1"}}\n{"id": "m2"}'))

    assert [(task.id, task.data["id"]) for task in tasks] == [(7, "m1"), (2, "m2")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "tasks.jsonl has 0 tasks, expected 1 to 10000. Check it."),
        ('{"text": "a"}\n{"text"', "tasks.jsonl, line 2: not complete JSON. Mend this line."),
        ("[1, 2", "tasks.jsonl is not complete JSON (Expecting ',' delimiter: line 1 column 6 (char 5)). Export it again."),
        ("7", "tasks.jsonl: task 1: is 7, expected an object. Change the task file."),
        ('{"id": "x", "data": {"a": "b"}}', "tasks.jsonl: task 1: id is 'x', expected a whole number from 1. Change the task file."),
        ('{"id": 2, "data": {"a": "b"}}\n{"a": "b"}', "tasks.jsonl: task 2: id 2 is taken by task 1; give it another. Change the task file."),
        ('{"text": "\\ud83d"}', "tasks.jsonl: task 1: a text holds half a character. Change the task file."),
        (b"\xff", "tasks.jsonl: byte 0 is not UTF-8. Save it again as UTF-8."),
        ("[" * 50_000, None),
    ],
)  # fmt: skip
def test_a_bad_file_is_said_with_its_place(
    tmp_path: Path, content: str | bytes, sentence: str | None
) -> None:
    """What is wrong with a task file is one sentence with the line or the task."""
    said = refused(put(tmp_path, content))

    assert sentence is None or said == sentence


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A task file that is not there is said with its path."""
    said = refused(tmp_path / "no.jsonl")

    assert said.endswith("no.jsonl (No such file or directory). Check its name.")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"txt": "a"}, 'tasks: task 1: "text" holds no text (it is None; fields: txt). Change the task file.'),
        ({"text": "  "}, "tasks: task 1: \"text\" holds no text (it is '  '; fields: text). Change the task file."),
        ({"text": 5}, 'tasks: task 1: "text" holds no text (it is 5; fields: text). Change the task file.'),
        ({"text": "a" * 100_001}, 'tasks: task 1: "text" has 100001 characters, at most 100000. Change the task file.'),
    ],
)  # fmt: skip
def test_a_task_without_text_is_said_at_once(
    tmp_path: Path, data: dict[str, object], sentence: str
) -> None:
    """A task that lacks what the screen shows is refused before the first item."""
    labelling, _ = texts()

    with pytest.raises(AnnotationError) as caught:
        check_tasks(tasks_of([data]), labelling, tmp_path)

    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "name",
    ["gone.png", "../secret.png", "/etc/passwd", "http://x/a.png", "", ".", "a\0b"],
)
def test_an_image_lies_in_the_folder_of_the_tasks(tmp_path: Path, name: str) -> None:
    """A missing image, one outside the folder and one of the network are refused."""
    (tmp_path / "secret.png").touch()
    folder = tmp_path / "inner"
    folder.mkdir()
    labelling, _ = images()

    with pytest.raises(AnnotationError, match="task 1: "):
        check_tasks(tasks_of([{"image": name}]), labelling, folder)


def test_a_link_out_of_the_folder_is_no_image(tmp_path: Path) -> None:
    """A link in the folder does not open what lies outside."""
    (tmp_path / "secret.png").touch()
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a.png").symlink_to(tmp_path / "secret.png")

    assert image_path(tmp_path / "inner", "a.png") is None


def test_an_image_is_found_and_measured(tmp_path: Path) -> None:
    """An image below the folder is found, with its size; a broken one is named."""
    Image.new("RGB", (64, 48)).save(tmp_path / "0.png")
    (tmp_path / "1.png").write_bytes(b"no image")

    assert image_size(tmp_path, "0.png") == (64, 48)
    with pytest.raises(AnnotationError, match=r"1\.png is no image that opens"):
        image_size(tmp_path, "1.png")
    with pytest.raises(AnnotationError, match=r'no image "2\.png"'):
        image_size(tmp_path, "2.png")


@pytest.mark.parametrize(
    "answers",
    [None, [], [{"id": "a"}], [{"id": "a"}, {"id": "a"}], [{"id": "a"}, {}], "ab"],
)
def test_a_list_needs_items_with_ids(tmp_path: Path, answers: object) -> None:
    """A ranking without two items, each with its own id, is refused."""
    labelling, _ = ranks()
    tasks = tasks_of([{"question": "q", "answers": answers}])

    with pytest.raises(AnnotationError, match=r'task 1: .*"answers"'):
        check_tasks(tasks, labelling, tmp_path)


WHOLE = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50)


@UNTIMED
@given(st.lists(WHOLE, min_size=1, max_size=5))
def test_any_text_survives_the_file(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:  # fmt: skip
    """Line separators of Unicode do not split a line of the file."""
    text = "".join(
        json.dumps({"text": line}, ensure_ascii=False) + "\n" for line in lines
    )
    path = put(tmp_path_factory.mktemp("t"), text)

    assert [task.data["text"] for task in read_tasks(path)] == lines
