"""Processes for the tests of supervision."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

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
                case b"stuck":  # in native code that does not let go of Python's lock
                    channel.send(b"stuck")
                    ctypes.PyDLL(None).pause()
                case b"read":
                    channel.send(b"|".join(os.pread(each, 100, 0) for each in channel.descriptors))
                case b"open":
                    channel.send(",".join(each.name for each in Path("/proc/self/fd").iterdir()).encode())
                case b"hang":
                    while True:
                        channel.fileno()
                case _:
                    channel.send(frame)
