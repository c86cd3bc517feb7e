"""The publisher, impatient: it tries its broker again within 2 s instead of 60, so that kills can follow each other."""

from __future__ import annotations

import json
import os
from functools import partial

from edge.assemble import publisher
from edge.report.mqtt import MqttSink
from edge.service.channel import Channel
from edge.wire.settings import Pace

MODULE = "tools.faults.hasty_publisher"
PACE = "EDGE_HASTY_PACE"  # the environment may say another pace, as JSON


def main(channel: Channel) -> None:
    pace = Pace(**json.loads(os.environ.get(PACE, '{"backoff_longest_s": 2.0}')))
    publisher.MqttSink = partial(MqttSink, pace=pace)  # type: ignore[misc,assignment]
    publisher.main(channel)
