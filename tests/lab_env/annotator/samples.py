"""One labelling task of each of the five kinds, in Chinese and in English."""

import random
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

KINDS = ("choices", "spans", "boxes", "pair", "ranking")
LANGUAGES = ("zh", "en")

_WORDS: dict[str, dict[str, Any]] = {
    "zh": {
        "ask": "这条留言派给哪个组？",
        "teams": ("账务组", "网络组", "宽带组"),
        "message": "第 {n} 条：我的手机没有信号，怎么办？",
        "labels": ("人名", "地点", "药品"),
        "note": "😀张伟在北京服用了阿司匹林，三天后出现皮疹。",
        "defects": ("划痕", "凹坑"),
        "better": "哪个回答更有帮助？",
        "prompt": "怎样重置路由器？",
        "answers": ("按住复位键十秒，等指示灯变绿。", "不知道。", "拔掉电源再插上。"),
        "why": "请写出理由",
    },
    "en": {
        "ask": "Which team gets this message?",
        "teams": ("Billing", "Network", "Broadband"),
        "message": "Message {n}: my phone has no signal, what can I do?",
        "labels": ("Person", "Place", "Drug"),
        "note": "😀Zhang Wei took aspirin in Beijing and had a rash after three days.",
        "defects": ("Scratch", "Dent"),
        "better": "Which answer is more helpful?",
        "prompt": "How do I reset my router?",
        "answers": ("Hold the button for ten seconds.", "No idea.", "Unplug it."),
        "why": "Say why",
    },
}


def words(language: str) -> dict[str, Any]:
    """Return the texts of the samples."""
    return _WORDS[language]


def labelling(kind: str, language: str) -> str:
    """Return the configuration of one kind."""
    said = _WORDS[language]
    head = f'<Header value="{said["ask" if kind == "choices" else "better"]}"/>'
    text = '<Text name="text" value="$text"/>'
    options = {
        "choices": "".join(f'<Choice value="{name}"/>' for name in said["teams"]),
        "spans": "".join(f'<Label value="{name}"/>' for name in said["labels"]),
        "boxes": "".join(f'<Label value="{name}"/>' for name in said["defects"]),
    }.get(kind, "")
    body = {
        "choices": f'{head}{text}<Choices name="team" toName="text" required="true" '
        f'showInline="true">{options}</Choices>',
        "spans": f'<Labels name="ner" toName="text">{options}</Labels>{text}',
        "boxes": '<RectangleLabels name="box" toName="image">'
        f'{options}</RectangleLabels><Image name="image" value="$image"/>',
        "pair": f'{head}{text}<Text name="left" value="$left"/>'
        '<Text name="right" value="$right"/><Pairwise name="pair" toName="left,right" '
        f'required="true"/><TextArea name="why" toName="text" '
        f'placeholder="{said["why"]}"/>',
        "ranking": f'{text}<List name="answers" value="$items"/>'
        '<Ranker name="rank" toName="answers"/>',
    }[kind]
    return f"<View>{body}</View>"


def tasks(kind: str, language: str, number: int = 4) -> list[dict[str, Any]]:
    """Return so many tasks of one kind."""
    return [_task(kind, _WORDS[language], place) for place in range(1, number + 1)]


def _task(kind: str, said: dict[str, Any], place: int) -> dict[str, Any]:
    one, two, three = said["answers"]
    return {
        "choices": {"text": said["message"].format(n=place)},
        "spans": {"text": said["note"]},
        "boxes": {"image": f"part-{place % 3}.png"},
        "pair": {"text": said["prompt"], "left": one, "right": two},
        "ranking": {
            "text": said["prompt"],
            "items": [
                {"id": "a", "title": "A", "body": one},
                {"id": "b", "title": "B", "body": two},
                {"id": "c", "title": "C", "body": three},
            ],
        },
    }[kind]


def draw_parts(folder: Path) -> None:
    """Write three pictures of 400 by 320 pixels, each of about 300 kB."""
    for place in range(3):
        chance = random.Random(place)
        pixels = bytes(chance.randint(120, 180) for _ in range(400 * 320 * 3))
        picture = Image.frombytes("RGB", (400, 320), pixels)
        line = ImageDraw.Draw(picture)
        line.line((60, 80, 220, 240), fill=(40, 40, 40), width=4)
        picture.save(folder / f"part-{place}.png")


def cell(kind: str, language: str, out: str, number: int = 4, **options: Any) -> str:
    """Return the source of a cell that shows the page."""
    given = "".join(f", {name}={value!r}" for name, value in options.items())
    xml, found = labelling(kind, language), tasks(kind, language, number)
    return f"annotate({xml!r}, {found!r}, {out!r}, language={language!r}{given})"
