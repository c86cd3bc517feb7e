"""What ``edge bench`` says: the keys scripts rely on, and the comparison with figures recorded before."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from edge.core.errors import UsageError
from edge.measure.bench import Block, Measured, median_of

_LARGEST_FILE = 1_000_000  # bytes; a report has some two thousand
# Which figures are compared, and whether more of it is better.
_COMPARED = {
    "raw_fps": True,
    "pipeline_fps": True,
    "ratio": True,
    "cpu_ms_per_frame": False,
    "pss_mb": False,
    "cold_start_s": False,
}
# What others on the machine change: no verdict where either run was disturbed.
_BY_THE_CLOCK = {"raw_fps", "pipeline_fps", "ratio", "cold_start_s"}
# Two runs on one quiet machine differ by less.
TOLERANCE = 0.03


class Spread(msgspec.Struct, frozen=True):
    """Milliseconds."""

    p50: float
    p95: float


class BenchReport(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one machine, one model and one source.

    invoke_ms : the runtime's run alone
    ratio : pipeline_fps / raw_fps, each pair of blocks by itself, their median
    cpu_ms_per_frame : all processes, the run included; raw_cpu_ms_per_frame : of the run alone
    stages_ms : what each stage of a frame took, wherever it ran; "capture" is CPU time of the camera's process
    pss_mb, peak_rss_mb : memory of all processes, megabytes; in the second what they have in common counts in each
    cold_start_s : from the start of a fresh process to its first detection; None = not measured
    quiet : others left the machine alone; else the figures are of a disturbed machine
    foreign_load : the part of the machine others used meanwhile, 0..1
    overlap : the model ran on the next frame while the one before was read and told
    """

    model: str
    threads: int
    invoke_ms: Spread
    raw_fps: float
    pipeline_fps: float
    ratio: float
    cpu_ms_per_frame: float
    raw_cpu_ms_per_frame: float
    stages_ms: dict[str, Spread]
    pss_mb: float | None
    peak_rss_mb: float | None
    cold_start_s: float | None
    quiet: bool
    foreign_load: float
    pairs: int
    pairs_dropped: int
    overlap: bool
    backend: str
    source: str
    frame_size: tuple[int, int]
    sha256: str
    edge: str
    runtime: str
    cores: int


class Difference(msgspec.Struct, frozen=True):
    """One figure beside the recorded one.

    gain : how much better it is, as a part of the recorded one; None where either is missing
    is_disturbed : others worked on the machine in either run, and it is a figure that they change
    """

    figure: str
    found: float | None
    recorded: float | None
    gain: float | None
    is_disturbed: bool = False

    @property
    def verdict(self) -> Literal["", "disturbed", "better", "WORSE", "alike"]:
        """Empty where there is nothing to compare."""
        if self.gain is None:
            return ""
        if self.is_disturbed:
            return "disturbed"
        return "better" if self.gain > TOLERANCE else "WORSE" if self.gain < -TOLERANCE else "alike"

    @property
    def is_better(self) -> bool:
        return self.verdict == "better"

    @property
    def is_worse(self) -> bool:
        return self.verdict == "WORSE"


def timings(measured: Measured) -> dict[str, float]:
    """The figures of throughput and work: medians over the pairs."""
    pairs = measured.pairs
    return {
        "raw_fps": round(median_of([pair.bare.fps for pair in pairs]), 2),
        "pipeline_fps": round(median_of([pair.whole.fps for pair in pairs]), 2),
        "ratio": round(median_of([pair.ratio for pair in pairs]), 4),
        "cpu_ms_per_frame": round(median_of([pair.whole.cpu_ms for pair in pairs]), 3),
        "raw_cpu_ms_per_frame": round(median_of([pair.bare.cpu_ms for pair in pairs]), 3),
        "foreign_load": round(median_of([block.foreign for block in _blocks(measured)]), 3),
    }


def invoke_spread(measured: Measured) -> Spread:
    return spread([ms for pair in measured.pairs for ms in pair.bare.runs])


