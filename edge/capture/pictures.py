"""Single pictures from and to disk."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.capture.files import checked_file
from edge.capture.picture_header import PictureHeader, describe, read_header
from edge.capture.pixels import PixelOrder, rgb_to_bgr, to_rgb
from edge.capture.settings import MAX_PIXELS
from edge.core.errors import EdgeError, RecordingError, UsageError

# 128 MiB: an uncompressed 40-megapixel bitmap still fits.
MAX_BYTES = 128 * 2**20
_WRITABLE = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
_JPEG_QUALITY = 90


def read_picture(path: Path) -> NDArray[np.uint8]:
    """A JPEG, PNG, BMP or WebP file as RGB, turned upright as its EXIF orientation says.

    Returns
    -------
    (height, width, 3) uint8. Grey becomes RGB, 16 bits become 8, transparency is left out.

    Raises
    ------
    RecordingError
        When the file is missing, empty, too large, cut off, or no such picture; says what was found.
    """
    size = checked_file(path, "a picture")
    if size > MAX_BYTES:
        raise RecordingError(
            f"{path}: expected a picture of at most {MAX_BYTES // 2**20} MiB, found {size / 2**20:.0f} MiB; "
            "save it smaller"
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RecordingError(f"{path}: expected a picture, can't read it: {error.strerror}") from error
    header = _checked_header(path, content)
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise RecordingError(
            f"{path}: expected a picture, found a damaged {header.kind} of "
            f"{header.width}x{header.height}; copy it again"
        )
    return to_rgb(pixels, PixelOrder.BGR)


def write_picture(path: Path, image: NDArray[np.uint8]) -> None:
    """Write RGB pixels as the format that the suffix names: whole, or not at all.

    Raises
    ------
    UsageError
        When the suffix names no format.
    EdgeError
        When the disk does not take it.
    """
    suffix = path.suffix.lower()
    if suffix not in _WRITABLE:
        raise UsageError(
            f"{path}: expected a name ending in {', '.join(_WRITABLE)}, found {path.suffix or 'no ending'!r}"
        )
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if suffix in (".jpg", ".jpeg") else []
    is_encoded, content = cv2.imencode(suffix, rgb_to_bgr(image), options)
    if not is_encoded:
        raise EdgeError(f"{path}: a picture of {image.shape[1]}x{image.shape[0]} can't be written as {suffix}")
    try:
        _replace(path, content.tobytes())
    except OSError as error:
        raise EdgeError(f"{path}: can't write the picture: {error.strerror}; check the folder and the disk") from error


def _checked_header(path: Path, content: bytes) -> PictureHeader:
    header = read_header(content)
    if header is None:
        raise RecordingError(f"{path}: expected a JPEG, PNG, BMP or WebP picture, found {describe(content)}")
    where = f"a {header.kind} of {header.width}x{header.height}"
    if header.width * header.height == 0:
        raise RecordingError(f"{path}: expected a picture, found {where}, which holds no pixels; copy it again")
    if header.width * header.height > MAX_PIXELS:
        raise RecordingError(
            f"{path}: expected at most {MAX_PIXELS // 1_000_000} megapixels, found {where}; scale it down first"
        )
    if not header.is_whole:
        raise RecordingError(f"{path}: expected a whole picture, found {where} that is cut off; copy it again")
    return header


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".edge-", suffix=path.suffix)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
