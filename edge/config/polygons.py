"""Whether a polygon encloses anything."""

from __future__ import annotations

from edge.config.values import Polygon

_LEAST_AREA = 1e-6  # of the picture: one pixel of 1280x720; less is a slip of the pen


def polygon_fault(polygon: Polygon) -> str | None:
    """Why the polygon is none, in words with the way out; None when it is good."""
    if polygon[0] == polygon[-1]:
        return "the first point stands again at the end; leave the last one out, edge closes the polygon itself"
    if len(set(polygon)) < len(polygon):
        return "the same point stands in it twice; leave one out"
    crossing = _crossing(polygon)
    if crossing:
        first, second = crossing
        return (
            f"the side from point {first + 1} crosses the side from point {second + 1}; "
            "list the points in the order of a walk along the edge"
        )
    if _area(polygon) < _LEAST_AREA:
        return "the points lie on one line and enclose nothing; move one of them"
    return None


def _area(polygon: Polygon) -> float:
    """By the shoelace formula, in parts of the picture."""
    pairs = zip(polygon, polygon[1:] + polygon[:1], strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2


def _crossing(polygon: Polygon) -> tuple[int, int] | None:
    """The first two sides, by their starting points, that cross without being neighbours."""
    count = len(polygon)
    for i in range(count):
        for j in range(i + 2, count):
            if (j + 1) % count != i and _cross(
                polygon[i], polygon[(i + 1) % count], polygon[j], polygon[(j + 1) % count]
            ):
                return i, j
    return None


def _cross(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float], d: tuple[float, float]) -> bool:
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def _side(a: tuple[float, float], b: tuple[float, float], point: tuple[float, float]) -> float:
    """Above 0 left of the line a-b, below 0 right of it (the cross product)."""
    return (b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0])
