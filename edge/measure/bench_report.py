"""What ``edge bench`` says: the keys scripts rely on, and the comparison with figures recorded before."""

from __future__ import annotations

from pathlib import Path

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
    """

    figure: str
    found: float | None
    recorded: float | None
    gain: float | None

    @property
    def is_better(self) -> bool:
        return self.gain is not None and self.gain > TOLERANCE

    @property
    def is_worse(self) -> bool:
        return self.gain is not None and self.gain < -TOLERANCE


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
        If the file can't be read, is none, or has no report of the same model and thread count.
    """
    reports = read_reports(recorded)
    same = [one for one in reports if (one.get("model"), one.get("threads")) == (report.model, report.threads)]
    if not same:
        known = ", ".join(sorted({f"{one.get('model')} with {one.get('threads')} thread(s)" for one in reports}))
        raise UsageError(
            f"--against {recorded}: expected a report of {report.model} with {report.threads} thread(s), "
            f"found {known or 'none'}; record one with: edge bench --json"
        )
    return [_difference(name, getattr(report, name), same[-1].get(name)) for name in _COMPARED]


def read_reports(file: Path) -> list[dict[str, object]]:
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


def _difference(name: str, found: float | None, recorded: object) -> Difference:
    if found is None or not isinstance(recorded, int | float):
        return Difference(name, found, None, None)
    if recorded == 0:
        return Difference(name, found, 0.0, None)
    gain = (found - recorded) / recorded
    return Difference(name, found, float(recorded), gain if _COMPARED[name] else -gain)


def _blocks(measured: Measured) -> list[Block]:
    return [block for pair in measured.pairs for block in (pair.bare, pair.whole)]
