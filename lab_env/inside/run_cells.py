"""Execute a notebook, in the jail: the only module here that knows Jupyter.

Run by path with ``-I``, or in a fork of the zygote: then the kernel is a fork too.
What it writes may have been changed by the trainee's code, which has the same rights;
so nothing it writes is believed outside.
"""
# ruff: noqa: E402  (one module must be hidden before nbformat is imported)

import asyncio
import json
import os
import secrets
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

# It builds a grammar for 2 CPU seconds at import, for a format no notebook uses.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

EXECUTED = "executed.ipynb"
TIMED_OUT = "timed_out"
ALL_RAN, KERNEL_DIED, KERNEL_STUCK = 0, 4, 5
INTERRUPTS = 3
INTERRUPT_SECONDS = 3
START_SECONDS = 60
# What a message costs beside its text, so that many tiny ones are counted too.
MESSAGE_BYTES = 256


class CappedClient(NotebookClient):
    """A client that keeps outputs up to a total and drops the rest."""

    output_left = 0

    async def async_start_new_kernel_client(self) -> Any:
        """Connect, and return once the kernel answers and its outputs arrive."""
        manager = manager_of(self)
        self.kc = manager.client()
        self.kc.start_channels()
        self.kc.allow_stdin = False
        until = time.monotonic() + START_SECONDS
        while not await answers(self.kc):
            if time.monotonic() > until or not await manager.is_alive():
                raise RuntimeError("The kernel ended, or did not answer.")
        return self.kc

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Keep the message, or put one note in the cell from which they are cut."""
        if msg["msg_type"] in {"status", "execute_input"}:
            return super().process_message(msg, cell, cell_index)
        self.output_left -= MESSAGE_BYTES + len(json.dumps(msg["content"], default=str))
        if msg["msg_type"].startswith("comm_"):
            # Widgets are seen in a browser; nbclient's stand-ins for them can fail.
            return None
        if self.output_left > 0:
            return super().process_message(msg, cell, cell_index)
        if not cell.outputs or cell.outputs[-1] != CUT:
            cell.outputs.append(CUT)
        return None


async def answers(kernel: Any) -> bool:
    """Ask the kernel who it is; tell whether it answers on both ways soon."""
    asked = kernel.kernel_info()
    try:
        while (await kernel.get_shell_msg(1))["parent_header"].get("msg_id") != asked:
            continue
        # Outputs are lost until the kernel knows that we listen. The stock client
        # then waits until none come for 0.2 s; ours knows its own by their id.
        await kernel.get_iopub_msg(0.2)
    except Empty:
        return False
    return True


class PromptManager(AsyncKernelManager):
    """Sees within a hundredth of a second that the kernel has ended."""

    async def _async_wait(self, pollinterval: float = 0.1) -> None:
        await super()._async_wait(pollinterval / 10)


CUT = nbformat.from_dict(  # type: ignore[no-untyped-call]
    {
        "output_type": "stream",
        "name": "stderr",
        "text": "[输出超出上限，其余未保留 / output over the limit, rest not kept]\n",
    }
)


class Saver:
    """Writes the notebook whole, and seldom enough to cost little."""

    def __init__(self, notebook: Any, path: Path) -> None:
        self.notebook, self.path = notebook, path
        self.saved = self.cost = 0.0

    def now_and_then(self) -> None:
        """Write unless the time since the last write is short for its cost."""
        if time.monotonic() - self.saved > 20 * self.cost:
            self.now()

    def now(self) -> None:
        """Write beside, then rename: a killed run leaves the last whole state."""
        begun = time.monotonic()
        fresh = self.path.with_suffix(".part")
        fresh.write_text(json.dumps(self.notebook), encoding="ascii")
        os.replace(fresh, self.path)
        self.saved = time.monotonic()
        self.cost = self.saved - begun


def read_notebook(path: Path) -> Any:
    """Return the notebook without outputs, whatever its metadata asks for."""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    return notebook


def code_cells(notebook: Any) -> Iterator[Any]:
    """Yield the code cells."""
    return (cell for cell in notebook.cells if cell.cell_type == "code")


def new_client(
    notebook: Any, output_bytes: int, manager: AsyncKernelManager
) -> CappedClient:
    """Return a client for the kernel of ``manager``."""
    client = CappedClient(
        notebook,
        km=manager,
        # Named here, else the notebook's metadata names it.
        kernel_name="python3",
        allow_errors=True,
        timeout=None,
        record_timing=False,
        store_widget_state=False,
        # A tag that nobody can have guessed: no cell is skipped.
        skip_cells_with_tag=secrets.token_hex(),
    )
    client.output_left = output_bytes
    return client


def new_manager(sockets: Path, kernel: Any) -> AsyncKernelManager:
    """Return a manager of this interpreter's own kernel, which listens at a path."""
    manager = PromptManager(
        kernel_name="python3",
        transport="ipc",
        ip=str(sockets),
        kernel_id=str(uuid.uuid4()),
    )
    if kernel is not None:
        manager.provisioner = kernel.provisioner(manager)
    return manager