def stage_spreads(measured: Measured) -> dict[str, Spread]:
    """Per stage, over all frames of the whole path."""
    frames = [stages for pair in measured.pairs for stages in pair.whole.stages]
    names = list(dict.fromkeys(name for stages in frames for name in stages))
    return {name: spread([stages[name] for stages in frames if name in stages]) for name in names}


def spread(values: list[float]) -> Spread:
    """The 50th and the 95th percentile, nearest rank."""
    if not values:
        return Spread(0.0, 0.0)
    ordered, last = sorted(values), len(values) - 1
    return Spread(round(ordered[round(last * 0.5)], 4), round(ordered[round(last * 0.95)], 4))


def compare(report: BenchReport, recorded: Path) -> list[Difference]:
    """The report beside one that was recorded before with ``edge bench --json``, or a list of such.

    Raises
    ------
    UsageError
        If the file can't be read, is none, or has no report of the same model, threads and source.
    """
    reports = read_reports(recorded)
    mine = _subject(msgspec.to_builtins(report))
    same = [one for one in reports if _is_same(mine, _subject(one))]
    if not same:
        known = "; ".join(sorted({_words(_subject(one)) for one in reports}))
        raise UsageError(
            f"--against {recorded}: expected a report of {_words(mine)}, found {known or 'none'}; record one with: "
            "edge bench --json"
        )
    is_quiet = report.quiet and same[-1].get("quiet", True) is True
    return [
        _difference(name, getattr(report, name), same[-1].get(name), is_quiet=is_quiet or name not in _BY_THE_CLOCK)
        for name in _COMPARED
    ]


def _subject(report: dict[str, Any]) -> dict[str, Any]:
    """What was measured. A film is the same wherever it lies; what an older record does not say is None."""
    source, size = report.get("source"), report.get("frame_size")
    return {
        "model": report.get("model"),
        "threads": report.get("threads"),
        "source": source.rpartition("/")[2] if isinstance(source, str) else None,
        "size": "x".join(map(str, size)) if isinstance(size, list | tuple) else None,
        "backend": report.get("backend"),
    }


def _is_same(mine: dict[str, Any], recorded: dict[str, Any]) -> bool:
    needed = {"model", "threads"}
    return all(recorded[key] == value or (recorded[key] is None and key not in needed) for key, value in mine.items())


def _words(subject: dict[str, Any]) -> str:
    shown = f"{subject['model']} with {subject['threads']} thread(s)"
    more = [str(subject[key]) for key in ("source", "size") if subject[key] is not None]
    more += [f"on {subject['backend']}"] if subject["backend"] is not None else []
    return f"{shown}, {' '.join(more)}" if more else shown


def read_reports(file: Path) -> list[dict[str, Any]]:
    """One report, a list of them, or one per line."""
    try:
        if file.stat().st_size > _LARGEST_FILE:
            raise UsageError(f"--against {file}: expected at most {_LARGEST_FILE} bytes; is it a report?")
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"--against {file}: can't be read ({error.strerror})") from error
    try:
        found = msgspec.json.decode(content)
    except msgspec.DecodeError:
        found = _decode_lines(file, content)
    reports = found if isinstance(found, list) else [found]
    if not all(isinstance(one, dict) for one in reports):
        raise UsageError(f"--against {file}: expected what edge bench --json prints, found other JSON")
    return reports


def _decode_lines(file: Path, content: bytes) -> list[object]:
    try:
        return [msgspec.json.decode(line) for line in content.splitlines() if line.strip()]
    except msgspec.DecodeError as error:
        raise UsageError(f"--against {file}: expected what edge bench --json prints ({error})") from error


def _difference(name: str, found: float | None, recorded: object, *, is_quiet: bool) -> Difference:
    if found is None or not isinstance(recorded, int | float):
        return Difference(name, found, None, None)
    if recorded == 0:
        return Difference(name, found, 0.0, None)
    gain = (found - recorded) / recorded
    return Difference(name, found, float(recorded), gain if _COMPARED[name] else -gain, not is_quiet)


def _blocks(measured: Measured) -> list[Block]:
    return [block for pair in measured.pairs for block in (pair.bare, pair.whole)]
