"""Stay above a run that has no pid namespace, and end with nothing of it alive.

Covered: daemons of every kind (double fork, own session, signals ignored), which come
back to this process when their parents die; the death of the grading process.
Not covered: a run with this process's own uid on Linux before 6.12, where nothing
keeps the code from ending this process.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress

from lab_env.inside.confine import NotConfined, drop_bounding, prctl

PARENT_DEATH, SUBREAPER = 1, 36
AWAITED = {signal.SIGCHLD, signal.SIGTERM}
BY_SIGNAL = 128


def supervise(uid: int | None, folder: str) -> None:
    """Return in a child with this ``uid``; stay here until all of it is dead.

    ``folder`` is the run's own; it is removed here if nobody else is left to do it.
    """
    above = os.getppid()
    prctl(PARENT_DEATH, signal.SIGTERM)
    prctl(SUBREAPER, 1)
    signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED)
    first = os.fork()
    if first == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, AWAITED)
        leave(uid)
        return
    # Else the outside could not see that the child has closed them.
    nothing = os.open(os.devnull, os.O_RDWR)
    for handle in (0, 1):
        os.dup2(nothing, handle)
    code = exit_code_of(first)
    end_all()
    if os.getppid() != above:
        os.execv("/bin/rm", ["rm", "-rf", "--", folder])
    os._exit(code)


def leave(uid: int | None) -> None:
    """Take an own session, another uid if there is one, and die with the parent."""
    os.setsid()
    if uid is not None:
        drop_bounding()
        become(uid)
    # A change of uid clears it, so it comes last.
    prctl(PARENT_DEATH, signal.SIGKILL)


def become(uid: int) -> None:
    """Be another user from here on; raise if there is none."""
    try:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    except OSError as error:
        raise NotConfined(
            f"Not confined: the user id {uid} cannot be taken ({error.strerror}). "
            "Start the grader as an ordinary user."
        ) from None


def exit_code_of(first: int) -> int:
    """Return how the first child ended; SIGTERM to this process ends it."""
    while signal.sigwait(AWAITED) == signal.SIGCHLD:
        while found := reaped():
            pid, status = found
            if pid == first:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else BY_SIGNAL - code
    return BY_SIGNAL + signal.SIGKILL


def reaped() -> tuple[int, int] | None:
    """Return one child that has ended, None if there is none now."""
    with suppress(ChildProcessError):
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid:
            return pid, status
    return None


def end_all() -> None:
    """Kill everything below this process, however fast it multiplies."""
    while has_children():
        # All are stopped before one is killed: a stopped process forks no more, and
        # still counts against the limit on processes.
        stopped: set[int] = set()
        while new := set(below(os.getpid())) - stopped:
            send(new, signal.SIGSTOP)
            stopped |= new
        send(stopped, signal.SIGKILL)
        time.sleep(0.005)
        while reaped():
            continue


def has_children() -> bool:
    """Tell whether anything is left: orphans are children of this process too."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def send(pids: set[int], number: signal.Signals) -> None:
    """Send a signal to each."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def below(root: int) -> Iterator[int]:
    """Yield every process below ``root`` that can be seen now."""
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        with suppress(OSError):
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/children", "rb") as stream:
                    children = [int(child) for child in stream.read().split()]
                waiting += children
                yield from children
