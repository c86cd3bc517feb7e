"""``edge run`` as a family of processes: what each has loaded, what survives whose death, and how all of them end."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.flow.running import CHECKOUT, write_config

NOBODY = {"host": "127.0.0.1", "port": 9}  # the discard port: nothing listens there
PATIENCE_S = 60.0
ALL = {"capture", "capture too", "infer", "publisher"}
NATIVE = ("/cv2", "ai_edge_litert", "tflite_runtime", "picamera2")


class Family:
    """A running service with two made-up cameras, and its children."""

    def __init__(self, folder: Path) -> None:
        camera = {"source": "synthetic", "fps": 10}
        settings = {
            "device": "gate",
            "broker": NOBODY,
            "cameras": {"yard": camera, "shed": camera},
            "outbox": {"path": str(folder / "outbox.db")},
        }
        command = [sys.executable, "-m", "edge", "run", "--config", str(write_config(folder, settings))]
        self.service = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=CHECKOUT)
        self.said: list[str] = []
        self.hear("yard: online", "shed: online")
        while not self.children().keys() >= ALL:  # the publisher begins last, and each takes its name when it has begun
            assert self.service.poll() is None

    def hear(self, *words: str) -> None:
        """Wait until all of it was said."""
        missing = set(words)
        assert self.service.stderr is not None
        while missing:
            line = self.service.stderr.readline()
            assert line, f"the service ended: {self.said}"
            self.said.append(line)
            missing = {each for each in missing if each not in line}

    def children(self) -> dict[str, int]:
        """Process ids by the module that each runs; cameras by number."""
        threads = Path(f"/proc/{self.service.pid}/task").glob("*/children")
        found: dict[str, int] = {}
        for pid in " ".join(each.read_text() for each in threads).split():
            module = Path(f"/proc/{pid}/comm").read_text().strip().removeprefix("edge-")
            name = module if module not in found else f"{module} too"
            found[name] = int(pid)
        return found

    def ends(self) -> list[int]:
        """Something to wait for: the end of each process."""
        return [os.pidfd_open(pid) for pid in self.children().values()]


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Callable[[], Family]]:
    started: list[Family] = []

    def start() -> Family:
        started.append(Family(tmp_path))
        return started[-1]

    yield start
    for each in started:
        each.service.kill()
        each.service.communicate()


def libraries(pid: int) -> set[str]:
    maps = Path(f"/proc/{pid}/maps").read_text()
    return {name for name in NATIVE if name in maps}


def assert_all_end(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        assert poller.poll(PATIENCE_S * 1000), "a process lives on"
        os.close(descriptor)


def test_native_vision_code_is_in_the_children_alone(family: Callable[[], Family]) -> None:
    running = family()

    children = running.children()

    assert children.keys() == ALL
    assert libraries(running.service.pid) == set()
    assert libraries(children["publisher"]) == set()
    assert libraries(children["infer"]) == {"/cv2", "ai_edge_litert"}


@pytest.mark.parametrize("victim", ["capture", "infer", "publisher"])
def test_the_service_outlives_each_of_its_children_and_replaces_it(family: Callable[[], Family], victim: str) -> None:
    running = family()
    before = running.children()

    os.kill(before[victim], signal.SIGKILL)
    running.hear("starting it again")
    if victim == "capture":
        running.hear(": online")
    while len(now := running.children()) < len(before):
        assert running.service.poll() is None

    assert len(set(before.values()) - set(now.values())) == 1
    assert before[victim] not in now.values()
    running.service.send_signal(signal.SIGTERM)
    assert running.service.wait(PATIENCE_S) == 0


def test_no_child_outlives_a_service_that_is_killed(family: Callable[[], Family]) -> None:
    running = family()
    ends = running.ends()

    running.service.kill()

    assert len(ends) == 4
    assert_all_end(ends)


def test_when_memory_runs_out_the_kernel_ends_a_child_before_the_service(family: Callable[[], Family]) -> None:
    running = family()

    scores = {name: int(Path(f"/proc/{pid}/oom_score").read_text()) for name, pid in running.children().items()}

    assert min(scores.values()) > int(Path(f"/proc/{running.service.pid}/oom_score").read_text())


@pytest.mark.parametrize("stopped", ["capture", "infer", "publisher"])
def test_a_stop_ends_all_of_it_though_a_child_does_not_react(family: Callable[[], Family], stopped: str) -> None:
    running = family()
    ends = running.ends()
    os.kill(running.children()[stopped], signal.SIGSTOP)

    running.service.send_signal(signal.SIGTERM)

    assert running.service.wait(PATIENCE_S) == 0
    assert_all_end(ends)
