"""Long runs of random histories: ``python -m tools.faults.outbox_histories --histories 100000``."""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from edge.core.events import Severity
from edge.report.outbox import packing
from tools.faults.outbox_model import DISK_CODES, Machine

STEPS = {
    "append": 30,
    "burst": 6,
    "commit": 30,
    "tend": 8,
    "send": 14,
    "send_unheard": 6,
    "confirm": 10,
    "advance": 8,
    "replay": 3,
    "dead_letter": 2,
    "restart": 3,
    "kill": 5,
    "cut_power": 3,
    "damage": 1,
    "fail": 4,
    "disk_low": 2,
    "disk_back": 3,
}
MEMORY = Path("/dev/shm")  # noqa: S108 - a tmpfs, so that the runs wear no disk
SEVERITIES = (Severity.DETECTION, Severity.ALERT)


def play(machine: Machine, random: Random, counts: Counter[str]) -> None:
    """One history, then the check that everything is accounted for."""
    for step in random.choices(list(STEPS), list(STEPS.values()), k=random.randint(5, 40)):
        counts[step] += 1
        take_step(machine, step, random)
    machine.settle()
    machine.close()


def take_step(machine: Machine, step: str, random: Random) -> None:
    match step:
        case "append":
            for _ in range(random.randint(1, 8)):
                machine.append(
                    random.choice(SEVERITIES), random.choice((10, 400, 3000, 9000, 30000)), random.randrange(4)
                )
        case "burst":
            for _ in range(random.randint(10, 60)):
                machine.append(random.choice(SEVERITIES), random.choice((400, 9000, 30000)), random.randrange(4))
                if len(machine.waiting) >= 32:
                    machine.commit()
        case "send":
            machine.send(random.randint(1, 20), in_order=random.random() < 0.3)
        case "send_unheard":
            machine.send(random.randint(1, 20), acknowledge=False)
        case "advance":
            machine.advance(random.choice((0.01, 1, 11, 61, 7200)))
        case "replay":
            first = random.randint(1, 30)
            machine.replay(first, first + random.randint(0, 30))
        case "damage":
            machine.damage(random, random.choice((1, 3, 40)))
        case "fail":
            machine.fail(random.choice(DISK_CODES), random.randint(1, 4))
        case "disk_low":
            machine.free = 0.01
        case "disk_back":
            machine.free = 0.5
        case _:
            getattr(machine, step)()
    if step in ("commit", "tend", "burst"):
        machine.check_size()


def run(histories: int, seed: int, seconds: float, first: int = 0) -> int:
    """Play histories until they are done or the time is up, from the one with this number on; the exit code."""
    logging.disable(logging.CRITICAL)
    packing._LEVEL = (
        1  # the same format; how small it becomes is not what is tried here, and it took a quarter of the time
    )
    counts: Counter[str] = Counter()
    base = MEMORY if MEMORY.is_dir() else None
    began = time.monotonic()
    done = 0
    while done < histories and time.monotonic() - began < seconds:
        folder = Path(tempfile.mkdtemp(prefix="edge-history-", dir=base))
        try:
            random = Random(f"{seed}-{first + done}")  # noqa: S311 - repeatable on purpose
            play(Machine(folder, has_consumer=random.random() < 0.7), random, counts)
        except BaseException:
            print(f"history {first + done} of seed {seed} failed; the files are in {folder}", file=sys.stderr)
            raise
        shutil.rmtree(folder)
        done += 1
        if done % 1000 == 0:
            print(f"{done} histories, {time.monotonic() - began:.0f} s", file=sys.stderr)
    print(f"{done} histories, {sum(counts.values())} steps, {time.monotonic() - began:.0f} s, 0 violations")
    print(", ".join(f"{step} {count}" for step, count in sorted(counts.items())))
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="go on with this one, as after an interruption")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after this long")
    arguments = parser.parse_args()
    return run(arguments.histories, arguments.seed, arguments.seconds, arguments.first)


if __name__ == "__main__":
    sys.exit(main())
