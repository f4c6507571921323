"""Facts about the JupyterLab that `lab start` and `lab formgrader` open."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from lab_env.errors import LabError
from lab_env.lab_server import (
    FORMGRADER,
    LabServer,
    formgrader_server,
    trainee_server,
    write_settings,
)


def settings(server: LabServer) -> dict[str, dict[str, object]]:
    """Return the settings that the server would start with."""
    write_settings(server, browser=False)
    path = server.settings_folder / "jupyter_server_config.json"
    value: dict[str, dict[str, object]] = json.loads(path.read_text())
    return value


def test_a_trainee_gets_no_grading_extension(tmp_path: Path) -> None:
    """All of nbgrader's panels are off, and the settings lie beside the work."""
    server = trainee_server(tmp_path / "work" / "toy" / "toy.ipynb", None, "zh")

    extensions = settings(server)["ServerApp"]["jpserver_extensions"]

    assert not any(dict(extensions).values())  # type: ignore[call-overload]
    assert server.settings_folder == tmp_path / "work" / ".jupyter"


def test_an_examiner_gets_formgrader_alone(tmp_path: Path) -> None:
    """Of nbgrader's extensions only formgrader is on."""
    extensions = settings(formgrader_server(tmp_path, None))["ServerApp"]
    on = dict(extensions["jpserver_extensions"])  # type: ignore[call-overload]

    assert [name for name, wanted in on.items() if wanted] == [FORMGRADER]


def test_nothing_asks_to_go_online(tmp_path: Path) -> None:
    """News and update checks are off, on the server and in the page."""
    server = trainee_server(tmp_path / "toy" / "toy.ipynb", None, "zh")

    lab = settings(server)["LabApp"]
    page = server.settings_folder / "labconfig" / "default_setting_overrides.json"

    assert lab["news_url"] is None
    assert str(lab["check_for_updates_class"]).endswith(".NeverCheckForUpdate")
    assert '"fetchNews": "false"' in page.read_text()


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    """A port that was asked for and is taken is named; without one any will do."""
    notebook = tmp_path / "toy" / "toy.ipynb"
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(LabError, match=f"Port {port} is taken"):
            trainee_server(notebook, port, "zh")

        assert trainee_server(notebook, None, "en").port != port


def answer(address: str) -> int:
    """Return the status of a page, once its server answers."""
    for _ in range(300):
        try:
            with urllib.request.urlopen(address, timeout=10) as page:
                return int(page.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(address)


def test_the_server_wants_its_token_and_ends_on_ctrl_c(tmp_path: Path) -> None:
    """The printed address opens the notebook, another one does not."""
    notebook = tmp_path / "work" / "toy" / "toy.ipynb"
    notebook.parent.mkdir(parents=True)
    cells = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    notebook.write_text(json.dumps(cells))
    program = (
        # Started in the background, a process inherits that Ctrl-C is ignored.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "import sys; from pathlib import Path; from lab_env import lab_server as s;"
        "server = s.trainee_server(Path(sys.argv[1]), None, 'zh');"
        "print(server.address, flush=True); s.run(server, browser=False)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(notebook)],
        stdout=subprocess.PIPE,
        env=dict(os.environ, HOME=str(tmp_path)),
        text=True,
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        page, _, token = address.partition("?token=")
        files = page.replace("/lab/tree/", "/api/contents/")
        try:
            assert answer(f"{files}?token={token}") == 200
            assert answer(files) == 403
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
        finally:
            process.kill()


def test_menus_speak_the_language_of_the_notebook(tmp_path: Path) -> None:
    """A Chinese release opens JupyterLab in Chinese, an English one in English."""
    for language, locale in (("zh", "zh_CN"), ("en", "en")):
        server = trainee_server(tmp_path / language / "toy.ipynb", None, language)
        write_settings(server, browser=False)
        path = server.settings_folder / "labconfig" / "default_setting_overrides.json"
        chosen = json.loads(path.read_text("utf-8"))

        key = "@jupyterlab/translation-extension:plugin"
        assert chosen[key] == {"locale": locale}
