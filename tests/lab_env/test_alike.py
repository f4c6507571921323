"""Facts about work of the hand that two candidates share."""

import json
from pathlib import Path

import pytest
from graded_toy import gold, hand_in, seal, seal_toy
from typer.testing import CliRunner

from lab_env.alike import LEAST, alike
from lab_env.cli import app
from lab_env.receive import receive_folder
from lab_env.release import Release

FILE = "done.jsonl"
BY_HAND = f'\n[[deliverables]]\nname = "{FILE}"\nfrom = "submission"\n'


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """A release with one deliverable made by hand, in the folder "course"."""
    made = seal_toy(tmp_path / "course")
    with (made.folder / "lab.toml").open("a", encoding="utf-8") as stream:
        stream.write(BY_HAND)
    return seal(made.folder)


def lines(seconds: float) -> list[str]:
    """Return ten tasks, each with the same label, made in so many seconds."""
    label = {"from_name": "team", "value": {"choices": ["bill"]}}
    return [
        json.dumps(
            {"id": n, "annotations": [{"lead_time": seconds, "result": [label]}]}
        )
        for n in range(10)
    ]


def given(pile: Path, candidate: str, written: list[str]) -> None:
    """Hand in the right notebook and these lines."""
    folder = hand_in(pile, candidate, **gold())
    (folder / FILE).write_text("\n".join(written), "utf-8")


def test_shared_lines_name_both_candidates(tmp_path: Path, release: Release) -> None:
    """Copied in part it is found; the same answers in other times are not."""
    own, pile = lines(3.25), tmp_path / "pile"
    given(pile, "2026-0001", own)
    given(pile, "2026-0002", own[:LEAST] + lines(4.5)[LEAST:])
    given(pile, "2026-0003", own[: LEAST - 1] + lines(9)[LEAST - 1 :])
    given(pile, "2026-0004", lines(7))
    assert len(list(receive_folder(tmp_path / "course", release, pile))) == 4

    [found] = alike(tmp_path / "course", release)
    assert (found.first, found.second, found.lines) == ("2026-0001", "2026-0002", LEAST)
    assert "2026-0001 与 2026-0002" in found.sentence.zh


def test_the_examiner_is_told_under_the_table(tmp_path: Path, release: Release) -> None:
    """`lab grade` names both, and each keeps the marks of the work."""
    for candidate in ("2026-0101", "2026-0102"):
        given(tmp_path / "pile", candidate, lines(1.5))
    command = ["grade", release.id, str(tmp_path / "pile"), "--no-gradebook"]
    said = CliRunner().invoke(app, [*command, "--course", str(tmp_path / "course")])
    assert said.exit_code == 0, said.output
    assert sum("8 / 8" in line for line in said.output.splitlines()) == 2
    assert "2026-0101" in said.output.splitlines()[-1]
