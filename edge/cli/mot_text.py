"""MOTChallenge text: ``frame, id, left, top, width, height, score, ...``, one box a line, frames counted from 1."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from edge.core.errors import RecordingError
from edge.core.values import Detections

_FIELDS = 6
# Frame numbers and pixels past these are a slip of the pen, and would keep a machine busy for days.
_MOST_FRAMES = 100_000_000
_FARTHEST_PX = 1e7


@dataclass(frozen=True, slots=True)
class Row:
    """One box of one frame; ``track_id`` -1 means nobody yet. score: 0..1, or whatever the file says."""

    frame: int
    track_id: int
    left: float
    top: float
    width: float
    height: float
    score: float = 1.0

    def text(self) -> str:
        """The line for it."""
        numbers = f"{self.left:.2f},{self.top:.2f},{self.width:.2f},{self.height:.2f},{self.score:.4f}"
        return f"{self.frame},{self.track_id},{numbers},-1,-1,-1\n"


def read_rows(lines: Iterable[str], name: str) -> Iterator[Row]:
    """The rows of a file; empty lines and ``#`` comments are passed over.

    Raises
    ------
    RecordingError
        If a line is no row; names the file, the line and what is wrong with it.
    """
    for number, line in enumerate(lines, 1):
        text = line.strip().lstrip("\ufeff")
        if text and not text.startswith("#"):
            yield _read_row(text, f"{name}: line {number}")


def _read_row(text: str, where: str) -> Row:
    fields = [field.strip() for field in text.split(",")]
    if len(fields) < _FIELDS:
        raise RecordingError(
            f"{where}: expected frame,id,left,top,width,height[,score...], found {len(fields)} of these {_FIELDS} "
            f"fields in {text[:60]!r}; is this MOTChallenge text?"
        )
    values = [_number(field, where) for field in fields[: _FIELDS + 1]]
    frame = values[0]
    if frame != int(frame) or not 0 <= frame <= _MOST_FRAMES:
        raise RecordingError(f"{where}: expected a frame number, found {fields[0]!r}")
    if values[4] <= 0 or values[5] <= 0:
        raise RecordingError(f"{where}: expected a width and height above 0, found {fields[4]} and {fields[5]}")
    return Row(int(frame), int(values[1]), *values[2:])


def _number(field: str, where: str) -> float:
    try:
        value = float(field)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or abs(value) > max(_FARTHEST_PX, _MOST_FRAMES):
        raise RecordingError(f"{where}: expected a number, found {field[:40]!r}")
    return value


def scores_to_unit(rows: list[Row]) -> tuple[np.ndarray[tuple[int], np.dtype[np.float32]], bool]:
    """The scores as 0..1, and whether the file's own were used.

    -1 means unused, which is certain. Where any other lies outside 0..1 the file's scores are no shares at all (older
    detectors write margins): then each counts as the part of all that are not stronger.
    """
    scores = np.array([row.score for row in rows], np.float32)
    scores[scores == -1.0] = 1.0
    if len(scores) and (scores.min() < 0.0 or scores.max() > 1.0):
        return (np.searchsorted(np.sort(scores), scores, side="right") / len(scores)).astype(np.float32), False
    return scores, True


def to_detections(rows: list[Row], scores: np.ndarray[tuple[int], np.dtype[np.float32]]) -> Detections:
    """The rows of one frame, best first, all of class 0."""
    order = np.argsort(-scores, kind="stable")
    boxes = np.array([(row.left, row.top, row.left + row.width, row.top + row.height) for row in rows], np.float32)
    return Detections(boxes.reshape(-1, 4)[order], scores[order], np.zeros(len(rows), np.int32))
