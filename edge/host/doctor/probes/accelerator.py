"""The Edge TPU: on which port, how fast, whose, with which library, and whether it answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.core.errors import EdgeError
from edge.host.doctor.values import Finding, Patient, broken, ok, warning
from edge.infer.delegate import open_edgetpu
from edge.infer.runtime import load_runtime

_LIBRARY = "libedgetpu.so.1"
_NEW, _RUNNING = "1a6e:089a", "18d1:9302"  # before and after it has its firmware (libedgetpu's udev rules)
_FAST_MBIT = 5000  # USB 3
_STATUS_BYTES = 32 << 20  # of dpkg's list of packages


@dataclass(frozen=True, slots=True)
class Device:
    """An Edge TPU as the kernel shows it.

    node : the file in /dev that a program opens
    mbit : of a USB port, None elsewhere
    """

    words: str
    node: Path
    mbit: int | None = None


def look(patient: Patient) -> list[Finding]:
    return [judge(patient, list(find_devices(patient)), _try)]


def judge(patient: Patient, devices: list[Device], attempt: Callable[[], str | None]) -> Finding:
    """What the devices and the library mean for what the configuration asks for.

    attempt : takes hold of an Edge TPU; why it could not, None when it could
    """
    is_asked = patient.accelerator.startswith("edgetpu")
    if patient.accelerator == "cpu":
        return ok("accelerator", "none asked for: the CPU runs the model")
    if not devices:
        if is_asked:
            return broken(
                "accelerator",
                f"the configuration asks for {patient.accelerator}, and no Edge TPU is attached",
                "plug it in (`lsusb` should show 1a6e:089a or 18d1:9302), or set `accelerator: auto`",
            )
        return ok("accelerator", "no Edge TPU is attached: the CPU runs the model")
    found = "; ".join([*(device.words for device in devices), _library(patient)])
    closed = next((device for device in devices if not os.access(device.node, os.R_OK | os.W_OK)), None)
    bad = broken if is_asked else warning
    if closed is not None:
        return bad("accelerator", f"{found}; this user may not open {closed.node}", _GROUP)
    why = attempt()
    if why is not None:
        said, _, fix = why.partition("; ")
        return bad(
            "accelerator", f"{found}; {said}", fix or "install libedgetpu1-std, built for this runtime's version"
        )
    return _judge_speed(devices, found)


_GROUP = (
    "run `sudo edge install`, which gives it to the group plugdev; then `sudo usermod -aG plugdev $USER`, log in anew"
)


def _judge_speed(devices: list[Device], found: str) -> Finding:
    slow = next((device for device in devices if device.mbit is not None and device.mbit < _FAST_MBIT), None)
    if slow is not None:
        return warning(
            "accelerator",
            f"{found}; works, but its port gives {slow.mbit} Mbit/s",
            "plug it into a blue port (USB 3), without a hub or a long cable",
        )
    return ok("accelerator", f"{found}; answers")


def find_devices(patient: Patient) -> Iterator[Device]:
    """USB sticks and PCI cards, by the kernel's own files; nothing is opened."""
    for folder in sorted(patient.place("sys/bus/usb/devices").glob("*")):
        number = f"{_text(folder / 'idVendor')}:{_text(folder / 'idProduct')}"
        if number in (_NEW, _RUNNING):
            speed = _text(folder / "speed")
            state = "running" if number == _RUNNING else "waiting for its firmware"
            node = patient.place(f"dev/bus/usb/{_text(folder / 'busnum'):>03}/{_text(folder / 'devnum'):>03}")
            mbit = int(speed) if speed.isdigit() else None
            yield Device(f"a USB stick at {folder.name} ({number}, {state}, {speed or '?'} Mbit/s)", node, mbit)
    for node in sorted(patient.place("dev").glob("apex_[0-9]*")):
        yield Device(f"a PCI card at {node.name}", node)


def _library(patient: Patient) -> str:
    for folder in ("usr/lib", "usr/local/lib", "lib"):
        home = patient.place(folder)
        for path in [*sorted(home.glob(f"*/{_LIBRARY}")), home / _LIBRARY]:
            if path.exists():
                return f"{path.resolve().name}{_package_version(patient)}"
    return f"no {_LIBRARY}"


def _package_version(patient: Patient) -> str:
    try:
        with patient.place("var/lib/dpkg/status").open(encoding="utf-8", errors="replace") as file:
            text = file.read(_STATUS_BYTES)
    except OSError:
        return ""
    for block in text.split("\n\n"):
        if block.startswith("Package: libedgetpu1-"):
            fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
            return f" of the package {fields['Package']} {fields.get('Version', '')}"
    return ""


def _try() -> str | None:
    try:
        open_edgetpu(load_runtime())
    except EdgeError as error:
        return str(error)
    return None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
