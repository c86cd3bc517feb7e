"""The machine is looked after every five seconds."""

from __future__ import annotations

from edge.core.values import StageTimes
from edge.service.contract import Contract
from edge.service.governor import Governor, Restraint
from edge.service.steward import Care, Steward


class House:
    """A machine that is as hot as it is told, and a service that works."""

    def __init__(self, contract: Contract | None = None, *, is_governed: bool = True, is_timed: bool = True) -> None:
        self.temperature: float | None = 50.0
        self.restraints: list[Restraint] = []
        self.frames = 0
        self.now_s = 0.0
        self.steward = Steward(
            Governor() if is_governed else None,
            contract or Contract(),
            restrain=self.restraints.append,
            machine=lambda: (self.temperature, None),
            is_timed=lambda: is_timed,
        )

    def work(self, seconds: float, *, fps: float = 10.0, latency_ms: float = 50.0) -> Care:
        for _ in range(round(seconds * fps)):
            self.now_s += 1 / fps
            self.frames += 1
            self.steward.add(StageTimes(capture=latency_ms / 2, infer=latency_ms / 2))
            self.steward.look({"yard": self.frames}, self.now_s)
        return self.steward.care


def test_a_cool_machine_that_keeps_its_word_is_left_alone() -> None:
    house = House(Contract(min_fps=9.0, alert_latency_p95_ms=100.0))

    care = house.work(300)

    assert house.restraints == []
    assert (care.causes, care.broken) == ((), ())


def test_a_hot_machine_does_with_less_and_says_why_until_it_is_cool_again() -> None:
    house = House()
    house.temperature = 80.0
    hot = house.work(20)
    house.temperature = 60.0
    cool = house.work(300)

    assert house.restraints == [Restraint(rate=0.75), Restraint()]
    assert (hot.restraint.rate, hot.causes) == (0.75, ("hot",))
    assert (cool.restraint, cool.causes) == (Restraint(), ())


def test_recordings_that_are_played_as_fast_as_they_go_are_never_late() -> None:
    house = House(Contract(alert_latency_p95_ms=100.0), is_timed=False)

    care = house.work(60, latency_ms=5000.0)

    assert house.restraints == []
    assert care.broken == ()


def test_work_that_is_always_late_breaks_the_contract_and_is_made_less() -> None:
    house = House(Contract(alert_latency_p95_ms=100.0))

    care = house.work(12, latency_ms=150.0)

    assert (care.broken, care.causes) == (("alert_latency_p95_ms",), ("late",))


def test_too_few_frames_break_the_contract() -> None:
    house = House(Contract(min_fps=8.0))
    house.work(60)

    assert house.work(30, fps=4.0).broken == ("min_fps",)
    assert house.work(30).broken == ()


def test_without_a_governor_the_contract_is_watched_all_the_same() -> None:
    house = House(Contract(min_fps=20.0), is_governed=False)
    house.temperature = 90.0

    assert house.work(30).broken == ("min_fps",)
    assert house.restraints == []
