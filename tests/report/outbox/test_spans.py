from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.report.outbox.spans import Span, count_of, from_text, holes, merge, of_numbers, to_text

NUMBERS = st.sets(st.integers(1, 60))


def test_neighbours_become_one_span() -> None:
    assert merge([Span(7, 7), Span(1, 2), Span(3, 3)]) == (Span(1, 3), Span(7, 7))


def test_a_span_without_an_end_swallows_what_follows() -> None:
    assert merge([Span(5, None), Span(9, 9), Span(1, 2)]) == (Span(1, 2), Span(5, None))
    assert merge([Span(1, 4), Span(3, None)]) == (Span(1, None),)


def test_nothing_is_missing_behind_a_span_without_an_end() -> None:
    assert holes([Span(3, 4), Span(8, None)], 1, 20) == (Span(1, 2), Span(5, 7))


def test_spans_without_an_end_are_not_counted() -> None:
    assert count_of([Span(2, 4), Span(9, None)]) == 3


@given(NUMBERS)
def test_spans_say_exactly_the_numbers(numbers: set[int]) -> None:
    spans = of_numbers(numbers)

    assert {number for first, last in spans for number in range(first, (last or first) + 1)} == numbers
    assert count_of(spans) == len(numbers)
    assert from_text(to_text(spans)) == spans


@given(NUMBERS, st.integers(1, 60), st.integers(0, 60))
def test_holes_are_what_is_left(numbers: set[int], first: int, last: int) -> None:
    missing = holes(of_numbers(numbers), first, last)

    expected = set(range(first, last + 1)) - numbers
    assert {number for start, end in missing for number in range(start, (end or start) + 1)} == expected


def test_a_span_without_an_end_keeps_it_as_text() -> None:
    assert from_text(to_text([Span(4, None)])) == (Span(4, None),)
