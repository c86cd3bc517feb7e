"""Which process runs the model: an accelerator's, or the CPU's. Processes are faked, time is moved by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edge.core.clock import HandClock
from edge.core.errors import MissingLibraryError
from edge.infer.golden import Golden, Sample
from edge.service.announced import Announced
from edge.service.brains import Brains
from edge.service.breaker import Breaker, Patience, Trust
from edge.service.checkup import Checkup
from edge.service.fault import Fault, FaultKind
from edge.service.golden_book import GoldenBook
from edge.service.infer_letters import Pictured, Ready, SelfTest, Tested
from edge.service.inference import Answer
from edge.service.on_cpu import Experience
from edge.service.progress import Stage
from edge.service.staff import Version
from tests.builders import make_frame

GOLDEN = Golden({"scores": Sample((0, 1), (0.5, 0.25), 2)})
LOST = Fault(FaultKind.LOST, "the device is gone")


class FakeBrain:
    """A process that is ready at once, and tested as the device is."""

    def __init__(self, backend: str, device: Device) -> None:
        self.backend = backend
        self._device = device
        self.ready: Ready | None = None
        self.error = None
        self.fault: Fault | None = None
        self.restarts = 0
        self.rejected = 0
        self.raving = 0
        self.waits_s = 0.0
        self.pid = 4711
        self.has_ended = False
        self.jobs: list[Announced] = []
        self.roused = 0
        self.letters: list[SelfTest] = []
        self.threshold: float | None = None
        self._tested: list[Tested] = []

    @property
    def is_idle(self) -> bool:
        return not self.jobs

    def fileno(self) -> int | None:
        return None

    def has_room(self) -> bool:
        return self.ready is not None and len(self.jobs) < 2

    def may_replace(self, camera: str) -> bool:
        return False

    def is_at(self, camera: str) -> bool:
        return bool(self.jobs)

    def rouse(self) -> None:
        self.roused += 1

    def look(self, announced: Announced, *, is_replaceable: bool) -> bool:
        self.jobs.append(announced)
        return True

    def trust(self) -> None:
        self.is_trusted = True

    def tune(self, threshold: float) -> None:
        self.threshold = threshold

    def test(self, letter: SelfTest) -> bool:
        self.letters.append(letter)
        if self._device.answers_tests:
            fault = None if self._device.is_sound else "the output scores is 3 away from what it was"
            self._tested.append(Tested(5.0, fault, None if fault else GOLDEN))
        return True

    def take_tested(self) -> Tested | None:
        return self._tested.pop(0) if self._tested else None

    def photograph(self, camera: str, sequence: int, hidden: object) -> bool:
        return True

    def take_pictured(self) -> Pictured | None:
        return None

    def stage(self) -> Stage:
        return Stage("model", lambda: None if self.is_idle else self.restarts, lambda: 5.0)

    def tend(self) -> None:
        if not self._device.is_there and self.fault is None:
            self.fault = Fault(FaultKind.ABSENT, "no such device is attached")
        elif self._device.starts and self.fault is None:
            self.ready = Ready(f"model-{self.backend}", self.backend, self.backend, "litert 2", 5.0)

    def receive(self) -> list[Answer]:
        return []

    def end(self) -> list[Answer]:
        self.has_ended = True
        jobs, self.jobs = self.jobs, []
        return [Answer(job, is_lost=True) for job in jobs]


class Device:
    """How an accelerator, or the CPU, is."""

    def __init__(self) -> None:
        self.is_there = True
        self.is_sound = True
        self.starts = True
        self.answers_tests = True
        self.brains: list[FakeBrain] = []

    def make(self, backend: str) -> Callable[[], FakeBrain]:
        def make() -> FakeBrain:
            self.brains.append(FakeBrain(backend, self))
            return self.brains[-1]

        return make

    @property
    def newest(self) -> FakeBrain:
        return self.brains[-1]


class Rig:
    def __init__(self, folder: Path, *, is_attached: bool = True, experience: Experience | None = None) -> None:
        self.clock = HandClock()
        self.tpu, self.cpu = Device(), Device()
        self.is_attached = is_attached
        self.book = GoldenBook(folder)
        self.brains = Brains(
            Version(self.cpu.make("cpu"), Checkup(self.book)),
            Version(self.tpu.make("edgetpu"), Checkup(self.book, twin_sha256="cpu")),
            breaker=Breaker(),
            clock=self.clock,
            experience=experience,
            is_worth_a_try=lambda: self.is_attached,
        )
        self.news: list[tuple[bool, str | None]] = []

    def live(self, seconds: float) -> None:
        for _ in range(round(seconds * 5)):
            self.clock.advance(0.2)
            self.turn()

    def turn(self) -> None:
        self.brains.receive()
        self.brains.tend()
        while (news := self.brains.take_news()) is not None:
            self.news.append((news.is_accelerated, news.reason))

    @property
    def backend(self) -> str | None:
        return None if self.brains.ready is None else self.brains.ready.backend


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    rig = Rig(tmp_path)
    rig.live(1)
    return rig


def announced(slot: int = 0) -> Announced:
    return Announced(slot, make_frame().facts)


def test_the_accelerator_works_alone_while_it_is_well(rig: Rig) -> None:
    rig.live(120)

    assert rig.backend == "edgetpu"
    assert rig.cpu.brains == []
    assert rig.news == []
    assert rig.brains.reasons == ()


def test_no_frame_goes_to_an_accelerator_that_has_not_passed_a_self_test(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.tpu.answers_tests = False

    rig.live(1)

    assert not rig.brains.has_room()


@pytest.mark.parametrize("kind", [FaultKind.LOST, FaultKind.HUNG, FaultKind.CRASHED])
def test_the_cpu_takes_over_when_it_is_lost(rig: Rig, kind: FaultKind) -> None:
    rig.tpu.newest.fault = Fault(kind, "oh")
    rig.tpu.is_there = False

    rig.live(0.4)

    assert rig.backend == "cpu"
    assert rig.news == [(False, f"accelerator_{kind}")]
    assert rig.brains.reasons == (f"accelerator_{kind}",)
    assert rig.tpu.brains[0].has_ended


def test_the_frames_that_were_with_it_come_back(rig: Rig) -> None:
    rig.brains.look(announced(), is_replaceable=True)
    rig.tpu.newest.fault = LOST
    rig.brains.tend()

    answers = rig.brains.receive()

    assert [(answer.announced.slot, answer.is_lost) for answer in answers] == [(0, True)]
    assert rig.brains.is_idle


def test_the_cpu_is_started_at_the_first_doubt(rig: Rig) -> None:
    rig.tpu.newest.waits_s = 0.6

    rig.live(0.4)

    assert len(rig.cpu.brains) == 1
    assert rig.backend == "edgetpu"
    assert rig.news == []


def test_after_a_doubt_that_was_none_the_cpu_goes_again(rig: Rig) -> None:
    rig.tpu.newest.waits_s = 0.6
    rig.live(0.4)
    rig.tpu.newest.waits_s = 0.0

    rig.live(70)

    assert rig.cpu.newest.has_ended


def test_it_comes_back_after_three_good_self_tests(rig: Rig) -> None:
    rig.tpu.newest.fault = LOST
    rig.live(1)

    rig.live(10)

    assert rig.news == [(False, "accelerator_lost"), (True, None)]
    assert rig.backend == "edgetpu"
    assert rig.brains.reasons == ()
    assert len(rig.tpu.newest.letters) == 3


def test_the_cpu_stays_a_minute_and_then_goes(rig: Rig) -> None:
    rig.tpu.newest.fault = LOST
    rig.live(15)
    stays = not rig.cpu.newest.has_ended

    rig.live(70)

    assert stays
    assert rig.cpu.newest.has_ended
    assert rig.backend == "edgetpu"


def test_garbage_is_found_before_anything_is_published(rig: Rig) -> None:
    rig.tpu.newest.fault = LOST
    rig.tpu.is_sound = False

    rig.live(600)

    assert rig.news == [(False, "accelerator_lost")]
    assert rig.backend == "cpu"
    assert rig.brains.reasons == ("accelerator_garbage",)


def test_garbage_in_the_hourly_self_test_ends_its_work(rig: Rig) -> None:
    rig.live(3500)
    rig.tpu.is_sound = False

    rig.live(200)

    assert rig.news == [(False, "accelerator_garbage")]


def test_a_self_test_that_does_not_come_back_is_a_hang(rig: Rig) -> None:
    rig.tpu.answers_tests = False
    rig.brains.ask()

    rig.live(12)

    assert rig.news[0] == (False, "accelerator_hung")


def test_frames_that_hold_nothing_but_nonsense_are_garbage(rig: Rig) -> None:
    rig.tpu.newest.raving = 30

    rig.live(0.4)

    assert rig.news == [(False, "accelerator_garbage")]


def test_without_the_device_the_cpu_works_from_the_start(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.tpu.is_there = False

    rig.live(1)

    assert rig.backend == "cpu"
    assert rig.news == [(False, "accelerator_absent")]


def test_one_that_nobody_asked_for_is_not_missed(tmp_path: Path) -> None:
    rig = Rig(tmp_path, is_attached=False)

    rig.live(600)

    assert rig.backend == "cpu"
    assert rig.news == []
    assert rig.brains.reasons == ()
    assert rig.tpu.brains == []


def test_one_that_is_plugged_in_later_is_used_after_its_trial(tmp_path: Path) -> None:
    rig = Rig(tmp_path, is_attached=False)
    rig.live(600)

    rig.is_attached = True
    rig.live(70)

    assert rig.backend == "edgetpu"
    assert rig.news == [(True, None)]


def test_an_accelerator_that_takes_long_to_start_has_the_cpu_beside_it(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.tpu.starts = False

    rig.live(3.4)

    assert len(rig.cpu.brains) == 1


def test_flapping_changes_at_most_once_in_ten_minutes(rig: Rig) -> None:
    hours = 2
    for _ in range(hours * 60):
        rig.tpu.is_there = False
        rig.tpu.newest.fault = LOST
        rig.live(15)
        rig.tpu.is_there = True
        rig.live(45)

    assert len(rig.news) <= 3
    assert len(rig.news) <= hours * 6
    assert rig.backend == "cpu"


def test_no_frame_overtakes_another_when_the_accelerator_comes_back(rig: Rig) -> None:
    rig.tpu.newest.fault = LOST
    rig.live(1)
    rig.brains.look(announced(), is_replaceable=True)

    rig.live(15)

    assert rig.backend == "edgetpu"
    assert not rig.brains.has_room()
    rig.cpu.newest.jobs.clear()
    assert rig.brains.has_room()


def test_a_threshold_holds_in_whatever_process_comes_next(rig: Rig) -> None:
    rig.brains.tune(0.3)
    rig.tpu.newest.fault = LOST

    rig.live(1)

    assert rig.cpu.newest.threshold == 0.3


def test_the_accelerator_is_measured_by_the_numbers_of_the_cpu(rig: Rig) -> None:
    rig.book.put("cpu", "cpu", "litert 2", GOLDEN)

    rig.brains.ask()
    rig.live(1)

    letter = rig.tpu.newest.letters[-1]
    assert (letter.expected, letter.is_own) == (GOLDEN, False)


def test_the_first_answer_is_expected_from_then_on(tmp_path: Path) -> None:
    Rig(tmp_path, is_attached=False).live(5)
    book = GoldenBook(tmp_path)

    book.open()

    assert book.get("cpu", "cpu", "litert 2") == GOLDEN


def test_a_model_whose_numbers_change_is_started_anew_and_told(tmp_path: Path) -> None:
    rig = Rig(tmp_path, is_attached=False)
    rig.live(5)
    rig.cpu.is_sound = False
    rig.brains.ask()

    rig.live(10)

    assert len(rig.cpu.brains) == 2
    assert rig.brains.reasons == ("model_garbage",)
    rig.cpu.is_sound = True
    rig.brains.ask()
    rig.live(1)
    assert rig.brains.reasons == ()


def test_the_third_crash_within_a_minute_brings_back_the_last_good_model(tmp_path: Path) -> None:
    other = Device()
    version = Version(other.make("cpu"), Checkup(GoldenBook(tmp_path)))
    rig = Rig(tmp_path, is_attached=False, experience=Experience(relapsed=lambda: version))
    rig.live(5)

    for _ in range(3):
        rig.cpu.newest.restarts += 1
        rig.live(10)

    assert rig.cpu.newest.has_ended
    assert rig.news == [(False, "model_rolled_back")]
    assert rig.backend == "cpu"
    assert len(other.brains) == 1


def test_crashes_that_are_far_apart_change_nothing(tmp_path: Path) -> None:
    rig = Rig(tmp_path, is_attached=False, experience=Experience(relapsed=lambda: pytest.fail("no relapse")))
    rig.live(5)

    for _ in range(5):
        rig.cpu.newest.restarts += 1
        rig.live(40)

    assert rig.news == []


def test_a_model_that_runs_well_for_a_minute_is_known_to_be_good_once(tmp_path: Path) -> None:
    proven: list[bool] = []
    rig = Rig(tmp_path, is_attached=False, experience=Experience(proven=lambda: proven.append(True)))

    rig.live(50)
    early = list(proven)
    rig.live(200)

    assert early == []
    assert proven == [True]


def test_when_neither_can_run_the_reason_is_the_cpu_s(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.tpu.is_there = False
    rig.live(0.4)

    rig.cpu.newest.error = MissingLibraryError("no runtime")

    assert isinstance(rig.brains.error, MissingLibraryError)


def test_a_long_trial_needs_the_whole_patience(rig: Rig) -> None:
    for _ in range(2):
        rig.tpu.newest.fault = LOST
        rig.live(15)

    assert rig.brains.trust is Trust.ON_TRIAL
    rig.live(Patience().quiet_s)
    assert rig.brains.trust is Trust.IN_USE
