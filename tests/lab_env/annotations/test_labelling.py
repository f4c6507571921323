"""Facts about labelling configurations: each that is wrong ends in one sentence."""

import time
from contextlib import suppress
from xml.sax.saxutils import quoteattr

import pytest
from annotated_toy import IMAGES, PAIRS, RANKS, TEXTS, UNTIMED
from hypothesis import given
from hypothesis import strategies as st

from lab_env.annotations.errors import AnnotationError
from lab_env.annotations.labelling import Labelling, read_labelling
from lab_env.annotations.xml_tree import MAX_BYTES

TEXT = '<Text name="t" value="$t"/>'
YES = '<Choice value="yes"/>'


def asked(inside: str, attributes: str = 'name="c" toName="t"') -> str:
    """Return a configuration with one <Choices> on its second line."""
    return f"<View>{TEXT}\n<Choices {attributes}>{inside}</Choices></View>"


def refused(xml: str) -> AnnotationError:
    """Return the error that a configuration ends in."""
    with pytest.raises(AnnotationError) as caught:
        read_labelling(xml)
    return caught.value


@pytest.mark.parametrize(
    ("xml", "kinds"),
    [
        (TEXTS, ["Choices", "Labels", "TextArea"]),
        (IMAGES, ["RectangleLabels"]),
        (PAIRS, ["Pairwise", "TextArea"]),
        (RANKS, ["Ranker"]),
    ],
)
def test_every_kind_of_question_is_read(xml: str, kinds: list[str]) -> None:
    """A configuration gives its questions in the order of the screen."""
    labelling = read_labelling(xml)

    assert [control.kind for control in labelling.controls] == kinds
    assert labelling.as_json()["kind"] == "View"


def test_an_alias_is_what_a_result_holds() -> None:
    """The screen shows the value, the file holds the alias."""
    team = read_labelling(TEXTS).control("team")

    assert team.codes == ("delivery", "refund")
    assert [option.value for option in team.options] == ["物流", "退款"]
    assert (team.required, team.multiple, team.to) == (True, False, ("text",))