def forked_kernel() -> Any:
    """Return a kernel forked off here and now; None after a cold start."""
    if "ipykernel.kernelapp" not in sys.modules:
        return None
    from lab_env.inside.forked_kernel import ForkedKernel

    return ForkedKernel()


async def run_cell(client: CappedClient, index: int, seconds: float) -> str:
    """Run one cell; return "ran", "timed out" (interrupted) or "stuck"."""
    cell = client.nb.cells[index]
    task = asyncio.ensure_future(client.async_execute_cell(cell, index))
    done, _ = await asyncio.wait({task}, timeout=seconds)
    attempts = 0
    while not done and attempts < INTERRUPTS:
        attempts += 1
        await manager_of(client).interrupt_kernel()
        done, _ = await asyncio.wait({task}, timeout=INTERRUPT_SECONDS)
    if not done:
        return "stuck"
    await task
    return "timed out" if attempts else "ran"


def manager_of(client: CappedClient) -> AsyncKernelManager:
    """Return the manager that ``new_client`` gave the client."""
    assert isinstance(client.km, AsyncKernelManager)
    return client.km


async def run_cells(client: CappedClient, saver: Saver, seconds: float) -> int:
    """Run all cells in order; stop only when the kernel is dead or stuck."""
    for index, cell in enumerate(client.nb.cells):
        try:
            ended = await run_cell(client, index, seconds)
        except DeadKernelError:
            return KERNEL_DIED
        finally:
            saver.now_and_then()
        if ended != "ran":
            note_timed_out(saver.path.parent, str(cell.get("id", index)))
        if ended == "stuck":
            return KERNEL_STUCK
    return ALL_RAN


def note_timed_out(folder: Path, cell: str) -> None:
    """Write the id of the first cell that hit its limit."""
    path = folder / TIMED_OUT
    if not path.exists():
        path.write_text(cell, encoding="utf-8")


async def execute(kernel: Any, notebook: str, cell_seconds: str, output_mb: str) -> int:
    """Execute ``notebook`` and leave the executed one beside it."""
    source = Path(notebook)
    content = read_notebook(source)
    saver = Saver(content, source.with_name(EXECUTED))
    manager = new_manager(source.with_name("kernel"), kernel)
    client = new_client(content, int(output_mb) * 1024 * 1024, manager)
    async with client.async_setup_kernel():
        code = await run_cells(client, saver, float(cell_seconds))
        saver.now()
        if code == ALL_RAN:
            # Politely: files that a cell left open are written to their end.
            await manager.shutdown_kernel()
        # The end of this program ends the jail; a stuck kernel is not asked.
        os._exit(code)


if __name__ == "__main__":
    # First of all: neither asyncio nor ZeroMQ survives a fork.
    forked = forked_kernel()
    sys.exit(asyncio.run(execute(forked, *sys.argv[1:])))
