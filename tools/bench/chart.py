#!/usr/bin/env python3
"""Draws records of ``edge bench --json`` as a picture: the bare run, and what the whole path adds to it.

Each record is two bars. The first is processor time per frame: the model's own run, and everything else. The second is
frame rate: the part of the bare rate that the whole path reaches. A record of a disturbed machine is marked so.

    edge bench --model M --json > m.json
    python tools/bench/chart.py m.json ... --out docs/bench.svg        # needs matplotlib
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from edge.core.errors import EdgeError
from edge.measure.bench_report import BenchReport, read_reports

MODEL, PATH, LIMIT = "#4c78a8", "#f58518", "#555555"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("records", nargs="+", type=Path)
    parser.add_argument("--out", required=True, type=Path, help="a .svg or .png file")
    options = parser.parse_args()
    found = [report for file in options.records for report in read_reports(file)]
    draw(msgspec.convert(found, list[BenchReport]), options.out)


def draw(reports: list[BenchReport], out: Path) -> None:
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "edge"  # the same records make the same file
    names = [label(report) for report in reports]
    figure, (time, rate) = plt.subplots(1, 2, figsize=(10, 1.4 + 0.55 * len(reports)), sharey=True)
    draw_time(time, reports)
    draw_rate(rate, reports)
    time.set_yticks(range(len(names)), names, fontsize=9)
    time.invert_yaxis()
    machine = ", ".join(sorted({f"{report.cores} cores, {report.runtime}, edge {report.edge}" for report in reports}))
    figure.suptitle(f"edge bench: {machine}", fontsize=10)
    figure.tight_layout()
    figure.savefig(out, metadata={"Date": None} if out.suffix == ".svg" else None)
    plt.close(figure)


def draw_time(axes: Any, reports: list[BenchReport]) -> None:
    bare = [report.raw_cpu_ms_per_frame for report in reports]
    rest = [report.cpu_ms_per_frame - report.raw_cpu_ms_per_frame for report in reports]
    axes.barh(range(len(bare)), bare, color=MODEL, label="the model's run")
    axes.barh(range(len(rest)), rest, left=bare, color=PATH, label="everything else")
    for row, (run, more) in enumerate(zip(bare, rest, strict=True)):
        axes.text(run + more, row, f" {run:.1f} + {more:.1f}", va="center", fontsize=8)
    axes.set_xlim(0, 1.25 * max(run + more for run, more in zip(bare, rest, strict=True)))
    axes.set_xlabel("processor time per frame, ms")
    axes.legend(fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)


def draw_rate(axes: Any, reports: list[BenchReport]) -> None:
    axes.barh(range(len(reports)), [report.ratio for report in reports], color=PATH)
    axes.axvline(1.0, color=LIMIT, linewidth=1, linestyle="--")
    for row, report in enumerate(reports):
        # not the path's own median: that of the pairs' ratios need not be the ratio of the two medians
        words = f" {report.ratio:.3f} of {report.raw_fps:.0f}/s"
        axes.text(0.02, row, words, va="center", fontsize=8, color="white")
    axes.set_xlim(0, 1.05)
    axes.set_xlabel("frame rate of the whole path / of the bare run")


def label(report: BenchReport) -> str:
    overlap = ", ahead" if report.overlap else ""
    quiet = "" if report.quiet else "\n(machine not quiet)"
    return f"{report.model}\n{report.threads} thread{'s'[: report.threads != 1]}{overlap}{quiet}"


if __name__ == "__main__":
    try:
        main()
    except (OSError, EdgeError, msgspec.MsgspecError) as error:
        sys.exit(f"chart: {error}")
