"""A frame looked at as a whole and in overlapping tiles: small things get more of the model's pixels."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge.core.errors import ConfigError
from edge.core.model import Model
from edge.core.values import Detections, Frame, Sighting, StageTimes
from edge.infer.detector import Detector
from edge.infer.nms import suppress

# Of two neighbours, a tile overlaps this part: what is smaller than that lies whole in one of them.
_OVERLAP = 1 / 3
# A box that ends this near an inner edge of its tile is taken as cut by it.
_EDGE_PX = 3
_MOST = 8
_MOST_STARTED = 8  # what nobody asked for must not gather


@dataclass(frozen=True, slots=True)
class Grid:
    """Tiles side by side and one above the other; 1 x 1 = the whole picture alone."""

    columns: int
    rows: int

    def __post_init__(self) -> None:
        if not (1 <= self.columns <= _MOST and 1 <= self.rows <= _MOST):
            raise ConfigError(f"tiles: expected 1x1 to {_MOST}x{_MOST}, found {self.columns}x{self.rows}")

    @property
    def runs(self) -> int:
        """Of the model per frame."""
        return 1 if self.columns * self.rows == 1 else self.columns * self.rows + 1


def parse_grid(text: str) -> Grid:
    """ "2x2" -> two columns, two rows; raises ConfigError."""
    columns, cross, rows = text.strip().lower().partition("x")
    if not (cross and columns.isascii() and columns.isdigit() and rows.isascii() and rows.isdigit()):
        raise ConfigError(f"tiles: expected columns x rows such as 2x2, found {text!r}")
    return Grid(int(columns[:3]), int(rows[:3]))


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of a frame in its pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int


def lay_tiles(grid: Grid, *, width: int, height: int) -> list[Tile]:
    """The tiles of a frame, row by row.

    Example
    -------
    2x2 of 600x300: each 360x180, at left 0 and 240, top 0 and 120.
    """
    columns, rows = _spans(grid.columns, width), _spans(grid.rows, height)
    return [Tile(left, top, right, bottom) for top, bottom in rows for left, right in columns]


def _spans(count: int, length: int) -> list[tuple[int, int]]:
    side = min(length, max(1, round(length / (count - (count - 1) * _OVERLAP))))
    starts = [round(place * (length - side) / max(1, count - 1)) for place in range(count)]
    return [(start, start + side) for start in starts]


class TiledDetector:
    """A detector that looks at the whole frame and then at its tiles; the model runs once for each.

    What is cut by a tile's inner edge is left to the neighbour, which sees it whole, or to the whole picture. Of boxes
    of one class that overlap, the best stays, whichever part it came from.
    """

    def __init__(self, detector: Detector, grid: Grid, *, max_boxes: int = 300) -> None:
        self._detector = detector
        self._grid = grid
        self._max_boxes = max_boxes
        self._started: deque[tuple[Frame, Detections, StageTimes]] = deque(maxlen=_MOST_STARTED)
        self.times = StageTimes()

    @property
    def model(self) -> Model:
        return self._detector.model

    def detect(self, frame: Frame) -> Detections:
        """As `Detector.detect`."""
        for place, (started, found, times) in enumerate(tuple(self._started)):
            if started is frame:
                for _ in range(place + 1):
                    self._started.popleft()
                self.times = times
                return found
        found, self.times = self._look(frame)
        return found

    def see(self, frame: Frame) -> Sighting:
        """As `Detector.see`."""
        return Sighting(frame.facts, self.detect(frame), self.times, self.model.ref, self.model.layout.backend)

    def start(self, frame: Frame) -> None:
        """As `Detector.start`; all the work is done here."""
        self._started.append((frame, *self._look(frame)))

    def shrink(self, frame: Frame) -> Frame:
        """As `Detector.shrink`: the whole picture is made small ahead, the tiles are not."""
        return self._detector.shrink(frame)

    def warm_up(self) -> None:
        self._detector.warm_up()

    def _look(self, frame: Frame) -> tuple[Detections, StageTimes]:
        found, times = self._detector.look(frame)
        parts = [found]
        tiles = lay_tiles(self._grid, width=frame.width, height=frame.height) if self._grid.runs > 1 else []
        for tile in tiles:
            image = frame.image[tile.top : tile.bottom, tile.left : tile.right]
            found, taken = self._detector.look(replace(frame, image=image, resized=None))
            parts.append(_in_frame(found, tile, frame))
            times = _added(times, taken)
        return self._merge(parts), times

    def _merge(self, parts: list[Detections]) -> Detections:
        boxes = np.concatenate([part.boxes for part in parts])
        scores = np.concatenate([part.scores for part in parts])
        class_ids = np.concatenate([part.class_ids for part in parts])
        order = np.argsort(-scores, kind="stable")
        overlap = self._detector.model.layout.nms_iou
        kept = order[suppress(boxes[order], class_ids[order], iou=overlap, max_boxes=self._max_boxes)]
        return Detections(boxes[kept], scores[kept], class_ids[kept])


def _in_frame(found: Detections, tile: Tile, frame: Frame) -> Detections:
    """A tile's detections in the frame's pixels, without those that an inner edge cuts."""
    boxes = found.boxes + np.array([tile.left, tile.top, tile.left, tile.top], np.float32)
    moved = Detections(boxes, found.scores, found.class_ids)
    return moved.select(~_are_cut(boxes, tile, frame))


def _are_cut(boxes: NDArray[np.float32], tile: Tile, frame: Frame) -> NDArray[np.bool_]:
    left = (boxes[:, 0] < tile.left + _EDGE_PX) & (tile.left > 0)
    top = (boxes[:, 1] < tile.top + _EDGE_PX) & (tile.top > 0)
    right = (boxes[:, 2] > tile.right - _EDGE_PX) & (tile.right < frame.width)
    bottom = (boxes[:, 3] > tile.bottom - _EDGE_PX) & (tile.bottom < frame.height)
    return np.asarray(left | top | right | bottom, np.bool_)


def _added(one: StageTimes, other: StageTimes) -> StageTimes:
    """Of one frame in several looks; its age stays that of the first."""
    return StageTimes(
        one.capture, one.preprocess + other.preprocess, one.infer + other.infer, one.decode + other.decode
    )
