"""Kill -9 any child of a running service, again and again: how long is the gap, and what is left behind?

    python -m tools.faults.kills --kills 1000 [--seed 1] [--json FILE]
    python -m tools.faults.kills --kills 100 --hang             # they stand still (SIGSTOP) instead of ending
    python -m tools.faults.kills --sum FILE FILE ...

A made-up camera of 10 frames/s, a small model, mosquitto, mosquitto_sub. Each kill hits one of the children at random,
some moment after the one before was overcome. The gap is the time from the kill until the subscriber hears of a frame
that was captured after it: such a frame has gone through the child's successor, whichever it was. A long storm can be
done in pieces with ``--for`` (seconds), and the pieces added up with ``--sum``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tools.faults.heard import Running, Word, running
from tools.faults.process import children, holding, marked, parent_of, shared_files
from tools.faults.red_model import NAME, write_red_model

GAP_S, HANG_GAP_S = 3.0, 15.0
_BACK_S = 100.0  # then the storm has found something
_FAMILY = ("capture", "infer", "publisher")
_MARK = "EDGE_STORM"


@dataclass(frozen=True, slots=True)
class Kill:
    """load : the machine's load average of the last minute"""

    victim: str
    gap_s: float
    load: float


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What is there once all is calm again, and what was there before; and what outlived the end.

    zombies : children that nobody has buried
    shared : files in /dev/shm that one of them had open or mapped, and that are there after the end; the outbox's
        shelter in memory is meant to be
    """

    descriptors: tuple[int, int]
    threads: tuple[int, int]
    memory_kb: tuple[int, int]
    memories: tuple[int, int]
    zombies: int
    shared: int
    orphans: int
    is_main_alive: bool
    exit_code: int


class Storm:
    """One service, and who hits it."""

    def __init__(self, run: Running, seed: int, by: signal.Signals) -> None:
        self._run = run
        self._by = by
        self._chance = random.Random(seed)  # noqa: S311
        self.shared: set[Path] = set()

    def calm(self) -> None:
        """Wait until all children are there and something is seen."""
        began_s = time.time()
        self._until_whole({})
        self._seen_after(began_s)

    def hit(self, victim: str | None = None) -> Kill:
        """One kill, and until it is overcome; whom, if it matters."""
        there = children(self._run.program.pid)
        name = victim or self._chance.choice(sorted(there))
        self.shared |= shared_files(there[name])
        killed_s = time.time()
        os.kill(there[name], self._by)
        word = self._seen_after(killed_s)
        self._until_whole({name: there[name]})
        return Kill(name, round(word.at_s - killed_s, 3), round(os.getloadavg()[0], 1))

    def storm(self, victims: Sequence[str | None], *, longest_s: float, for_s: float) -> Iterator[Kill]:
        until_s = time.monotonic() + for_s
        for victim in victims:
            if time.monotonic() >= until_s:
                return
            yield self.hit(victim)
            time.sleep(self._chance.uniform(0.0, longest_s))

    def _seen_after(self, at_s: float) -> Word:
        def is_it(word: Word) -> bool:
            return word.topic.endswith("/detections") and word.json()["time"]["wall_ms"] >= at_s * 1000

        return self._run.first(is_it, since_s=at_s, within_s=_BACK_S)

    def _until_whole(self, before: dict[str, int]) -> None:
        until_s = time.monotonic() + _BACK_S
        while time.monotonic() < until_s:
            now = children(self._run.program.pid)
            if set(now) >= set(_FAMILY) and not any(now.get(name) == pid for name, pid in before.items()):
                return
            time.sleep(0.02)
        raise TimeoutError(f"there are only {sorted(now)}")


def storm(
    folder: Path,
    victims: Sequence[str | None],
    *,
    seed: int,
    longest_s: float,
    for_s: float = 1e9,
    by: signal.Signals = signal.SIGKILL,
) -> tuple[list[Kill], Aftermath]:
    """A service of its own, the kills, and what they left.

    victims : in turn; None = any child
    longest_s : from one that was overcome to the next, at most
    for_s : after so long no other follows
    by : SIGKILL ends them, after SIGSTOP they stand still and do not end by themselves
    """
    write_red_model(folder / "models")
    mark = f"{_MARK}={folder}"
    environment = {_MARK: str(folder), "EDGE_MODELS": str(folder / "models")}
    yard = {"source": "synthetic:?width=320&height=240&objects=6", "fps": 10, "publish_detections": True}
    with running(folder, {"yard": yard}, environment=environment, model=NAME, threads=1) as run:
        one = Storm(run, seed, by)
        one.calm()
        pid = run.program.pid
        before, memories = holding(pid), _memories(pid)
        found = list(one.storm(victims, longest_s=longest_s, for_s=for_s))
        one.calm()
        after, memories_after = holding(pid), _memories(pid)
        zombies, orphans = _zombies(pid), _orphans(mark)
        is_alive = run.program.poll() is None
        shared = one.shared.union(*(shared_files(each) for each in marked(mark)))
    return found, Aftermath(
        (before.descriptors, after.descriptors),
        (before.threads, after.threads),
        (before.anonymous_kb, after.anonymous_kb),
        (memories, memories_after),
        zombies,
        sum(each.exists() and "outbox" not in each.name for each in shared),
        orphans + len(marked(mark)),
        is_alive,
        run.program.wait(),
    )


def _memories(pid: int) -> int:
    """How many anonymous shared memories a process holds."""
    links = (each.readlink().name for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink())
    return sum(name.startswith("memfd:") for name in links)


def _zombies(pid: int) -> int:
    pids = [each for task in Path(f"/proc/{pid}/task").glob("*/children") for each in task.read_text().split()]
    stats = (Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()[0] for each in pids)
    return sum(state == "Z" for state in stats)


def _orphans(mark: str) -> int:
    """Processes of ours whose parent is none of ours."""
    ours = set(marked(mark))
    return sum(parent_of(pid) not in ours | {os.getpid()} for pid in ours)


def tell(kills: Sequence[Kill], aftermaths: Sequence[Aftermath], *, most_s: float) -> int:
    """A table, and whether all is as it should be."""
    print(f"| hit | times | gap: median | 95 % | 99 % | longest | over {most_s:g} s |\n|" + " --- |" * 7)
    for name in (*sorted({each.victim for each in kills}), "all"):
        gaps = sorted(each.gap_s for each in kills if name in (each.victim, "all"))
        shown = (gaps[len(gaps) // 2], gaps[int(len(gaps) * 0.95)], gaps[int(len(gaps) * 0.99)], gaps[-1])
        late = sum(gap >= most_s for gap in gaps)
        print(f"| {name} | {len(gaps)} | " + " | ".join(f"{gap:.2f} s" for gap in shown) + f" | {late} |")
    loads = sorted(each.load for each in kills)
    print(f"load of the machine: {loads[0]:g} to {loads[-1]:g}, median {loads[len(loads) // 2]:g}")
    for each in aftermaths:
        print(json.dumps(asdict(each)))
    are_clean = all(is_clean(each) for each in aftermaths)
    print(f"main alive: {sum(each.is_main_alive for each in aftermaths)} of {len(aftermaths)}; all clean: {are_clean}")
    return 0 if are_clean and max(each.gap_s for each in kills) < most_s else 1


def is_clean(found: Aftermath) -> bool:
    same = (found.descriptors, found.threads, found.memories)
    nothing = (found.zombies, found.shared, found.orphans, found.exit_code)
    return found.is_main_alive and all(before == after for before, after in same) and not any(nothing)


def main() -> int:
    options = _options()
    pieces = [json.loads(Path(each).read_text(encoding="utf-8")) for each in options.sum]
    if not pieces:
        with tempfile.TemporaryDirectory() as folder:
            seed, by = options.seed, signal.SIGSTOP if options.hang else signal.SIGKILL
            victims: list[str | None] = [None] * options.kills
            kills, left = storm(Path(folder), victims, seed=seed, longest_s=options.longest, for_s=options.for_s, by=by)
        piece: dict[str, Any] = {"seed": seed, "kills": [asdict(each) for each in kills], "aftermath": asdict(left)}
        pieces = [piece]
        if options.json is not None:
            options.json.write_text(json.dumps(piece), encoding="utf-8")
    return tell(
        [Kill(**each) for piece in pieces for each in piece["kills"]],
        [Aftermath(**piece["aftermath"]) for piece in pieces],
        most_s=HANG_GAP_S if options.hang else GAP_S,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--for", dest="for_s", type=float, default=1e9, help="seconds after which no other follows")
    parser.add_argument(
        "--longest", type=float, default=1.0, help="seconds to the next kill, at most, once all is well"
    )
    parser.add_argument("--hang", action="store_true", help="let them stand still instead")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))  # noqa: S311
    parser.add_argument("--json", type=Path, help="writes all figures here")
    parser.add_argument("--sum", nargs="*", default=[], help="adds up what --json has written")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
