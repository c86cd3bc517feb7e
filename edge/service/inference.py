"""What runs the model, and what comes back from it."""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.values import Sighting
from edge.service.announced import Announced


@dataclass(frozen=True, slots=True)
class Inference:
    """What runs the model.

    module : its ``main`` is the process
    setup : what that module has to know
    runs : of the model per frame at most, tiles counted
    name : for the log
    start_s : how long it may take until the model runs
    is_restarted : whether another process takes the place of one that failed
    class_ids : the class here of each of the model's, where their lists differ; -1 = there is none
    """

    module: str
    setup: bytes
    runs: int = 1
    name: str = "infer"
    start_s: float = 90.0  # a first start from a slow card on a busy machine
    is_restarted: bool = True
    class_ids: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A frame is back from the model.

    seen : None = it was not looked at
    is_lost : because the process has ended; else a newer frame took its place
    """

    announced: Announced
    seen: Sighting | None = None
    is_lost: bool = False
