"""Errors of a cell, said in a sentence that a beginner can act on.

Covered: a blank that is not filled in, a name that is not there (a cell not run, a
slip of the pen, a text without quotes), a column that is not there, a number in
quotes, punctuation typed in Chinese, our own ``LabError``. Everything else keeps
Python's own traceback.
"""

import linecache
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from types import TracebackType
from typing import Any

from lab_env.checks import Text
from lab_env.errors import LabError

BLANK = "____"

# Words of the scenario that are texts, so that a missing quote can be named.
_words: set[str] = set()


def know_words(words: Iterable[str]) -> None:
    """Remember texts of the scenario, such as label codes and columns."""
    _words.update(words)


def explain_errors(language: Callable[[], str]) -> None:
    """Install the sentences in this kernel; outside IPython nothing happens."""
    from IPython.core.getipython import get_ipython

    # IPython's functions carry no types.
    shell: Any = get_ipython()
    if shell is None:
        return

    def show(
        shell: Any,
        kind: type[BaseException],
        error: BaseException,
        trace: TracebackType | None,
        tb_offset: int | None = None,
    ) -> list[str]:
        place = _place(error, trace, shell.user_ns)
        said = explain(error, shell.user_ns, "".join(place))
        if said is None:
            lines = list(
                shell.InteractiveTB.structured_traceback(kind, error, trace, tb_offset)
            )
        else:
            lines = [*place, said.read(language())]
        # The message that makes a front end show an error, and a runner stop at it.
        shell._showtraceback(kind, error, lines)
        return lines

    known = (NameError, SyntaxError, KeyError, TypeError, LabError)
    shell.set_custom_exc(known, show)


def explain(
    error: BaseException, names: Mapping[str, object], line: str = ""
) -> Text | None:
    """Return what happened and what to do, in both languages; None if unknown.

    ``line`` is the line of the cell, ``names`` are what the kernel knows.
    """
    if isinstance(error, SyntaxError):
        return _syntax(error)
    if isinstance(error, NameError):
        return _name(getattr(error, "name", None) or str(error), names, line)
    if isinstance(error, KeyError):
        return _key(error, names, line)
    if isinstance(error, TypeError):
        return _kind(error)
    said = getattr(error, "message", None)
    return said if isinstance(said, Text) else Text(str(error), str(error))


def _key(error: KeyError, names: Mapping[str, object], line: str) -> Text | None:
    """Say which column was meant, if the line of the cell names what is missing."""
    name = error.args[0] if error.args else None
    if not isinstance(name, str) or repr(name)[1:-1] not in line:
        return None
    tables = [value for value in names.values() if type(value).__name__ == "DataFrame"]
    columns = {str(each) for table in tables for each in getattr(table, "columns", ())}
    close = get_close_matches(name, sorted(columns), n=1, cutoff=0.6)
    if close:
        zh = f"没有叫“{name}”的列。是不是想写“{close[0]}”？请检查拼写。"
        en = f'There is no column "{name}". Did you mean "{close[0]}"? Check it.'
        return Text(zh, en)
    zh = f"没有叫“{name}”的列或编号。请对照上面显示的表，检查拼写和大小写。"
    en = f'There is no column or key "{name}". Compare with the table above; check it.'
    return Text(zh, en)


def _kind(error: TypeError) -> Text | None:
    """Say that numbers and texts were mixed, which a beginner does by quotes."""
    said = str(error)
    mixed = ("not supported between instances of", "Invalid comparison between")
    if not any(each in said for each in mixed) or "str" not in said:
        return None
    zh = '这里把数字和文字比大小了。数字两边不要加引号，例如写 16，不写 "16"。'
    en = 'A number is compared with a text. Write it without quotes: 16, not "16".'
    return Text(zh, en)


def _name(name: str, names: Iterable[str], line: str = "") -> Text:
    if set(name) == {"_"}:
        zh = "这里还有一个空 ____ 没有填。请把 ____ 换成你的答案，再运行这个单元格。"
        en = (
            "There is still a blank ____ here. Put your answer in its place, run again."
        )
        return Text(zh, en)
    if name in _words or f"[{name}]" in line:
        zh = f'{name} 是一个词，代码里要加英文引号："{name}"。请改好再运行。'
        en = (
            f'{name} is a word; in code it needs quotes: "{name}". Add them, run again.'
        )
        return Text(zh, en)
    close = get_close_matches(name, [n for n in names if n[0] != "_"], n=1, cutoff=0.8)
    if close:
        zh = f"没有叫 {name} 的东西。是不是想写 {close[0]}？请检查拼写。"
        en = f"Nothing is called {name}. Did you mean {close[0]}? Check the spelling."
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


def _syntax(error: SyntaxError) -> Text:
    line = (error.text or "")[(error.offset or 1) - 1 :]
    if "character" in (error.msg or "") and line and not line[0].isascii():
        zh = f"这里的「{line[0]}」是中文（全角）符号。请切换到英文输入法重新输入它。"
        en = f'"{line[0]}" is a full-width character. Type it again in English mode.'
        return Text(zh, en)
    where, why = error.lineno, error.msg
    zh = f"第 {where} 行 Python 读不懂（{why}）。请检查括号和引号是否成对。"
    en = f"Python cannot read line {where} ({why}). Check brackets and quotes."
    return Text(zh, en)


def _place(
    error: BaseException, trace: TracebackType | None, names: object
) -> list[str]:
    """Return the line of the cell that the error came from."""
    if isinstance(error, SyntaxError):
        return _pointed(error.lineno, error.text or "")
    number, text = None, ""
    while trace is not None:
        if trace.tb_frame.f_globals is names:
            number = trace.tb_lineno
            text = linecache.getline(trace.tb_frame.f_code.co_filename, number)
        trace = trace.tb_next
    return _pointed(number, text)


def _pointed(number: int | None, text: str) -> list[str]:
    return [f"----> {number} {text.strip()}"] if number and text.strip() else []
