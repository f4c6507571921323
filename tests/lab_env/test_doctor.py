"""Facts about what `lab doctor` says."""

from pathlib import Path

import pytest

from lab_env import doctor, sandbox
from lab_env.sandbox import Isolation, confinement


def test_the_lock_of_this_checkout_is_what_is_installed() -> None:
    """The tests run with the packages that requirements.txt names."""
    fact = doctor.package_fact(doctor.lock_file())

    assert fact.state == "ok", fact


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    """A package of the lock that is not there makes labs unworkable."""
    lock = tmp_path / "requirements.txt"
    lock.write_text("# made by a test\nno-such-package==1.0\n")

    fact = doctor.package_fact(lock)

    expected = "[x]  1 packages are missing (no-such-package): make setup"
    assert str(fact) == expected


def test_another_version_is_named(tmp_path: Path) -> None:
    """A package of another version is said with both versions."""
    lock = tmp_path / "requirements.txt"
    lock.write_text("rich==0.1\n")

    fact = doctor.package_fact(lock)

    assert fact.state == "!"
    assert ", not 0.1): make setup" in fact.sentence


def test_a_build_of_torch_is_no_other_version(tmp_path: Path) -> None:
    """The processor build 2.13.0+cpu is the version 2.13.0."""
    lock = tmp_path / "requirements.txt"
    pins = doctor.lock_file().read_text().splitlines()
    lock.write_text(next(line for line in pins if line.startswith("torch==")))

    assert doctor.package_fact(lock).state == "ok"


def test_no_isolation_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a sandbox nothing but one's own work may be graded."""
    none = Isolation("none", "No sandbox: bwrap is not here.", ("Install bubblewrap.",))
    monkeypatch.setattr(sandbox, "detect_isolation", lambda: none)

    fact = doctor.isolation_fact()

    assert fact.state == "x"
    assert "--trust-submissions" in fact.sentence


def test_a_weaker_isolation_names_its_tier_and_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An examiner reads which room there is, and how to get the better one."""
    weaker = Isolation("landlock", "Landlock ABI 7, seccomp.", ("Install bubblewrap.",))
    monkeypatch.setattr(sandbox, "detect_isolation", lambda: weaker)

    assert str(doctor.isolation_fact()) == (
        '[!]  Isolation, tier "landlock": Landlock ABI 7, seccomp. '
        "Missing: Install bubblewrap."
    )


def test_an_old_kernel_says_what_it_does_not_confine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the version of Linux from which on it does."""
    monkeypatch.setattr(confinement, "layers", lambda: confinement.Layers(4, True))

    assert str(doctor.layers_fact()) == (
        "[!]  Kernel: Landlock ABI 4, seccomp. Not confined by it: signals and "
        "abstract sockets (6.12). Use a newer Linux."
    )


def test_no_control_group_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are watched without one; with one there is nothing to do."""
    monkeypatch.setattr(doctor, "_controllers", lambda: {"hugetlb"})
    assert doctor.cgroup_fact().state == "ok"
    assert "systemd-run" in doctor.cgroup_fact().sentence
    monkeypatch.setattr(doctor, "_controllers", lambda: {"memory", "pids"})
    assert "not needed" in doctor.cgroup_fact().sentence


def test_a_course_that_is_not_there_is_no_fault(tmp_path: Path) -> None:
    """Before the first release there is no course folder, and that is fine."""
    assert doctor.course_fact(tmp_path / "course").state == "!"
    assert doctor.course_fact(tmp_path).state == "ok"
    assert "GB free at" in doctor.disk_fact(tmp_path / "course").sentence
