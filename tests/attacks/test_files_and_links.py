"""Files and links: what lies in a hand-in, as a folder or as a zip.

A hand-in with anything but plain files is refused by name. No name leads out, and
nothing is unpacked to look at it. Deliverables: ``test_deliverables``.
"""

import os
import socket
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from graded_toy import NOTEBOOK, gold, work
from pile import (
    ALL,
    HALF,
    HAND_WORK,
    NEIGHBOURS,
    ONE_LABEL,
    Attack,
    Pile,
    cases,
    graded,
    handed,
    judged,
    notebook,
    undisturbed,
)

RIGHT = notebook(**gold())
BESIDE = {
    "predictions.csv": b"id,label\ntoy-en-900,net\n",
    "counts.json": b'{"messages": 6}',
    "release.json": b'{"release": "other", "mode": "practice"}',
    "rows.py": b"import os; os._exit(0)",
    "grader.py": b"raise SystemExit",
    "lab.toml": b'[limits]\nwall_seconds = 1e9\n[[deliverables]]\nname = "/"\n',
    "scenario.toml": b"",
    "sheet.json": b'{"outcome": "passed"}',
    "data/train.csv": b"id,text,label\n",
    "data/heldout.csv": b"id,text\n",
    "conftest.py": b"raise SystemExit",
    "json.py": b"raise SystemExit",
    ".ipynb_checkpoints/toy_lab-checkpoint.ipynb": b"{}",
    "__MACOSX/._toy_lab.ipynb": b"\0\5\26\7",
}


def folder(
    name: str, does: str, change: Callable[[Path], object], said: str | None = None
) -> Attack:
    """Return right work in a folder that is changed; ``said``: it is refused."""

    def put(place: Path) -> None:
        handed(RIGHT)(place)
        change(place)

    return Attack(name, does, put, ALL if said is None else None, said or "")


def packed(
    name: str,
    does: str,
    fill: Callable[[zipfile.ZipFile], object],
    said: str | None = None,
    after: Callable[[bytes], bytes] = bytes,
    notebook_as: str = NOTEBOOK,
) -> Attack:
    """Return right work in a zip with more in it; ``after`` changes its bytes."""

    def put(place: Path) -> None:
        path = place.with_name(f"{place.name}.zip")
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            if notebook_as:
                archive.writestr(notebook_as, work(**gold()))
            fill(archive)
        path.write_bytes(after(path.read_bytes()))

    return Attack(name, does, put, ALL if said is None else None, said or "")


def only_named(name: str, does: str, said: str | None = None) -> Attack:
    """Return right work under a candidate's name that is the attack."""
    return Attack(name, does, handed(RIGHT), ALL if said is None else None, said or "")


def member(name: str, kind: int = stat.S_IFREG) -> Callable[[zipfile.ZipFile], None]:
    """Return what adds one member of a kind."""
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | 0o777) << 16
    return lambda archive: archive.writestr(info, "/etc/passwd")


def nothing(archive: zipfile.ZipFile) -> None:
    """Add no member."""


def many(archive: zipfile.ZipFile) -> None:
    """Add a hundred thousand members without content."""
    for number in range(100_000):
        archive.writestr(zipfile.ZipInfo(str(number)), b"")


def doubled(archive: zipfile.ZipFile) -> None:
    """Add another notebook of the same name."""
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr(NOTEBOOK, work())


def bomb(name: str) -> Callable[[zipfile.ZipFile], None]:
    """Return what adds two hundred megabytes of nothing."""

    def fill(archive: zipfile.ZipFile) -> None:
        with archive.open(name, "w") as stream:
            for _ in range(200):
                stream.write(bytes(1_000_000))

    return fill


def locked(data: bytes) -> bytes:
    """Say of the first member that it needs a password."""
    start = data.index(b"PK\x01\x02")
    flags = struct.unpack_from("<H", data, start + 8)[0] | 1
    head = bytearray(data)
    struct.pack_into("<H", head, start + 8, flags)
    struct.pack_into("<H", head, 6, flags)
    return bytes(head)


def wrong_sum(data: bytes) -> bytes:
    """Change the checksum of the notebook where both lists have it."""
    start = data.index(b"PK\x01\x02")
    return (
        data[:14] + b"\0\0\0\0" + data[18 : start + 16] + b"1234" + data[start + 20 :]
    )


