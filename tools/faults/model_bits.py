"""Damaged model files, and whether edge takes one: ``python -m tools.faults.model_bits FOLDER --flips 10000``.

Each .tflite in FOLDER is cut at every 4 KiB and has single bits turned over, drawn at random over all files. A damaged
file is accepted when it gets as far as the runtime, in any of three ways: by its card's name, by the check at the load
itself, or by its path, without a card, after it ran well once and the disk changed it since.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from random import Random

from edge.catalog.cards import ModelCard, write_card
from edge.catalog.inspector import Hints
from edge.catalog.store import Library
from edge.catalog.trial import ChildTrial
from edge.catalog.trust import ModelTrust, Standing
from edge.core.errors import ModelError
from edge.core.model import Model
from edge.infer.interpreter import read_model_file

_CUT_BYTES = 4096


@dataclass(slots=True)
class Tally:
    """damaged : files that were tried, by kind of damage; accepted : what should not have been, in words"""

    damaged: Counter[str] = field(default_factory=Counter)
    accepted: list[str] = field(default_factory=list)


class Bench:
    """One model in a folder of its own, with a card and with a pin."""

    def __init__(self, original: Path, folder: Path) -> None:
        self.file = Path(shutil.copy(original, folder / "model.tflite"))
        self._library = Library((folder,))
        model = self._library.inspect(self.file, trial=ChildTrial(), hints=Hints()).require()
        card = ModelCard(
            name="model", summary="under test", file=self.file.name, licence="none", sha256=model.sha256,
            labels=model.labels, layout=model.layout,
        )  # fmt: skip
        (folder / "model.yaml").write_text(write_card(card), encoding="utf-8")
        self._model = model
        self._trust = ModelTrust(folder / "state")
        self._trust.trust(model, asked=str(self.file), is_bare=True)
        self._stamp = self.file.stat()

    @property
    def size(self) -> int:
        return self._stamp.st_size

    @contextmanager
    def turned(self, bit: int) -> Iterator[None]:
        """One bit turned over, as a worn card would: nobody has written the file."""
        place, mask = bit // 8, 1 << bit % 8
        self._turn(place, mask)
        yield
        self._turn(place, mask)

    @contextmanager
    def cut(self, size: int) -> Iterator[None]:
        whole = self.file.read_bytes()
        os.truncate(self.file, size)
        self._forget_writing()
        yield
        self.file.write_bytes(whole)
        self._forget_writing()

    def accepted_by(self) -> list[str]:
        """The ways by which the file as it is now would get to the runtime."""
        ways = {"card": self._by_card, "load": self._by_load, "pin": self._by_pin}
        return [name for name, takes in ways.items() if takes()]

    def _by_card(self) -> bool:
        try:
            self._library.find("model", trial=ChildTrial())
        except ModelError:
            return False
        return True

    def _by_load(self) -> bool:
        try:
            read_model_file(self.file, sha256=self._model.sha256)
        except ModelError:
            return False
        return True

    def _by_pin(self) -> bool:
        now: Model = replace(self._model, sha256=sha256(self.file.read_bytes()).hexdigest())
        # A cut file has another size: it counts as exchanged, and has to pass the inspection first.
        is_cut = self.file.stat().st_size != self.size
        return not is_cut and self._trust.judge(now, is_bare=True).standing is not Standing.DAMAGED

    def _turn(self, place: int, mask: int) -> None:
        with self.file.open("r+b", buffering=0) as stream:
            stream.seek(place)
            byte = stream.read(1)[0]
            stream.seek(place)
            stream.write(bytes([byte ^ mask]))
        self._forget_writing()

    def _forget_writing(self) -> None:
        os.utime(self.file, ns=(self._stamp.st_atime_ns, self._stamp.st_mtime_ns))


def examine(files: list[Path], *, flips: int, seed: int, cuts: int | None = None) -> Tally:
    """Damage the files in every way.

    Parameters
    ----------
    flips : single bits turned over, over all files
    cuts : at most so many places where each file is cut; None = every 4 KiB
    """
    tally, random = Tally(), Random(seed)  # noqa: S311
    for file in files:
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench(file, Path(folder))
            places = range(0, bench.size, _CUT_BYTES)
            for size in places if cuts is None else random.sample(places, min(cuts, len(places))):
                with bench.cut(size):
                    _count(tally, bench, "cut", f"{file.name} cut at {size}")
            for _ in range(flips // len(files)):
                bit = random.randrange(bench.size * 8)
                with bench.turned(bit):
                    _count(tally, bench, "bit", f"{file.name} bit {bit}")
            if bench.accepted_by() != ["card", "load", "pin"]:
                raise AssertionError(f"{file.name}: the undamaged file was refused")
    return tally


def _count(tally: Tally, bench: Bench, kind: str, words: str) -> None:
    tally.damaged[kind] += 1
    tally.accepted += [f"{words}: {way}" for way in bench.accepted_by()]


def main() -> int:
    parser = argparse.ArgumentParser(description="Damaged model files, and whether edge takes one.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--flips", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    files = sorted(options.folder.glob("*.tflite"))
    tally = examine(files, flips=options.flips, seed=options.seed)
    told = ", ".join(f"{count} {kind}s" for kind, count in sorted(tally.damaged.items()))
    print(f"{len(files)} models, damaged: {told}; accepted: {len(tally.accepted)}")
    for words in tally.accepted[:20]:
        print(words)
    return 1 if tally.accepted else 0


if __name__ == "__main__":
    sys.exit(main())
