"""Facts about the strict readers: each hostile file ends in one sentence."""

import json
import os
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab_env.checks import Finding, NotAttempted, Unreadable
from lab_env.readers import read_csv, read_json, read_tensor_shapes, read_text


def put(folder: Path, content: str | bytes, name: str = "a.json") -> None:
    """Write a deliverable as a trainee's cell would."""
    data = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(data)


def reading(folder: Path, kind: type = float) -> str:
    """Return the sentence that reading {"x": kind} gives."""
    with pytest.raises(Finding) as caught:
        read_json(folder, "a.json", {"x": kind})
    return caught.value.message.en


def test_a_good_file_is_read(tmp_path: Path) -> None:
    """A whole number is taken where a number is asked for, and other fields stay."""
    put(tmp_path, '{"x": 1, "more": "kept"}')

    assert read_json(tmp_path, "a.json", {"x": float}) == {"x": 1.0, "more": "kept"}


def test_a_missing_file_is_not_attempted(tmp_path: Path) -> None:
    """A deliverable that is not there is work not begun, with what to do next."""
    with pytest.raises(NotAttempted, match=r"There is no a.json yet. Fill in"):
        read_json(tmp_path, "a.json", {"x": float})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"x": "0.4"}', 'a.json: "x" should be a number, got \'0.4\'. Remove the quotes.'),
        ('{"x": true}', 'a.json: "x" should be a number, got True.'),
        ('{"x": NaN}', 'a.json: "x" should be a number, got nan.'),
        ('{"x": 1e999}', 'a.json: "x" should be a number, got inf.'),
        ('{"x": [1]}', 'a.json: "x" should be a number, got [1].'),
        ("[1]", "a.json: the content should be a dictionary, got [1]."),
        ('{"x": 1', "a.json is not a complete JSON file. Run the cell that saves it again."),
        ('{"x": 1, "x": 2}', 'a.json: "x" stands there twice; keep one.'),
        ('{"x": null}', 'a.json has no "x" yet. Fill in the blank, then run the cell.'),
        ("{}", 'a.json has no "x" yet. Fill in the blank, then run the cell.'),
        (b"\x80\xff", "a.json: byte 0 is not UTF-8. Save the file again as UTF-8."),
        (b"\xff\xfe", "a.json is in UTF-16, expected UTF-8. Save the file again as UTF-8."),
        ("条".encode("gbk"), "a.json is in GBK, expected UTF-8. Save the file again as UTF-8."),
    ],
)  # fmt: skip
def test_each_odd_content_has_its_sentence(
    tmp_path: Path, content: str | bytes, sentence: str
) -> None:
    """What is wrong with a JSON deliverable is said with the value that was seen."""
    put(tmp_path, content)

    assert reading(tmp_path) == sentence


def test_a_byte_order_mark_is_forgiven(tmp_path: Path) -> None:
    """A file saved by a Windows editor reads like any other."""
    put(tmp_path, "\ufeffhello\r\n", "a.txt")

    assert read_text(tmp_path, "a.txt") == "hello\n"


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    """A file nested to exhaust the stack is refused with a sentence."""
    put(tmp_path, '{"x": ' + "[" * 50 + "]" * 50 + "}")
    assert (
        reading(tmp_path, list)
        == "a.json is nested deeper than 20. Run its cell again."
    )

    put(tmp_path, "[" * 1_000_000)
    assert "is not a complete JSON file" in reading(tmp_path, list)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    """A file over the cap is refused by its size, without reading it."""
    with (tmp_path / "a.json").open("wb") as stream:
        stream.truncate(200_000_000)

    expected = (
        "a.json has 200.0 MB, the limit is 4 MB. Save only what the task asks for."
    )
    assert reading(tmp_path) == expected


def test_links_fifos_and_folders_are_refused(tmp_path: Path) -> None:
    """Only a plain file is read: no link is followed, no pipe waited for."""
    path = tmp_path / "a.json"
    path.symlink_to("/etc/hostname")
    assert "is not a plain file" in reading(tmp_path)

    path.unlink()
    os.mkfifo(path)
    assert "is not a plain file" in reading(tmp_path)

    path.unlink()
    path.mkdir()
    assert "is not a plain file" in reading(tmp_path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("id\n1\n", 'the columns "id", expected each once: id, label'),
        ("id,label,label\n1,a,b\n", 'the columns "id, label, label", expected each once'),
        ("id,label\n1,a,b\n", "line 2 has the wrong number of columns"),
        ("id,label\n1\n", "line 2 has the wrong number of columns"),
        ('id,label\n1,"a\n', "has the wrong number of columns"),
        ("", 'the columns "", expected each once'),
    ],
)  # fmt: skip
def test_each_odd_table_has_its_sentence(
    tmp_path: Path, content: str, sentence: str
) -> None:
    """What is wrong with a CSV deliverable is said with its line or its header."""
    put(tmp_path, content, "a.csv")

    with pytest.raises(Unreadable) as caught:
        read_csv(tmp_path, "a.csv", ["id", "label"])

    assert sentence in caught.value.message.en


@given(st.binary(max_size=300))
def test_no_bytes_break_a_reader(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    """Whatever the bytes, each reader returns or raises a Finding, nothing else."""
    folder = tmp_path_factory.mktemp("bytes")
    put(folder, data)

    for read in (
        lambda: read_json(folder, "a.json", {"x": float}),
        lambda: read_csv(folder, "a.json", ["x"]),
        lambda: read_tensor_shapes(folder, "a.json"),
    ):
        with suppress(Finding):
            read()


def test_tensor_shapes_come_from_the_header(tmp_path: Path) -> None:
    """The shapes of a model are read without reading its weights."""
    header = {
        "__metadata__": {},
        "w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
    }
    text = json.dumps(header).encode()
    put(tmp_path, len(text).to_bytes(8, "little") + text + bytes(24))

    assert read_tensor_shapes(tmp_path, "a.json") == {"w": (2, 3)}


def test_a_pickle_named_as_a_model_is_refused(tmp_path: Path) -> None:
    """A file that is not safetensors is refused by its header, never unpickled."""
    put(tmp_path, b"\x80\x04\x95" + b"x" * 100)

    with pytest.raises(Unreadable, match="is not a safetensors file"):
        read_tensor_shapes(tmp_path, "a.json")


def test_a_doubled_key_among_many_is_found_at_once(tmp_path: Path) -> None:
    """A hundred thousand keys with one twice do not hold up the marking."""
    many = ",".join(f'"{number}":1' for number in range(100_000))
    put(tmp_path, f'{{{many},"x":1,"x":2}}')

    begun = time.process_time()

    assert '"x" stands there twice' in reading(tmp_path)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("shape", ["[1e999]", "[NaN]", '["9e9"]', "7", "[[1]]"])
def test_a_tensor_of_an_impossible_shape_is_no_fault_of_ours(
    tmp_path: Path, shape: str
) -> None:
    """The row fails; it is not broken, which a person would have to decide."""
    header = f'{{"w": {{"shape": {shape}}}}}'.encode()
    data = len(header).to_bytes(8, "little") + header
    put(tmp_path, data, "model.safetensors")

    with pytest.raises(Unreadable, match="is not a safetensors file"):
        read_tensor_shapes(tmp_path, "model.safetensors")
