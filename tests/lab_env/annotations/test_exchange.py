"""Facts about export and import: what goes out comes back, and other tools read it."""

import csv
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from annotated_toy import (
    UNTIMED,
    box,
    chosen,
    images,
    note,
    pair,
    pairs,
    rank,
    ranks,
    span,
    texts,
)
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lab_env.annotations.annotated import Annotated
from lab_env.annotations.bio import tags, tokens
from lab_env.annotations.errors import AnnotationError
from lab_env.annotations.export import (
    coco,
    conll_text,
    csv_text,
    export,
    label_studio_text,
    preference_text,
    yolo,
)
from lab_env.annotations.importing import (
    read_coco,
    read_conll,
    read_label_studio,
    read_yolo,
)
from lab_env.annotations.labelling import Labelling, read_labelling
from lab_env.annotations.reading import read_result
from lab_env.annotations.results import Box, Span, box_of_pixels
from lab_env.annotations.tasks import Task, tasks_of
from lab_env.checks import Text

Toy = tuple[Labelling, list[Task]]


def done(toy: Toy, number: int, *raw: object, **more: Any) -> Annotated:
    """Return one task of a toy with a result."""
    labelling, tasks = toy
    task = tasks[number - 1]
    return Annotated(
        task, read_result(list(raw), labelling, task.data, Text("", "")), **more
    )


def test_chinese_is_tagged_by_character() -> None:
    """A Chinese sentence is not one token, and an emoji is one of its tokens."""
    text = conll_text(
        [done(texts(), 2, chosen(), span(1, 3), span(4, 6, "LOC"))], texts()[0]
    )

    assert (
        text == "# id = 2\n😀 O\n张 B-PER\n伟 I-PER\n在 O\n上 B-LOC\n海 I-LOC\n。 O\n\n"
    )


def test_english_is_tagged_by_word() -> None:
    """A text without Chinese is tagged by word, and a touched word belongs to a span."""
    text = conll_text([done(texts(), 3, span(0, 8), span(19, 27, "LOC"))], texts()[0])

    assert text.split("\n")[1:7] == [
        *("Zhang B-PER", "Wei I-PER", "lives O", "in O", "Shanghai B-LOC", ". O"),
    ]


def test_neighbours_stay_two() -> None:
    """Two spans of one label side by side come back as two."""
    toy = texts()
    items = [done(toy, 1, span(0, 1), span(1, 2))]

    assert read_conll(conll_text(items, toy[0]), toy[1], toy[0]) == items


def test_overlapping_spans_are_refused_by_task() -> None:
    """What BIO cannot say is not written, and the task is named."""
    with pytest.raises(AnnotationError) as caught:
        conll_text([done(texts(), 1, span(0, 3), span(2, 4, "LOC"))], texts()[0])

    assert str(caught.value) == (
        "Task 1: Span 2-4 (LOC) overlaps another or has several labels; BIO cannot say "
        "that. Change the annotation first."
    )


def test_a_span_with_two_labels_is_refused() -> None:
    """A span of two labels cannot be said in BIO, even where nothing overlaps."""
    with pytest.raises(
        AnnotationError, match=r"Span 0-2 \(PER, LOC\) overlaps another or has"
    ):
        tags("张伟", [Span("ner", "text", 0, 2, "张伟", ("PER", "LOC"))])


def test_seqeval_reads_the_tags() -> None:
    """The field's scorer finds the same entities in our tags."""
    from seqeval.metrics.sequence_labeling import get_entities

    text = texts()[1][1].data["text"]
    spans = [Span("ner", "text", 1, 3, "张伟", ("PER",)), Span("ner", "text", 4, 6, "上海", ("LOC",))]  # fmt: skip

    assert get_entities(tags(text, spans)) == [("PER", 1, 2), ("LOC", 4, 5)]


BODY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
MIXED = st.one_of(BODY, st.text("张伟在上海 ab,😀\n", min_size=1, max_size=40))


