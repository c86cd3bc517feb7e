"""The writer: takes events from the thread that detects, and commits them in groups from a thread of its own.

A thread, not a call driven by the service: an fsync on a memory card takes from 1 ms to some seconds, and detection
must not wait for it. SQLite lets go of the interpreter lock while it writes, so detection goes on meanwhile.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice

from edge.core.protocols import Clock
from edge.report.outbox import losses
from edge.report.outbox.keeper import Keeper
from edge.report.outbox.values import NO_MEMORY, Entry, Loss, OutboxReading, Outgoing

logger = logging.getLogger(__name__)

GROUP = 32  # events in one commit
GROUP_S = 0.02  # how long the first of a group waits for others
WAITING_BYTES = 4 * 1024 * 1024  # of payload in memory, while the disk can't be written
WAITING = 4096  # events, likewise
INVALID = "invalid"  # an event that no file can hold, as a name with half a surrogate pair

_TEND_NS = 1_000_000_000
_IDLE_S = 1.0
_RETRY_S = 0.25  # nothing could be written: look again


class OutboxWriter:
    """Durable events, from the side that makes them.

    ``append`` and ``tick`` belong to one thread, which thereby numbers all events in the order in which they are
    committed; neither waits for the disk, and neither raises for a broken one.

    Parameters
    ----------
    tell : makes the event that tells of a loss, with the next number of this process's epoch

    ``rounds`` grows at least once a second while the thread works and the disk answers.
    """

    def __init__(self, keeper: Keeper, tell: Callable[[Loss], Outgoing], *, clock: Clock) -> None:
        self._keeper = keeper
        self._tell = tell
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: deque[Entry] = deque()
        self._waiting_bytes = 0
        self._is_shut = False
        self._book = losses.LossBook()
        self._due: deque[Loss] = deque()
        self._stopping = False
        self._lost = 0
        self._reading = OutboxReading()
        self._tended_ns = 0
        self._version = -1
        self._wrote = False
        self.rounds = 0
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    def start(self) -> None:
        """Open the file, in this thread, then write in another; raises ConfigError if the file is not an outbox."""
        self._keeper.open()
        self._tend()
        self._thread.start()

    def append(self, record: Outgoing) -> None:
        """Take one event. It is durable a group later, and only then will the publisher see it."""
        self.tick()
        with self._changed:
            if self._is_shut or len(self._waiting) >= WAITING or self._waiting_bytes >= WAITING_BYTES:
                # refuse everything for a while rather than every other event: one span names them all
                self._is_shut = True
                self._lost += 1
                self._book.add(losses.gap(record, NO_MEMORY))
                return
            self._add(Entry(record))

    def tick(self) -> None:
        """Tell of losses that are complete; call it now and then when there is nothing to append."""
        while self._due:
            loss = self._due.popleft()
            entry = Entry(self._tell(loss), settles=loss)
            with self._changed:
                self._add(entry)

    def reading(self) -> OutboxReading:
        """The state of things, at most a second old; does not touch the disk."""
        with self._changed:
            return replace(self._reading, waiting=len(self._waiting), lost=self._reading.lost + self._lost)

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self, timeout_s: float = 2.0) -> bool:
        """Commit what waits, then let go; False if the disk did not let it within the time."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.ident is None:  # it was never started
            self._keeper.close()
        else:
            self._thread.join(timeout_s)
        return not self._thread.is_alive() and self._is_empty()

    def _add(self, entry: Entry) -> None:
        self._waiting.append(entry)
        self._waiting_bytes += len(entry.record.payload)
        if len(self._waiting) in (1, GROUP):
            self._changed.notify()

    def _run(self) -> None:
        written = True
        while not (self._stopping and (self._is_empty() or not written)):
            self.rounds += 1
            try:
                written = self._round(*self._gather(written=written))
            except Exception:
                logger.exception("outbox: the writer goes on after an error of its own")
                written = False
        self._keeper.close()

    def _is_empty(self) -> bool:
        return not self._waiting and not self._book

    def _gather(self, *, written: bool) -> tuple[list[Entry], tuple[Loss, ...]]:
        """Wait for the next group; it stays in the queue until it is committed."""
        with self._changed:
            if written:
                self._changed.wait_for(lambda: self._waiting or self._stopping, _IDLE_S)
                self._changed.wait_for(
                    lambda: not self._waiting or len(self._waiting) >= GROUP or self._stopping, GROUP_S
                )
            else:
                self._changed.wait_for(lambda: self._stopping, _RETRY_S)
            return self._next_group(), self._book.take()

    def _next_group(self) -> list[Entry]:
        group: list[Entry] = []
        size = 0
        for entry in islice(self._waiting, GROUP):
            size += len(entry.record.payload)
            if group and size > self._keeper.group_bytes:
                break
            group.append(entry)
        return group

    def _round(self, group: list[Entry], dropped: tuple[Loss, ...]) -> bool:
        written = not (group or dropped)
        try:
            if not written:
                written = self._wrote = self._commit(group, dropped)
        finally:
            with self._changed:
                self._forget(group) if written else self._put_back(dropped)
        if self._clock.monotonic_ns() - self._tended_ns >= _TEND_NS:
            self._tend()
        return written

    def _forget(self, group: Sequence[Entry]) -> None:
        for entry in group:
            self._waiting.popleft()
            self._waiting_bytes -= len(entry.record.payload)
        if len(self._waiting) <= WAITING // 2 and self._waiting_bytes <= WAITING_BYTES // 2:
            self._is_shut = False

    def _put_back(self, dropped: Sequence[Loss]) -> None:
        for loss in dropped:
            self._book.add(loss)

    def _commit(self, group: Sequence[Entry], dropped: Sequence[Loss]) -> bool:
        try:
            return self._keeper.commit(group, dropped)
        except Exception:
            # A mistake in the program, in one event most likely: it must not take the others with it.
            logger.exception("outbox: a group of %d could not be written; trying one by one", len(group))
        written = [self._commit_one(entry) for entry in group]
        return self._keeper.commit((), dropped) and all(written)

    def _commit_one(self, entry: Entry) -> bool:
        try:
            return self._keeper.commit([entry])
        except Exception:
            logger.exception("outbox: event %s can't be written", entry.record.position)
            return self._keeper.commit((), [losses.gap(entry.record, INVALID)])

    def _tend(self) -> None:
        self._tended_ns = self._clock.monotonic_ns()
        self._due.extend(self._keeper.tend())
        version = self._keeper.version()
        if self._wrote or version != self._version or version < 0:
            reading = self._keeper.reading()
            self._wrote, self._version = False, version
            with self._changed:
                self._reading = reading
