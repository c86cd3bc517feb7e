"""``camera``: look through a camera, or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from edge.service.commands.overrides import Overrides
from edge.service.commands.request import CameraName, RefusedError, Request


class Switch(Protocol):
    """What can be switched off and on; both return at once."""

    def enable(self) -> None: ...

    def disable(self) -> None: ...


class CameraRequest(Request, frozen=True, forbid_unknown_fields=True, kw_only=True):
    camera: CameraName
    enabled: bool


class CameraCommand:
    """The source is closed and nothing is inferred while a camera is off."""

    name = "camera"
    request = CameraRequest

    def __init__(self, switches: Mapping[str, Switch], overrides: Overrides) -> None:
        self._switches = switches
        self._overrides = overrides

    def run(self, request: CameraRequest) -> dict[str, Any]:
        switch = self._switches.get(request.camera)
        if switch is None:
            raise RefusedError(f"there is no camera {request.camera}; there are {', '.join(self._switches)}")
        # Enabled is what the configuration says of every camera: nothing to keep.
        enabled = None if request.enabled else False
        before = self._overrides.of(request.camera)
        self._overrides.put(request.camera, msgspec.structs.replace(before, enabled=enabled))
        (switch.enable if request.enabled else switch.disable)()
        return {"camera": request.camera, "enabled": request.enabled}
