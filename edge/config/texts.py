"""Grammars of the texts in a configuration; each reader raises WrongValueError with the way out."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Literal, TypeAlias

from edge.config.scalars import WrongValueError
from edge.core.names import is_name, label_slug

SourceKind: TypeAlias = Literal["picamera2", "v4l2", "stream", "synthetic", "path"]

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9.])?")
_STREAM = re.compile(
    r"(?i:rtsps?|https?)://(?P<login>[^/\s]*@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?([/?]\S*)?"
)
_ACCELERATOR = re.compile(r"auto|cpu|edgetpu(:(usb|pci)(:\d{1,2})?)?")
_LOGIN_KEYS = "take the login out and write `username: NAME` and `password: {credential: NAME}` beside source"


def parse_name(text: str) -> str:
    if not is_name(text):
        slug = label_slug(text)
        raise WrongValueError(f"write {slug}" if slug != "unnamed" else "")
    return text


def parse_label(text: str) -> str:
    """A label of the model; whether the model knows it is checked when the model is there."""
    if not 1 <= len(text) <= 64 or not text.isprintable() or text != text.strip():
        raise WrongValueError("write one of the model's labels, as `edge models inspect` lists them")
    return text


def parse_line_of_text(text: str) -> str:
    """Any short text of one line, for the user's own name at a broker or camera."""
    if not 1 <= len(text) <= 256 or not text.isprintable():
        raise WrongValueError("write one line of up to 256 characters")
    return text


def parse_path(text: str) -> Path:
    if not text.strip() or len(text) > 4096 or not text.isprintable():
        raise WrongValueError("write the path of a file")
    return Path(text)


def parse_host(text: str) -> str:
    if is_address(text) or _HOST.fullmatch(text):
        return text
    if "://" in text:
        raise WrongValueError("write the name alone, and the port as `port: 8883`")
    if re.fullmatch(r"[^:\s]+:\d{1,5}", text):
        host, port = text.split(":")
        raise WrongValueError(f"write `host: {host}` and `port: {port}`" if _HOST.fullmatch(host) else "")
    raise WrongValueError()


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether the name or address stays on this machine."""
    if is_address(host):
        return ipaddress.ip_address(host).is_loopback
    return host.lower().rstrip(".") in ("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback")


def parse_accelerator(text: str) -> str:
    if _ACCELERATOR.fullmatch(text):
        return text
    if text.lower() in ("tpu", "coral", "edge_tpu", "edge-tpu", "usb", "pci"):
        raise WrongValueError("write edgetpu, edgetpu:usb or edgetpu:pci")
    raise WrongValueError("write auto to take the Edge TPU where there is one, else the CPU")


def parse_local_address(text: str) -> str:
    """``host:port`` that only this machine can reach."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not re.fullmatch(r"[1-9]\d{0,4}", port) or int(port) > 65535:
        raise WrongValueError("write 127.0.0.1:9750")
    if not is_loopback(host):
        raise WrongValueError(
            "edge opens no port to the network: write 127.0.0.1 and the port, and fetch through a proxy"
        )
    return text


def parse_zone(text: str) -> str:
    """A time zone of the IANA database, which comes with the system or with Python's ``tzdata``."""
    import zoneinfo  # where one is named: it takes the time of some twenty of our own modules

    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise WrongValueError("`timedatectl list-timezones` tells the names; UTC is one") from None
    return text


def parse_prefix(text: str) -> str:
    """Topic levels, as Home Assistant's discovery prefix."""
    if len(text) > 128 or not re.fullmatch(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*", text):
        raise WrongValueError("write homeassistant, or what Home Assistant's MQTT settings name")
    return text


def parse_tiles(text: str) -> str:
    """Columns x rows, 1 to 8 each."""
    if not re.fullmatch(r"[1-8]x[1-8]", text):
        raise WrongValueError("write 2x2 for two columns and two rows, 1x1 for the whole picture alone")
    return text


def parse_model(text: str) -> str:
    """A card's name, or a path; anything with a ``/`` or ``.tflite`` is a path."""
    if names_file(text):
        return str(parse_path(text))
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", text):
        raise WrongValueError("`edge models list` tells the names")
    return text


def names_file(model: str) -> bool:
    return "/" in model or model.lower().endswith((".tflite", ".yaml", ".yml"))


def parse_source(text: str) -> str:
    """A camera, stream or recording. Raises WrongValueError for what edge can't read."""
    if source_kind(text) == "stream":
        _check_stream(text)
    elif not text.strip() or len(text) > 4096 or not text.isprintable():
        raise WrongValueError("write a path of one line")
    return "synthetic:" if text == "synthetic" else text


def source_kind(text: str) -> SourceKind:
    """Which kind of source a text names. Raises WrongValueError for one that is almost one."""
    lower = text.strip().lower()
    if re.fullmatch(r"picamera2:\d{1,2}", text):
        return "picamera2"
    if re.fullmatch(r"(picamera2?|libcamera|rpicam|picam|csi)[:-]?\d*", lower):
        raise WrongValueError("write picamera2:0 for the first camera at the ribbon cable")
    if re.fullmatch(r"(v4l2:)?/dev/(video\d{1,3}|v4l/by-(id|path)/[^/\s]+)|v4l2:\d{1,3}", text):
        return "v4l2"
    device = re.fullmatch(r"(?:(?:video|webcam|usb|v4l2):?)?(\d{1,2})|webcam|usb|v4l2:?|/dev/video", lower)
    if device:
        raise WrongValueError(f"write /dev/video{device[1] or 0}")
    if lower.startswith(("rtsp://", "rtsps://", "http://", "https://")):
        return "stream"
    if re.match(r"synthetic(:|$)", text):
        return "synthetic"
    if re.match(r"[a-z][a-z0-9+.-]*://", lower):
        raise WrongValueError("edge reads streams from rtsp://, rtsps://, http:// and https:// addresses")
    return "path"


def device_of(source: str) -> str | None:
    """The camera on this machine that a source takes for itself; None for what can be read twice."""
    kind = source_kind(source)
    if kind == "v4l2":
        device = source.removeprefix("v4l2:")
        return f"/dev/video{device}" if device.isdigit() else device
    return source if kind == "picamera2" else None


def _check_stream(text: str) -> None:
    rest = text.partition("://")[2]
    well_formed = _STREAM.fullmatch(text)
    # An unencoded password may hold a / of its own; then the address does not read as one, but has an @.
    if (well_formed and well_formed["login"]) or (not well_formed and "@" in rest):
        raise WrongValueError(f"the address holds a login: {_LOGIN_KEYS}")
    if not well_formed:
        raise WrongValueError("write rtsp://HOST:PORT/PATH, without spaces")
