"""A pile of hostile hand-ins, graded once by the real road, and what it left behind.

An attack is data: a name, what it does, what it hands in, and the points of M1, M2
and M3 that an honest grader gives for the work in it. Between the attacks lie honest
hand-ins, and all around them secrets that no attack may bring into anything kept.
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from graded_toy import ID, NOTEBOOK, gold, seal, seal_toy, work

from lab_env.errors import LabError
from lab_env.exam import GradingReport, ReportRow, grade_folder, mark_by_hand
from lab_env.record import Record
from lab_env.release import Release
from lab_env.sandbox import require_isolation

Points = tuple[float | None, ...]
Put = Callable[[Path], None]

ALL: Points = (2, 2, 4)
# What is right of "every message is about the net".
HALF: Points = (2, 2, 2)
NONE: Points = (0, 0, 0)
# Our machinery was stopped: a person decides, nothing is given and nothing is zero.
OPEN: Points = (None, None, None)

TOKEN = token_hex(8)
# On the command line or in an open file of whatever an attack leaves running.
LEFT = f"left-{TOKEN}"
ONE_LABEL = {"guess": 'def guess(text):\n    return "net"'}
NEIGHBOURS = ("0-honest", "zz-honest")
HAND_WORK = "notes.csv"
# Enough for honest work beside others, and not the five minutes of a real lab.
PATIENT = "[limits]\nwall_seconds = 60\ncell_seconds = 8\n"


def secret(kind: str) -> str:
    """Return the text that must not come out of one kind of place."""
    return f"lab-secret-{kind}-{TOKEN}"


@dataclass(frozen=True)
class Attack:
    """One hostile hand-in; ``points`` None means that it is refused at the door."""

    name: str
    does: str
    put: Put
    points: Points | None = NONE
    said: str = ""
    # Why it does harm today; the day that it does none, this must go.
    known: str = ""

    def __str__(self) -> str:
        return self.name


def cases(attacks: Sequence[Attack]) -> list[Any]:
    """Return the attacks as cases of a test; those that do harm today must fail."""
    fails = pytest.mark.xfail
    return [
        pytest.param(
            each,
            id=ascii(each.name)[1:-1],
            marks=[fails(strict=True, reason=each.known)] if each.known else [],
        )
        for each in attacks
    ]


def notebook(**answers: str) -> dict[str, Any]:
    """Return the notebook of the release with these answers."""
    value: dict[str, Any] = json.loads(work(**answers))
    return value


def code(source: str, name: str = "mine") -> dict[str, Any]:
    """Return a code cell of the trainee's own."""
    base = {"cell_type": "code", "id": name, "metadata": {}, "source": source}
    return base | {"outputs": [], "execution_count": None}


def with_cells(
    *sources: str, first: bool = False, answers: dict[str, str] | None = None
) -> dict[str, Any]:
    """Return work (gold, if no answers are given) with cells at its end or start."""
    value = notebook(**(gold() if answers is None else answers))
    mine = [code(source, f"mine-{place}") for place, source in enumerate(sources)]
    cells = [*mine, *value["cells"]] if first else [*value["cells"], *mine]
    return value | {"cells": cells}


