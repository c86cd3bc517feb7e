"""What a subscriber hears when a camera fails, and how soon.

    python -m tools.faults.cameras [--cycles 10]

A made-up network camera, the real program, a real broker. Each fault is put on, waited for, taken off, and waited for.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.rooms import Room
from tools.faults.heard import Running, running
from tools.faults.mjpeg_camera import MjpegCamera

LEARN_S = 70.0  # what a lens usually shows is known after a minute
STEADY_S = 12.0  # a camera that fails again and again is waited for longer


@dataclass(frozen=True, slots=True)
class Fault:
    """status : what is told; begin and end put it on and take it off"""

    name: str
    status: str
    begin: Callable[[], None]
    end: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Figure:
    """told_s : until the subscriber heard of it; seen_s : until it heard the first detection after it was over"""

    name: str
    told_s: float
    seen_s: float


def measure(run: Running, fault: Fault, *, rest_s: float = 0.0) -> Figure:
    """One fault from begin to end."""
    begun_s = time.time()
    fault.begin()
    told = run.status("yard", fault.status, since_s=begun_s)
    time.sleep(rest_s)
    over_s = time.time()
    fault.end()
    run.status("yard", "online", since_s=over_s)
    seen = run.detections("yard", since_s=over_s)
    return Figure(fault.name, told.at_s - begun_s, seen.at_s - over_s)


def forget(run: Running, camera: MjpegCamera) -> Figure:
    """One connection hangs: until this is told, and until a detection of a new connection is heard."""
    begun_s = time.time()
    camera.forget_clients()
    told = run.status("yard", "offline", since_s=begun_s)
    seen = run.detections("yard", since_s=told.at_s)
    return Figure("one connection hangs", told.at_s - begun_s, seen.at_s - begun_s)


def faults_of(camera: MjpegCamera, room: Room) -> list[Fault]:
    def shows(make: Callable[[], object]) -> Callable[[], None]:
        return lambda: setattr(camera, "show", make)

    def sets(name: str, value: object) -> Callable[[], None]:
        return lambda: setattr(camera, name, value)

    still, clear = room.seen(), shows(room.seen)
    return [
        Fault("hung stream", "offline", sets("is_hanging", True), sets("is_hanging", False)),
        Fault("corrupt pictures", "offline", sets("is_corrupt", True), sets("is_corrupt", False)),
        Fault("frozen picture", "frozen", shows(lambda: still), clear),
        Fault("black", "impaired", shows(room.black), clear),
        Fault("over-exposed", "impaired", shows(room.burnt_out), clear),
        Fault("covered", "impaired", shows(room.covered), clear),
        Fault("out of focus", "impaired", shows(lambda: room.seen(blur=2.0)), clear),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cycles", type=int, default=10)
    options = parser.parse_args()
    room = Room()
    camera = MjpegCamera(room.seen)
    unplugged = Fault("unplugged", "offline", camera.unplug, camera.plug_in)
    camera.plug_in()
    settings = {"source": camera.url, "publish_detections": True, "picture_check": {"frozen_seconds": 2.5}}
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), {"yard": settings}) as run:
        run.detections("yard", since_s=0.0)
        figures = [measure(run, unplugged, rest_s=1.0 + cycle) for cycle in range(options.cycles)]
        forgotten = []
        for _ in range(options.cycles):
            time.sleep(STEADY_S)
            forgotten.append(forget(run, camera))
        time.sleep(LEARN_S)
        others = [measure(run, fault) for fault in faults_of(camera, room)]
        camera.unplug()
    print("| fault | told after | first detection after its end |\n| --- | --- | --- |")
    _tell("unplugged", figures)
    for each in others:
        print(f"| {each.name} | {each.told_s:.2f} s | {each.seen_s:.2f} s |")
    print("\n| fault | told after | first detection after its begin |\n| --- | --- | --- |")
    _tell("one connection hangs", forgotten)


def _tell(name: str, figures: list[Figure]) -> None:
    told, seen = (sorted(getattr(each, name) for each in figures) for name in ("told_s", "seen_s"))
    middle = len(figures) // 2
    print(f"| {name}, {len(figures)} times: median | {told[middle]:.2f} s | {seen[middle]:.2f} s |")
    print(f"| {name}: longest | {told[-1]:.2f} s | {seen[-1]:.2f} s |")


if __name__ == "__main__":
    main()
