#!/usr/bin/env python3
"""Peers on the same model and clip, side by side with the bare runtime: frames/s, their ratio, CPU, memory.

Each round runs everyone once, each in a process of its own; a ratio is taken within a round, the table has the medians.
Rounds that others disturbed (more than 12 % of the machine) are left out where enough are left. Peers that are not
installed are left out: give the Python of an environment that has them.

    python tools/bench/peers.py MODEL.tflite CLIP [--rounds 5] [--seconds 4] [--threads 1]
        [--mediapipe PYTHON] [--ultralytics PYTHON]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

Pids = tuple[int, ...] | None  # the processes that took part; None = this one alone
ROOT = Path(__file__).resolve().parents[2]
HEAD = ("who", "frames/s", "of the bare runtime", "CPU ms/frame", "memory MB", "first detection s")
QUIET_SHARE = 0.12
WARM_UP_FRAMES = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="per peer and round")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--mediapipe", help="a Python that has mediapipe (SSD models)")
    parser.add_argument("--ultralytics", help="a Python that has ultralytics (YOLO models)")
    parser.add_argument("--child", choices=list(CHILDREN), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measure_child(options.child, options)))
        return
    pythons = {"bare runtime": sys.executable, "edge": sys.executable, "classic loop": sys.executable}
    pythons |= {name: getattr(options, name) for name in ("mediapipe", "ultralytics") if getattr(options, name)}
    rounds = [run_round(pythons, options) for _ in range(options.rounds)]
    print_table(pythons, rounds)


def run_round(pythons: dict[str, str], options: argparse.Namespace) -> dict[str, dict[str, float]]:
    found = {}
    for name, python in pythons.items():
        before = machine_seconds(), children_seconds(), time.monotonic()
        done = subprocess.run(
            [python, __file__, options.model, options.clip, "--child", name, "--seconds", str(options.seconds),
             "--threads", str(options.threads)],
            capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        try:
            result = json.loads(done.stdout.strip().splitlines()[-1])
        except (IndexError, json.JSONDecodeError):
            print(f"{name}: {(done.stderr.strip().splitlines() or ['no word'])[-1]}", file=sys.stderr)
            continue
        busy = machine_seconds() - before[0] - (children_seconds() - before[1])
        result["foreign"] = max(0.0, busy / ((time.monotonic() - before[2]) * (os.cpu_count() or 1)))
        found[name] = result
        print(f"{name}: {result}", file=sys.stderr)
    return found


def print_table(pythons: dict[str, str], rounds: list[dict[str, dict[str, float]]]) -> None:
    print("| " + " | ".join(HEAD) + " |\n| " + " | ".join(["---"] * len(HEAD)) + " |")
    for name in pythons:
        both = [one for one in rounds if name in one and "bare runtime" in one]
        quiet = [one for one in both if max(one[name]["foreign"], one["bare runtime"]["foreign"]) <= QUIET_SHARE]
        used = quiet if 2 * len(quiet) >= len(both) else both
        if not used:
            continue
        ratio = statistics.median(one[name]["fps"] / one["bare runtime"]["fps"] for one in used)
        row = [statistics.median(one[name][key] for one in used) for key in ("fps", "cpu_ms", "memory_mb", "first_s")]
        note = "" if used is quiet else " (disturbed)"
        cells = [name + note, f"{row[0]:.1f}", f"{ratio:.3f}", f"{row[1]:.1f}", f"{row[2]:.0f}", f"{row[3]:.2f}"]
        print("| " + " | ".join(cells) + " |")


def measure_child(name: str, options: argparse.Namespace) -> dict[str, float]:
    """One peer in this process; time counts from the start of the process."""
    frames = CHILDREN[name](options)
    pids = next(frames) or (os.getpid(),)
    first_s = time.time() - process_started()
    for _ in range(WARM_UP_FRAMES):
        next(frames)
    began, cpu, count = time.perf_counter(), cpu_seconds(pids), 0
    while time.perf_counter() - began < options.seconds:
        next(frames)
        count += 1
    seconds, used = time.perf_counter() - began, cpu_seconds(pids) - cpu
    memory = sum(pss_mb(pid) for pid in pids)
    frames.close()
    return {"fps": count / seconds, "cpu_ms": used * 1e3 / count, "memory_mb": memory, "first_s": first_s}


def bare_runtime(options: argparse.Namespace) -> Iterator[Pids]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(options.model), num_threads=options.threads)
    interpreter.allocate_tensors()
    while True:
        interpreter.invoke()
        yield None


def edge(options: argparse.Namespace) -> Iterator[Pids]:
    from edge.assemble.bench import Bench, Setup
    from edge.assemble.model import find
    from edge.assemble.threads import hand_over_quickly, has_spare_core
    from edge.core.clock import SystemClock

    hand_over_quickly()
    setup = Setup(find(str(options.model)), str(options.clip), options.threads, has_spare_core(options.threads))
    with Bench(setup, SystemClock()) as path:
        while True:
            path.run_frame()
            yield path.pids


def classic_loop(options: argparse.Namespace) -> Iterator[Pids]:
    """The loop of the published TensorFlow Lite examples: read, convert, resize, run, walk over the outputs."""
    import cv2
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(options.model), num_threads=options.threads)
    interpreter.allocate_tensors()
    entry, outputs = interpreter.get_input_details()[0], interpreter.get_output_details()
    _, height, width, _ = entry["shape"]
    for frame in clip_frames(options.clip):
        resized = cv2.resize(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), (int(width), int(height)))
        values = np.expand_dims(resized, axis=0)
        if entry["dtype"] == np.float32:
            values = np.float32(values) / 255
        elif entry["dtype"] == np.int8:
            values = np.int8(np.int16(values) - 128)
        interpreter.set_tensor(entry["index"], values)
        interpreter.invoke()
        found = [interpreter.get_tensor(output["index"]) for output in outputs]
        walk_boxes(found) if len(found) > 1 else walk_rows(found[0], outputs[0])
        yield None


def walk_boxes(found: list[Any]) -> int:
    boxes, _, scores = found[0][0], found[1][0], found[2][0]
    return sum(1 for number in range(len(scores)) if scores[number] > 0.5 and len(boxes[number]) == 4)


def walk_rows(plane: Any, details: dict[str, Any]) -> int:
    """Row by row in Python, as the examples have it."""
    import cv2
    import numpy as np

    scale, zero_point = details["quantization"]
    real = (plane.astype(np.float32) - zero_point) * scale if scale else plane
    rows = real[0].T if real.shape[1] < real.shape[2] else real[0]
    boxes, scores = [], []
    for row in rows:
        best = int(np.argmax(row[4:]))
        if row[4 + best] > 0.25:
            boxes.append([row[0] - row[2] / 2, row[1] - row[3] / 2, row[2], row[3]])
            scores.append(float(row[4 + best]))
    return len(cv2.dnn.NMSBoxes(boxes, scores, 0.25, 0.45)) if boxes else 0


def mediapipe(options: argparse.Namespace) -> Iterator[Pids]:
    import cv2
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

    settings = vision.ObjectDetectorOptions(
        base_options=BaseOptions(model_asset_path=str(options.model)),
        running_mode=vision.RunningMode.VIDEO,
        score_threshold=0.5,
    )
    with vision.ObjectDetector.create_from_options(settings) as detector:
        for number, frame in enumerate(clip_frames(options.clip)):
            image = mp.Image(image_format=mp.ImageFormat.SRGB, data=cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
            detector.detect_for_video(image, number * 40)
            yield None


def ultralytics(options: argparse.Namespace) -> Iterator[Pids]:
    import torch
    from ultralytics import YOLO

    torch.set_num_threads(options.threads)
    use_own_suppression()
    model = YOLO(str(options.model), task="detect")
    size = input_side(options.model)
    for frame in clip_frames(options.clip):
        model.predict(frame, imgsz=size, conf=0.25, verbose=False)
        yield None


def use_own_suppression() -> None:
    """Where the torchvision at hand is a mere name, as none fits the torch, Ultralytics gets its own NMS."""
    import torchvision
    from ultralytics.utils.nms import TorchNMS

    if not hasattr(torchvision, "ops"):
        torchvision.ops = SimpleNamespace(nms=TorchNMS.nms)


def input_side(model: Path) -> int:
    from ai_edge_litert.interpreter import Interpreter

    return int(Interpreter(model_path=str(model)).get_input_details()[0]["shape"][1])


def clip_frames(clip: Path) -> Iterator[Any]:
    """Over and over, as OpenCV gives them: BGR."""
    import cv2

    while True:
        capture = cv2.VideoCapture(str(clip))
        while True:
            is_read, frame = capture.read()
            if not is_read:
                break
            yield frame


def process_started() -> float:
    """Seconds of the wall clock at which this process was started, from its first field of time in the kernel."""
    ticks = int(Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19])
    uptime = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    return time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids: tuple[int, ...]) -> float:
    """Of all their threads, user and system: clock_getcpuclockid(3)."""
    return sum(time.clock_gettime((~pid << 3) | 2) for pid in pids)


def pss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024 / 1e6


def machine_seconds() -> float:
    fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
    counted = [int(field) for field in fields]
    return (sum(counted) - counted[3] - counted[4]) / os.sysconf("SC_CLK_TCK")


def own_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime + own_seconds()


CHILDREN: dict[str, Callable[[argparse.Namespace], Iterator[Pids]]] = {
    "bare runtime": bare_runtime,
    "edge": edge,
    "classic loop": classic_loop,
    "mediapipe": mediapipe,
    "ultralytics": ultralytics,
}

if __name__ == "__main__":
    main()
