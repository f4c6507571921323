"""JupyterLab for one folder: on this machine only, with a token, and offline.

An examiner gets formgrader alone, without JupyterLab: a page that shows the work of
trainees stands on no server that can run programs.

Covered: other machines (127.0.0.1), other users of this machine (a token that is in
no command line), the news and update popups that would go online, nbgrader's panels
that the person at hand has no use for.
Not covered: what the notebook does. A trainee works as the user who started it; only
grading runs notebooks in the sandbox.
"""

import os
import secrets
import shutil
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from lab_env.errors import LabError
from lab_env.files import write_json, write_whole

HOST = "127.0.0.1"
DEFAULT_PORT = 8888
STARTUP = "startup.py"
_PROGRAMS = str(Path(sys.executable).parent)
_SHELL = shutil.which("bash") or "/bin/sh"
# Loads nbgrader's own, with our pages in the place of its pages.
FORMGRADER = "lab_env.pages.formgrader"
_EXTENSIONS = (
    FORMGRADER,
    "nbgrader.server_extensions.formgrader",
    "nbgrader.server_extensions.validate_assignment",
    "nbgrader.server_extensions.assignment_list",
    "nbgrader.server_extensions.course_list",
    "jupyterlab_jupytext",
)
# With these a page could start programs; an examiner has no need of them.
_LAB = (
    "jupyterlab",
    "jupyter_lsp",
    "jupyter_server_terminals",
    "notebook",
    "notebook_shim",
)
_SETTINGS = {
    # The popup would ask to go online, and cover the cell that is being worked on.
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
    # A guideline is read, with its tables, and not edited.
    "@jupyterlab/docmanager-extension:plugin": {
        "defaultViewers": {"markdown": "Markdown Preview"}
    },
    # `lab submit` reads when each cell ran: counts start again with every kernel.
    "@jupyterlab/notebook-extension:tracker": {"recordTiming": True},
}


@dataclass(frozen=True)
class LabServer:
    """A JupyterLab about to start: its folder, its first page, its address."""

    root: Path
    page: str
    port: int
    token: str
    language: str = "en"
    examiner: bool = False

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://{HOST}:{self.port}/{self.page}?token={self.token}"

    @property
    def settings_folder(self) -> Path:
        """Where the server's settings lie, out of the trainee's way."""
        folder = self.root if self.examiner else self.root.parent
        return folder.resolve() / ".jupyter"


def trainee_server(notebook: Path, port: int | None, language: str) -> LabServer:
    """Return a server that opens one notebook, its menus in the notebook's language."""
    page = f"lab/tree/{notebook.name}"
    token = secrets.token_hex(16)
    return LabServer(notebook.parent, page, _free(port), token, language)


def formgrader_server(course: Path, port: int | None) -> LabServer:
    """Return a server that opens nbgrader's page for marking by hand."""
    token = secrets.token_hex(16)
    # Its first page is about releases; marking by hand starts on this one.
    page = "formgrader/gradebook"
    return LabServer(course, page, _free(port), token, examiner=True)


def run(server: LabServer, *, browser: bool) -> NoReturn:
    """Become the server: this process ends when the server does."""
    write_settings(server, browser=browser)
    environment = dict(os.environ) | {
        "JUPYTER_CONFIG_DIR": str(server.settings_folder),
        "JUPYTER_TOKEN": server.token,
        # `lab submit` is typed in a terminal of this page.
        "PATH": os.pathsep.join([_PROGRAMS, os.environ.get("PATH", os.defpath)]),
    }
    if not server.examiner:
        # So that the first error of a fresh kernel is explained, too.
        environment["PYTHONSTARTUP"] = str(server.settings_folder / STARTUP)
    environment.setdefault("HF_HUB_OFFLINE", "1")
    environment.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.chdir(server.root)
    sys.stdout.flush()
    program = "jupyter_server" if server.examiner else "jupyterlab"
    command = [sys.executable, "-m", program]
    os.execve(sys.executable, command, environment)


def write_settings(server: LabServer, *, browser: bool) -> None:
    """Write the settings that make the promises at the top of this module."""
    folder = server.settings_folder
    write_json(folder / "jupyter_server_config.json", _config(server, browser))
    write_whole(folder / STARTUP, "import lab_env.notebook as _door\ndel _door\n")
    locale = {"locale": "zh_CN" if server.language == "zh" else "en"}
    settings = _SETTINGS | {"@jupyterlab/translation-extension:plugin": locale}
    write_json(folder / "labconfig" / "default_setting_overrides.json", settings)
    # The server half is off as well, so its menu would only lead to errors.
    hidden = {"@jupyter/nbgrader": not server.examiner, "jupyterlab-jupytext": True}
    page = {"disabledExtensions": hidden}
    write_json(folder / "labconfig" / "page_config.json", page)


def _config(server: LabServer, browser: bool) -> dict[str, Any]:
    wanted = dict.fromkeys(_EXTENSIONS, False)
    if server.examiner:
        wanted |= dict.fromkeys(_LAB, False) | {FORMGRADER: True}
    never = "jupyterlab.handlers.announcements.NeverCheckForUpdate"
    return {
        "ServerApp": {
            "ip": HOST,
            "port": server.port,
            "port_retries": 0,
            "root_dir": str(server.root.resolve()),
            "open_browser": browser,
            "answer_yes": True,
            "log_level": "ERROR",
            # Root is common in containers; the address is this machine's own.
            "allow_root": os.geteuid() == 0,
            "default_url": f"/{server.page}",
            "jpserver_extensions": wanted,
            # A login shell would set its own PATH, and `lab` would not be found.
            "terminado_settings": {"shell_command": [_SHELL]},
        },
        "LabApp": {
            "default_url": f"/{server.page}",
            "news_url": None,
            "check_for_updates_class": never,
            "log_level": "ERROR",
        },
        # The page would print the configuration of the server.
        "FormgradeExtension": {"debug": False},
    }


def _free(port: int | None) -> int:
    """Return the port asked for, or the usual one, or else any free one."""
    for wanted in (port,) if port else (DEFAULT_PORT, 0):
        try:
            with socket.create_server((HOST, wanted or 0)) as probe:
                found: int = probe.getsockname()[1]
                return found
        except OSError:
            continue
    raise LabError(
        f"Port {port} is taken or not allowed; leave --port out for a free one."
    )
