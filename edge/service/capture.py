"""What runs for one camera, and how long it may take."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a camera's process may be silent, by what it does; None = as long as it likes.

    opening : a network camera may take its time, and all of them wait for a first frame
    reading : for the next frame
    resting : between two tries
    """

    opening_s: float = 30.0
    reading_s: float = 1.5
    resting_s: float = 60.0

    def of(self, phase: str) -> float:
        return {"opening": self.opening_s, "reading": self.reading_s}.get(phase, self.resting_s)


@dataclass(frozen=True, slots=True)
class Capture:
    """What runs for one camera.

    module : its ``main`` is the process
    setup : what that module has to know; another one needs another process
    look : how its pictures are looked at: can be changed while it runs
    is_whole : every frame is to be looked at, however long that takes
    """

    camera: str
    module: str
    setup: bytes = field(repr=False)
    look: bytes = b""
    is_whole: bool = False
    patience: Patience = Patience()
