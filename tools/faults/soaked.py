"""``edge run`` that writes down after every so many frames what it and its children hold; started by ``soak``.

    python -m tools.faults.soaked FILE EVERY CONFIG

Nothing else is changed: the figures are taken between two frames, in the thread that makes the messages.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from edge.cli import main
from edge.core.values import Message, Sighting
from edge.service import publishing
from edge.service.pipeline import Pipeline
from tools.faults import soaked_publisher
from tools.faults.allocated import allocated
from tools.faults.process import children, holding


class Ledger:
    """One line of JSON for every so many frames."""

    def __init__(self, file: Path, every: int) -> None:
        self._file = file
        self._every = every
        self._frames = 0

    def count(self) -> None:
        self._frames += 1
        if self._frames % self._every == 0:
            self._write()

    def _write(self) -> None:
        found: dict[str, Any] = {
            "frames": self._frames,
            "at_s": time.monotonic(),
            **allocated(),
            "main": holding(os.getpid()),
        }
        for name, pid in sorted(children(os.getpid()).items()):
            with suppress(OSError):  # it has just gone, as the camera's does at the end
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
    publishing.MODULE = soaked_publisher.MODULE
    watch(Ledger(Path(sys.argv[1]), int(sys.argv[2])))
    sys.exit(main(["run", "--config", sys.argv[3]]))
