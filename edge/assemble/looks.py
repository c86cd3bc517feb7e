"""How each camera's frames are looked at: whole, or in tiles as well; all through one model."""

from __future__ import annotations

from collections.abc import Callable

from edge.config.values import Config
from edge.core.values import Frame
from edge.infer.detector import Detector
from edge.infer.tiling import TiledDetector, parse_grid

Look = Detector | TiledDetector


def make_look(detector: Detector, tiles: str) -> Look:
    """``tiles`` : columns x rows such as 2x2; 1x1 = the whole picture alone."""
    grid = parse_grid(tiles)
    return detector if grid.runs == 1 else TiledDetector(detector, grid)


def make_looks(config: Config, detector: Detector) -> dict[str, Look]:
    """Of each camera by its name."""
    return {name: make_look(detector, camera.tiles) for name, camera in config.cameras.items()}


def start_by_camera(looks: dict[str, Look]) -> Callable[[Frame], None]:
    """Has the model run on a frame as its camera wants it."""
    return lambda frame: looks[frame.camera].start(frame)
