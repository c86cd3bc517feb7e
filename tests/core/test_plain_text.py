from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.core.plain_text import plain_text


def test_what_a_terminal_would_obey_is_taken_out() -> None:
    assert plain_text("a\x1b[2J\nb\udcff") == "a?[2J?b?"


@given(st.text())
def test_what_is_left_can_be_printed_and_sent(text: str) -> None:
    plain = plain_text(text)

    assert plain.isprintable()
    assert len(plain.encode()) >= len(text)


@given(st.text().filter(str.isprintable))
def test_plain_words_stay_as_they_are(text: str) -> None:
    assert plain_text(text) == text
