"""A camera that is unplugged a thousand times, and one that hangs: what that costs, and how soon it is over.

    python -m tools.faults.unplugging [--cycles 1000] [--hangs 20]

The service's own arbiter with real processes around a made-up camera. Counted are the open descriptors, threads and
resident memory of both processes, and the shared memory.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import msgspec

from edge.core.clock import SystemClock
from edge.core.values import Sighting
from edge.service.arbiter import Arbiter
from edge.service.capture import Capture, Patience
from edge.service.inference import Inference
from edge.service.news import CameraNews
from tests.service import acting_infer
from tools.faults import loose_camera
from tools.faults.loose_camera import Loose

_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Of the service's process and the camera's; memory in kB."""

    descriptors: int
    threads: int
    memory_kb: int
    camera_descriptors: int
    camera_threads: int
    camera_memory_kb: int
    shared_kb: int


class Bench:
    """An arbiter with one loose camera."""

    def __init__(self, loose: Loose, *, reading_s: float = 1.5) -> None:
        self._clock = SystemClock()
        capture = Capture(
            "yard", loose_camera.__name__, msgspec.msgpack.encode(loose), patience=Patience(reading_s=reading_s)
        )
        model = Inference(acting_infer.__name__, msgspec.msgpack.encode(acting_infer.Part()))
        self.arbiter = Arbiter([capture], acting_infer.alone(model, self._clock), self._clock)
        self.last_captured_s = 0.0
        self.arbiter.open()

    def until(self, is_it: Callable[[Sighting | CameraNews], bool]) -> float:
        """When something was heard, in seconds."""
        end_ns = self._clock.monotonic_ns() + round(_PATIENCE_S * 1e9)
        while self._clock.monotonic_ns() < end_ns:
            assert self.arbiter.is_ready in (True, False)
            item = self.arbiter.take(0.1)
            if isinstance(item, Sighting):
                self.last_captured_s = item.frame.captured_ns / 1e9
            if item is not None and is_it(item):
                return self._clock.monotonic_ns() / 1e9
        raise TimeoutError("the camera does not come back")

    def until_state(self, state: str) -> float:
        return self.until(lambda item: isinstance(item, CameraNews) and item.state.value == state)

    def until_seen(self) -> float:
        return self.until(lambda item: isinstance(item, Sighting))

    def cost(self) -> Cost:
        camera = self.arbiter.eyes["yard"].pid
        assert camera is not None
        memories = [each for each in Path("/proc/self/fd").iterdir() if _is_memory(each)]
        shared_kb = sum(os.fstat(int(each.name)).st_blocks // 2 for each in memories)
        return Cost(*_process(os.getpid()), *_process(camera), shared_kb)


def unplug(cycles: int, every: int) -> Iterator[Cost]:
    """The cost after every so many cycles."""
    bench = Bench(Loose(rest_s=0.25), reading_s=10.0)  # a busy machine must not end the process whose memory is watched
    try:
        for cycle in range(cycles + 1):
            bench.until_state("offline")
            bench.until_state("online")
            if cycle % every == 0:
                yield bench.cost()
        assert bench.arbiter.eyes["yard"].restarts == 0
    finally:
        bench.arbiter.close()


def hang(times: int) -> tuple[list[float], list[float]]:
    """Seconds from the last frame before each hang to being told offline, and to the next frame seen."""
    told, seen = [], []
    for _ in range(times):
        bench = Bench(Loose(frames=30, hangs=True))
        try:
            bench.until_seen()
            offline_s = bench.until_state("offline")
            told.append(offline_s - bench.last_captured_s)
            begun_s = bench.last_captured_s
            seen.append(bench.until_seen() - begun_s)
        finally:
            bench.arbiter.close()
    return told, seen


def _is_memory(descriptor: Path) -> bool:
    try:
        return descriptor.readlink().name.startswith("memfd:")
    except OSError:
        return False


def _process(pid: int) -> tuple[int, int, int]:
    """Descriptors, threads, and memory that is its own, in kB."""
    lines = (line.split() for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines())
    numbers = {line[0]: line[1] for line in lines if line[0] in ("Threads:", "RssAnon:")}
    descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return descriptors, int(numbers["Threads:"]), int(numbers["RssAnon:"])


def run() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cycles", type=int, default=1000)
    parser.add_argument("--hangs", type=int, default=20)
    options = parser.parse_args()
    told, seen = (sorted(each) for each in hang(options.hangs))
    if told:
        print(
            f"hung read, {len(told)} times, since the last frame: told offline {told[-1]:.2f} s at most, "
            f"frames again median {seen[len(seen) // 2]:.2f} s, at most {seen[-1]:.2f} s",
            flush=True,
        )
    every = max(1, options.cycles // 10)
    names = [field.name for field in fields(Cost)]
    print("| unplugged | " + " | ".join(names) + " |\n|" + " --- |" * (len(names) + 1))
    for i, cost in enumerate(unplug(options.cycles, every)):
        print(f"| {i * every} | " + " | ".join(str(each) for each in astuple(cost)) + " |", flush=True)


if __name__ == "__main__":
    run()
