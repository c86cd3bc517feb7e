from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.core.clock import SystemClock
from edge.service.child import Child

MODULE = "tests.service.children"
PATIENCE_S = 20.0


@pytest.fixture
def make() -> Iterator[Callable[..., Child]]:
    made: list[Child] = []

    def child(**options: Any) -> Child:
        made.append(Child("echo", MODULE, greet=lambda: [b"hello"], clock=SystemClock(), **options))
        return made[-1]

    yield child
    for each in made:
        each.end()


def hear(child: Child, wanted: bytes) -> None:
    """Run the child until it has said it."""
    clock = SystemClock()
    until_ns = clock.monotonic_ns() + round(PATIENCE_S * 1e9)
    while clock.monotonic_ns() < until_ns:
        child.tend()
        child.wait(0.1)
        if wanted in child.receive():
            return
    raise AssertionError(f"{wanted!r} was not heard")


def test_a_child_is_greeted_and_answers(make: Callable[..., Child]) -> None:
    child = make()

    hear(child, b"hello")
    child.send(b"and more")

    hear(child, b"and more")
    assert child.restarts == 0


def test_one_that_was_killed_is_started_again(make: Callable[..., Child]) -> None:
    child = make()
    hear(child, b"hello")
    first = child.pid
    assert first is not None

    os.kill(first, 9)
    hear(child, b"hello")

    assert child.restarts == 1
    assert child.pid not in (None, first)


def test_one_that_hangs_is_killed_at_its_deadline(make: Callable[..., Child]) -> None:
    child = make(silent_s=0.5)
    hear(child, b"hello")

    child.send(b"hang")
    hear(child, b"hello")

    assert child.restarts >= 1


def test_one_that_was_dismissed_is_not_started_again(make: Callable[..., Child]) -> None:
    child = make()
    hear(child, b"hello")

    child.send(b"die")
    child.dismiss()
    while not child.has_gone:
        child.wait(0.1)
        child.receive()

    assert not child.tend()
    assert child.restarts == 0


def test_sending_to_nobody_is_told_and_harmless(make: Callable[..., Child]) -> None:
    assert make().send(b"anybody?") is False


def test_a_child_gets_its_descriptors_in_order(make: Callable[..., Child], tmp_path: Path) -> None:
    files = [tmp_path / "first", tmp_path / "second"]
    for file in files:
        file.write_text(file.name)
    with files[0].open() as first, files[1].open() as second:
        child = make(descriptors=(first.fileno(), second.fileno()))
        hear(child, b"hello")
    child.send(b"read")

    hear(child, b"first|second")


PARENT = """
import sys
from edge.core.clock import SystemClock
from edge.service.child import Child
child = Child("echo", "tests.service.children", greet=lambda: [sys.argv[1].encode()], clock=SystemClock())
child.tend()
while not child.receive():
    child.wait(1.0)
print(child.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("what_it_does", ["hello", "stuck"])
def test_a_child_does_not_outlive_a_parent_that_is_killed_whatever_it_does(what_it_does: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, what_it_does], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))

        parent.kill()

        poller = select.poll()
        poller.register(child, select.POLLIN)
        assert poller.poll(PATIENCE_S * 1000), "the child lives on"
        os.close(child)
