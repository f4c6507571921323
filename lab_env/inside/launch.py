"""First program in a jail: wait for "go", take the limits, become the program.

Run by path and standard library only: in the jail nothing is installed yet that
could be trusted more than this file. No trainee code has run before "go".
"""

import json
import os
import resource
import sys

NOT_STARTED = 127


def take_limits(limits: dict[str, int]) -> None:
    """Lower this process and all its children to ``limits``."""
    for name, value in limits.items():
        number = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(number)
        lower = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(number, (lower, lower))


def wait_for_go() -> None:
    """Say "ready", return on "go" and leave when the outside is gone."""
    os.write(1, b"ready\n")
    if os.read(0, 2) != b"go":
        sys.exit(NOT_STARTED)
    # From here on there is one way out, the log, and no way in.
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)


def main(settings: str, *command: str) -> None:
    """Become ``command`` in the work folder."""
    wait_for_go()
    chosen = json.loads(settings)
    os.umask(0o022)
    os.makedirs(os.environ["HOME"], exist_ok=True)
    os.chdir(chosen["work"])
    os.environ["PWD"] = chosen["work"]
    take_limits(chosen["limits"])
    try:
        os.execv(command[0], command)
    except OSError as error:
        print(f"{command[0]} cannot be started: {error.strerror}", file=sys.stderr)
        sys.exit(NOT_STARTED)


if __name__ == "__main__":
    main(*sys.argv[1:])
