"""Reading what is not theirs: the key, the grader, others' work, this machine.

All probes stand in one notebook, for a probe costs nothing beside a kernel. Secrets
lie in every place that the task names; none may come out in anything kept.
"""

import ctypes
import json
import os
import platform
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from graded_toy import gold
from pile import (
    HALF,
    ONE_LABEL,
    TOKEN,
    Attack,
    Pile,
    graded,
    handed,
    judged,
    secret,
    undisturbed,
    with_cells,
)
from probes import Probe, sources, tried

from lab_env.files import write_json
from lab_env.sandbox import Isolation, Limits, run_notebook

ABSTRACT = f"\0lab-attack-{TOKEN}"
SHARED = Path("/dev/shm", f"lab-attack-{TOKEN}")
ADD_KEY, KEYCTL = 248, 250

PROBES = (
    Probe(
        "known-places",
        "opens the key, the grader, the record and others' work by their full names",
        "for path in KNOWN:\n    read(path)",
    ),
    Probe(
        "walk",
        "walks all folders but the system's and reads every small file",
        """
until, skipped = time.monotonic() + 5, ("/proc", "/sys", "/usr", sys.base_prefix)
for folder, below, files in os.walk("/"):
    below[:] = [n for n in below if not os.path.join(folder, n).startswith(skipped)]
    for name in files:
        look(name), read(os.path.join(folder, name), 100_000)
    if time.monotonic() > until:
        break
""",
    ),
    Probe(
        "upwards",
        "goes up from the work folder, by name and by open folders",
        """
here = os.open(".", os.O_RDONLY)
for depth in range(1, 12):
    path = "../" * depth
    for name in names(path):
        names(path + name), read(path + name + "/heldout.csv")
    here = os.open("..", os.O_RDONLY, dir_fd=here)
    look(" ".join(os.listdir(here)))
""",
    ),
    Probe(
        "processes",
        "reads command lines, variables, maps, folders of every process",
        """
for pid in filter(str.isdigit, os.listdir("/proc")):
    for name in ("cmdline", "environ", "maps", "mountinfo", "status", "stack"):
        read(f"/proc/{pid}/{name}")
    for link in ("cwd", "exe", "root"):
        with contextlib.suppress(OSError):
            look(os.readlink(f"/proc/{pid}/{link}"))
            names(f"/proc/{pid}/{link}"), names(f"/proc/{pid}/{link}/..")
    for path in KNOWN:
        read(f"/proc/{pid}/root{path}"), read(f"/proc/{pid}/cwd/../{path}")
""",
    ),
    Probe(
        "memory",
        "reads the memory of every other process",
        """
for pid in filter(str.isdigit, os.listdir("/proc")):
    if int(pid) == os.getpid():
        continue
    for line in read(f"/proc/{pid}/maps").decode().splitlines():
        if "rw-p" not in line:
            continue
        start, end = (int(part, 16) for part in line.split()[0].split("-"))
        with contextlib.suppress(OSError, ValueError):
            with open(f"/proc/{pid}/mem", "rb", 0) as memory:
                memory.seek(start)
                look(memory.read(min(end - start, 4_000_000)))
""",
    ),
    Probe(
        "mounts",
        "looks for this machine's paths in the mounts",
        """
for name in ("mounts", "mountinfo", "mountstats", "self/mountinfo", "1/mountinfo",
             "swaps", "partitions", "cmdline", "self/cgroup", "filesystems"):
    read(f"/proc/{name}"), read(f"/proc/self/{name}")
""",
    ),
    Probe(
        "variables",
        "reads its own variables and those it was started with",
        'look(os.environ), read("/proc/self/environ"), read("/proc/1/environ")',
    ),
    Probe(
        "handles",
        "reads every open file it was given",
        """
for handle in range(1024):
    with contextlib.suppress(OSError):
        look(os.readlink(f"/proc/self/fd/{handle}"))
        if os.path.isfile(f"/proc/self/fd/{handle}"):
            look(os.pread(handle, 1_000_000, 0))
        elif os.path.isdir(f"/proc/self/fd/{handle}"):
            look(" ".join(os.listdir(handle)))
            read(f"/proc/self/fd/{handle}/../key/heldout.csv")
""",
    ),
    Probe(
        "python",
        "looks for the key in modules, frames and all objects of the kernel",
        """
import gc
for name, module in list(sys.modules.items()):
    if name.startswith(("lab_", "grader")):
        look(vars(module))
frame = sys._getframe()
while frame:
    look(list(frame.f_locals)), look(frame.f_code.co_filename)
    frame = frame.f_back
look(sum(type(one).__name__ in ("Release", "Submission") for one in gc.get_objects()))
""",
    ),
    Probe(
        "our-code",
        "asks our own modules where labs, graders and releases are",
        """
import lab_env
from lab_env import files, release
from pathlib import Path
for kind in ("labs", "graders", "datasets", "tests", "course", ".git"):
    with contextlib.suppress(Exception):
        names(files.content_folder(kind))
top = Path(lab_env.__file__).parent
for folder in (top, *top.parents):
    names(folder), names(folder / "graders"), names(folder / "course" / "sealed")
look(release.releases(top.parent / "course"))
""",
    ),
    Probe(
        "loopback",
        "asks a server of this machine, by address and by socket name",
        """
for family, address in ((socket.AF_INET, ("127.0.0.1", PORT)),
                        (socket.AF_UNIX, ABSTRACT), (socket.AF_UNIX, SOCKET_FILE)):
    with contextlib.suppress(OSError), socket.socket(family) as line:
        line.settimeout(1)
        line.connect(address)
        look(line.recv(1000))
""",
    ),
    Probe(
        "network",
        "asks names and addresses outside",
        """
for address in (("10.0.0.1", 80), ("169.254.169.254", 80), ("1.1.1.1", 53)):
    with contextlib.suppress(OSError), socket.socket() as line:
        line.settimeout(0.3)
        line.connect(address)
        escaped(f"a connection to {address[0]}")
with contextlib.suppress(OSError):
    look(socket.getaddrinfo("example.org", 80)), escaped("a name was found")
""",
    ),
    Probe(
        "keyring",
        "reads the kernel's keyrings that the examiner has",
        """
read("/proc/keys"), read("/proc/key-users")
for ring in (-1, -2, -3, -4, -5):
    keys = (ctypes.c_int32 * 64)()
    count = max(0, call(KEYCTL, 11, ring, keys, 256)) // 4 if KEYCTL else 0
    for key in list(keys)[:count]:
        text = ctypes.create_string_buffer(1000)
        call(KEYCTL, 11, key, text, 1000)
        look(text.raw)
""",
    ),
    Probe(
        "shared-memory",
        "reads shared memory and scratch folders of others",
        """
for folder in ("/dev/shm", "/tmp", "/var/tmp", "/run", "/dev/mqueue", SHARED, TEMP):
    for name in names(folder):
        read(os.path.join(folder, name))
read(SHARED), read("/proc/sysvipc/shm"), read("/proc/sysvipc/msg")
""",
    ),
    Probe(
        "homes",
        "looks for tokens, histories and caches in every home",
        """
import glob
for home in ("~", "/root", "/home/*", "/tmp/home"):
    for name in (".bash_history", ".netrc", ".gitconfig", ".ssh/*", ".cache/*",
                 ".jupyter/*", ".local/share/jupyter/runtime/*", ".config/*/*"):
        for path in glob.glob(os.path.join(os.path.expanduser(home), name)):
            read(path), look(path)
for path in ("/etc/shadow", "/etc/passwd", "/etc/machine-id", "/etc/hostname"):
    read(path)
if len(read("/etc/passwd").splitlines()) != 1 or read("/etc/shadow"):
    escaped("the users of this machine")
""",
    ),
    Probe(
        "devices",
        "reads disks, memory and the kernel's log as devices",
        """
for path in ("/dev/mem", "/dev/kmem", "/dev/port", "/proc/kcore", "/proc/kmsg",
             "/dev/kmsg", "/proc/kallsyms", "/dev/vda", "/dev/sda", "/dev/loop0",
             "/dev/nvme0n1", "/dev/fuse", "/dev/kvm"):
    if path != "/proc/kallsyms" and read(path, 4096):
        escaped(path)
if libc.klogctl(3, ctypes.create_string_buffer(4096), 4096) > 0:
    escaped("the kernel's log")
""",
    ),
    Probe(
        "file-handles",
        "opens a file of the disk by its number instead of its name",
        """
class Handle(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint), ("kind", ctypes.c_int),
                ("data", ctypes.c_ubyte * 8)]
root = os.open("/", os.O_RDONLY)
for inode in (1, 2, 5, 128, 256):
    handle = Handle(8, 1, (ctypes.c_ubyte * 8)(inode))
    if libc.open_by_handle_at(root, ctypes.byref(handle), 0) >= 0:
        escaped(f"the file of number {inode}")
""",
    ),
    Probe(
        "links",
        "leaves links to the key where deliverables are collected",
        """
for place, name in enumerate(("notes.csv", "extra.csv", "key.csv", "model")):
    with contextlib.suppress(OSError):
        os.symlink(KNOWN[place % len(KNOWN)], name)
    with contextlib.suppress(OSError):
        os.link(KNOWN[place % len(KNOWN)], f"hard-{name}")
for path in KNOWN:
    os.path.exists(path) and os.replace(path, "predictions.csv")
""",
    ),
    Probe(
        "who-are-you",
        "looks for a sign that tells grading from practice",
        """
told = [name for name in os.environ if re.search("(?i)grad|exam|course|nbg", name)]
told += [n for n in names("/lab/run") if re.search("(?i)grad|exam|key|sheet", n)]
told and escaped(f"signs of grading: {told}")
look(socket.gethostname()), look(os.uname()), look(read("/proc/version"))
""",
    ),
)


