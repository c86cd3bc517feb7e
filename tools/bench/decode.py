#!/usr/bin/env python3
"""How long reading a YOLOv8 output and saying an event take, warm: CPU time of the thread. Prints one JSON object.

The plane is made up: 84 x 3549 (416 x 416, 80 classes), each object seen by six neighbouring
cells, as YOLOv8n sees those of coco-dev (5.95 at 0.25).

python tools/bench/decode.py [--runs 400]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from edge.core.clock import SystemClock
from edge.core.events import Event, EventId, EventTime, EventType, Occurrence, Reason, RuleHit, Severity
from edge.core.model import Family, InputLayout, ModelLayout, ModelRef, OutputLayout
from edge.core.values import Box, FrameSize, Tensor, Track
from edge.infer.decoding import make_decoder
from edge.report.payloads import event_message
from edge.report.topics import Topics

SIDE, CLASSES, STRIDE = 416, 80, 8
CELLS = sum((SIDE // stride) ** 2 for stride in (8, 16, 32))
SCALE, ZERO_POINT = 1 / 255, -128


def plane_with(objects: int) -> NDArray[np.float32]:
    """(84, 3549): boxes 0..1, scores of nothing everywhere but at the objects' cells."""
    random = np.random.default_rng(1)
    plane = np.zeros((4 + CLASSES, CELLS), np.float32)
    plane[4:] = random.uniform(0, 0.05, (CLASSES, CELLS))
    side = SIDE // STRIDE
    places = random.permutation((side // 4) ** 2)[:objects]
    for number, place in enumerate(places):
        row, column = 4 * (place // (side // 4)), 4 * (place % (side // 4))
        for cell in range(6):
            at = (row + cell // 4) * side + column + cell % 4
            centre = np.array([(column + 2) / side, (row + 2) / side]) + random.normal(0, 0.002, 2)
            plane[:4, at] = (*centre, 0.06, 0.08)
            plane[4 + number % 10, at] = random.uniform(0.5, 0.9)
    return plane


def decoder_and_outputs(dtype: str, objects: int) -> tuple[Any, tuple[Tensor, ...]]:
    plane = plane_with(objects)
    quantised = {"scale": SCALE, "zero_point": ZERO_POINT} if dtype == "int8" else {}
    if dtype == "int8":
        plane = np.clip(np.rint(plane / SCALE) + ZERO_POINT, -128, 127).astype(np.int8)
    layout = ModelLayout(
        family=Family.YOLOV8,
        input=InputLayout(name="image", width=SIDE, height=SIDE, dtype="uint8", scale=SCALE),
        outputs={"output": OutputLayout(name="out", index=0, shape=(1, *plane.shape), dtype=dtype, **quantised)},
        classes=CLASSES,
    )
    decoder = make_decoder(layout, threshold=0.25, nms_iou=0.45)
    return decoder, (Tensor(plane[None], quantised.get("scale", 0.0), int(quantised.get("zero_point", 0)), "out"),)


def an_event() -> Callable[[], object]:
    """An alert with a track, a zone and two reasons, as an MQTT message."""
    clock, topics = SystemClock(), Topics("gate")
    box = Box(100.0, 120.0, 180.0, 300.0)
    track = Track(7, 0, "person", 0.83, 0.91, box, first_seen_ns=0, last_seen_ns=10**9, frames=12)
    why = (Reason("score", 0.83, 0.5), Reason("seconds", 1.2, 1.0))
    rule = RuleHit("person-in-drive", Severity.ALERT, why)
    happened = clock.utc_now()
    occurrence = Occurrence(EventType.DWELL, 10**9, happened, 42, track=track, zones=("drive",), rule=rule)
    event = Event(
        EventId("gate", "01JABCDEFGHJKMNPQRSTVWXYZ0", 17),
        "yard",
        occurrence,
        EventTime(1_700_000_000_000, 1000, clock.boot_id(), synced=True),
        FrameSize(42, 1280, 720),
        ModelRef("edge-default", "0" * 64),
    )
    return lambda: event_message(event, topics)


def measure(call: Callable[[], object], runs: int) -> dict[str, float]:
    """Milliseconds."""
    for _ in range(20):
        call()
    times = []
    for _ in range(runs):
        began = time.thread_time_ns()
        call()
        times.append((time.thread_time_ns() - began) * 1e-6)
    times.sort()
    return {"p50_ms": round(statistics.median(times), 4), "p95_ms": round(times[int(len(times) * 0.95)], 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=400)
    runs = parser.parse_args().runs
    figures: dict[str, dict[str, dict[str, float]]] = {}
    for dtype in ("int8", "float32"):
        figures[dtype] = {}
        for objects in (0, 1, 5, 20, 100):
            decoder, outputs = decoder_and_outputs(dtype, objects)
            found = len(decoder.decode(outputs))
            if found != objects:
                raise SystemExit(f"expected {objects} objects, the decoder found {found}")
            figures[dtype][str(objects)] = measure(lambda: decoder.decode(outputs), runs)  # noqa: B023
    print(json.dumps({"decode": figures, "event_to_json": measure(an_event(), runs)}))


if __name__ == "__main__":
    main()
