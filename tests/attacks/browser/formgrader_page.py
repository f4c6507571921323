"""An examiner at formgrader, and what a tab of the browser did meanwhile."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from typing import Any

from markup import MARKUP
from playwright.sync_api import Page
from published_toy import EN

from lab_env import gradebook

FORGED = "M3       4 / 4    passed"
HOSTILE_WORK = {
    "guess": (
        f'def guess(text):\n    return "net"\nprint("{FORGED}")\n'
        "from IPython.display import HTML, Markdown, SVG, Javascript\n"
        f"page = {chr(10).join(MARKUP.values())!r}\n"
        "display(HTML(page), Markdown(page), Javascript('top.pwned=1'))\n"
        "print(page)\nprint('\\x1b[31m' + page)\nraise_later = page"
    ),
    "why": "\n\n".join(MARKUP.values()),
}

# By event: a link in a picture has no click() of its own.
CLICK = """what => document.querySelectorAll(what).forEach(each =>
  each.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true })))"""


class Thief:
    """A server of the trainee's; ``asked`` lists what it was asked for."""

    def __init__(self) -> None:
        asked = self.asked = list[str]()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_response(204)
                self.end_headers()

            do_POST = do_PUT = do_HEAD = do_GET

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Thief":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Watched:
    """A tab, with all that it asked for, opened and said."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: set[str] = set()
        self.dialogs: list[str] = []
        self.popups: list[str] = []
        page.on(
            "requestfinished", lambda request: self._asked(request.method, request.url)
        )
        page.on("popup", lambda popup: self.popups.append(popup.url))
        page.on("dialog", self._dialog)

    def _asked(self, method: str, url: str) -> None:
        if not url.startswith("data:image/png;base64,"):
            self.asked.add(f"{method} {url.split('?')[0]}")

    def _dialog(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def ran_nothing(self) -> bool:
        """Say whether no script of a trainee left a mark in the tab."""
        marks = self.page.evaluate("[window.pwned, self.pwned, window.name]")
        quiet = not self.dialogs and not self.popups and marks in ([None, None, ""],)
        return quiet and len(self.page.frames) == 1


class Examiner(Watched):
    """An examiner who opens submissions."""

    def __init__(self, page: Page, base: str, course: Path, thief: Thief) -> None:
        super().__init__(page)
        self.base, self.course, self.thief = base, course, thief

    def open(self, path: str) -> None:
        """Open a page of formgrader and wait until it has come to rest."""
        self.page.goto(f"{self.base}/formgrader/{path}")
        self.page.wait_for_load_state("networkidle")

    def address_of(self, candidate: str) -> str:
        """Return the page of a candidate's submission."""
        with gradebook._gradebook(self.course) as book:
            found = book.find_submission_notebook("toy_lab", EN, candidate)
            return f"submissions/{found.id}/"

    def open_submission(self, candidate: str) -> None:
        """Open a submission and wait until its scores are shown."""
        self.page.goto(f"{self.base}/formgrader/{self.address_of(candidate)}")
        self.wait_for_scores()

    def wait_for_scores(self) -> None:
        """Wait until nbgrader's scripts have filled in the points."""
        ready = (
            "Boolean(window.formgrader && formgrader.loaded && MathJax.loaded"
            " && formgrader.grades.loaded && formgrader.comments.loaded)"
        )
        # Not wait_for_function: what it leaves in the page is against the policy.
        for _ in range(300):
            if self.page.evaluate(ready):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError("the points of the page were not filled in")

    def scores(self, candidate: str) -> dict[str, tuple[float | None, bool]]:
        """Return what the gradebook holds."""
        return gradebook.scores_of(self.course, EN)[candidate]

    def notebook(self, candidate: str) -> Path:
        """Return the notebook that the page is made of."""
        return self.course / "autograded" / candidate / EN / "toy_lab.ipynb"


def planted(notebook: dict[str, Any], *texts: str) -> dict[str, Any]:
    """Return a graded notebook with a text wherever a trainee's words may stand.

    As if nothing had been made harmless on the way here. Cells take turns when there
    are several texts.
    """
    made: dict[str, Any] = json.loads(json.dumps(notebook))
    turns = cycle(texts)
    for cell, text in zip(made["cells"], turns, strict=False):
        locked = cell["metadata"].get("nbgrader", {}).get("locked")
        if not locked:
            cell["source"] = text
        if cell["cell_type"] == "code":
            rows = [out for out in cell["outputs"] if locked and "data" in out]
            cell["outputs"] = [*rows, *printed(text)]
    for number, text in zip(range(len(texts)), turns, strict=False):
        added = {"cell_type": "markdown", "metadata": {}, "source": text}
        picture = {"a.svg": {"image/svg+xml": text}}
        made["cells"].append(added | {"id": f"a{number}", "attachments": picture})
    return made


def printed(text: str) -> list[dict[str, Any]]:
    """Return outputs of every kind that hold the text."""
    types = ("text/html", "text/markdown", "text/latex", "image/svg+xml", "text/plain")
    rich = {**dict.fromkeys(types, text), "application/javascript": text}
    bundle = {"output_type": "display_data", "metadata": {"image/png": {"width": text}}}
    return [
        {"output_type": "stream", "name": "stdout", "text": text},
        {"output_type": "stream", "name": "stderr", "text": [text]},
        {"output_type": "error", "ename": text, "evalue": text, "traceback": [text]},
        bundle | {"data": {"image/png": text}},
        bundle | {"data": rich},
    ]
