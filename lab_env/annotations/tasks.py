"""Tasks: what is annotated. Read once, checked against the configuration."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from lab_env.annotations.errors import AnnotationError
from lab_env.annotations.labelling import Labelling, Shown
from lab_env.annotations.reading import is_whole, shorten

MAX_TASKS = 10_000
MAX_BYTES = 64_000_000
MAX_TEXT = 100_000
MAX_ITEMS = 50


@dataclass(frozen=True)
class Task:
    """One thing to annotate; ``id`` never changes, ``data`` holds its fields."""

    id: int
    data: Mapping[str, Any]


def read_tasks(path: Path) -> list[Task]:
    """Return the tasks of a JSONL file or a JSON array; a bad one is named by line.

    A task is Label Studio's ``{"id": 7, "data": {...}}``, or the data alone: then its
    number in the file is its id.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            seen, most = f"{size / 1e6:.0f} MB", f"{MAX_BYTES // 10**6} MB"
            zh = f"{path.name} 有 {seen}，最多 {most}。请分成几个文件。"
            en = f"{path.name} has {seen}, at most {most}. Split it."
            raise AnnotationError(zh, en)
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        zh = f"{path.name} 的第 {error.start} 个字节不是 UTF-8。请用 UTF-8 重新保存。"
        en = f"{path.name}: byte {error.start} is not UTF-8. Save it again as UTF-8."
        raise AnnotationError(zh, en) from error
    except OSError as error:
        zh = f"打不开任务文件 {path}（{error.strerror}）。请检查文件名。"
        en = f"Cannot open the task file {path} ({error.strerror}). Check its name."
        raise AnnotationError(zh, en) from error
    return tasks_of(_entries(text, path.name), path.name)


def tasks_of(entries: Sequence[object], name: str = "tasks") -> list[Task]:
    """Return tasks from values already in memory; ``name`` begins every sentence."""
    if not 1 <= len(entries) <= MAX_TASKS:
        zh = f"{name} 有 {len(entries)} 个任务，应为 1 到 {MAX_TASKS} 个。请检查文件。"
        en = f"{name} has {len(entries)} tasks, expected 1 to {MAX_TASKS}. Check it."
        raise AnnotationError(zh, en)
    tasks = [_task(entry, place, name) for place, entry in enumerate(entries, 1)]
    seen: dict[int, int] = {}
    for place, task in enumerate(tasks, 1):
        if task.id in seen:
            zh = f"id {task.id} 在第 {seen[task.id]} 个任务已经用过，请换一个"
            en = f"id {task.id} is taken by task {seen[task.id]}; give it another"
            _refuse(name, place, zh, en)
        seen[task.id] = place
    return tasks


def check_tasks(
    tasks: Sequence[Task], labelling: Labelling, folder: Path | None
) -> None:
    """Refuse a task that lacks what the configuration shows; images lie in ``folder``.

    None: the images are not looked for. Said before the first item is shown, and not at
    item 1,400.
    """
    for place, task in enumerate(tasks, 1):
        for header in labelling.headers:
            if header.value.startswith("$"):
                _text(task, header.value[1:], place)
        for shown in labelling.shown:
            _check_shown(task, shown, place, folder)


def image_path(folder: Path, value: str) -> Path | None:
    """Return the file of an image, or None for one outside ``folder`` or not there."""
    inner = PurePosixPath(value)
    if inner.is_absolute() or "\\" in value or "\0" in value:
        return None
    path = folder / inner
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
        return path if inside and path.is_file() else None
    except OSError:
        return None


def _entries(text: str, name: str) -> list[object]:
    if text.lstrip().startswith("["):
        try:
            return list(json.loads(text))
        except (ValueError, RecursionError) as error:
            zh = f"{name} 不是完整的 JSON（{error}）。请重新导出。"
            en = f"{name} is not complete JSON ({error}). Export it again."
            raise AnnotationError(zh, en) from error
    entries: list[object] = []
    # splitlines() would also break a line at U+2028, which JSON leaves in a text.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                entries.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                zh = f"{name} 第 {number} 行不是完整的 JSON。请改好这一行。"
                en = f"{name}, line {number}: not complete JSON. Mend this line."
                raise AnnotationError(zh, en) from error
    return entries


def _task(entry: object, place: int, name: str) -> Task:
    if not isinstance(entry, dict) or not entry:
        zh, en = f"是 {shorten(entry)}，应为字典", f"is {shorten(entry)}, expected an"
        _refuse(name, place, zh, f"{en} object")
    wrapped = isinstance(entry.get("data"), dict)
    data = entry["data"] if wrapped else entry
    number = entry.get("id", place) if wrapped else place
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        zh, en = f"id 是 {shorten(number)}，应为正整数", f"id is {shorten(number)}"
        _refuse(name, place, zh, f"{en}, expected a whole number from 1")
    if not is_whole(json.dumps(data, ensure_ascii=False)):
        _refuse(name, place, "有半个字符（代理项）", "a text holds half a character")
    return Task(number, data)


def _check_shown(task: Task, shown: Shown, place: int, folder: Path | None) -> None:
    if shown.kind == "List":
        _check_list(task, shown.field, place)
        return
    value = _text(task, shown.field, place)
    if shown.kind == "Image" and folder and image_path(folder, value) is None:
        zh = f"没有图片“{value[:60]}”（应在任务文件所在的文件夹里）"
        en = f'there is no image "{value[:60]}" in the folder of the tasks'
        _refuse("tasks", place, zh, en)


def _text(task: Task, field: str, place: int) -> str:
    value = task.data.get(field)
    if not isinstance(value, str) or not value.strip():
        fields = ", ".join(map(str, task.data))[:60]
        zh = f"“{field}”里没有文字（看到 {shorten(value)}；有这些字段：{fields}）"
        en = f'"{field}" holds no text (it is {shorten(value)}; fields: {fields})'
        _refuse("tasks", place, zh, en)
    if len(value) > MAX_TEXT:
        zh = f"“{field}”有 {len(value)} 个字，最多 {MAX_TEXT}"
        en = f'"{field}" has {len(value)} characters, at most {MAX_TEXT}'
        _refuse("tasks", place, zh, en)
    return value


def _check_list(task: Task, field: str, place: int) -> None:
    items = task.data.get(field)
    if not isinstance(items, list) or not 2 <= len(items) <= MAX_ITEMS:
        zh = f"“{field}”是 {shorten(items)}，应为 2 到 {MAX_ITEMS} 项的列表"
        en = f'"{field}" is {shorten(items)}, expected a list of 2 to {MAX_ITEMS} items'
        _refuse("tasks", place, zh, en)
    ids = [item.get("id") for item in items if isinstance(item, dict)]
    texts = [str(each) for each in ids if isinstance(each, str | int)]
    if len(set(texts)) < len(items):
        zh = f"“{field}”里每一项都要有自己的 id，现在是 {shorten(', '.join(texts))}"
        en = f'each item of "{field}" needs its own id, got {shorten(", ".join(texts))}'
        _refuse("tasks", place, zh, en)


def _refuse(name: str, place: int, zh: str, en: str) -> NoReturn:
    said = f"{name}: task {place}: {en}. Change the task file."
    raise AnnotationError(f"{name} 第 {place} 个任务：{zh}。请改任务文件。", said)
