"""A frame's overlapping tiles: looked at besides the whole, small things get more of the model's pixels."""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.errors import ConfigError
from edge.core.values import Detections, Frame
from edge.infer.parts import Part

# Of two neighbours, a tile overlaps this part: what is smaller than that lies whole in one of them.
_OVERLAP = 1 / 3
_MOST = 8


@dataclass(frozen=True, slots=True)
class Grid:
    """Tiles side by side and one above the other; 1 x 1 = the whole picture alone."""

    columns: int
    rows: int

    def __post_init__(self) -> None:
        if not (1 <= self.columns <= _MOST and 1 <= self.rows <= _MOST):
            raise ConfigError(f"tiles: expected 1x1 to {_MOST}x{_MOST}, found {self.columns}x{self.rows}")

    @property
    def runs(self) -> int:
        """Of the model per frame."""
        return 1 if self.columns * self.rows == 1 else self.columns * self.rows + 1


def parse_grid(text: str) -> Grid:
    """ "2x2" -> two columns, two rows; raises ConfigError."""
    columns, cross, rows = text.strip().lower().partition("x")
    if not (cross and columns.isascii() and columns.isdigit() and rows.isascii() and rows.isdigit()):
        raise ConfigError(f"tiles: expected columns x rows such as 2x2, found {text!r}")
    return Grid(int(columns[:3]), int(rows[:3]))


def lay_tiles(grid: Grid, *, width: int, height: int) -> list[Part]:
    """The tiles of a frame, row by row.

    Example
    -------
    2x2 of 600x300: each 360x180, at left 0 and 240, top 0 and 120.
    """
    columns, rows = _spans(grid.columns, width), _spans(grid.rows, height)
    return [Part(left, top, right, bottom) for top, bottom in rows for left, right in columns]


class Tiles:
    """The parts of every frame are its tiles."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid

    def choose(self, frame: Frame, found: Detections) -> list[Part]:  # noqa: ARG002
        """All of them, whatever was found."""
        return lay_tiles(self._grid, width=frame.width, height=frame.height) if self._grid.runs > 1 else []

    def learn(self, found: Detections) -> None:
        """There is nothing to be learnt."""


def _spans(count: int, length: int) -> list[tuple[int, int]]:
    side = min(length, max(1, round(length / (count - (count - 1) * _OVERLAP))))
    starts = [round(place * (length - side) / max(1, count - 1)) for place in range(count)]
    return [(start, start + side) for start in starts]
