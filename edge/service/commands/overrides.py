"""What commands have changed, over the configuration file: kept, so that a restart does not undo it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from edge.core.kept_file import read_kept, write_kept

logger = logging.getLogger(__name__)

Score = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]


class CameraOverrides(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """enabled : None leaves it as the configuration says; thresholds : label -> score"""

    enabled: bool | None = None
    thresholds: dict[str, Score] = {}

    @property
    def changed(self) -> tuple[str, ...]:
        """The settings that are not the configuration file's, as their keys."""
        enabled = () if self.enabled is None else ("enabled",)
        return (*enabled, *(f"thresholds.{label}" for label in sorted(self.thresholds)))


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    schema: int = 1
    cameras: dict[str, CameraOverrides] = {}


class Overrides:
    """One file for all cameras. ``put`` writes it before it answers."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._cameras: dict[str, CameraOverrides] = {}

    def open(self, known: Mapping[str, frozenset[str]]) -> None:
        """Read what was kept. What the configuration no longer knows is left out, and said.

        Parameters
        ----------
        known : camera -> labels that may have a threshold
        """
        try:
            kept = read_kept(self._file, _Kept) or _Kept()
        except (OSError, ValueError) as error:
            logger.error(
                "%s: expected the settings that commands have changed, found something else (%s): those of the "
                "configuration file are in force; mend or delete the file",
                self._file,
                str(error)[:200],
            )
            return
        for camera, each in kept.cameras.items():
            thresholds = {label: score for label, score in each.thresholds.items() if label in known.get(camera, ())}
            if camera not in known or thresholds != each.thresholds:
                logger.warning("camera %s: a setting changed by command is for what is not there any more", camera)
            if camera in known:
                self._cameras[camera] = msgspec.structs.replace(each, thresholds=thresholds)

    def of(self, camera: str) -> CameraOverrides:
        return self._cameras.get(camera, CameraOverrides())

    def put(self, camera: str, overrides: CameraOverrides) -> None:
        """Keep it, then let it be in force. Raises OSError, and nothing has changed."""
        cameras = {**self._cameras, camera: overrides}
        cameras = {name: each for name, each in cameras.items() if each != CameraOverrides()}
        write_kept(self._file, _Kept(cameras=cameras))
        self._cameras = cameras
