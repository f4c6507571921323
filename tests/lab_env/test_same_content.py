"""Facts about publishing again only what changed."""

import shutil
from pathlib import Path

import pytest

from lab_env import cli, lab, scenario
from lab_env.files import write_json
from lab_env.release import Release, open_release
from lab_env.same_content import has_same_content

TOY = Path(__file__).parent.parent / "fixtures" / "toy"


@pytest.fixture
def content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The toy lab and scenario, where `lab publish` would look for them."""
    folder = tmp_path / "content"
    shutil.copytree(TOY / "lab", folder / "labs" / "toy_lab")
    shutil.copytree(TOY / "scenario", folder / "datasets" / "toy_scenario")
    (folder / "graders").mkdir()
    grader = folder / "labs" / "toy_lab" / "grader.py"
    grader.rename(folder / "graders" / "toy_lab.py")
    for module in (lab, scenario):
        monkeypatch.setattr(module, "content_folder", lambda kind: folder / kind)
    return folder


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """A release of that content, as publishing seals it."""
    folder = tmp_path / "course" / "sealed" / "toy_lab-toy_scenario-en-r1"
    shutil.copytree(TOY / "scenario" / "key" / "en", folder / "key")
    shutil.copytree(TOY / "scenario" / "data" / "en", folder / "released" / "data")
    guideline = TOY / "scenario" / "guideline.en.md"
    shutil.copy(guideline, folder / "released" / "guideline.md")
    for name in ("lab.py", "lab.toml", "grader.py"):
        shutil.copy(TOY / "lab" / name, folder)
    shutil.copy(TOY / "scenario" / "scenario.toml", folder)
    write_json(folder / "manifest.json", {"mode": "practice", "files": {}})
    return open_release(folder)


def test_untouched_content_is_the_same(content: Path, release: Release) -> None:
    """A lab that nobody edited needs no new release; as an exam it is another one."""
    assert has_same_content(release, key=None, exam=False)
    assert not has_same_content(release, key=None, exam=True)
    assert not has_same_content(release, key=content / "labs", exam=False)


@pytest.mark.parametrize(
    "path",
    [
        "labs/toy_lab/lab.py",
        "graders/toy_lab.py",
        "datasets/toy_scenario/scenario.toml",
        "datasets/toy_scenario/guideline.en.md",
        "datasets/toy_scenario/data/en/train.csv",
        "datasets/toy_scenario/key/en/heldout.csv",
    ],
)
def test_an_edit_anywhere_is_seen(content: Path, release: Release, path: str) -> None:
    """A change in lab, grader, scenario, guideline, data or key is a new release."""
    with (content / path).open("a", encoding="utf-8") as stream:
        stream.write("\n# edited\n")

    assert not has_same_content(release, key=None, exam=False)


def test_data_of_another_lab_do_not_count(content: Path, release: Release) -> None:
    """What a scenario holds for another lab changes nothing; for this one, all."""
    for lab_name, same in (("finetuning_adapters", True), ("toy_lab", False)):
        folder = content / "labs" / lab_name
        folder.mkdir(exist_ok=True)
        if not (folder / "lab.toml").is_file():
            shutil.copy(content / "labs/toy_lab/lab.toml", folder)
        data = content / "datasets/toy_scenario/data/en" / lab_name
        data.mkdir()
        (data / "more.csv").write_text("id\n", encoding="utf-8")
        assert has_same_content(release, key=None, exam=False) is same


def test_publish_says_that_nothing_changed(
    content: Path, release: Release, capsys: pytest.CaptureFixture[str]
) -> None:
    """`lab publish --if-changed` names the release that still holds and stops there."""
    course = str(release.folder.parent.parent)
    words = ["publish", "toy_lab", "--scenario", "toy_scenario", "--language", "en"]

    assert cli.run([*words, "--if-changed", "--course", course]) == 0

    expected = f"Nothing changed since {release.id}; not published again.\n"
    assert capsys.readouterr().out == expected
