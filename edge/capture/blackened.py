"""A part of the picture that nobody may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edge.capture.pixels import blackened
from edge.core.protocols import FrameSource
from edge.core.values import Frame

Polygon = Sequence[tuple[float, float]]


class BlackenedSource:
    """Makes parts of every frame black before anybody has seen them.

    polygons : corners as parts of the picture's width and height, 0..1 from the upper left corner
    """

    def __init__(self, source: FrameSource, polygons: Sequence[Polygon]) -> None:
        self._source = source
        self._polygons = tuple(polygons)

    def open(self) -> None:
        self._source.open()

    def read(self) -> Frame | None:
        frame = self._source.read()
        # A small picture that the camera itself has made shows what is hidden: it is made anew from this one.
        return frame and replace(frame, image=blackened(frame.image, self._polygons), resized=None)

    def close(self) -> None:
        self._source.close()
