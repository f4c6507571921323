"""What a program wrote, call by call, and the disks that a power cut could leave.

The program runs unchanged under strace. A cut keeps what was synced; of what was not,
a random half of the 512-byte sectors of each file, and of each folder's list of names
the first few changes. So a file may have its name and half its content, or content and
no name. Not covered: a disk that lies about a sync; writes through memory maps (SQLite's
-shm file, which it makes anew).
"""

import random
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
CALLS = (
    "openat,write,pwrite64,lseek,fsync,fdatasync,ftruncate,mkdir,mkdirat,rmdir,"
    "rename,renameat,renameat2,link,linkat,unlink,unlinkat,"
    # Not modelled: whoever begins to use one is told.
    "sendfile,copy_file_range,pwritev,writev,truncate,symlink,symlinkat,fallocate"
)
MODELLED = frozenset(CALLS.split(",")[:17])
_CALL = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+)")
_ARGUMENT = re.compile(r'(\d+|AT_FDCWD)<((?:\\x..)*)>|"((?:\\x..)*)"|([^,\s][^,]*)')


@dataclass(frozen=True)
class Call:
    """One system call: its name, its paths, its bytes, its numbers, what it gave."""

    name: str
    paths: tuple[str, ...]
    data: bytes
    numbers: tuple[int, ...]
    flags: str
    result: int
    handle: int


