"""A stage for rules: things stand where a test puts them, frame by frame, without a tracker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from msgspec.structs import replace

from edge.core.events import EventType, Occurrence
from edge.core.values import Box, Frame, Track
from edge.track.rulebook import Layout, RuleBook
from edge.track.rules.view import Rule
from tests.builders import START

SIZE = (1000, 500)
MIDDLE = {"middle": ((0.3, 0.2), (0.7, 0.2), (0.7, 1.0), (0.3, 1.0))}
GATE = {"gate": ((0.5, 0.0), (0.5, 1.0))}  # drawn downwards: in is to the left, out to the right
_IMAGE = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)


def box_at(x: float, y: float = 0.6, *, width: float = 40.0, height: float = 100.0) -> Box:
    """A box that stands at (x, y), as parts of the picture, with the middle of its lower edge."""
    foot_x, foot_y = x * SIZE[0], y * SIZE[1]
    return Box(foot_x - width / 2, foot_y - height, foot_x + width / 2, foot_y)


@dataclass
class Stage:
    """Shows frames to a rule book; remembers what it was told.

    lag_s : how far the wall clock is off
    """

    book: RuleBook
    now_s: float = 0.0
    sequence: int = -1
    lag_s: float = 0.0
    told: list[Occurrence] = field(default_factory=list)
    tracks: dict[int, Track] = field(default_factory=dict)

    @classmethod
    def of(cls, *rules: Rule, **layout: object) -> Stage:
        return cls(RuleBook(Layout(**layout), rules))  # type: ignore[arg-type]

    def show(
        self,
        boxes: Mapping[int, Box],
        *,
        after_s: float = 0.1,
        label: str = "person",
        hidden: Iterable[int] = (),
        still: Iterable[int] = (),
        at: datetime | None = None,
    ) -> list[Occurrence]:
        """One frame: the boxes by track id; ``hidden`` ones are out of sight but expected back."""
        self.now_s += after_s
        self.sequence += 1
        now_ns = round(self.now_s * 1e9)
        seen = {number: self._seen(number, box, label, now_ns, still) for number, box in boxes.items()}
        self.tracks = {number: self.tracks[number] for number in hidden} | seen
        wall = at or START + timedelta(seconds=self.now_s + self.lag_s)
        told = self.book.update(list(self.tracks.values()), Frame(_IMAGE, "yard", self.sequence, now_ns, wall))
        self.told += told
        return told

    def _seen(self, number: int, box: Box, label: str, now_ns: int, still: Iterable[int]) -> Track:
        before = self.tracks.get(number) or Track(number, 0, label, 0.9, 0.9, box, now_ns, now_ns)
        stands = number in tuple(still)
        return replace(before, label=label, box=box, last_seen_ns=now_ns, frames=before.frames + 1, stationary=stands)

    def walk(self, number: int, *xs: float, every_s: float = 0.1, y: float = 0.6) -> list[Occurrence]:
        """One thing, at one place after another."""
        return [told for x in xs for told in self.show({number: box_at(x, y)}, after_s=every_s)]

    def stay(self, number: int, x: float, *, for_s: float, every_s: float = 0.1) -> list[Occurrence]:
        return self.walk(number, *[x] * round(for_s / every_s), every_s=every_s)

    def nothing(self, *, for_s: float, every_s: float = 0.1) -> list[Occurrence]:
        return [told for _ in range(round(for_s / every_s)) for told in self.show({}, after_s=every_s)]

    def hide(self, number: int, *, for_s: float) -> list[Occurrence]:
        """Out of sight but expected back."""
        return [told for _ in range(round(for_s / 0.1)) for told in self.show({}, hidden=[number])]


def kinds(told: Iterable[Occurrence]) -> list[str]:
    return [each.type.value for each in told]


def alerts(told: Iterable[Occurrence]) -> list[tuple[str, str]]:
    """(rule, type) of what a rule has spoken about."""
    return [(each.rule.name, each.type.value) for each in told if each.rule is not None]


def of_kind(told: Iterable[Occurrence], kind: EventType) -> list[Occurrence]:
    return [each for each in told if each.type is kind]
