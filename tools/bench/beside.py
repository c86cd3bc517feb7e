#!/usr/bin/env python3
"""What a model's bare run loses when the other core works: nothing of ours is in either process.

One process runs the model again and again on one thread; another rests, or reads H.264 frames and makes them small, one
for each run's time or as many as it can. Blocks of all three in turns: median wall and CPU milliseconds of a run.

    python tools/bench/beside.py MODEL CLIP [--rounds 6] [--seconds 1]
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from edge.assemble.detector import open_detector
from edge.assemble.model import find

REST, PACED, FLAT_OUT = 0, 1, 2
NAMES = {REST: "the other core rests", PACED: "a frame decoded per run", FLAT_OUT: "decoding without a pause"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("clip")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=1.0)
    options = parser.parse_args()
    context = get_context("spawn")
    mode, period_s, frames = context.Value("i", REST), context.Value("d", 0.01), context.Value("i", 0)
    reader = context.Process(target=read, args=(options.clip, mode, period_s, frames), daemon=True)
    reader.start()
    native = open_detector(find(options.model), threads=1).interpreter._native
    for _ in range(10):
        native.invoke()
    found: dict[int, list[tuple[float, float]]] = {each: [] for each in NAMES}
    for _ in range(options.rounds):
        for each in NAMES:
            mode.value = each
            time.sleep(0.2)
            found[each] += runs(native, options.seconds)
            if each == REST:
                period_s.value = statistics.median(wall for wall, _ in found[REST]) / 1e3
    rest = statistics.median(wall for wall, _ in found[REST])
    print(f"{'':<28}{'wall ms':>9}{'CPU ms':>9}{'rate':>8}")
    for each, times in found.items():
        wall, cpu = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"{NAMES[each]:<28}{wall:9.2f}{cpu:9.2f}{rest / wall:8.3f}")
    print(f"frames decoded: {frames.value}; processors: {os.cpu_count()}")


def runs(native: object, seconds: float) -> list[tuple[float, float]]:
    """Wall and CPU milliseconds of each run."""
    found, end = [], time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        cpu = time.thread_time_ns()
        native.invoke()  # type: ignore[attr-defined]
        found.append(((time.perf_counter() - began) * 1e3, (time.thread_time_ns() - cpu) / 1e6))
    return found


def read(clip: str, mode: Synchronized[int], period_s: Synchronized[float], frames: Synchronized[int]) -> None:
    import cv2

    cv2.setNumThreads(1)
    stream = cv2.VideoCapture(clip, cv2.CAP_FFMPEG, [int(cv2.CAP_PROP_N_THREADS), 1])
    due = time.perf_counter()
    while True:
        if mode.value == REST:
            time.sleep(0.01)
            due = time.perf_counter()
            continue
        ok, picture = stream.read()
        if not ok:
            stream.set(cv2.CAP_PROP_POS_FRAMES, 0)
            continue
        cv2.resize(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), (300, 300))
        frames.value += 1
        if mode.value == PACED:
            due += period_s.value
            time.sleep(max(0.0, due - time.perf_counter()))


if __name__ == "__main__":
    main()
