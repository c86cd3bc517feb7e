"""Time, asked for at one place so that tests can move it by hand."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.core.protocols import Clock

# systemd-timesyncd leaves a flag once it has synchronised; chrony and ntpd leave their process numbers.
_SYNCED_FLAGS = ("run/systemd/timesync/synchronized", "run/chrony/chronyd.pid", "run/ntpd.pid")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


# Each frame's message says whether the clock is right; looking at three files for it took a tenth of its time.
_SYNCED_FOR_NS = 1_000_000_000


class SystemClock:
    """The machine's clocks.

    boot_id : as another process has read it, for one that may not look into /proc; None = look
    """

    def __init__(self, boot_id: str | None = None) -> None:
        self._boot_id = boot_id
        self._synced = False
        self._synced_until_ns = -1

    def monotonic_ns(self) -> int:
        """Nanoseconds that never step; 0 is boot."""
        return time.monotonic_ns()

    def utc_now(self) -> datetime:
        """Wall time, as good as the machine's clock is."""
        return datetime.fromtimestamp(time.time(), UTC)

    def is_synced(self) -> bool:
        """Whether somebody disciplines the wall clock; looked at once a second."""
        now_ns = time.monotonic_ns()
        if now_ns >= self._synced_until_ns:
            self._synced, self._synced_until_ns = is_disciplined(), now_ns + _SYNCED_FOR_NS
        return self._synced

    def boot_id(self) -> str:
        """The kernel's random id of this boot, so that monotonic times can be compared."""
        if self._boot_id is None:
            self._boot_id = _read_boot_id()
        return self._boot_id

    def sleep(self, seconds: float) -> None:
        """Wait; the pacing of recordings lives on it."""
        time.sleep(max(0.0, seconds))


def is_disciplined(system: Path = Path("/")) -> bool:
    """Whether a time server has set the wall clock, by what its programs leave in /run."""
    return any((system / flag).exists() for flag in _SYNCED_FLAGS)


def _read_boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return f"process-{os.getpid()}"


class BorrowedClock:
    """Another clock, for those who change a part of it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def monotonic_ns(self) -> int:
        return self._clock.monotonic_ns()

    def utc_now(self) -> datetime:
        return self._clock.utc_now()

    def is_synced(self) -> bool:
        return self._clock.is_synced()

    def boot_id(self) -> str:
        return self._clock.boot_id()

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)


class HandClock:
    """A clock that stands still until it is moved: for tests and for replay."""

    def __init__(self, *, monotonic_ns: int = 0, utc: datetime | None = None, synced: bool = True) -> None:
        self._monotonic_ns = monotonic_ns
        self._utc = utc or datetime(2026, 1, 1, tzinfo=UTC)
        self._synced = synced

    def monotonic_ns(self) -> int:
        return self._monotonic_ns

    def utc_now(self) -> datetime:
        return self._utc

    def is_synced(self) -> bool:
        return self._synced

    def boot_id(self) -> str:
        return "00000000-0000-0000-0000-000000000000"

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move both clocks forward together."""
        self._monotonic_ns += round(seconds * 1e9)
        self._utc += timedelta(seconds=seconds)

    def step_wall(self, seconds: float) -> None:
        """Step the wall clock alone, as a time server does."""
        self._utc += timedelta(seconds=seconds)
