"""Real picamera2, with the five substitutes that libcamera's virtual camera needs in place of a Raspberry Pi's.

1. ``pykms`` (a preview on the screen) is not in Debian, and picamera2 imports it all the same.
2. The virtual camera has no raw stream, which picamera2 asks every camera for.
3. It writes NV12 into two planes; picamera2's own allocator makes one, out of a dma-heap. libcamera's is taken.
4. Its buffers come from /dev/udmabuf, which containers don't have: ``memory.c`` is loaded before libcamera.
5. It leaves a frame's status as it finds it in memory: with four bad buffers no frame ever comes. ``memory.c``, too.
"""

from __future__ import annotations

import functools
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

_SENSOR_MODE = {"format": "SRGGB8", "size": (1280, 720)}


@functools.cache
def virtual_picamera2() -> Any:
    """In place of the module picamera2."""
    screen: Any = ModuleType("pykms")
    screen.PixelFormat = _AnyFormat()
    sys.modules.setdefault("pykms", screen)
    from picamera2 import Picamera2, picamera2
    from picamera2.allocators import LibcameraAllocator

    picamera2.DmaAllocator = object

    class VirtualCamera(Picamera2):  # type: ignore[misc]
        def __init__(self, number: int) -> None:
            super().__init__(number)
            self.allocator = LibcameraAllocator(self.camera)

        def _get_raw_modes(self) -> list[dict[str, Any]]:
            return [dict(_SENSOR_MODE)]

    return SimpleNamespace(Picamera2=VirtualCamera)


class _AnyFormat:
    def __getattr__(self, name: str) -> str:
        return name
