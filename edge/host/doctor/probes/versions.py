"""Python, edge, the system, and whether it is one of 64 bits."""

from __future__ import annotations

import platform
import sys

from edge import __version__
from edge.host.doctor.values import Finding, Patient, broken, ok, warning

_PYTHONS = ((3, 11), (3, 13))
_MACHINES = ("x86_64", "aarch64", "arm64")


def look(patient: Patient) -> list[Finding]:
    return [judge(patient, machine=platform.machine(), is_64_bit=sys.maxsize > 2**32, python=sys.version_info[:2])]


def judge(patient: Patient, *, machine: str, is_64_bit: bool, python: tuple[int, ...]) -> Finding:
    """What this Python on this machine means."""
    found = f"edge {__version__}, Python {'.'.join(map(str, python))}, {_system(patient)}, {machine}{_board(patient)}"
    if not is_64_bit or machine not in _MACHINES:
        bits = "64" if is_64_bit else "32"
        return broken(
            "versions", f"{found}, {bits}-bit programs", "install a 64-bit system: there are no libraries for others"
        )
    if not _PYTHONS[0] <= python <= _PYTHONS[1]:
        return warning("versions", found, "use Python 3.11 to 3.13; edge is tested with no other")
    return ok("versions", found)


def _system(patient: Patient) -> str:
    try:
        lines = patient.place("etc/os-release").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "an unknown system"
    pretty = (line.partition("=")[2].strip('"') for line in lines if line.startswith("PRETTY_NAME="))
    return next(pretty, "an unknown system")


def _board(patient: Patient) -> str:
    try:
        model = patient.place("proc/device-tree/model").read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:
        return ""
    return f" ({model})"