def odd_method(data: bytes) -> bytes:
    """Name a way of packing that does not exist."""
    start = data.index(b"PK\x01\x02")
    head = bytearray(data)
    struct.pack_into("<H", head, start + 10, 77)
    struct.pack_into("<H", head, 8, 77)
    return bytes(head)


def links_to_the_key(place: Path) -> None:
    """Leave a second name of the key as work of the hand."""
    [key] = (place.parent.parent / "course").glob("sealed/*/key/heldout.csv")
    os.link(key, place / HAND_WORK)


def device(place: Path) -> None:
    """Leave a device, or where that is forbidden a pipe."""
    try:
        os.mknod(place / "data.bin", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except PermissionError:
        os.mkfifo(place / "data.bin")


def listening(place: Path) -> None:
    """Leave the name of a socket."""
    with closing(socket.socket(socket.AF_UNIX)) as line:
        here = os.getcwd()
        os.chdir(place)  # the name of a socket is short
        line.bind("s")
        os.chdir(here)


def odd_names(place: Path) -> None:
    """Leave files with names that are no text, that steer a screen, that are long."""
    for name in (b"\xff\xfe", b"\x1b[2J", b"a\nb", b"-rf", b"n" * 255, b"CON", b"a:b"):
        with suppress(OSError):
            (place / os.fsdecode(name)).write_bytes(b"")


def grown(name: str, size: int) -> Callable[[Path], None]:
    """Return what leaves a file of a size that the disk need not hold."""

    def change(place: Path) -> None:
        with (place / name).open("wb") as stream:
            stream.truncate(size)

    return change


def as_folder(place: Path) -> None:
    """Make a folder of the notebook."""
    (place / NOTEBOOK).unlink()
    (place / NOTEBOOK).mkdir()


def as_link(target: str) -> Callable[[Path], None]:
    """Return what makes a link of the notebook."""

    def change(place: Path) -> None:
        (place / NOTEBOOK).unlink()
        (place / NOTEBOOK).symlink_to(target)

    return change


def deep(place: Path) -> None:
    """Nest folders."""
    (place / "/".join("abcdefghijkl")).mkdir(parents=True)


def crowd(place: Path) -> None:
    """Leave more files than are looked at."""
    (place / "more").mkdir()
    for number in range(2_100):
        (place / "more" / str(number)).touch()


def twice(place: Path) -> None:
    """Hand in a zip as well."""
    place.with_name(f"{place.name}.zip").write_bytes(b"PK")


def borrowed_folder(place: Path) -> None:
    """Be a link to the neighbour's folder."""
    place.symlink_to(place.parent / NEIGHBOURS[1])


def pipe(place: Path) -> None:
    """Be a pipe that is called a zip."""
    os.mkfifo(place.with_name(f"{place.name}.zip"))


NFD, NFC = "Ame\u0301lie", "Amélie"
ONLY_PLAIN = "only plain files are taken"
FOLDERS = (
    folder("linked-key", "hard-links the key", links_to_the_key, "under 2 names"),
    folder("link", "links the notebook", as_link("/etc/passwd"), ONLY_PLAIN),
    folder("link-peer", "links a peer's", as_link("../0-honest/x"), ONLY_PLAIN),
    folder("pipe-in", "holds a pipe", lambda p: os.mkfifo(p / "x"), ONLY_PLAIN),
    folder("device", "holds a device", device, ONLY_PLAIN),
    folder("socket", "holds a socket", listening, ONLY_PLAIN),
    folder("no-file", "has a folder for a notebook", as_folder, "holds no notebook"),
    folder("deep", "is twelve folders deep", deep, "deeper than"),
    folder("crowd", "holds 2100 files", crowd, "more than 2000 files"),
    folder("twice", "hands in twice", twice, "has 2 hand-ins"),
    folder("other", "has two notebooks", lambda p: (p / "b.ipynb").touch(), "expected"),
    folder("large", "has large work", grown(HAND_WORK, 2 << 20), "more than 1 MB"),
    folder("sparse", "has a terabyte", grown(HAND_WORK, 2**40), "more than 1 MB"),
    folder("sparse-aside", "has a terabyte aside", grown("x", 2**40)),
    folder("odd-names", "uses names that are no text", odd_names),
    Attack("borrowed", "is a link to a peer", borrowed_folder, None, "is a link"),
    Attack("a-pipe", "is a pipe", pipe, None, "expected a folder"),
    Attack(
        "beside",
        "brings a grader, a task and results of its own",
        handed(notebook(**gold() | ONE_LABEL), **BESIDE),
        HALF,
    ),
    only_named("-rf", "is called like an option"),
    only_named("CON", "is called like a device of Windows"),
    only_named("Twin", "has a twin"),
    only_named("twin", "is the twin in small letters"),
    only_named(NFC, "writes its letter as one"),
    only_named(NFD, "writes the same letter as two", "compound characters"),
    only_named("a\u202eb", "turns the direction of writing", "1 to 64 letters"),
    only_named("a\u200bb", "holds a letter without width", "1 to 64 letters"),
    only_named("n" * 65, "is too long a name", "1 to 64 letters"),
    only_named("a@b.cn", "is an address", "an e-mail address"),
    only_named("a b\n\x1b[2J", "steers a screen", "1 to 64 letters"),
    only_named("=cmd'A0", "is a formula", "1 to 64 letters"),
)
ZIPS = (
    packed("slip", "climbs out", member("../../evil"), "points outside"),
    packed("absolute", "names a root", member("/etc/evil"), "points outside"),
    packed("drive", "names a drive", member("C:/evil"), "points outside"),
    packed("backslash", "climbs with \\", member("..\\evil"), "points outside"),
    packed("zip-link", "holds a link", member("a", stat.S_IFLNK), "is a link"),
    packed("zip-device", "holds a device", member("a", stat.S_IFBLK), "not a plain"),
    packed("zip-many", "holds 100000 files", many, "does not end like a plain zip"),
    packed("zip-twice", "holds it twice", doubled, "is in it twice"),
    packed("bomb", "is a bomb", bomb(NOTEBOOK), "the limit is 20 MB", notebook_as=""),
    packed("bomb-work", "has a bomb as work", bomb(HAND_WORK), "more than 1 MB"),
    packed("bomb-aside", "has a bomb aside", bomb("x.bin")),
    packed("password", "is locked", nothing, "locked with a password", locked),
    packed("wrong-sum", "has a wrong sum", nothing, "does not unpack", wrong_sum),
    packed("cut-off", "is cut off", nothing, "does not end like", lambda d: d[:-9]),
    packed("tail", "has a tail", nothing, "does not end like", lambda d: d + b"x" * 9),
    packed("no-zip", "is no zip", nothing, "does not end like", lambda d: b"Rar!"),
    packed(
        "nested",
        "is a zip in a zip",
        lambda archive: archive.writestr("toy_lab.zip", b"PK"),
        "holds no notebook",
        notebook_as="",
    ),
    packed("method", "is packed oddly", nothing, "does not unpack", odd_method),
    packed(
        "gbk",
        "is made by a Chinese Windows",
        lambda archive: archive.writestr("#folder/#notes.txt", b""),
        after=lambda data: data.replace(
            b"#folder", "张三".encode("gbk") + b"abc"
        ).replace(b"#notes.txt", "说明".encode("gbk") + b"xx.txt"),
        notebook_as=f"#folder/{NOTEBOOK}",
    ),
    packed(
        "gbk-slash",
        "has a Chinese letter whose second byte is a backslash",
        lambda archive: archive.writestr("#folder/a.txt", b""),
        after=lambda data: data.replace(b"#folder", "俓乗".encode("gbk") + b"abc"),
        notebook_as=f"#folder/{NOTEBOOK}",
    ),
)


ATTACKS = (*FOLDERS, *ZIPS)


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pile]:
    """Return the graded pile of this family."""
    yield from graded(tmp_path_factory.mktemp("files"), ATTACKS)


@pytest.mark.parametrize("attack", cases(ATTACKS))
def test_a_hand_in_is_plain_files_or_refused(pile: Pile, attack: Attack) -> None:
    """Odd packing is refused by name, and what is aside is left aside."""
    judged(pile, attack)


def test_the_neighbours_of_odd_files_keep_their_marks(pile: Pile) -> None:
    """Honest work beside them has all its points, and nothing is left."""
    undisturbed(pile)


def test_nothing_was_unpacked_beside_the_pile(pile: Pile) -> None:
    """A zip that names places outside has put nothing there."""
    assert [*pile.course.parent.glob("**/evil*"), *Path("/etc").glob("evil*")] == []
