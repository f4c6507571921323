"""Strict readers for what a trainee handed in.

Every file here may be hostile: it is capped in size and depth, never executed,
never unpickled, and whatever is wrong with it is said in one sentence (``Finding``).
"""

import codecs
import csv
import io
import json
import math
import os
import stat
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from lab_env.checks import Finding, NotAttempted, Text, Unreadable

MAX_TEXT_BYTES = 4_000_000
MAX_HEADER_BYTES = 1_000_000
MAX_ROWS = 100_000
MAX_DEPTH = 20
# Of one number, by the names that safetensors has for them.
NUMBER_BYTES = {
    **dict.fromkeys(("F64", "I64", "U64"), 8),
    **dict.fromkeys(("F32", "I32", "U32"), 4),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 2),
    **dict.fromkeys(("I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2"), 1),
}
# OverflowError: JSON may write a shape that is infinite, such as 1e999.
_NO_HEADER = (
    ValueError,
    RecursionError,
    AttributeError,
    KeyError,
    TypeError,
    OverflowError,
)

KIND_NAMES = {
    float: Text("一个数值", "a number"),
    int: Text("一个整数", "a whole number"),
    str: Text("一段文字", "a text"),
    list: Text("一个列表", "a list"),
    dict: Text("一个字典", "a dictionary"),
}


def read_text(folder: Path, name: str) -> str:
    """Return a deliverable as text; BOM removed, line ends made plain."""
    data = read_bytes(folder, name, MAX_TEXT_BYTES)
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise _not_utf8(name, data, error.start) from error


def read_bytes(folder: Path, name: str, limit: int) -> bytes:
    """Return the bytes of a plain file below ``folder``; a link is never followed."""
    with _open_plain(folder, name) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > limit:
            raise _too_large(name, size, limit)
        return stream.read(limit)


def read_json(folder: Path, name: str, fields: Mapping[str, type]) -> dict[str, Any]:
    """Return a JSON object that has ``fields``, each of its type, numbers finite."""
    try:
        value = json.loads(read_text(folder, name), object_pairs_hook=_no_duplicates)
    except Finding as finding:
        raise _named(name, finding) from finding
    except (ValueError, RecursionError) as error:
        zh = f"{name} 不是完整的 JSON 文件。请重新运行保存它的单元格。"
        en = f"{name} is not a complete JSON file. Run the cell that saves it again."
        raise Unreadable(Text(zh, en)) from error
    if not isinstance(value, dict):
        raise _wrong_kind(name, "", value, dict)
    _refuse_deep(name, value)
    _refuse_half_characters(name, value)
    for field, kind in fields.items():
        value[field] = _field(name, value, field, kind)
    return value


