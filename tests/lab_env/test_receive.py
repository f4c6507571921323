"""Facts about taking hand-ins."""

import io
import json
import os
import stat
import zipfile
from pathlib import Path

import pytest
from graded_toy import ID, NOTEBOOK, gold, hand_in, seal, seal_toy, work

from lab_env import notebook_file, parcel
from lab_env.errors import LabError, NotFoundError
from lab_env.receive import Received, Refused, receive_folder
from lab_env.release import Release


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Return a course with a sealed toy release."""
    seal_toy(tmp_path / "course")
    return tmp_path / "course"


@pytest.fixture
def release(course: Path) -> Release:
    """Return the toy release."""
    return seal(course / "sealed" / ID)


@pytest.fixture
def pile(tmp_path: Path) -> Path:
    """Return an empty folder for hand-ins."""
    (tmp_path / "pile").mkdir()
    return tmp_path / "pile"


def take(course: Path, release: Release, pile: Path) -> dict[str, Received | Refused]:
    """Return what became of each hand-in."""
    found = receive_folder(course, release, pile)
    return {each.candidate: each for each in found}


def sentence(course: Path, release: Release, pile: Path) -> str:
    """Return the sentence of the only hand-in, which is refused."""
    [one] = take(course, release, pile).values()
    assert isinstance(one, Refused), one
    assert "\n" not in one.sentence
    return one.sentence


def pack(path: Path, files: dict[str, bytes]) -> None:
    """Write a zip."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def by_hand(release: Release) -> Release:
    """Return the release with a deliverable that is taken as handed in."""
    text = (release.folder / "lab.toml").read_text("utf-8")
    extra = (
        '\n[[deliverables]]\nname = "labels/"\nfrom = "submission"\nmax_mb = 0.001\n'
    )
    (release.folder / "lab.toml").write_text(text + extra, "utf-8")
    return seal(release.folder)


def test_the_three_forms_are_one_submission(
    course: Path, release: Release, pile: Path
) -> None:
    """Folder, zip, lone notebook and nbgrader's folder give the same hash."""
    hand_in(pile, "folder", **gold())
    (pile / "alone.ipynb").write_bytes(work(**gold()))
    pack(pile / "zip.zip", {NOTEBOOK: work(**gold()), "release.json": b"{}"})
    inside = {f"my work/{NOTEBOOK}": work(**gold()), "__MACOSX/._a": b""}
    pack(pile / "top.zip", inside)
    hand_in(pile, f"nested/{ID}", **gold())
    (pile / ".DS_Store").touch()

    taken = take(course, release, pile)

    assert sorted(taken) == ["alone", "folder", "nested", "top", "zip"]
    assert {each.sha256 for each in taken.values() if isinstance(each, Received)} == {
        next(iter(taken.values())).sha256  # type: ignore[union-attr]
    }
    kept = course / "received" / ID / "zip"
    assert [path.name for path in kept.iterdir()] == [taken["zip"].sha256[:12]]  # type: ignore[union-attr]


def test_what_was_received_never_changes(
    course: Path, release: Release, pile: Path
) -> None:
    """The same work again is the same submission; other work is another one."""
    mine = hand_in(pile, "c1", **gold())
    first, again = (take(course, release, pile)["c1"] for _ in range(2))
    (mine / NOTEBOOK).write_bytes(work())
    other = take(course, release, pile)["c1"]

    assert isinstance(first, Received)
    assert isinstance(other, Received)
    assert first == again
    assert first.folder != other.folder
    assert (first.folder / NOTEBOOK).read_bytes() == work(**gold())
    assert stat.S_IMODE((first.folder / NOTEBOOK).stat().st_mode) == 0o444


