"""A picture, as a file or from a camera: read as pixels and glanced at, or refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import mkstemp

from tools.faults.fuzz.target import Target


def _seeds() -> list[bytes]:
    import cv2
    import numpy as np

    image = np.random.default_rng(1).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    smooth = cv2.GaussianBlur(image, (0, 0), 3)
    return [cv2.imencode(f".{kind}", smooth)[1].tobytes() for kind in ("jpg", "png", "bmp", "webp")]


def _open() -> Callable[[bytes], None]:
    from edge.capture.glancing import Glancer
    from edge.capture.pictures import read_picture
    from edge.core.errors import EdgeError

    handle, name = mkstemp(dir="/dev/shm", suffix=".jpg")
    Path(name).unlink()
    path = Path(f"/proc/self/fd/{handle}")
    glancer = Glancer()

    def one(content: bytes) -> None:
        os.ftruncate(handle, 0)
        os.pwrite(handle, content, 0)
        try:
            image = read_picture(path)
        except EdgeError:
            return
        assert image.ndim == 3 and image.shape[2] == 3
        glancer.look(image, 0)

    return one


_WORDS = [
    b"\xff\xd8",
    b"\xff\xd9",
    b"\xff\xda",
    b"\xff\xc0",
    b"\xff\xc2",
    b"\xff\xe1",
    b"IHDR",
    b"IDAT",
    b"VP8X",
    b"\0",
]
PICTURES = Target("pictures", _seeds, _open, _WORDS, is_native=True)
