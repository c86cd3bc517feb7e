#!/usr/bin/env python3
"""What a model finds on fixed cameras: frames with somebody in which it finds somebody, and alarms on empty frames.

    python tools/bench/clips.py ../shared edge-default [MODEL ...] [--step 5] [--threshold 0.35]

Clips: person-walk.mp4 with its per-frame truth, car-detection.mp4, in which nobody is to be seen, and the demo's
photographs (who is found in which). Through edge's own path; the thresholds are the cards' unless one is given.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tools.training.classes import parse_classes
from tools.training.judging import Judge, open_judge, see, watch

PLAN = parse_classes("person,vehicle=car+motorcycle+bus+truck")
_PERSON = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder with data/video/")
    parser.add_argument("models", nargs="+", help="cards' names or files")
    parser.add_argument("--step", type=int, default=1, help="every n-th frame [1]")
    parser.add_argument("--threshold", type=float, help="[each card's]")
    options = parser.parse_args()
    folder = options.data / "data" / "video"
    truth = json.loads((folder / "person-walk.pseudo-gt.json").read_text(encoding="utf-8"))
    with_person = {
        one["frame"] for one in truth["frames_with_objects"] if any(item["class"] == _PERSON for item in one["objects"])
    }
    print(
        "| model | threshold | person-walk: found | empty frames with an alarm | car-detection: frames with a person |"
    )
    print("| --- | --- | --- | --- | --- |")
    for name in options.models:
        judge = open_judge(name)
        threshold = options.threshold or judge.model.threshold
        walk = dict(enumerate(_has_person(judge, folder / "person-walk.mp4", options.step, threshold)))
        hits = {number * options.step: hit for number, hit in walk.items()}
        there = [hit for number, hit in hits.items() if number in with_person]
        empty = [hit for number, hit in hits.items() if number not in with_person]
        cars = list(_has_person(judge, folder / "car-detection.mp4", options.step, threshold))
        cells = f"{sum(there)}/{len(there)} | {sum(empty)}/{len(empty)} | {sum(cars)}/{len(cars)}"
        print(f"| {judge.model.name} | {threshold:g} | {cells} |", flush=True)
        print(_photographs(judge, threshold), file=sys.stderr)


def _has_person(judge: Judge, clip: Path, step: int, threshold: float) -> Iterator[bool]:
    for found in watch(judge, _frames(clip, step), PLAN, floor=threshold):
        yield bool((found.classes == _PERSON).any())


def _frames(clip: Path, step: int) -> Iterator[NDArray[np.uint8]]:
    capture, number = cv2.VideoCapture(str(clip)), 0
    while True:
        there, image = capture.read()
        if not there:
            return
        if number % step == 0:
            yield np.ascontiguousarray(image[:, :, ::-1])
        number += 1


def _photographs(judge: Judge, threshold: float) -> str:
    from skimage import data

    lines = []
    portrait = data.astronaut()[:, 60:420]  # as the demo shows it
    pictures = {"portrait": portrait, "motorcycle": data.stereo_motorcycle()[0], "cat": data.chelsea()}
    for name, picture in pictures.items():
        found = see(judge, [np.ascontiguousarray(picture)], PLAN, floor=threshold)[0]
        labels = [f"{PLAN.labels[c]} {s:.2f}" for c, s in zip(found.classes, found.scores, strict=True)]
        lines.append(f"{name}: {', '.join(labels) or 'nothing'}")
    return "; ".join(lines)


if __name__ == "__main__":
    main()