def test_only_the_notebook_and_work_of_the_hand_are_taken(
    course: Path, release: Release, pile: Path
) -> None:
    """What room A makes again is named and hashed, the rest is not even looked at."""
    release = by_hand(release)
    mine = hand_in(pile, "张三", **gold())
    (mine / "labels").mkdir()
    (mine / "labels" / "标注 1.json").write_text("[]")
    (mine / "counts.json").write_text("{}")
    (mine / "predictions.csv").write_bytes(b"x" * 2_000_000)
    (mine / "gradebook.db").touch()
    (mine / ".ipynb_checkpoints").symlink_to("/")

    one = take(course, release, pile)["张三"]

    assert isinstance(one, Received)
    names = {path.name for path in one.folder.rglob("*")}
    assert names == {NOTEBOOK, "submission.json", "labels", "标注 1.json"}
    assert set(one.facts["files"]) == {NOTEBOOK, "labels/标注 1.json"}
    assert set(one.facts["not_taken"]) == {"counts.json", "predictions.csv"}
    assert one.facts["not_taken"]["predictions.csv"] == "over 1 MB"


def test_work_of_the_hand_over_its_limit_is_refused(
    course: Path, release: Release, pile: Path
) -> None:
    """A deliverable that is marked as handed in must fit, all its files together."""
    mine = hand_in(pile, "c1")
    (mine / "labels").mkdir()
    for name in "ab":
        (mine / "labels" / name).write_bytes(b"x" * 900)

    said = sentence(course, by_hand(release), pile)

    assert said.startswith("c1: labels/ has more than 0.001 MB, its limit; hand in")


def test_a_bad_one_never_stops_the_others(
    course: Path, release: Release, pile: Path
) -> None:
    """Every hand-in is taken or refused on its own."""
    hand_in(pile, "a", **gold())
    (pile / "b.ipynb").write_bytes(work()[:100])
    (pile / "c.zip").write_bytes(b"PK")
    hand_in(pile, "d", **gold())

    taken = take(course, release, pile)

    kinds = {name: type(each) for name, each in taken.items()}
    assert kinds == {"a": Received, "b": Refused, "c": Refused, "d": Received}
    assert not list((course / "received" / ID).glob("*/.*"))


def test_an_empty_folder_is_said_with_what_was_expected(
    course: Path, release: Release, pile: Path
) -> None:
    """No hand-in at all stops the command, as does a folder that is not there."""
    expected = r"; expected CANDIDATE/toy_lab.ipynb, CANDIDATE.zip or CANDIDATE.ipynb"
    with pytest.raises(LabError, match=f"pile holds no submissions{expected}"):
        take(course, release, pile)
    with pytest.raises(LabError, match=f"none is not a folder{expected}"):
        take(course, release, pile / "none")


def test_one_candidate_can_be_chosen(
    course: Path, release: Release, pile: Path
) -> None:
    """Only the named candidate is taken; a name that is not there gets a guess."""
    hand_in(pile, "c-01")
    hand_in(pile, "c-02")

    [one] = receive_folder(course, release, pile, "c-02")

    assert one.candidate == "c-02"
    with pytest.raises(NotFoundError, match=r'No submission "c-03"\. Did you mean c-0'):
        list(receive_folder(course, release, pile, "c-03"))


def test_other_releases_in_nbgraders_layout_are_left_aside(
    course: Path, release: Release, pile: Path
) -> None:
    """A candidate who handed in another release only is not one of this exam."""
    hand_in(pile, f"other/{ID[:-1]}9")
    hand_in(pile, f"mine/{ID}")

    assert list(take(course, release, pile)) == ["mine"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "c1 holds no notebook; expected one notebook, toy_lab.ipynb"),
        ({"report.docx": b""}, "c1 holds no notebook; expected one notebook"),
        ({"lab.ipynb": b""}, "c1 holds lab.ipynb; expected one notebook"),
        ({NOTEBOOK: b"", "b.ipynb": b""}, "c1 holds b.ipynb, toy_lab.ipynb; expected"),
        ({NOTEBOOK: b"hello"}, "toy_lab.ipynb is not a complete notebook file"),
    ],
)
def test_a_folder_without_the_notebook_is_refused(
    course: Path, release: Release, pile: Path, files: dict[str, bytes], said: str
) -> None:
    """Missing, renamed, doubled and unreadable notebooks are each said."""
    (pile / "c1").mkdir()
    for name, data in files.items():
        (pile / "c1" / name).write_bytes(data)

    assert sentence(course, release, pile).startswith(said)


