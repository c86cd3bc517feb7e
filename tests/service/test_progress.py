"""The watchdog is fed by progress: a hang in any stage is noticed, and what has nothing to do is no hang."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from edge.core.clock import HandClock, SystemClock
from edge.report.outbox.values import Entry
from edge.report.outbox.writer import OutboxWriter
from edge.service.progress import Progress, Stage
from edge.service.systemd import Notifier
from tests.fakes import FakeSight
from tests.service import acting_capture, acting_infer
from tests.service.test_arbiter import Stage as Theatre
from tests.service.test_runner import ended, make_service, online

PATIENCE_S = 5.0


def look_for(progress: Progress, clock: HandClock, seconds: int, *, meanwhile: Callable[[], object] = int) -> set[str]:
    """All that stood still at some second."""
    found: set[str] = set()
    for _ in range(seconds):
        clock.advance(1.0)
        meanwhile()
        found.update(progress.stalled())
    return found


def watch(beat: Callable[[], object], clock: HandClock) -> Progress:
    return Progress([Stage("stage", beat, lambda: PATIENCE_S)], clock)


def test_a_stage_that_advances_or_has_nothing_to_do_is_well() -> None:
    clock = HandClock()

    assert look_for(watch(clock.monotonic_ns, clock), clock, 60) == set()
    assert look_for(watch(lambda: None, clock), clock, 60) == set()


def test_a_stage_that_stands_still_is_named_when_its_patience_is_over_and_no_more_when_it_goes_on() -> None:
    clock, beats = HandClock(), [0]
    progress = watch(lambda: beats[0], clock)

    assert look_for(progress, clock, 4) == set()
    assert look_for(progress, clock, 2) == {"stage"}
    beats[0] += 1
    assert progress.stalled() == ()


def test_a_service_that_was_held_up_itself_does_not_blame_its_stages() -> None:
    clock = HandClock()
    progress = watch(lambda: 1, clock)

    clock.advance(3600.0)

    assert progress.stalled() == ()


def test_the_watchdog_is_not_fed_while_a_stage_stands_still(tmp_path: Path) -> None:
    clock, beats = HandClock(), [0]

    def advance() -> None:
        beats[0] += 1
        clock.advance(1.0)

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5.0)
        well, still = [advance] * 10, [partial(clock.advance, 1.0)] * 10
        service, _ = make_service(
            FakeSight([online(), *well, *still, ended()], stages=(Stage("model", lambda: beats[0], lambda: 3.0),)),
            notifier=Notifier(str(tmp_path / "notify"), environment={"WATCHDOG_USEC": "10000000"}),
            clock=clock,
        )

        service.run()

        told = list(iter(lambda: listener.recv(1024), b"STOPPING=1"))
    bite = told.index(b"WATCHDOG=trigger")
    assert told[:bite].count(b"WATCHDOG=1") >= 10
    assert b"WATCHDOG=1" not in told[bite:]
    assert told.count(b"WATCHDOG=trigger") == 1


class SlowDisk:
    """A keeper whose disk does not answer."""

    def __init__(self) -> None:
        self.asked, self.answer = threading.Event(), threading.Event()

    def open(self) -> None: ...

    def close(self) -> None: ...

    def __getattr__(self, _name: str) -> object:
        self.asked.set()
        self.answer.wait(60.0)
        raise OSError("an answer at last")


def test_an_outbox_whose_disk_hangs_stands_still() -> None:
    disk, clock = SlowDisk(), HandClock()
    writer = OutboxWriter(disk, lambda _loss: pytest.fail("nothing is lost"), clock=clock)  # type: ignore[arg-type]
    thread = threading.Thread(target=writer._run, daemon=True)
    writer._waiting.append(Entry.__new__(Entry))
    thread.start()
    disk.asked.wait(20.0)

    found = look_for(watch(lambda: writer.rounds, clock), clock, 10)

    disk.answer.set()
    writer.stop(0.0)
    assert found == {"stage"}


@pytest.mark.parametrize("hanging", ["camera yard", "model"])
def test_a_process_that_hangs_is_a_standstill_only_if_nobody_ends_it(hanging: str) -> None:
    camera = acting_capture.Part(mishap="hang" if hanging == "camera yard" else "")
    model = acting_infer.Part(mishap="hang" if hanging == "model" else "")
    theatre = Theatre({"yard": camera}, model)
    try:
        theatre.until(lambda: len(theatre.seen) >= 2)
        SystemClock().sleep(0.3)
        theatre.arbiter.take(0.1)

        clock = HandClock()  # the service does not turn any more: nobody ends what hangs
        found = look_for(Progress(theatre.arbiter.stages(), clock), clock, 20)
    finally:
        theatre.arbiter.close()

    assert hanging in found


def test_a_camera_that_is_away_and_a_model_without_frames_stand_not_still() -> None:
    theatre = Theatre({"yard": acting_capture.Part(mishap="unplugged", at=0)})
    try:
        theatre.until(lambda: theatre.states() == ["offline"])
        clock = HandClock()
        progress = Progress(theatre.arbiter.stages(), clock)

        found = look_for(progress, clock, 30, meanwhile=lambda: theatre.arbiter.take(0.0))
    finally:
        theatre.arbiter.close()

    assert found == set()
