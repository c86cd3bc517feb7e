"""`edge run` on a machine whose temperature is made up, and whose governor is in haste: for trials of the whole ladder.

    python -m tools.faults.heated CONFIG --system FOLDER [--haste 20]

The temperature stands in FOLDER/sys/class/thermal/thermal_zone0/temp, in thousandths of a degree, and may be written
anew at any time. Everything else is the service as it is: its processes, its broker, its log.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from edge.assemble.safe_mode import begin
from edge.assemble.service import assemble_service
from edge.assemble.steward import Board
from edge.assemble.threads import hand_over_quickly
from edge.core.clock import SystemClock

TEMPERATURE = "sys/class/thermal/thermal_zone0/temp"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("--system", type=Path, required=True)
    parser.add_argument("--haste", type=float, default=20.0)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    hand_over_quickly()
    clock = SystemClock()
    start = begin(options.config, clock)
    assembly = assemble_service(start, clock, board=Board(options.system, options.haste))
    signal.signal(signal.SIGTERM, lambda *_: assembly.service.stop())
    signal.signal(signal.SIGHUP, lambda *_: assembly.reload())
    assembly.service.run()
    start.finished()


def set_temperature(system: Path, celsius: float) -> None:
    """What the kernel of the made-up machine says from now on."""
    file = system / TEMPERATURE
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name("temp.new")
    fresh.write_text(f"{round(celsius * 1000)}\n", encoding="ascii")
    fresh.replace(file)


if __name__ == "__main__":
    main()
