"""Facts about one page with several questions, and about two pages of one browser."""

import pytest
from lab_page import LabPage
from samples import cell

pytestmark = pytest.mark.xdist_group("annotator")

SEVERAL = """<View>
  <Header value="$title" size="2"/>
  <View style="display:flex;gap:1rem">
    <Labels name="ner" toName="text" choice="multiple">
      <Label value="Drug" alias="DRUG" hotkey="n"/>
      <Label value="Event" background="gold"/>
    </Labels>
  </View>
  <Text name="text" value="$text" granularity="word"/>
  <Choices name="cause" toName="text" choice="multiple" required="true"
           requiredMessage="Choose a cause.">
    <Choice value="dose"/>
    <Choice value="time" hotkey="g"/>
  </Choices>
  <TextArea name="why" toName="text" required="true"/>
</View>"""
TASK = {"title": "Report <b>7</b>", "text": "He took ibuprofen and had severe pain."}


def test_several_questions_at_once(room: LabPage) -> None:
    """Own keys win over commands, spans snap to words, what is missing is said."""
    source = f"annotate({SEVERAL!r}, [{TASK!r}] * 2, 'several.jsonl', language='en')"
    room.annotate(source)
    room.widget.locator(".an-counts").click()

    room.select_text("buprof")
    room.press("n")
    room.widget.locator("mark").click()
    room.press("1", "Enter")
    assert room.status() == "Choose a cause."
    room.press("g", "2", "Enter")
    assert room.status() == "Write the comment first, then submit."
    room.widget.locator("textarea").click()
    room.page.keyboard.type("one\ntwo g")
    room.press("Control+Enter")
    room.state("saved")

    span, causes, note = (
        region["value"] for region in room.results("several.jsonl")[0]
    )
    assert (span["start"], span["text"]) == (8, "ibuprofen")
    assert span["labels"] == ["DRUG", "Event"]
    assert causes == {"choices": ["dose", "time"]}
    assert note == {"text": ["one\ntwo g"]}
    assert room.widget.locator(".an-header").inner_text() == TASK["title"]


def test_a_note_alone_takes_the_keys(room: LabPage) -> None:
    """Where there is only something to write, the focus is in the field."""
    xml = '<View><Text name="t" value="$text"/><TextArea name="n" toName="t"/></View>'
    room.annotate(f"annotate({xml!r}, [{TASK!r}] * 2, 'note.jsonl')")
    room.widget.locator(".an-counts").click()

    room.page.keyboard.type("1xg")
    room.press("Control+Enter")
    room.state("saved")
    room.page.keyboard.type("2")
    room.press("Control+Enter")
    room.widget.locator(".an-counts", has_text="2").wait_for()

    texts = [task[0]["value"]["text"] for task in room.results("note.jsonl")]
    assert texts == [["1xg"], ["2"]]


def test_two_browser_pages_stay_in_step(room: LabPage) -> None:
    """A draft made in one tab of the browser is seen and submitted in the other."""
    room.annotate(cell("choices", "zh", "tabs.jsonl"))
    room.saved()
    other = room.another()
    other.widget.get_by_text("第 1 条").wait_for()

    room.widget.locator(".an-counts").click()
    room.press("2")
    other.widget.locator(".an-choice:has(:checked)", has_text="网络组").wait_for()
    other.widget.locator(".an-submit").click()
    room.widget.get_by_text("第 2 条").wait_for()
    other.page.close()

    assert len(room.lines("tabs.jsonl")) == 1
