"""Room A: what a program in the jail can reach, take and leave behind."""

import json
import socket
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lab_env
from lab_env.sandbox import (
    Isolation,
    JailRun,
    Limits,
    SandboxError,
    detect_isolation,
    run_program,
)

Probe = Callable[..., JailRun]
REPOSITORY = Path(lab_env.__file__).parent.parent
SMALL = Limits(wall_seconds=30, memory_mb=512, processes=40, file_mb=50, work_mb=80)


@pytest.fixture(scope="session")
def shut_in() -> Isolation:
    """The jail of this machine; without one the tests say why they skip."""
    found = detect_isolation()
    if found.tier != "bubblewrap":
        pytest.skip(found.sentence)
    return found


@pytest.fixture
def probe(tmp_path: Path, shut_in: Isolation) -> Probe:
    """Run Python source in a jail; it may write answer.json."""

    def run_source(
        source: str,
        *arguments: str,
        limits: Limits = SMALL,
        collect: tuple[str, ...] = ("answer.json",),
        files: dict[str, Path] | None = None,
        kind: Isolation = shut_in,
    ) -> JailRun:
        return run_program(
            [sys.executable, "-c", PRELUDE + textwrap.dedent(source), *arguments],
            files=files or {},
            out=tmp_path / "out",
            collect=collect,
            limits=limits,
            isolation=kind,
        )

    return run_source


PRELUDE = """
import json, os, sys, time
def answer(value):
    with open("answer.json", "w") as stream:
        json.dump(value, stream)
def fails(do, *arguments):
    try:
        do(*arguments)
    except OSError as error:
        return type(error).__name__
    return "worked"
"""


def answer(folder: Path) -> Any:
    """Return what the program answered."""
    return json.loads((folder / "out" / "answer.json").read_text())


def test_there_is_no_network(probe: Probe, tmp_path: Path) -> None:
    """Neither this machine's loopback, nor its abstract sockets, nor a name server."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as local,
    ):
        local.bind("\0lab-test-listener")
        local.listen()
        probe(
            """
            import socket
            port, unix = int(sys.argv[1]), socket.socket(socket.AF_UNIX)
            answer([
                fails(socket.create_connection, ("127.0.0.1", port), 2),
                fails(socket.create_connection, ("192.0.2.1", 80), 2),
                fails(unix.connect, chr(0) + "lab-test-listener"),
                fails(socket.getaddrinfo, "example.org", 80),
            ])
            """,
            str(server.getsockname()[1]),
        )
    refused = "ConnectionRefusedError"
    assert answer(tmp_path) == [refused, "OSError", refused, "gaierror"]


def test_nothing_of_this_machine_is_there(probe: Probe, tmp_path: Path) -> None:
    """No home, no course folder, no graders; the environment cannot be written."""
    secret = tmp_path / "course" / "key.json"
    secret.parent.mkdir()
    secret.write_text("key")
    probe(
        """
        answer({
            "seen": [path for path in sys.argv[3:] if os.path.exists(path)],
            "root": sorted(os.listdir("/")),
            "beside": sorted(os.listdir(sys.argv[1])),
            "write": [fails(open, f"{place}/x", "w") for place in
                      (sys.prefix, sys.argv[2], "/", "/usr", "/etc", "/dev")],
            "users": open("/etc/passwd").read().count(chr(10)),
        })
        """,
        str(REPOSITORY),
        str(REPOSITORY / "lab_env"),
        str(secret),
        *(str(REPOSITORY / name) for name in ("graders", "labs", "tests", "datasets")),
        "/etc/shadow",
        "/var",
        "/root/.ssh",
        "/home",
    )
    found = answer(tmp_path)
    assert found["seen"] == []
    assert set(found["beside"]) <= {"lab_env", ".venv"}
    assert set(found["write"]) <= {"OSError", "PermissionError"}
    assert found["users"] == 1


def test_the_environment_is_the_fixed_set(
    probe: Probe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable of the examiner's shell does not get in."""
    monkeypatch.setenv("LAB_EXAM_KEY", "secret")
    probe("answer(dict(os.environ))")
    assert " ".join(sorted(answer(tmp_path))) == (
        "HF_DATASETS_OFFLINE HF_HUB_DISABLE_TELEMETRY HF_HUB_OFFLINE HOME LANG LOGNAME "
        "MKL_NUM_THREADS OMP_NUM_THREADS OMP_WAIT_POLICY OPENBLAS_NUM_THREADS PATH PWD "
        "PYTHONDONTWRITEBYTECODE PYTHONHASHSEED PYTHONPATH SHELL TMPDIR "
        "TOKENIZERS_PARALLELISM TRANSFORMERS_OFFLINE USER"
    )


