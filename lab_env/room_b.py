"""The room B server: has imported what grading needs, and forks for every job.

Covered: a job runs in a process of its own, forked from one that never read a
submission; it dies with the client that asked for it, and with this server, and its
run in room A with it; this server dies with the program that started it. Who may ask
is decided by the folder of the socket, which is its owner's alone.
Not covered: more than one thread; a job that forks is on its own.
"""

import json
import os
import select
import signal
import socket
import sys
import traceback
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import NoReturn

from lab_env import grade
from lab_env.inside import kernel_calls as kernel
from lab_env.sandbox import Isolation, SandboxError, warm_room
from lab_env.sandbox.warm_room import WarmRoom
from lab_env.sandbox.warm_rooms import WarmRooms

# What graders and readers import beside lab_env itself.
PRELOADED = ("email.parser", "encodings.utf_8_sig", "numpy", "tokenizers")
LIFELINE = 0
CLIENT_SECONDS = 10
READY = "ready"


@dataclass
class Job:
    """One job: its process, who asked for it, and the room it uses."""

    pid: int
    alive: int
    client: socket.socket
    room: WarmRoom | None

    def kill(self) -> None:
        """End the job; its run in room A ends with it."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.alive, signal.SIGKILL)

    def close(self) -> None:
        """Tell the client how the job ended."""
        _, status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        with suppress(OSError):
            self.client.send(str(code).encode())
        self.client.close()
        os.close(self.alive)


@dataclass(frozen=True)
class Asked:
    """A job that was asked for, and where what it prints goes."""

    client: socket.socket
    job_file: str
    outputs: list[int]


@dataclass
class Server:
    """Serves until the program that started it is gone."""

    listener: socket.socket
    rooms: WarmRooms
    jobs: list[Job] = field(default_factory=list)

    def serve(self) -> None:
        """Start jobs as they are asked for, and end what has ended."""
        while True:
            ready = self._wait()
            if LIFELINE in ready:
                return
            for job in [each for each in self.jobs if each.alive in ready]:
                self.jobs.remove(job)
                job.close()
                self.rooms.give_back(job.room)
            for job in self.jobs:
                # It said all it had to say when it asked: now it is gone.
                if job.client.fileno() in ready:
                    job.kill()
            if self.listener.fileno() in ready:
                self._accept()

    def end(self) -> None:
        """End every job; its client hears that we are gone, not how it ended."""
        for job in self.jobs:
            job.client.close()
            job.kill()
            job.close()

    def _wait(self) -> set[int]:
        poll = select.poll()
        for handle in (LIFELINE, self.listener.fileno()):
            poll.register(handle, select.POLLIN)
        for job in self.jobs:
            poll.register(job.alive, select.POLLIN)
            poll.register(job.client, select.POLLIN)
        return {handle for handle, _ in poll.poll()}

    def _accept(self) -> None:
        client, _ = self.listener.accept()
        client.settimeout(CLIENT_SECONDS)
        outputs: list[int] = []
        try:
            asked, outputs, _, _ = socket.recv_fds(client, 4096, 2)
            if len(outputs) == 2:
                self._start(Asked(client, asked.decode(), outputs))
                return
        except OSError:
            # The client reads from this that nobody does its job.
            pass
        finally:
            for handle in outputs:
                os.close(handle)
        client.close()

    def _start(self, asked: Asked) -> None:
        room, server = self.rooms.take(), os.getpid()
        try:
            pid = os.fork()
        except OSError:
            self.rooms.give_back(room)
            raise
        if not pid:
            self._be_job(asked, room, server)
        self.jobs.append(Job(pid, os.pidfd_open(pid), asked.client, room))

    def _be_job(self, asked: Asked, room: WarmRoom | None, server: int) -> NoReturn:
        code = 1
        try:
            kernel.die_with_parent()
            if os.getppid() == server:
                os.setsid()
                self._let_go(asked)
                warm_room.use(room)
                code = grade.main(asked.job_file)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _let_go(self, asked: Asked) -> None:
        """Keep nothing of other jobs, and print where the client prints."""
        for end in (self.listener, asked.client, *(job.client for job in self.jobs)):
            end.close()
        for source, target in zip(asked.outputs, (1, 2), strict=True):
            os.dup2(source, target)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, LIFELINE)
        os.close(nothing)


def main(address: str, isolation: str) -> None:
    """Import, open the first warm room, say so, and serve."""
    kernel.die_with_parent()
    for name in PRELOADED:
        import_module(name)
    with ExitStack() as stack:
        listener = stack.enter_context(
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        )
        listener.bind(address)
        listener.listen(128)
        rooms = WarmRooms(Isolation(**json.loads(isolation)))
        stack.callback(rooms.close)
        said = start(rooms)
        os.write(1, said.encode())
        os.dup2(2, 1)
        if said == READY:
            server = Server(listener, rooms)
            stack.callback(server.end)
            server.serve()


def start(rooms: WarmRooms) -> str:
    """Return "ready", or why there is no warm start."""
    threads = len(os.listdir("/proc/self/task"))
    if threads != 1:
        return f"The grading server has {threads} threads and could not fork."
    try:
        rooms.open()
    except SandboxError as error:
        return str(error)
    return READY


if __name__ == "__main__":
    main(*sys.argv[1:])
