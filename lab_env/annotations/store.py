"""The annotations of one file while a person works: submit, skip, undo, draft.

Covered: a file in use by another store of this process; a change by another program
(lines are merged, the newest submit wins its own task); a folder that cannot be written
and a full disk, where memory goes back to what is on disk. Not covered: two programs
that write in the same instant; and a person who writes the file by hand, which is why
grading compares with a key and never believes a time.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from weakref import WeakValueDictionary

from lab_env import readers
from lab_env.annotations.annotated import Annotated, read_work
from lab_env.annotations.errors import AnnotationError
from lab_env.annotations.file_image import FileImage
from lab_env.annotations.labelling import Labelling
from lab_env.annotations.reading import read_result
from lab_env.annotations.results import Region, unanswered
from lab_env.annotations.tasks import MAX_BYTES, Task, check_tasks
from lab_env.checks import Finding, NotAttempted, Text, Unreadable
from lab_env.files import write_whole

Status = Literal["open", "done", "skipped"]
MAX_UNDO = 100

# Which store of this process writes which file; a forgotten store frees it.
_in_use: "WeakValueDictionary[Path, Annotations]" = WeakValueDictionary()


@dataclass(frozen=True)
class Progress:
    """How far the work is; ``seconds`` is the median time of an item done."""

    total: int
    done: int
    skipped: int
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return the numbers by name."""
        return asdict(self)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Annotations:
    """What is annotated of ``tasks``; every change is on disk before it is told."""

    def __init__(
        self,
        out: Path,
        tasks: Sequence[Task],
        labelling: Labelling,
        *,
        annotator: str = "",
        release: str = "",
        take_over: bool = False,
        clock: Callable[[], str] = _now,
    ) -> None:
        """Read ``out`` back, if it is there.

        ``take_over``: a cell that is run again closes the store of its first run and
        keeps its drafts. Otherwise a file in use is an AnnotationError.
        """
        check_tasks(tasks, labelling, None)
        self.out = out.absolute()
        self.tasks, self.labelling = tuple(tasks), labelling
        self.annotator, self.release, self._clock = annotator, release, clock
        self._place = {task.id: place for place, task in enumerate(self.tasks)}
        self._items: dict[int, Annotated] = {}
        self._image = FileImage(len(self.tasks))
        self._drafts: dict[int, tuple[Region, ...]] = {}
        self._undo: list[tuple[int, Annotated | None]] = []
        self._closed = False
        self._seen: tuple[int, int, int] | None = None
        before = _in_use.get(self.out.resolve())
        if before is not None and not take_over:
            raise _taken(self.out)
        # Read first: a file that is not ours must not close the store that uses it.
        self._load()
        self._follow(before)

    # --- reading ---------------------------------------------------------------

    def status(self, task_id: int) -> Status:
        """Return whether a task is open, done or skipped."""
        item = self._items.get(task_id)
        if item is None:
            return "open"
        return "skipped" if item.skipped else "done"

    def annotated(self, task_id: int) -> Annotated | None:
        """Return a task as it was last submitted or skipped, or None."""
        return self._items.get(task_id)

    def shown(self, task_id: int) -> tuple[Region, ...]:
        """Return what the screen shows for a task: its draft, else what is saved."""
        item = self._items.get(task_id)
        saved = item.regions if item else ()
        return self._drafts.get(task_id, saved)

    @property
    def items(self) -> tuple[Annotated, ...]:
        """What was submitted or skipped, in the order of the tasks."""
        found = (self._items.get(task.id) for task in self.tasks)
        return tuple(item for item in found if item is not None)

    def progress(self) -> Progress:
        """Return how many of the tasks are done, and how long one takes."""
        done = [item for item in self._items.values() if not item.skipped]
        times = sorted(item.lead_time for item in done if item.lead_time)
        middle = times[len(times) // 2] if times else 0.0
        skipped = len(self._items) - len(done)
        return Progress(len(self.tasks), len(done), skipped, middle)

    def next_open(self, after: int | None = None) -> int | None:
        """Return the id of the next open task behind ``after``, round the end once."""
        start = 0 if after is None else self._place[after] + 1
        for task in (*self.tasks[start:], *self.tasks[:start]):
            if task.id not in self._items:
                return task.id
        return None

    # --- changing --------------------------------------------------------------

    def submit(self, task_id: int, result: object, *, lead_time: float = 0.0) -> None:
        """Save a task's result (Label Studio's list); it is on disk on return.

        A result that cannot be, or lacks a required answer, is ``Unreadable``.
        """
        task = self._task(task_id)
        regions = read_result(result, self.labelling, task.data, _here(task_id))
        missing = unanswered(self.labelling, regions)
        if missing:
            raise _incomplete(self.labelling, missing[0])
        self._change(task_id, self._annotated(task, regions, False, lead_time))

    def skip(self, task_id: int, *, lead_time: float = 0.0) -> None:
        """Save that a task was passed over."""
        task = self._task(task_id)
        self._change(task_id, self._annotated(task, (), True, lead_time))

    def undo(self) -> int | None:
        """Take back the last submit or skip and return its task; None: nothing left.

        What was submitted stays as the draft of that task.
        """
        if not self._undo:
            return None
        task_id, before = self._undo[-1]
        taken = self._items.get(task_id)
        self._write(task_id, before)
        self._undo.pop()
        if taken is not None and taken.regions:
            self._drafts[task_id] = taken.regions
        return task_id

    def draft(self, task_id: int, result: object) -> None:
        """Keep, in memory, what is marked and not yet submitted."""
        task = self._task(task_id)
        regions = read_result(result, self.labelling, task.data, _here(task_id))
        self._drafts[task_id] = regions

    def close(self) -> None:
        """Free the file for another store; this one refuses every change."""
        self._closed = True
        if _in_use.get(self.out.resolve()) is self:
            del _in_use[self.out.resolve()]

    # --- the file --------------------------------------------------------------

    def _follow(self, before: "Annotations | None") -> None:
        if before is not None:
            if (before.tasks, before.labelling) == (self.tasks, self.labelling):
                self._drafts = dict(before._drafts)
            before.close()
        _in_use[self.out.resolve()] = self

    def _change(self, task_id: int, item: Annotated) -> None:
        before = self._items.get(task_id)
        self._write(task_id, item)
        self._undo = [*self._undo[-MAX_UNDO:], (task_id, before)]
        self._drafts.pop(task_id, None)

    def _write(self, task_id: int, item: Annotated | None) -> None:
        if self._closed:
            raise _taken(self.out)
        if self._stamp() != self._seen:
            self._load()
        line = b"" if item is None else item.as_line().encode()
        before = self._image.put(self._place[task_id], line)
        try:
            write_whole(self.out, self._image.content)
        except OSError as error:
            # What is told as saved is what is on disk.
            self._image.put(self._place[task_id], before)
            raise _not_saved(self.out, len(self._items), error) from error
        self._seen = self._stamp()
        if item is None:
            self._items.pop(task_id, None)
        else:
            self._items[task_id] = item

    def _load(self) -> None:
        """Take in the file; what only this memory has stays, as nothing gets lost."""
        stamp = self._stamp()
        if stamp is not None:
            for item in self._read().values():
                self._items[item.task.id] = item
                self._image.put(self._place[item.task.id], item.as_line().encode())
        self._seen = stamp

    def _read(self) -> Mapping[int, Annotated]:
        name = self.out.name
        try:
            text = readers.read_bytes(self.out.parent, name, MAX_BYTES).decode()
            work = read_work(text, name, self.tasks, self.labelling)
            work.refuse_findings()
        except NotAttempted:
            return {}
        except UnicodeDecodeError as error:
            raise _not_text(self.out, error.start) from error
        except Finding as finding:
            raise _foreign(self.out, finding.message) from finding
        for item in work.items.values():
            self._refuse_other("release", item.release, self.release)
            self._refuse_other("annotator", item.annotator, self.annotator)
        return work.items

    def _refuse_other(self, what: str, seen: str, own: str) -> None:
        if seen and own and seen != own:
            zh = f"它的 {what} 是“{seen[:80]}”，这里是“{own}”。"
            en = f'its {what} is "{seen[:80]}", here it is "{own}".'
            raise _foreign(self.out, Text(zh, en))

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            facts = os.stat(self.out)
        except OSError:
            return None
        return facts.st_mtime_ns, facts.st_size, facts.st_ino

    # --- small parts -----------------------------------------------------------

    def _annotated(
        self, task: Task, regions: tuple[Region, ...], skipped: bool, seconds: float
    ) -> Annotated:
        now = self._clock()
        before = self._items.get(task.id)
        fresh = Annotated(task, regions, skipped, self.annotator, self.release)
        spent = round(max(0.0, seconds) + (before.lead_time if before else 0.0), 2)
        created = before.created_at if before else now
        return replace(fresh, lead_time=spent, created_at=created, updated_at=now)

    def _task(self, task_id: int) -> Task:
        if task_id not in self._place:
            zh = f"没有编号为 {task_id} 的任务；编号见任务文件。"
            en = f"There is no task {task_id}; see the task file for the ids."
            raise AnnotationError(zh, en)
        return self.tasks[self._place[task_id]]


def _here(task_id: int) -> Text:
    return Text(f"任务 {task_id} ", f"Task {task_id}, ")


def _incomplete(labelling: Labelling, name: str) -> Finding:
    said = labelling.control(name).required_message
    zh = said or f"“{name}”还没有回答。请先回答，再提交。"
    en = said or f'"{name}" has no answer yet. Answer it, then submit.'
    return Unreadable(Text(zh, en))


def _taken(out: Path) -> AnnotationError:
    zh = f"{out.name} 正在另一个标注界面里使用。请在那里继续，或换一个文件名。"
    en = f"{out.name} is in use by another annotation widget. Go on there, or use"
    return AnnotationError(zh, f"{en} another file name.")


def _not_saved(out: Path, saved: int, error: OSError) -> AnnotationError:
    why = error.strerror or type(error).__name__
    zh = f"{out.name} 没有保存（{why}）。之前保存的 {saved} 条都还在；请检查磁盘空间和"
    en = f"{out.name} was not saved ({why}). The {saved} items saved before are safe;"
    return AnnotationError(
        f"{zh}文件夹权限，再提交一次。",
        f"{en} check disk space and folder rights, then submit again.",
    )


def _not_text(out: Path, place: int) -> AnnotationError:
    zh, en = f"第 {place} 个字节不是 UTF-8。", f"byte {place} is not UTF-8."
    return _foreign(out, Text(zh, en))


def _foreign(out: Path, said: Text) -> AnnotationError:
    zh = f"不能接着用 {out.name}，文件没有改动：{said.zh}或者换一个文件名。"
    en = f"Cannot go on with {out.name}, which was left as it is: {said.en} Or use"
    return AnnotationError(zh, f"{en} another file name.")