@UNTIMED
@given(MIXED.filter(str.strip), st.data())
def test_bio_brings_spans_back(text: str, data: st.DataObject) -> None:
    """Spans on the borders of tokens survive CoNLL, for any text."""
    labelling, _ = texts()
    row = tokens(text)
    cuts = data.draw(st.lists(st.integers(0, len(row)), unique=True, max_size=6))
    edges = sorted(cuts)
    spans = tuple(
        Span("ner", "text", row[a].start, row[b - 1].end,
             text[row[a].start : row[b - 1].end], (data.draw(st.sampled_from(["PER", "LOC"])),))
        for a, b in zip(edges[::2], edges[1::2], strict=False)
    )  # fmt: skip
    tasks = tasks_of([{"text": text}])
    items = [Annotated(tasks[0], spans)]

    assert read_conll(conll_text(items, labelling), tasks, labelling) == items


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("张 O", "a line reads"),
        ("# id = 9\n张 O\n", "there is no task 9"),
        ("# id = 1\n王 O\n", 'Token 1 is "王", the text here is "张伟在上海。"'),
        ("# id = 1\n伟 O\n", 'Token 1 is "伟", the text here is "张伟在上海。"'),
        ("# id = 1\n张 B-ORG\n", 'the label "ORG" is not one of PER, LOC'),
        ("# id = 1\n张O\n", 'a line reads "张O"'),
        ("# id = 1\n张 X-PER\n", 'a line reads "张 X-PER"'),
    ],
)
def test_a_wrong_conll_file_is_refused(text: str, seen: str) -> None:
    """A CoNLL file of other texts, or with another form, is one sentence."""
    labelling, tasks = texts()

    with pytest.raises(AnnotationError, match=re.escape(seen)):
        read_conll(text, tasks, labelling)


def test_label_studio_json_comes_back() -> None:
    """An export, with what was skipped, is read as it was."""
    toy = texts()
    items = [
        done(toy, 1, chosen(), span(0, 2), annotator="a", release="r", lead_time=1.5),
        done(toy, 3, skipped=True, created_at="2026-01-01T00:00:00Z"),
    ]

    assert read_label_studio(label_studio_text(items), toy[0]) == items


def test_two_annotators_of_one_task_are_read() -> None:
    """A file of the real tool, with users by number and fields we do not know."""
    toy = texts()
    entry = done(toy, 1, chosen()).as_json()
    del entry["meta"]
    (one,) = entry["annotations"]
    entry |= {"file_upload": "x.json", "predictions": [], "inner_id": 1}
    entry["annotations"] = [
        {**one, "completed_by": 3, "unique_id": "u", "task": 1},
        {**one, "completed_by": {"email": "a@b.c", "id": 4}},
    ]

    found = read_label_studio(json.dumps([entry]), toy[0])

    assert [(item.task.id, item.annotator) for item in found] == [
        (1, "3"),
        (1, "a@b.c"),
    ]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("{", "export.json: not complete JSON. Export it again."),
        ("{}", "export.json: is dict (0), not a list. Export it again."),
        ('[{"id": 1, "data": {"txt": "a"}}]', 'tasks: task 1: "text" holds no text'),
        (
            '[{"id": 1, "data": {"text": "a"}}]',
            "export.json, task 1: annotations is None.",
        ),
    ],
)
def test_a_wrong_export_is_refused(text: str, seen: str) -> None:
    """A file that is no export is one sentence."""
    with pytest.raises(AnnotationError, match=re.escape(seen)):
        read_label_studio(text, texts()[0])


def put_images(folder: Path, count: int) -> None:
    """Draw the images of the toy."""
    (folder / "images").mkdir()
    for number in range(count):
        Image.new("RGB", (640, 480)).save(folder / "images" / f"{number}.png")


def boxes_of(width: int, height: int) -> st.SearchStrategy[Box]:
    """Return boxes on whole pixels of an image."""

    def make(left: int, top: int, across: int, down: int, code: str) -> Box:
        size = min(across, width - left), min(down, height - top)
        return box_of_pixels(
            "defect", "image", (left, top, *size), (code,), (width, height)
        )

    return st.builds(
        make,
        st.integers(0, width - 1),
        st.integers(0, height - 1),
        st.integers(1, width),
        st.integers(1, height),
        st.sampled_from(["scratch", "dent"]),
    )


def same_pixels(
    one: Sequence[Annotated], other: Sequence[Annotated], within: float
) -> bool:
    """Say whether two lists have the same boxes, to a part of a pixel."""
    assert [item.task for item in one] == [item.task for item in other]
    for a, b in zip(one, other, strict=True):
        first = [each for each in a.regions if isinstance(each, Box)]
        second = [each for each in b.regions if isinstance(each, Box)]
        assert [each.codes for each in first] == [each.codes for each in second]
        for x, y in zip(first, second, strict=True):
            assert y.pixels == pytest.approx(x.pixels, abs=within)
            assert max(y.x + y.width, y.y + y.height) <= 100
    return True


