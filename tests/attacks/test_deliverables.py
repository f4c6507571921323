"""Deliverables as an attack: files and links of the second kind, made in room A.

One that does not read, or is no plain file, fails its own rows and is never broken.
"""

import json
from collections.abc import Iterator

import pytest
from pile import (
    ALL,
    NONE,
    Attack,
    Pile,
    Points,
    cases,
    graded,
    handed,
    judged,
    undisturbed,
    with_cells,
)


def written(
    name: str,
    does: str,
    counts: str,
    predictions: str,
    points: Points = NONE,
) -> Attack:
    """Return right work whose deliverables are written over at its end.

    Both are expressions: the bytes of a file.
    """
    source = (
        "rows = open('predictions.csv', 'rb').read()\n"
        f"open('counts.json', 'wb').write({counts})\n"
        f"open('predictions.csv', 'wb').write({predictions})\n"
    )
    return Attack(name, does, handed(with_cells(source)), points)


def done(name: str, does: str, source: str, points: Points) -> Attack:
    """Return right work at whose end something is done to its deliverables."""
    return Attack(name, does, handed(with_cells(f"import os\n{source}")), points)


RIGHT_COUNT = "b'{\"messages\": 6}'"
# The count and the predictions are two attacks in one hand-in: they share no row.
ATTACKS = (
    written(
        "marks",
        "begins both with a byte order mark",
        f"b'\\xef\\xbb\\xbf' + {RIGHT_COUNT}",
        "b'\\xef\\xbb\\xbf' + rows",
        ALL,
    ),
    written(
        "crlf",
        "ends lines as Windows",
        RIGHT_COUNT,
        r"rows.replace(b'\n', b'\r\n')",
        ALL,
    ),
    written(
        "cr",
        "ends lines as the old Mac",
        RIGHT_COUNT,
        r"rows.replace(b'\n', b'\r')",
        ALL,
    ),
    written("blank", "ends in blank lines", RIGHT_COUNT, r"rows + b'\n\n'", ALL),
    written(
        "gbk-text",
        "is GBK",
        "'{\"条数\": 6}'.encode('gbk')",
        "rows.replace(b'label', b'label,' + '说明'.encode('gbk'), 1)",
    ),
    written(
        "utf-16-text",
        "is UTF-16",
        "'{\"messages\": 6}'.encode('utf-16')",
        "rows.decode().encode('utf-16')",
    ),
    written(
        "nan-nul",
        "NaN; zero bytes",
        "b'{\"messages\": NaN}'",
        r"rows.replace(b'toy', b'toy\0')",
    ),
    written(
        "inf-quotes",
        "1e999; line ends in quotes",
        "b'{\"messages\": 1e999}'",
        r"rows.replace(b'toy-en-900', b'\"toy-en\n-900\"')",
    ),
    written(
        "digits-columns",
        "4299 digits; a million columns",
        "b'{\"messages\": ' + b'9' * 4299 + b'}'",
        "b','.join(b'%d' % n for n in range(500_000)) + b'\\n'",
    ),
    written(
        "deep-field",
        "depth; a field of a megabyte",
        "b'[' * 100_000",
        "rows.replace(b'net', b'n' * 900_000, 1)",
    ),
    written(
        "twice-twice",
        "a key twice; ids twice",
        'b\'{"messages": 1, "messages": 6}\'',
        "rows + rows.splitlines()[1] + b'\\n'",
    ),
    written(
        "text-missing",
        "a text; ids missing",
        'b\'{"messages": "6"}\'',
        r"b'\n'.join(rows.splitlines()[:-1])",
    ),
    written(
        "list-extra", "a list; ids too many", "b'[6]'", r"rows + b'toy-en-999,net\n'"
    ),
    written(
        "half-head",
        "half a letter; columns twice",
        r"b'{\"messages\": \"\\ud800\"}'",
        "rows.replace(b'id,label', b'id,id')",
    ),
    written(
        "fraction-open", "6.5; an open quote", "b'{\"messages\": 6.5}'", "rows + b'\"'"
    ),
    written(
        "large-large",
        "both are too large",
        "b'{\"messages\": 6}' + b' ' * 2_000_000",
        "rows * 9_000",
    ),
    written(
        "formula",
        "labels that are formulas",
        RIGHT_COUNT,
        "rows.replace(b',net', b',=HYPERLINK(1)').replace(b',bill', b',+cmd')",
        (2, 2, 0),
    ),
    written("empty", "both are empty", "b''", "b''"),
    done(
        "pipes",
        "makes a pipe and a folder of deliverables",
        "os.remove('predictions.csv'); os.mkfifo('predictions.csv')\n"
        "os.remove('counts.json'); os.mkdir('counts.json')",
        NONE,
    ),
    done(
        "links",
        "makes links of deliverables",
        "os.remove('predictions.csv'); os.symlink('data/heldout.csv', 'predictions.csv')\n"
        "os.remove('counts.json'); os.symlink('/dev/zero', 'counts.json')",
        NONE,
    ),
    done(
        "one-file",
        "makes one file of both",
        "os.remove('predictions.csv'); os.link('counts.json', 'predictions.csv')",
        NONE,
    ),
    done(
        "terabyte",
        "makes a deliverable huge",
        "os.truncate('predictions.csv', 200 << 20)",
        (2, 0, 0),
    ),
    done(
        "cases",
        "writes names in capitals",
        "os.rename('counts.json', 'Counts.json')",
        (0, 2, 4),
    ),
)


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pile]:
    """Return the graded pile of this family."""
    yield from graded(tmp_path_factory.mktemp("deliverables"), ATTACKS)


@pytest.mark.parametrize("attack", cases(ATTACKS))
def test_an_odd_deliverable_fails_only_its_own_rows(pile: Pile, attack: Attack) -> None:
    """What does not read costs its rows; what a kind reader can read costs nothing."""
    judged(pile, attack)


def test_the_neighbours_of_odd_deliverables_keep_their_marks(pile: Pile) -> None:
    """Honest work beside them has all its points, and nothing is left."""
    undisturbed(pile)


@pytest.mark.parametrize(
    ("name", "said"), [("gbk-text", "GBK"), ("utf-16-text", "UTF-16")]
)
def test_another_encoding_is_named(pile: Pile, name: str, said: str) -> None:
    """The trainee reads in which encoding the file is and what to do."""
    sheet = pile.row(name).sheet
    assert sheet is not None
    messages = [row.message for row in sheet.machine_rows[:2]]
    assert all(
        each is not None and said in each.en and said in each.zh for each in messages
    )


def test_feedback_is_plain_text(pile: Pile) -> None:
    """What a row quotes of a hostile file can be written, read and shown."""
    for attack in ATTACKS:
        for path in (pile.course / "feedback" / attack.name).rglob("sheet.json"):
            text = path.read_text("utf-8")
            assert json.loads(text)["candidate"] == attack.name
            assert "\x1b" not in text
