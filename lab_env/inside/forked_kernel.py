"""A kernel that is a fork of this process instead of a new interpreter.

Made before this process uses ZeroMQ or asyncio: neither survives a fork.
"""

import json
import os
import signal
import sys
from typing import Any, NoReturn

import ipykernel_launcher  # type: ignore[import-untyped]
from ipykernel.kernelapp import IPKernelApp
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from lab_env.inside import program

LAUNCHER = ipykernel_launcher.__name__


class ForkedKernel:
    """A kernel that waits for its connection file; looks like a ``Popen``."""

    stdin = stdout = stderr = None

    def __init__(self) -> None:
        self.returncode: int | None = None
        reader, self._writer = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(self._writer)
            be_kernel(reader)
        os.close(reader)

    def start(self, arguments: list[str]) -> None:
        """Let the kernel begin, with the arguments of its application."""
        os.write(self._writer, json.dumps(arguments).encode())
        os.close(self._writer)

    def provisioner(self, manager: Any) -> "ForkProvisioner":
        """Return what ``manager`` starts and stops this kernel with."""
        made = ForkProvisioner(
            parent=manager,
            kernel_id=manager.kernel_id,
            kernel_spec=manager.kernel_spec,
        )
        made.kernel = self
        return made

    def poll(self) -> int | None:
        """Return the exit code, None while the kernel runs."""
        return self._wait(os.WNOHANG)

    def wait(self) -> int | None:
        """Return the exit code once the kernel has ended."""
        return self._wait(0)

    def send_signal(self, number: int) -> None:
        """Send a signal unless the kernel has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End the kernel."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask the kernel to end."""
        self.send_signal(signal.SIGTERM)

    def _wait(self, how: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, how)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


class ForkProvisioner(LocalProvisioner):
    """Gives the kernel manager a kernel that was forked before."""

    kernel: ForkedKernel

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the waiting kernel with the arguments of ``cmd``."""
        self.kernel.start(cmd[cmd.index(LAUNCHER) + 1 :])
        self.process = self.kernel  # type: ignore[assignment]
        self.pid = self.pgid = self.kernel.pid
        return self.connection_info


def be_kernel(reader: int) -> NoReturn:
    """Wait for the arguments, then be the kernel to its end."""
    code = program.FAILED
    try:
        os.setsid()
        with os.fdopen(reader) as stream:
            arguments = stream.read()
        if arguments:
            run_kernel(json.loads(arguments))
        code = 0
    except SystemExit as ended:
        code = program.code_of(ended)
    finally:
        program.finish()
        os._exit(code)


def run_kernel(arguments: list[str]) -> None:
    """Run the stock kernel application, as a stock start would."""
    parent = os.getppid()
    os.environ |= {"JPY_PARENT_PID": str(parent), "PYDEVD_USE_FRAME_EVAL": "NO"}
    sys.path.insert(0, program.CHECKOUT)
    sys.argv = [ipykernel_launcher.__file__, *arguments]
    # The default was read from the variable when the class was made.
    IPKernelApp.launch_instance(arguments, parent_handle=parent)
