"""The options of ``synthetic:``."""

from __future__ import annotations

from dataclasses import dataclass, fields

from edge.core.errors import ConfigError
from edge.core.likeness import like

# Each object has a lane of its own, at least this high, so that no object ever hides another.
LANE_PX = 8
_LIMITS: dict[str, tuple[float, float]] = {
    "width": (32, 8192),
    "height": (32, 8192),
    "objects": (0, 256),
    "seconds": (0.001, 1e7),
    "fps": (0.01, 1000),
    "seed": (0, 2**32 - 1),
}
EXAMPLE = "synthetic:?width=640&height=480&objects=3&seconds=10&fps=10&seed=1"


@dataclass(frozen=True, slots=True)
class SceneOptions:
    """What was asked of the scene; None = the camera's ``size`` and ``fps`` decide, or the defaults do.

    seconds : the scene ends after so long; None = never
    """

    width: int | None = None
    height: int | None = None
    objects: int = 3
    seconds: float | None = None
    fps: float | None = None
    seed: int = 1


_NAMES = tuple(field.name for field in fields(SceneOptions))


def parse_scene(text: str) -> SceneOptions:
    """Read what stands behind ``synthetic:``: nothing, or ``?name=value&name=value``; raises ConfigError."""
    if not text:
        return SceneOptions()
    if not text.startswith("?"):
        raise ConfigError(f"source 'synthetic:{text}': expected options behind a question mark, as in {EXAMPLE}")
    found: dict[str, float] = {}
    for item in filter(None, text[1:].split("&")):
        name, _, value = item.partition("=")
        if name in found:
            raise ConfigError(f"source 'synthetic:{text}': {name} stands there twice")
        found[name] = _value(name, value)
    return SceneOptions(
        width=_whole(found, "width"),
        height=_whole(found, "height"),
        objects=int(found.get("objects", 3)),
        seconds=found.get("seconds"),
        fps=found.get("fps"),
        seed=int(found.get("seed", 1)),
    )


def _whole(found: dict[str, float], name: str) -> int | None:
    return int(found[name]) if name in found else None


def _value(name: str, value: str) -> float:
    if name not in _NAMES:
        near = like(name, _NAMES)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ConfigError(f"source synthetic: expected options {', '.join(_NAMES)}; found {name!r}{hint}")
    low, high = _LIMITS[name]
    kind = "a number" if name in ("seconds", "fps") else "a whole number"
    try:
        number = float(value) if kind == "a number" else float(int(value))
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise ConfigError(f"source synthetic: {name} must be {kind} from {low:g} to {high:g}, found {value!r}")
    return number
