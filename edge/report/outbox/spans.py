"""Sets of event numbers as spans: exact, short, and readable in a file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

MOST_SPANS = 16  # in one loss: some 250 bytes, so that the event that tells of it fits into any packet, 512 bytes even


class Span(NamedTuple):
    """From ``first`` to ``last``, both included; ``last`` None means: to the epoch's end, wherever that was."""

    first: int
    last: int | None


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same numbers in as few ascending spans as possible. ``(1,2) (3,3) (7,7)`` -> ``(1,3) (7,7)``."""
    merged: list[Span] = []
    for first, last in sorted(spans, key=lambda span: span.first):
        before = merged[-1] if merged else None
        if before is None or (before.last is not None and first > before.last + 1):
            merged.append(Span(first, last))
        elif before.last is not None and (last is None or last > before.last):
            merged[-1] = Span(before.first, last)
    return tuple(merged)


def of_numbers(numbers: Iterable[int]) -> tuple[Span, ...]:
    """Spans of numbers in any order."""
    return merge(Span(number, number) for number in numbers)


def holes(covered: Iterable[Span], first: int, last: int) -> tuple[Span, ...]:
    """What of ``first..last`` is not covered. ``(2,3)`` in 1..5 -> ``(1,1) (4,5)``."""
    missing = []
    expected = first
    for span in merge(covered):
        if span.first > last or span.last is None:
            last = min(last, span.first - 1)
            break
        if span.first > expected:
            missing.append(Span(expected, span.first - 1))
        expected = max(expected, span.last + 1)
    if expected <= last:
        missing.append(Span(expected, last))
    return tuple(missing)


def count_of(spans: Iterable[Span]) -> int:
    """How many numbers; a span without an end counts none."""
    return sum(span.last - span.first + 1 for span in spans if span.last is not None)


def to_text(spans: Iterable[Span]) -> str:
    """``1-3,7-7,9-``."""
    return ",".join(f"{first}-{'' if last is None else last}" for first, last in spans)


def from_text(text: str) -> tuple[Span, ...]:
    """The inverse of ``to_text``; raises ValueError for anything else."""
    spans = []
    for part in filter(None, text.split(",")):
        first, last = part.split("-")
        spans.append(Span(int(first), int(last) if last else None))
    return tuple(spans)
