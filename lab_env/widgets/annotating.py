"""What stands between the page of a task and the file of annotations.

The page sends one message for each act (open, submit, skip, undo, goto) and gets one
answer: whether the act is on disk, the task to show now, how far the work is. Drafts
come by themselves. Nothing here knows Jupyter.
"""

import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from lab_env.annotations.errors import AnnotationError
from lab_env.annotations.results import Region, region_json
from lab_env.annotations.store import Annotations
from lab_env.annotations.tasks import Task, image_path
from lab_env.checks import Finding, Language, Text
from lab_env.errors import LabError

Mode = Literal["normal", "fast"]
# Jupyter may hear the page in a thread of its own while a cell runs.
TURN = threading.RLock()
MAX_IMAGE_BYTES = 30_000_000
# How a file begins, as a name says little; SVG is left out: it can hold a program.
_IMAGES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
    (b"BM", "image/bmp"),
)


@dataclass
class Answer:
    """One message to the page: plain values, and the bytes of pictures beside them."""

    content: dict[str, Any]
    buffers: list[bytes] = field(default_factory=list)


@dataclass(frozen=True)
class Screen:
    """What does not change from task to task; ``guideline`` is HTML or empty."""

    language: Language
    mode: Mode
    guideline: str
    folder: Path


class Annotating:
    """The work at one file: which task is shown, and what each act does."""

    def __init__(self, store: Annotations, screen: Screen) -> None:
        self.store, self.screen = store, screen
        # Set when another cell goes on with the file.
        self.closed = False
        self._place = {task.id: place for place, task in enumerate(store.tasks)}
        self.task = self._first()

    def hear(self, message: Mapping[str, Any]) -> Answer:
        """Do what the page asks; whatever goes wrong is said in the answer."""
        with TURN:
            said = self._done(message) | {"ack": message.get("serial")}
            return self._answer(said)

    def keep_draft(self, draft: Mapping[str, Any]) -> None:
        """Keep what is marked so far, so that leaving the item does not lose it."""
        result = draft.get("result")
        if self.closed or not isinstance(result, list):
            return
        # A box that still waits for its label is no region yet.
        whole = [region for region in result if _is_labelled(region)]
        try:
            with TURN:
                self.store.draft(int(draft["task"]), whole)
        except (LabError, Finding, KeyError, TypeError, ValueError):
            # Half an answer may be no answer; the page still shows it.
            return

    def title(self) -> str:
        """Return one line for where the page itself cannot be shown."""
        progress = self.store.progress()
        name, done, total = self.store.out.name, progress.done, progress.total
        zh = f"标注界面：{name}，已完成 {done} / {total}。请运行这个单元格。"
        en = f"Annotation page: {name}, {done} of {total} done. Run this cell."
        return Text(zh, en).read(self.screen.language)

    # --- acts ------------------------------------------------------------------

    def _done(self, message: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self._acts()[str(message.get("kind"))](message)
        except (LabError, Finding) as error:
            return {"error": _sentence(error).read(self.screen.language)}
        except Exception as error:
            # A page without an answer would wait, and say that the kernel is silent.
            traceback.print_exc()
            return {"error": _fault(error).read(self.screen.language)}

    def _acts(self) -> dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]]:
        return {
            "open": self._open,
            "submit": self._submit,
            "skip": self._skip,
            "undo": self._undo,
            "goto": self._goto,
        }

    def _open(self, message: Mapping[str, Any]) -> dict[str, Any]:
        screen = self.screen
        labelling = self.store.labelling.as_json()
        facts = {"language": screen.language, "mode": screen.mode}
        setup = facts | {"labelling": labelling, "guideline": screen.guideline}
        return {"setup": setup, "fresh": True}

    def _submit(self, message: Mapping[str, Any]) -> dict[str, Any]:
        task, seconds = self._task(message), _seconds(message)
        self.store.submit(task.id, message.get("result"), lead_time=seconds)
        return self._go_on(task, "saved")

    def _skip(self, message: Mapping[str, Any]) -> dict[str, Any]:
        task = self._task(message)
        self.store.skip(task.id, lead_time=_seconds(message))
        return self._go_on(task, "skipped")

    def _undo(self, message: Mapping[str, Any]) -> dict[str, Any]:
        found = self.store.undo()
        if found is None:
            return {"did": "nothing"}
        self.task = self.store.tasks[self._place[found]]
        number = self._place[found] + 1
        return {"did": "undone", "number": number, "moved": True}

    def _goto(self, message: Mapping[str, Any]) -> dict[str, Any]:
        number = message.get("number")
        total = len(self.store.tasks)
        if not isinstance(number, int) or not 1 <= number <= total:
            zh = f"没有第 {number} 题，共 {total} 题。请改题号。"
            en = f"There is no item {number}; there are {total}. Change the number."
            raise AnnotationError(zh, en)
        self.task = self.store.tasks[number - 1]
        return {"moved": True}

    def _go_on(self, task: Task, did: str) -> dict[str, Any]:
        following = self.store.next_open(task.id)
        if following is not None:
            self.task = self.store.tasks[self._place[following]]
        return {"did": did, "number": self._place[task.id] + 1, "moved": True}

    # --- the answer ------------------------------------------------------------

    def _answer(self, said: dict[str, Any]) -> Answer:
        content = {"kind": "state", "closed": self.closed, **said}
        content["progress"] = self.store.progress().as_json() | {"left": self._left()}
        content["task"] = self._shown()
        answer = Answer(content)
        if said.get("moved") or said.pop("fresh", False):
            content["images"] = self._images(answer.buffers)
        return answer

    def _left(self) -> list[int]:
        """Return the numbers of the items that were skipped."""
        named = enumerate(self.store.tasks, 1)
        return [at for at, task in named if self.store.status(task.id) == "skipped"]

    def _shown(self) -> dict[str, Any]:
        task = self.task
        item = self.store.annotated(task.id)
        saved = item.regions if item else ()
        now = self.store.shown(task.id)
        return {
            "id": task.id,
            "number": self._place[task.id] + 1,
            "data": {name: task.data[name] for name in self._fields()},
            "result": _as_json(saved),
            "draft": None if now == saved else _as_json(now),
            "outcome": self.store.status(task.id),
        }

    def _fields(self) -> list[str]:
        labelling = self.store.labelling
        heads = [each.value for each in labelling.headers]
        named = [value[1:] for value in heads if value.startswith("$")]
        return [*(each.field for each in labelling.shown), *named]

    def _images(self, buffers: list[bytes]) -> dict[str, Any]:
        found = {}
        for shown in self.store.labelling.shown:
            if shown.kind == "Image":
                value = str(self.task.data[shown.field])
                found[shown.name] = self._image(value, buffers)
        return found

    def _image(self, value: str, buffers: list[bytes]) -> dict[str, Any]:
        try:
            content, kind = _read_image(self.screen.folder, value)
        except AnnotationError as error:
            return {"error": error.message.read(self.screen.language)}
        buffers.append(content)
        key = sha256(content).hexdigest()
        return {"key": key, "type": kind, "buffer": len(buffers) - 1}

    # --- small parts -----------------------------------------------------------

    def _first(self) -> Task:
        """Return the first open task; when all are done, the first of all."""
        number = self.store.next_open()
        return self.store.tasks[0 if number is None else self._place[number]]

    def _task(self, message: Mapping[str, Any]) -> Task:
        number = message.get("task")
        if number not in self._place:
            zh = f"没有编号为 {number} 的任务。请重新运行这个单元格。"
            en = f"There is no task {number}. Run this cell again."
            raise AnnotationError(zh, en)
        return self.store.tasks[self._place[number]]


