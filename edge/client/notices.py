"""What a consumer has to say beside the events."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from edge.client.numbers import Range, range_words


class NoticeKind(StrEnum):
    """GAP: missing, and asked for where the device can be asked. LOST: it will not come."""

    CONNECTED = "connected"
    TROUBLE = "trouble"
    GAP = "gap"
    LOST = "lost"
    REFUSED = "refused"  # a payload that can't be read


@dataclass(frozen=True, slots=True)
class Notice:
    kind: NoticeKind
    words: str
    device: str | None = None
    epoch: str | None = None
    ranges: tuple[Range, ...] = ()


Tell = Callable[[Notice], None]


def gap_notice(device: str, epoch: str, ranges: list[Range], *, is_asked: bool) -> Notice:
    after = "asked for again" if is_asked else "not asked for"
    words = f"{device}: events {range_words(ranges)} of epoch {epoch} are missing; {after}"
    return Notice(NoticeKind.GAP, words, device, epoch, tuple(ranges))


def doubt_notice(device: str, epoch: str, ranges: Iterable[Range]) -> Notice:
    numbers = tuple(ranges)
    words = (
        f"{device}: events {range_words(numbers)} of epoch {epoch} may not have been handed over, for the file that"
        " held them was damaged; asked for again"
    )
    return Notice(NoticeKind.GAP, words, device, epoch, numbers)


def lost_notice(device: str, epoch: str, ranges: list[Range], cause: str) -> Notice:
    words = f"{device}: events {range_words(ranges)} of epoch {epoch} are lost ({cause})"
    return Notice(NoticeKind.LOST, words, device, epoch, tuple(ranges))
