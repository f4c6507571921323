"""Find out what isolation works here, by running it and not by its version.

Tier "bubblewrap": own namespaces, and Landlock and seccomp inside them.
Tier "landlock": no namespaces (a container, mostly); Landlock and seccomp alone.
Tier "none": neither works; only --trust-submissions lets a run start.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

from lab_env.errors import LabError
from lab_env.sandbox.confinement import Layers, layers
from lab_env.sandbox.program import run_program
from lab_env.sandbox.runs import TIERS, Isolation, Limits, SandboxError, Tier

TRIAL = """
import json, os, socket, sys
def works(do, *arguments):
    try:
        do(*arguments)
    except OSError:
        return False
    return True
network = [name for _, name in socket.if_nameindex()]
with open("/proc/self/status") as stream:
    status = dict(line.split(":", 1) for line in stream)
with open("trial.json", "w") as stream:
    json.dump({
        "root": os.getuid() == 0,
        "network": works(socket.socket, socket.AF_INET) and network != ["lo"],
        "outside": works(open, sys.argv[1]),
        "filter": status["Seccomp"].strip() == "2",
    }, stream)
"""
NO_NESTING = "--disable-userns"
INSTALL = "Install bubblewrap 0.8 or newer (apt install bubblewrap)."
ENABLE = (
    "Let this user create namespaces: outside of a container, or in one whose seccomp "
    "profile allows it and that masks nothing in /proc; check the sysctl "
    "user.max_user_namespaces."
)
READABLE = (
    "The sandbox runs as another user, who must be able to read the checkout and the "
    "virtual environment: chmod -R go+rX on both."
)
NO_LANDLOCK = "Landlock is not there: use Linux 5.13 or newer, with lsm=landlock."
NO_FILTER = "No filter of system calls: use a machine of x86-64 or arm64."
NO_SCOPES = (
    "Landlock {version} lets a run send signals to other processes of its user: use "
    "Linux 6.12 or newer."
)
ONE_UID = (
    "Runs have this user's uid, take turns, and reach its sockets and file modes: "
    "start the grader as root in the container."
)
PRACTICE = "For practice with your own notebooks only, pass --trust-submissions."


class _Unfit(Exception):
    """A tier does not work here: why, and what to do."""


def require_isolation(trust: bool, at_least: Tier = "landlock") -> Isolation:
    """Return the isolation in force, if it is strong enough.

    ``trust`` lets a run start without any, unless more is asked for than usual.
    """
    found = detect_isolation()
    wanted = "none" if trust and at_least == "landlock" else at_least
    if TIERS.index(found.tier) >= TIERS.index(wanted):
        return found
    asked = "" if found.tier == "none" else f'The tier "{at_least}" was asked for.'
    do = PRACTICE if at_least == "landlock" else ""
    said = (found.sentence, asked, *found.missing, do)
    raise LabError(" ".join(filter(None, said)))


@lru_cache(maxsize=1)
def detect_isolation() -> Isolation:
    """Return the strongest isolation that a trial run came through."""
    here = layers()
    try:
        return bubblewrap(here)
    except _Unfit as problem:
        why, do = problem.args
    try:
        return landlock(here, why, do)
    except _Unfit as problem:
        instead, do_instead = problem.args
    without = f"Without it: {instead} {do_instead}".strip()
    return Isolation("none", f"No sandbox: {why}", (do, without))


def bubblewrap(here: Layers) -> Isolation:
    """Return the tier "bubblewrap" after a trial; raise why it does not work."""
    if not shutil.which("bwrap"):
        raise _Unfit("the program bwrap is not on this machine.", INSTALL)
    if os.geteuid() == 0 and not Path("/usr/bin/setpriv").exists():
        do = "Install util-linux, or run as an ordinary user."
        raise _Unfit("started as root, and /usr/bin/setpriv is not there.", do)
    # Root's jail has no user namespace of its own, in which to forbid further ones;
    # there the filter of system calls does it alone.
    choices = [(NO_NESTING,), ()] if os.geteuid() else [()]
    failure = ""
    for options in choices:
        found = Isolation("bubblewrap", "on trial", (), options, here.required)
        try:
            trial(found)
        except SandboxError as error:
            failure = failure or str(error)
        else:
            return described(found, bubblewrap_sentence(here), gaps(here))
    # Refusals of the kernel read "Operation not permitted"; this one is a file's.
    do = READABLE if "Permission denied" in failure else ENABLE
    raise _Unfit(f"bubblewrap is here but fails. {failure}", do)


def landlock(here: Layers, why: str, do: str) -> Isolation:
    """Return the tier "landlock" after a trial; raise why it does not work."""
    if missing := gaps(here):
        raise _Unfit(" ".join(missing), "")
    found = Isolation("landlock", "on trial")
    try:
        trial(found)
    except SandboxError as error:
        advice = READABLE if "Permission denied" in str(error) else ""
        raise _Unfit(str(error), advice) from None
    root = os.geteuid() == 0
    more = [] if root else [ONE_UID]
    if here.landlock < 6 and not root:
        more.append(NO_SCOPES.format(version=here.landlock))
    return described(found, landlock_sentence(here, why), (do, *more))


def trial(isolation: Isolation) -> None:
    """Run a small program; raise unless it was really shut in."""
    with tempfile.TemporaryDirectory() as folder:
        out, secret = Path(folder, "out"), Path(folder, "secret")
        secret.touch()
        run = run_program(
            [sys.executable, "-I", "-c", TRIAL, str(secret)],
            files={},
            out=out,
            collect=["trial.json"],
            limits=Limits(wall_seconds=60),
            isolation=isolation,
        )
        if run.collected != ("trial.json",):
            raise SandboxError(f"The trial run ended with {run.ended}: {run.log}")
        seen = json.loads((out / "trial.json").read_text())
    safe = {"root": False, "network": False, "outside": False}
    safe["filter"] = "seccomp" in isolation.required
    if seen != safe:
        raise SandboxError(f"The trial run should see {safe}, it saw {seen}.")


def described(found: Isolation, sentence: str, missing: tuple[str, ...]) -> Isolation:
    """Return the record of a trial that was passed."""
    return Isolation(found.tier, sentence, missing, found.options, found.required)


def bubblewrap_sentence(here: Layers) -> str:
    """Return what the record says of a jail on this machine."""
    version = subprocess.run(
        ["bwrap", "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return (
        f"{version}, Linux {platform.release()}: {user()}; own process, network, ipc, "
        "host name and mount namespaces; read-only system, no network, watched "
        f"limits; {here}."
    )


def landlock_sentence(here: Layers, why: str) -> str:
    """Return what the record says of a run without a jail."""
    return (
        f"{here}, Linux {platform.release()}: {user()}; no network, watched limits. "
        f"No namespaces: {why}"
    )


def user() -> str:
    """Return under whom the code of a run works."""
    root = os.geteuid() == 0
    return "an own uid for each run, all privileges dropped" if root else "own user"


def gaps(here: Layers) -> tuple[str, ...]:
    """Return what the kernel of this machine does not offer, and what to do."""
    there = {NO_LANDLOCK: bool(here.landlock), NO_FILTER: here.seccomp}
    return tuple(sentence for sentence, is_there in there.items() if not is_there)
