"""A stream's address with a login in it, as people paste it; a configuration wants the two apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote


def camera_of(source: str, folder: Path) -> dict[str, Any]:
    """The camera's configuration; a password goes into a file of ``folder`` that only its owner may read."""
    scheme, separator, rest = source.partition("://")
    # A password may hold an @ or a / that its writer did not encode; the last @ before the host ends it.
    login, at, address = rest.rpartition("@")
    if not (separator and at):
        return {"source": source}
    name, colon, password = login.partition(":")
    camera: dict[str, Any] = {"source": f"{scheme}://{address}", "username": unquote(name)}
    if colon:
        file = folder / "password"
        file.touch(mode=0o600)
        file.chmod(0o600)
        file.write_text(unquote(password), encoding="utf-8")
        camera["password"] = {"file": file.name}
    return camera
