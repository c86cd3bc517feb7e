"""Run the real program against a real mosquitto, and hear what mosquitto_sub hears."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.brokers import Mosquitto, free_port  # noqa: F401  (the fixture's own parts)

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a run.

    heard : (topic, payload) in the order mosquitto_sub printed them
    """

    exit_code: int
    stderr: str
    heard: list[tuple[str, str]]

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        payloads = [json.loads(payload) for topic, payload in self.heard if topic.endswith("/event")]
        return [payload for payload in payloads if kind in (None, payload["type"])]

    def payloads(self, ending: str) -> list[str]:
        return [payload for topic, payload in self.heard if topic.endswith(ending)]
