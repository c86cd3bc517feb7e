"""A consumer that keeps the books: what it got, what it was told is lost, and how far it is without a hole."""

from __future__ import annotations

import json

from edge.core.values import Severity
from edge.report.outbox.spans import Span
from edge.report.outbox.values import Loss, Outgoing, Position, Stored


def telling(loss: Loss, position: Position) -> Outgoing:
    """The event that tells of a loss, as a caller of the outbox would make it."""
    facts = {"kind": loss.kind, "cause": loss.cause, "epoch": loss.epoch, "spans": loss.spans}
    payload = json.dumps({"epoch": position.epoch, "seq": position.seq, "loss": facts}).encode()
    return Outgoing(position.epoch, position.seq, "edge/gate/gap", payload, Severity.ALERT, "", "", 0)


class BookKeeper:
    """Takes events in any order, drops repeats, and says how far it is."""

    def __init__(self) -> None:
        self.got: dict[Position, bytes] = {}
        self.repeats = 0
        self.contradictions: list[Position] = []
        self.told: dict[str, list[Span]] = {}
        self.told_of_unknown = False

    def take(self, event: Stored) -> None:
        before = self.got.get(event.position)
        if before is not None:
            self.repeats += 1
            if before != event.payload:
                self.contradictions.append(event.position)
            return
        self.got[event.position] = event.payload
        loss = json.loads(event.payload).get("loss")
        if loss:
            self.told_of_unknown |= not loss["epoch"]
            self.told.setdefault(loss["epoch"], []).extend(Span(*span) for span in loss["spans"])

    def accounts_for(self, position: Position) -> bool:
        """Whether it got this event, or was told that it won't."""
        return position in self.got or self.was_told_of(position)

    def was_told_of(self, position: Position) -> bool:
        spans = self.told.get(position.epoch, ())
        return any(first <= position.seq and (last is None or position.seq <= last) for first, last in spans)

    def epochs(self) -> set[str]:
        """Those it has ever heard of."""
        return {position.epoch for position in self.got} | set(self.told)

    def cursors(self) -> list[Position]:
        """The highest number of each epoch up to which nothing is missing."""
        found = []
        for epoch in {position.epoch for position in self.got}:
            seq = 0
            while (at := Position(epoch, seq + 1)) in self.got or self._is_bounded(at):
                seq += 1
            if seq:
                found.append(Position(epoch, seq))
        return found

    def _is_bounded(self, position: Position) -> bool:
        spans = self.told.get(position.epoch, ())
        return any(last is not None and first <= position.seq <= last for first, last in spans)
