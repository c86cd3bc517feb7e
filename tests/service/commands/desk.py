"""A command desk over fakes, as the service has one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edge.core.clock import HandClock
from edge.core.values import Message
from edge.report.listening import Heard, Inbox
from edge.report.topics import Topics
from edge.service.checkup import Result
from edge.service.commands.audit import AuditTrail
from edge.service.commands.bucket import TokenBucket
from edge.service.commands.camera import CameraCommand
from edge.service.commands.desk import CommandDesk
from edge.service.commands.overrides import Overrides
from edge.service.commands.self_test import SelfTestCommand
from edge.service.commands.threshold import ThresholdCommand

TOPICS = Topics("gate")
LABELS = {"yard": frozenset({"person", "traffic light"}), "shed": frozenset({"person"})}
INFO = Message(TOPICS.info(), b"{}", qos=1, retain=True)


class FakeSwitch:
    def __init__(self) -> None:
        self.turns: list[str] = []

    def enable(self) -> None:
        self.turns.append("on")

    def disable(self) -> None:
        self.turns.append("off")


class FakeProcess:
    """The model's process: finds what it is told to find, at once or never."""

    def __init__(self) -> None:
        self.is_there = True
        self.is_slow = False
        self.fault: str | None = None
        self._result: Result | None = None

    def ask(self) -> bool:
        if self.is_there:
            self._result = Result(self.fault, 12.34)
        return self.is_there

    def take_result(self) -> Result | None:
        if self.is_slow:
            return None
        result, self._result = self._result, None
        return result


class Desk:
    """The desk, and everything that it moves."""

    def __init__(self, folder: Path, *, per_minute: float = 600.0, burst: int = 10) -> None:
        self.clock = HandClock()
        self.inbox = Inbox()
        self.folder = folder
        self.switches = {"yard": FakeSwitch(), "shed": FakeSwitch()}
        self.process = FakeProcess()
        self.tuned: list[tuple[str, dict[str, float]]] = []
        self.overrides = Overrides(folder / "commands.json")
        self.overrides.open(LABELS)
        self.audit = AuditTrail(folder / "commands.jsonl", self.clock)
        self.audit.open()
        self._bucket = TokenBucket(per_minute, burst, self.clock)
        self.desk = self._made()

    def reload(self) -> None:
        """Another configuration is in force: another desk goes on with what this one has begun."""
        before, self.desk = self.desk, self._made()
        self.desk.go_on_from(before)

    def _made(self) -> CommandDesk:
        return CommandDesk(
            [
                CameraCommand(self.switches, self.overrides),
                ThresholdCommand(LABELS, self.overrides, lambda *tuned: self.tuned.append((tuned[0], dict(tuned[1])))),
                SelfTestCommand(self.process, self.clock, lambda: {"yard": "online"}),
            ],
            inbox=self.inbox,
            topics=TOPICS,
            bucket=self._bucket,
            audit=self.audit,
            changed=lambda: INFO,
        )

    def hear(self, name: str, payload: bytes, *, retained: bool = False) -> list[Message]:
        """What is said after a message came in."""
        self.inbox.put(Heard(f"edge/gate/command/{name}", payload, retained))
        return self.desk.due() + self.desk.due()

    def ask(self, command: str, **request: object) -> dict[str, Any]:
        """The answer to a well-formed command."""
        said = self.hear(command, json.dumps({"transaction": "t1", **request}).encode())
        answer = said[-1]
        assert (answer.topic, answer.qos, answer.retain) == (f"edge/gate/response/{command}", 1, False)
        found: dict[str, Any] = json.loads(answer.payload)
        assert found["transaction"] == "t1"
        return found

    @property
    def has_acted(self) -> bool:
        kept = self.folder / "commands.json"
        return bool(kept.exists() or self.tuned or any(each.turns for each in self.switches.values()))

    @property
    def written(self) -> list[dict[str, Any]]:
        file = self.folder / "commands.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
