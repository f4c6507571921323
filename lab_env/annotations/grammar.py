"""Which elements and attributes of Label Studio's configuration are known here.

Nothing that an attribute holds can make the page fetch something: a style is a list of
plain words, a colour is a colour, a hotkey is one key.
"""

import re
from difflib import get_close_matches

from lab_env.annotations.errors import AnnotationError
from lab_env.annotations.xml_tree import Element

# On one line, and something to see: a line end would break CoNLL and classes.txt.
_ANY = re.compile(r"(?=.*\S)[^\x00-\x1f\x7f\x85\u2028\u2029]{1,500}")
_NAME = re.compile(r"[A-Za-z][\w-]{0,60}")
_NAMES = re.compile(r"[A-Za-z][\w-]{0,60}(?: *, *[A-Za-z][\w-]{0,60})*")
_FIELD = re.compile(r"\$[^\W\d]\w{0,60}")
_YES_NO = re.compile(r"true|false")
_SMALL = re.compile(r"[1-9]\d?")
_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,3})?")
_COLOUR = re.compile(r"#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})|[A-Za-z]{3,30}")
_KEY = re.compile(r"[A-Za-z0-9]")
# No brackets, no backslash, no quotes: a url() cannot be written.
_STYLE = re.compile(r"[\w\s:;%#.,!/-]{1,500}")

_OPTION = {
    "value!": _ANY,
    "alias": _ANY,
    "hotkey": _KEY,
    "background": _COLOUR,
    "hint": _ANY,
}
_ASKED = {
    "name!": _NAME,
    "toName!": _NAMES,
    "required": _YES_NO,
    "requiredMessage": _ANY,
}
_LABELS = {
    **_ASKED,
    "choice": re.compile(r"single|multiple"),
    "showInline": _YES_NO,
    "opacity": _NUMBER,
    "strokeWidth": _SMALL,
}

# Element -> attribute -> what it may be; "!" marks one that must be there.
ATTRIBUTES: dict[str, dict[str, re.Pattern[str]]] = {
    "View": {"display": re.compile(r"block|inline"), "style": _STYLE},
    "Header": {"value!": _ANY, "size": re.compile(r"[1-6]")},
    "Text": {
        "name!": _NAME,
        "value!": _FIELD,
        "granularity": re.compile(r"symbol|word"),
    },
    "Image": {"name!": _NAME, "value!": _FIELD, "zoom": _YES_NO},
    "List": {"name!": _NAME, "value!": _FIELD, "title": _ANY},
    "Choices": {
        **_ASKED,
        "choice": re.compile(r"single|single-radio|multiple"),
        "showInline": _YES_NO,
    },
    "Labels": _LABELS,
    "RectangleLabels": _LABELS,
    "Pairwise": _ASKED,
    "Ranker": _ASKED,
    "TextArea": {
        **_ASKED,
        "placeholder": _ANY,
        "rows": _SMALL,
        "maxSubmissions": re.compile("1"),
        "editable": _YES_NO,
    },
    "Choice": _OPTION,
    "Label": _OPTION,
}
OPTION_OF = {"Choices": "Choice", "Labels": "Label", "RectangleLabels": "Label"}
_IN_VIEW = tuple(name for name in ATTRIBUTES if name not in ("Choice", "Label"))


def check_element(element: Element, inside: str = "") -> None:
    """Refuse an unknown element or attribute, and a value that cannot be."""
    allowed = _IN_VIEW if inside in ("", "View") else (OPTION_OF.get(inside, ""),)
    if element.name not in allowed:
        raise _unknown_element(element, inside, [name for name in allowed if name])
    if element.children and element.name != "View" and element.name not in OPTION_OF:
        child = element.children[0]
        raise _unknown_element(child, element.name, [])
    known = {name.rstrip("!"): rule for name, rule in ATTRIBUTES[element.name].items()}
    for name, value in element.attributes.items():
        if name not in known:
            raise _unknown_attribute(element, name, list(known))
        if not known[name].fullmatch(value):
            raise _wrong_value(element, name, value, known[name])
    for name in ATTRIBUTES[element.name]:
        if name.endswith("!") and name[:-1] not in element.attributes:
            line, missing = element.line, name[:-1]
            zh = f"第 {line} 行：<{element.name}> 缺少属性 {missing}，请补上。"
            en = f"Line {line}: <{element.name}> has no {missing}=. Add it."
            raise AnnotationError(zh, en)


def _unknown_element(
    element: Element, inside: str, allowed: list[str]
) -> AnnotationError:
    line, name = element.line, element.name
    close = get_close_matches(name, allowed, n=1)
    zh = f"第 {line} 行：<{inside or 'View'}> 里不能用 <{name}>。"
    en = f"Line {line}: <{name}> is not known inside <{inside or 'View'}>."
    if close:
        return AnnotationError(
            f"{zh}是不是 <{close[0]}>？", f"{en} Did you mean <{close[0]}>?"
        )
    if not allowed:
        return AnnotationError(f"{zh}请删除它。", f"{en} Delete it.")
    names = ", ".join(allowed)
    return AnnotationError(f"{zh}可以用：{names}。", f"{en} Use one of {names}.")


def _unknown_attribute(
    element: Element, name: str, known: list[str]
) -> AnnotationError:
    line, where = element.line, element.name
    names = ", ".join(get_close_matches(name, known, n=1) or known)
    zh = f"第 {line} 行：<{where}> 没有属性 {name}。可以用：{names}。"
    en = f"Line {line}: <{where}> has no attribute {name}. Use one of {names}."
    return AnnotationError(zh, en)


def _wrong_value(
    element: Element, name: str, value: str, rule: re.Pattern[str]
) -> AnnotationError:
    line, where, seen = element.line, element.name, " ".join(value.split())[:40]
    zh_form, en_form = _FORMS.get(rule, (rule.pattern, rule.pattern))
    zh = f"第 {line} 行：<{where}> 的 {name} 是“{seen}”，应为{zh_form}。请改好。"
    en = f'Line {line}: {name} of <{where}> is "{seen}", expected {en_form}. Change it.'
    return AnnotationError(zh, en)


_FORMS = {
    _ANY: ("一行 1 到 500 个字", "one line of 1 to 500 characters"),
    _NAME: ("字母开头的名字", "a name that begins with a letter"),
    _NAMES: ("名字，用逗号隔开", "names with commas between"),
    _FIELD: ("$ 加任务里的字段名，例如 $text", "$ and a field of the task, as $text"),
    _YES_NO: ("true 或 false", "true or false"),
    _SMALL: ("1 到 99 的整数", "a whole number from 1 to 99"),
    _NUMBER: ("一个数", "a number"),
    _COLOUR: ("颜色，例如 #d32f2f 或 red", "a colour, as #d32f2f or red"),
    _KEY: ("一个字母或数字键", "one letter or digit"),
    _STYLE: ("不含括号和引号的样式", "a style without brackets or quotes"),
}
