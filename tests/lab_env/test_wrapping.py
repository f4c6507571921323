"""Facts about breaking lines of Chinese and English text."""

from hypothesis import given
from hypothesis import strategies as st

from lab_env.wrapping import columns, plain, unwrap, wrap

TEXTS = st.text(st.sampled_from("中文。,(《》)ab 1.%\t“”"), max_size=60)


@given(TEXTS, st.integers(6, 40))
def test_nothing_is_lost_and_no_line_is_too_long(text: str, width: int) -> None:
    """Wrapping keeps every character but spaces, in lines that fit."""
    lines = wrap(text, width).split("\n")

    assert "".join("".join(lines).split()) == "".join(text.split())
    assert max(map(columns, lines)) <= width


def test_no_line_starts_with_a_closing_mark() -> None:
    """A full stop stays with the character before it."""
    assert wrap("一二三。四五", 6) == "一二\n三。四\n五"


def test_english_words_stay_whole() -> None:
    """A line breaks between words, and next to any Chinese character."""
    assert wrap("the macro-F1 由此重算", 12) == "the macro-F1\n由此重算"


def test_what_steers_a_terminal_is_shown_as_unreadable() -> None:
    """An answer cannot clear the examiner's screen or turn the text around."""
    assert plain("a\x1b[2Jb\u202ec") == "a\ufffd[2Jb\ufffdc"


def test_chinese_lines_of_a_paragraph_are_joined() -> None:
    """No space appears inside a Chinese sentence; all other line breaks stay."""
    text = (
        "# 标题\n先读规范，\n再标注。\n按 **Enter**\n提交。\n\n下一段\n- 一条\n- 两条"
    )
    joined = "# 标题\n先读规范，再标注。按 **Enter**\n提交。\n\n下一段\n- 一条\n- 两条"
    assert unwrap(text) == joined
    assert unwrap(joined) == joined
    assert unwrap("| 表 |\n|---|\n| 头 |") == "| 表 |\n|---|\n| 头 |"
    assert unwrap("one line\nand another") == "one line\nand another"


@given(st.text(alphabet="中文，。“ab1 \n#|-*"))
def test_joining_lines_loses_nothing_but_line_breaks(text: str) -> None:
    """Every character but line breaks is there, in its order."""
    assert unwrap(text).replace("\n", "") == text.replace("\n", "")
