"""Whether this machine can work and grade labs: one fact per line, with what to do."""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

PYTHON = (3, 11)
FREE_GB = 5
LOCK = "requirements.txt"
_PIN = re.compile(r"([A-Za-z0-9._-]+)==([^\s;#]+)")
# From which version on Landlock holds what.
LANDLOCK = (
    (1, "files (Linux 5.13)"),
    (3, "cutting files (6.2)"),
    (4, "TCP (6.7)"),
    (6, "signals and abstract sockets (6.12)"),
)
# The first that is installed is what plots with Chinese labels are drawn with.
CJK_FONTS = ("Noto Sans CJK", "Source Han Sans", "WenQuanYi", "SimHei", "PingFang")


@dataclass(frozen=True)
class Fact:
    """``ok``, ``!`` (worth knowing) or ``x`` (labs cannot be worked or graded)."""

    state: Literal["ok", "!", "x"]
    sentence: str

    def __str__(self) -> str:
        """Return the line to print."""
        return f"[{self.state}]{' ' * (3 - len(self.state))}{self.sentence}"


def examine(course: Path) -> Iterator[Fact]:
    """Yield the facts, the cheap ones first."""
    yield python_fact()
    yield package_fact(lock_file())
    yield disk_fact(course)
    yield course_fact(course)
    yield isolation_fact()
    yield layers_fact()
    yield cgroup_fact()
    yield torch_fact()
    yield font_fact()
    yield browser_fact()


def lock_file() -> Path:
    """Return the lock of this checkout, or the one that an installed wheel carries."""
    package = Path(__file__).parent
    beside = package.parent / LOCK
    return beside if beside.is_file() else package / "content" / LOCK


def python_fact() -> Fact:
    """Say which Python runs, and whether it is new enough."""
    seen = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= PYTHON:
        return Fact("ok", f"Python {seen} in {sys.prefix}")
    wanted = ".".join(map(str, PYTHON))
    return Fact("x", f"Python {seen}; at least {wanted} is needed: install it.")


def package_fact(lock: Path) -> Fact:
    """Compare what is installed with the lock."""
    if not lock.is_file():
        return Fact("!", f"No {lock} to compare the installed packages with.")
    pins = dict(_PIN.findall(lock.read_text(encoding="utf-8")))
    seen = {name: _installed(name) for name in pins}
    missing = [name for name, found in seen.items() if found is None]
    if missing:
        names = ", ".join(missing[:5])
        return Fact("x", f"{len(missing)} packages are missing ({names}): make setup")
    other = [name for name in pins if seen[name] != pins[name]]
    if other:
        shown = ", ".join(
            f"{name} {seen[name]}, not {pins[name]}" for name in other[:5]
        )
        return Fact(
            "!", f"{len(other)} packages differ from {LOCK} ({shown}): make setup"
        )
    return Fact("ok", f"{len(pins)} packages, each as {LOCK} says")


def disk_fact(course: Path) -> Fact:
    """Say how much room is left where the course folder is, or will be."""
    place = next(
        path for path in (course.resolve(), *course.resolve().parents) if path.exists()
    )
    free = shutil.disk_usage(place).free / 1e9
    if free >= FREE_GB:
        return Fact("ok", f"{free:.0f} GB free at {place}")
    return Fact(
        "!", f"Only {free:.1f} GB free at {place}; {FREE_GB} GB are comfortable."
    )


def course_fact(course: Path) -> Fact:
    """Say what is in the course folder."""
    from lab_env.release import releases

    if not course.is_dir():
        return Fact("!", f'No course folder "{course}" yet: make demo, or lab publish.')
    return Fact("ok", f'Course folder "{course}" with {len(releases(course))} releases')


def isolation_fact() -> Fact:
    """Say what keeps a trainee's code in while it is graded."""
    from lab_env.sandbox import detect_isolation

    found = detect_isolation()
    if found.tier == "none":
        why = " ".join([found.sentence, *found.missing])
        return Fact(
            "x",
            f"No isolation: {why} Or grade your own work only, with "
            "--trust-submissions.",
        )
    said = f'Isolation, tier "{found.tier}": {found.sentence}'
    if not found.missing:
        return Fact("ok", said)
    return Fact("!", f"{said} Missing: {' '.join(found.missing)}")


def layers_fact() -> Fact:
    """Say what the kernel offers beside namespaces, and what it is too old for."""
    from lab_env.sandbox.confinement import layers

    here = layers()
    missing = [what for since, what in LANDLOCK if here.landlock < since]
    if not here.seccomp:
        missing.append("a filter of system calls (x86-64 and arm64 have one)")
    if not missing:
        return Fact("ok", f"Kernel: {here}")
    old = "; ".join(missing)
    return Fact("!", f"Kernel: {here}. Not confined by it: {old}. Use a newer Linux.")


def cgroup_fact() -> Fact:
    """Say whether the kernel could hold limits over a whole run."""
    controllers = _controllers()
    if {"memory", "pids"} <= controllers:
        return Fact(
            "ok", "cgroup v2 with memory and pids: not needed, runs are watched"
        )
    seen = ", ".join(sorted(controllers)) or "none"
    return Fact(
        "ok",
        f"cgroup v2 for this user: {seen}. Runs are watched ten times a second "
        "instead; for a hard limit on all of them start the grader with systemd-run "
        "--user --scope -p MemoryMax=8G -p TasksMax=1000.",
    )


def torch_fact() -> Fact:
    """Say where models train: processor or GPU."""
    try:
        import torch
    except (ImportError, OSError) as error:
        return Fact("x", f"torch cannot be loaded ({error}): make setup")
    name, threads = torch.__version__, torch.get_num_threads()
    if torch.cuda.is_available():
        return Fact("ok", f"torch {name} on {torch.cuda.get_device_name()}")
    return Fact("ok", f"torch {name} on the processor, {threads} threads")


def font_fact() -> Fact:
    """Say whether plots can show Chinese."""
    from matplotlib.font_manager import fontManager

    names = {font.name for font in fontManager.ttflist}
    found = [name for name in sorted(names) if name.startswith(CJK_FONTS)]
    if found:
        return Fact("ok", f"Chinese in plots: {found[0]}")
    return Fact("!", "No font with Chinese for plots: install fonts-noto-cjk.")


def browser_fact() -> Fact:
    """Say whether the tests that look at pages can run; labs need any browser."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return Fact("ok", f"Browser for the tests: {path}")
    return Fact("!", "No chromium: the tests that open pages are skipped.")


def _controllers() -> set[str]:
    try:
        own = Path("/proc/self/cgroup").read_text(encoding="utf-8")
    except OSError:
        return set()
    paths = [line[3:] for line in own.splitlines() if line.startswith("0::")]
    folders = [Path("/sys/fs/cgroup", path.lstrip("/")) for path in paths]
    usable = [each for each in folders if os.access(each / "cgroup.procs", os.W_OK)]
    found: set[str] = set()
    for folder in usable:
        found |= set((folder / "cgroup.controllers").read_text().split())
    return found


def _installed(name: str) -> str | None:
    try:
        # +cpu and +cu130 are the same version, built for another device.
        return version(name).partition("+")[0]
    except PackageNotFoundError:
        return None
