"""What ``edge bench`` prints, for people and for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from edge.measure.bench_report import BenchReport, Difference

_NAMES = {
    "capture": "camera's process (CPU): read, resize",
    "preprocess": "into the input tensor",
    "infer": "the model's run",
    "decode": "read the outputs",
    "track_and_tell": "track, rules, messages",
}


def as_text(report: BenchReport, differences: Sequence[Difference]) -> str:
    """The figures as a table, with the recorded ones beside them where there are any."""
    width, height = report.frame_size
    invoke = f"p50 {report.invoke_ms.p50:.2f} ms, p95 {report.invoke_ms.p95:.2f} ms"
    lines = [
        f"{report.model} on {report.backend}, {report.threads} thread(s) of {report.cores} cores, {report.runtime}",
        f"{report.source}, {width} x {height}; {'overlapped' if report.overlap else 'one after the other'}",
        "",
        _line("the model alone", f"{report.raw_fps:.1f}", "runs/s", invoke),
        _line("the whole path", f"{report.pipeline_fps:.1f}", "frames/s"),
        _line("the path keeps", f"{report.ratio:.1%}"),
        _line("CPU time per frame", f"{report.cpu_ms_per_frame:.2f}", "ms", f"model {report.raw_cpu_ms_per_frame:.2f}"),
        _line("memory (PSS)", _figure(report.pss_mb), "MB", f"peak resident {_figure(report.peak_rss_mb)}"),
        _line("cold start to first detection", _figure(report.cold_start_s), "s"),
        "",
        f"  {'stage':<32} {'p50 ms':>8} {'p95 ms':>8}",
    ]
    lines += [f"  {_NAMES.get(key, key):<32} {one.p50:>8.3f} {one.p95:>8.3f}" for key, one in report.stages_ms.items()]
    lines += ["", _quiet_line(report)]
    if differences:
        lines += ["", f"  {'against the record':<32} {'found':>9} {'recorded':>9}"]
        lines += [_difference_line(one) for one in differences]
    return "\n".join(lines)


def as_object(report: BenchReport, differences: Sequence[Difference]) -> dict[str, Any]:
    """The same for scripts; ``against`` only where there was a record."""
    told: dict[str, Any] = msgspec.to_builtins(report)
    if differences:
        told["against"] = [{**msgspec.to_builtins(one), "verdict": one.verdict} for one in differences]
    return told


def _line(name: str, figure: str, unit: str = "", more: str = "") -> str:
    return f"  {name:<32} {figure:>8} {unit:<9} {more}".rstrip()


def _quiet_line(report: BenchReport) -> str:
    if report.quiet:
        return f"The machine was quiet: {report.pairs} pairs of blocks count, {report.pairs_dropped} were disturbed."
    return (
        f"The machine was NOT quiet (others used {report.foreign_load:.0%} of it): "
        "the ratio is worth a look, the milliseconds are not."
    )


def _difference_line(one: Difference) -> str:
    return f"  {one.figure:<32} {_figure(one.found):>9} {_figure(one.recorded):>9}  {one.verdict}".rstrip()


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
