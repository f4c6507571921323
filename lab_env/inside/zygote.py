"""The warm room: imports the stack once and forks it for every run.

Runs in a jail of its own, where ``lab_env.sandbox.warm_room`` starts it::

    zygote            the libraries in memory, one thread, no file of any run
     └─ between       leaves for namespaces of its own, and ends
         └─ first     process 1 of the run: its folders, its end (``first``)
             └─ program   confines itself, then is the run (``program``)

Covered: a request is one open connection and nothing else, so the zygote reads
nothing a run brought and keeps nothing of it; a run that is not wholly set up never
starts; runs see neither one another nor the zygote; all of them end with it; with a
second thread, whose locks a fork would copy shut, it refuses and ends.
Not covered: memory is laid out alike in all runs of one zygote; faults of the
kernel; what a library did wrong at import, which all runs share.
"""

import os
import socket
import sys
import time
from contextlib import suppress
from typing import NoReturn

from lab_env.inside import first, link, own_world, stack
from lab_env.inside import kernel_calls as kernel

SET_UP_FAILED = 1


def main(control: socket.socket) -> None:
    """Import, say that we are ready, and serve until the other end is gone."""
    # Python puts it there for a module that it runs by name.
    sys.path.remove(os.getcwd())
    kernel.prctl(kernel.SUBREAPER, 1)
    begun = time.monotonic()
    stack.import_all()
    refuse_threads()
    hush()
    took = round(time.monotonic() - begun, 2)
    link.tell(control, {"ready": os.getpid(), "seconds": took})
    serve(control)


def refuse_threads() -> None:
    """Raise if a fork could copy a lock that another thread holds."""
    threads = len(os.listdir("/proc/self/task"))
    if threads != 1:
        raise RuntimeError(f"The warm room has {threads} threads, not one.")


def hush() -> None:
    """Print nothing from here on: what we print would reach no reader."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for handle in (0, 1, 2):
        os.dup2(nothing, handle)
    os.close(nothing)


def serve(control: socket.socket) -> None:
    """Fork once for every connection that is handed in."""
    while True:
        try:
            _, files = link.hear(control)
        except EOFError:
            return
        with socket.socket(fileno=files[0]) as end:
            try:
                refuse_threads()
            except RuntimeError as error:
                link.tell(end, {"failed": str(error)})
                raise
            start_run(control, end)


def start_run(control: socket.socket, end: socket.socket) -> None:
    """Fork the run; once it stands on its own, it hears that it is our child."""
    reader, writer = os.pipe()
    between = os.fork()
    if not between:
        os.close(writer)
        control.close()
        go_between(end, reader)
    os.close(reader)
    _, status = os.waitpid(between, 0)
    with suppress(BrokenPipeError):
        if status == 0:
            os.write(writer, b"x")
    os.close(writer)
    reap()


def go_between(end: socket.socket, adopted: int) -> NoReturn:
    """Enter new namespaces, and leave the first process of the run there."""
    code = SET_UP_FAILED
    try:
        own_world.enter()
        if not os.fork():
            first.be_first(end, adopted)
        code = 0
    except OSError as error:
        link.tell(end, {"failed": str(error)})
    finally:
        os._exit(code)


def reap() -> None:
    """Forget runs that have ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
