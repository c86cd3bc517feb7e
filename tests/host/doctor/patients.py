"""Systems as their kernel shows them, in a folder."""

from __future__ import annotations

from pathlib import Path

from edge.host.doctor.values import Patient


def system(folder: Path, files: dict[str, str], **facts: object) -> Patient:
    """A patient whose /sys, /proc and the like hold these files."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return Patient(system=str(folder), **facts)  # type: ignore[arg-type]


def stick(number: str, *, speed: str = "5000") -> dict[str, str]:
    """A Coral stick in the fourth port of the second bus."""
    vendor, product = number.split(":")
    home = "sys/bus/usb/devices/2-4"
    return {
        f"{home}/idVendor": f"{vendor}\n",
        f"{home}/idProduct": f"{product}\n",
        f"{home}/speed": f"{speed}\n",
        f"{home}/busnum": "2\n",
        f"{home}/devnum": "7\n",
        "dev/bus/usb/002/007": "",
    }
