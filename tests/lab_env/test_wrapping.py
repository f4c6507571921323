"""Facts about breaking lines of Chinese and English text."""

from hypothesis import given
from hypothesis import strategies as st

from lab_env.wrapping import columns, plain, wrap

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
