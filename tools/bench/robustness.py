#!/usr/bin/env python3
"""What low light, blur and noise cost models, through edge's own path: AP50 on damaged copies of a labelled set.

Prints a table: each model's AP50 on the good pictures, and its fall (a share of that) under each damage, with the
95 % interval of the fall (pictures drawn with replacement, the same for good and damaged).

python tools/bench/robustness.py SET_FOLDER edge-default ../shared/models/ssd_mobilenet_v1_coco_uint8.tflite
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tools.training.classes import parse_classes
from tools.training.damage import add_noise, blur, darken, smear
from tools.training.dataset import read_samples
from tools.training.describing import read_all
from tools.training.judging import open_judge, see
from tools.training.precision import Matches, ap50_of, match_all

Image = NDArray[np.uint8]
CLASSES = "person,vehicle=car+motorcycle+bus+truck"
_ROUNDS = 300
# Strengths as a camera meets them: dusk and street light; a lens a little and clearly off; a walk past at 1/30 s.
DAMAGES: dict[str, Callable[[Image, np.random.Generator], Image]] = {
    "good pictures": lambda image, _: image,
    "a quarter of the light": lambda image, rng: darken(image, 0.25, rng),
    "a tenth of the light": lambda image, rng: darken(image, 0.1, rng),
    "blur, 2 px in 640": lambda image, _: blur(image, 2 * max(image.shape[:2]) / 640),
    "blur, 4 px in 640": lambda image, _: blur(image, 4 * max(image.shape[:2]) / 640),
    "motion, 12 px in 640": lambda image, _: smear(image, max(3, round(12 * max(image.shape[:2]) / 640)), 0.0),
    "noise, sigma 15": lambda image, rng: add_noise(image, 15, rng),
    "noise, sigma 30": lambda image, rng: add_noise(image, 30, rng),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path, help="folder with instances.json and images/")
    parser.add_argument("models", nargs="+", help="cards' names or files")
    parser.add_argument("--classes", default=CLASSES, help=f"[{CLASSES}]")
    parser.add_argument("--limit", type=int, help="only the first pictures")
    options = parser.parse_args()
    plan = parse_classes(options.classes)
    samples = read_samples(options.set, plan)[: options.limit]
    images = read_all(samples)
    print("| model | class | " + " | ".join(DAMAGES) + " |\n|" + " --- |" * (len(DAMAGES) + 2))
    for name in options.models:
        judge, rows = open_judge(name), dict[str, list[list[Matches]]]()
        for damage, spoil in DAMAGES.items():
            spoilt = [spoil(image, np.random.default_rng(number)) for number, image in enumerate(images)]
            found = see(judge, spoilt, plan)
            rows[damage] = [match_all(samples, found, class_id=number) for number in range(len(plan))]
        for number, label in enumerate(plan.labels):
            good, *bad = (row[number] for row in rows.values())
            cells = [f"{ap50_of(good) or 0:.3f}", *(_cell(good, one) for one in bad)]
            print(f"| {judge.model.name} | {label} | " + " | ".join(cells) + " |", flush=True)


def _cell(good: Sequence[Matches], bad: Sequence[Matches]) -> str:
    """ "0.121, -33 % (-45 to -20)": what is left, and the fall with its interval."""
    rng = np.random.default_rng(0)
    falls = []
    for _ in range(_ROUNDS):
        drawn = rng.integers(len(good), size=len(good))
        before, after = ap50_of([good[i] for i in drawn]), ap50_of([bad[i] for i in drawn])
        if before:
            falls.append(100 * ((after or 0.0) / before - 1))
    whole, left = ap50_of(good) or 0.0, ap50_of(bad) or 0.0
    if not whole or not falls:
        return f"{left:.3f}"
    low, high = np.percentile(falls, [2.5, 97.5])
    return f"{left:.3f}, {100 * (left / whole - 1):+.0f} % ({low:+.0f} to {high:+.0f})"


if __name__ == "__main__":
    main()
