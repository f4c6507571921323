"""Process 1 of one run: makes its folders, starts it, tells how it ended.

It is trusted and stays so: nothing may look into it, no signal from inside ends it,
it reads no file and runs no code of the run. When it ends, for whatever reason, the
kernel ends everything else in the run.
"""

import os
import select
import signal
import socket
from contextlib import suppress
from typing import Any, NoReturn

from lab_env.inside import confine, link, own_world, program
from lab_env.inside import kernel_calls as kernel


def be_first(end: socket.socket, adopted: int) -> NoReturn:
    """Be process 1 until the program or the outside has ended."""
    try:
        run(end, adopted)
    except OSError as error:
        with suppress(OSError):
            link.tell(end, {"failed": str(error)})
    except EOFError:
        # Nobody is there any more who would want to know.
        pass
    finally:
        os._exit(0)


def run(end: socket.socket, adopted: int) -> None:
    """Set up, start on "go", and report the end of the program."""
    harden()
    settings, _ = link.hear(end)
    own_world.furnish(settings["rooms"], settings["kept"])
    confine.drop_capabilities()
    die_with_the_zygote(adopted)
    log, said = os.pipe()
    myself = os.pidfd_open(os.getpid())
    given = [myself, log, *own_world.open_rooms()]
    link.tell(end, {"placed": True}, given)
    for handle in given:
        os.close(handle)
    link.hear(end)
    child = start(end, said, settings)
    status, cpu_seconds = wait(end, child)
    code = os.waitstatus_to_exitcode(status)
    link.tell(end, {"exit": code, "cpu_seconds": cpu_seconds})


def harden() -> None:
    """Let no other process of the run look into this one, and no signal stop it."""
    kernel.prctl(kernel.DUMPABLE, 0)
    # A handler would let signals through; Python has set this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def die_with_the_zygote(adopted: int) -> None:
    """End when the zygote does, once the process between has left us to it."""
    if os.read(adopted, 1) != b"x":
        raise EOFError
    os.close(adopted)
    kernel.die_with_parent()


def start(end: socket.socket, said: int, settings: dict[str, Any]) -> int:
    """Fork the program and return its process id once it is shut in."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        end.close()
        os.close(reader)
        program.be_program(settings, said, writer)
    os.close(said)
    os.close(writer)
    with os.fdopen(reader) as stream:
        answer = stream.read()
    if answer != program.LOCKED:
        raise OSError(answer or "The program ended before it was shut in.")
    link.tell(end, {"locked": True})
    return child


def wait(end: socket.socket, child: int) -> tuple[int, float]:
    """Wait for the program; EOFError if the outside goes first."""
    wake, woken = os.pipe()
    for handle in (wake, woken):
        os.set_blocking(handle, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    poll = select.poll()
    for waited_for in (end.fileno(), wake):
        poll.register(waited_for, select.POLLIN)
    while (status := reap(child)) is None:
        for handle, _ in poll.poll():
            if handle == end.fileno():
                # Nothing more is ever said to us: the outside is gone.
                raise EOFError
            os.read(wake, 4096)
    times = os.times()
    return status, round(times.children_user + times.children_system, 3)


def reap(child: int) -> int | None:
    """Take in every process that has ended; return the status of ``child``."""
    found = None
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == child:
                found = ended[1]
    return found
