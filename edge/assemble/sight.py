"""Cameras and model of a configuration, to processes: what each is told, and how long each may take."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from edge.assemble.brains import LineUp, Workshop
from edge.assemble.early import CAPTURE
from edge.assemble.orders import InferOrder, LookOrder, encode_order
from edge.assemble.snapshots import redacted_classes
from edge.assemble.source import order_source, parse_camera_source
from edge.assemble.stock import kept_folder
from edge.assemble.threads import choose_threads, has_spare_core
from edge.capture.spec import SourceKind, SourceSpec
from edge.config.values import Camera, Config
from edge.core.errors import ConfigError
from edge.core.model import InputLayout
from edge.core.protocols import Clock
from edge.service.capture import Capture, Patience
from edge.service.condition.sight import SightSettings
from edge.service.golden_book import GoldenBook
from edge.service.lookout import LookoutSettings

_NO_THRESHOLD = 1.0

# How long the next frame may take. A device gives its frames evenly; a stream's own time-out (5 s) comes first, and
# says more; a recording's file may lie on a slow disk.
_READ_S = {SourceKind.PICAMERA2: 1.5, SourceKind.V4L2: 1.5, SourceKind.STREAM: 6.5}
_RECORDING_S = 10.0
# A sensor has noise: the same picture twice is rare. A network camera may repeat a still scene from one key frame to
# the next (up to 10 s), byte for byte. Recordings and made-up scenes may stand still as long as they like.
_FROZEN_S = {SourceKind.PICAMERA2: 2.5, SourceKind.V4L2: 2.5, SourceKind.STREAM: 20.0}
_INTERVALS = 3  # and so many of its own intervals besides


def make_captures(config: Config, model_input: InputLayout) -> tuple[Capture, ...]:
    """What runs for each camera; ``model_input`` : what pictures are made small for.

    Raises
    ------
    ConfigError
        If a source can't be right, or its login can't be read.
    """
    return tuple(_capture(name, config, model_input) for name in config.cameras)


def make_lookouts(config: Config) -> dict[str, LookoutSettings]:
    """What is watched for at each camera."""
    return {name: _lookout(camera, config.folder) for name, camera in config.cameras.items()}


def make_infer_order(config: Config, line: LineUp) -> InferOrder:
    """What the model's process is told, but for the thresholds."""
    threads = choose_threads(config.threads)
    return InferOrder(
        line.cpu,
        config.accelerator,
        threads,
        _NO_THRESHOLD,
        config.boxes,
        {name: camera.tiles for name, camera in config.cameras.items()},
        is_ahead=has_spare_core(threads),
        redact=redacted_classes(config, line.model),
        regions={name: camera.regions.runs for name, camera in config.cameras.items() if camera.regions.enabled},
    )


def make_workshop(config: Config, line: LineUp, order: InferOrder, threshold: float, clock: Clock) -> Workshop:
    """Makes what runs the model.

    Parameters
    ----------
    line : what can run it
    threshold : the score from which anything counts at any camera
    """
    book = GoldenBook(kept_folder(config))
    book.open()
    runs = max((_runs(camera) for camera in config.cameras.values()), default=1)
    return Workshop(line, replace(order, threshold=threshold), book=book, runs=runs, clock=clock)


def _capture(name: str, config: Config, model_input: InputLayout) -> Capture:
    camera = config.cameras[name]
    try:
        spec = parse_camera_source(camera, config.folder)
    except ConfigError as error:
        raise ConfigError(f"{config.origin.file}: cameras.{name}: {error}") from error
    look = LookOrder(
        model_input,
        keeps_pictures=camera.snapshots.enabled or _runs(camera) > 1,
        has_gate=camera.motion_gate.enabled,
        is_watched=_lookout(camera, config.folder).sight.is_for_pictures,
        ignored=camera.ignore,
        keepalive_s=camera.motion_gate.keepalive_seconds,
        finds_places=camera.regions.enabled,
    )
    return Capture(
        name,
        CAPTURE,
        encode_order(order_source(name, camera, config.folder)),
        encode_order(look),
        is_whole=camera.pace == "fast" and not spec.is_live,
        patience=_patience(spec, camera),
    )


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


def _runs(camera: Camera) -> int:
    """Of the model per frame: the whole picture, each tile where there are several, each region."""
    columns, _, rows = camera.tiles.partition("x")
    tiles = int(columns) * int(rows)
    return 1 + camera.regions.runs + (0 if tiles == 1 else tiles)
