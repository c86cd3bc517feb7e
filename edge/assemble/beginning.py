"""How each process that the service starts begins: with the service's first word, logging as the service does."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Protocol, TypeVar

from edge.assemble.threads import hand_over_quickly
from edge.core.clock import SystemClock
from edge.service.channel import Channel, ChannelClosedError
from edge.service.inside import first_frame, leave_at_once


class FirstWord(Protocol):
    """How much to log, besides what this process is to do."""

    @property
    def log_level(self) -> int: ...


Word = TypeVar("Word", bound=FirstWord)


def hear_first_word(channel: Channel, read: Callable[[bytes], object], kind: type[Word]) -> Word:
    """What to do; ends the process when nobody says."""
    try:
        word = read(first_frame(channel, SystemClock()))
    except ChannelClosedError:
        leave_at_once(0)
    assert isinstance(word, kind)
    logging.basicConfig(
        level=word.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    hand_over_quickly()
    return word
