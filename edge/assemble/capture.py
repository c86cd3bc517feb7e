"""A camera's process: from the service's first word to frames in shared memory. It knows no model and no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.assemble.beginning import hear_first_word
from edge.assemble.orders import LookOrder, SourceOrder, decode_order
from edge.assemble.source import build_source
from edge.capture.glancing import Glancer
from edge.capture.mishaps import Mishaps
from edge.core.clock import SystemClock
from edge.service import capture_letters as letters
from edge.service.capture_letters import Begin
from edge.service.capturing import Capturing, Regard, Shrinker
from edge.service.channel import Channel
from edge.service.inside import settle
from edge.service.shared_frames import SharedFrames

if TYPE_CHECKING:
    from edge.core.model import InputLayout


def main(channel: Channel) -> None:
    """Live as long as the service wants; ends the process."""
    begin = hear_first_word(channel, letters.read_by_capture, Begin)
    order, mishaps = decode_order(begin.setup, SourceOrder), Mishaps()
    capturing = Capturing(
        channel,
        lambda waiting: build_source(order, waiting, mishaps),
        SharedFrames(channel.descriptors[begin.frames]),
        camera=begin.camera,
        clock=SystemClock(),
        regard=lambda look: _regard(decode_order(look, LookOrder), mishaps),
        look=begin.look,
    )
    settle()
    capturing.live()


def _regard(order: LookOrder, mishaps: Mishaps) -> Regard:
    glancer = Glancer(order.ignored, keepalive_s=order.keepalive_s, mishaps=mishaps, finds_places=order.finds_places)
    return Regard(
        glancer,
        _shrinker(order.model_input),
        has_gate=order.has_gate or order.finds_places,
        is_watched=order.is_watched,
        keeps_pictures=order.keeps_pictures,
    )


def _shrinker(layout: InputLayout | None) -> Shrinker | None:
    if layout is None:
        return None
    from edge.infer.preprocess import Preprocessor

    return Preprocessor(layout)
