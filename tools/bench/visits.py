"""When somebody comes and goes in a recording, as ``edge run`` tells it through a real broker, against per-frame truth.

    python tools/bench/visits.py CLIP TRUTH.json [--model M] [--label person] [--class-id 0]

TRUTH: ``{"fps": f, "frames_with_objects": [{"frame": n, "objects": [{"class": c}, ...]}, ...]}``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.flow.running import Run, run_into_broker

# Frames without an object, up to so many, belong to one visit: per-frame truth made by a model misses single frames.
GAP_FRAMES = 10

Visit = tuple[float, float]


def true_visits(truth: dict[str, Any], class_id: int) -> list[Visit]:
    """When something of a class was there, in seconds of the clip."""
    frames = [
        entry["frame"]
        for entry in truth["frames_with_objects"]
        if any(item["class"] == class_id for item in entry["objects"])
    ]
    spans: list[list[int]] = []
    for frame in frames:
        if spans and frame - spans[-1][1] <= GAP_FRAMES:
            spans[-1][1] = frame
        else:
            spans.append([frame, frame])
    return [(first / truth["fps"], last / truth["fps"]) for first, last in spans]


def told_visits(run: Run, *, fps: float) -> list[Visit]:
    """From track_start to track_end, by the sequence of their frames, in seconds of the clip."""
    starts = {event["track"]["id"]: event["frame"]["sequence"] / fps for event in run.events("track_start")}
    ends = {event["track"]["id"]: event["frame"]["sequence"] / fps for event in run.events("track_end")}
    return [(starts[track], ends[track]) for track in sorted(starts)]


def watch(clip: Path, *, model: str, label: str, folder: Path) -> Run:
    """The clip through ``edge run`` into mosquitto, heard by mosquitto_sub."""
    camera = {"source": str(clip), "pace": "fast", "labels": [label]}
    return run_into_broker(folder, cameras={"room": camera}, model=model)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--model", default="edge-default")
    parser.add_argument("--label", default="person")
    parser.add_argument("--class-id", type=int, default=0)
    options = parser.parse_args()
    truth = json.loads(options.truth.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        run = watch(options.clip.resolve(), model=options.model, label=options.label, folder=Path(folder))
    if run.exit_code != 0:
        raise SystemExit(run.stderr)
    expected, told = true_visits(truth, options.class_id), told_visits(run, fps=truth["fps"])
    print(
        "| visit | came | told | difference | left | told | difference |\n| --- | --- | --- | --- | --- | --- | --- |"
    )
    for number, (true, seen) in enumerate(zip(expected, told, strict=False), 1):
        came, left = (f"{t:.1f} s | {s:.1f} s | {s - t:+.1f} s" for t, s in zip(true, seen, strict=True))
        print(f"| {number} | {came} | {left} |")
    print(f"\n{len(expected)} visits in truth, {len(told)} told")


if __name__ == "__main__":
    main()
