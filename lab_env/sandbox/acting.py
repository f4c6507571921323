"""Make files as another user, from a process that is root.

The folders of a warm run belong to a user namespace that knows one user. A file of
any other cannot exist in it, not even for a moment.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from lab_env.inside import kernel_calls as kernel


@contextmanager
def acting_as(uid: int | None) -> Iterator[None]:
    """Let files made here belong to ``uid``; None: they belong to us as ever."""
    if uid is None:
        yield
        return
    parent, death = os.getppid(), kernel.parent_death_signal()
    capabilities = kernel.permitted_capabilities()
    set_file_owner(uid)
    try:
        # Leaving root takes from us what reads files that are not ours.
        kernel.set_capabilities(capabilities, capabilities)
        yield
    finally:
        set_file_owner(0)
        kernel.set_capabilities(capabilities, capabilities)
        # Each change took back our wish to end with the process that started us.
        kernel.prctl(kernel.PARENT_DEATH, death)
        if death and os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)


def set_file_owner(uid: int) -> None:
    """Set the user and the group that files made from here on have."""
    kernel.LIBC.setfsgid(uid)
    kernel.LIBC.setfsuid(uid)
