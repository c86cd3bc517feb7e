"""What the inspector found in files that have no card, so that a service need not try them at each start."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from edge.core.home import expand_home
from edge.core.kept_file import read_kept, write_kept
from edge.core.model import ModelLayout

logger = logging.getLogger(__name__)

_KEPT_AT_MOST = 64  # files; the oldest goes


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a file is run: what its inspection came to."""

    labels: tuple[str, ...]
    layout: ModelLayout


def cache_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Where findings are kept: systemd's cache folder, else the user's."""
    environment = os.environ if environment is None else environment
    given = environment.get("CACHE_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given) / "inspections"
    base = environment.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else expand_home("~") / ".cache") / "edge" / "inspections"


class Findings:
    """A folder of findings. One that can't be read or written costs time, nothing else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recall(self, sha256: str, labels: tuple[str, ...]) -> Finding | None:
        """What this version of the inspector found in a file of this content, told these labels."""
        try:
            return read_kept(self._file(sha256, labels), Finding)
        except (OSError, ValueError) as error:
            logger.debug("what was found in a model before can't be read: %s", error)
            return None

    def keep(self, sha256: str, labels: tuple[str, ...], finding: Finding) -> None:
        try:
            write_kept(self._file(sha256, labels), finding)
            self._make_room()
        except OSError as error:
            logger.debug("what was found in a model can't be kept: %s", error)

    def _file(self, sha256: str, labels: tuple[str, ...]) -> Path:
        told = hashlib.sha256("\0".join((_inspector_version(), *labels)).encode()).hexdigest()[:16]
        return self._folder / f"{sha256}-{told}.json"

    def _make_room(self) -> None:
        files = sorted(self._folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
        for file in files[:-_KEPT_AT_MOST]:
            with contextlib.suppress(FileNotFoundError):
                file.unlink()


def _inspector_version() -> str:
    """Another after each change of this room: what an older inspector found is not believed."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return " ".join(f"{file.name}:{file.stat().st_size}:{file.stat().st_mtime_ns}" for file in files)
