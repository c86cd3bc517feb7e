"""What the kernel and the firmware say about this machine; None where this machine says nothing."""

from __future__ import annotations

import os
from pathlib import Path

_THERMAL = "sys/class/thermal/thermal_zone0/temp"
# soc/soc:firmware on a Pi 3 and 4; with an address in the names on a Pi 5
_THROTTLED = "sys/devices/platform/soc*/soc*:firmware/get_throttled"

# Bits of the Raspberry Pi firmware's get_throttled: 0-3 now, 16-19 since boot.
# Source: Raspberry Pi documentation, vcgencmd get_throttled.
_THROTTLED_BITS = {
    0: "under_voltage",
    1: "frequency_capped",
    2: "throttled",
    3: "soft_temperature_limit",
    16: "under_voltage_occurred",
    17: "frequency_capped_occurred",
    18: "throttled_occurred",
    19: "soft_temperature_limit_occurred",
}


def temperature_c(system: Path = Path("/")) -> float | None:
    """Of the processor, in degrees Celsius."""
    try:
        return int((system / _THERMAL).read_text(encoding="ascii")) / 1000
    except (OSError, ValueError):
        return None


def throttled_file(system: Path = Path("/")) -> Path | None:
    """Where the Raspberry Pi's firmware tells; None on other machines."""
    return next(iter(sorted(system.glob(_THROTTLED))), None)


def throttled_flags(file: Path | None) -> tuple[str, ...] | None:
    """What the firmware holds against the power supply and the cooling; empty when nothing."""
    if file is None:
        return None
    try:
        bits = int(file.read_text(encoding="ascii"), 16)
    except (OSError, ValueError):
        return None
    return tuple(name for bit, name in _THROTTLED_BITS.items() if bits >> bit & 1)


def disk_free_mb(folder: Path) -> int | None:
    """Free space for an unprivileged user where ``folder`` lies, in megabytes."""
    try:
        state = os.statvfs(folder)
    except OSError:
        return None
    return state.f_bavail * state.f_frsize // 1_000_000
