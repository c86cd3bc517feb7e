"""``os_list.json``: what Raspberry Pi Imager reads to offer, fetch and check an image (``rpi-imager --repo FILE``)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The Imager's names: a Zero 2 W is one of the first. No Raspberry Pi 5: Debian's kernel has no drivers for its chip.
DEVICES = ("pi3-64bit", "pi4-64bit")


@dataclass(frozen=True, slots=True)
class Content:
    """A file as the Imager checks it."""

    size: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Content:
        with path.open("rb") as stream:
            return cls(path.stat().st_size, hashlib.file_digest(stream, "sha256").hexdigest())


def os_list(version: str, image: Content, packed: Content, *, url: str, date: str) -> str:
    """The document, for one image.

    image : as it lies on the card; packed : as it is fetched
    url : from where; date : of the release, such as 2026-11-21
    """
    entry: dict[str, Any] = {
        "name": f"edge {version} on Debian 13 (64-bit)",
        "description": "A real-time video detector on the camera itself, for USB cameras and streams; read-only system",
        "icon": "icons/use_custom.png",
        "url": url,
        "extract_size": image.size,
        "extract_sha256": image.sha256,
        "image_download_size": packed.size,
        "image_download_sha256": packed.sha256,
        "release_date": date,
        "devices": list(DEVICES),
        # The Imager's own settings (name, login, network) become files that cloud-init reads.
        "init_format": "cloudinit",
    }
    return json.dumps({"os_list": [entry]}, indent=2) + "\n"
