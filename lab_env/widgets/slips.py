"""What a beginner's slip was, and what to do, in both languages.

Each function takes one kind of Python's errors and returns its sentence, or None where
we know none. ``names`` is what the kernel knows, ``line`` the line of the cell.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

from lab_env.checks import Text

# Words of the scenario that are texts, so that a missing quote can be named.
_words: set[str] = set()


def know_words(words: Iterable[str]) -> None:
    """Remember texts of the scenario, such as label codes and columns."""
    _words.update(words)


def syntax_slip(error: SyntaxError) -> Text:
    """Name a full-width character, or the line that Python cannot read."""
    line = (error.text or "")[(error.offset or 1) - 1 :]
    if "character" in (error.msg or "") and line and not line[0].isascii():
        zh = f"这里的「{line[0]}」是中文（全角）符号。请切换到英文输入法重新输入它。"
        en = f'"{line[0]}" is a full-width character. Type it again in English mode.'
        return Text(zh, en)
    where, why = error.lineno, error.msg
    zh = f"第 {where} 行 Python 读不懂（{why}）。请检查括号和引号是否成对。"
    en = f"Python cannot read line {where} ({why}). Check brackets and quotes."
    return Text(zh, en)


def name_slip(name: str, names: Mapping[str, object], line: str) -> Text:
    """Say what a name that is not there was most likely meant to be."""
    if set(name) == {"_"}:
        zh = "这里还有一个空 ____ 没有填。请把 ____ 换成你的答案，再运行一次。"
        en = "There is still a blank ____ here. Fill it in and run that cell again."
        return Text(zh, en)
    if name.capitalize() in ("True", "False", "None"):
        right = name.capitalize()
        return Text(f"{name} 的首字母要大写：{right}。", f"Write {name} as {right}.")
    if name in _words or f"[{name}]" in line:
        zh = f'{name} 是一个词，代码里要加英文引号："{name}"。请改好再运行。'
        en = (
            f'{name} is a word; in code it needs quotes: "{name}". Add them, run again.'
        )
        return Text(zh, en)
    return _inside(name, names) or _misspelt(name, names) or _unknown(name, line)


def key_slip(error: KeyError, names: Mapping[str, object], line: str) -> Text | None:
    """Say which column was meant, if the line of the cell names what is missing."""
    name = error.args[0] if error.args else None
    if not isinstance(name, str) or repr(name)[1:-1] not in line:
        return None
    tables = [value for value in names.values() if type(value).__name__ == "DataFrame"]
    columns = {str(each) for table in tables for each in getattr(table, "columns", ())}
    # A column of that very name belongs to another table.
    there = () if name in columns else sorted(columns)
    close = get_close_matches(name, there, n=1, cutoff=0.6)
    if close:
        zh = f"没有叫“{name}”的列。是不是想写“{close[0]}”？请检查拼写。"
        en = f'There is no column "{name}". Did you mean "{close[0]}"? Check it.'
        return Text(zh, en)
    zh = f"没有叫“{name}”的列或编号。请对照上面显示的表，检查拼写和大小写。"
    en = f'There is no column or key "{name}". Compare with the table above; check it.'
    return Text(zh, en)


def kind_slip(error: TypeError) -> Text | None:
    """Say what was mixed up: numbers, texts, lists, a name without its brackets."""
    said = str(error)
    mixed = ("not supported between instances of", "Invalid comparison between")
    if any(each in said for each in mixed) and "str" in said:
        zh = '这里把数字和文字比大小了。数字两边不要加引号，例如写 16，不写 "16"。'
        en = 'A number is compared with a text. Write it without quotes: 16, not "16".'
        return Text(zh, en)
    if re.search("'(function|method|builtin_function_or_method)'", said):
        zh = "有一个名字填得不对，或者后面少了一对括号：例如 dropna 要写成 dropna()。"
        en = "A name here is not the right one, or lacks its brackets, as in dropna()."
        return Text(zh, en)
    if "unsupported operand" in said and "'list'" in said:
        zh = "这里拿一个数和一串东西做运算。要用的是个数的话，请写 len(...)。"
        en = "A number meets a whole list here. If you mean how many, write len(...)."
        return Text(zh, en)
    if "not JSON serializable" in said:
        zh = "有一个答案既不是数也不是文字，多半忘了加英文引号。请改好，先运行那一格。"
        en = "An answer is neither a number nor a text; most likely its quotes are "
        return Text(zh, f"{en}missing. Add them, and run that cell first.")
    return None


def file_slip(error: FileNotFoundError) -> Text | None:
    """Say that a file is written further up."""
    if not isinstance(error.filename, str):
        return None
    name = Path(error.filename).name
    zh = f"还没有 {name}。它由上面的单元格写出：请从上往下一格一格运行；"
    en = f"There is no {name} yet. A cell above writes it: run from the top, cell by "
    zh, en = f"{zh}要标注的，至少提交一条。", f"{en}cell, and submit what it asks for."
    return Text(zh, en)


def _inside(name: str, names: Mapping[str, object]) -> Text | None:
    for holder, value in names.items():
        if holder[0] != "_" and type(value) is dict and name in value:
            right = f'{holder}["{name}"]'
            zh = f"{name} 在 {holder} 里，要写成 {right}。请改好再运行。"
            return Text(zh, f"{name} is inside {holder}: write {right}, run again.")
    return None


def _misspelt(name: str, names: Iterable[str]) -> Text | None:
    close = get_close_matches(name, [n for n in names if n[0] != "_"], n=1, cutoff=0.8)
    if not close:
        return None
    zh = f"没有叫 {name} 的东西。是不是想写 {close[0]}？请检查拼写。"
    en = f"Nothing is called {name}. Did you mean {close[0]}? Check the spelling."
    return Text(zh, en)


def _unknown(name: str, line: str) -> Text:
    """Where a value is given, the name may be a text without its quotes."""
    if re.search(rf"[=:]\s*{re.escape(name)}\s*([),}}\]]|$)", line):
        zh = (
            f'没有叫 {name} 的东西。如果它是你填的文字，要加英文引号："{name}"；'
            "如果不是，多半是上面某个单元格没有运行：请从最上面往下，一格一格运行。"
        )
        en = (
            f'Nothing is called {name}. If it is a word, put it in quotes: "{name}". '
            "If not, a cell above was not run: run from the top, cell by cell."
        )
        return Text(zh, en)
    zh = (
        f"现在还没有 {name}。多半是上面某个单元格没有运行，或者运行时出了错："
        "请从最上面往下，一格一格运行；先修好第一个出错的单元格。"
    )
    en = (
        f"There is no {name} yet. Most likely a cell above was not run or stopped with "
        "an error: run from the top, cell by cell, and mend the first that fails."
    )
    return Text(zh, en)
