"""``replay``: send events again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from edge.service.commands.request import RefusedError, Request

HIGHEST = 2**53 - 1  # beyond it not every JSON reader counts exactly

Seq = Annotated[int, msgspec.Meta(ge=1, le=HIGHEST)]
Epoch = Annotated[str, msgspec.Meta(pattern=r"\A[0-9A-Za-z_-]{1,64}\Z")]
Spans = tuple[tuple[int, int], ...]
# epoch, first, last -> the numbers that will come, and those that can't
Replay = Callable[[str, int, int], tuple[Spans, Spans]]


class ReplayRequest(
    Request, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"first": "from", "last": "to"}
):
    """Both numbers belong to what is asked for."""

    epoch: Epoch
    first: Seq
    last: Seq


class ReplayCommand:
    """Asks the outbox.

    Parameters
    ----------
    replay : None where events are not kept
    """

    name = "replay"
    request = ReplayRequest

    def __init__(self, replay: Replay | None = None) -> None:
        self._replay = replay

    def run(self, request: ReplayRequest) -> dict[str, Any]:
        if self._replay is None:
            raise RefusedError("not available: this device does not keep events after the broker has them")
        if request.first > request.last:
            raise RefusedError(f"expected from <= to, found {request.first} and {request.last}")
        held, missing = self._replay(request.epoch, request.first, request.last)
        return {"held": held, "missing": missing}
