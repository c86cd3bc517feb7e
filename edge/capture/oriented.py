"""A camera that hangs turned."""

from __future__ import annotations

from dataclasses import replace

from edge.capture.pixels import turned
from edge.core.errors import ConfigError
from edge.core.protocols import FrameSource
from edge.core.values import Frame

ANGLES = (0, 90, 180, 270)


class OrientedSource:
    """Turns every frame clockwise by 0, 90, 180 or 270 degrees; no pixel is lost or interpolated.

    Example
    -------
    90: 1280x720 becomes 720x1280, and the top left corner becomes the top right one.
    """

    def __init__(self, source: FrameSource, degrees: int) -> None:
        if degrees not in ANGLES:
            raise ConfigError(f"rotate: expected one of 0, 90, 180, 270, found {degrees}")
        self._source = source
        self._degrees = degrees

    def open(self) -> None:
        self._source.open()

    def read(self) -> Frame | None:
        frame = self._source.read()
        if frame is None or self._degrees == 0:
            return frame
        return replace(frame, image=turned(frame.image, self._degrees))

    def close(self) -> None:
        self._source.close()