def _refuse_half_characters(name: str, value: object) -> None:
    """Refuse text that no file can hold: half of a character, written as an escape."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        zh = f"{name} 里有残缺的字符。请重新运行保存它的单元格。"
        en = f"{name} holds half a character. Run the cell that saves it again."
        raise Unreadable(Text(zh, en)) from error


def read_csv(folder: Path, name: str, columns: Sequence[str]) -> list[dict[str, str]]:
    """Return the rows of a CSV file that has at least ``columns``."""
    # newline=None: an old Mac ends lines with "\r" alone.
    stream = io.StringIO(read_text(folder, name), newline=None)
    reader = csv.DictReader(stream, strict=True)
    try:
        header = reader.fieldnames or []
        missing = [column for column in columns if column not in header]
        if missing or len(set(header)) < len(header):
            raise _wrong_columns(name, header, columns)
        rows: list[dict[str, str]] = []
        for row in reader:
            # The key None holds what stood right of the last column.
            if None in row or None in row.values() or len(rows) >= MAX_ROWS:
                raise _bad_line(name, reader.line_num)
            rows.append(row)
    except csv.Error as error:
        raise _bad_line(name, reader.line_num) from error
    return rows


def read_tensor_shapes(folder: Path, name: str) -> dict[str, tuple[int, ...]]:
    """Return {tensor name: shape} of a safetensors file whose data is all there."""
    with _open_plain(folder, name) as stream:
        size_field = stream.read(8)
        length = int.from_bytes(size_field, "little")
        if len(size_field) < 8 or not 2 <= length <= MAX_HEADER_BYTES:
            raise _not_safetensors(name)
        text, size = stream.read(length), os.fstat(stream.fileno()).st_size
    try:
        header = json.loads(text)
        entries = {key: item for key, item in header.items() if key != "__metadata__"}
        shapes = {key: tuple(map(int, item["shape"])) for key, item in entries.items()}
        places = [_place(item, shapes[key]) for key, item in entries.items()]
    except _NO_HEADER as error:
        raise _not_safetensors(name) from error
    end = 0
    for begin, after in sorted(places):
        if begin != end:
            raise _not_safetensors(name)
        end = after
    if end != size - 8 - length:
        raise _not_safetensors(name)
    return shapes


def _place(item: Mapping[str, Any], shape: Sequence[int]) -> tuple[int, int]:
    """Return where a tensor begins and ends; ValueError unless its shape fits there."""
    begin, end = map(int, item["data_offsets"])
    size = math.prod(shape) * NUMBER_BYTES[item["dtype"]]
    if min(shape, default=0) < 0 or end - begin != size:
        raise ValueError(f"{shape} is not in {begin}:{end}")
    return begin, end


def _open_plain(folder: Path, name: str) -> BinaryIO:
    """Open without following a link and without waiting for a pipe."""
    try:
        handle = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise _missing(name) from error
    except (OSError, ValueError) as error:
        raise _not_plain(name) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _not_plain(name)
    return os.fdopen(handle, "rb")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        # Counted once: a count for every key would take hours on a hostile file.
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, count in counts.items() if count > 1)
        zh, en = f"“{twice}”出现了两次", f'"{twice}" stands there twice'
        raise Unreadable(Text(zh, en))
    return value


def _named(name: str, finding: Finding) -> Finding:
    """Put the file in front of a sentence that does not name it yet."""
    if name in finding.message.en:
        return finding
    zh, en = finding.message.zh, finding.message.en
    return Unreadable(Text(f"{name}：{zh}，请只留一个。", f"{name}: {en}; keep one."))


def _refuse_deep(name: str, value: object, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        zh = f"{name} 嵌套超过 {MAX_DEPTH} 层。请重新运行保存它的单元格。"
        en = f"{name} is nested deeper than {MAX_DEPTH}. Run its cell again."
        raise Unreadable(Text(zh, en))
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _refuse_deep(name, item, depth + 1)


def _field(name: str, value: dict[str, Any], field: str, kind: type) -> Any:
    item = value.get(field)
    if item is None or item is Ellipsis or item == "____":
        zh = f"{name} 里还没有“{field}”。请完成前面的填空，再运行这个单元格。"
        en = f'{name} has no "{field}" yet. Fill in the blank, then run the cell.'
        raise NotAttempted(Text(zh, en))
    if kind is float and isinstance(item, int | float) and not isinstance(item, bool):
        if isinstance(item, int) and abs(item) > 2**53:
            raise _wrong_kind(name, field, item, kind)
        if math.isfinite(item):
            return float(item)
    elif isinstance(item, kind) and not isinstance(item, bool):
        return item
    raise _wrong_kind(name, field, item, kind)


def _wrong_kind(name: str, field: str, item: object, kind: type) -> Finding:
    seen = repr(item)[:60]
    where_zh, where_en = "内容", "the content"
    if field:
        where_zh, where_en = f"“{field}”", f'"{field}"'
    zh = f"{name} 中的{where_zh}应为{KIND_NAMES[kind].zh}，现在是 {seen}。"
    en = f"{name}: {where_en} should be {KIND_NAMES[kind].en}, got {seen}."
    if kind in (int, float) and isinstance(item, str):
        zh, en = zh + "请去掉引号。", en + " Remove the quotes."
    return Unreadable(Text(zh, en))


def _missing(name: str) -> Finding:
    zh = f"还没有 {name}。请完成填空，并运行保存它的单元格。"
    en = f"There is no {name} yet. Fill in the blanks and run the cell that saves it."
    return NotAttempted(Text(zh, en))


def _not_plain(name: str) -> Finding:
    zh = f"{name} 不是普通文件（可能是链接或文件夹）。请删除它，再运行保存它的单元格。"
    en = f"{name} is not a plain file (a link or a folder?). Delete it and save again."
    return Unreadable(Text(zh, en))


def _not_utf8(name: str, data: bytes, place: int) -> Finding:
    seen = _encoding(data)
    zh = f"{name} 的第 {place} 个字节不是 UTF-8 编码。请用 UTF-8 重新保存。"
    en = f"{name}: byte {place} is not UTF-8. Save the file again as UTF-8."
    if seen:
        zh = f"{name} 是 {seen} 编码，应为 UTF-8。请另存为 UTF-8。"
        en = f"{name} is in {seen}, expected UTF-8. Save the file again as UTF-8."
    return Unreadable(Text(zh, en))


def _encoding(data: bytes) -> str:
    """Return which other encoding the bytes are in, as Windows writes them, or ""."""
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "UTF-16"
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return ""
    return "GBK"


def _too_large(name: str, size: int, limit: int) -> Finding:
    seen, most = f"{size / 1e6:.1f} MB", f"{limit / 1e6:.0f} MB"
    zh = f"{name} 有 {seen}，最大允许 {most}。请只保存题目要求的内容。"
    en = f"{name} has {seen}, the limit is {most}. Save only what the task asks for."
    return Unreadable(Text(zh, en))


def _wrong_columns(name: str, header: Sequence[str], columns: Sequence[str]) -> Finding:
    seen, expected = ", ".join(map(str, header))[:80], ", ".join(columns)
    zh = f"{name} 的表头是“{seen}”，应该有且只有一次：{expected}。"
    en = f'{name} has the columns "{seen}", expected each once: {expected}.'
    return Unreadable(Text(zh, en))


def _bad_line(name: str, line: int) -> Finding:
    zh = f"{name} 第 {line} 行的列数不对，或行数超过 {MAX_ROWS}。请重新保存这个文件。"
    en = f"{name}: line {line} has the wrong number of columns, or is past {MAX_ROWS}."
    return Unreadable(Text(zh, en))


def _not_safetensors(name: str) -> Finding:
    zh = f"{name} 不是 safetensors 文件。请重新运行保存模型的单元格。"
    en = f"{name} is not a safetensors file. Run the cell that saves it again."
    return Unreadable(Text(zh, en))
