"""A device for a consumer's tests: says events, hears cursors and commands, answers replay from what it holds."""

from __future__ import annotations

import json
from typing import Any

from tests.plain_mqtt import Got, PlainClient


def event_json(seq: int, *, device: str = "gate", epoch: str = "E1", **changes: Any) -> bytes:
    """A short event; the consumer reads no more of it than its identity."""
    event = {"schema": 1, "device": device, "epoch": epoch, "seq": seq, "type": "zone_enter", "camera": "yard"}
    return json.dumps({**event, "label": "person", "score": 0.83, "zones": ["drive"], **changes}).encode()


class FakeDevice:
    """Speaks through a real broker."""

    def __init__(self, port: int, name: str = "gate") -> None:
        self.name = name
        self.held: dict[tuple[str, int], bytes] = {}
        self.asked: list[dict[str, Any]] = []
        self.cursors: list[tuple[str, int]] = []
        self._client = PlainClient(port, client_id=f"device-{name}")
        self._client.subscribe(f"edge/{name}/command/+")
        self._client.subscribe(f"edge/{name}/cursor/+")

    def say(self, seq: int, *, epoch: str = "E1", is_held: bool = True, **changes: Any) -> None:
        """Publish an event; one that is not held can't be replayed."""
        payload = event_json(seq, device=self.name, epoch=epoch, **changes)
        if is_held:
            self.held[epoch, seq] = payload
        self._client.publish(f"edge/{self.name}/camera/yard/event", payload)

    def keep(self, seq: int, *, epoch: str = "E1") -> None:
        """Hold an event without sending it: the broker has lost it."""
        self.held[epoch, seq] = event_json(seq, device=self.name, epoch=epoch)

    def tell(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, retain=retain)

    def look(self) -> None:
        """Take in what came and answer requests for replay."""
        self._client.ping()
        for got in self._client.take():
            self._handle(got)

    def close(self) -> None:
        self._client.close()

    def _handle(self, got: Got) -> None:
        message = json.loads(got.payload)
        if "/cursor/" in got.topic:
            self.cursors.append((message["epoch"], message["seq"]))
            return
        assert not got.retain
        self.asked.append(message)
        wanted = range(message["from"], min(message["to"], 1000) + 1)
        here = [seq for seq in wanted if (message["epoch"], seq) in self.held]
        answer = {
            "transaction": message["transaction"],
            "status": "ok",
            "held": [[seq, seq] for seq in here],
            "missing": [[seq, seq] for seq in wanted if seq not in here],
        }
        self.tell(f"edge/{self.name}/response/replay", json.dumps(answer).encode())
        for seq in here:
            self._client.publish(f"edge/{self.name}/camera/yard/event", self.held[message["epoch"], seq])
