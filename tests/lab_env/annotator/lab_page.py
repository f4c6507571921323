"""A real JupyterLab with a real kernel in a real Chromium, for the annotation page.

Cells are set and run by Lab's own commands; everything inside the widget is done with
the mouse and the keyboard.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from playwright.sync_api import Locator, Page

from lab_env.lab_server import LabServer, trainee_server, write_settings

MINUTE = 60_000
LOCAL = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")
EMPTY = {
    "cells": [],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}
SET_AND_RUN = """async (source) => {
  const { shell, commands } = window.jupyterapp;
  const notebook = shell.currentWidget.content;
  notebook.activeCell.model.sharedModel.setSource(source);
  await commands.execute("notebook:run-cell");
}"""

# Where words stand in the text to mark; they lie in one piece of it.
WHERE = """(words) => {
  const texts = document.createTreeWalker(
    document.querySelector(".an-text"), NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const at = node.data.indexOf(words);
    if (at < 0) continue;
    const range = document.createRange();
    range.setStart(node, at);
    range.setEnd(node, at + words.length);
    const { left, right, top, height } = range.getBoundingClientRect();
    return { left, right, middle: top + height / 2 };
  }
}"""
KERNEL = "const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session; "
ONLY_CELL = """() => {
  const { content } = window.jupyterapp.shell.currentWidget;
  content.activeCellIndex = 0;
  const model = content.model.sharedModel;
  model.deleteCellRange(1, model.cells.length);
}"""
Point = tuple[float, float]


class LabPage:
    """One notebook with one cell in JupyterLab, and the widget under it."""

    def __init__(self, page: Page, folder: Path, address: str) -> None:
        self.page, self.folder, self.address = page, folder, address
        self.asked: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))

    @property
    def notebook(self) -> Path:
        """The notebook's file."""
        return self.folder / "work.ipynb"

    @property
    def widget(self) -> Locator:
        """The annotation page."""
        return self.page.locator(".annotator").first

    def open(self) -> None:
        """Load the notebook and wait for its kernel."""
        self.page.goto(self.address, timeout=MINUTE)
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=MINUTE)
        self.page.wait_for_function(
            "window.jupyterapp?.shell.currentWidget?.sessionContext?.session"
            "?.kernel?.status === 'idle'",
            timeout=MINUTE,
        )

    def another(self) -> "LabPage":
        """Open the same notebook, and its kernel, in another tab of the browser."""
        page = self.page.context.new_page()
        place = self.address.replace("/lab/", "/lab/workspaces/other/", 1)
        found = LabPage(page, self.folder, place)
        found.open()
        return found

    def import_it(self) -> None:
        """Import ``annotate`` in the kernel."""
        self.run(
            "import os, lab_env.notebook\n"
            "from lab_env.widgets.annotator import annotate\n"
            "print(os.getpid(), file=open('kernel.pid', 'w'))"
        )

    def run(self, source: str) -> None:
        """Set the cell and run it to its end."""
        self.page.evaluate(SET_AND_RUN, source)

    def annotate(self, source: str) -> Locator:
        """Run a cell that shows the widget, and wait until it may be worked with."""
        self.page.evaluate("document.querySelector('.annotator')?.remove()")
        self.run(source)
        self.widget.locator(".an-body").wait_for()
        return self.widget

    @contextmanager
    def silent_kernel(self) -> Iterator[None]:
        """Stop the kernel's process; a busy one still hears the page, in a thread."""
        number = int((self.folder / "kernel.pid").read_text())
        os.kill(number, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(number, signal.SIGCONT)

    def restart(self) -> None:
        """Restart the kernel and wait for it."""
        self.page.evaluate(f"async () => {{ {KERNEL} await kernel.restart(); }}")

    def only_cell(self) -> None:
        """Delete every cell but the first, and choose that."""
        self.page.evaluate(ONLY_CELL)

    def theme(self, name: str) -> None:
        """Put on one of Lab's themes and wait for its colours."""
        self.command("apputils:change-theme", theme=name)
        self.page.wait_for_selector(
            f"body[data-jp-theme-name='{name}']", state="attached"
        )
        self.page.wait_for_timeout(300)

    def command(self, name: str, **options: Any) -> None:
        """Run one of Lab's commands."""
        script = (
            "([name, options]) => window.jupyterapp.commands.execute(name, options)"
        )
        self.page.evaluate(script, [name, options])

    def focused(self) -> str:
        """Return the classes of the element that has the focus."""
        return str(self.page.evaluate("document.activeElement.className"))

    def status(self) -> str:
        """Return what the page says about saving."""
        return self.widget.locator(".an-status").inner_text()

    def lines(self, out: str) -> list[dict[str, Any]]:
        """Return the annotated tasks in a file; none when it is not there."""
        path = self.folder / out
        text = path.read_text("utf-8") if path.is_file() else ""
        return [json.loads(line) for line in text.splitlines()]

    def results(self, out: str) -> list[list[dict[str, Any]]]:
        """Return the regions of each annotated task in a file."""
        return [line["annotations"][0]["result"] for line in self.lines(out)]

    def drag(self, inside: Locator, begin: Point, end: Point) -> None:
        """Drag with the mouse between two points of an element."""
        box = inside.bounding_box()
        assert box is not None
        left, top = box["x"], box["y"]
        self.page.mouse.move(left + begin[0], top + begin[1])
        self.page.mouse.down()
        self.page.mouse.move(left + end[0], top + end[1], steps=6)
        self.page.mouse.up()

    def select_text(self, words: str) -> None:
        """Drag over words in the text to mark."""
        at = self.page.evaluate(WHERE, words)
        self.page.mouse.move(at["left"] + 1, at["middle"])
        self.page.mouse.down()
        self.page.mouse.move(at["right"] - 1, at["middle"], steps=6)
        self.page.mouse.up()

    def state(self, kind: str) -> None:
        """Wait until the status says this."""
        self.page.locator(f".annotator[data-state={kind}]").first.wait_for()

    def press(self, *keys: str) -> None:
        """Press keys, one after another, where the focus is."""
        for key in keys:
            self.page.keyboard.press(key)

    def saved(self) -> dict[str, Any]:
        """Save the notebook and return it."""
        self.command("docmanager:save")
        found: dict[str, Any] = json.loads(self.notebook.read_text("utf-8"))
        return found


@contextmanager
def lab(folder: Path) -> Iterator[str]:
    """Yield the address of a JupyterLab on ``folder``, as a trainee's is started."""
    notebook = folder / "work.ipynb"
    notebook.write_text(json.dumps(EMPTY), "utf-8")
    server = trainee_server(notebook, _free_port(), "zh")
    write_settings(server, browser=False)
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--LabApp.expose_app_in_browser=True"],
        cwd=folder,
        env=_environment(server),
        start_new_session=True,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait(server)
        yield server.address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _free_port() -> int:
    # Not the usual one: another test may ask for it in the same moment.
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _environment(server: LabServer) -> dict[str, str]:
    root = str(Path(__file__).parents[3])
    return dict(os.environ) | {
        "JUPYTER_CONFIG_DIR": str(server.settings_folder),
        "JUPYTER_TOKEN": server.token,
        "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]),
    }


def _wait(server: LabServer, seconds: float = 90) -> None:
    address = f"http://127.0.0.1:{server.port}/api/status?token={server.token}"
    end = monotonic() + seconds
    while monotonic() < end:
        with suppress(OSError), urllib.request.urlopen(address, timeout=5):
            return
        sleep(0.2)
    raise AssertionError("the server did not answer")