def test_a_notebook_of_another_release_is_refused(
    course: Path, release: Release, pile: Path
) -> None:
    """The sentence names the release handed in and the one being graded."""
    other = work().replace(ID.encode(), b"toy_lab-toy_scenario-en-r2")
    (pile / "c1.ipynb").write_bytes(other)

    said = sentence(course, release, pile)

    assert "names release toy_lab-toy_scenario-en-r2, but" in said
    assert f"hand in the notebook that came with {ID}." in said


@pytest.mark.parametrize("kind", ["link", "notebook", "folder", "pipe", "deep", "many"])
def test_odd_files_in_a_folder_are_refused(
    course: Path,
    release: Release,
    pile: Path,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Links, pipes, deep trees and thousands of files are not followed or read."""
    mine = hand_in(pile, "c1")
    says = 'c1: "data" is a link; only plain files are taken'
    match kind:
        case "link":
            (mine / "data").symlink_to("/etc/hostname")
        case "folder":
            (mine / "data").symlink_to("/etc")
        case "notebook":
            (mine / NOTEBOOK).rename(pile.parent / "other.ipynb")
            (mine / NOTEBOOK).symlink_to(pile.parent / "other.ipynb")
            says = 'c1: "toy_lab.ipynb" is a link; only plain files are taken'
        case "pipe":
            os.mkfifo(mine / "data")
            says = 'c1: "data" is a pipe, socket or device; only plain'
        case "deep":
            (mine / "/".join("abcdefghij")).mkdir(parents=True)
            says = 'c1: "a/b/c/d/e/f/g/h/i" is deeper than 8 folders; only plain'
        case "many":
            monkeypatch.setattr(parcel, "MAX_FILES", 3)
            for name in "abc":
                (mine / name).touch()
            says = "c1 holds more than 3 files; hand in the notebook"

    assert sentence(course, release, pile).startswith(says)


def test_an_entry_that_is_no_hand_in_is_refused(
    course: Path, release: Release, pile: Path
) -> None:
    """A link, or a file of another kind, is refused and not left out silently."""
    (pile / "c1").symlink_to(pile.parent)
    (pile / "c2.rar").touch()
    (pile / "c3.ipynb").mkdir()

    said = {name: one.sentence for name, one in take(course, release, pile).items()}  # type: ignore[union-attr]

    assert said == {
        "c1": "c1 is a link; expected a folder, a .zip or a .ipynb file.",
        "c2.rar": "c2.rar is a .rar file; expected a folder, a .zip or a .ipynb file.",
        "c3.ipynb": "c3.ipynb holds no notebook; expected one notebook, "
        "toy_lab.ipynb: hand in that file, with its name as it was.",
    }


def test_two_hand_ins_of_one_candidate_are_refused(
    course: Path, release: Release, pile: Path
) -> None:
    """Which of two is meant is never guessed."""
    hand_in(pile, "c1")
    (pile / "c1.ipynb").write_bytes(work())

    assert sentence(course, release, pile) == (
        "Candidate c1 has 2 hand-ins (c1, c1.ipynb); keep one."
    )


def test_a_candidate_is_a_number_and_no_person(
    course: Path, release: Release, pile: Path
) -> None:
    """A name the record may not hold is refused before anything is kept."""
    hand_in(pile, "zhang@example.org")

    assert "looks like an e-mail address" in sentence(course, release, pile)
    assert not (course / "received").exists()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../up.txt", "points outside of the hand-in"),
        ("a/../../up.txt", "points outside of the hand-in"),
        ("/etc/up.txt", "points outside of the hand-in"),
        ("a//b.txt", "points outside of the hand-in"),
        ("C:/up.txt", "points outside of the hand-in"),
    ],
)
def test_names_in_a_zip_stay_inside(
    course: Path, release: Release, pile: Path, name: str, why: str
) -> None:
    """Ways upwards, absolute names and drives in a zip refuse it."""
    pack(pile / "c1.zip", {NOTEBOOK: work(), name: b""})

    assert sentence(course, release, pile) == (
        f'c1.zip: "{name}" {why}; only plain files are taken, hand in again without it.'
    )


def test_links_devices_and_doubles_in_a_zip_are_refused(
    course: Path, release: Release, pile: Path
) -> None:
    """What a zip says of a file's kind is believed when it is bad."""
    for name, kind in (("link", stat.S_IFLNK), ("device", stat.S_IFBLK)):
        info = zipfile.ZipInfo("data")
        info.external_attr = (kind | 0o777) << 16
        with zipfile.ZipFile(pile / f"{name}.zip", "w") as archive:
            archive.writestr(info, b"/etc/hostname")
    with zipfile.ZipFile(pile / "twice.zip", "w") as archive:
        archive.writestr(NOTEBOOK, work())
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr(NOTEBOOK, work(**gold()))

    said = [one.sentence for one in take(course, release, pile).values()]  # type: ignore[union-attr]

    assert [text.partition(";")[0] for text in said] == [
        'device.zip: "data" is not a plain file',
        'link.zip: "data" is a link',
        'twice.zip: "toy_lab.ipynb" is in it twice',
    ]


def test_a_zip_bomb_is_not_unpacked(
    course: Path, release: Release, pile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes are counted while they come out, whatever the zip says of its sizes."""
    monkeypatch.setattr(notebook_file, "MAX_BYTES", 1000)
    monkeypatch.setattr("lab_env.receive.MAX_BYTES", 1000)
    pack(pile / "c1.zip", {NOTEBOOK: b"0" * 5_000_000, "bomb": b"0" * 50_000_000})
    data = (pile / "c1.zip").read_bytes()
    lie = (5_000_000).to_bytes(4, "little")
    (pile / "c1.zip").write_bytes(data.replace(lie, (10).to_bytes(4, "little")))

    assert "toy_lab.ipynb" in sentence(course, release, pile)
    sizes = [p.stat().st_size for p in (course / "received").rglob("*") if p.is_file()]
    assert sizes == []


def test_a_zip_that_does_not_read_is_refused(
    course: Path, release: Release, pile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut-off, garbled, locked and too long zips are each said in a sentence."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr(NOTEBOOK, work())
    data = whole.getvalue()
    place = data.index(b"PK\x01\x02")
    locked = data[: place + 8] + b"\x01" + data[place + 9 :]
    (pile / "a.zip").write_bytes(data[:-30])
    (pile / "b.zip").write_bytes(data.replace(b'"cells"', b'"CELLS"'))
    (pile / "c.zip").write_bytes(locked)
    (pile / "d.zip").write_bytes(data + b"tail")
    pack(pile / "e.zip", {NOTEBOOK: work(), "a": b"", "b": b"", "c": b""})
    monkeypatch.setattr(parcel, "MAX_FILES", 3)

    said = [one.sentence for one in take(course, release, pile).values()]  # type: ignore[union-attr]

    assert [text.partition(";")[0] for text in said] == [
        "a.zip does not end like a plain zip file (cut off, or changed after it was "
        "made?)",
        'b.zip: "toy_lab.ipynb" does not unpack',
        'c.zip: "toy_lab.ipynb" is locked with a password',
        "d.zip does not end like a plain zip file (cut off, or changed after it was "
        "made?)",
        "e.zip holds more than 3 files",
    ]


def test_a_receipt_can_be_matched(course: Path, release: Release, pile: Path) -> None:
    """The hash of the zip itself, which is on the receipt, is kept with the work."""
    pack(pile / "c1.zip", {NOTEBOOK: work()})

    one = take(course, release, pile)["c1"]

    assert isinstance(one, Received)
    kept = json.loads((one.folder / "submission.json").read_text("utf-8"))
    assert kept["handed_in_as"] == "c1.zip"
    assert len(kept["zip_sha256"]) == 64


def test_what_was_received_is_checked_before_it_is_used(
    course: Path, release: Release, pile: Path
) -> None:
    """A kept hand-in that somebody changed is not graded as if it were the same."""
    hand_in(pile, "c1")
    one = take(course, release, pile)["c1"]
    assert isinstance(one, Received)
    (one.folder / NOTEBOOK).chmod(0o644)
    (one.folder / NOTEBOOK).write_bytes(work(**gold()))

    assert "toy_lab.ipynb is not as it was received" in sentence(course, release, pile)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["labels/a", "labels/a/b"], "c1 cannot be read or copied (File exists)"),
        (["labels/" + "a" * 300], "c1 cannot be read or copied (File name too long)"),
        (["labels/\x1b[2J"], "c1.zip: 'labels/\\x1b[2J' has characters that cannot"),
    ],
)
def test_names_that_no_disk_takes_refuse_only_their_own(
    course: Path, release: Release, pile: Path, names: list[str], said: str
) -> None:
    """A file that is also a folder, an endless name and control characters."""
    pack(pile / "c1.zip", {NOTEBOOK: work()} | dict.fromkeys(names, b""))

    assert sentence(course, by_hand(release), pile).startswith(said)


def test_a_member_without_a_name_is_refused(
    course: Path, release: Release, pile: Path
) -> None:
    """zipfile cannot bear an empty name; the hand-in is refused, not the pile."""
    pack(pile / "c1.zip", {NOTEBOOK: work(), "x": b""})
    data = bytearray((pile / "c1.zip").read_bytes())
    entry = data.rfind(b"PK\x01\x02")
    # The one byte of the name becomes a byte of the "extra" field behind it.
    data[entry + 28], data[entry + 30] = 0, 1
    (pile / "c1.zip").write_bytes(data)

    said = sentence(course, release, pile)

    assert said == (
        'c1.zip: "" points outside of the hand-in; only plain files are taken, '
        "hand in again without it."
    )


def test_a_hand_in_that_breaks_the_reading_harms_no_other(
    course: Path, release: Release, pile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even what nobody foresaw is one refused hand-in."""
    hand_in(pile, "good")
    (pile / "odd.zip").write_bytes(b"")

    def fail(path: Path) -> None:
        raise IndexError("string index out of range")

    monkeypatch.setattr(parcel, "_check_size", fail)

    found = take(course, release, pile)

    assert isinstance(found["good"], Received)
    assert found["odd"] == Refused(
        "odd",
        "odd cannot be read or copied (string index out of range); "
        "pack it again with: lab submit",
    )


def test_a_number_that_begins_with_an_underscore_is_not_overlooked(
    course: Path, release: Release, pile: Path
) -> None:
    """Left aside are hidden files and what macOS adds, and nothing else."""
    hand_in(pile, "_17")
    hand_in(pile, ".hidden")
    hand_in(pile, "__MACOSX")

    assert list(take(course, release, pile)) == ["_17"]


def test_a_pipe_beside_the_hand_ins_is_named(
    course: Path, release: Release, pile: Path
) -> None:
    """A special file is refused by what it is, whatever its name says."""
    os.mkfifo(pile / "c1.ipynb")

    assert sentence(course, release, pile) == (
        "c1.ipynb is a pipe, socket or device; expected a folder, a .zip or a "
        ".ipynb file."
    )
