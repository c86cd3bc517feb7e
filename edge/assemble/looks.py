"""How each camera's frames are looked at: whole, and in tiles or regions as well; all through one model."""

from __future__ import annotations

from edge.infer.detector import Detector
from edge.infer.parted import PartedDetector
from edge.infer.regions import Regions
from edge.infer.tiling import Tiles, parse_grid

Look = Detector | PartedDetector


def make_look(detector: Detector, tiles: str = "1x1", *, regions: int = 0) -> Look:
    """How one camera's frames are looked at.

    Parameters
    ----------
    tiles : columns x rows such as 2x2; 1x1 = none
    regions : of a frame at most, where something moves; 0 = none
    """
    if regions:
        return PartedDetector(detector, Regions(detector.model, regions))
    grid = parse_grid(tiles)
    return detector if grid.runs == 1 else PartedDetector(detector, Tiles(grid))
