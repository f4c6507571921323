"""Facts about whole writes, hashes and where things are."""

from pathlib import Path

import pytest

from lab_env.errors import LabError
from lab_env.files import content_folder, hashes, sha256, write_json, write_whole


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """A write that cannot be finished changes nothing and leaves no litter."""
    path = tmp_path / "facts.json"
    write_json(path, {"kept": 1})

    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"bad": float("nan")})

    assert path.read_text(encoding="utf-8") == '{\n "kept": 1\n}\n'
    assert [path] == list(tmp_path.iterdir())


def test_a_written_file_is_readable_by_others(tmp_path: Path) -> None:
    """Another user, such as the grader's, can read what was written."""
    write_whole(tmp_path / "a", "text")

    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


def test_hashes_name_every_file_below(tmp_path: Path) -> None:
    """A folder's hashes carry the relative name of each file, sub-folders too."""
    write_whole(tmp_path / "b" / "c.txt", "c")
    write_whole(tmp_path / "a.txt", "a")

    found = hashes(tmp_path)

    assert list(found) == ["a.txt", "b/c.txt"]
    assert found["a.txt"] == sha256(tmp_path / "a.txt")


def test_a_link_is_refused(tmp_path: Path) -> None:
    """A link in a folder that is to be hashed is named, not followed."""
    (tmp_path / "link").symlink_to("/etc/hostname")

    with pytest.raises(LabError, match="link is a link; only plain files"):
        hashes(tmp_path)


def test_content_is_found_beside_the_package() -> None:
    """In a checkout the scenarios are found beside the package."""
    assert (content_folder("datasets") / "customer_service").is_dir()


def test_unknown_content_is_named() -> None:
    """A folder that is not there is named with the place that was searched."""
    with pytest.raises(LabError, match='No folder "recipes" beside'):
        content_folder("recipes")
