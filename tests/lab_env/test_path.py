"""Facts about the path: the order of the labs, and the list that shows it."""

from pathlib import Path

import pytest
from rich.console import Console

from lab_env.errors import LabError
from lab_env.files import content_folder
from lab_env.lab import lab_names, load_lab
from lab_env.path import in_order, read_path, steps
from lab_env.report import lab_list
from lab_env.wrapping import columns

STEP = '[[steps]]\nlab = "{}"\nopens = [{}]\nzh = "会"\nen = "can"\n'


def folders() -> set[str]:
    """Return the labs there are, as folders."""
    return {path.parent.name for path in content_folder("labs").glob("*/lab.toml")}


def printed(course: Path, language: str, width: int) -> str:
    """Return the list of labs as a terminal of that width shows it."""
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(lab_list(course, language, width=width))
    return capture.get()


def test_every_lab_is_on_the_path_and_every_step_is_a_lab() -> None:
    """No lab is left out of labs/path.toml, and it names none that is not there."""
    assert {step.lab for step in steps()} == folders()


def test_labs_are_named_in_the_order_of_the_path() -> None:
    """Whoever asks for the labs gets them in the order to take them."""
    assert lab_names() == tuple(step.lab for step in steps() if step.lab in folders())


def test_the_path_goes_from_annotation_to_evaluation() -> None:
    """A newcomer begins with labels, then trains, then decides."""
    tracks = [load_lab(name).track for name in lab_names()]
    order = ["annotation", "finetuning", "evaluation"]

    assert tracks == sorted(tracks, key=order.index)


def test_every_lab_but_the_first_is_opened_by_an_earlier_one() -> None:
    """A newcomer who follows the arrows meets every lab."""
    opened = {lab for step in steps() for lab in step.opens}

    assert opened == {step.lab for step in steps()[1:]}


def test_a_lab_that_is_not_on_the_path_comes_last() -> None:
    """An instructor's own lab works before anybody gave it a place."""
    first = steps()[0].lab

    assert in_order({"my_own", first, "another"}) == (first, "another", "my_own")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (STEP.format("a", '"b"'), "a opens b, which does not come after it"),
        (STEP.format("a", "") * 2, "a stands twice; keep one"),
        ("[[steps]]\nlab = 'a'\n", r"cannot be read \('zh'\)"),
        ("steps = ", "cannot be read"),
    ],
)
def test_an_index_with_a_slip_says_which(
    tmp_path: Path, text: str, sentence: str
) -> None:
    """An arrow backwards, a lab twice and a missing field are named."""
    (tmp_path / "path.toml").write_text(text, "utf-8")

    with pytest.raises(LabError, match=sentence):
        read_path(tmp_path / "path.toml")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", [80, 100])
def test_the_list_says_what_a_newcomer_asks(
    tmp_path: Path, width: int, language: str
) -> None:
    """Order, lab, title, minutes, level, skills and what comes next fit the terminal."""
    text = printed(tmp_path, language, width)

    assert max(map(columns, text.splitlines())) <= width
    assert "…" not in text
    for place, step in enumerate(steps(), 1):
        if step.lab not in lab_names():
            continue
        lab = load_lab(step.lab)
        assert f"{place}   {lab.name}" in text
        assert all(skill in text for skill in lab.skills)
        assert all(word in text for word in lab.title.read(language).split())
        assert all(word in text for word in step.leads_to.read(language).split())
        assert f" {lab.minutes} " in text


def test_the_list_names_the_newest_release_on_each_scenario(tmp_path: Path) -> None:
    """Of two releases on one scenario the newer is listed, each scenario has its own."""
    for name in ("customer_service-zh-r2", "customer_service-zh-r10", "other-zh-r1"):
        folder = tmp_path / "sealed" / f"finetuning_classifier-{name}"
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text("{}")

    text = printed(tmp_path, "zh", 80)

    assert "finetuning_classifier-customer_service-zh-r10" in text
    assert "finetuning_classifier-other-zh-r1" in text
    assert "zh-r2" not in text