def _read_image(folder: Path, value: str) -> tuple[bytes, str]:
    path = image_path(folder, value)
    try:
        size = path.stat().st_size if path else 0
        content = path.read_bytes() if path and size <= MAX_IMAGE_BYTES else b""
    except OSError:
        content = b""
    kind = next((kind for begin, kind in _IMAGES if content.startswith(begin)), None)
    if kind is None:
        zh = f"图片“{value[:60]}”打不开（应为 PNG、JPEG、GIF、WebP 或 BMP）。"
        en = f'The image "{value[:60]}" cannot be opened (PNG, JPEG, GIF, WebP or BMP).'
        raise AnnotationError(f"{zh}请检查文件，或跳过。", f"{en} Check it, or skip.")
    return content, kind


def _as_json(regions: tuple[Region, ...]) -> list[dict[str, Any]]:
    return [region_json(region, place) for place, region in enumerate(regions, 1)]


def _is_labelled(region: object) -> bool:
    if not isinstance(region, dict):
        return False
    kind, value = region.get("type"), region.get("value")
    return kind != "rectanglelabels" or bool(
        isinstance(value, dict) and value.get("rectanglelabels")
    )


def _seconds(message: Mapping[str, Any]) -> float:
    seconds = message.get("seconds")
    return float(seconds) if isinstance(seconds, int | float) else 0.0


def _sentence(error: Exception) -> Text:
    message = getattr(error, "message", None)
    return message if isinstance(message, Text) else Text(str(error), str(error))


def _fault(error: Exception) -> Text:
    said = f"{type(error).__name__}: {error}"[:200]
    zh = f"程序出了故障（{said}）。请再提交一次；还不行就告诉老师。"
    return Text(zh, f"our program failed ({said}). Submit again, or tell the teacher.")
