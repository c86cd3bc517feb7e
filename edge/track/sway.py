"""How far the camera itself has turned since the frame before, as the things it follows tell."""

from __future__ import annotations

from collections.abc import Sequence

# Fewer things may well go the same way by themselves.
LEAST_WITNESSES = 4
# One witness in so many may say otherwise.
_DISSENT = 5
# From the median of the distances to the median, to a standard deviation.
_DEVIATION = 1.48


def common_shift(surprises: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """The part of a movement that nearly all have in common, by axis.

    Parameters
    ----------
    surprises : by axis, how far each thing was found from where it should have been, pixels; at least one thing

    Returns
    -------
    By axis: the median, where four in five went its way and it is larger than they differ among themselves; else 0.
    People who walk as they like agree in nothing; when a camera is turned, everything moves at once.
    """
    return tuple(_agreed(sorted(each)) for each in surprises)


def _agreed(ordered: Sequence[float]) -> float:
    few = len(ordered) // _DISSENT
    if ordered[few] <= 0.0 <= ordered[-1 - few]:
        return 0.0
    shift = _median(ordered)
    spread = _median(sorted(abs(each - shift) for each in ordered))
    return shift if abs(shift) > _DEVIATION * spread else 0.0


def _median(ordered: Sequence[float]) -> float:
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2.0
