"""Find out what isolation works here, by running it and not by its version."""

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
from lab_env.sandbox.program import run_program
from lab_env.sandbox.runs import Isolation, Limits, SandboxError

TRIAL = """
import json, os, socket, sys
with open("trial.json", "w") as stream:
    json.dump({
        "root": os.getuid() == 0,
        "network": [name for _, name in socket.if_nameindex()],
        "outside": os.path.exists(sys.argv[1]),
    }, stream)
"""
SAFE = {"root": False, "network": ["lo"], "outside": False}
NO_NESTING = "--disable-userns"
NESTING_LEFT = (
    "Nested user namespaces are not turned off: run as an ordinary user, with "
    "bubblewrap 0.8 or newer."
)
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
PRACTICE = "For practice with your own notebooks only, pass --trust-submissions."


def require_isolation(trust: bool) -> Isolation:
    """Return the isolation in force; without one, only ``trust`` lets a run start."""
    found = detect_isolation()
    if found.tier == "none" and not trust:
        raise LabError(" ".join([found.sentence, *found.missing, PRACTICE]))
    return found


@lru_cache(maxsize=1)
def detect_isolation() -> Isolation:
    """Return the strongest isolation that a trial run came through."""
    if not shutil.which("bwrap"):
        return without("No sandbox: the program bwrap is not on this machine.", INSTALL)
    if os.geteuid() == 0 and not Path("/usr/bin/setpriv").exists():
        return without(
            "No sandbox: started as root, and /usr/bin/setpriv is not there.",
            "Install util-linux, or run as an ordinary user.",
        )
    # Nested namespaces are a way to the kernel's weak spots; root's jail has none
    # of its own, so there they cannot be turned off.
    choices = [(), (NO_NESTING,)] if os.geteuid() else [()]
    failure = ""
    for options in reversed(choices):
        try:
            trial(options)
        except SandboxError as error:
            failure = failure or str(error)
        else:
            return with_bubblewrap(options)
    # Refusals of the kernel read "Operation not permitted"; this one is a file's.
    do = READABLE if "Permission denied" in failure else ENABLE
    return without(f"No sandbox: bubblewrap is here but fails. {failure}", do)


def trial(options: tuple[str, ...]) -> None:
    """Run a small program in a jail; raise unless it was really shut in."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        run = run_program(
            [sys.executable, "-I", "-c", TRIAL, folder],
            files={},
            out=out,
            collect=["trial.json"],
            limits=Limits(wall_seconds=60),
            isolation=Isolation("bubblewrap", "on trial", options=options),
        )
        if run.collected != ("trial.json",):
            raise SandboxError(f"The trial run ended with {run.ended}: {run.log}")
        seen = json.loads((out / "trial.json").read_text())
        if seen != SAFE:
            raise SandboxError(f"The trial run should see {SAFE}, it saw {seen}.")


def with_bubblewrap(options: tuple[str, ...]) -> Isolation:
    """Return the record of a trial that was passed."""
    version = subprocess.run(
        ["bwrap", "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()
    root = os.geteuid() == 0
    user = "an own uid for each run, all privileges dropped" if root else "own user"
    missing = () if options else (NESTING_LEFT,)
    sentence = (
        f"{version}, Linux {platform.release()}: {user}; own process, network, ipc, "
        "host name and mount namespaces; read-only system, no network, watched limits."
    )
    return Isolation("bubblewrap", sentence, missing, options)


def without(why: str, do: str) -> Isolation:
    """Return the record of no isolation."""
    return Isolation("none", why, (do,))
