"""A labelling configuration: what a task shows and what is asked about it.

A strict subset of Label Studio's XML. Known here: View and Header; Text, Image, List;
Choices, Labels, RectangleLabels, Pairwise, Ranker, TextArea. Anything else is refused
by its line, so that nobody works an hour on a screen that leaves something out.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, NoReturn

from lab_env.annotations.errors import AnnotationError
from lab_env.annotations.grammar import OPTION_OF, check_element
from lab_env.annotations.xml_tree import Element, read_tree

ShownKind = Literal["Text", "Image", "List"]
ControlKind = Literal[
    "Choices", "Labels", "RectangleLabels", "Pairwise", "Ranker", "TextArea"
]
# What each control may be about; the others go with anything that is shown.
_ABOUT = {"Labels": "Text", "RectangleLabels": "Image", "Ranker": "List"}
_SEVERAL = {"Pairwise": 2}


@dataclass(frozen=True)
class Header:
    """A heading: fixed text, or a field of the task when ``value`` begins with $."""

    value: str
    size: int
    kind: str = "Header"


@dataclass(frozen=True)
class Shown:
    """Something of the task to look at, from its data field ``field``."""

    kind: ShownKind
    name: str
    field: str
    title: str
    # Text: does a span snap to words? Image: may it be zoomed?
    words: bool
    zoom: bool


@dataclass(frozen=True)
class Option:
    """One choice or label; ``code`` is what a result holds."""

    value: str
    code: str
    hotkey: str
    background: str
    hint: str


@dataclass(frozen=True)
class Control:
    """A question about what is shown; ``to`` names that, two names for Pairwise."""

    kind: ControlKind
    name: str
    to: tuple[str, ...]
    options: tuple[Option, ...]
    multiple: bool
    required: bool
    required_message: str
    inline: bool
    placeholder: str
    rows: int

    @property
    def codes(self) -> tuple[str, ...]:
        """What a result of this control may hold."""
        return tuple(option.code for option in self.options)


@dataclass(frozen=True)
class View:
    """A box of the screen; ``children`` in their order."""

    inline: bool
    style: str
    children: tuple["Piece", ...]
    kind: str = "View"


Piece = View | Header | Shown | Control


@dataclass(frozen=True)
class Labelling:
    """One whole configuration; ``xml`` is the text that it was read from."""

    view: View
    xml: str

    @property
    def shown(self) -> tuple[Shown, ...]:
        """Everything that is looked at, in the order of the screen."""
        return tuple(each for each in _walk(self.view) if isinstance(each, Shown))

    @property
    def controls(self) -> tuple[Control, ...]:
        """Every question, in the order of the screen."""
        return tuple(each for each in _walk(self.view) if isinstance(each, Control))

    @property
    def headers(self) -> tuple[Header, ...]:
        """Every heading, in the order of the screen."""
        return tuple(each for each in _walk(self.view) if isinstance(each, Header))

    def named(self, name: str) -> Shown:
        """Return what is shown under ``name``; KeyError for another name."""
        return {each.name: each for each in self.shown}[name]

    def control(self, name: str) -> Control:
        """Return the question ``name``; KeyError for another name."""
        return {each.name: each for each in self.controls}[name]

    def as_json(self) -> dict[str, Any]:
        """Return the tree as plain values, for the screen: each piece has a kind."""
        return asdict(self.view)


def read_labelling(xml: str) -> Labelling:
    """Return the configuration; whatever is wrong is an AnnotationError with its line.

    ``xml`` is the text itself, not a path.
    """
    root = read_tree(xml)
    if root.name != "View":
        line, name = root.line, root.name
        zh = f"第 {line} 行：最外层是 <{name}>，应为 <View>。请用 <View> 包住全部。"
        en = f"Line {line}: the outermost element is <{name}>, expected <View>."
        raise AnnotationError(zh, f"{en} Put everything inside one.")
    view = _view(root)
    _check_names(root)
    return Labelling(view, xml)


def _view(element: Element) -> View:
    check_element(element)
    said = element.attributes
    children = tuple(_piece(child) for child in element.children)
    return View(said.get("display") == "inline", said.get("style", ""), children)


def _piece(element: Element) -> Piece:
    check_element(element, inside="View")
    said = element.attributes
    if element.name == "View":
        return _view(element)
    if element.name == "Header":
        return Header(said["value"], int(said.get("size", "4")))
    if element.name in ("Text", "Image", "List"):
        return _shown(element)
    return _control(element)


def _shown(element: Element) -> Shown:
    said = element.attributes
    kind: Any = element.name
    return Shown(
        kind=kind,
        name=said["name"],
        field=said["value"].removeprefix("$"),
        title=said.get("title", ""),
        words=said.get("granularity") == "word",
        zoom=said.get("zoom", "true") == "true",
    )


def _control(element: Element) -> Control:
    said = element.attributes
    kind: Any = element.name
    for child in element.children:
        check_element(child, inside=element.name)
    return Control(
        kind=kind,
        name=said["name"],
        to=tuple(name.strip() for name in said["toName"].split(",")),
        options=tuple(_option(child) for child in element.children),
        multiple=said.get("choice") == "multiple",
        required=said.get("required") == "true",
        required_message=said.get("requiredMessage", ""),
        inline=said.get("showInline", str(kind == "Labels").lower()) == "true",
        placeholder=said.get("placeholder", ""),
        rows=int(said.get("rows", "3")),
    )


def _option(element: Element) -> Option:
    said = element.attributes
    return Option(
        value=said["value"],
        code=said.get("alias") or said["value"],
        hotkey=said.get("hotkey", "").lower(),
        background=said.get("background", ""),
        hint=said.get("hint", ""),
    )


def _walk(view: View) -> Iterator[Piece]:
    for child in view.children:
        yield child
        if isinstance(child, View):
            yield from _walk(child)


def _elements(element: Element) -> Iterator[Element]:
    yield element
    for child in element.children:
        yield from _elements(child)


def _check_names(root: Element) -> None:
    """Check what one element alone cannot show: names, codes, keys, toName."""
    elements = list(_elements(root))
    _unique(elements, "name")
    shown = {
        each.attributes["name"]: each.name
        for each in elements
        if each.name in ("Text", "Image", "List")
    }
    controls = [each for each in elements if "toName" in each.attributes]
    if not controls:
        zh = f"配置里没有要做的标注：{_names(shown)}。请加一个 <Choices>、<Labels> 等。"
        en = f"Nothing is asked about {_names(shown)}. Add a <Choices>, <Labels>, ..."
        raise AnnotationError(zh, en)
    for control in controls:
        _check_target(control, shown)
        _unique(control.children, "value")
        _unique(control.children, "alias")
        if control.name in OPTION_OF and not control.children:
            name, option = control.name, OPTION_OF[control.name]
            zh = f"<{name}> 里没有 <{option}>，至少要一个"
            _refuse(control, zh, f"<{name}> has no <{option}>, expected at least one")
    _unique(elements, "hotkey")


def _check_target(control: Element, shown: dict[str, str]) -> None:
    said, kind = control.attributes["toName"], control.name
    targets = [name.strip() for name in said.split(",")]
    many = _SEVERAL.get(kind, 1)
    if len(set(targets)) != many or len(targets) != many:
        zh = f"<{kind}> 的 toName 应有 {many} 个名字，现在是“{said}”"
        _refuse(control, zh, f'toName of <{kind}> is "{said}", expected {many} name(s)')
    for name in targets:
        if name not in shown:
            zh, en = (
                f"没有“{name}”，只有：{_names(shown)}",
                f'there is no "{name}", only',
            )
            _refuse(control, f"toName 指的{zh}", f"{en} {_names(shown)}, for toName")
        wanted = _ABOUT.get(kind, shown[name])
        if shown[name] != wanted:
            zh = f"<{kind}> 要指向 <{wanted}>，“{name}”是 <{shown[name]}>"
            en = f'<{kind}> is about a <{wanted}>, "{name}" is a <{shown[name]}>'
            _refuse(control, zh, en)


def _unique(elements: list[Element], attribute: str) -> None:
    seen: dict[str, Element] = {}
    for element in elements:
        value = element.attributes.get(attribute, "")
        # An option's code is its alias, so the two share one room of names.
        if value and element.name in ("Choice", "Label") and attribute == "value":
            value = element.attributes.get("alias") or value
        if value and value in seen:
            first = seen[value].line
            zh = f"{attribute}“{value}”在第 {first} 行已经用过"
            _refuse(element, zh, f'{attribute} "{value}" is taken by line {first}')
        if value:
            seen[value] = element


def _refuse(element: Element, zh: str, en: str) -> NoReturn:
    zh, en = f"第 {element.line} 行：{zh}。请改好。", f"Line {element.line}: {en}."
    raise AnnotationError(zh, f"{en} Change it.")


def _names(shown: dict[str, str]) -> str:
    return ", ".join(shown) or "-"
