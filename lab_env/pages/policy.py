"""What a browser may do on a page that shows a trainee's work: next to nothing."""

import base64
import hashlib
import re

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform

# The folders of scripts and styles: nbgrader's own, and ours.
FOLDERS = ("/formgrader/static/", "/formgrader/pages/")
_HOST = re.compile(r"[\w.:\[\]-]+", re.ASCII)
_NEVER = (
    "default-src 'none'",
    "base-uri 'none'",
    "object-src 'none'",
    "frame-src 'none'",
    "img-src data:",
)


def page_policy(origin: str) -> str:
    """Return the policy of formgrader's pages, served from ``origin``.

    Folders, not 'self': a file of a trainee is never a script, wherever it is served.
    """
    ours = " ".join(f"{origin}{folder}" for folder in FOLDERS)
    parts = (
        *_NEVER,
        f"script-src {ours}",
        f"style-src {ours}",
        f"font-src {ours}",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
    return "; ".join(parts)


def file_policy(style: str) -> str:
    """Return the policy of a page in a file, whose one style sheet is ``style``."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    parts = (*_NEVER, f"style-src 'sha256-{digest}'", "form-action 'none'")
    return "; ".join(parts)


class Policy(OutputTransform):
    """Puts the policy on every answer of the server: pages, files, and errors."""

    def __init__(self, request: HTTPServerRequest) -> None:
        host = request.host if _HOST.fullmatch(request.host) else "127.0.0.1"
        self.origin = f"{request.protocol}://{host}"
        self.is_data = request.path.startswith("/formgrader/api/")

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Return the answer with our headers."""
        headers["Content-Security-Policy"] = page_policy(self.origin)
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if self.is_data:
            # nbgrader says text/html; as JSON, its scripts would parse it twice.
            headers["Content-Type"] = "text/plain; charset=UTF-8"
        return status_code, headers, chunk
