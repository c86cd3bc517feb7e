#!/usr/bin/env python3
"""One model against another on a labelled set and this machine: false boxes at equal recall, and time of a run.

python tools/bench/against.py SET_FOLDER --theirs ../shared/models/ssd_mobilenet_v1_coco_uint8.tflite

The recall is what ours has at its card's threshold; theirs is read at the threshold that gives it the same recall. The
two models run in turns, on one thread, and the ratio of the medians is told: other work on the machine meets both.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from edge.assemble.detector import open_detector
from edge.core.model import Model
from tools.training.classes import parse_classes
from tools.training.dataset import read_samples
from tools.training.describing import compare_at_recall, read_all
from tools.training.judging import open_judge, see
from tools.training.precision import match_all

CLASSES = "person,vehicle=car+motorcycle+bus+truck"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path, help="folder with instances.json and images/")
    parser.add_argument("--ours", default="edge-default")
    parser.add_argument("--theirs", required=True)
    parser.add_argument("--classes", default=CLASSES, help=f"[{CLASSES}]")
    parser.add_argument("--threshold", type=float, help="of ours [its card's]")
    parser.add_argument("--runs", type=int, default=200, help="of each model, for the time [200]")
    options = parser.parse_args()
    plan = parse_classes(options.classes)
    samples = read_samples(options.set, plan)
    images, judges = read_all(samples), [open_judge(options.ours), open_judge(options.theirs)]
    ours, theirs = (see(judge, images, plan) for judge in judges)
    threshold = options.threshold or judges[0].model.threshold
    names = [judge.model.name for judge in judges]
    print(f"| class | recall of {names[0]} at {threshold:g} | its false boxes a picture | {names[1]}'s |")
    print("| --- | --- | --- | --- |")
    for number, label in enumerate(plan.labels):
        one = compare_at_recall(
            label,
            match_all(samples, ours, class_id=number),
            match_all(samples, theirs, class_id=number),
            threshold=threshold,
        )
        other = "does not reach it" if one.theirs is None else f"{one.theirs:.3f}"
        print(f"| {label} | {one.recall:.3f} | {one.ours:.3f} | {other} |")
    mine, other_ms = run_times([judge.model for judge in judges], options.runs)
    print(f"\none run, 1 thread, in turns: {mine:.2f} ms against {other_ms:.2f} ms; ratio {mine / other_ms:.3f}")


def run_times(models: list[Model], runs: int) -> list[float]:
    """Median milliseconds of CPU time that one run of each takes, without preprocessing and decoding."""
    import numpy as np

    rng, prepared = np.random.default_rng(0), []
    for model in models:
        into = model.layout.input
        lowest = np.iinfo(into.dtype).min if into.dtype != "float32" else 0
        values = rng.integers(0, 256, (1, into.height, into.width, 3)) + lowest
        prepared.append((open_detector(model, threads=1).interpreter, _tensor(model, values.astype(into.dtype))))
    times: list[list[float]] = [[] for _ in models]
    for _ in range(runs):
        for (interpreter, tensor), taken in zip(prepared, times, strict=True):
            began = time.thread_time_ns()
            interpreter.invoke(tensor)
            taken.append((time.thread_time_ns() - began) / 1e6)
    return [statistics.median(taken) for taken in times]


def _tensor(model: Model, values: object) -> object:
    from edge.core.values import Tensor

    into = model.layout.input
    return Tensor(values, into.scale, into.zero_point, into.name)


if __name__ == "__main__":
    main()
