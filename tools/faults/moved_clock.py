"""A clock that two processes share and one of them moves: a day passes as fast as the disk takes its events."""

from __future__ import annotations

import mmap
import os
import struct
from datetime import datetime, timedelta
from pathlib import Path

from edge.core.clock import SystemClock

FILE = "EDGE_MOVED_CLOCK"  # the environment says where the file is
_OFFSET = struct.Struct("<q")  # nanoseconds


class MovedClock(SystemClock):
    """The machine's clocks and an offset that only grows; both move together."""

    def __init__(self, boot_id: str | None = None, *, path: Path | None = None) -> None:
        super().__init__(boot_id)
        descriptor = os.open(path or os.environ[FILE], os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(descriptor, _OFFSET.size)
        self._offset = mmap.mmap(descriptor, _OFFSET.size)
        os.close(descriptor)

    @property
    def offset_ns(self) -> int:
        found: int = _OFFSET.unpack_from(self._offset)[0]
        return found

    def move(self, seconds: float) -> None:
        _OFFSET.pack_into(self._offset, 0, self.offset_ns + round(seconds * 1e9))

    def monotonic_ns(self) -> int:
        return super().monotonic_ns() + self.offset_ns

    def utc_now(self) -> datetime:
        return super().utc_now() + timedelta(microseconds=self.offset_ns // 1000)
