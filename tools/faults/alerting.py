# ruff: noqa: ARG002 (doubles keep the signatures of what they stand for)
"""The service with everything but its eyes: each frame is an alert, so that faults can be tried on thousands of them.

Capture and inference are replaced; numbering, outbox, publisher, health and the orderly end are the service's own. Each
event that the outbox has committed is written to a ledger, in the moment of the commit.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections import Counter
from pathlib import Path

from edge.assemble.broker import publisher_setup
from edge.assemble.outbox import SpeakingKeeper, outbox_policy, teller, volatile_path
from edge.assemble.outlet import make_outlet, make_publisher
from edge.config.load import load_config
from edge.config.values import Config
from edge.core.clock import SystemClock
from edge.core.events import EventType, Occurrence, Reason, RuleHit, Severity
from edge.core.protocols import Clock
from edge.core.values import Detections, FrameFacts, Message, ModelRef, Sighting, StageTimes
from edge.report.payloads import event_message
from edge.report.states import CameraState as Wire
from edge.report.states import Delivery, DeviceInfo, camera_message, info_message
from edge.report.topics import Topics
from edge.service import publishing
from edge.service.health import health_report
from edge.service.identity import Identities, new_epoch
from edge.service.news import CameraNews, CameraState, Thinking
from edge.service.parts import Parts
from edge.service.pipeline import Pipeline, Telling
from edge.service.reading import Reports
from edge.service.runner import Service
from edge.service.systemd import Notifier
from tools.faults import hasty_publisher
from tools.faults.moved_clock import FILE, MovedClock

_CAMERA = "yard"


class Metronome:
    """A service's sight without cameras or model: so many empty sightings a second, so many in all.

    A clock that can be moved is moved at each.
    """

    def __init__(self, rate: float, count: int, linger_s: float, clock: Clock, *, spread_s: float = 0.0) -> None:
        self._rate = rate
        self._spread_s = spread_s
        self._linger_s = linger_s
        self._count = count
        self._clock = clock
        self._sequence = 0
        self._is_told = False
        self.is_quiet = False
        self.is_ready = True
        self.drops: Counter[str] = Counter()
        self.conditions: dict[str, object] = {}
        self.thinking = Thinking()

    def open(self) -> None:
        """Nothing to take hold of."""

    def stages(self) -> tuple[()]:
        """None of its own."""
        return ()

    def wake(self) -> None:
        """Nobody waits for long."""

    def take(self, timeout_s: float) -> Sighting | CameraNews | None:
        if not self._is_told:
            self._is_told = True
            return CameraNews(_CAMERA, CameraState.ONLINE)
        if self._count and self._sequence >= self._count:
            if self._linger_s > 0:  # a little at a time: somebody may want it to stop
                self._linger_s -= timeout_s
                self._clock.sleep(timeout_s)
                return None
            self.is_quiet = True
            return CameraNews(_CAMERA, CameraState.ENDED)
        if self._rate:
            self._clock.sleep(1 / self._rate)
        if isinstance(self._clock, MovedClock):
            self._clock.move(self._spread_s)
        self._sequence += 1
        frame = FrameFacts(_CAMERA, self._sequence, self._clock.monotonic_ns(), self._clock.utc_now(), 2, 2)
        return Sighting(frame, Detections.empty(), StageTimes(), ModelRef("none", "0" * 64), "cpu")

    def stop(self) -> None:
        self.is_quiet = True

    def close(self) -> None:
        """Nothing to let go."""


class Everything:
    """Wants all there is."""

    def select(self, detections: Detections, frame: FrameFacts) -> Detections:
        return detections

    def confident(self, detections: Detections) -> Detections:
        return detections


class NoTracks:
    def update(self, detections: Detections, captured_ns: int) -> tuple[()]:
        return ()

    def forget(self) -> None:
        """There is none."""


class AlwaysAlarmed:
    """A rule that every frame fulfils."""

    def update(self, tracks: object, frame: FrameFacts) -> list[Occurrence]:
        rule = RuleHit("each-frame", Severity.ALERT, (Reason("score", 0.9, 0.5),))
        return [Occurrence(EventType.DWELL, frame.captured_ns, frame.captured_at, frame.sequence, rule=rule)]

    def changes(self) -> list[object]:
        return []

    def impair(self, *, is_impaired: bool) -> None:
        return

    def finish(self) -> list[Occurrence]:
        return []


def main() -> int:
    options = _options()
    if options.hasty:
        publishing.MODULE = hasty_publisher.MODULE
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    clock: Clock = SystemClock()
    if options.clock:
        os.environ[FILE] = str(options.clock)  # for the publisher
        publishing.MODULE = "tools.faults.moved_publisher"
        clock = MovedClock(path=options.clock)
    config = load_config(options.config)
    source = Metronome(options.rate, options.count, options.linger, clock, spread_s=options.spread)
    service = make_service(config, clock, source, ledger=options.ledger)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: service.stop())
    service.run()
    return 0


def make_service(config: Config, clock: Clock, source: Metronome, *, ledger: Path | None) -> Service:
    assert config.outbox.path is not None
    topics = Topics(config.device)
    identities = Identities(config.device, new_epoch(clock))
    publisher = publisher_setup(config, outbox=config.outbox.path, volatile=volatile_path(config.outbox.path))
    outlet = make_outlet(
        config,
        _keeper(config, clock, ledger),
        make_publisher(publisher, None, clock),
        tell=teller(topics, identities, clock, cameras=(_CAMERA,), backend="cpu"),
        describe=lambda delivery: info_message(topics, _info(delivery)),
        clock=clock,
    )
    pipeline = Pipeline(
        camera=_CAMERA,
        wanted=Everything(),
        tracker=NoTracks(),
        rules=AlwaysAlarmed(),  # type: ignore[arg-type]
        telling=Telling(event=lambda event: event_message(event, topics), standing=_no_standing),
        identities=identities,
        clock=clock,
    )
    if publishing.MODULE == hasty_publisher.MODULE:
        outlet._child._longest_s = 1.0
    # the publisher is watched in real time: it would have to be alive every 10 s of a day that takes minutes
    outlet._clock = outlet._child._clock = SystemClock()
    parts = Parts(
        pipelines={_CAMERA: pipeline},
        reports=Reports(
            camera=lambda camera, state: camera_message(
                topics, camera, Wire.ONLINE if state is CameraState.ONLINE else Wire.OFFLINE
            ),
            health=health_report(topics, (_CAMERA,), clock, folder=config.outbox.path.parent),
            interval_s=config.health.interval_seconds,
        ),
    )
    return Service(parts, sight=source, outlet=outlet, notifier=Notifier(""), clock=clock)


def _keeper(config: Config, clock: Clock, ledger: Path | None) -> SpeakingKeeper:
    assert config.outbox.path is not None
    keeper = SpeakingKeeper(
        config.outbox.path,
        volatile_path=volatile_path(config.outbox.path),
        policy=outbox_policy(config),
        clock=clock,
    )
    if ledger is not None:
        descriptor = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

        def note(entries: object) -> None:
            lines = [f"{entry.record.epoch} {entry.record.seq}\n" for entry in entries]  # type: ignore[attr-defined]
            os.write(descriptor, "".join(lines).encode())

        keeper.on_entries = note
    return keeper


def _info(delivery: Delivery) -> DeviceInfo:
    return DeviceInfo("0", "3", None, None, "cpu", (_CAMERA,), delivery)


def _no_standing(_standing: object) -> Message:
    raise AssertionError("nothing is counted here")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--ledger", type=Path)
    parser.add_argument("--rate", type=float, default=50.0, help="alerts a second; 0 = as fast as it goes")
    parser.add_argument("--count", type=int, default=0, help="alerts in all; 0 = until stopped")
    parser.add_argument("--linger", type=float, default=0.0, help="seconds to stay after the last alert")
    parser.add_argument("--clock", type=Path, help="the file of a clock to move")
    parser.add_argument("--spread", type=float, default=0.0, help="seconds that clock is moved at each alert")
    parser.add_argument("--hasty", action="store_true", help="a publisher that is killed or cut off is back soon")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
