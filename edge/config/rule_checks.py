"""What a rule needs, and what it has no use for."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from collections.abc import Set as AbstractSet

from edge.config.problems import Problem, join_key
from edge.config.values import Camera, Rule
from edge.core.likeness import like

# when -> (keys it needs, keys it may have besides); label, severity, cooldown_seconds and schedule go with all.
_KEYS: dict[str, tuple[AbstractSet[str], AbstractSet[str]]] = {
    "appear": (frozenset(), frozenset({"zone"})),
    "leave": (frozenset(), frozenset({"zone"})),
    "enter": (frozenset({"zone"}), frozenset()),
    "exit": (frozenset({"zone"}), frozenset()),
    "dwell": (frozenset({"seconds"}), frozenset({"zone"})),
    "count": (frozenset({"count"}), frozenset({"zone", "seconds"})),
    "absence": (frozenset({"seconds"}), frozenset({"zone"})),
    "cross": (frozenset({"line"}), frozenset({"direction"})),
}

_COMPARED = 50  # names that a misspelt one is compared with


def check_rule(
    rule: Rule, camera: Camera, key: str, *, zones: Collection[str], lines: Collection[str], given: AbstractSet[str]
) -> Iterator[Problem]:
    """``zones`` and ``lines`` are the names the camera has; ``given`` the keys that stand in the file."""
    needed, allowed = _KEYS[rule.when]
    for name in sorted(needed - given):
        yield Problem(key, f"a rule with `when: {rule.when}` needs {name}; add it")
    for name in sorted(({"zone", "line", "direction", "seconds", "count"} & given) - needed - allowed):
        yield Problem(join_key(key, name), f"a rule with `when: {rule.when}` has no use for {name}; take it out")
    if rule.zone is not None and rule.zone not in zones:
        yield Problem(join_key(key, "zone"), _unknown("zone", rule.zone, zones))
    if rule.line is not None and rule.line not in lines:
        yield Problem(join_key(key, "line"), _unknown("line", rule.line, lines))
    if rule.label is not None and camera.labels is not None and rule.label not in camera.labels:
        message = f"the camera lets no {rule.label!r} through; add it to the camera's labels"
        yield Problem(join_key(key, "label"), message)


def _unknown(what: str, name: str, known: Collection[str]) -> str:
    names = list(known)[:_COMPARED]
    near = like(name, names)
    if near:
        return f"the camera has no {what} {name!r}; did you mean {near[0]}?"
    if names:
        return f"the camera has no {what} {name!r}; it has {', '.join(names[:10])}"
    return f"the camera has no {what} {name!r}, and no {what}s at all; add it under {what}s"