def test_no_privilege_is_left(probe: Probe, tmp_path: Path) -> None:
    """Not root, no capability, no way to gain one, no other process to see."""
    probe(
        """
        status = dict(line.split(":", 1) for line in open("/proc/self/status"))
        answer({
            "uid": os.getuid(),
            "caps": [int(status[name], 16) for name in
                     ("CapInh", "CapPrm", "CapEff", "CapAmb")],
            "new": int(status["NoNewPrivs"]),
            "others": sorted(int(name) for name in os.listdir("/proc")
                             if name.isdigit()),
            "kill": fails(os.kill, 1, 9),
            "files": [os.readlink(f"/proc/self/fd/{name}") for name in "012"],
        })
        """
    )
    found = answer(tmp_path)
    assert found["uid"] != 0
    assert found["caps"] == [0, 0, 0, 0]
    assert found["new"] == 1
    assert found["others"] == [1, 2]
    assert found["files"][0] == "/dev/null"


def test_runs_at_the_same_time_have_different_uids(shut_in: Isolation) -> None:
    """Started by root, each run holds a uid of its own until it is over."""
    from lab_env.sandbox.jail import free_uid

    with free_uid() as first, free_uid() as second:
        assert (first is None and second is None) or first != second
    with free_uid() as third:
        assert third == first


def test_one_huge_allocation_is_a_memory_error(probe: Probe, tmp_path: Path) -> None:
    """The program can go on after it."""
    probe(
        """
        try:
            bytearray(50 * 1024 ** 3)
        except MemoryError:
            answer("MemoryError")
        """
    )
    assert answer(tmp_path) == "MemoryError"


@pytest.mark.parametrize(
    "source",
    [
        "import mmap; m = mmap.mmap(-1, 4 * 1024 ** 3)\n"
        "while True: m.write(b'x' * 1024 ** 2)",
        "for _ in range(4): os.fork() or (bytearray(b'x' * 200_000_000), time.sleep(60))"
        "\ntime.sleep(60)",
    ],
    ids=["shared map", "children"],
)
def test_memory_is_counted_over_all_processes(probe: Probe, source: str) -> None:
    """What no limit of one process stops, the watch does."""
    run = probe(source)
    assert run.ended == "memory"
    assert run.exit_code is None
    assert run.peak_memory_mb > SMALL.memory_mb


def test_a_fork_bomb_runs_against_the_limit(probe: Probe, tmp_path: Path) -> None:
    """The program gets an error, this machine notices nothing."""
    run = probe(
        """
        made = 0
        try:
            while made < 500:
                if not os.fork():
                    time.sleep(60)
                made += 1
        except OSError:
            answer(made)
        """
    )
    assert 20 < answer(tmp_path) <= SMALL.processes
    assert run.ended == "finished"
    assert run.wall_seconds < 20


def test_files_have_a_size_and_a_sum(probe: Probe, tmp_path: Path) -> None:
    """One file stops at file_mb, all together at work_mb."""
    probe(
        """
        def fill(name, size):
            with open(name, "wb", buffering=0) as stream:
                for _ in range(size):
                    if stream.write(bytes(1024 ** 2)) < 1024 ** 2:
                        raise OSError("short")
        seen = [fails(fill, "a", 300), fails(fill, "b", 45)]
        sizes = [os.stat(name).st_size // 1024 ** 2 for name in "ab"]
        os.remove("a")
        answer([seen, sizes])
        """
    )
    assert answer(tmp_path) == [["OSError", "OSError"], [50, 31]]


def test_a_flood_of_tiny_files_ends_the_run(probe: Probe) -> None:
    """Empty files have no size but cost memory of the kernel."""
    run = probe("for n in range(10 ** 7): os.close(os.open(f'/tmp/{n}', 64))")
    assert run.ended == "disk"


def test_a_flood_of_log_ends_the_run(probe: Probe) -> None:
    """Of what is printed outside a cell the last few KB are kept."""
    run = probe("while True: print('x' * 10000)", limits=Limits(output_mb=2))
    assert run.ended == "output"
    assert 4096 <= len(run.log) <= 8192


def test_processor_time_is_counted_over_all_processes(probe: Probe) -> None:
    """Two children share one limit."""
    spin = "os.fork()\nwhile True: pass"
    run = probe(spin, limits=Limits(cpu_seconds=1, wall_seconds=30))
    assert run.ended == "cpu time"
    assert 1 <= run.cpu_seconds < 3


