"""The annotation page in a notebook: ``annotate(...)`` shows it under the cell.

Covered: the model that Jupyter may store in the notebook holds a loader of two
kilobytes and the draft of one item; the page's code and the bytes of pictures come as
binary buffers, which nothing stores. A cell that is run again, or a second cell for the
same file, goes on where the first was; the first can only be looked at from then on.
Not covered: whether a person clicked. Grading compares with a key.
"""

import gzip
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args
from weakref import WeakValueDictionary

import anywidget
import traitlets

from lab_env.annotations.errors import AnnotationError
from lab_env.annotations.labelling import Labelling, read_labelling
from lab_env.annotations.store import Annotations
from lab_env.annotations.tasks import Task, check_tasks, read_tasks, tasks_of
from lab_env.checks import Finding, Language
from lab_env.errors import LabError
from lab_env.widgets.annotating import TURN, Annotating, Answer, Mode, Screen

PAGE = Path(__file__).with_name("annotator_page")
# One module for the browser, joined in this order; the last part exports.
PARTS = (
    "dom",
    "words",
    "setup",
    "answer",
    "session",
    "controls",
    "text",
    "image",
    "frame",
    "view",
)
GUIDELINE = "guideline.md"

_shown: "WeakValueDictionary[Path, Annotator]" = WeakValueDictionary()


@cache
def page_buffers() -> tuple[bytes, bytes]:
    """Return style sheet and program (one ES module), each packed by gzip."""
    code = b"".join((PAGE / f"{name}.js").read_bytes() for name in PARTS)
    style = (PAGE / "annotator.css").read_bytes()
    # Without a time the same page is the same bytes.
    return gzip.compress(style, mtime=0), gzip.compress(code, mtime=0)


class Annotator(anywidget.AnyWidget):
    """The widget; everything it knows of the work is in ``work``."""

    _esm = (PAGE / "loader.js").read_text(encoding="utf-8")
    page = traitlets.Unicode().tag(sync=True)
    draft = traitlets.Dict().tag(sync=True)

    def __init__(self, work: Annotating) -> None:
        self.work = work
        version = sha256(b"".join(page_buffers())).hexdigest()[:16]
        super().__init__(page=version)
        self.on_msg(self._hear)
        self.observe(self._keep, "draft")

    def __repr__(self) -> str:
        """Say what stands here; a page that shows no widgets shows this."""
        return self.work.title()

    def give_way(self) -> None:
        """Let another cell go on with the file; this page can only be looked at."""
        self.work.closed = True
        self._tell(self.work.hear({"kind": "open"}))

    def _hear(self, _: object, message: Mapping[str, Any], __: object) -> None:
        if message.get("kind") == "page":
            self.send({"kind": "page"}, buffers=list(page_buffers()))
            return
        answer = self.work.hear(message)
        if answer.content.get("moved"):
            self.draft = {}
        self._tell(answer)

    def _tell(self, answer: Answer) -> None:
        self.send(answer.content, buffers=answer.buffers)

    def _keep(self, change: Mapping[str, Any]) -> None:
        self.work.keep_draft(change["new"])


def annotate(
    labelling: str | Path,
    tasks: str | Path | Sequence[Mapping[str, Any]],
    out: str | Path,
    *,
    mode: Mode = "normal",
    guideline: str | Path | None = None,
    language: Language = "zh",
    release: str = "",
) -> Annotator:
    """Return the page for annotating ``tasks``; every submit is written to ``out``.

    ``labelling`` is Label Studio XML or the path of a file with it. Whatever cannot be
    is one LabError sentence in ``language``, and ``out`` stays as it was.
    """
    try:
        _check_mode(mode)
        known = read_labelling(_xml(labelling))
        found, folder = _tasks(tasks)
        check_tasks(found, known, folder)
        screen = Screen(language, mode, _guideline(guideline), folder)
        with TURN:
            return _show(Path(out), found, known, screen, release)
    except (AnnotationError, Finding) as error:
        raise LabError(error.message.read(language)) from error


def _show(
    out: Path,
    tasks: Sequence[Task],
    labelling: Labelling,
    screen: Screen,
    release: str,
) -> Annotator:
    store = Annotations(out, tasks, labelling, release=release, take_over=True)
    before = _shown.get(out.resolve())
    if before is not None:
        before.give_way()
    widget = Annotator(Annotating(store, screen))
    _shown[out.resolve()] = widget
    return widget


def _check_mode(mode: str) -> None:
    if mode not in get_args(Mode):
        zh = f"mode 是“{mode}”，应为 normal 或 fast。请改好。"
        en = f'mode is "{mode}", expected normal or fast. Change it.'
        raise AnnotationError(zh, en)


def _xml(labelling: str | Path) -> str:
    if isinstance(labelling, str) and labelling.lstrip().startswith("<"):
        return labelling
    return _text_of(Path(labelling))


def _tasks(
    tasks: str | Path | Sequence[Mapping[str, Any]],
) -> tuple[Sequence[Task], Path]:
    """Return the tasks, and the folder in which their images lie."""
    if isinstance(tasks, str | Path):
        return read_tasks(Path(tasks)), Path(tasks).parent
    return tasks_of(tasks), Path()


def _guideline(path: str | Path | None) -> str:
    """Return a guideline as HTML; without a name, the release's own if it has one."""
    if path is None and not Path(GUIDELINE).is_file():
        return ""
    import mistune

    class Quiet(mistune.HTMLRenderer):
        """No picture, since the browser would ask another machine for it."""

        def image(self, text: str, url: str, title: str | None = None) -> str:
            return mistune.escape(text)

    render = mistune.create_markdown(renderer=Quiet(escape=True), plugins=["table"])
    return str(render(_text_of(Path(path or GUIDELINE))))


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        zh = f"读不出文件 {path}（{error}）。请检查文件名，并用 UTF-8 保存。"
        en = f"Cannot read the file {path} ({error}). Check its name; save it as UTF-8."
        raise AnnotationError(zh, en) from error
