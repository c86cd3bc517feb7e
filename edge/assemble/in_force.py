"""The configuration in force, with what commands have changed over it; and what ``info`` says of both."""

from __future__ import annotations

import platform
from collections.abc import Callable
from copy import copy

from edge import __version__
from edge.assemble.commands import camera_settings, open_overrides
from edge.assemble.outbox import teller
from edge.assemble.plan import Plan
from edge.assemble.snapshots import publishing_cameras
from edge.core.protocols import Clock
from edge.core.values import Message, ModelRef
from edge.report.outbox.values import Loss, Outgoing
from edge.report.states import Delivery, DeviceInfo, FileStanding, Privacy, info_message
from edge.service.brains import Brains
from edge.service.identity import Identities
from edge.track.wanted import lowest_score


class InForce:
    """Belongs to the thread of the service.

    nominal : as the file says, with the model that it names
    is_smaller : whether that model's smaller sister is at work instead
    wanted : by camera; stays the same object
    restart : keys whose value in the file takes effect at the next restart
    """

    def __init__(self, plan: Plan, identities: Identities, clock: Clock) -> None:
        self._identities = identities
        self._clock = clock
        self.nominal = plan
        self.is_smaller = False
        self.restart: tuple[str, ...] = ()
        self.refused: Callable[[], str | None] = lambda: None
        self.wanted = {name: copy(wanted) for name, wanted in plan.wanted.items()}
        self.overrides = open_overrides(plan.config, self.wanted)

    @property
    def plan(self) -> Plan:
        """What is in force now."""
        smaller = self.nominal.smaller
        return smaller if self.is_smaller and smaller is not None else self.nominal

    @property
    def disabled(self) -> frozenset[str]:
        """Cameras that commands have switched off."""
        return frozenset(name for name in self.plan.config.cameras if self.overrides.of(name).enabled is False)

    @property
    def lowest_score(self) -> float:
        """From which anything counts at any camera."""
        return lowest_score(self.wanted.values())

    def take_up(self, nominal: Plan, restart: tuple[str, ...], *, is_smaller: bool) -> None:
        """Another configuration."""
        has_other_labels = nominal.model.labels != self.plan.model.labels
        self.nominal, self.restart, self.is_smaller = nominal, restart, is_smaller
        plan = self.plan
        for name in self.wanted.keys() - plan.wanted.keys():
            del self.wanted[name]
        for name, wanted in plan.wanted.items():
            if has_other_labels or name not in self.wanted:
                self.wanted[name] = copy(wanted)
            else:
                self.wanted[name].become(wanted)
        self.overrides = open_overrides(plan.config, self.wanted)

    def exchange(self, *, is_smaller: bool) -> None:
        """The model's smaller sister comes or goes: thresholds that are left to the model are hers meanwhile."""
        self.is_smaller = is_smaller
        for name, wanted in self.plan.wanted.items():
            self.wanted[name].become(wanted)
            self.wanted[name].override(self.overrides.of(name).thresholds)

    def tell_loss(self, loss: Loss) -> Outgoing:
        """How a loss becomes an event."""
        plan = self.plan
        cameras = tuple(plan.config.cameras)
        tell = teller(plan.topics, self._identities, self._clock, cameras=cameras, backend=plan.model.layout.backend)
        return tell(loss)

    def describe(self, brains: Brains, delivery: Delivery) -> Message:
        """What this device is, and what holds here."""
        config, ready = self.plan.config, brains.said
        publishing = tuple(name for name, camera in config.cameras.items() if camera.publish_detections)
        refused = self.refused()
        info = DeviceInfo(
            edge=__version__,
            python=platform.python_version(),
            runtime=None if ready is None else ready.runtime,
            model=None if ready is None else ModelRef(ready.model, ready.sha256),
            backend="cpu" if ready is None else ready.backend,
            cameras=tuple(config.cameras),
            delivery=delivery,
            privacy=Privacy(detections=publishing, snapshots=publishing_cameras(config)),
            settings=camera_settings(config, self.plan.model, self.wanted, self.overrides),
            file=FileStanding(refused, self.restart),
        )
        return info_message(self.plan.topics, info)
