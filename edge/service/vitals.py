"""What the service measures of itself, for health: frames, times, and how its cameras do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from edge.core.protocols import Clock
from edge.core.values import Sighting
from edge.service.condition.trouble import Trouble
from edge.service.doors import Outlet, Sight
from edge.service.lookout import Condition
from edge.service.meters import RateMeter, StageMeter, merge_drops
from edge.service.news import CameraState
from edge.service.reading import Reading
from edge.service.steward import Care
from edge.service.tidings import Tidings


class Vitals:
    """Belongs to the thread of the service.

    tidings : of each camera
    """

    def __init__(self, sight: Sight, outlet: Outlet, clock: Clock, cameras: Iterable[str]) -> None:
        self._sight = sight
        self._outlet = outlet
        self._clock = clock
        self._stages = StageMeter()
        self._started_ns = clock.monotonic_ns()
        self._rates: dict[str, RateMeter] = {}
        self._before = 0
        self.tidings: dict[str, Tidings] = {}
        self.change(cameras, frozenset())

    @property
    def uptime_s(self) -> float:
        return (self._clock.monotonic_ns() - self._started_ns) / 1e9

    @property
    def frames(self) -> int:
        """Looked at since the start."""
        return self._before + sum(rate.total for rate in self._rates.values())

    @property
    def totals(self) -> dict[str, int]:
        """Frames since each camera came."""
        return {camera: rate.total for camera, rate in self._rates.items()}

    def change(self, cameras: Iterable[str], renewed: frozenset[str]) -> None:
        """Cameras come and go; of those that are ``renewed`` nothing of before is true."""
        cameras, now_ns = tuple(cameras), self._clock.monotonic_ns()
        self._before += sum(rate.total for camera, rate in self._rates.items() if camera not in cameras)
        self._rates = {camera: self._rates.get(camera) or RateMeter(now_ns) for camera in cameras}
        known = {camera: each for camera, each in self.tidings.items() if camera not in renewed}
        self.tidings = {camera: known.get(camera) or Tidings() for camera in cameras}

    def add(self, seen: Sighting) -> None:
        """A frame was looked at, or held."""
        if not seen.is_held:
            self._stages.add(seen.times)
        self._rates[seen.frame.camera].add()

    def conditions(self) -> dict[str, Condition]:
        """Of each camera."""
        found = dict(self._sight.conditions)
        for camera, tidings in self.tidings.items():
            if tidings.is_flapping:
                known = found.get(camera, Condition())
                found[camera] = replace(known, troubles=(*known.troubles, Trouble.FLAPPING))
        return found

    def signs(self, care: Care) -> object:
        """What health must not deny for half a minute when it is so."""
        troubles = [condition.troubles for condition in self.conditions().values()]
        return self._outlet.standing().reasons, troubles, care, self._sight.thinking.reasons

    def read(self, cameras: Mapping[str, CameraState], care: Care) -> Reading:
        """All of it; rates are since the reading before."""
        now_ns, way_out = self._clock.monotonic_ns(), self._outlet.standing()
        return Reading(
            uptime_s=self.uptime_s,
            frames=self.frames,
            rates={camera: rate.read(now_ns) for camera, rate in self._rates.items()},
            stages=self._stages.quantiles(),
            drops=merge_drops(self._sight.drops, Counter(way_out.drops)),
            cameras=dict(cameras),
            conditions=self.conditions(),
            care=care,
            way_out=way_out,
            thinking=self._sight.thinking,
        )
