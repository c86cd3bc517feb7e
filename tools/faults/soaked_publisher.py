"""The publisher, which writes down what Python and malloc hold in it; started by ``soaked``."""

from __future__ import annotations

import json
import os
import threading
import tracemalloc
from pathlib import Path

from edge.assemble import publisher
from edge.service.channel import Channel
from tools.faults.allocated import allocated

MODULE = "tools.faults.soaked_publisher"
_EVERY_S = 10.0


def main(channel: Channel) -> None:
    file = Path(os.environ["EDGE_SOAK_PUBLISHER"])
    frames = int(os.environ.get("EDGE_SOAK_TRACE", "0"))
    if frames:
        tracemalloc.start(frames)
    threading.Thread(target=_watch, args=(file,), daemon=True).start()
    publisher.main(channel)


def _watch(file: Path) -> None:
    before = None
    while True:
        threading.Event().wait(_EVERY_S)
        with file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(allocated()) + "\n")
            if tracemalloc.is_tracing():
                now = tracemalloc.take_snapshot()
                if before is not None:
                    stream.writelines(f"{each}\n" for each in now.compare_to(before, "lineno")[:12])
                before = before or now
