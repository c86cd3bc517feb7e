from __future__ import annotations

from edge.core.clock import HandClock
from edge.report.ceiling import LEAST_BYTES, Ceiling
from edge.wire.packets import Limits

UNLIMITED = Limits()


def test_what_a_broker_hung_up_on_is_beyond_its_limit_for_an_hour() -> None:
    clock = HandClock()
    ceiling = Ceiling(clock)
    assert ceiling.lowered(UNLIMITED) == UNLIMITED

    ceiling.learn(8000)

    assert ceiling.lowered(UNLIMITED).packet_bytes < 8000
    clock.advance(3601)
    assert ceiling.lowered(UNLIMITED) == UNLIMITED


def test_what_the_broker_says_itself_counts_if_it_is_less() -> None:
    ceiling = Ceiling(HandClock())
    ceiling.learn(8000)

    assert ceiling.lowered(Limits(packet_bytes=600)).packet_bytes == 600


def test_small_packets_are_not_to_blame() -> None:
    ceiling = Ceiling(HandClock())

    ceiling.learn(LEAST_BYTES)
    assert ceiling.lowered(UNLIMITED) == UNLIMITED
    ceiling.learn(LEAST_BYTES + 1)
    assert ceiling.lowered(UNLIMITED).packet_bytes == LEAST_BYTES
