"""Stamps where a frame is and when, in the running service: what ``timeline`` starts instead of ``edge run``.

Functions on the frame's way are wrapped as they are imported; all else is the service's own. The processes that it
forks early inherit that, and write into the same memory.

    python -m tools.bench.stamping DESCRIPTOR CONFIGURATION
"""

from __future__ import annotations

import mmap
import struct
import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.machinery import PathFinder
from typing import Any

FRAMES = 4096  # then the first ones are written over
STAGES = (
    "due",
    "awake",
    "announcing",
    "announced",
    "heard",
    "lent",
    "taken",
    "filling",
    "filled",
    "ran",
    "answered",
    "found",
    "telling",
    "said",
    "passed",
    "at the publisher",
    "written",
    "received",
)
SIZE = FRAMES * len(STAGES) * 8
_PLACE = {name: number for number, name in enumerate(STAGES)}
_NUMBER = b'"sequence":'


class Stamps:
    """A table of stages by frames, monotonic nanoseconds; 0 = never seen there."""

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, SIZE)

    def put(self, stage: str, sequence: int, at_ns: int | None = None) -> None:
        now_ns = time.monotonic_ns() if at_ns is None else at_ns
        struct.pack_into("q", self._memory, (_PLACE[stage] * FRAMES + sequence % FRAMES) * 8, now_ns)

    def row(self, stage: str) -> tuple[int, ...]:
        return struct.unpack_from(f"{FRAMES}q", self._memory, _PLACE[stage] * FRAMES * 8)


def told_sequence(payload: bytes) -> int | None:
    """The frame that a message tells of."""
    at = payload.find(_NUMBER)
    if at < 0 or b'"detections":' not in payload:
        return None
    return int(payload[at + len(_NUMBER) :].partition(b",")[0])


Sequence = Callable[..., "int | None"]
_of_frame: Sequence = lambda _self, frame, *_, **__: frame.sequence  # noqa: E731
_of_letter: Sequence = lambda _self, letter, *_, **__: letter.sequence  # noqa: E731
_of_message: Sequence = lambda _self, message, *_, **__: told_sequence(message.payload)  # noqa: E731
_of_seen: Sequence = lambda _self, seen, *_, **__: seen.frame.sequence  # noqa: E731

# module, class and method, stage at its beginning, stage at its end, whose frame
_POINTS: tuple[tuple[str, str, str | None, str | None, Sequence], ...] = (
    ("edge.service.capturing", "Capturing._put", "awake", None, _of_frame),
    (
        "edge.service.capturing",
        "Capturing._announce",
        "announcing",
        "announced",
        lambda _s, _slot, f, *_, **__: f.sequence,
    ),
    ("edge.service.eye", "Eye._take", "heard", None, _of_letter),
    ("edge.service.brain", "Brain.look", None, "lent", lambda _s, announced, **__: announced.frame.sequence),
    ("edge.service.inferring", "Inferring._look", "taken", None, _of_letter),
    ("edge.service.inferring", "Inferring._answer", None, "answered", _of_letter),
    ("edge.service.arbiter", "Arbiter._settle", "found", None, lambda _s, answer: answer.announced.frame.sequence),
    ("edge.service.pipeline", "Pipeline.process", "telling", None, _of_seen),
    ("edge.service.publishing", "Publishing.send", "said", "passed", _of_message),
    ("edge.report.mqtt", "MqttSink.send", "at the publisher", "written", _of_message),
)


class Watcher:
    """Wraps what is imported as it is imported."""

    def __init__(self, stamps: Stamps) -> None:
        self._stamps = stamps

    def find_spec(self, name: str, path: Any = None, _target: Any = None) -> Any:
        if name != "edge.infer.detector" and all(name != module for module, *_ in _POINTS):
            return None
        spec: Any = PathFinder.find_spec(name, path)
        run = spec.loader.exec_module
        spec.loader.exec_module = lambda module: (run(module), self._wrap_all(name, module))
        return spec

    def _wrap_all(self, name: str, module: Any) -> None:
        if name == "edge.infer.detector":
            self._wrap_run(module.Detector)
        for at, what, first, last, sequence in _POINTS:
            if at == name:
                owner, _, method = what.partition(".")
                self._wrap(getattr(module, owner), method, first, last, sequence)

    def _wrap(self, owner: Any, method: str, first: str | None, last: str | None, sequence: Sequence) -> None:
        stamps, before = self._stamps, getattr(owner, method)

        def wrapped(*args: Any, **named: Any) -> Any:
            number = sequence(*args, **named)
            if number is not None and first is not None:
                stamps.put(first, number)
            result = before(*args, **named)
            if number is not None and last is not None:
                stamps.put(last, number)
            return result

        setattr(owner, method, wrapped)

    def _wrap_run(self, detector: Any) -> None:
        stamps, before = self._stamps, detector._invoke_alone

        def wrapped(self: Any, frame: Any, run: Any, read: Any) -> Any:
            def reading(outputs: Any) -> Any:
                if frame.camera:
                    stamps.put("ran", frame.sequence)
                return read(outputs)

            result = before(self, frame, run, reading)
            if frame.camera:
                stamps.put("due", frame.sequence, frame.captured_ns)
                stamps.put("filling", frame.sequence, run.begun_ns)
                stamps.put("filled", frame.sequence, run.prepared_ns)
            return result

        detector._invoke_alone = wrapped


def main() -> None:
    sys.meta_path.insert(0, Watcher(Stamps(int(sys.argv[1]))))  # type: ignore[arg-type]
    import_module("edge.cli").main(["run", "--config", sys.argv[2]])


if __name__ == "__main__":
    main()
