"""Handing events over: each in its turn, one per device at a time, struck out when it is done."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.client import schema
from edge.client.store import FAILED, WAITING
from edge.client.trouble import translated
from edge.core.protocols import Clock

_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to the user.

    payload : the event as the device wrote it, JSON
    may_repeat : it was handed over before, and whether that was finished is not known (the process was killed)
    """

    device: str
    epoch: str
    seq: int
    camera: str
    type: str
    payload: bytes
    may_repeat: bool

    @property
    def key(self) -> str:
        """The idempotency key: the same event has the same key for ever, and no other has it."""
        return f"{self.device}/{self.epoch}/{self.seq}"

    def event(self) -> dict[str, Any]:
        """The payload, read."""
        event: dict[str, Any] = json.loads(self.payload)
        return event


class Deliveries:
    """The user's side of the file; may be used from several threads.

    An event taken is the taker's until ``done``, ``retry`` or ``fail``; the device's next one waits for that, so the
    order holds however many threads take.
    """

    def __init__(self, path: Path, *, clock: Clock, on_room: Callable[[], None]) -> None:
        self._path = path
        self._clock = clock
        self._on_room = on_room
        self._condition = threading.Condition()
        self._connection: sqlite3.Connection | None = None
        self._busy: dict[str, int | None] = {}  # device -> until when its head rests, None = in somebody's hands
        self._counted = 0
        self.handed = 0
        self.failed = 0

    def open(self) -> None:
        """Raises StoreError."""
        with translated(self._path):
            self._connection = schema.connect(self._path, durable=False)

    def close(self) -> None:
        """Whoever waits in ``take`` gets None."""
        with self._condition:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            self._condition.notify_all()

    def notify(self) -> None:
        """There may be something new to take."""
        with self._condition:
            self._condition.notify_all()

    def take(self, timeout_s: float) -> Delivery | None:
        """The next event, None when there was none within the time, or after ``close``."""
        deadline_ns = self._clock.monotonic_ns() + round(timeout_s * _NS_PER_S)
        with self._condition:
            while self._connection is not None:
                with translated(self._path):
                    delivery = self._next(self._connection)
                if delivery is not None:
                    return delivery
                left_s = (deadline_ns - self._clock.monotonic_ns()) / _NS_PER_S
                if left_s <= 0:
                    return None
                self._condition.wait(min(left_s, 0.5))  # rests end without a notification
        return None

    def done(self, delivery: Delivery) -> None:
        """It is the user's now: strike it out. A kill before this line hands it over again.

        After a StoreError it is still in the taker's hands: again after a rest.
        """
        with self._settled(delivery) as connection, translated(self._path):
            _strike_out(connection, delivery)
        self.handed += 1

    @contextmanager
    def done_with(self, delivery: Delivery) -> Iterator[sqlite3.Connection]:
        """Exactly once: what the body writes with this connection and the striking out are one durable transaction.

        The body neither commits nor uses ``executescript``, which commits; an exception takes everything back.
        """
        try:
            with self._settled(delivery) as connection, _durably(connection):
                yield connection
                _strike_out(connection, delivery)
        except BaseException:
            self.retry(delivery, 0.0)
            raise
        self.handed += 1

    def retry(self, delivery: Delivery, after_s: float) -> None:
        """It did not work: again after a rest, in which the events of other devices go on."""
        with self._condition:
            self._busy[delivery.device] = self._clock.monotonic_ns() + round(after_s * _NS_PER_S)
            self._condition.notify_all()

    def fail(self, delivery: Delivery) -> None:
        """It will not work in this run: set aside, the next one goes on; the next start tries it again."""
        with self._settled(delivery) as connection, translated(self._path):
            connection.execute(
                "UPDATE waiting SET state = ? WHERE device = ? AND epoch = ? AND seq = ?",
                (FAILED, delivery.device, delivery.epoch, delivery.seq),
            )
        self.failed += 1

    def waiting(self) -> int:
        """Events stored and not finished, what failed included."""
        with self._condition:
            if self._connection is None:
                return 0
            with suppress(sqlite3.Error):  # whoever takes is told; a count may be a little old
                self._counted = int(self._connection.execute("SELECT count(*) FROM waiting").fetchone()[0])
            return self._counted

    @contextmanager
    def _settled(self, delivery: Delivery) -> Iterator[sqlite3.Connection]:
        with self._condition:
            if self._connection is None:
                raise RuntimeError("the consumer is closed: what was not done by then is handed over at the next start")
            yield self._connection
            self._busy.pop(delivery.device, None)
            self._condition.notify_all()
        self._on_room()

    def _next(self, connection: sqlite3.Connection) -> Delivery | None:
        now_ns = self._clock.monotonic_ns()
        for device in [device for device, until in self._busy.items() if until is not None and until <= now_ns]:
            del self._busy[device]
        row = connection.execute(
            "SELECT device, epoch, seq, camera, type, payload, handed, rowid FROM waiting"
            " WHERE state = ? AND turn IS NOT NULL AND device NOT IN (SELECT value FROM json_each(?))"
            " ORDER BY turn LIMIT 1",
            (WAITING, json.dumps(list(self._busy))),
        ).fetchone()
        if row is None:
            return None
        device, epoch, seq, camera, kind, payload, handed, number = row
        if not handed:
            connection.execute("UPDATE waiting SET handed = 1 WHERE rowid = ?", (number,))
        self._busy[device] = None
        return Delivery(device, epoch, seq, camera, kind, payload, may_repeat=bool(handed))


@contextmanager
def _durably(connection: sqlite3.Connection) -> Iterator[None]:
    """One transaction, on the disk when it is over; an exception takes everything back."""
    connection.execute("PRAGMA synchronous = FULL")
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    finally:
        connection.execute("PRAGMA synchronous = NORMAL")


def _strike_out(connection: sqlite3.Connection, delivery: Delivery) -> None:
    connection.execute(
        "DELETE FROM waiting WHERE device = ? AND epoch = ? AND seq = ?",
        (delivery.device, delivery.epoch, delivery.seq),
    )
