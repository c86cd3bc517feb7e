"""What differs between the events of two configurations on the same recording."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]

# Of the run, not of what happened.
_OF_THE_RUN = ("device", "epoch", "seq", "camera", "model", "backend", "latency_ms", "replayed")
# Told only because a rule asks for it.
_OF_RULES = ("dwell", "count", "absence")
# Speak about the zone that stands first; others only say in which zones the thing is besides.
_OF_ZONES = ("zone_enter", "zone_exit", "absence")
# The same thing may be told a little sooner or later under other settings.
_NEAR_MS = 1000


@dataclass(frozen=True, slots=True)
class Change:
    """One happening that both tell, not in the same words; ``facts`` are the keys that differ."""

    before: Event
    after: Event
    facts: tuple[str, ...]


@dataclass(slots=True)
class Difference:
    """gone : what the first tells alone; new : what the second tells alone; same : what both tell alike"""

    gone: list[Event] = field(default_factory=list)
    new: list[Event] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    same: int = 0

    @property
    def is_none(self) -> bool:
        return not (self.gone or self.new or self.changed)


def compare(before: Sequence[Event], after: Sequence[Event]) -> Difference:
    """Pair the events of two runs: those about the same kind of happening, nearest in time first.

    What happened and what a rule said about it are compared apart: a rule that is gone takes its alerts with it, while
    the happenings stay.
    """
    difference = Difference()
    kinds: dict[tuple[Any, ...], tuple[list[Event], list[Event]]] = defaultdict(lambda: ([], []))
    for side, events in enumerate((before, after)):
        for event in _apart(events):
            kinds[_kind(event)][side].append(event)
    for left, right in kinds.values():
        _pair(left, right, difference)
    difference.gone.sort(key=_order)
    difference.new.sort(key=_order)
    difference.changed.sort(key=lambda change: _order(change.before))
    return difference


def is_alert(event: Event) -> bool:
    return event["rule"] is not None and event["rule"]["severity"] == "alert"


def sentence(event: Event) -> str:
    """One event for people: when, which rule, what, why."""
    what = event["type"]
    if event["label"]:
        what += f", {event['label']}"
    if event["zones"]:
        what += f" in {', '.join(event['zones'])}"
    if event["line"]:
        what += f" over {event['line']['name']} ({event['line']['direction']})"
    rule = event["rule"]
    if rule is None:
        return f"{_seconds(event)}  {what}"
    why = ", ".join(f"{each['condition']} {each['value']:g} >= {each['threshold']:g}" for each in rule["why"])
    return f"{_seconds(event)}  {rule['severity']} {rule['name']}: {what}; {why}"


def change_sentence(change: Change) -> str:
    """What both tell, and how the second tells it otherwise."""
    facts = []
    for fact in change.facts:
        left, right = _flat(change.before).get(fact), _flat(change.after).get(fact)
        facts.append(f"{fact} {_short(left)} -> {_short(right)}")
    return f"{sentence(change.before)}; now {', '.join(facts)}"


def _apart(events: Sequence[Event]) -> list[Event]:
    """Each happening once, without a rule, and each thing a rule said."""
    happenings = {_key(event): {**event, "rule": None} for event in events if event["type"] not in _OF_RULES}
    return [*happenings.values(), *(event for event in events if event["rule"] is not None)]


def _key(event: Event) -> tuple[Any, ...]:
    """One happening is told once for each rule that speaks about it."""
    track = None if event["track"] is None else event["track"]["id"]
    return event["type"], track, _ms(event), str(event["line"]), tuple(event["zones"][:1])


def _kind(event: Event) -> tuple[Any, ...]:
    rule = None if event["rule"] is None else event["rule"]["name"]
    line = None if event["line"] is None else (event["line"]["name"], event["line"]["direction"])
    zone = event["zones"][:1] if event["type"] in _OF_ZONES else ()
    return event["type"], rule, event["label"], line, tuple(zone)


def _pair(left: list[Event], right: list[Event], difference: Difference) -> None:
    distances = sorted(
        (abs(_ms(one) - _ms(other)), i, j) for i, one in enumerate(left) for j, other in enumerate(right)
    )
    taken_left: set[int] = set()
    taken_right: set[int] = set()
    for distance, i, j in distances:
        if distance > _NEAR_MS or i in taken_left or j in taken_right:
            continue
        taken_left.add(i)
        taken_right.add(j)
        facts = _facts(left[i], right[j])
        if facts:
            difference.changed.append(Change(left[i], right[j], facts))
        else:
            difference.same += 1
    difference.gone += [event for i, event in enumerate(left) if i not in taken_left]
    difference.new += [event for j, event in enumerate(right) if j not in taken_right]


def _facts(before: Event, after: Event) -> tuple[str, ...]:
    left, right = _flat(before), _flat(after)
    differ = (key for key in sorted(left.keys() | right.keys()) if left.get(key) != right.get(key))
    return tuple(key for key in differ if before["rule"] is None or key.startswith(("rule.", "time.", "zones")))


def _flat(value: Any, key: str = "") -> dict[str, Any]:
    """Nested keys as ``time.wall_ms``. A track's id is a matter of the run: another one may be counted before it."""
    if key in _OF_THE_RUN or key == "track.id":
        return {}
    if isinstance(value, dict):
        parts = {f"{key}.{name}".lstrip("."): part for name, part in value.items()}
    elif isinstance(value, list) and key == "rule.why":
        parts = {f"{key}.{part['condition']}.{name}": part[name] for part in value for name in ("value", "threshold")}
    else:
        return {key: value}
    return {name: leaf for inner, part in parts.items() for name, leaf in _flat(part, inner).items()}


def _ms(event: Event) -> int:
    return int(event["time"]["monotonic_ms"])


def _order(event: Event) -> tuple[int, int]:
    return _ms(event), event["seq"]


def _seconds(event: Event) -> str:
    return f"{_ms(event) / 1000:8.2f} s"


def _short(value: Any) -> str:
    return "nothing" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
