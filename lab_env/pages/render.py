"""Pages made of a graded notebook, by our own templates."""

import json
import re
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    Template,
)

from lab_env.pages.policy import file_policy
from lab_env.pages.shown import cells_of, readable, words

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
_HANDLER = re.compile(r"\bonclick=", re.IGNORECASE)
_own = FileSystemLoader(FOLDER / "templates")


class Pages(Environment):
    """nbgrader's pages on our ground: everything escaped, no script in the page.

    Our ``base.tpl`` stands before nbgrader's; it knows the page by its name.
    """

    def __init__(self, stock: BaseLoader) -> None:
        super().__init__(loader=ChoiceLoader([_own, stock]), autoescape=True)

    def get_template(
        self,
        name: str | Template,
        parent: str | None = None,
        globals: MutableMapping[str, Any] | None = None,
    ) -> Template:
        """Return the template, which sees its own name as ``page``."""
        told = {} if parent else {"page": str(name).removesuffix(".tpl")}
        return super().get_template(name, parent, {**told, **(globals or {})})

    def preprocess(
        self, source: str, name: str | None = None, filename: str | None = None
    ) -> str:
        """Return the template without handlers in attributes; page.js adds them."""
        return _HANDLER.sub(
            "data-on_click=", super().preprocess(source, name, filename)
        )


_strict = Environment(loader=_own, autoescape=True, undefined=StrictUndefined)


class SubmissionPage:
    """Stands where formgrader has nbconvert's exporter."""

    def from_filename(
        self, filename: str, resources: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        """Return the page of one submission, and ``resources`` as they came."""
        notebook = json.loads(Path(filename).read_text("utf-8"))
        page = _page("submission.html", notebook, told=resources)
        return page, resources


def feedback_page(
    notebook: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    candidate: str,
) -> str:
    """Return the page that is given back: one file, without any script."""
    style = (STATIC / "page.css").read_text("utf-8")
    shown = [{**row, "actual": readable(row["actual"])} for row in rows]
    told = {"candidate": candidate, "rows": shown}
    policy = file_policy(style)
    return _page("feedback.html", notebook, told=told, style=style, policy=policy)


def _page(name: str, notebook: Mapping[str, Any], **more: Any) -> str:
    lab = notebook["metadata"].get("lab", {})
    language = "zh" if lab.get("language") == "zh" else "en"
    facts = {"lab": lab, "language": language, "words": words(language)}
    template = _strict.get_template(name)
    return template.render(cells=cells_of(notebook), **facts, **more)
