"""A folder of pictures, or a single picture, as a source."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.capture.moments import Moment, RecordingTime
from edge.capture.pictures import read_picture
from edge.capture.pixels import fit_within
from edge.capture.settings import DEFAULT_FPS, SourceSettings
from edge.capture.spec import PICTURE_SUFFIXES
from edge.capture.stepped import SteppedSource
from edge.core.errors import RecordingError
from edge.core.looking import is_folder
from edge.core.protocols import Clock
from edge.core.values import Frame

logger = logging.getLogger(__name__)


class ImageFolderSource(SteppedSource):
    """The pictures of a folder in natural order (2.jpg before 10.jpg), ``fps`` of them a second; then the end.

    Sizes may differ from picture to picture. A picture that can't be read is passed over: its number is missing
    from the sequence, the first is reported, and at the end how many there were.
    """

    def __init__(self, path: Path, settings: SourceSettings, clock: Clock) -> None:
        self._path = path
        self._settings = settings
        self._period_ns = round(1e9 / (settings.fps or DEFAULT_FPS))
        self._time = RecordingTime(clock)
        self._files: list[Path] | None = None
        self._next = 0
        self._image: NDArray[np.uint8] | None = None
        self._moment: Moment | None = None
        self._unreadable = 0
        self._is_told = False  # once for all passes: a loop over a broken picture would fill the log
        self._has_first = False

    def open(self) -> None:
        """List the pictures and read the first; raises RecordingError when there is none that can be read."""
        self.close()
        files = natural_order(self._path)
        self._files, self._next, self._unreadable = files, 0, 0
        self._time.rewind()
        try:
            self._has_first = self._advance(files)
        except RecordingError:
            self.close()
            raise
        if not self._has_first:
            self.close()
            raise RecordingError(f"{self._path}: expected pictures; none of the {len(files)} here can be read")

    def step(self) -> int | None:
        if self._files is None:
            raise RecordingError(f"{self._path}: the pictures are not open; call open() first")
        self._image = self._image if self._has_first else None
        if not (self._has_first or self._advance(self._files)):
            self._report_unreadable()
            return None
        self._has_first = False
        self._moment = self._time.at((self._next - 1) * self._period_ns)
        return self._moment.captured_ns

    def picture(self) -> Frame | None:
        if self._image is None or self._moment is None:
            return None
        size = self._settings.size
        image = self._image if size is None else fit_within(self._image, size)
        return Frame(image, self._settings.camera, self._next - 1, self._moment.captured_ns, self._moment.captured_at)

    def close(self) -> None:
        self._files = None
        self._image = None
        self._moment = None
        self._has_first = False

    def _advance(self, files: list[Path]) -> bool:
        """Read the next picture that can be read; False at the end."""
        while self._next < len(files):
            path = files[self._next]
            self._next += 1
            try:
                self._image = read_picture(path)
            except RecordingError as error:
                if len(files) == 1:
                    raise
                self._unreadable += 1
                if self._unreadable == 1 and not self._is_told:
                    logger.warning("passing over a picture: %s", error)
            else:
                return True
        return False

    def _report_unreadable(self) -> None:
        if self._unreadable > 1 and not self._is_told:
            logger.warning("%s: passed over %d pictures that can't be read", self._path, self._unreadable)
        self._is_told = self._is_told or self._unreadable > 0
        self._unreadable = 0


def natural_order(path: Path) -> list[Path]:
    """The pictures of a folder, numbers in their names counted as numbers; a single picture is a list of one.

    Raises
    ------
    RecordingError
        When there is nothing there, or no picture in the folder. Hidden files and other folders do not count.
    """
    if not is_folder(path):
        return [path]
    try:
        inside = sorted(path.iterdir(), key=lambda file: _natural_key(file.name))
    except OSError as error:
        raise RecordingError(f"{path}: expected a folder of pictures, can't list it: {error.strerror}") from error
    files = [f for f in inside if f.suffix.lower() in PICTURE_SUFFIXES and not f.name.startswith(".") and f.is_file()]
    if not files:
        raise RecordingError(
            f"{path}: expected pictures ({', '.join(sorted(PICTURE_SUFFIXES))}), "
            f"found {'an empty folder' if not inside else f'{len(inside)} other files and folders'}"
        )
    return files


def _natural_key(name: str) -> tuple[list[tuple[bool, int, str]], str]:
    parts = re.findall(r"[0-9]+|[^0-9]+", name.casefold())
    return [(not part[0].isdigit(), int(part) if part.isdigit() else 0, part) for part in parts], name
