"""The Edge TPU, by the runtime's own delegate mechanism: no pycoral."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge.core.errors import ConfigError, MissingLibraryError
from edge.infer.interpreter import native_text
from edge.infer.runtime import Runtime

_DEVICE = re.compile(r"|(usb|pci)(:\d{1,2})?")
_PLUGIN_SYMBOL = "tflite_plugin_create_delegate"
# A Coral stick before its firmware is loaded, and after. Source: libedgetpu's udev rules.
_USB_IDS = {"1a6e:089a": "not initialised yet", "18d1:9302": "running"}
_NATIVE_ERRORS = (OSError, ValueError, AttributeError, RuntimeError, SystemError)


def open_edgetpu(
    runtime: Runtime, device: str = "", library: str = "libedgetpu.so.1", *, system: Path = Path("/")
) -> Any:
    """Take hold of an Edge TPU.

    A wrong pair of library and runtime can end the process (a segmentation fault): where that matters, try it in a
    child process first.

    Parameters
    ----------
    device : "" = the first there is; "usb", "pci", or with a number: "usb:0", "pci:1"
    library : name or path of the library
    system : where /sys and /dev are found

    Returns
    -------
    A delegate for `edge.infer.interpreter.open_interpreter` with the same runtime.

    Raises
    ------
    ConfigError
        When the device is written wrongly.
    MissingLibraryError
        When the library or the device is missing or does not work, with what to do.
    """
    if _DEVICE.fullmatch(device) is None:
        raise ConfigError(f'Edge TPU device: expected "", "usb", "pci", "usb:0" or "pci:1", found "{device}"')
    _check_library(library)
    try:
        return runtime.load_delegate(library, {"device": device} if device else {})
    except ValueError as error:
        raise MissingLibraryError(_explain_refusal(error, device=device, library=library, system=system)) from error
    except _NATIVE_ERRORS as error:
        raise MissingLibraryError(
            f"the Edge TPU library {library} does not work with the runtime {runtime.name} {runtime.version} "
            f"({native_text(error)}); install a libedgetpu built for this runtime's version"
        ) from error


def find_edgetpus(system: Path = Path("/")) -> list[str]:
    """The Edge TPUs that the kernel shows, in words; empty when there are none."""
    return [*_usb_sticks(system), *(f"PCI device {node}" for node in sorted(system.glob("dev/apex_[0-9]*")))]


def _check_library(library: str) -> None:
    # Asked first, since the runtime's own loading leaves a half-made object that complains on stderr when it goes.
    try:
        loaded = ctypes.CDLL(library)
    except OSError as error:
        raise MissingLibraryError(
            f"the Edge TPU library {library} can't be loaded ({native_text(error)}); expected libedgetpu for this "
            "machine: install the package libedgetpu1-std, or set the path of the library"
        ) from error
    if not hasattr(loaded, _PLUGIN_SYMBOL):
        raise MissingLibraryError(
            f"{library} is not an Edge TPU library: expected the function {_PLUGIN_SYMBOL} in it, found none; "
            "set the path of libedgetpu.so.1"
        )


def _explain_refusal(error: ValueError, *, device: str, library: str, system: Path) -> str:
    # libedgetpu says nothing at all when it finds no device, may not use it, or is of the wrong version.
    wanted = f'Edge TPU "{device}"' if device else "Edge TPU"
    said = native_text(error).removeprefix(f"Failed to load delegate from {library}").strip()
    words = f" and says: {said}" if said else ""
    present = find_edgetpus(system)
    if not present:
        return f"{library} finds no {wanted}{words}; no such device is attached: plug it in, or use the CPU"
    return (
        f"{library} can't use the {wanted}{words}; the system shows {', '.join(present)}: "
        "is the user in the group plugdev (USB) or apex (PCI), is another program using it, "
        "does the device's number exist, and does the library's version fit the runtime?"
    )


def _usb_sticks(system: Path) -> Iterator[str]:
    for folder in sorted(system.glob("sys/bus/usb/devices/*")):
        try:
            vendor, product = ((folder / name).read_text().strip() for name in ("idVendor", "idProduct"))
        except OSError:
            continue
        if (state := _USB_IDS.get(f"{vendor}:{product}")) is not None:
            yield f"a USB stick at {folder.name} ({state})"
