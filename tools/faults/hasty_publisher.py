"""The publisher, impatient: it tries its broker again within 2 s instead of 60, so that kills can follow each other."""

from __future__ import annotations

from functools import partial

from edge.assemble import publisher
from edge.report.mqtt import MqttSink
from edge.service.channel import Channel
from edge.wire.settings import Pace

_HASTY = Pace(backoff_longest_s=2.0)


def main(channel: Channel) -> None:
    publisher.MqttSink = partial(MqttSink, pace=_HASTY)  # type: ignore[misc,assignment]
    publisher.main(channel)
