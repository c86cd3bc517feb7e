"""Where events wait: can it be written, is there room, and how much a card has to bear."""

from __future__ import annotations

import os
from pathlib import Path

from edge.host.doctor.values import Finding, Patient, broken, ok, warning

_LOW_MB, _FULL_MB = 100, 5
_SECTOR_BYTES = 512  # of /sys/block/*/stat, whatever the card's own
_WORN_TENTHS = 8  # of the life a card's own estimate gives it (eMMC 5.0, DEVICE_LIFE_TIME_EST)
_MUCH_GB_A_DAY = 5.0  # fills a 32 GB card every week; cards are rated for some hundred to some thousand times
_LONG_ENOUGH_S = 3600.0  # starting up writes much, and says nothing of the days to come
_DAY_S = 86_400


def look(patient: Patient) -> list[Finding]:
    findings = [] if patient.outbox is None else [judge_folder(Path(patient.outbox).parent)]
    return [*findings, judge_card(patient)]


def judge_folder(folder: Path) -> Finding:
    """The folder of the outbox."""
    nearest = next(part for part in (folder, *folder.parents) if part.exists())
    why = _why_not_writable(nearest)
    if why is not None:
        return broken("outbox", f"{folder}: {why}", _mend(why, nearest))
    state = os.statvfs(nearest)
    free_mb = state.f_bavail * state.f_frsize // 1_000_000
    if free_mb < _LOW_MB:
        judge = broken if free_mb < _FULL_MB else warning
        return judge(
            "outbox", f"{folder}: {free_mb} MB left", "free some space: `journalctl --vacuum-size=50M`, `df -h`"
        )
    return ok("outbox", f"{folder} can be written, {free_mb} MB left")


def _why_not_writable(folder: Path) -> str | None:
    if not os.access(folder, os.W_OK | os.X_OK):
        return "read-only file system" if os.statvfs(folder).f_flag & os.ST_RDONLY else "permission denied"
    try:
        # a file without a name: gone with its descriptor, whatever happens
        descriptor = os.open(folder, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except OSError as error:
        return (error.strerror or "can't be written").lower()
    try:
        os.write(descriptor, b"edge doctor")
        os.fsync(descriptor)
    except OSError as error:
        return (error.strerror or "can't be written").lower()
    finally:
        os.close(descriptor)
    return None


def _mend(why: str, folder: Path) -> str:
    if "read-only" in why:
        return "if nobody made it so, the card is failing: `dmesg | grep -i mmc`; else name another outbox.path"
    if "denied" in why:
        return f"this user may not write to {folder}: look as the service's user, or with sudo"
    if "space" in why:
        return "free some space: `journalctl --vacuum-size=50M`, `df -h`"
    return "the card or disk is failing: `dmesg | tail`; copy it while it can be read, and replace it"


def judge_card(patient: Patient) -> Finding:
    """What the SD card or eMMC says about itself."""
    cards = sorted(patient.place("sys/block").glob("mmcblk*"))
    if not cards:
        return ok("card", "no SD card")
    card = cards[0]
    tenths = _worn_tenths(card)
    a_day = _gigabytes_a_day(patient, card)
    words = [card.name, *([f"{tenths * 10} % of its life used"] if tenths else [])]
    words += [] if a_day is None else [f"{a_day:.1f} GB written a day"]
    found = ", ".join(words)
    if tenths is not None and tenths >= _WORN_TENTHS:
        return warning("card", found, "replace it soon; `edge install` on the new one, and your edge.yaml")
    if a_day is not None and a_day > _MUCH_GB_A_DAY:
        return warning("card", found, "`sudo edge install --volatile-journal`; `sudo iotop -ao` shows who else writes")
    return ok("card", found)


def _worn_tenths(card: Path) -> int | None:
    """The worse of two estimates, in tenths; an SD card, unlike an eMMC, gives none."""
    try:
        return max(int(part, 16) for part in (card / "device/life_time").read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return None


def _gigabytes_a_day(patient: Patient, card: Path) -> float | None:
    try:
        written = int((card / "stat").read_text(encoding="ascii").split()[6]) * _SECTOR_BYTES
        uptime_s = float(patient.place("proc/uptime").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return None if uptime_s < _LONG_ENOUGH_S else written / 1e9 / uptime_s * _DAY_S
