"""``edge bench``: what this machine makes of a model, and how much of it the whole path keeps."""

from __future__ import annotations

import os
from pathlib import Path

import click
import msgspec

from edge import __version__
from edge.assemble.bench import Bench, Setup, check_source
from edge.assemble.model import find
from edge.assemble.threads import choose_threads, hand_over_quickly, has_spare_core
from edge.cli.bench_text import as_text
from edge.cli.options import model_option
from edge.core.clock import SystemClock
from edge.infer.runtime import load_runtime
from edge.measure.bench import measure
from edge.measure.bench_report import BenchReport, compare, invoke_spread, read_reports, stage_spreads, timings
from edge.measure.cold_start import FirstDetection, measure_cold_start
from edge.measure.machine_load import own_memory_mb, wait_for_quiet

_DEFAULT_SOURCE = "synthetic:"


@click.command()
@model_option
@click.option(
    "--source",
    default=_DEFAULT_SOURCE,
    show_default=True,
    help="As a camera's in the configuration; recordings are repeated and read as fast as they are wanted.",
)
@click.option("--seconds", type=click.FloatRange(0.5, 3600), default=10.0, show_default=True, help="Of measuring.")
@click.option(
    "--threads", type=click.IntRange(1, 64), help="For the model. [default: as `threads: auto` in the configuration]"
)
@click.option(
    "--overlap",
    type=click.Choice(["auto", "on", "off"]),
    default="auto",
    show_default=True,
    help="Run the model on the next frame while the one before is told.",
)
@click.option(
    "--wait", type=click.FloatRange(0, 3600), default=30.0, show_default=True, help="Seconds to wait for quiet."
)
@click.option("--cold-start/--no-cold-start", default=True, help="Measure fresh processes too.")
@click.option("--against", type=click.Path(path_type=Path), help="Compare with what --json wrote before.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--first-detection", is_flag=True, hidden=True)
def bench(
    *,
    model: str,
    source: str,
    seconds: float,
    threads: int | None,
    overlap: str,
    wait: float,
    cold_start: bool,
    against: Path | None,
    as_json: bool,
    first_detection: bool,
) -> int:
    """Measure the model alone and the whole path in turns, on this machine.

    Exit codes: 0 done; 1 worse than --against by more than 3 %; 75 the camera is away; 78 the model is wrong;
    2 wrong usage.
    """
    hand_over_quickly()
    if against is not None:
        read_reports(against)  # a wrong file is told before the long work
    check_source(source)
    chosen = choose_threads("auto" if threads is None else threads)
    is_overlapped = has_spare_core(chosen) if overlap == "auto" else overlap == "on"
    setup = Setup(find(model), source, chosen, is_overlapped)
    if first_detection:
        return _see_first(setup)
    report = _measure(setup, seconds=seconds, wait=wait, cold_start=cold_start)
    differences = [] if against is None else compare(report, against)
    if as_json:
        click.echo(msgspec.json.encode(report))
        return int(any(one.is_worse for one in differences))
    click.echo(as_text(report, differences))
    return int(any(one.is_worse for one in differences))


def _see_first(setup: Setup) -> int:
    """What the cold start's fresh process does."""
    clock = SystemClock()
    with Bench(setup, clock) as subject:
        subject.run_frame()
        click.echo(msgspec.json.encode(FirstDetection(clock.monotonic_ns())))
    return 0


def _measure(setup: Setup, *, seconds: float, wait: float, cold_start: bool) -> BenchReport:
    clock = SystemClock()
    was_quiet = wait_for_quiet(clock, limit_s=wait)
    if not was_quiet:
        click.echo("edge: the machine is busy with other work; its figures will be marked as disturbed", err=True)
    with Bench(setup, clock) as subject:
        measured = measure(subject.subject, clock, seconds=seconds, patience_s=wait)
        pss_mb, peak_mb = own_memory_mb()
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
