"""The examiner's server: formgrader with our pages, and nothing besides.

A Jupyter extension that loads nbgrader's and then takes its pages over. Whoever got
a script to run in a page all the same would find no kernel, no terminal and no file
on this server: only the routes below answer.
"""

import re
from importlib import import_module
from typing import Any
from urllib.parse import unquote

from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Rule
from tornado.web import ErrorHandler, RedirectHandler, StaticFileHandler

from lab_env.pages.policy import Policy
from lab_env.pages.render import STATIC, Pages, SubmissionPage

STOCK = "nbgrader.server_extensions.formgrader"
FIRST_PAGE = "/formgrader/gradebook"
# What nbgrader writes into its pages comes from here too: no quotes, no markup.
_NAME = r"[^\x00-\x20\x7f\"'<>&`\\;/%]+"
_OPEN = re.compile(
    rf"/formgrader/(?:static|pages|api|gradebook|manage_\w+)(?:/{_NAME})*/?"
    r"|/formgrader/submissions/\w+(?:/(?:next|prev)(?:_incorrect)?)?/?"
    rf"|/static(?:/{_NAME})+|/log(?:in|out)"
)
_START = re.compile(r"/|/formgrader/?")


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    app = server.web_app
    app.add_transform(Policy)
    start = {"url": FIRST_PAGE, "permanent": False}
    app.default_router.rules[:0] = [
        Rule(_Start(), RedirectHandler, start),
        Rule(_Elsewhere(), ErrorHandler, {"status_code": 404}),
        Rule(_Fresh(app.settings), ErrorHandler, {"status_code": 500}),
    ]
    # Before nbgrader's own, which answers 404 to the rest of /formgrader/.
    pages = (r"/formgrader/pages/(.*)", StaticFileHandler, {"path": str(STATIC)})
    app.add_handlers(".*$", [pages])
    import_module(STOCK).load_jupyter_server_extension(server)
    stock = app.settings["nbgrader_jinja2_env"]
    app.settings["nbgrader_jinja2_env"] = Pages(stock.loader)
    app.settings["nbgrader_exporter"] = SubmissionPage()


class _Start(Matcher):
    """The bare address."""

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Match it without "path=", with which nbgrader runs any folder's config."""
        return {} if _START.fullmatch(request.path) and not request.query else None


class _Elsewhere(Matcher):
    """Whatever is not formgrader."""

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Match what no rule above lists."""
        return None if _OPEN.fullmatch(unquote(request.path)) else {}


class _Fresh(Matcher):
    """Makes nbgrader read its gradebook again; never matches.

    It keeps one session for the server's life, and would show points from before
    `lab mark` or `lab grade` wrote new ones.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """End the session's transaction."""
        book = self.settings.get("nbgrader_gradebook")
        if book is not None:
            book.db.rollback()
        return None
