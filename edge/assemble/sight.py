"""Cameras and model of a configuration, to processes: what each is told, and how long each may take."""

from __future__ import annotations

from pathlib import Path

from edge.assemble.brains import LineUp, Workshop
from edge.assemble.orders import CaptureOrder, InferOrder, encode_order
from edge.assemble.snapshots import redacted_classes
from edge.assemble.source import order_source, parse_camera_source
from edge.assemble.stock import kept_folder
from edge.assemble.threads import choose_threads, has_spare_core
from edge.capture.spec import SourceKind, SourceSpec
from edge.config.values import Camera, Config
from edge.core.errors import ConfigError
from edge.core.model import InputLayout
from edge.core.protocols import Clock
from edge.service.arbiter import Arbiter
from edge.service.capture import Capture, Patience
from edge.service.condition.sight import SightSettings
from edge.service.golden_book import GoldenBook
from edge.service.lookout import LookoutSettings

CAPTURE = "edge.assemble.capture"

# How long the next frame may take. A device gives its frames evenly; a stream's own time-out (5 s) comes first, and
# says more; a recording's file may lie on a slow disk.
_READ_S = {SourceKind.PICAMERA2: 1.5, SourceKind.V4L2: 1.5, SourceKind.STREAM: 6.5}
_RECORDING_S = 10.0
# A sensor has noise: the same picture twice is rare. A network camera may repeat a still scene from one key frame to
# the next (up to 10 s), byte for byte. Recordings and made-up scenes may stand still as long as they like.
_FROZEN_S = {SourceKind.PICAMERA2: 2.5, SourceKind.V4L2: 2.5, SourceKind.STREAM: 20.0}
_INTERVALS = 3  # and so many of its own intervals besides


def make_arbiter(config: Config, line: LineUp, threshold: float, *, disabled: frozenset[str], clock: Clock) -> Arbiter:
    """Every process named, none of them running yet.

    Parameters
    ----------
    line : what can run the model
    threshold : the score from which anything counts at any camera
    disabled : cameras that begin switched off

    Raises
    ------
    ConfigError
        If a source can't be right, or its login can't be read.
    """
    threads = choose_threads(config.threads)
    is_ahead = has_spare_core(threads)
    order = InferOrder(
        line.cpu,
        config.accelerator,
        threads,
        threshold,
        config.boxes,
        {name: camera.tiles for name, camera in config.cameras.items()},
        is_ahead=is_ahead,
        redact=redacted_classes(config, line.model),
    )
    shrink_for = line.model.layout.input if is_ahead else None
    captures = [_capture(name, config, shrink_for) for name in config.cameras]
    runs = max((_runs(camera.tiles) for camera in config.cameras.values()), default=1)
    lookouts = {name: _lookout(camera, config.folder) for name, camera in config.cameras.items()}
    book = GoldenBook(kept_folder(config))
    book.open()
    workshop = Workshop(line, order, book=book, runs=runs, clock=clock)
    return Arbiter(captures, workshop.brains, clock, disabled=disabled, lookouts=lookouts)


def _capture(name: str, config: Config, shrink_for: InputLayout | None) -> Capture:
    camera = config.cameras[name]
    try:
        spec = parse_camera_source(camera, config.folder)
    except ConfigError as error:
        raise ConfigError(f"{config.origin.file}: cameras.{name}: {error}") from error
    order = CaptureOrder(
        order_source(name, camera, config.folder),
        shrink_for,
        ignored=camera.ignore,
        keepalive_s=camera.motion_gate.keepalive_seconds,
    )
    is_whole = camera.pace == "fast" and not spec.is_live
    return Capture(name, CAPTURE, encode_order(order), is_whole=is_whole, patience=_patience(spec, camera))


def _lookout(camera: Camera, folder: Path) -> LookoutSettings:
    spec, check = parse_camera_source(camera, folder), camera.picture_check
    frozen_s = _FROZEN_S.get(spec.kind) if check.frozen_seconds is None else check.frozen_seconds
    sight = SightSettings(
        frozen_s=frozen_s or None,
        lens=spec.is_live if check.lens is None else check.lens,
        is_live=spec.is_live,
        fps=camera.fps,
    )
    return LookoutSettings(sight, has_gate=camera.motion_gate.enabled)


def _patience(spec: SourceSpec, camera: Camera) -> Patience:
    interval_s = 0.0 if camera.fps is None else 1 / camera.fps
    return Patience(reading_s=_READ_S.get(spec.kind, _RECORDING_S) + _INTERVALS * interval_s)


def _runs(tiles: str) -> int:
    """Of the model per frame: the whole picture, and each tile where there are several."""
    columns, _, rows = tiles.partition("x")
    parts = int(columns) * int(rows)
    return 1 if parts == 1 else parts + 1