@UNTIMED
@given(st.lists(boxes_of(640, 480), min_size=1, max_size=5))
def test_coco_and_yolo_bring_boxes_back(boxes: list[Box]) -> None:
    """Boxes on pixels survive COCO to a thousandth and YOLO to a hundredth of a pixel."""
    labelling, tasks = images(1)
    items = [Annotated(tasks[0], tuple(boxes))]
    text = json.dumps(coco(items, labelling, Path()))

    assert same_pixels(items, read_coco(text, tasks, labelling), 0.001)
    back = read_yolo(yolo(items, labelling), tasks, labelling, {1: (640, 480)})
    assert same_pixels(items, back, 0.01)


def test_pycocotools_reads_the_boxes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    """The field's own reader finds every image, class and box; an empty image too."""
    from pycocotools.coco import COCO

    put_images(tmp_path, 2)
    toy = images()
    drawn = box_of_pixels("defect", "image", (60, 80, 160, 160), ("dent",), (640, 480))
    items = [Annotated(toy[1][0], (drawn,)), Annotated(toy[1][1], ())]
    export(items, toy[0], tmp_path / "coco.json", form="coco", folder=tmp_path)

    found = COCO(str(tmp_path / "coco.json"))

    assert [each["bbox"] for each in found.loadAnns(found.getAnnIds())] == [
        [60, 80, 160, 160]
    ]
    assert [each["name"] for each in found.loadCats(found.getCatIds())] == [
        "scratch",
        "dent",
    ]
    assert [each["width"] for each in found.loadImgs([1, 2])] == [640, 640]
    text = (tmp_path / "coco.json").read_text(encoding="utf-8")
    assert same_pixels(items, read_coco(text, toy[1], toy[0]), 0.001)
    capsys.readouterr()


def test_an_empty_image_needs_its_file(tmp_path: Path) -> None:
    """The size of an image without boxes is read from the image, which must be there."""
    toy = images()

    with pytest.raises(AnnotationError, match=r'no image "images/0\.png"'):
        coco([Annotated(toy[1][0], ())], toy[0], tmp_path)


def test_yolo_is_a_folder_of_texts(tmp_path: Path) -> None:
    """Each image has its file, an empty one too, and the classes stand in order."""
    toy = images()
    items = [done(toy, 1, box(0, 0, 50, 100)), done(toy, 2)]
    export(items, toy[0], tmp_path / "yolo", form="yolo")

    written = {
        path.name: path.read_text() for path in (tmp_path / "yolo").rglob("*.txt")
    }

    assert written == {
        "classes.txt": "scratch\ndent\n",
        "0.txt": "0 0.25000000 0.50000000 0.50000000 1.00000000\n",
        "1.txt": "",
    }


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"categories": []}, "no COCO of these (KeyError: 1)"),
        ({"images": "x"}, "no COCO of these (TypeError"),
        ({"categories": [{"id": 1, "name": "rust"}]}, 'the label "rust" is not one of'),
        ({"annotations": [{"image_id": 1, "category_id": 1, "bbox": [600, 0, 90, 9]}]}, "a box is outside (93.75, 0.00, 14.06, 1.88 %)"),
        ({"annotations": [{"image_id": 1, "category_id": 1, "bbox": [float("nan"), 0, 90, 9]}]}, "a box is outside (nan"),
        ({"images": [{"id": 1, "file_name": "z.png", "width": 640, "height": 480}]}, "no COCO of these (KeyError: 'z.png')"),
        ({"images": [{"id": 1, "file_name": "images/0.png", "width": 0, "height": 480}]}, "no COCO of these (ZeroDivisionError"),
    ],
)  # fmt: skip
def test_a_wrong_coco_file_is_refused(change: dict[str, Any], seen: str) -> None:
    """A COCO file of other images or classes, or with boxes outside, is one sentence."""
    toy = images(1)
    facts = coco([done(toy, 1, box(0, 0, 10, 10))], toy[0], Path())

    with pytest.raises(AnnotationError, match=re.escape(seen)):
        read_coco(json.dumps({**facts, **change}), toy[1], toy[0])


@pytest.mark.parametrize("line", ["7 0.5 0.5 1 1", "-1 0.5 0.5 1 1", "0 0.5", "0 a b c d", "0 0.9 0.5 0.9 1", "0 nan 0 1 1"])  # fmt: skip
def test_a_wrong_yolo_line_is_refused(line: str) -> None:
    """A line with an unknown class, or a box outside, is one sentence."""
    labelling, tasks = images(1)

    with pytest.raises(AnnotationError, match=r"images/0\.txt: "):
        read_yolo({"images/0.txt": line}, tasks, labelling, {1: (640, 480)})


