"""Kill publisher, service and broker at random, and count what a user of the reference consumer gets.

    python -m tools.faults.delivery --folder F --kills 1000 --victims broker --stages 4 --hasty
    python -m tools.faults.delivery --folder F --peace 300

Three books that know nothing of each other are compared after each round: what the outbox committed
(tools.faults.alerting), what ``edge watch`` handed over, and what mosquitto_sub, a client nobody here wrote, saw on the
wire. One JSON line per round, and one for all. Several stages run side by side, each with its own broker.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from tools.faults.stage import Stage, committed, seen, size_of, wait_until, witnessed

VICTIMS = ("publisher", "service", "broker")
_LATE_MS = 11_000  # what an event may be old without ``replayed``: 10 s, and one for the way


@dataclass(slots=True)
class Verdict:
    """What the three books say. lost, seen_twice and unmarked must be 0.

    unmarked : events that came late or again on the wire without saying so
    incomplete : rounds at whose end the consumer did not have everything in time
    seconds : of all rounds together
    """

    kills: int = 0
    committed: int = 0
    lost: int = 0
    seen_twice: int = 0
    unmarked: int = 0
    on_the_wire: int = 0
    wire_repeats: int = 0
    replayed: int = 0
    incomplete: int = 0
    seconds: float = 0.0

    @property
    def is_clean(self) -> bool:
        return self.committed > 0 and not (self.lost or self.seen_twice or self.unmarked or self.incomplete)

    def facts(self) -> dict[str, float]:
        share = self.wire_repeats / max(1, self.on_the_wire)
        return {**asdict(self), "wire_repeats_percent": round(100 * share, 2)}


def storm(stage: Stage, *, kills: int, victims: Iterable[str], seed: int, longest_s: float = 2.0) -> int:
    """Kill in turn at random moments, each after something new has come through; how many were hit."""
    chance = random.Random(seed)  # noqa: S311
    order = list(victims)
    hit = 0
    while hit < kills:
        before = size_of(stage.seen)
        wait_until(lambda before=before: size_of(stage.seen) > before, 90.0, every_s=0.02)  # type: ignore[misc]
        time.sleep(chance.uniform(0.0, longest_s))
        hit += stage.kill(order[hit % len(order)])
    return hit


def play(folder: Path, options: argparse.Namespace, *, kills: int, seed: int) -> Verdict:
    """One round: a stage of its own, the kills, the time to settle, and what the books say."""
    stage = Stage(folder, rate=options.rate, is_hasty=options.hasty)
    began = time.monotonic()
    try:
        stage.start()
        hit = storm(stage, kills=kills, victims=options.victims.split(","), seed=seed, longest_s=options.longest)
        time.sleep(options.peace)
        stage.stop_service()
        stage.start_service("--rate", "0.5")  # delivers what is left
        is_all = stage.wait_for_all(180.0)
        stage.stop_service()
        is_all = stage.wait_for_all(10.0) or is_all
        verdict = judge(stage, hit, time.monotonic() - began)
        verdict.incomplete = int(not is_all)
    finally:
        stage.end()
    return verdict


def rounds(options: argparse.Namespace) -> Iterator[Verdict]:
    """Until all kills are done, some on each stage at a time; the books of a round that went wrong are kept."""
    sizes = [options.round] * (options.kills // options.round)
    sizes += [options.kills % options.round] if options.kills % options.round or not sizes else []

    def one(number: int) -> Verdict:
        return play(options.folder / f"round-{number}", options, kills=sizes[number], seed=options.seed + number)

    with ThreadPoolExecutor(options.stages) as pool:
        yield from pool.map(one, range(len(sizes)))


def judge(stage: Stage, kills: int, seconds: float) -> Verdict:
    """Compare the books."""
    wanted = committed(stage.ledger)
    got = Counter(seen(stage.seen))
    verdict = Verdict(kills=kills, committed=len(wanted), seconds=round(seconds, 1))
    verdict.lost = len(wanted - set(got))
    verdict.seen_twice = sum(count - 1 for count in got.values())
    known: set[tuple[str, int]] = set()
    for received_ms, event in witnessed(stage.wire):
        identity = (event["epoch"], event["seq"])
        verdict.on_the_wire += 1
        verdict.wire_repeats += identity in known
        verdict.replayed += event["replayed"]
        is_late = received_ms - event["time"]["wall_ms"] > _LATE_MS
        verdict.unmarked += (is_late or identity in known) and not event["replayed"]
        known.add(identity)
    return verdict


def main() -> int:
    options = read_options()
    print(f"seed {options.seed}", flush=True)
    total = Verdict()
    for verdict in rounds(options):
        for each in fields(Verdict):
            setattr(total, each.name, round(getattr(total, each.name) + getattr(verdict, each.name), 1))
        print(json.dumps(verdict.facts()), flush=True)
    print(json.dumps({"total": options.victims, **total.facts()}), flush=True)
    return 0 if total.is_clean else 1


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--victims", default=",".join(VICTIMS))
    parser.add_argument("--longest", type=float, default=2.0, help="seconds to a kill, at most, once events come")
    parser.add_argument("--round", type=int, default=50, help="kills before the books are compared")
    parser.add_argument("--stages", type=int, default=1, help="rounds at the same time")
    parser.add_argument("--peace", type=float, default=0.0, help="seconds without a kill at the end of each round")
    parser.add_argument("--rate", type=float, default=50.0, help="alerts a second")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))  # noqa: S311
    parser.add_argument(
        "--hasty", action="store_true", help="a publisher that is back after 1 s and connects within 2 s: denser kills"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
