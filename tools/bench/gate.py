"""What the motion gate spares on a clip, and whether any count is wrong for it; and what its look at a frame costs.

    python tools/bench/gate.py CLIP [--model M ...] [--label person] [--keepalive 2]

Each model looks at every frame once; then the same detections go through the tracker twice: all of them, and those
alone that the gate asks for, each held until the next. Counted are frames whose number of things differs: of those
told in the detections, and of those followed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from edge.assemble.detector import open_detector
from edge.assemble.model import resolve_model
from edge.assemble.rules import make_wanted
from edge.assemble.source import make_source
from edge.assemble.threads import choose_threads
from edge.capture.glancing import Glancer
from edge.capture.lens import lens_facts
from edge.capture.motion import MotionMeter
from edge.capture.small_picture import small_grey
from edge.config.values import Camera, Config
from edge.core.clock import HandClock
from edge.core.model import Model
from edge.core.values import Detections, Frame
from edge.service.gate import MotionGate
from edge.track.settings import TrackerSettings
from edge.track.tracker import Tracker
from edge.track.wanted import Wanted


@dataclass(frozen=True, slots=True)
class Counts:
    """Frame by frame: things told, and things followed."""

    told: tuple[int, ...]
    followed: tuple[int, ...]


def read(clip: str) -> list[Frame]:
    source = make_source("clip", Camera(source=clip, pace="fast"), Path.cwd(), HandClock())
    source.open()
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    source.close()
    return frames


def detect(name: str, frames: Sequence[Frame], label: str) -> tuple[Model, Wanted, list[Detections]]:
    config = Config(model=name, cameras={"clip": Camera(source="synthetic:", labels=(label,))})
    model = resolve_model(config)
    wanted = make_wanted("clip", config.cameras["clip"], model)
    detector = open_detector(
        model,
        accelerator="cpu",
        threads=choose_threads("auto"),
        threshold=wanted.lowest_score,
        boxes="graph",
        clock=HandClock(),
    )
    return model, wanted, [wanted.select(detector.detect(frame)) for frame in frames]


def gate_frames(frames: Sequence[Frame], keepalive_s: float) -> list[bool]:
    """Which frames the model is to look at."""
    glancer, gate = Glancer(keepalive_s=keepalive_s), MotionGate()
    asked = []
    for frame in frames:
        asked.append(gate.wants(glancer.look(frame.image, frame.captured_ns)))
        if asked[-1]:
            gate.looked()
    return asked


def follow(
    model: Model, wanted: Wanted, frames: Sequence[Frame], found: Sequence[Detections], asked: Sequence[bool]
) -> Counts:
    tracker = Tracker(TrackerSettings(labels=model.labels, start_scores=wanted.start_scores))
    held, told, followed = Detections.empty(), [], []
    for frame, detections, is_asked in zip(frames, found, asked, strict=True):
        held = detections if is_asked else held
        told.append(len(wanted.confident(held)))
        followed.append(len(tracker.update(held, frame.captured_ns)))
    return Counts(tuple(told), tuple(followed))


def cost_ms(act: Callable[[], object], times: int = 1000) -> float:
    """The median of many."""
    act()
    taken = []
    for _ in range(times):
        begun = time.perf_counter_ns()
        act()
        taken.append(time.perf_counter_ns() - begun)
    return float(np.median(taken)) / 1e6


def print_costs() -> None:
    """Of one look at a living picture that does not move (noise alone), and of one in which something small does."""
    random = np.random.default_rng(1)
    noise = random.normal(0, 4, (8, 240, 320))
    scene = random.integers(20, 230, (15, 20)).repeat(16, axis=0).repeat(16, axis=1)
    pictures = [np.clip(scene + each, 0, 255).astype(np.uint8) for each in noise]
    turn = iter(range(10**9))
    meter = MotionMeter()
    still = cost_ms(lambda: meter.measure(pictures[next(turn) % 8]))
    for i, picture in enumerate(pictures):
        picture[100:112, 20 * i + 20 : 20 * i + 32] = 255
    small = cost_ms(lambda: meter.measure(pictures[next(turn) % 8]))
    print(f"\nmotion at 320x240: {still:.3f} ms still, {small:.3f} ms with something small in it")
    print(f"lens at 320x240: {cost_ms(lambda: lens_facts(pictures[0]), 300):.3f} ms, three times a second")
    for width, height in ((640, 480), (768, 432), (1280, 720), (1920, 1080)):
        image = random.integers(0, 255, (height, width, 3), dtype=np.uint8)
        print(f"small picture of {width}x{height}: {cost_ms(lambda image=image: small_grey(image), 300):.3f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clip")
    parser.add_argument("--model", action="append", default=None)
    parser.add_argument("--label", default="person")
    parser.add_argument("--keepalive", type=float, default=2.0)
    options = parser.parse_args()
    frames = read(options.clip)
    asked = gate_frames(frames, options.keepalive)
    saved = 1 - sum(asked) / len(frames)
    print("| model | frames | inferences | saved | wrong: told | wrong: followed | changes of the count |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in options.model or ["edge-default"]:
        model, wanted, found = detect(name, frames, options.label)
        every = follow(model, wanted, frames, found, [True] * len(frames))
        gated = follow(model, wanted, frames, found, asked)
        told = sum(a != b for a, b in zip(every.told, gated.told, strict=True))
        followed = sum(a != b for a, b in zip(every.followed, gated.followed, strict=True))
        changes = int(np.count_nonzero(np.diff(every.told)))
        print(
            f"| {model.name} | {len(frames)} | {sum(asked)} | {saved:.1%} | {told} | {followed} | {changes} |",
            flush=True,
        )
    print_costs()


if __name__ == "__main__":
    main()
