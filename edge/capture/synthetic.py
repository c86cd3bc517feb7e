"""A made-up scene whose boxes are known exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.capture.moments import Moment, RecordingTime
from edge.capture.scene import LANE_PX, SceneOptions
from edge.capture.settings import DEFAULT_FPS, SourceSettings
from edge.capture.stepped import SteppedSource
from edge.core.errors import ConfigError, RecordingError
from edge.core.protocols import Clock
from edge.core.values import Frame

COLOURS = ("red", "green", "blue", "yellow", "magenta", "cyan")
_RGB = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [255, 0, 255], [0, 255, 255]], np.uint8)
_DEFAULT_SIZE = (640, 480)
# The background stays between these, so that no pixel of it is a pure colour, and every object stands out.
_DARKEST, _BRIGHTEST = 64, 160


class SyntheticSource(SteppedSource):
    """Rectangles of pure colour that move to and fro over a textured grey background.

    Every object has a lane of its own and stays inside the picture, so none is ever hidden. The same options give
    the same pixels, on every machine. ``truth`` tells where the objects are; class ids count ``COLOURS``.
    """

    def __init__(self, options: SceneOptions, settings: SourceSettings, clock: Clock) -> None:
        wished = settings.size or _DEFAULT_SIZE
        self._width = options.width or wished[0]
        self._height = options.height or wished[1]
        self._settings = settings
        self._rate = options.fps or settings.fps or DEFAULT_FPS
        self._frames = None if options.seconds is None else max(1, round(options.seconds * self._rate))
        self._time = RecordingTime(clock)
        self._objects = options.objects
        if options.objects * LANE_PX > self._height or self._width < 4 * LANE_PX:
            raise ConfigError(
                f"source synthetic: {options.objects} objects need a picture at least {4 * LANE_PX} wide and "
                f"{options.objects * LANE_PX} high, found {self._width}x{self._height}; ask for fewer objects"
            )
        random = np.random.default_rng(options.seed)
        self._sizes, self._tops, self._starts, self._speeds = self._lay_out(random)
        self._background: NDArray[np.uint8] | None = None
        self._seed = options.seed
        self._sequence = -1
        self._moment: Moment | None = None

    def open(self) -> None:
        """Paint the background; never fails."""
        self.close()
        self._background = _texture(self._width, self._height, self._seed)
        self._sequence = -1
        self._time.rewind()

    def step(self) -> int | None:
        if self._background is None:
            raise RecordingError("synthetic: the scene is not open; call open() first")
        if self._frames is not None and self._sequence + 1 >= self._frames:
            self._moment = None
            return None
        self._sequence += 1
        self._moment = self._time.at(round(self._sequence * 1e9 / self._rate))
        return self._moment.captured_ns

    def picture(self) -> Frame | None:
        if self._background is None or self._moment is None:
            return None
        image = self._background.copy()
        boxes, class_ids = self.truth(self._sequence)
        for (x1, y1, x2, y2), class_id in zip(boxes.astype(int), class_ids, strict=True):
            image[y1:y2, x1:x2] = _RGB[class_id]
        return Frame(image, self._settings.camera, self._sequence, self._moment.captured_ns, self._moment.captured_at)

    def close(self) -> None:
        self._background = None
        self._moment = None

    def truth(self, sequence: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Where the objects are in frame ``sequence``; to be asked at any time, in any order.

        Returns
        -------
        boxes : (objects, 4) float32, x1, y1, x2, y2 in whole pixels, x2/y2 exclusive
        class_ids : (objects,) int32, an index into COLOURS
        """
        travelled = self._starts + self._speeds * (sequence / self._rate)
        room = self._width - self._sizes[:, 0]
        left = np.rint(room - np.abs(travelled % (2 * room) - room))  # to and fro: a triangle wave
        corners = np.stack([left, self._tops], axis=1)
        boxes = np.concatenate([corners, corners + self._sizes], axis=1)
        return boxes.astype(np.float32), (np.arange(self._objects) % len(COLOURS)).astype(np.int32)

    def _lay_out(self, random: np.random.Generator) -> tuple[NDArray[np.float64], ...]:
        """Sizes (n, 2), tops of the boxes (n,), places on the path at time 0 (n,), speeds in pixels/s (n,)."""
        n = self._objects
        lane = self._height // max(1, n)
        heights = np.maximum(4, np.floor(lane * random.uniform(0.5, 0.8, n)))
        # Between slender and square-ish, and never more than a third of the picture's width.
        widths = np.clip(np.floor(heights * random.uniform(0.5, 1.5, n)), 4, self._width // 3)
        tops = np.arange(n) * lane + np.floor((lane - heights) / 2)
        starts = random.uniform(0, 2 * self._width, n)
        speeds = self._width * random.uniform(0.08, 0.2, n)
        return np.stack([widths, heights], axis=1), tops, starts, speeds


def _texture(width: int, height: int, seed: int) -> NDArray[np.uint8]:
    """Grey noise in 8-pixel blocks over a slope: something for a codec and a motion detector to hold on to."""
    random = np.random.default_rng([seed, 1])
    blocks = random.integers(0, 48, (height // 8 + 1, width // 8 + 1))
    noise = blocks.repeat(8, axis=0).repeat(8, axis=1)[:height, :width]
    slope = np.linspace(_DARKEST, _BRIGHTEST - 48, width)[None, :]
    grey = (noise + slope).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(grey[:, :, None], 3, axis=2))
