"""Whether the time is right: certificates and everybody who reads an event depend on it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import edge
from edge.core.clock import SystemClock, is_disciplined
from edge.host.doctor.values import Finding, Patient, broken, ok, warning

_SYNC = "`timedatectl set-ntp true`, and let the machine reach a time server (UDP port 123)"


def look(patient: Patient) -> list[Finding]:
    installed_at = datetime.fromtimestamp(Path(edge.__file__).stat().st_mtime, UTC)
    return [judge(patient, now=SystemClock().utc_now(), installed_at=installed_at)]


def judge(patient: Patient, *, now: datetime, installed_at: datetime) -> Finding:
    """What time it is, and who says so."""
    says = f"{now:%Y-%m-%d %H:%M} UTC"
    if now < installed_at:
        return broken("clock", f"{says}, before edge was installed here ({installed_at:%Y-%m-%d})", _SYNC)
    battery = "" if any(patient.place("sys/class/rtc").glob("rtc*")) else "; no clock that runs while it is off"
    if not is_disciplined(Path(patient.system)):
        return warning("clock", f"{says}, which no time server has confirmed{battery}", _SYNC)
    return ok("clock", f"{says}, kept by a time server{battery}")
