"""When a frame was captured: of recordings by their own time, of cameras by the device's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from edge.capture.mishaps import Mishaps
from edge.core.protocols import Clock

# A frame may lie in a driver's buffer while the reader is busy; a time further back is another clock's.
_MAX_AGE_NS = 60_000_000_000


@dataclass(frozen=True, slots=True)
class Moment:
    captured_ns: int
    captured_at: datetime


class RecordingTime:
    """Start + media time. The recording starts when its first frame is asked for, not when the file is opened:
    whatever is loaded in between would make every frame late."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start: Moment | None = None

    def rewind(self) -> None:
        self._start = None

    def at(self, media_ns: int) -> Moment:
        """The moment of a frame that lies ``media_ns`` after the recording's first."""
        if self._start is None:
            self._start = Moment(self._clock.monotonic_ns(), self._clock.utc_now())
        return Moment(
            self._start.captured_ns + media_ns, self._start.captured_at + timedelta(microseconds=media_ns / 1000)
        )


class MediaTime:
    """Media time from a container's own timestamps, mended where they are missing or go backwards.

    rate : frames per second that stands in for missing timestamps
    """

    def __init__(self, rate: float) -> None:
        self._period_ns = round(1e9 / rate)
        self._offset_ns = 0
        self._last_ns: int | None = None

    def next(self, position_ms: float) -> int:
        """Nanoseconds since the first frame; always more than for the frame before."""
        position_ns = round(position_ms * 1e6) if math.isfinite(position_ms) else 0
        if self._last_ns is None:
            self._offset_ns = -position_ns
            self._last_ns = 0
        else:
            if position_ns + self._offset_ns <= self._last_ns:
                self._offset_ns = self._last_ns + self._period_ns - position_ns
            self._last_ns = position_ns + self._offset_ns
        return self._last_ns


class DeviceTime:
    """The time a driver stamped on a frame, brought onto the monotonic clock.

    V4L2 stamps with CLOCK_MONOTONIC and libcamera says CLOCK_BOOTTIME. The two are equal until the machine is
    suspended (no Raspberry Pi is); then the driver's times lie ahead of ours, and the smallest delay seen so far
    counts as none. A stamp that does not advance, or that is over a minute old, is not believed: arrival counts.
    """

    def __init__(self, clock: Clock, mishaps: Mishaps | None = None) -> None:
        self._clock = clock
        self._mishaps = mishaps or Mishaps()
        self._offset_ns = 0
        self._last_device_ns: int | None = None
        self._last_ns = -1

    def stamp(self, device_ns: int | None) -> Moment:
        """The moment of the frame just taken; strictly later than the one before. None = the device stamps nothing."""
        now_ns = self._clock.monotonic_ns()
        captured_ns = max(now_ns - self._age_ns(device_ns, now_ns), self._last_ns + 1)
        self._last_ns = captured_ns
        age = timedelta(microseconds=(now_ns - captured_ns) / 1000)
        return Moment(captured_ns, self._clock.utc_now() - age)

    def _age_ns(self, device_ns: int | None, now_ns: int) -> int:
        if device_ns is None or device_ns <= 0:
            return 0
        is_frozen = self._last_device_ns is not None and device_ns <= self._last_device_ns
        self._last_device_ns = device_ns
        if is_frozen:
            self._mishaps.misdated += 1
            return 0
        age_ns = now_ns - (device_ns + self._offset_ns)
        if not 0 <= age_ns <= _MAX_AGE_NS:
            self._offset_ns = now_ns - device_ns
            return 0
        return age_ns
