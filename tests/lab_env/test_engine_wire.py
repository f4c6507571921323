"""Facts about what travels between the examiner's machine and a worker node."""

import os
from pathlib import Path

import pytest

from lab_env.engine import wire
from lab_env.errors import BrokenError


def test_a_folder_arrives_as_it_was(tmp_path: Path) -> None:
    """Names, folders and bytes come through, and nothing else does."""
    source = tmp_path / "a"
    (source / "model").mkdir(parents=True)
    (source / "model" / "权重.bin").write_bytes(b"\0\1")
    (source / "empty").touch()

    wire.unpack(wire.pack(source, 1), tmp_path / "b", 1)

    found = {path.name: path.read_bytes() for path in (tmp_path / "b").rglob("*.bin")}
    assert found == {"权重.bin": b"\0\1"}
    assert (tmp_path / "b" / "empty").read_bytes() == b""


@pytest.mark.parametrize("kind", ["link", "folder link", "pipe"])
def test_only_plain_files_are_packed(tmp_path: Path, kind: str) -> None:
    """A link to a key, or a pipe that never ends, is refused and not followed."""
    odd = tmp_path / "a" / "odd"
    odd.parent.mkdir()
    (tmp_path / "key").mkdir()
    if kind == "pipe":
        os.mkfifo(odd)
    else:
        odd.symlink_to(tmp_path / "key" / ("" if kind == "folder link" else "answers"))

    with pytest.raises((BrokenError, OSError)):
        wire.pack(odd.parent, 1)


def test_too_much_is_not_packed(tmp_path: Path) -> None:
    """A result over its limit stays on the node, and the limit is named."""
    (tmp_path / "large").write_bytes(bytes(wire.MB + 1))

    with pytest.raises(BrokenError, match="large: more than 1 MB or 4000 files"):
        wire.pack(tmp_path, 1)


@pytest.mark.parametrize(
    "name", ["../up", "/etc/passwd", "a/../../up", "a//b", "./a", "a\nb", "", "a/"]
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    """What arrives under an odd name is not written anywhere."""
    with pytest.raises(BrokenError, match="A file with the name"):
        wire.unpack({name: b""}, tmp_path / "b", 1)

    assert [*tmp_path.rglob("*")] in ([], [tmp_path / "b"])


def test_too_much_is_not_unpacked(tmp_path: Path) -> None:
    """Both ends count: a node that ignores the limit is not believed."""
    with pytest.raises(BrokenError, match="1 files of more than 1 MB arrived"):
        wire.unpack({"a": bytes(wire.MB + 1)}, tmp_path, 1)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["sheet.json"], "with no odd file, without executed.ipynb"),
        (["sheet.json", "executed.ipynb", "grader.py"], "with 'grader.py'"),
        (["sheet.json", "executed.ipynb", "deliverable"], "with 'deliverable'"),
    ],
)
def test_a_result_is_whole_and_nothing_else(names: list[str], said: str) -> None:
    """A missing sheet, or a file that no result has, is named."""
    with pytest.raises(BrokenError, match=said):
        wire.check_result(dict.fromkeys(names, b""))
