"""The last fork of a run: shut itself in, then be the program that was asked for.

A script of ours runs right here, with the libraries in memory; anything else is
started by ``exec``. Either way it finds what it would find after a cold start.
"""

import gc
import io
import os
import random
import runpy
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn

from lab_env.inside import confine
from lab_env.inside import kernel_calls as kernel

LOCKED = "locked"
NOT_STARTED = 127
FAILED = 1
# Of all files; to ask for the abstract class above it takes ten times as long.
FILE: Any = io.IOBase.__base__
CHECKOUT = str(__file__).rsplit("/", 3)[0]


def be_program(settings: dict[str, Any], said: int, report: int) -> NoReturn:
    """Confine this process, say so, and become the program."""
    code = NOT_STARTED
    try:
        prepare(settings, said)
        confined(settings)
    except (confine.NotConfined, OSError) as error:
        os.write(report, str(error).encode()[:4000])
        os._exit(code)
    os.write(report, LOCKED.encode())
    os.close(report)
    try:
        code = become(settings["argv"])
    finally:
        os._exit(code)


def prepare(settings: dict[str, Any], said: int) -> None:
    """Be a fresh process: own handles, signals, folder and variables."""
    kernel.prctl(kernel.DUMPABLE, 1)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (said, 1), (said, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(said)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.umask(0o022)
    os.makedirs(os.environ["HOME"], exist_ok=True)
    os.chdir(settings["work"])
    os.environ["PWD"] = settings["work"]


def confined(settings: dict[str, Any]) -> None:
    """Confine this process; what is in memory already does not count as its data."""
    limits = dict(settings["confine"]["limits"])
    if is_ours(settings["argv"]):
        with open("/proc/self/statm", encoding="ascii") as stream:
            limits["DATA"] += int(stream.read().split()[5]) * os.sysconf("SC_PAGE_SIZE")
    confine.confine({**settings["confine"], "limits": limits})


def is_ours(argv: Sequence[str]) -> bool:
    """Tell a script of this folder, to be run with ``-I``, from any other program."""
    folder = f"{CHECKOUT}/lab_env/inside/"
    return argv[:2] == [sys.executable, "-I"] and argv[2].startswith(folder)


def become(argv: list[str]) -> int:
    """Run the program and return its exit code."""
    if not is_ours(argv):
        try:
            os.execv(argv[0], argv)
        except OSError as error:
            sys.stderr.write(f"{argv[0]} cannot be started: {error.strerror}\n")
            return NOT_STARTED
    refresh()
    # As with -I: the checkout is for the notebook alone.
    sys.path.remove(CHECKOUT)
    sys.argv = argv[2:]
    return exit_code_of(argv[2])


def refresh() -> None:
    """Begin with chance of our own: a fork inherits the state of every generator."""
    import numpy
    import torch

    gc.enable()
    random.seed()
    numpy.random.seed(None)
    torch.seed()


def exit_code_of(script: str) -> int:
    """Run ``script`` to its end as the interpreter would."""
    code = FAILED
    try:
        runpy.run_path(script, run_name="__main__")
        code = 0
    except SystemExit as ended:
        code = code_of(ended)
    except BaseException:
        traceback.print_exc()
    finally:
        finish()
    return code


def code_of(ended: SystemExit) -> int:
    """Return the exit code that the interpreter would return."""
    if ended.code is None:
        return 0
    if isinstance(ended.code, int):
        return ended.code & 0xFF
    sys.stderr.write(f"{ended.code}\n")
    return FAILED


def finish() -> None:
    """Do what the interpreter does at its end, without taking the libraries down."""
    import atexit

    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    # Only what came after the fork is looked through: the rest is frozen.
    for thing in gc.get_objects():
        if isinstance(thing, FILE) and not thing.closed:
            try:
                thing.flush()
            except Exception:
                continue