def record(code: str, folder: Path, log: Path) -> list[Call]:
    """Run some Python in ``folder`` and return its calls that change a disk."""
    command = ["strace", "-y", "-xx", "-s", "9999999", "-e", f"trace={CALLS}"]
    done = subprocess.run(
        [*command, "-o", str(log), sys.executable, "-c", code, str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with log.open(encoding="ascii") as lines:
        return list(_calls(lines, folder))


def _calls(lines: Iterator[str], folder: Path) -> Iterator[Call]:
    for line in lines:
        match = _CALL.match(line)
        if match is None or match[3] == "-1":
            continue
        call = _read(match)
        if call.name == "write" and call.handle == 1:
            yield call
        elif any(Path(path).is_relative_to(folder) for path in call.paths):
            assert call.name in MODELLED, f"{call.name} is not modelled: {line[:200]}"
            yield call


def _read(match: re.Match[str]) -> Call:
    name, result = match[1], int(match[3])
    paths: list[str] = []
    data, flags, numbers, handle, base = b"", "", [], -1, ""
    for found in _ARGUMENT.finditer(match[2]):
        number, place, text, other = found.groups()
        if place is not None:
            base = _bytes(place).decode("utf-8", "replace")
            handle = int(number) if number != "AT_FDCWD" else -1
            if name in (
                "write",
                "pwrite64",
                "lseek",
                "fsync",
                "fdatasync",
                "ftruncate",
            ):
                paths.append(base)
        elif text is not None and name in ("write", "pwrite64"):
            data = _bytes(text)
        elif text is not None:
            paths.append(str(Path(base, _bytes(text).decode("utf-8", "replace"))))
        elif other.strip().isdecimal():
            numbers.append(int(other))
        else:
            flags += other
    handle = result if name == "openat" else handle
    return Call(name, tuple(paths), data, tuple(numbers), flags, result, handle)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


@dataclass
class Node:
    """A file or a folder: what is on disk, and what was not synced yet."""

    folder: bool
    data: bytearray = field(default_factory=bytearray)
    writes: list[tuple[int, bytes | None]] = field(default_factory=list)
    names: dict[str, "Node"] = field(default_factory=dict)
    changes: list[tuple[str, "Node | None"]] = field(default_factory=list)

    def now(self) -> dict[str, "Node"]:
        """Return the names in this folder as a running program sees them."""
        return _changed(self.names, self.changes)

    def size(self) -> int:
        """Return the length of this file as a running program sees it."""
        return len(_written(self.data, self.writes))

    def sync(self) -> None:
        """Put everything on disk."""
        self.data = _written(self.data, self.writes)
        self.names = self.now()
        self.writes, self.changes = [], []

    def leave(self, place: Path, chance: random.Random) -> None:
        """Write what a power cut leaves of this."""
        if not self.folder:
            sectors = [part for write in self.writes for part in _sectors(*write)]
            kept = [part for part in sectors if chance.random() < 0.5]
            place.write_bytes(_written(self.data, kept))
            return
        place.mkdir()
        kept_changes = self.changes[: chance.randint(0, len(self.changes))]
        for name, node in _changed(self.names, kept_changes).items():
            if not name.endswith("-shm"):
                node.leave(place / name, chance)


def _changed(
    names: dict[str, Node], changes: Sequence[tuple[str, Node | None]]
) -> dict[str, Node]:
    names = dict(names)
    for name, node in changes:
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node
    return names


def _written(data: bytearray, writes: Sequence[tuple[int, bytes | None]]) -> bytearray:
    data = bytearray(data)
    for offset, part in writes:
        if part is None:
            del data[offset:]
            data.extend(bytes(offset - len(data)))
        else:
            data.extend(bytes(max(0, offset - len(data))))
            data[offset : offset + len(part)] = part
    return data


def _sectors(offset: int, part: bytes | None) -> Iterator[tuple[int, bytes | None]]:
    if part is None:
        yield offset, None
        return
    start = 0
    while start < len(part):
        end = start + SECTOR - (offset + start) % SECTOR
        yield offset + start, part[start:end]
        start = end


@dataclass
class Disk:
    """A folder's disk while a recorded program runs again, call by call."""

    top: str
    root: Node = field(default_factory=lambda: Node(True))
    places: dict[int, int] = field(default_factory=dict)
    said: bytes = b""

    def run(self, call: Call) -> None:
        """Do one call."""
        if call.name == "write" and call.handle == 1:
            self.said += call.data
        else:
            getattr(self, f"_{call.name.removesuffix('2').removesuffix('at')}")(call)

    def _node(self, path: str) -> Node | None:
        node: Node | None = self.root
        for part in Path(path).relative_to(self.top).parts:
            node = node.now().get(part) if node else None
        return node

    def _change(self, path: str, node: Node | None) -> None:
        parent = self._node(str(Path(path).parent))
        assert parent is not None, path
        parent.changes.append((Path(path).name, node))

    def _open(self, call: Call) -> None:
        node = self._node(call.paths[0])
        if node is None:
            assert "O_CREAT" in call.flags, call
            node = Node(False)
            self._change(call.paths[0], node)
        if "O_TRUNC" in call.flags:
            node.writes.append((0, None))
        self.places[call.handle] = node.size() if "O_APPEND" in call.flags else 0

    def _lseek(self, call: Call) -> None:
        self.places[call.handle] = call.result

    def _write(self, call: Call) -> None:
        place = self.places[call.handle]
        self._put(call.paths[0], place, call.data[: call.result])
        self.places[call.handle] = place + call.result

    def _pwrite64(self, call: Call) -> None:
        self._put(call.paths[0], call.numbers[-1], call.data[: call.result])

    def _put(self, path: str, place: int, data: bytes) -> None:
        node = self._node(path)
        # None: a file that has lost its name is nobody's any more.
        if node is not None:
            node.writes.append((place, data))

    def _ftruncate(self, call: Call) -> None:
        node = self._node(call.paths[0])
        assert node is not None
        node.writes.append((call.numbers[-1], None))

    def _fsync(self, call: Call) -> None:
        node = self._node(call.paths[0])
        if node is not None:
            node.sync()

    _fdatasync = _fsync

    def _mkdir(self, call: Call) -> None:
        self._change(call.paths[0], Node(True))

    def _unlink(self, call: Call) -> None:
        self._change(call.paths[0], None)

    _rmdir = _unlink

    def _link(self, call: Call) -> None:
        self._change(call.paths[1], self._node(call.paths[0]))

    def _rename(self, call: Call) -> None:
        old, new = call.paths
        node = self._node(old)
        parent = self._node(str(Path(old).parent))
        assert parent is not None
        assert Path(old).parent == Path(new).parent, "moves between folders"
        # One change, that is on disk or not: a name is never lost on the way.
        parent.changes.append((Path(new).name, node))
        parent.changes.append((Path(old).name, None))


def cuts(
    calls: Sequence[Call], folder: Path, count: int, places: Path
) -> Iterator[tuple[Path, str]]:
    """Yield what each of ``count`` random cuts leaves, and what was said before it."""
    chance = random.Random(7)
    ends = sorted(chance.randint(1, len(calls)) for _ in range(count))
    disk, done = Disk(str(folder)), 0
    for number, end in enumerate(ends):
        for call in calls[done:end]:
            disk.run(call)
        done = end
        place = places / str(number)
        disk.root.leave(place, chance)
        yield place, disk.said.decode()
