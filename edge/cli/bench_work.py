"""What ``edge bench`` does once its options are read."""

from __future__ import annotations

import os

import click

from edge import __version__
from edge.assemble.bench import Bench, Setup
from edge.assemble.model import find
from edge.assemble.threads import choose_threads, has_spare_core
from edge.core.clock import SystemClock
from edge.infer.runtime import load_runtime
from edge.measure.bench import measure
from edge.measure.bench_report import BenchReport, invoke_spread, stage_spreads, timings
from edge.measure.cold_start import FirstDetection, measure_cold_start
from edge.measure.machine_load import memory_mb, wait_for_quiet
from edge.service.inside import settle


def make_setup(model: str, source: str, threads: int | None, overlap: str) -> Setup:
    """From the options of the command line."""
    chosen = choose_threads("auto" if threads is None else threads)
    is_overlapped = has_spare_core(chosen) if overlap == "auto" else overlap == "on"
    return Setup(find(model), source, chosen, is_overlapped)


def see_first(setup: Setup) -> FirstDetection:
    """What the cold start's fresh process does."""
    clock = SystemClock()
    settle()
    with Bench(setup, clock) as subject:
        subject.run_frame()
        return FirstDetection(clock.monotonic_ns())


def measure_all(setup: Setup, *, seconds: float, wait: float, cold_start: bool) -> BenchReport:
    """Wait for quiet, measure, and say how it was."""
    clock = SystemClock()
    was_quiet = wait_for_quiet(clock, limit_s=wait)
    if not was_quiet:
        click.echo("edge: the machine is busy with other work; its figures will be marked as disturbed", err=True)
    with Bench(setup, clock) as subject:
        measured = measure(subject.subject, clock, seconds=seconds, patience_s=wait)
        pss_mb, peak_mb = memory_mb(subject.pids)
        frame_size = subject.frame_size
    runtime = load_runtime()
    return BenchReport(
        model=setup.model.name,
        threads=setup.threads,
        invoke_ms=invoke_spread(measured),
        stages_ms=stage_spreads(measured),
        pss_mb=pss_mb,
        peak_rss_mb=peak_mb,
        cold_start_s=round(measure_cold_start(_again(setup), clock), 3) if cold_start else None,
        quiet=measured.is_quiet,
        pairs=len(measured.pairs),
        pairs_dropped=measured.dropped,
        overlap=setup.overlap,
        backend=setup.model.layout.backend,
        source=setup.source,
        frame_size=frame_size,
        sha256=setup.model.sha256,
        edge=__version__,
        runtime=f"{runtime.name} {runtime.version}",
        cores=os.cpu_count() or 1,
        **timings(measured),
    )


def _again(setup: Setup) -> list[str]:
    overlap = "on" if setup.overlap else "off"
    model = str(setup.model.path.absolute())
    return ["bench", "--first-detection", "--model", model, "--source", setup.source,
            "--threads", str(setup.threads), "--overlap", overlap]  # fmt: skip
