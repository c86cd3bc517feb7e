"""Each camera of the configuration: is it there, may we use it, is its library there. No picture is taken."""

from __future__ import annotations

import grp
import importlib
import importlib.util
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.core.looking import why_missing
from edge.host.doctor.probes.reaching import reach
from edge.host.doctor.values import CameraFacts, Finding, Patient, broken, ok, warning

_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_APT = "`sudo apt install python3-picamera2`, and make edge's environment with --system-site-packages"


def look(patient: Patient) -> list[Finding]:
    if not patient.cameras:
        return [stack(patient)]
    return [judge(patient, camera) for camera in patient.cameras]


def judge(patient: Patient, camera: CameraFacts) -> Finding:
    """One camera."""
    name = f"camera:{camera.name}"
    match camera.kind:
        case "picamera2":
            return judge_csi(name, int(camera.target), list_csi_cameras)
        case "v4l2":
            return judge_v4l2(patient, name, Path(camera.target))
        case "stream":
            return _judge_stream(name, camera.target)
        case "video" | "pictures":
            why = why_missing(Path(camera.target))
            if why is not None:
                return broken(name, f"{camera.target}: {why}", "correct cameras.*.source, or put the recording there")
            return ok(name, f"{camera.target} is there")
        case _:
            return ok(name, f"{camera.kind}: needs no camera")


def stack(patient: Patient) -> Finding:
    """Without a configuration: what could be used."""
    devices = [f"/dev/{folder.name} ({_name(folder)})" for folder in _v4l2_folders(patient)]
    has_library = importlib.util.find_spec("picamera2") is not None
    found = f"V4L2: {', '.join(devices) or 'none'}; picamera2 {'is' if has_library else 'is not'} installed"
    return ok("cameras", found)


def judge_csi(name: str, number: int, list_cameras: Callable[[], list[str]]) -> Finding:
    """A camera on the ribbon cable."""
    try:
        cameras = list_cameras()
    except ImportError as error:
        return broken(name, f"picamera2 can't be loaded: {error}", _APT)
    except (OSError, RuntimeError) as error:
        return broken(name, f"libcamera does not work: {error}", "`rpicam-hello --list-cameras` says more")
    if number >= len(cameras):
        found = f"picamera2:{number} is not there; libcamera finds {', '.join(cameras) or 'no camera'}"
        return broken(name, found, "switch the machine off and seat both ends of the ribbon cable; then restart it")
    return ok(name, f"picamera2:{number} is {cameras[number]}")


def list_csi_cameras() -> list[str]:
    """The models libcamera finds; raises ImportError, and whatever libcamera does."""
    picamera2: Any = importlib.import_module("picamera2")
    return [str(camera.get("Model", "a camera")) for camera in picamera2.Picamera2.global_camera_info()]


def judge_v4l2(patient: Patient, name: str, device: Path) -> Finding:
    """A camera on USB, by the kernel's own files: opening it would disturb whoever uses it."""
    node = patient.place(str(device).lstrip("/"))
    try:
        state = node.stat()
    except OSError as error:
        known = ", ".join(f"/dev/{folder.name} ({_name(folder)})" for folder in _v4l2_folders(patient))
        return broken(
            name,
            f"{device}: {(error.strerror or 'not there').lower()}; the kernel shows {known or 'no camera'}",
            "plug it in (`dmesg | tail` says what the kernel sees), or correct cameras.*.source",
        )
    if not os.access(node, os.R_OK | os.W_OK):
        group = _group(state.st_gid)
        return broken(name, f"{device}: this user may not use it; it belongs to the group {group}", _join(group))
    if not stat.S_ISCHR(state.st_mode):
        return broken(name, f"{device} is no device", "correct cameras.*.source")
    folder = patient.place(f"sys/class/video4linux/{node.resolve().name}")
    if not folder.exists():
        return warning(name, f"{device} is there, but the kernel does not call it a camera", "try another /dev/video*")
    return ok(name, f"{device} is {_name(folder)}")


def _judge_stream(name: str, address: str) -> Finding:
    host, port = host_and_port(address)
    why = reach(host, port)
    if why is not None:
        return broken(name, f"{host}:{port}: {why}", f"check the camera's power and network: `ping {host}`")
    return ok(name, f"{host}:{port} answers (the picture is not tried)")


def host_and_port(address: str) -> tuple[str, int]:
    """Where a stream comes from; the address has been checked when the configuration was read."""
    scheme, _, rest = address.partition("://")
    place = re.split(r"[/?#]", rest.rpartition("@")[2], maxsplit=1)[0]
    found = re.fullmatch(r"\[?(?P<host>.*?)\]?(:(?P<port>\d+))?", place)
    assert found is not None
    return found["host"], int(found["port"] or _PORTS[scheme.lower()])


def _v4l2_folders(patient: Patient) -> list[Path]:
    return sorted(patient.place("sys/class/video4linux").glob("video*"))


def _name(folder: Path) -> str:
    try:
        return (folder / "name").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return "of unknown make"


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _join(group: str) -> str:
    return f"`sudo usermod -aG {group} $USER`, then log in anew; the service is in the group video already"
