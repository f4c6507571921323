"""One configuration of every kind, tasks for it, and results as a screen sends them."""

from typing import Any

from hypothesis import settings

from lab_env.annotations.labelling import Labelling, read_labelling
from lab_env.annotations.tasks import Task, tasks_of

# Other tests take their share of the machine: no example is failed for being slow.
UNTIMED = settings(deadline=None)

TEXTS = """
<View>
  <Header value="哪个小组处理？"/>
  <Text name="text" value="$text"/>
  <Choices name="team" toName="text" required="true">
    <Choice value="物流" alias="delivery" hotkey="1"/>
    <Choice value="退款" alias="refund" hotkey="2"/>
  </Choices>
  <Labels name="ner" toName="text">
    <Label value="PER" hotkey="q" background="#d32f2f"/>
    <Label value="LOC" hotkey="w"/>
  </Labels>
  <TextArea name="why" toName="text"/>
</View>
"""
IMAGES = """
<View>
  <Image name="image" value="$image"/>
  <RectangleLabels name="defect" toName="image">
    <Label value="scratch"/><Label value="dent"/>
  </RectangleLabels>
</View>
"""
PAIRS = """
<View>
  <Text name="question" value="$question"/>
  <Text name="a" value="$first"/>
  <Text name="b" value="$second"/>
  <Pairwise name="better" toName="a,b"/>
  <TextArea name="why" toName="question"/>
</View>
"""
RANKS = """
<View>
  <Text name="question" value="$question"/>
  <List name="answers" value="$answers" title="回答"/>
  <Ranker name="rank" toName="answers"/>
</View>
"""
SENTENCES = ("张伟在上海。", "😀张伟在上海。", "Zhang Wei lives in Shanghai.")


def texts() -> tuple[Labelling, list[Task]]:
    """Return a text configuration and three tasks, one with an emoji before Chinese."""
    return read_labelling(TEXTS), tasks_of([{"text": each} for each in SENTENCES])


def images(count: int = 2) -> tuple[Labelling, list[Task]]:
    """Return a box configuration and its tasks."""
    names = [{"image": f"images/{number}.png"} for number in range(count)]
    return read_labelling(IMAGES), tasks_of(names)


def pairs(count: int = 2) -> tuple[Labelling, list[Task]]:
    """Return a comparison configuration and its tasks."""
    data = [
        {"question": f"问题 {n}", "first": f"回答 {n} 甲", "second": f"回答 {n} 乙"}
        for n in range(count)
    ]
    return read_labelling(PAIRS), tasks_of(data)


def ranks() -> tuple[Labelling, list[Task]]:
    """Return a ranking configuration and one task of three answers."""
    answers = [{"id": name, "body": f"回答 {name}"} for name in "abc"]
    return read_labelling(RANKS), tasks_of([{"question": "问", "answers": answers}])


def chosen(code: str = "refund") -> dict[str, Any]:
    """Return a choice as the screen sends it."""
    value = {"choices": [code]}
    return {"from_name": "team", "to_name": "text", "type": "choices", "value": value}


def span(start: int, end: int, label: str = "PER", /, **more: object) -> dict[str, Any]:
    """Return a span as the screen sends it."""
    value = {"start": start, "end": end, "labels": [label], **more}
    return {"from_name": "ner", "to_name": "text", "type": "labels", "value": value}


def box(
    x: float, y: float, width: float, height: float, /, **more: object
) -> dict[str, Any]:
    """Return a box, in percent of an image of 640 by 480 pixels."""
    value = {"x": x, "y": y, "width": width, "height": height, "rotation": 0}
    value |= {"rectanglelabels": ["scratch"], **more}
    head = {"from_name": "defect", "to_name": "image", "type": "rectanglelabels"}
    return {**head, "value": value, "original_width": 640, "original_height": 480}


def pair(side: str) -> dict[str, Any]:
    """Return a comparison as the screen sends it."""
    value = {"selected": side}
    head = {"from_name": "better", "to_name": "better", "type": "pairwise"}
    return {**head, "value": value}


def rank(*order: str) -> dict[str, Any]:
    """Return a ranking as the screen sends it."""
    value = {"ranker": {"rank": list(order)}}
    return {"from_name": "rank", "to_name": "answers", "type": "ranker", "value": value}


def note(text: str, to: str = "text") -> dict[str, Any]:
    """Return a written reason as the screen sends it."""
    value = {"text": [text]}
    return {"from_name": "why", "to_name": to, "type": "textarea", "value": value}
