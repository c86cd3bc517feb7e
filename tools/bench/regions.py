#!/usr/bin/env python3
"""What a closer look gains in a wide picture, and costs: the whole alone, tiles, and regions around motion.

    python tools/bench/regions.py CLIP --truth CLIP.pseudo-gt.json [--model M ...] [--width 480] [--twice]

The clip is put, made smaller, into a still picture of 1920x1080 with the noise of a sensor: what a wide camera sees of
a person far off. With --twice it runs in two places, half its length apart. Truth is where a large detector saw a
person in the clip itself. Frames in which it saw something, and no person, are left out. Each way of looking runs in a
process of its own, one thread; CPU time is that of the look, the motion that regions need included.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cv2
import numpy as np

from edge.assemble.detector import open_detector
from edge.assemble.looks import make_look
from edge.assemble.model import find
from edge.capture.glancing import Glancer
from edge.core.clock import SystemClock
from edge.core.geometry import pairwise_iou
from edge.core.values import Frame
from edge.measure.machine_load import memory_mb

SIZE = (1920, 1080)
PLACES = ((360, 560), (1300, 300))  # left and top of the clip, or of both
WAYS = ("whole", "tiles 2x2", "tiles 4x3", "regions 1", "regions 2")
INTERVAL_NS = 100_000_000
PERSON = 0  # in the truth's classes, which are COCO's
IOU = 0.5
NOISE = 3.0
HEAD = ("way", "person AP50", "recall", "false a frame", "runs a frame", "CPU ms a frame", "memory MB")
Boxes = list[list[float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--model", action="append", default=None)
    parser.add_argument("--width", type=int, default=480, help="of the clip in the wide picture, pixels")
    parser.add_argument("--twice", action="store_true")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    models = options.model or ["edge-default"]
    if options.way:
        print(json.dumps(measure(options, models[0])))
        return
    for model in models:
        print(f"\n{model}, the clip {options.width} pixels wide{', twice' * options.twice}\n")
        print("| " + " | ".join(HEAD) + " |\n| " + " | ".join(["---"] * len(HEAD)) + " |")
        for way in WAYS:
            command = [sys.executable, __file__, str(options.clip), "--truth", str(options.truth), "--model", model]
            command += ["--width", str(options.width), "--way", way, *["--twice"] * options.twice]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
            row = json.loads(done.stdout)
            cells = [f"{row['ap50']:.3f}", f"{row['recall']:.3f}", f"{row['false']:.3f}", f"{row['runs']:.2f}"]
            print(
                "| " + " | ".join([way, *cells, f"{row['cpu_ms']:.1f}", f"{row['memory_mb']:.0f}"]) + " |", flush=True
            )


def measure(options: argparse.Namespace, name: str) -> dict[str, float]:
    kind, _, amount = options.way.partition(" ")
    model = find(name)
    detector = CountingDetector(open_detector(model, threads=1, threshold=0.05))
    is_regional = kind == "regions"
    look = make_look(detector, amount if kind == "tiles" else "1x1", regions=int(amount) if is_regional else 0)  # type: ignore[arg-type]
    glancer, person = Glancer(finds_places=True), model.labels.index("person")
    found: list[tuple[float, int, list[float]]] = []
    truths: list[Boxes] = []
    times = []
    for number, (image, truth) in enumerate(scenes(options)):
        began = time.thread_time_ns()
        moving = glancer.look(image, number * INTERVAL_NS).moving if is_regional else ()
        at = SystemClock().utc_now()
        detections = look.detect(Frame(image, "a", number, number * INTERVAL_NS, at, moving=moving))
        times.append((time.thread_time_ns() - began) / 1e6)
        if truth is None:
            continue
        chosen = detections.select(detections.class_ids == person)
        found += [
            (float(score), len(truths), list(box)) for score, box in zip(chosen.scores, chosen.boxes, strict=True)
        ]
        truths.append(truth)
    ap50, recall, wrong = judge(found, truths, model.threshold)
    return {
        "ap50": ap50,
        "recall": recall,
        "false": wrong / len(truths),
        "runs": detector.runs / len(times),
        "cpu_ms": statistics.fmean(times),
        "memory_mb": memory_mb([os.getpid()])[0],
    }


class CountingDetector:
    """A detector, and how often it ran."""

    def __init__(self, detector: Any) -> None:
        self._detector = detector
        self.runs = 0

    def look(self, frame: Frame) -> Any:
        self.runs += 1
        return self._detector.look(frame)

    def detect(self, frame: Frame) -> Any:
        return self.look(frame)[0]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._detector, name)


def scenes(options: argparse.Namespace) -> Iterator[tuple[np.ndarray, Boxes | None]]:
    """Wide pictures, and where persons are in them; None = not known."""
    truth = json.loads(options.truth.read_text(encoding="utf-8"))
    objects = [frame["objects"] for frame in truth["frames_with_objects"]]
    scale = options.width / truth["width"]
    small = [cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) for frame in read(options.clip)]
    still = cv2.resize(small[0], SIZE, interpolation=cv2.INTER_LINEAR).astype(np.int16)
    random = np.random.default_rng(1)
    noise = [np.rint(random.normal(0, NOISE, still.shape)).astype(np.int16) for _ in range(4)]
    places = PLACES[: 1 + options.twice]
    height, width = small[0].shape[:2]
    for number in range(len(small)):
        image, boxes, is_known = still + noise[number % 4], [], True
        for place, (left, top) in enumerate(places):
            shown = (number + place * len(small) // 2) % len(small)
            image[top : top + height, left : left + width] = small[shown]
            persons = [each for each in objects[shown] if each["class"] == PERSON]
            is_known &= bool(persons) or not objects[shown]
            boxes += [
                [a * scale + b for a, b in zip(each["bbox_xyxy"], (left, top) * 2, strict=True)] for each in persons
            ]
        yield np.clip(image, 0, 255).astype(np.uint8), boxes if is_known else None


def read(clip: Path) -> Iterator[np.ndarray]:
    film = cv2.VideoCapture(str(clip))
    while True:
        is_read, frame = film.read()
        if not is_read:
            return
        yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)


def judge(
    found: list[tuple[float, int, list[float]]], truths: list[Boxes], threshold: float
) -> tuple[float, float, int]:
    """Average precision at an overlap of 0.5 (101 points, as COCO's), recall and false ones from a threshold on."""
    left = [list(range(len(boxes))) for boxes in truths]
    hits, scores = [], []
    for score, number, box in sorted(found, key=lambda each: -each[0]):
        candidates = left[number]
        boxes = np.array([truths[number][i] for i in candidates], np.float32).reshape(-1, 4)
        overlaps = pairwise_iou(np.array([box], np.float32), boxes)[0]
        best = int(overlaps.argmax()) if len(overlaps) else -1
        is_hit = best >= 0 and overlaps[best] >= IOU
        if is_hit:
            candidates.pop(best)
        hits.append(is_hit)
        scores.append(score)
    total = sum(map(len, truths))
    gained = np.cumsum(hits)
    recalls, precisions = gained / total, gained / np.arange(1, len(hits) + 1)
    best_after = np.maximum.accumulate(precisions[::-1])[::-1]
    points = [best_after[recalls >= at].max(initial=0.0) for at in np.linspace(0, 1, 101)]
    told = np.array(scores) >= threshold
    right = int(np.array(hits)[told].sum())
    return float(np.mean(points)), right / total, int(told.sum()) - right


if __name__ == "__main__":
    main()
