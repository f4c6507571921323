"""Real runs under each tier, for the tests of confinement: the outer halves of them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import lab_env
from lab_env.sandbox import Isolation, isolation
from lab_env.sandbox.confinement import layers

PACKAGE = Path(lab_env.__file__).parent
ORDINARY_UID = "54321"
# The interpreter may live in a home that another user cannot enter: show only it.
SHOWN = """
exec 9<"$0"
mount -t tmpfs -o mode=755 none "/$(echo "$0" | cut -d/ -f2)" &&
mkdir -p "$0" && mount -c --bind /proc/self/fd/9 "$0" && exec 9<&- && exec "$@"
"""
# Every tier as this machine can have it: (tier, as an ordinary user).
WAYS = {
    "jail": ("bubblewrap", False),
    "jail of a user": ("bubblewrap", True),
    "own uid": ("landlock", False),
    "shared uid": ("landlock", True),
}


def command(ordinary: bool) -> list[str]:
    """Return what starts Python as root where others can read it, or as another."""
    python = [sys.executable, "-B"]
    if os.geteuid() != 0:
        return python
    who = [f"--reuid={ORDINARY_UID}", f"--regid={ORDINARY_UID}", "--clear-groups"]
    less = ["--inh-caps=-all", "--bounding-set=-all", "--"]
    as_user = ["setpriv", *who, *less, *python] if ordinary else python
    if sys.base_prefix.startswith("/usr"):
        return as_user
    return ["unshare", "-m", "sh", "-c", SHOWN, sys.base_prefix, *as_user]


def drive(script: str, *arguments: str, ordinary: bool = False, **env: str) -> Any:
    """Run a script that prints JSON, in a process that may start runs of any tier."""
    done = subprocess.run(
        [*command(ordinary), "-c", script, *arguments],
        capture_output=True,
        text=True,
        cwd="/",
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent), "HOME": "/tmp", **env},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def why_not(way: str) -> str:
    """Return why this machine cannot run in this way; nothing if it can."""
    tier, ordinary = WAYS[way]
    if ordinary and os.geteuid() != 0:
        return "needs root, to become an ordinary user; the other cases have tested it"
    if tier == "landlock":
        return " ".join(isolation.gaps(layers()))
    found: Isolation = isolation.detect_isolation()
    return "" if found.tier == tier else found.sentence
