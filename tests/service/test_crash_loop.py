from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from edge.core.clock import HandClock
from edge.service.crash_loop import MOST_STARTS, GoodRun, Starts, after_good_run, judge_start

BOOT = "dc53034a-932d-4601-8d1d-8b44eeb49829"


def test_a_first_start_is_as_any_other() -> None:
    verdict = judge_start(None, "A", BOOT)

    assert (verdict.is_loop, verdict.wait_s, verdict.starts) == (False, 0.0, Starts("A", 1, BOOT, 1))


def test_five_bad_ends_in_a_row_are_a_loop() -> None:
    starts, verdicts = None, []
    for _ in range(MOST_STARTS + 2):
        verdicts.append(judge_start(starts, "A", BOOT))
        starts = verdicts[-1].starts

    assert [verdict.is_loop for verdict in verdicts] == [False] * MOST_STARTS + [True] * 2


def test_waits_grow_and_end_before_systemd_loses_its_patience() -> None:
    waits = [judge_start(Starts("A", failed, BOOT, failed), "A", BOOT).wait_s for failed in range(30)]

    assert waits[:6] == [0.0, 0.0, 0.0, 1.0, 2.0, 4.0]
    assert waits == sorted(waits)
    assert waits[-1] == 60.0


def test_power_cuts_make_no_start_wait() -> None:
    """The machine has just started, which took longer than any wait; they count towards safe mode all the same."""
    starts = None
    for boot in range(12):
        verdict = judge_start(starts, "A", f"boot {boot}")
        starts = verdict.starts

        assert verdict.wait_s == 0.0

    assert verdict.is_loop


def test_what_crashes_after_power_cuts_is_quickly_back_at_first() -> None:
    starts = judge_start(Starts("A", 11, "before", 1), "A", BOOT).starts

    assert judge_start(starts, "A", BOOT).wait_s == 0.0


def test_a_changed_configuration_begins_anew() -> None:
    verdict = judge_start(Starts("A", 9, BOOT, 9), "B", BOOT)

    assert (verdict.is_loop, verdict.starts) == (False, Starts("B", 1, BOOT, 1))


def test_a_good_run_makes_up_for_all_before() -> None:
    assert after_good_run(Starts("A", 4, BOOT, 4), was_loop=False) == Starts("A", 0, BOOT)


def test_a_good_run_in_safe_mode_gives_the_usual_way_one_more_try() -> None:
    again = judge_start(after_good_run(Starts("A", 9, BOOT, 9), was_loop=True), "A", BOOT)
    after_its_crash = judge_start(again.starts, "A", BOOT)

    assert (again.is_loop, after_its_crash.is_loop) == (False, True)


@given(st.lists(st.sampled_from(["crash", "good", "orderly"]), max_size=40))
def test_safe_mode_needs_five_crashes_since_the_last_good_end(ends: list[str]) -> None:
    starts, crashes = None, 0
    for end in ends:
        verdict = judge_start(starts, "A", BOOT)
        if verdict.is_loop:
            assert crashes >= 1
            return
        assert crashes < MOST_STARTS
        starts = verdict.starts
        if end == "crash":
            crashes += 1
        else:
            starts, crashes = after_good_run(starts, was_loop=False), 0


def test_what_a_good_run_brings_is_done_once_and_not_in_the_services_own_time() -> None:
    clock, done = HandClock(), threading.Semaphore(0)
    here = threading.current_thread()
    others: list[bool] = []

    def act() -> None:
        others.append(threading.current_thread() is not here)
        done.release()

    errand = GoodRun(act, clock, after_s=300)
    errand.open()
    clock.advance(299)
    errand.due()
    clock.step_wall(1e9)
    errand.due()
    assert others == []
    clock.advance(1)
    errand.due()
    errand.due()

    assert done.acquire(timeout=20)
    assert others == [True]
