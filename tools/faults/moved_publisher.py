"""The publisher with a clock that is moved by the service."""

from __future__ import annotations

from edge.assemble import publisher
from edge.service.channel import Channel
from tools.faults.moved_clock import MovedClock


def main(channel: Channel) -> None:
    publisher.SystemClock = MovedClock  # type: ignore[misc]
    publisher.main(channel)
