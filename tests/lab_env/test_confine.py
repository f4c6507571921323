"""Confinement: one run tries everything at once, and each test reads one line of it."""

import json
import os
import re
import signal
import sys
import threading
from typing import Any

import pytest
from confined_attempts import INSIDE, OUTSIDE
from confined_run import WAYS, drive, why_not

from lab_env.inside import confine, landlock, supervise, syscalls

Report = dict[str, Any]
NOT_THERE = {"FileNotFoundError", "PermissionError", "NotADirectoryError"}
REFUSED = {*NOT_THERE, "OSError"}


@pytest.fixture(scope="module", params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """Each way to run, if this machine has it."""
    name = str(request.param)
    if reason := why_not(name):
        pytest.skip(reason)
    return name


@pytest.fixture(scope="module")
def report(way: str) -> Report:
    """What one run could do, line by line."""
    tier, ordinary = WAYS[way]
    found: Report = drive(OUTSIDE, tier, INSIDE, ordinary=ordinary)
    return found


def test_the_attempts_are_real(report: Report) -> None:
    """The same calls work where they may: nothing else is broken in there."""
    assert set(report["control"].values()) == {"worked", 0}
    assert report["own limits"] == report["own abstract"] == "worked"


def test_no_right_is_left_nor_a_way_to_one(report: Report) -> None:
    """No capability, no other user, and set-uid programs give none."""
    *held, bounding, ambient = report["rights"]
    assert (held, ambient, report["no new"]) == ([0, 0, 0], 0, 1)
    # Only a process with rights can empty it; without new ones it says nothing.
    assert bounding == 0 or os.geteuid() != 0
    assert 0 not in report["uids"][:3]
    assert report["uids"][3] == 0


def test_limits_hold_and_cannot_be_raised(report: Report) -> None:
    """Nor can those of another process be changed."""
    assert report["limits"]["CORE"] == [0, 0]
    assert report["limits"]["NOFILE"] == [1024, 1024]
    assert report["limits"]["DATA"] == [1024 * 1024**2] * 2
    assert "worked" not in report["raised"].values()
    assert report["limits of another"] == "PermissionError"


def test_no_content_outside_can_be_read(report: Report) -> None:
    """A file open to every user, the list of a home, another process's memory."""
    assert set(report["read"].values()) <= NOT_THERE
    assert set(report["listed"].values()) <= NOT_THERE
    assert report["opened"] in NOT_THERE
    assert report["read by a program"] != 0


def test_nothing_outside_can_be_written(report: Report) -> None:
    """Files open to every user keep their content, name and place."""
    assert set(report["written"].values()) <= REFUSED
    assert set(report["changed"].values()) <= REFUSED
    assert report["still there"] == [
        *("cut", "link", "move", "out", "over", "read", "remove"),
    ]
    assert set(report["still says"].values()) == {"secret"}


def test_no_device_can_be_made(report: Report) -> None:
    """Neither a disk nor a harmless one, in the folder that is one's own."""
    assert report["devices"] == ["PermissionError", "PermissionError"]


def test_no_signal_goes_outside(report: Report, way: str) -> None:
    """Neither to the grading process nor to what watches over the run."""
    if WAYS[way][0] == "landlock" and landlock.version() < 6 and way != "own uid":
        pytest.skip("Landlock before version 6 has no scope for signals")
    far, above = report["signal"]
    assert far in {"ProcessLookupError", "PermissionError"}
    assert above == "PermissionError"


def test_no_abstract_socket_outside_is_reached(report: Report) -> None:
    """They belong to the network, and need no file."""
    assert report["abstract"] in {"ConnectionRefusedError", "PermissionError"}


def test_only_the_usual_sockets_are_there(report: Report, way: str) -> None:
    """No vsock, packet, bluetooth...; without a jail no internet family either."""
    unix, inet, inet6, netlink = 1, 2, 10, 16
    jail = [unix, inet, inet6, netlink]
    expected = jail if WAYS[way][0] == "bubblewrap" else [unix, netlink]
    assert set(report["families"]) <= set(expected)
    assert {unix, netlink} <= set(report["families"])
    assert set(report["rare"].values()) <= {"OSError", "PermissionError"}
    assert report["reach"] == "OSError"


@pytest.mark.parametrize("name", syscalls.REFUSED)
def test_a_dangerous_call_is_refused(report: Report, name: str) -> None:
    """By the filter, whatever its arguments."""
    assert report["calls"].get(name, "EPERM") == "EPERM"


def test_no_new_namespace(report: Report) -> None:
    """By no call; clone3, which the filter cannot read, is as if it were not there."""
    assert report["namespaces"].pop("program") != 0
    assert report["namespaces"] == {
        "unshare": "EPERM",
        "clone": "EPERM",
        "clone3": "ENOSYS",
    }


def test_nobody_types_into_a_terminal(report: Report) -> None:
    """The call is refused before the kernel asks what the file is."""
    assert set(report["typed"].values()) == {"PermissionError"}


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of x86-64")
def test_calls_of_another_architecture_end_the_process(report: Report) -> None:
    """A number means another call there, so none can be judged."""
    # A kernel without 32-bit programs ends it in its own way.
    assert report["foreign"] in {-signal.SIGSYS, -signal.SIGSEGV}
    assert report["x32"] == "EPERM"


SETTINGS: dict[str, Any] = {
    "limits": {},
    "read": ["/"],
    "write": [],
    "sockets": ["unix"],
    "required": ["landlock", "seccomp"],
}


def test_root_is_not_confined(monkeypatch: pytest.MonkeyPatch) -> None:
    """Landlock and the filter leave root too much."""
    monkeypatch.setattr(os, "getuid", lambda: 0)
    with pytest.raises(confine.NotConfined, match=r"run as root \(user id 0\)"):
        confine.confine(SETTINGS)


def test_a_second_thread_would_be_free_and_ends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Landlock binds one thread only."""
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    try:
        with pytest.raises(confine.NotConfined, match=r"there are \d+ threads, not"):
            confine.confine(SETTINGS)
    finally:
        ended.set()
        thread.join()


LAYER = """
import json, sys
from lab_env.inside import confine, landlock, seccomp
def failing(*_):
    raise landlock.NoLandlock("x") if sys.argv[1] == "landlock" else seccomp.NoFilter("x")
confine.refuse_wrong_start = lambda: None
module = landlock if sys.argv[1] == "landlock" else seccomp
setattr(module, "restrict" if module is landlock else "install", failing)
settings = json.loads(sys.argv[2])
try:
    confine.confine(settings)
except confine.NotConfined as error:
    print(json.dumps(str(error)))
else:
    print(json.dumps("confined"))
"""


@pytest.mark.parametrize("layer", ["landlock", "seccomp"])
def test_a_required_layer_that_fails_ends_it(layer: str) -> None:
    """One that this machine does not have, and that was not asked for, does not."""
    said = f"Not confined: {layer} is required, and x."
    assert drive(LAYER, layer, json.dumps(SETTINGS)) == said
    required = [name for name in SETTINGS["required"] if name != layer]
    less = json.dumps(SETTINGS | {"required": required})
    assert drive(LAYER, layer, less) == "confined"


BROKEN = """
import json, sys, tempfile
from pathlib import Path
from lab_env.sandbox import Isolation, Limits, SandboxError, program, run_program
tier, name = sys.argv[1:]
build = getattr(program, name)
def wrong(*arguments):
    # A path that nobody can open: the rules cannot be made.
    settings = build(*arguments)
    return settings | {"read": [*settings["read"], "/" + "x" * 300]}
setattr(program, name, wrong)
with tempfile.TemporaryDirectory() as folder:
    source = "open('ran', 'w')"
    try:
        run_program([sys.executable, "-c", source], files={}, out=Path(folder, "out"),
                    collect=("ran",), limits=Limits(), isolation=Isolation(tier, ""))
    except SandboxError as error:
        print(json.dumps([str(error), [path.name for path in Path(folder, "out").iterdir()]]))
"""


def test_an_error_in_setting_up_ends_the_run_before_it_began(way: str) -> None:
    """It is our fault, said in one sentence, and no code of the trainee's ran."""
    tier, ordinary = WAYS[way]
    name = "settings_for" if tier == "bubblewrap" else "settings_without_jail"
    said, files = drive(BROKEN, tier, name, ordinary=ordinary)
    assert re.match(
        r"The sandbox did not start: Not confined: landlock is required, and "
        r"/x{300} cannot be opened: File name too long\.",
        said,
    )
    assert files == []


def test_the_programs_of_the_jail_import_nothing_else_of_ours() -> None:
    """They stand where nobody may be trusted, and start fast."""
    source = "import json, sys, lab_env.inside.confine; print(json.dumps(sorted(sys.modules)))"
    loaded = drive(source)
    ours = [name for name in loaded if name.startswith("lab_env")]
    names = ("", ".confine", ".landlock", ".seccomp", ".syscalls")
    assert ours == ["lab_env", *(f"lab_env.inside{name}" for name in names)]
    assert sys.version_info >= (3, 11)


OLD = """
import json, os, sys, tempfile
from lab_env.inside import landlock
def attempt(do, *arguments):
    try:
        do(*arguments)
    except OSError as error:
        return type(error).__name__
    return "worked"
version = int(sys.argv[1])
landlock.version = lambda: version
os.environ["TMPDIR"] = "/tmp"
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    os.mkdir("mine")
    open("theirs", "w").close()
    reading, writing = os.pipe()
    if not os.fork():
        rights = {"/usr": landlock.READ, "mine": landlock.WRITE}
        landlock.restrict(rights, tcp=False)
        said = [attempt(open, "theirs"), attempt(open, "mine/x", "w"),
                attempt(os.truncate, "theirs", 0)]
        os.write(writing, json.dumps(said).encode())
        os._exit(0)
    os.wait()
    print(os.read(reading, 1000).decode())
"""


@pytest.mark.parametrize("version", range(1, 8))
def test_an_older_landlock_confines_what_it_can(version: int) -> None:
    """Before version 3 a file can be cut that cannot be read; the filter has that."""
    if landlock.version() < version:
        pytest.skip(f"Landlock {version} is newer than this kernel's")
    cut = "PermissionError" if version >= 3 else "worked"
    assert drive(OLD, str(version)) == ["PermissionError", "worked", cut]


def test_a_user_id_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that has one user only."""

    def refuse(*_: int) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "setgroups", lambda groups: None)
    monkeypatch.setattr(os, "setresgid", refuse)
    with pytest.raises(confine.NotConfined) as caught:
        supervise.become(58000)
    assert str(caught.value) == (
        "Not confined: the user id 58000 cannot be taken (Invalid argument). "
        "Start the grader as an ordinary user."
    )
