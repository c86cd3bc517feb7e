"""The reader: what the publisher takes out, and what it learns from broker and consumer. For a process of its own."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Collection, Iterable
from functools import partial
from pathlib import Path
from typing import TypeVar

from edge.core.protocols import Clock
from edge.report.outbox import database, epochs, marks, rows
from edge.report.outbox.shelf import Shelf
from edge.report.outbox.spans import holes, merge
from edge.report.outbox.trouble import OutboxError
from edge.report.outbox.values import Policy, Position, Replay, State, Stored

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

LIVE_MS = 10_000  # an event younger than this is told before the backlog, and is not called replayed


class OutboxReader:
    """Reads the writer's file, and the one in memory that takes its place while the disk fails.

    No method raises for a broken disk: reading then finds nothing, and marks are owed until they can be written.
    ``trouble`` says what is wrong, "" if nothing is. Not for use from several threads.
    """

    def __init__(
        self,
        path: Path,
        *,
        policy: Policy,
        clock: Clock,
        volatile_path: Path | None = None,
        live_ms: int = LIVE_MS,
        connect: database.Connect = database.connect,
    ) -> None:
        make = partial(Shelf, clock=clock, live_ms=live_ms, connect=connect)
        self._shelves = [make(path, is_needed=True, policy=policy)]
        if volatile_path is not None:
            self._shelves.append(make(volatile_path, is_needed=False, policy=policy.sheltered))
        self._owed_marks: dict[Position, tuple[State, str]] = {}
        self._owed_cursors: dict[str, int] = {}
        self.trouble = ""

    def close(self) -> None:
        for shelf in self._shelves:
            shelf.close()

    def version(self) -> tuple[object, ...]:
        """Changes when there may be something new to read; cheap, for polling."""
        return tuple(self._each(Shelf.version))

    def pending(self, limit: int, *, without: Collection[Position] = (), in_order: bool = False) -> list[Stored]:
        """Events to send.

        Parameters
        ----------
        without : in flight already
        in_order : for a consumer that asks for it: strictly as they were committed; else live events go first
        """
        self._pay()
        taken = {*without, *self._owed_marks}
        found = {
            event.position: event
            for events in self._each(lambda shelf: shelf.pending(limit, taken, in_order=in_order))
            for event in events
        }
        # what is in memory was committed later than what is on the disk; sorting is stable
        return sorted(found.values(), key=lambda event: not in_order and not event.live)[:limit]

    def unconfirmed(self, limit: int, *, after: Position | None = None) -> list[Stored]:
        """Events that the broker has acknowledged and no cursor covers, oldest first; ``after`` continues a walk."""
        self._pay()
        parts = self._each(lambda shelf: shelf.unconfirmed(limit, after))
        return [event for part in parts for event in part][:limit]

    def mark_sent(self, positions: Iterable[Position]) -> None:
        """The broker acknowledged them with reason 0."""
        self._owed_marks.update(dict.fromkeys(positions, (State.SENT, "")))
        self._pay()

    def mark_unheard(self, positions: Iterable[Position]) -> None:
        """The broker acknowledged them with reason 16: nobody is subscribed. No window runs for them."""
        self._owed_marks.update(dict.fromkeys(positions, (State.UNHEARD, "")))
        self._pay()

    def retry_unheard(self) -> int:
        """Make them pending again, as after a while or on a new connection; how many there were."""
        return sum(self._each(lambda shelf: shelf.change(marks.retry_unheard, 0)))

    def confirm(self, cursor: Position) -> None:
        """The consumer has stored everything of this epoch up to this number. Other epochs are not touched."""
        self._owed_cursors[cursor.epoch] = max(cursor.seq, self._owed_cursors.get(cursor.epoch, 0))
        self._pay()

    def replay(self, epoch: str, first: int, last: int) -> Replay:
        """Make events pending again, confirmed ones too; answers with what is held and what is not.

        Raises
        ------
        OutboxError
            If a file does not answer: nobody knows now what it holds, and what is called missing is given up.
        """
        self._pay()

        def ask(connection: sqlite3.Connection, now_ms: int) -> Replay:
            return marks.replay(connection, epoch, first, last, now_ms)

        answers = self._each(lambda shelf: shelf.change(ask, Replay((), ())), as_events_move=True)
        if self.trouble:
            raise OutboxError(self.trouble)
        held = merge(span for answer in answers for span in answer.held)
        return Replay(held, holes(held, first, last))

    def dead_letter(self, position: Position, reason: str) -> None:
        """It can't be sent, ever: set it aside, and let a gap with this reason tell the consumer.

        An event that itself tells of a loss (``Stored.tells``) stays pending: nobody would know of that loss any more.
        Those are small enough for any packet (``spans.MOST_SPANS``).
        """
        self._owed_marks[position] = (State.DEAD, reason)
        self._pay()

    def depth(self) -> int:
        """Events that wait to be sent."""
        return sum(self._each(lambda shelf: shelf.depth()))

    def sent(self, epoch: str) -> int:
        """Events of one epoch that the broker has taken at least once."""

        def count(connection: sqlite3.Connection) -> int:
            found = epochs.find(connection, epoch)
            return 0 if found is None else rows.count_sent(connection, found)

        return sum(self._each(lambda shelf: shelf.look(count, 0)))

    def _pay(self) -> None:
        """Write down what the file does not know yet; what fails is tried again with the next call."""
        if not (self._owed_marks or self._owed_cursors):
            return
        answers = self._each(lambda shelf: shelf.change(self._write_owed, None), as_events_move=True)
        if len(answers) == len(self._shelves):
            self._owed_marks.clear()
            self._owed_cursors.clear()

    def _write_owed(self, connection: sqlite3.Connection, now_ms: int) -> None:
        marks.acknowledge(connection, self._owed_marks, now_ms)
        for epoch, seq in self._owed_cursors.items():
            marks.confirm(connection, Position(epoch, seq), now_ms)

    def _each(self, ask: Callable[[Shelf], Result], *, as_events_move: bool = False) -> list[Result]:
        """The answers of those files that answer.

        as_events_move : memory first, so that an event that is moved to the disk meanwhile is met at least once
        """
        answers: list[Result] = []
        trouble = ""
        for shelf in reversed(self._shelves) if as_events_move else self._shelves:
            try:
                answers.append(ask(shelf))
            except OutboxError as error:
                trouble = str(error)
        if trouble and not self.trouble:
            logger.warning("outbox: %s", trouble)
        self.trouble = trouble
        return answers
