"""First program of a run: be confined, say "ready", wait for "go", become the program.

Run by path; of ours it imports only its neighbours, which import nothing else. No
trainee code has run before "go", and what fails in here ends the run before it.
"""

import json
import os
import sys

sys.dont_write_bytecode = True
# The folder of our package; pathlib would cost more than all the rest in here.
sys.path.append(os.path.abspath(f"{__file__}/../../.."))

from lab_env.inside.confine import NotConfined, confine, take_limits  # noqa: E402

NOT_STARTED = 127
LOG = 2


def wait_for_go() -> None:
    """Say "ready", return on "go" and leave when the outside is gone."""
    os.write(1, b"ready\n")
    if os.read(0, 2) != b"go":
        sys.exit(NOT_STARTED)
    # From here on there is one way out, the log, and no way in.
    os.dup2(LOG, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.closerange(LOG + 1, os.sysconf("SC_OPEN_MAX"))


def enter(work: str) -> None:
    """Go into the work folder, with a home beside it."""
    os.umask(0o022)
    os.makedirs(os.environ["HOME"], exist_ok=True)
    os.chdir(work)
    os.environ["PWD"] = work


def main(settings: str, *command: str) -> None:
    """Become ``command`` in the work folder."""
    chosen = json.loads(settings)
    try:
        if "supervise" in chosen:
            from lab_env.inside.supervise import supervise

            supervise(**chosen["supervise"])
        enter(chosen["work"])
        if not chosen.get("terminals", True):
            from lab_env.inside.shell_lines import without_terminal

            without_terminal(os.environ["HOME"])
        if "confine" in chosen:
            confine(chosen["confine"])
        else:
            take_limits(chosen["limits"])
    except (NotConfined, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(NOT_STARTED)
    wait_for_go()
    try:
        os.execv(command[0], command)
    except OSError as error:
        print(f"{command[0]} cannot be started: {error.strerror}", file=sys.stderr)
        sys.exit(NOT_STARTED)


if __name__ == "__main__":
    main(*sys.argv[1:])
