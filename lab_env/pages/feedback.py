"""nbgrader's feedback, made of our page; the trainee's mark sheet stays beside it."""

import json
from pathlib import Path
from typing import Any

from nbconvert.exporters.exporter import Exporter
from nbformat import NotebookNode

from lab_env.desk import sheets
from lab_env.errors import LabError
from lab_env.graded_notebook import row_shown
from lab_env.marksheet import MarkSheet
from lab_env.pages.render import feedback_page
from lab_env.record import Record


class FeedbackPage(Exporter):
    """Writes ``feedback/<candidate>/<release>/<lab>.html``, and ``sheet.json`` again.

    nbgrader empties that folder first, and `lab result` reads the sheet there.
    """

    file_extension = ".html"
    output_mimetype = "text/html"

    def from_notebook_node(  # type: ignore[override]
        self, nb: NotebookNode, resources: Any = None, **kw: Any
    ) -> tuple[str, Any]:
        """Return the page; nbgrader has put comments into the notebook before."""
        made, told = super().from_notebook_node(nb, resources, **kw)
        about = told["nbgrader"]
        sheet = _sheet(Path.cwd(), about["student"], about["assignment"])
        rows = []
        if sheet is not None:
            text = json.dumps(sheet.as_json(), ensure_ascii=False, indent=1)
            told["outputs"] = {"sheet.json": f"{text}\n".encode()}
            rows = [row_shown(row, sheet.language) for row in sheet.rows]
        return feedback_page(made, rows, about["student"]), told


def _sheet(course: Path, candidate: str, release: str) -> MarkSheet | None:
    """Return the newest sheet of the record as the trainee may see it."""
    try:
        found = sheets(Record.open(course, create=False), candidate, release)
    except LabError:
        return None
    if not found:
        return None
    return MarkSheet.from_json(found[-1].body["sheet"]).for_trainee()