def test_released_files_are_copies_and_large_folders_read_only(
    probe: Probe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The original never changes; a deliverable can always be written."""
    from lab_env.sandbox import program

    monkeypatch.setattr(program, "COPIED_MB", 0)
    for name in ("base_model", "model"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "w.bin").write_text(name)
    (tmp_path / "starter.csv").write_text("old")
    files = {name: tmp_path / name for name in ("base_model", "model", "starter.csv")}
    run = probe(
        """
        assert open("base_model/w.bin").read() == "base_model"
        assert fails(open, "base_model/w.bin", "w") != "worked"
        for name in ("model/w.bin", "starter.csv"):
            open(name, "w").write("new")
        """,
        files=files,
        collect=("model/", "starter.csv"),
    )
    assert run.collected == ("model/w.bin", "starter.csv"), run.log
    assert (tmp_path / "out" / "model" / "w.bin").read_text() == "new"
    assert (tmp_path / "starter.csv").read_text() == "old"
    assert (tmp_path / "model" / "w.bin").read_text() == "model"


def test_hostile_deliverables_are_refused_with_a_reason(probe: Probe) -> None:
    """Only plain files of one name and a modest size come out."""
    run = probe(
        """
        os.mkdir("model")
        os.symlink("/etc/passwd", "link.csv")
        os.symlink("/etc", "links")
        os.mkfifo("pipe.csv")
        os.mkdir("folder.csv")
        os.mkdir("model/deep")
        open("twice.csv", "w").close()
        os.link("twice.csv", "model/twin")
        with open("sparse.csv", "wb") as stream:
            stream.truncate(40 * 1024 ** 2)
        open(b"model/\\xff\\n", "w").close()
        open("model/good.json", "w").write("{}")
        """,
        collect=(
            "link.csv",
            "links/",
            "links/passwd",
            "pipe.csv",
            "folder.csv",
            "twice.csv",
            "sparse.csv",
            "model/",
        ),
        limits=Limits(deliverable_mb=8),
    )
    assert run.collected == ("model/good.json",)
    link, shape = (
        "is a link or cannot be opened.",
        "is a folder, pipe or device; a plain file was expected.",
    )
    twins = "is one file under 2 names (hard links)."
    assert dict(run.refused) == {
        "link.csv": link,
        "links/": link,
        "links/passwd": link,
        "pipe.csv": shape,
        "folder.csv": shape,
        "twice.csv": twins,
        "sparse.csv": "has 40.0 MB; the limit is 8 MB.",
        "model/deep": shape,
        "model/twin": twins,
        "model/??": "has a name with characters that cannot be shown.",
    }


def test_deliverables_have_a_number_and_a_total(probe: Probe) -> None:
    """Files beyond either are refused one by one, a flood of them together."""
    run = probe(
        """
        for folder, number in (("many", 1000), ("some", 8)):
            os.mkdir(folder)
            for n in range(number):
                open(f"{folder}/{n}", "w").close()
        for name in ("a", "b"):
            open(name, "wb").write(bytes(3 * 1024 ** 2))
        """,
        collect=("a", "b", "many/", "some/"),
        limits=Limits(deliverables_total_mb=4, deliverable_count=6),
    )
    assert run.collected == ("a", "some/0", "some/1", "some/2", "some/3", "some/4")
    over = "is beyond the limit of 6 files."
    assert dict(run.refused) == {
        "b": "brings the total to 6.0 MB; the limit is 4 MB.",
        "many/": "holds more than 12 files; none was taken.",
        "some/5": over,
        "some/6": over,
        "some/7": over,
    }


def test_a_checkout_beside_the_interpreter_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The folder of the interpreter is shown, and the graders would be in it."""
    from lab_env.sandbox import environment

    monkeypatch.setattr(environment, "PACKAGE", Path("/usr/local/lab/lab_env"))
    with pytest.raises(SandboxError, match=r"^/usr/local/lab lies in /usr, which"):
        environment.interpreter_folders.__wrapped__(Path(sys.executable))


def test_a_program_that_cannot_start_is_told_in_the_log(
    tmp_path: Path, shut_in: Isolation
) -> None:
    """The exit code is not zero and nothing is collected."""
    run = run_program(
        ["/no/such"],
        files={},
        out=tmp_path,
        collect=("a",),
        limits=SMALL,
        isolation=shut_in,
    )
    assert run.exit_code == 127
    assert run.log == "/no/such cannot be started: No such file or directory\n"
    assert run.collected == ()


def test_a_sandbox_that_fails_is_our_fault_with_the_reason(
    probe: Probe, shut_in: Isolation
) -> None:
    """What bubblewrap said is in the sentence."""
    broken = Isolation("bubblewrap", "broken", options=("--no-such-option",))
    with pytest.raises(SandboxError, match=r"did not start: bwrap: .*no-such-option"):
        probe("1", kind=broken)


def test_without_isolation_the_limits_still_hold(probe: Probe, tmp_path: Path) -> None:
    """Trusted code gets the same folder, environment, watch and collector."""
    begun = time.monotonic()
    run = probe(
        "answer(sorted(os.environ)); os.fork(); time.sleep(60)",
        limits=Limits(wall_seconds=2),
        kind=Isolation("none", "trusted"),
    )
    assert run.ended == "wall time"
    assert time.monotonic() - begun < 10
    assert "HF_HUB_OFFLINE" in answer(tmp_path)
    assert "PYTEST_CURRENT_TEST" not in answer(tmp_path)