def handed(content: dict[str, Any] | bytes, **beside: bytes) -> Put:
    """Return what puts a folder with a notebook, and files beside it, into the pile."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()

    def put(place: Path) -> None:
        place.mkdir(parents=True)
        (place / NOTEBOOK).write_bytes(data)
        for name, text in beside.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(text)

    return put


@dataclass
class Pile:
    """What became of a pile: the course, the report, and where scratch files went."""

    course: Path
    release: Release
    report: GradingReport
    scratch: Path
    attacks: Sequence[Attack] = field(default_factory=tuple)

    def row(self, name: str) -> ReportRow:
        """Return what became of one hand-in."""
        return next(each for each in self.report.rows if each.candidate == name)

    def points(self, name: str) -> Points | None:
        """Return the machine points of one hand-in; None if it was refused."""
        sheet = self.row(name).sheet
        if sheet is None:
            return None
        return tuple(row.given for row in sheet.machine_rows)

    def result(self, name: str) -> Path:
        """Return the folder with what grading made of one hand-in."""
        [folder] = (self.course / "results" / ID / name).iterdir()
        return folder

    def executed(self, name: str) -> dict[str, Any]:
        """Return the executed notebook of one hand-in."""
        text = (self.result(name) / "executed.ipynb").read_text("utf-8")
        value: dict[str, Any] = json.loads(text)
        return value

    def printed(self, name: str) -> dict[str, str]:
        """Return {cell id: all text that it left} of one hand-in."""
        cells = self.executed(name)["cells"]
        return {
            cell["id"]: "".join(map(text_of, cell.get("outputs", ()))) for cell in cells
        }

    def kept(self, name: str) -> Iterator[tuple[str, bytes]]:
        """Yield all that is kept of one hand-in: files, entries and sentences."""
        for kind in ("received", "results", "feedback"):
            for path in (self.course / kind).glob(f"**/{name}/**/*"):
                if path.is_file():
                    yield str(path.relative_to(self.course)), path.read_bytes()
        yield "sentence", self.row(name).sentence.encode()
        for entry in Record.open(self.course).entries(candidate=name):
            yield "record", json.dumps(entry.body, ensure_ascii=False).encode()

    def leaks(self, name: str) -> list[str]:
        """Return what is kept of one hand-in and holds a secret."""
        marker = re.compile(rb"lab-secret-[a-z]+-" + TOKEN.encode())
        return [where for where, data in self.kept(name) if marker.search(data)]


def text_of(output: dict[str, Any]) -> str:
    """Return the text of one output."""
    plain = output.get("data", {}).get("text/plain", "")
    trace = "\n".join(output.get("traceback", ()))
    return f"{output.get('text', '')}{plain}{output.get('ename', '')}{trace}"


def graded(
    folder: Path, attacks: Sequence[Attack], toml: str = PATIENT, **more: Any
) -> Iterator[Pile]:
    """Yield the pile when it is graded; its folder is removed afterwards."""
    try:
        require_isolation(False)
    except LabError as error:
        pytest.skip(f"room A cannot run here: {error}")
    course, scratch = folder / secret("path") / "course", folder / "scratch"
    scratch.mkdir(parents=True)
    gold()  # the toy release is made now, outside of the scratch folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(scratch))
        patch.setattr(tempfile, "tempdir", None)
        patch.setenv("LAB_TEST_SECRET", secret("environment"))
        release = seal_with_secrets(course, toml, **more)
        pile = course.parent / "pile"
        put_neighbours(course, release, pile)
        for attack in attacks:
            attack.put(pile / attack.name)
        report = grade_folder(course, release, pile, gradebook=False, workers=2)
        yield Pile(course, release, report, scratch, attacks)
    shutil.rmtree(folder, onerror=make_removable)


def make_removable(function: Callable[..., Any], path: str, _: object) -> None:
    """Remove what an attack made hard to remove."""
    os.chmod(os.path.dirname(path), 0o700)
    with suppress(OSError):
        function(path)


def seal_with_secrets(
    course: Path, toml: str, change: Callable[[Path], None] = lambda folder: None
) -> Release:
    """Return the toy release with a secret in each thing that nobody may read."""
    folder = seal_toy(course).folder
    for name in ("grader.py", "lab.toml"):
        path = folder / name
        path.write_text(f"{path.read_text('utf-8')}\n# {secret('grader')}\n", "utf-8")
    (folder / "key" / "extra.txt").write_text(secret("key"), "utf-8")
    hand = f'\n[[deliverables]]\nname = "{HAND_WORK}"\nfrom = "submission"\n'
    with (folder / "lab.toml").open("a", encoding="utf-8") as stream:
        stream.write(f"{hand}{toml}")
    change(folder)
    (course.parent / "home.txt").write_text(secret("home"), "utf-8")
    return seal(folder)


def put_neighbours(course: Path, release: Release, pile: Path) -> None:
    """Put honest work into the pile; that of the first is graded and marked before."""
    for name in NEIGHBOURS:
        mine = gold() | {"count": f"{gold()['count']}\n# {secret('peer')}"}
        handed(notebook(**mine))(pile / name)
    first = NEIGHBOURS[0]
    grade_folder(course, release, pile, gradebook=False, only=first)
    mark_by_hand(course, release, first, "J1", 1, "examiner-07", secret("record"))
    # Last: whoever marks by hand would open it.
    (course / "gradebook.db").write_text(secret("gradebook"), "utf-8")


def running_with(mark: str) -> list[str]:
    """Return the processes that carry ``mark`` in name, variables or open files."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            if int(pid) != os.getpid() and mark in about(Path("/proc", pid)):
                found.append(pid)
    return found


def about(process: Path) -> str:
    """Return everything by which a process can be known."""
    said = [os.fsdecode((process / name).read_bytes()) for name in ("cmdline", "comm")]
    with suppress(OSError):
        said.append(os.fsdecode((process / "environ").read_bytes()))
        said += [os.readlink(each) for each in (process / "fd").iterdir()]
        said.append(os.readlink(process / "exe"))
    return "\n".join(said)


def judged(pile: Pile, attack: Attack) -> None:
    """Assert that an attack has the marks of its honest part and read nothing."""
    row = pile.row(attack.name)
    assert pile.points(attack.name) == attack.points, (attack.does, row)
    if attack.points is None:
        assert row.outcome == "refused"
        assert attack.said in row.sentence
    assert pile.leaks(attack.name) == [], pile.printed(attack.name)


def undisturbed(pile: Pile) -> None:
    """Assert that neighbours have full marks, and that nothing of ours was changed."""
    assert [pile.points(name) for name in NEIGHBOURS] == [ALL, ALL]
    assert len(pile.report.rows) == len(pile.attacks) + len(NEIGHBOURS)
    assert names_in(pile.scratch) == []
    assert running_with(LEFT) == []
    assert Record.open(pile.course).verify().bad is None
    assert (pile.course / "gradebook.db").read_text() == secret("gradebook")
    for attack in pile.attacks:
        if pile.row(attack.name).outcome == "graded":
            wanted = {"deliverables", "executed.ipynb", "sheet.json"}
            assert set(names_in(pile.result(attack.name))) == wanted


def names_in(folder: Path) -> list[str]:
    """Return the names in a folder, in order."""
    return sorted(path.name for path in folder.iterdir())