@pytest.mark.parametrize(
    ("xml", "sentence"),
    [
        ("<View>", "Line 1: the XML is broken (no element found). Check brackets, quotes, end tags."),
        ("\n\n<View><a></View>", "Line 3: the XML is broken (mismatched tag). Check brackets, quotes, end tags."),
        ("", "Line 1: the XML is broken (no element found). Check brackets, quotes, end tags."),
        ('<View a="1" a="2"/>', "Line 1: the XML is broken (duplicate attribute). Check brackets, quotes, end tags."),
        ('<View style="\ud83d"/>', "Line 1: the XML is broken (half a character). Check brackets, quotes, end tags."),
        ("<View>hello</View>", 'Line 1: <View> holds the text "hello". Write it as value=.'),
        ("<Text/>", "Line 1: the outermost element is <Text>, expected <View>. Put everything inside one."),
        ("<View><Texte/></View>", "Line 1: <Texte> is not known inside <View>. Did you mean <Text>?"),
        ("<View><Choice/></View>", "Line 1: <Choice> is not known inside <View>. Did you mean <Choices>?"),
        (f"<View>{TEXT}</View>", "Nothing is asked about t. Add a <Choices>, <Labels>, ..."),
        ('<View><Text value="$a"/></View>', "Line 1: <Text> has no name=. Add it."),
        ('<View><Text name="a" value="a"/></View>', 'Line 1: value of <Text> is "a", expected $ and a field of the task, as $text. Change it.'),
        ('<View><Text name="a" value="$a" hotkey="1"/></View>', "Line 1: <Text> has no attribute hotkey. Use one of name, value, granularity."),
        (asked(""), "Line 2: <Choices> has no <Choice>, expected at least one. Change it."),
        (asked("<Label/>"), "Line 2: <Label> is not known inside <Choices>. Use one of Choice."),
        (asked(YES, 'name="c" toName="x"'), 'Line 2: there is no "x", only t, for toName. Change it.'),
        (asked(YES, 'name="c" toName="t,t"'), 'Line 2: toName of <Choices> is "t,t", expected 1 name(s). Change it.'),
        (asked(YES, 'name="t" toName="t"'), 'Line 2: name "t" is taken by line 1. Change it.'),
        (asked(YES + YES), 'Line 2: value "yes" is taken by line 2. Change it.'),
        (asked(YES + '<Choice value="no" alias="yes"/>'), 'Line 2: value "yes" is taken by line 2. Change it.'),
        (asked('<Choice value="a" hotkey="1"/><Choice value="b" hotkey="1"/>'), 'Line 2: hotkey "1" is taken by line 2. Change it.'),
        (asked('<Choice value="a" hotkey="ctrl+s"/>'), 'Line 2: hotkey of <Choice> is "ctrl+s", expected one letter or digit. Change it.'),
        (asked('<Choice value="a&#10;b"/>'), 'Line 2: value of <Choice> is "a b", expected one line of 1 to 500 characters. Change it.'),
        (asked('<Choice value=" "/>'), 'Line 2: value of <Choice> is "", expected one line of 1 to 500 characters. Change it.'),
        (asked('<Choice value="a"><Choice value="b"/></Choice>'), "Line 2: <Choice> is not known inside <Choice>. Delete it."),
        (f'<View>{TEXT}<RectangleLabels name="r" toName="t"><Label value="a"/></RectangleLabels></View>', 'Line 1: <RectangleLabels> is about a <Image>, "t" is a <Text>. Change it.'),
        (f'<View>{TEXT}<Pairwise name="p" toName="t"/></View>', 'Line 1: toName of <Pairwise> is "t", expected 2 name(s). Change it.'),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(xml: str, sentence: str) -> None:
    """Broken XML, unknown elements and names that lead nowhere have their sentence."""
    error = refused(xml)

    assert str(error) == sentence
    assert any("一" <= char <= "鿿" for char in error.message.zh)


@pytest.mark.parametrize(
    "style",
    ["background: url(http://x)", "background: \\75rl", 'a: "b"', "a: image('x')"],
)
def test_no_style_can_fetch_anything(style: str) -> None:
    """A style or colour with brackets, quotes or backslashes is refused."""
    error = refused(f"<View style={quoteattr(style)}>{TEXT}</View>")
    assert "without brackets or quotes" in str(error)

    error = refused(asked(f'<Choice value="a" background={quoteattr(style)}/>'))
    assert "expected a colour" in str(error)


def test_a_doctype_is_refused_before_it_costs_anything() -> None:
    """The billion laughs, and a file of the machine as an entity, end in a sentence."""
    entities = '<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY f SYSTEM "file:///x">'
    began = time.process_time()

    error = refused(f"<!DOCTYPE View [{entities}]><View>&b;&f;</View>")

    assert str(error) == "Line 1: a configuration has no DOCTYPE (View). Delete it."
    assert time.process_time() - began < 1


def test_size_and_depth_have_limits() -> None:
    """A configuration of a megabyte, or nested a hundred deep, is refused."""
    wide, deep = (
        "<View>" + " " * MAX_BYTES + "</View>",
        "<View>" * 100 + "</View>" * 100,
    )

    assert "bytes, at most 100000; shorten it." in str(refused(wide))
    assert (
        str(refused(deep))
        == "Line 1: <View> is nested deeper than 12. Use fewer levels."
    )


@UNTIMED
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(xml: str) -> None:
    """No text makes the reader fail in another way than by its sentence."""
    for given_xml in (xml, f"<View>{TEXT}{xml}</View>", asked(xml)):
        with suppress(AnnotationError):
            assert isinstance(read_labelling(given_xml), Labelling)


LETTERS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=20)  # fmt: skip


@UNTIMED
@given(st.lists(LETTERS, min_size=1, max_size=8, unique=True), st.booleans())
def test_what_is_written_is_read(values: list[str], multiple: bool) -> None:
    """Any values, of any script, come back as they were written."""
    values = [value for value in values if value.isprintable()] or ["a"]
    inside = "".join(f"<Choice value={quoteattr(value)}/>" for value in values)
    kind = "multiple" if multiple else "single"

    xml = asked(inside, f'name="c" toName="t" choice="{kind}"')
    control = read_labelling(f'<?xml version="1.0" encoding="gbk"?>\n{xml}').control(
        "c"
    )

    assert list(control.codes) == values
    assert control.multiple is multiple
