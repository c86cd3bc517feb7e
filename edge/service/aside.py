"""Work that would take the cameras' time, done beside them."""

from __future__ import annotations

import threading
from collections.abc import Callable


def do_aside(work: Callable[[], None], *, name: str) -> None:
    """Begin the work in a thread of its own; it ends with the process, finished or not."""
    threading.Thread(target=work, name=name, daemon=True).start()
