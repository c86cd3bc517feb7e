"""Bench: what is counted, what is thrown away, and what is said about a disturbed machine."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.core.clock import HandClock, SystemClock
from edge.core.errors import EdgeError, UsageError
from edge.measure import bench_report
from edge.measure.bench import Block, Measured, Pair, Subject, measure
from edge.measure.bench_report import BenchReport, Spread, compare, spread, stage_spreads, timings
from edge.measure.cold_start import measure_cold_start
from edge.measure.machine_load import LoadMark, cpu_seconds_of, foreign_share, mark_load, memory_mb, wait_for_quiet
from edge.service.infer_letters import Exercised


def a_subject(clock: HandClock, *, bare_ms: float, whole_ms: float) -> Subject:
    """A model of a known speed, and a path of another."""

    def run_bare(seconds: float) -> Exercised:
        count = max(1, math.ceil(seconds * 1e3 / bare_ms))
        clock.advance(count * bare_ms / 1e3)
        return Exercised([bare_ms] * count, count * bare_ms / 1e3, count * bare_ms / 1e3)

    def run_frame() -> dict[str, float]:
        clock.advance(whole_ms / 1e3)
        return {"infer": bare_ms, "decode": whole_ms - bare_ms}

    return Subject(run_bare, run_frame, cpu_s=lambda: 0.0)


def a_block(fps: float, *, cpu_ms: float = 5.0, foreign: float = 0.0) -> Block:
    runs = [1000 / fps] * round(fps)
    return Block(runs, 1.0, cpu_ms * len(runs) / 1e3, foreign, [{"infer": 3.0}, {"infer": 5.0}])


def test_the_ratio_is_of_the_two_speeds_of_one_moment() -> None:
    clock = HandClock()

    measured = measure(a_subject(clock, bare_ms=10.0, whole_ms=12.5), clock, seconds=4, patience_s=0)

    figures = timings(measured)
    assert figures["raw_fps"] == pytest.approx(100, rel=0.03)
    assert figures["ratio"] == pytest.approx(0.8, abs=0.01)
    assert stage_spreads(measured) == {"infer": Spread(10.0, 10.0), "decode": Spread(2.5, 2.5)}


def test_a_model_slower_than_a_block_is_measured_all_the_same() -> None:
    clock = HandClock()

    measured = measure(a_subject(clock, bare_ms=3000, whole_ms=3300), clock, seconds=0.5, patience_s=0)

    assert timings(measured)["ratio"] == pytest.approx(0.909, abs=0.001)


def test_the_ratio_is_the_median_of_the_pairs_not_the_ratio_of_the_medians() -> None:
    pairs = [Pair(a_block(100), a_block(90)), Pair(a_block(50), a_block(49)), Pair(a_block(80), a_block(76))]

    figures = timings(Measured(pairs, 0, True))

    assert figures["ratio"] == 0.95
    assert figures["cpu_ms_per_frame"] == pytest.approx(5.0)


def test_foreign_load_is_what_the_machine_did_beyond_this_process() -> None:
    before, after = LoadMark(0, busy_s=100.0, own_s=3.0), LoadMark(2_000_000_000, busy_s=103.0, own_s=5.0)

    assert foreign_share(before, after, cores=2) == pytest.approx(0.25)
    assert foreign_share(before, before, cores=2) == 0.0


def test_busy_seconds_leave_out_idle_and_guests(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 0 50 1000 500 5 5 40 90 0\ncpu0 1 1 1 1\n")

    assert mark_load(HandClock(), stat).busy_s == pytest.approx(2.0)  # 200 ticks of 10 ms
    assert mark_load(HandClock(), tmp_path / "nothing").busy_s == 0.0


def test_what_a_process_has_used_is_told_from_its_number() -> None:
    before = cpu_seconds_of(os.getpid())
    while cpu_seconds_of(os.getpid()) < before + 0.01:
        sum(range(1000))

    assert before > 0
    assert cpu_seconds_of(2**22 + 1) == 0.0  # beyond any the kernel gives


def test_memory_of_several_processes_is_added() -> None:
    pss, peak = memory_mb([os.getpid()])
    both, _ = memory_mb([os.getpid(), os.getpid()])

    assert pss is not None
    assert peak is not None
    assert both == pytest.approx(2 * pss, rel=0.05)
    assert memory_mb([2**22 + 1]) == (None, None)


def test_waiting_for_quiet_ends_in_time() -> None:
    clock = HandClock()

    wait_for_quiet(clock, limit_s=2)

    assert clock.monotonic_ns() <= 2_500_000_000


def test_percentiles_are_values_that_were_measured() -> None:
    assert spread([float(n) for n in range(101)]) == Spread(50.0, 95.0)
    assert spread([7.0]) == Spread(7.0, 7.0)
    assert spread([]) == Spread(0.0, 0.0)


def a_report(**changes: Any) -> BenchReport:
    facts: dict[str, Any] = {
        "model": "m", "threads": 1, "invoke_ms": Spread(10, 11), "raw_fps": 100.0, "pipeline_fps": 98.0, "ratio": 0.98,
        "cpu_ms_per_frame": 11.0, "raw_cpu_ms_per_frame": 10.0, "stages_ms": {}, "pss_mb": 80.0, "peak_rss_mb": 90.0,
        "cold_start_s": 0.3, "quiet": True, "foreign_load": 0.01, "pairs": 5, "pairs_dropped": 0, "overlap": True,
        "backend": "cpu", "source": "synthetic:", "frame_size": (640, 480), "sha256": "0" * 64, "edge": "0",
        "runtime": "litert 2", "cores": 2,
    }  # fmt: skip
    return BenchReport(**facts | changes)


@pytest.mark.parametrize("form", ["one", "list", "lines"])
def test_a_report_is_compared_with_the_recorded_one_of_its_model(tmp_path: Path, form: str) -> None:
    recorded = [json.loads(msgspec.json.encode(a_report(model="other"))), json.loads(msgspec.json.encode(a_report()))]
    file = tmp_path / "record.json"
    texts = {
        "one": json.dumps(recorded[1]),
        "list": json.dumps(recorded),
        "lines": "\n".join(map(json.dumps, recorded)),
    }
    file.write_text(texts[form])

    found = compare(a_report(pipeline_fps=49.0, cold_start_s=0.2, pss_mb=None), file)

    differences = {one.figure: one for one in found}
    assert differences["pipeline_fps"].is_worse
    assert differences["cold_start_s"].is_better
    assert not differences["raw_fps"].is_worse
    assert not differences["raw_fps"].is_better
    assert differences["pss_mb"].gain is None


@pytest.mark.parametrize("is_now", [True, False])
def test_on_a_disturbed_machine_nothing_is_judged_by_the_clock(tmp_path: Path, is_now: bool) -> None:
    file = tmp_path / "record.json"
    file.write_bytes(msgspec.json.encode(a_report(quiet=is_now)))
    slower = {"raw_fps": 50.0, "pipeline_fps": 20.0, "ratio": 0.4, "cold_start_s": 0.9}

    found = compare(a_report(quiet=not is_now, cpu_ms_per_frame=20.0, **slower), file)

    verdicts = {one.figure: one.verdict for one in found}
    assert verdicts == dict.fromkeys(slower, "disturbed") | {"cpu_ms_per_frame": "WORSE", "pss_mb": "alike"}
    assert [one.figure for one in found if one.is_worse] == ["cpu_ms_per_frame"]


@pytest.mark.parametrize("other", [{"source": "walk.mp4"}, {"frame_size": (768, 432)}, {"backend": "edgetpu"}])
def test_a_record_of_another_source_is_no_record_of_this_one(tmp_path: Path, other: dict[str, Any]) -> None:
    file = tmp_path / "record.json"
    file.write_bytes(msgspec.json.encode(a_report(**other)))

    with pytest.raises(UsageError, match=r"expected a report of m with 1 thread.*synthetic: 640x480 on cpu"):
        compare(a_report(), file)


def test_the_same_film_may_lie_elsewhere(tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    file.write_bytes(msgspec.json.encode(a_report(source="/films/walk.mp4")))

    assert compare(a_report(source="walk.mp4"), file)


@pytest.mark.parametrize("content", ["", "{", "[1]", "[]", json.dumps({"model": "another", "threads": 4})])
def test_what_is_no_record_of_this_model_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "record.json"
    file.write_text(content)

    with pytest.raises(UsageError, match="--against"):
        compare(a_report(), file)


def test_a_missing_or_enormous_record_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="can't be read"):
        compare(a_report(), tmp_path / "nothing.json")
    (tmp_path / "large.json").write_text("x" * 100)
    monkeypatch.setattr(bench_report, "_LARGEST_FILE", 10)
    with pytest.raises(UsageError, match="at most 10 bytes"):
        compare(a_report(), tmp_path / "large.json")


def test_a_cold_start_that_fails_says_why_in_its_own_words() -> None:
    with pytest.raises(EdgeError, match=r"the cold start failed: .*nothing\.tflite"):
        measure_cold_start(["bench", "--first-detection", "--model", "/nothing.tflite"], SystemClock(), times=1)
