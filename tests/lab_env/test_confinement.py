"""Settings of confinement: what is shown to a run, and what is left out."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest
from confined_run import PACKAGE, WAYS, drive, why_not

from lab_env.sandbox import Isolation, Limits, confinement

RUN = """
import json, sys, tempfile
from pathlib import Path
from lab_env.sandbox import Isolation, Limits, run_program
tier, source, *arguments = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder:
    run = run_program(
        [sys.executable, "-c", source, *arguments], files={}, out=Path(folder, "out"),
        collect=(), limits=Limits(), isolation=Isolation(tier, "under test"),
    )
print(json.dumps(run.log))
"""
READ = """
import sys
import lab_env, lab_env.notebook
def can_read(path):
    try:
        open(path).close()
    except OSError:
        return False
    return True
print([can_read(path) for path in sys.argv[1:]])
"""


@pytest.fixture
def wheel() -> Iterator[Path]:
    """A package as a wheel installs it, with graders inside, for every user to read."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        graders = Path(name, "lab_env", "content", "graders")
        copytree(PACKAGE, Path(name, "lab_env"))
        graders.mkdir(parents=True)
        (graders / "lab.py").write_text("key")
        yield Path(name)


@pytest.mark.parametrize("way", WAYS)
def test_graders_in_a_wheel_are_not_shown(way: str, wheel: Path) -> None:
    """The package that carries them can be imported all the same."""
    if reason := why_not(way):
        pytest.skip(reason)
    tier, ordinary = WAYS[way]
    files = ("lab_env/errors.py", "lab_env/content/graders/lab.py")
    paths = [str(wheel / name) for name in files]
    env = {"PYTHONPATH": str(wheel)}
    log = drive(RUN, tier, READ, *paths, ordinary=ordinary, **env)
    assert log == "[True, False]\n"


def test_a_folder_is_shown_but_for_the_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By whichever name the folder is reached."""
    package = tmp_path / "venv" / "lib" / "lab_env"
    (package / "content").mkdir(parents=True)
    (package / "checks.py").touch()
    (tmp_path / "venv" / "bin").mkdir()
    (tmp_path / "second").symlink_to("venv")
    (tmp_path / "venv" / "lib64").symlink_to("lib")
    monkeypatch.setattr(confinement, "PACKAGE", package)
    for name in ("venv", "second"):
        folder = tmp_path / name
        shown = list(confinement.without_content(folder))
        assert shown == [tmp_path / "venv" / "bin", package / "checks.py"]
    assert set(confinement.above_content([tmp_path / "second"])) == {
        tmp_path / "venv",
        package,
    }


def test_a_jail_is_confined_to_what_it_shows() -> None:
    """Its own four folders can be written, and every layer is required."""
    isolation = Isolation("bubblewrap", "under test")
    settings = confinement.settings_for(Limits(processes=9), isolation, [Path("/env")])
    assert settings["write"] == ["/lab/work", "/lab/run", "/tmp", "/dev/shm"]
    assert {"/usr", "/env", str(PACKAGE)} <= set(settings["read"])
    assert settings["required"] == ["landlock", "seccomp"]
    assert settings["limits"]["NPROC"] == 9
