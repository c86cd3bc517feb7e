"""Processes begun before it is known what they will do, by a service of their own: pytest has threads."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

PATIENCE_S = 20.0
SERVICE = """
import os, sys
from edge.core.clock import SystemClock
from edge.service import cradle
from edge.service.child import Child
from edge.service.entry import begin_early

MODULE = "tests.service.children"
secret = os.open(os.devnull, os.O_RDONLY)
begin_early(MODULE)
begun = cradle._waiting[MODULE].process

def start():
    child = Child("echo", MODULE, greet=lambda: [b"hello"], clock=SystemClock(), descriptors=(0,))
    child.tend()
    return child

def hear(child):
    while not (frames := child.receive()):
        child.tend()
        child.wait(1.0)
    return frames[-1]

def say(*words):
    print(*words, flush=True)
    sys.stdin.readline()
"""


@contextmanager
def service(script: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", SERVICE + script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def told(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go_on(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def has_ended(pid: int) -> bool:
    try:
        end = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    poller = select.poll()
    poller.register(end, select.POLLIN)
    ready = poller.poll(PATIENCE_S * 1000)
    os.close(end)
    return bool(ready)


def test_the_one_that_was_begun_is_the_first_to_be_used() -> None:
    with service("child = start(); say(hear(child), child.pid == begun.pid)") as process:
        assert told(process) == "b'hello' True"


def test_another_takes_the_place_of_one_that_ends_and_its_exit_code_is_known() -> None:
    script = """
child = start()
hear(child)
child.send(b"die")
say(hear(child), child.pid == begun.pid, child.restarts, begun.returncode in (0, -9))
"""
    with service(script) as process:  # it may be killed while it is about to end by itself
        assert told(process) == "b'hello' False 1 True"


def test_one_that_was_killed_before_its_first_word_is_replaced() -> None:
    with service("begun.kill(); begun.wait(5); child = start(); say(hear(child), child.restarts)") as process:
        assert told(process) == "b'hello' 1"


def test_it_holds_nothing_of_the_service_open() -> None:
    script = """
child = start()
hear(child)
child.send(b"open")
say(hear(child).decode())
"""
    with service(script) as process:
        numbers = told(process)

    # its streams, the channel, the life line, what it was given, and the folder it lists
    assert len(numbers.split(",")) == 3 + 2 + 1 + 1


@pytest.mark.parametrize("script", ["say(begun.pid)", "child = start(); hear(child); say(begun.pid)"])
def test_it_ends_with_the_service(script: str) -> None:
    with service(script) as process:
        pid = int(told(process))

        process.kill()

        assert has_ended(pid)


def test_one_that_nobody_needs_ends() -> None:
    with service("say(begun.pid); cradle.discard_all(); say(begun.returncode)") as process:
        pid = int(told(process))
        go_on(process)

        assert told(process) == "-9"
        assert has_ended(pid)
