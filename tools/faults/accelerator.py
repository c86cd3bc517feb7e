"""How long the picture is dark when an accelerator fails: ``python -m tools.faults.accelerator --rounds 10``.

A service on the tests' own accelerator, told to fail in each way in turn; the gap is the time between the captures of
the accelerator's newest frame and of the CPU's first one that was published.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.accelerator import build_library
from tests.brokers import Brokers
from tests.faults.accelerated import Site

_FAULTS = ("lost", "hung", "crash")


def measure(fault: str, library: Path) -> int:
    """One gap in milliseconds, in a service of its own; it must come back, too."""
    with tempfile.TemporaryDirectory() as folder, _brokers(Path(folder)) as brokers:
        site = Site(Path(folder), brokers, library)
        site.start()
        try:
            newest = site.detections("edgetpu")
            site.accelerator.be(fault)
            gap_ms = site.gap_ms(newest, "cpu")
            site.accelerator.be("well")
            site.event("accelerator_back")
            site.detections("edgetpu")
        finally:
            site.stop()
    return gap_ms


@contextmanager
def _brokers(folder: Path) -> Iterator[Brokers]:
    brokers = Brokers(folder)
    try:
        yield brokers
    finally:
        brokers.end()


def main() -> int:
    parser = argparse.ArgumentParser(description="How long the picture is dark when an accelerator fails.")
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    worst_ms = 0
    with tempfile.TemporaryDirectory() as folder:
        library = build_library(Path(folder))
        for fault in _FAULTS:
            gaps_ms = sorted(measure(fault, library) for _ in range(options.rounds))
            worst_ms = max(worst_ms, gaps_ms[-1])
            median_ms = statistics.median(gaps_ms)
            print(f"{fault}: {options.rounds} rounds, gap median {median_ms:.0f} ms, longest {gaps_ms[-1]} ms")
    return 0 if worst_ms < 3000 else 1


if __name__ == "__main__":
    sys.exit(main())
