"""The learning curve: a line on the terminal after each check, a picture in the run's folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_BARS = "▁▂▃▄▅▆▇█"
_WIDTH, _HEIGHT, _MARGIN = 960, 480, 64
_COLOURS = ((40, 40, 200), (200, 110, 20), (40, 140, 40), (140, 40, 140), (20, 120, 180))  # BGR


def as_line(curve: Sequence[dict[str, Any]], labels: Sequence[str]) -> str:
    """The newest check in words, with each class's AP50 so far as bars."""
    row = curve[-1]
    figures = "  ".join(
        f"{label} {_figure(row['ap50'][label])} {_bars([one['ap50'][label] for one in curve])}" for label in labels
    )
    return f"{row['pictures']:>9,} pictures  loss {row['loss']:.3f}  AP50 held out: {figures}  {row['minutes']:.1f} min"


def _figure(value: float | None) -> str:
    return "  -  " if value is None else f"{value:.3f}"


def _bars(values: Sequence[float | None]) -> str:
    known = [value or 0.0 for value in values][-24:]
    top = max([*known, 1e-6])
    return "".join(_BARS[min(int(value / top * len(_BARS)), len(_BARS) - 1)] for value in known)


def draw(curve: Sequence[dict[str, Any]], labels: Sequence[str], path: Path) -> None:
    """AP50 per class (left axis) and the loss (grey, its own scale) over the pictures seen."""
    canvas = np.full((_HEIGHT, _WIDTH, 3), 255, np.uint8)
    seen = [row["pictures"] for row in curve]
    values = [[row["ap50"][label] or 0.0 for row in curve] for label in labels]
    top = max(0.1, np.ceil(max(max(one) for one in values) * 10) / 10)
    _axes(canvas, top, seen[-1])
    losses = [row["loss"] for row in curve]
    _polyline(canvas, seen, [value / max(losses) * top for value in losses], top, (190, 190, 190))
    _write(canvas, f"loss (highest {max(losses):.2f})", (_WIDTH - 260, 30), (150, 150, 150))
    for number, (label, one) in enumerate(zip(labels, values, strict=True)):
        colour = _COLOURS[number % len(_COLOURS)]
        _polyline(canvas, seen, one, top, colour)
        _write(canvas, f"{label} {one[-1]:.3f}", (_MARGIN + 20 + 190 * number, 30), colour)
    cv2.imwrite(str(path), canvas)


def _axes(canvas: NDArray[np.uint8], top: float, last: int) -> None:
    for part in range(6):
        y = _place(0, top * part / 5, 1, top)[1]
        cv2.line(canvas, (_MARGIN, y), (_WIDTH - 20, y), (225, 225, 225), 1)
        _write(canvas, f"{top * part / 5:.2f}", (12, y + 5), (60, 60, 60))
        x = _place(last * part / 5, 0, last, top)[0]
        _write(canvas, f"{last * part / 5 / 1000:.0f}k", (x - 16, _HEIGHT - 24), (60, 60, 60))
    _write(canvas, "AP50 on the held-out pictures, over pictures seen", (_WIDTH // 2 - 200, _HEIGHT - 6), (60, 60, 60))


def _polyline(canvas: NDArray[np.uint8], seen: Sequence[int], values: Sequence[float], top: float, colour: Any) -> None:
    points = np.array([_place(x, y, seen[-1], top) for x, y in zip(seen, values, strict=True)], np.int32)
    cv2.polylines(canvas, [points], isClosed=False, color=colour, thickness=2, lineType=cv2.LINE_AA)


def _place(x: float, y: float, last: float, top: float) -> tuple[int, int]:
    across = (_WIDTH - _MARGIN - 20) * x / max(last, 1)
    return int(_MARGIN + across), int(_HEIGHT - _MARGIN + 16 - (_HEIGHT - _MARGIN - 30) * y / top)


def _write(canvas: NDArray[np.uint8], text: str, at: tuple[int, int], colour: Any) -> None:
    cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, 1, cv2.LINE_AA)