def test_the_table_has_a_line_for_each_region() -> None:
    """The CSV reads back with every region, and a skipped task has its own line."""
    toy = texts()
    items = [
        done(toy, 1, chosen(), span(0, 2), note("因为,\n急")),
        done(toy, 2, skipped=True),
    ]

    rows = list(csv.DictReader(io.StringIO(csv_text(items))))

    assert [(row["id"], row["type"], row["label"], row["text"]) for row in rows] == [
        ("1", "choices", "refund", ""),
        ("1", "labels", "PER", "张伟"),
        ("1", "textarea", "", "因为,\n急"),
        ("2", "", "", ""),
    ]
    assert [row["skipped"] for row in rows] == ["no", "no", "no", "yes"]
    (line,) = csv.DictReader(
        io.StringIO(csv_text([done(ranks(), 1, rank("c", "a", "b"))]))
    )
    assert line["label"] == "c|a|b"
    (line,) = csv.DictReader(io.StringIO(csv_text([done(pairs(), 1, pair("left"))])))
    assert line["label"] == "left"
    (line,) = csv.DictReader(
        io.StringIO(csv_text([done(images(), 1, box(1, 2, 3, 4))]))
    )
    assert (line["x"], line["height"], line["label"]) == ("1.0", "4.0", "scratch")


def test_comparisons_become_chosen_and_rejected() -> None:
    """Each comparison is one line with its prompt and its reason; skipped ones are out."""
    toy = pairs(3)
    items = [
        done(toy, 1, pair("right"), note("更礼貌", "question")),
        done(toy, 2, pair("left")),
        done(toy, 3, skipped=True),
    ]

    lines = [json.loads(line) for line in preference_text(items, toy[0]).splitlines()]

    assert lines[0] == {
        "prompt": "问题 0", "chosen": "回答 0 乙", "rejected": "回答 0 甲",
        "id": 1, "note": "更礼貌",
    }  # fmt: skip
    assert [line["chosen"] for line in lines] == ["回答 0 乙", "回答 1 甲"]


def test_a_ranking_becomes_every_pair() -> None:
    """Three ranked answers are three pairs, the better one chosen."""
    toy = ranks()
    lines = preference_text([done(toy, 1, rank("c", "a", "b"))], toy[0]).splitlines()

    pairs_said = [
        (json.loads(x)["chosen"][-1], json.loads(x)["rejected"][-1]) for x in lines
    ]
    assert pairs_said == [("c", "a"), ("c", "b"), ("a", "b")]


@pytest.mark.parametrize(
    ("form", "seen"),
    [
        ("conll", "This form needs a <Labels>; the configuration has RectangleLabels."),
        (
            "preference",
            "This form needs a <Ranker>; the configuration has RectangleLabels.",
        ),
        (
            "xlsx",
            'There is no form "xlsx". Use one of json, conll, coco, csv, preference, yolo.',
        ),
    ],
)
def test_a_form_that_does_not_fit_is_refused(
    tmp_path: Path, form: str, seen: str
) -> None:
    """A form that the configuration cannot fill, or an unknown one, is one sentence."""
    with pytest.raises(AnnotationError, match=re.escape(seen)):
        export([], images()[0], tmp_path / "x", form=form)

    assert list(tmp_path.iterdir()) == []


def test_a_box_with_two_classes_fits_no_detector() -> None:
    """Where a box has two classes, COCO and YOLO are refused by task."""
    toy = images(1)
    many = read_labelling(
        toy[0].xml.replace('toName="image"', 'toName="image" choice="multiple"')
    )
    item = done((many, toy[1]), 1, box(0, 0, 9, 9, rectanglelabels=["scratch", "dent"]))

    with pytest.raises(
        AnnotationError, match="Task 1: a box has the classes scratch, dent"
    ):
        yolo([item], many)


@pytest.mark.parametrize("form", ["json", "conll", "csv"])
def test_every_form_of_a_text_is_written_whole(tmp_path: Path, form: str) -> None:
    """An export is a file that everybody may read, without a rest beside it."""
    toy = texts()
    export([done(toy, 1, chosen(), span(0, 2))], toy[0], tmp_path / "out", form=form)

    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o644
