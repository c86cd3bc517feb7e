"""Asks each probe in a process of its own: what hangs, crashes or eats memory there is a finding here.

A native library can block for good, or end the process it is loaded into; a driver can leave a process that not even
SIGKILL ends. So nothing is asked here, and nobody is waited for beyond its time.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from edge.core.protocols import Clock
from edge.host.doctor.values import Finding, Patient, broken

_ENTER = "import sys; sys.path[:] = sys.argv[2:]; from edge.host.doctor.answering import answer; answer(sys.argv[1])"
_READ = 64 * 1024
_LARGEST = 1 << 20
_AT_ONCE = max(2, os.cpu_count() or 2)
_NS_PER_S = 1_000_000_000
_read_findings = msgspec.json.Decoder(list[Finding]).decode


@dataclass(slots=True)
class _Asked:
    module: str
    process: subprocess.Popen[bytes]
    deadline_ns: int
    within_s: float
    said: bytearray


def ask(probes: Mapping[str, float], patient: Patient, clock: Clock) -> Iterator[tuple[str, list[Finding]]]:
    """Each probe's findings, as they come.

    Parameters
    ----------
    probes : module -> the seconds it may take
    """
    waiting, running = list(probes.items()), list[_Asked]()
    try:
        while waiting or running:
            while waiting and len(running) < _AT_ONCE:
                running.append(_start(*waiting.pop(0), patient=patient, clock=clock))
            for asked in _finished(running, clock):
                running.remove(asked)
                yield asked.module, _findings(asked)
    finally:
        for asked in running:
            _end(asked)


def _start(module: str, within_s: float, *, patient: Patient, clock: Clock) -> _Asked:
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module; all else goes by the pipe
        [sys.executable, "-P", "-c", _ENTER, module, *sys.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # so that its own children end with it
    )
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
        pipe.write(msgspec.json.encode(patient))
    deadline_ns = clock.monotonic_ns() + round(within_s * _NS_PER_S)
    return _Asked(module, process, deadline_ns, within_s, bytearray())


def _finished(running: Sequence[_Asked], clock: Clock) -> list[_Asked]:
    """Read what they say; those who have said all, or whose time is up."""
    by_descriptor = {_descriptor(asked): asked for asked in running}
    poller = select.poll()
    for descriptor in by_descriptor:
        poller.register(descriptor, select.POLLIN)
    until_ns = min(asked.deadline_ns for asked in running)
    over = []
    for descriptor, _ in poller.poll(max(0, until_ns - clock.monotonic_ns()) / 1e6):
        asked = by_descriptor[descriptor]
        part = os.read(descriptor, _READ)
        asked.said += part
        if not part or len(asked.said) > _LARGEST:
            over.append(asked)
    now_ns = clock.monotonic_ns()
    return over + [asked for asked in running if now_ns >= asked.deadline_ns and asked not in over]


def _descriptor(asked: _Asked) -> int:
    assert asked.process.stdout is not None
    return asked.process.stdout.fileno()


def _findings(asked: _Asked) -> list[Finding]:
    name = asked.module.rpartition(".")[2]
    code = _end(asked)
    try:
        return _read_findings(asked.said)
    except msgspec.MsgspecError:
        pass
    if code is None or code == -signal.SIGKILL:
        return [
            broken(
                name,
                f"gave no answer within {asked.within_s:g} s: a driver or a library hangs",
                "unplug and plug in the device it concerns, or restart the machine; `dmesg | tail` may name it",
            )
        ]
    return [
        broken(
            name,
            f"the question ended the process that asked it ({_ending(code)})",
            "a native library does not fit this machine; reinstall it, or reinstall edge-detector",
        )
    ]


def _end(asked: _Asked) -> int | None:
    """Its exit code, -SIGKILL when it had to be ended; None if not even that ends it."""
    process = asked.process
    with contextlib.suppress(subprocess.TimeoutExpired):
        if asked.said:
            process.wait(timeout=1.0)
    with contextlib.suppress(ProcessLookupError):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.stdout is not None
    process.stdout.close()
    try:
        return process.wait(timeout=1.0)
    except subprocess.TimeoutExpired:
        return None


def _ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
