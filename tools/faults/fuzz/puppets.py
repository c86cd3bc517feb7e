"""A child without a process, which says what it is told to say; and a service around three of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

from edge.assemble.pipeline import Shared, make_pipeline
from edge.assemble.rules import make_rules, make_wanted
from edge.config.load import parse_config
from edge.core.clock import HandClock
from edge.core.model import InputLayout, Model, ModelLayout
from edge.core.values import Message
from edge.report.listening import Inbox
from edge.report.states import Delivery
from edge.report.topics import Topics
from edge.service import brain, eye
from edge.service.arbiter import Arbiter
from edge.service.brain import Brain
from edge.service.brains import Brains
from edge.service.breaker import Breaker
from edge.service.capture import Capture
from edge.service.checkup import Checkup
from edge.service.golden_book import GoldenBook
from edge.service.health import camera_status, health_report
from edge.service.identity import Identities
from edge.service.inference import Inference
from edge.service.parts import Parts
from edge.service.pipeline import Pipeline
from edge.service.publishing import Publishing
from edge.service.reading import Reports
from edge.service.runner import Service
from edge.service.staff import Version
from edge.service.systemd import Notifier
from tests.service.test_publishing import FakeWriter

_LABELS = ("person", "vehicle", "animal")
_WORDS = b"""
device: gate
cameras:
  yard:
    source: synthetic
    publish_detections: true
    motion_gate: {enabled: true}
    zones: {middle: [[0.2, 0.2], [0.8, 0.2], [0.8, 0.8]]}
    lines: {door: {from: [0.5, 0], to: [0.5, 1]}}
    rules:
      a: {when: appear, label: person}
      b: {when: dwell, zone: middle, seconds: 1}
      c: {when: count, count: 2}
      d: {when: absence, label: animal, seconds: 5}
      e: {when: cross, line: door}
"""


_CONFIG = parse_config(_WORDS, Path("edge.yaml"))


class Puppet:
    """Behaves as ``edge.service.child.Child`` does, without a process: dead when it is failed, and back at once."""

    channel = None

    def __init__(self, *_names: str, greet: Callable[[], list[bytes]], **_settings: object) -> None:
        self._greet = greet
        self.says: list[bytes] = []
        self.pid: int | None = None
        self.restarts = self.deaths = 0
        self.is_dismissed = self.has_gone = self.has_died = False

    def tend(self) -> bool:
        is_new = self.pid is None and not self.has_gone
        self.pid = 1 if is_new else self.pid
        return is_new

    def receive(self) -> list[bytes]:
        says, self.says = self.says, []
        return says

    def send(self, _frame: bytes) -> bool:
        return self.pid is not None

    offer = send
    is_flushed = True

    def rouse(self) -> None: ...

    def expect(self, within_s: float | None) -> None: ...

    def dismiss(self) -> None:
        self.is_dismissed = True

    def wait(self, _timeout_s: float, *_others: int) -> None: ...

    def fail(self, _why: str) -> None:
        self.pid, self.restarts = None, self.restarts + 1

    def end(self, **_how: bool) -> None:
        self.pid, self.has_gone = None, True


class PuppetService:
    """The service's own loop, gone round by hand, with a camera, a model and a publisher that are puppets."""

    def __init__(self) -> None:
        self.clock = HandClock()
        topics, config = Topics("gate", _LABELS), _CONFIG
        made: list[Puppet] = []

        def puppet(*names: str, **settings: Any) -> Puppet:
            made.append(Puppet(*names, **settings))
            return made[-1]

        self._patches = [patch.object(eye, "Child", puppet), patch.object(brain, "Child", puppet)]
        for each in self._patches:
            each.start()
        self.arbiter = Arbiter([Capture("yard", "nowhere", b"", is_whole=False)], self._brains, self.clock)
        self.publisher = Puppet(greet=list)
        self.outlet = Publishing(
            self.publisher, FakeWriter(), guarantee=Delivery.ACKNOWLEDGED,  # type: ignore[arg-type]
            describe=lambda _delivery: Message(topics.info(), b"{}", qos=1, retain=True), hear=Inbox().put,
            clock=self.clock,
        )  # fmt: skip
        reports = Reports(
            camera=camera_status(topics),
            health=health_report(topics, ("yard",), self.clock, folder=Path("/dev/shm")),
            interval_s=0.1,
        )
        parts = Parts({"yard": self._pipeline(config, topics)}, reports)
        self.service = Service(parts, sight=self.arbiter, outlet=self.outlet, notifier=Notifier(""), clock=self.clock)
        self.arbiter.open()
        self.model, self.camera = made[0], made[1]

    def go_round(self) -> None:
        """One turn of the service's loop, and one of the thread that publishes."""
        self.clock.advance(0.1)
        for _ in range(2):
            self.service._take_in(0.0)
        self.service._go_round(self.clock.monotonic_ns())
        self.outlet._round()

    def end(self) -> None:
        for each in self._patches:
            each.stop()
        self.arbiter.close()

    def _brains(self, memories: Mapping[str, int]) -> Brains:
        inference = Inference("nowhere", b"")
        checkup = Checkup(GoldenBook(Path("/nowhere")))
        return Brains(
            Version(lambda: Brain(inference, memories, self.clock), checkup), None, breaker=Breaker(), clock=self.clock
        )

    def _pipeline(self, config: Any, topics: Topics) -> Pipeline:
        taken = InputLayout(name="image", width=64, height=64, dtype="uint8", scale=0.0, zero_point=0)
        layout = ModelLayout(family="ltrb", backend="cpu", input=taken, outputs={}, classes=len(_LABELS))  # type: ignore[arg-type]
        model = Model(name="m", path=Path("m.tflite"), sha256="0" * 64, layout=layout, labels=_LABELS, threshold=0.5)
        camera = config.cameras["yard"]
        wanted = make_wanted("yard", camera, model)
        shared = Shared(model, topics, Identities("gate", "e"), self.clock)
        rules = make_rules(camera, wanted, model, zone=None, ledger=None)
        return make_pipeline("yard", camera, wanted=wanted, rules=rules, shared=shared)
