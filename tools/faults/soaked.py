"""``edge run`` that writes down after every so many frames what it and its children hold; started by ``soak``.

    python -m tools.faults.soaked FILE EVERY CONFIG

Nothing else is changed: the figures are taken between two frames, in the thread that makes the messages.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from edge.cli import main
from edge.core.values import Message, Sighting
from edge.service.pipeline import Pipeline
from tools.faults.process import children, holding


class _Mallinfo(ctypes.Structure):
    """mallinfo2(3), glibc 2.33 and later."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
        )
    ]  # fmt: skip


class Ledger:
    """One line of JSON for every so many frames."""

    def __init__(self, file: Path, every: int) -> None:
        self._file = file
        self._every = every
        self._frames = 0
        self._malloc = ctypes.CDLL("libc.so.6").mallinfo2
        self._malloc.restype = _Mallinfo

    def count(self) -> None:
        self._frames += 1
        if self._frames % self._every == 0:
            self._write()

    def _write(self) -> None:
        gc.collect()  # what is garbage already is no leak; without it the figure saws
        malloc = self._malloc()
        found: dict[str, Any] = {
            "frames": self._frames,
            "at_s": time.monotonic(),
            "blocks": sys.getallocatedblocks(),
            "malloc_bytes": malloc.uordblks + malloc.hblkhd,
            "main": holding(os.getpid()),
        }
        for name, pid in sorted(children(os.getpid()).items()):
            found[name] = (*holding(pid), pid)
        with self._file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(found) + "\n")


def watch(ledger: Ledger) -> None:
    """Have each frame counted once its messages are made."""
    process = Pipeline.process

    def counted(self: Pipeline, seen: Sighting) -> list[Message]:
        messages = process(self, seen)
        ledger.count()
        return messages

    Pipeline.process = counted  # type: ignore[method-assign]


if __name__ == "__main__":
    watch(Ledger(Path(sys.argv[1]), int(sys.argv[2])))
    sys.exit(main(["run", "--config", sys.argv[3]]))
