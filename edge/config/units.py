"""What was meant by a number with a unit, a percent sign or a comma: "10fps" -> 10, "24h" -> 24, "50%" -> 0.5."""

from __future__ import annotations

import re

_NUMBER_AND_WORD = re.compile(r"([-+]?\d{1,12}(?:\.\d{0,9})?)\s*([A-Za-z%/°]{1,20})")
_TIMES = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SECONDS = {
    **_TIMES,
    **dict.fromkeys(("sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), 3600),
    **dict.fromkeys(("day", "days"), 86400),
}
# unit of the key -> word behind the number -> how many of the key's units one of it is
_FACTORS: dict[str, dict[str, float]] = {
    "seconds": _SECONDS,
    "hours": {word: seconds / 3600 for word, seconds in _SECONDS.items()},
    "megabytes": {"kb": 0.001, "m": 1, "mb": 1, "mib": 1, "g": 1000, "gb": 1000, "gib": 1024, "tb": 1e6},
    "frames per second": dict.fromkeys(("fps", "f/s", "hz", "/s"), 1),
    "pixels": dict.fromkeys(("px", "pixel", "pixels", "p"), 1),
    "part": {"%": 0.01},
    "picture": {"%": 0.01},
}


def hint_for_text(text: str, unit: str) -> str:
    """What to write instead of a text that is no number; empty when it can't be told."""
    match = _NUMBER_AND_WORD.fullmatch(text.strip())
    if match:
        factor = _FACTORS.get(unit, {}).get(match[2].lower())
        if factor is not None:
            return f"write {float(match[1]) * factor:g}"
        return f"the number counts {unit}: write it without {match[2]!r}" if unit in _FACTORS else ""
    if re.fullmatch(r"[-+]?\d{1,12},\d{1,9}", text):
        return f"write {text.replace(',', '.')}"
    return ""


def hint_for_range(value: float, unit: str) -> str:
    """What to write instead of a number out of range."""
    if unit == "part" and 1 < value <= 100:
        return f"write {value / 100:g} for {value:g} %"
    if unit == "picture" and value > 1:
        return "points are parts of the picture: divide x by its width and y by its height"
    return ""