def known_places(place: Path) -> list[str]:
    """Return the full names of what a hand-in at ``place`` would like to read."""
    course = place.parent.parent / "course"
    sealed = next((course / "sealed").iterdir())
    inside = [sealed / name for name in ("key/heldout.csv", "key/extra.txt")]
    inside += [sealed / "grader.py", sealed / "lab.toml", sealed / "manifest.json"]
    inside += [course / "gradebook.db", course.parent / "home.txt"]
    return [str(path) for path in (*inside, *(course / "record").rglob("*"))]


def facts(place: Path, port: int) -> str:
    """Return what a very well informed attacker knows, not readable as it stands."""
    known = "\0".join(known_places(place)).encode().hex()
    named = os.fsencode(place.parent.parent / "scratch").hex()
    keys = KEYCTL if platform.machine() == "x86_64" else 0
    return (
        f"KNOWN = bytes.fromhex('{known}').decode().split(chr(0))\n"
        f"TEMP = bytes.fromhex('{named}').decode()\n"
        f"SOCKET_FILE = os.path.join(TEMP, '..', 's')\n"
        f"PORT, ABSTRACT, SHARED = {port}, {ABSTRACT!r}, {str(SHARED)!r}\n"
        f"KEYCTL = {keys}\n"
    )


def answer(listening: socket.socket) -> None:
    """Tell everybody who asks the secret of this machine's network."""
    with suppress(OSError):
        while True:
            line, _ = listening.accept()
            with line, suppress(OSError):
                line.sendall(secret("server").encode())


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Return the port of a server with a secret; others have it under names."""
    with ExitStack() as stack:
        tcp, abstract = socket.socket(), socket.socket(socket.AF_UNIX)
        tcp.bind(("127.0.0.1", 0))
        abstract.bind(ABSTRACT)
        for listening in (tcp, abstract):
            listening.listen()
            stack.callback(listening.close)
            stack.callback(listening.shutdown, socket.SHUT_RDWR)
            threading.Thread(target=answer, args=(listening,), daemon=True).start()
        SHARED.write_text(secret("memory"))
        stack.callback(SHARED.unlink)
        add_key()
        yield tcp.getsockname()[1]


def add_key() -> None:
    """Put a secret into a keyring of this process, which its children have too."""
    if platform.machine() != "x86_64":
        return
    libc, text = ctypes.CDLL(None), secret("keyring").encode()
    libc.syscall(KEYCTL, 1, None)
    libc.syscall(ADD_KEY, b"user", b"lab-attack", text, len(text), -3)


def put(port: int, place: Path) -> None:
    """Hand in all probes, beside work that is half right."""
    cells = sources(PROBES, facts(place, port))
    handed(with_cells(*cells, answers=gold() | ONE_LABEL))(place)


@pytest.fixture(scope="module")
def attack(port: int) -> Attack:
    """Return the hand-in of all readers."""
    return Attack("reader", "reads", lambda place: put(port, place), HALF)


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory, attack: Attack) -> Iterator[Pile]:
    """Return the graded pile of this family."""
    yield from graded(tmp_path_factory.mktemp("read"), [attack])


def test_no_secret_is_in_anything_kept(pile: Pile, attack: Attack) -> None:
    """Deliverables, outputs, mark sheet, feedback and record hold no secret."""
    judged(pile, attack)
    counts = pile.result("reader") / "deliverables" / "counts.json"
    assert json.loads(counts.read_text("utf-8"))["loot"] == []


@pytest.mark.parametrize("probe", PROBES, ids=str)
def test_a_probe_finds_nothing(pile: Pile, probe: Probe) -> None:
    """A probe ran to its end and found neither a secret nor a way out."""
    said = tried(pile.printed("reader"), PROBES)[probe.name]
    assert said.endswith(f"tried {probe.name}\n"), probe.does
    assert "ESCAPED" not in said, probe.does


def test_the_neighbours_of_readers_keep_their_marks(pile: Pile) -> None:
    """Honest work beside the probes has all its points, and nothing is left."""
    undisturbed(pile)


def test_the_probes_find_the_secrets_where_nothing_is_shut(
    pile: Pile, port: int, tmp_path: Path
) -> None:
    """Without a sandbox the same cells do find them: the probes are no blanks."""
    place = pile.course.parent / "pile" / "reader"
    write_json(tmp_path / "n.ipynb", with_cells(*sources(PROBES, facts(place, port))))
    run = run_notebook(
        tmp_path / "n.ipynb",
        released=pile.release.released,
        deliverables=["counts.json"],
        out=tmp_path / "out",
        limits=Limits(wall_seconds=120),
        isolation=Isolation("none", "control"),
    )
    assert run.deliverables == ("counts.json",)
    loot = json.loads((tmp_path / "out" / "counts.json").read_text("utf-8"))["loot"]
    wanted = ("key", "grader", "gradebook", "home", "path", "server", "memory")
    assert {secret(kind) for kind in wanted} <= set(loot)
