from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge.client.numbers import Numbers, range_words

RANGES = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 8)).map(lambda pair: (pair[0], sum(pair))), max_size=12)


def _plain(ranges: list[tuple[int, int]]) -> set[int]:
    return {number for first, last in ranges for number in range(first, last + 1)}


@given(RANGES)
def test_a_set_of_ranges_holds_what_a_plain_set_holds(ranges: list[tuple[int, int]]) -> None:
    numbers, plain = Numbers(ranges), _plain(ranges)

    assert {number for number in range(60) if number in numbers} == plain
    assert len(numbers) == len(plain)


@given(RANGES)
def test_ranges_ascend_and_do_not_touch(ranges: list[tuple[int, int]]) -> None:
    found = Numbers(ranges).ranges

    assert all(before[1] + 1 < after[0] for before, after in pairwise(found))


@given(RANGES, st.integers(0, 60), st.integers(0, 60))
def test_what_is_missing_is_what_is_not_there(ranges: list[tuple[int, int]], first: int, last: int) -> None:
    missing = Numbers(ranges).missing(first, last)

    assert _plain(missing) == set(range(first, last + 1)) - _plain(ranges)


@given(RANGES, st.integers(0, 50))
def test_a_run_ends_before_the_first_that_is_not_there(ranges: list[tuple[int, int]], first: int) -> None:
    end = Numbers(ranges).run_end(first)

    plain = _plain(ranges)
    assert set(range(first, end + 1)) <= plain
    assert end + 1 not in plain


def test_ranges_are_told_in_few_words() -> None:
    assert range_words([(3, 3), (7, 9)]) == "3, 7-9"
    assert range_words([(2 * number, 2 * number) for number in range(10)]).endswith("and 2 more ranges")


def test_a_range_that_ends_before_it_begins_holds_nothing() -> None:
    numbers = Numbers([(5, 4)])

    assert numbers.ranges == []
