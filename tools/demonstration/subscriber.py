"""A subscriber nobody here wrote (mosquitto_sub), its output read line by line and shown in plain words."""

from __future__ import annotations

import json
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Heard:
    """What the subscriber has received so far. ``best`` is the detections message with the highest sum of scores."""

    events: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    inferences: int = 0
    best: dict[str, Any] | None = None
    best_score: float = 0.0
    health: dict[str, Any] = field(default_factory=dict)


class Subscriber:
    """Runs mosquitto_sub on ``edge/#`` and follows what it prints, in a thread."""

    def __init__(self, port: int, show: Callable[[str], None]) -> None:
        self._port = port
        self._show = show
        self.heard = Heard()
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Subscriber:
        command = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(self._port), "-t", "edge/#", "-F", "%t\t%p"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=5)
        self._thread.join(timeout=5)

    def _follow(self) -> None:
        if self._process is None or self._process.stdout is None:
            return
        for line in self._process.stdout:
            topic, _, payload = line.rstrip("\n").partition("\t")
            self._take(topic.split("/"), payload)

    def _take(self, levels: list[str], payload: str) -> None:
        match levels[2:]:
            case ["status"]:
                self._show(f"device {levels[1]} is {payload}")
            case ["health"]:
                self.heard.health = json.loads(payload)
            case ["camera", camera, "status"]:
                self._show(f"camera {camera} is {payload}")
            case ["camera", camera, "event"]:
                self._event(camera, json.loads(payload))
            case ["camera", _, "detections"]:
                self._detections(json.loads(payload))

    def _event(self, camera: str, event: dict[str, Any]) -> None:
        self.heard.events[event["type"]] += 1
        label, track = event.get("label"), event.get("track") or {}
        if event["type"] == "track_start":
            self.heard.labels[label] += 1
        what = f"{event['type']:<12} {label or '':<12}"
        where = f"score {event['score']:.2f}  box {event['box']}  track {track.get('id')}" if label else ""
        self._show(f"event  {event['seq']:>4}  {camera}  {what} {where}")

    def _detections(self, message: dict[str, Any]) -> None:
        self.heard.inferences += 1
        score = sum(detection["score"] for detection in message["detections"])
        if score > self.heard.best_score:
            self.heard.best, self.heard.best_score = message, score
