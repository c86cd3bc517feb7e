"""Processes for the tests of supervision."""

from __future__ import annotations

from edge.service.channel import Channel, ChannelClosedError


def main(channel: Channel) -> None:
    """Echoes frames until told otherwise."""
    while True:
        channel.wait(30.0)
        try:
            frames = channel.receive()
        except ChannelClosedError:
            return
        for frame in frames:
            match frame:
                case b"die":
                    return
                case b"hang":
                    while True:
                        channel.fileno()
                case _:
                    channel.send(frame)
