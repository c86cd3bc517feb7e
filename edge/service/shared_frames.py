"""Frames in memory that several processes see: written once by the one that captures, read in place by the model's.

The memory has no name, so nothing is left behind however a process ends. Who may touch which slot is agreed elsewhere
(``leases``); here nothing is locked and nothing is checked but bounds.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from typing import TYPE_CHECKING

from edge.core.values import FrameFacts
from edge.service.leases import SLOTS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PAGE = 4096
# The largest picture that any source lets in (100 megapixels) and what a model makes of it. Untouched pages cost none.
_PICTURE_BYTES = 300_003_328
_SMALL_BYTES = 16 * 2**20
_SLOT_BYTES = _PICTURE_BYTES + _SMALL_BYTES
_CHANNELS = 3


def make_frame_memory(camera: str, slots: int = SLOTS) -> int:
    """A descriptor of memory for so many frames, for the processes that inherit it; nobody can make it smaller."""
    descriptor = os.memfd_create(f"edge-{camera}", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, slots * _SLOT_BYTES)
    # A shorter file would kill each process that reads beyond its end.
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    return descriptor


class SharedFrames:
    """The memory of one camera, seen from one process."""

    def __init__(self, descriptor: int, slots: int = SLOTS) -> None:
        self._memory = mmap.mmap(descriptor, slots * _SLOT_BYTES)

    def write(self, slot: int, image: NDArray[np.uint8]) -> None:
        """Put a picture, (height, width, 3) uint8, into a slot. Raises ValueError if it is too large for one."""
        height, width = image.shape[:2]
        self._view(slot, 0, width, height)[...] = image

    def room_for_small(self, slot: int, frame: FrameFacts, size: tuple[int, int]) -> NDArray[np.uint8] | None:
        """Where the picture that is made small ahead goes, (height, width, 3) uint8, behind the frame's own place.

        Returns
        -------
        None where it does not fit; one that does not is made again by who needs it.
        """
        width, height = size
        return self.small(slot, frame, size) if width * height * _CHANNELS <= _SMALL_BYTES else None

    def image(self, slot: int, frame: FrameFacts) -> NDArray[np.uint8]:
        """The picture in a slot, (height, width, 3): a view, good as long as the slot is lent.

        Where the camera has put the small one alone, what it shows means nothing, and is not to be looked at.
        """
        return self._view(slot, 0, frame.width, frame.height)

    def small(self, slot: int, frame: FrameFacts, size: tuple[int, int]) -> NDArray[np.uint8]:
        """The picture made small ahead; ``size`` : its (width, height)."""
        return self._view(slot, _behind(frame.width, frame.height), *size)

    def _view(self, slot: int, offset: int, width: int, height: int) -> NDArray[np.uint8]:
        import numpy as np

        size = width * height * _CHANNELS
        if not (width > 0 and height > 0 and offset + size <= _SLOT_BYTES):
            raise ValueError(f"a picture of {width}x{height} does not fit into a slot of {_SLOT_BYTES} bytes")
        place = slot * _SLOT_BYTES + offset
        flat = np.frombuffer(self._memory, np.uint8, size, place)
        return flat.reshape(height, width, _CHANNELS)


def _behind(width: int, height: int) -> int:
    return -(-width * height * _CHANNELS // _PAGE) * _PAGE
