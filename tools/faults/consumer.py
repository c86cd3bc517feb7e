"""A consumer that keeps the books: what it got, what it was told is lost, and how far it is without a hole."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection
from random import Random

from edge.core.events import Severity
from edge.report.outbox.spans import Span, merge
from edge.report.outbox.values import Loss, Outgoing, Position, Stored


def telling(loss: Loss, position: Position) -> Outgoing:
    """The event that tells of a loss, as a caller of the outbox would make it."""
    facts = {"kind": loss.kind, "cause": loss.cause, "epoch": loss.epoch, "spans": loss.spans}
    payload = json.dumps({"epoch": position.epoch, "seq": position.seq, "loss": facts}).encode()
    return Outgoing(position.epoch, position.seq, "edge/gate/gap", payload, Severity.ALERT, "", "", 0)


def padding(size: int, seed: int) -> str:
    """Text that can't be made much smaller."""
    return base64.b64encode(Random(seed).randbytes(size * 3 // 4)).decode()  # noqa: S311


class BookKeeper:
    """Takes events in any order, drops repeats, and says how far it is."""

    def __init__(self) -> None:
        self.got: dict[Position, bytes] = {}
        self.repeats = 0
        self.contradictions: list[Position] = []
        self.told: dict[str, list[tuple[Span, str]]] = {}

    def take(self, event: Stored) -> None:
        self.take_payload(event.position, event.payload)

    def take_payload(self, position: Position, payload: bytes) -> None:
        before = self.got.get(position)
        if before is not None:
            self.repeats += 1
            if before != payload:
                self.contradictions.append(position)
            return
        self.got[position] = payload
        loss = json.loads(payload).get("loss") if b'"loss"' in payload else None
        if loss:
            spans = [(Span(*span), loss["cause"]) for span in loss["spans"]]
            self.told.setdefault(loss["epoch"], []).extend(spans or [(Span(0, 0), loss["cause"])])

    @property
    def causes(self) -> set[str]:
        return {cause for told in self.told.values() for _, cause in told}

    @property
    def told_of_unknown(self) -> bool:
        """Whether it knows that something is missing of which nobody knows what."""
        return "" in self.told

    def accounts_for(self, position: Position, *, without: Collection[str] = ()) -> bool:
        """Whether it got this event, or was told that it won't, for a cause that counts."""
        return position in self.got or any(
            first <= position.seq and (last is None or position.seq <= last)
            for (first, last), cause in self.told.get(position.epoch, ())
            if cause not in without
        )

    def epochs(self) -> set[str]:
        """Those it has ever heard of."""
        return {position.epoch for position in self.got} | set(self.told)

    def cursors(self) -> list[Position]:
        """The highest number of each epoch up to which nothing is missing."""
        found = []
        for epoch in {position.epoch for position in self.got}:
            ends = [Span(at.seq, at.seq) for at in self.got if at.epoch == epoch]
            ends += [span for span, _ in self.told.get(epoch, ()) if span.last is not None]
            first = next((span for span in merge(ends) if span.first <= 1), None)
            if first is not None and first.last:
                found.append(Position(epoch, first.last))
        return found
