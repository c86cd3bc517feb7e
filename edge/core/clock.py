"""Time, asked for at one place so that tests can move it by hand."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

# adjtimex(2) reports the kernel's own opinion; systemd-timesyncd leaves this file once it has synchronised.
_SYNCED_FLAG = Path("/run/systemd/timesync/synchronized")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class SystemClock:
    """The machine's clocks."""

    def monotonic_ns(self) -> int:
        """Nanoseconds that never step; 0 is boot."""
        return time.monotonic_ns()

    def utc_now(self) -> datetime:
        """Wall time, as good as the machine's clock is."""
        return datetime.fromtimestamp(time.time(), UTC)

    def is_synced(self) -> bool:
        """Whether somebody disciplines the wall clock (systemd-timesyncd's flag; chrony and ntpd leave their own)."""
        return _SYNCED_FLAG.exists() or Path("/run/chrony/chronyd.pid").exists() or Path("/run/ntpd.pid").exists()

    def boot_id(self) -> str:
        """The kernel's random id of this boot, so that monotonic times can be compared."""
        try:
            return _BOOT_ID.read_text(encoding="ascii").strip()
        except OSError:
            return f"process-{os.getpid()}"

    def sleep(self, seconds: float) -> None:
        """Wait; the pacing of recordings lives on it."""
        time.sleep(max(0.0, seconds))


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
