"""A camera's process: from the service's first word to frames in shared memory. It knows no model and no network."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from edge.assemble.orders import CaptureOrder, decode_order
from edge.assemble.source import build_source
from edge.assemble.threads import hand_over_quickly
from edge.capture.glancing import Glancer
from edge.capture.mishaps import Mishaps
from edge.core.clock import SystemClock
from edge.service import capture_letters as letters
from edge.service.capture_letters import Begin
from edge.service.capturing import Capturing
from edge.service.channel import Channel, ChannelClosedError
from edge.service.inside import first_frame, leave_at_once
from edge.service.shared_frames import SharedFrames

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from edge.core.model import InputLayout


def main(channel: Channel) -> None:
    """Live as long as the service wants; ends the process."""
    clock = SystemClock()
    try:
        begin = letters.read_by_capture(first_frame(channel, clock))
    except ChannelClosedError:
        leave_at_once(0)
    assert isinstance(begin, Begin)
    logging.basicConfig(
        level=begin.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    hand_over_quickly()
    order = decode_order(begin.setup, CaptureOrder)
    mishaps = Mishaps()
    Capturing(
        channel,
        lambda waiting: build_source(order.source, waiting, mishaps),
        SharedFrames(begin.frames),
        camera=begin.camera,
        clock=clock,
        shrink=_shrink(order.model_input),
        glancer=Glancer(order.ignored, keepalive_s=order.keepalive_s, mishaps=mishaps),
    ).live()


def _shrink(layout: InputLayout | None) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None:
    if layout is None:
        return None
    from edge.infer.preprocess import Preprocessor

    return Preprocessor(layout).shrink
