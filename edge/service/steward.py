"""Looks after the machine while the service runs: how hot and how late, what to do without, and what was promised."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from edge.core.values import StageTimes
from edge.service.contract import Contract
from edge.service.governor import Governor, Restraint, Step, Strain

logger = logging.getLogger(__name__)

EVERY_S = 5.0
_LEAST_FRAMES = 10  # fewer say nothing about 95 of 100

Machine = Callable[[], tuple[float | None, tuple[str, ...] | None]]
"""The temperature in degrees Celsius and the firmware's flags; None where this machine says nothing."""


@dataclass(frozen=True, slots=True)
class Care:
    """What the steward does and finds.

    causes : why less is done; empty while nothing is done without
    broken : promises of the contract that are not kept
    """

    restraint: Restraint = field(default_factory=Restraint)
    causes: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    contract: Contract = field(default_factory=Contract)


class Steward:
    """Times are monotonic seconds.

    Parameters
    ----------
    governor : None = nothing is ever done without
    restrain : does what the governor says
    has_smaller_model : whether the model's smaller sister is at work: not at once when the governor says so
    is_timed : whether a frame's age means anything: not of recordings alone that are played as fast as they go
    every_s : how often the machine is looked at
    """

    def __init__(
        self,
        governor: Governor | None,
        contract: Contract,
        *,
        restrain: Callable[[Restraint], None],
        machine: Machine,
        has_smaller_model: Callable[[], bool] = lambda: False,
        is_timed: Callable[[], bool] = lambda: True,
        every_s: float = EVERY_S,
    ) -> None:
        self._governor = governor
        self._contract = contract
        self._restrain = restrain
        self._machine = machine
        self._has_smaller_model = has_smaller_model
        self._is_timed = is_timed
        self._every_s = every_s
        self._times: list[StageTimes] = []
        self._counts: dict[str, int] = {}
        self._looked_s: float | None = None
        self._causes: tuple[str, ...] = ()
        self._broken: tuple[str, ...] = ()

    @property
    def care(self) -> Care:
        restraint = replace(self._said, smaller_model=self._has_smaller_model())
        return Care(restraint, self._causes, self._broken, self._contract)

    def apply(self) -> None:
        """Cameras have changed: what is in force goes for all of them."""
        self._restrain(self._said)

    def add(self, times: StageTimes) -> None:
        """A frame was looked at."""
        if self._is_timed():
            self._times.append(times)

    def look(self, counts: Mapping[str, int], now_s: float) -> None:
        """To be called often; looks every few seconds.

        Parameters
        ----------
        counts : frames since the start of each camera that delivers any
        """
        if self._looked_s is not None and now_s - self._looked_s < self._every_s:
            return
        passed_s, before = now_s - (self._looked_s or now_s), self._counts
        fps = {camera: (count - before[camera]) / passed_s for camera, count in counts.items() if camera in before}
        self._looked_s, self._counts = now_s, dict(counts)
        times, self._times = self._times, []
        self._check_contract(fps, times)
        if self._governor is not None:
            self._govern(self._governor, times, now_s)

    @property
    def _said(self) -> Restraint:
        return Restraint() if self._governor is None else self._governor.restraint

    def _check_contract(self, fps: Mapping[str, float], times: list[StageTimes]) -> None:
        latency = _p95([each.total for each in times])
        broken = self._contract.broken(fps=fps, latency_p95_ms=latency)
        for promise in set(broken) - set(self._broken):
            logger.warning("the contract's %s is not kept", promise)
        self._broken = broken

    def _govern(self, governor: Governor, times: list[StageTimes], now_s: float) -> None:
        temperature, flags = self._machine()
        limit_ms = self._contract.alert_latency_p95_ms
        late = None if limit_ms is None or not times else sum(each.total > limit_ms for each in times) / len(times)
        age_ms = _p95([each.capture for each in times])
        change = governor.look(Strain(temperature, flags or (), age_ms, late), now_s)
        if change is None:
            return
        self._causes = change.causes or (self._causes if governor.is_restrained else ())
        self._restrain(change.restraint)
        if change.step is Step.DOWN:
            logger.warning("doing with less (%s): %s", ", ".join(change.causes), change.restraint)
        else:
            logger.info("doing more again: %s", change.restraint)


def _p95(values: list[float]) -> float | None:
    if len(values) < _LEAST_FRAMES:
        return None
    return sorted(values)[round((len(values) - 1) * 0.95)]
