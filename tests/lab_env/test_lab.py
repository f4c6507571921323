"""Facts about reading lab.toml."""

from pathlib import Path

import pytest

from lab_env.errors import LabError, NotFoundError
from lab_env.lab import lab_names, load_lab, read_lab


def test_every_lab_reads_and_has_a_grader() -> None:
    """Each lab folder has a complete lab.toml and a grader of the same name."""
    labs = [load_lab(name) for name in lab_names()]

    assert "finetuning_classifier" in [lab.name for lab in labs]
    assert all(lab.grader.is_file() and lab.source.is_file() for lab in labs)


def test_an_unknown_lab_gets_a_suggestion() -> None:
    """A lab's name with a slip is answered with the lab that was meant."""
    with pytest.raises(NotFoundError) as caught:
        load_lab("finetunning_classifier")

    assert str(caught.value) == (
        'No lab "finetunning_classifier". Did you mean finetuning_classifier? '
        "See: lab list"
    )


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    """A lab.toml without a field says which one, and where."""
    (tmp_path / "lab.toml").write_text('title = {zh = "题", en = "T"}\n', "utf-8")

    with pytest.raises(LabError, match=r"lab.toml: the field 'summary' is missing"):
        read_lab(tmp_path)


def test_broken_toml_is_said_with_its_place(tmp_path: Path) -> None:
    """A lab.toml that does not parse says on which line."""
    (tmp_path / "lab.toml").write_text("title = \n", "utf-8")

    with pytest.raises(LabError, match=r"is not valid TOML: .*line 1"):
        read_lab(tmp_path)
