"""Start a card image in emulated machines: ``tools/image-check`` sets this machine up and calls this."""

from __future__ import annotations

import argparse
import functools
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tools.booting.bench import Bench
from tools.booting.deaths import killed_children, killed_main, power_cuts, withheld_watchdog
from tools.booting.starts import cold_start, first_start, interrupted_first_start, layout, raspberry_pi_3, wrong_clock
from tools.imaging.emulator import system_emulator

_CHECKS = (
    first_start,
    layout,
    cold_start,
    killed_main,
    killed_children,
    withheld_watchdog,
    wrong_clock,
    interrupted_first_start,
    raspberry_pi_3,
)


def main() -> int:
    options = _options()
    # asked to end, it takes the emulated machine and the broker along
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="edge-boot-", dir=options.scratch) as scratch:
        folder = (options.keep or Path(scratch)).resolve()
        bench = Bench(folder, options.image, system_emulator(options.roots), options.model)
        failures = 0
        try:
            bench.open()
            for check in _wanted(options, bench):
                failures += _run(check, bench)
        finally:
            bench.close()
    return 1 if failures else 0


def _run(check: Callable[[Bench], str], bench: Bench) -> int:
    name = getattr(check, "__name__", "power_cuts").replace("_", " ")
    began_s = time.monotonic()
    try:
        found = check(bench)
    except RuntimeError as error:
        print(f"{name:18} {time.monotonic() - began_s:6.0f} s  FAILED: {error}", flush=True)
        return 1
    print(f"{name:18} {time.monotonic() - began_s:6.0f} s  {found}", flush=True)
    return 0


def _wanted(options: argparse.Namespace, bench: Bench) -> list[Callable[[Bench], str]]:
    """The first start before all others, once: they work on what it leaves."""
    wanted = _CHECKS if options.only is None else tuple(c for c in _CHECKS if c.__name__ in options.only)
    chosen = [c for c in wanted if c is not first_start]
    if not bench.was_started:
        chosen.insert(0, first_start)
    if options.cuts:
        chosen.append(functools.partial(power_cuts, count=options.cuts))
    return chosen


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/image-check", description="Start a card image in emulated machines.")
    parser.add_argument("--image", type=Path, required=True, help="edge_VERSION_arm64.img, as tools/image makes it")
    parser.add_argument("--model", choices=("virt", "raspi3b"), default="virt", help="the machine of the first start")
    parser.add_argument("--cuts", type=int, default=0, help="so many power cuts at the end (default: none)")
    parser.add_argument("--only", nargs="*", choices=[check.__name__ for check in _CHECKS], help="these checks alone")
    parser.add_argument("--keep", type=Path, help="a folder for the card: the next run goes on with it")
    parser.add_argument("--roots", type=Path, default=Path("build/roots"), help="the emulator is kept here")
    parser.add_argument("--scratch", type=Path, help="room for a card of 4 GiB (default: where temporary files go)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
