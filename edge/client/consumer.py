"""The reference consumer: every event of every device, once, however often it, the broker or the device is killed."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from edge.client.deliveries import Deliveries, Delivery
from edge.client.follower import Follower
from edge.client.notices import Notice, NoticeKind, Tell, doubt_notice
from edge.client.settings import ConsumerSettings
from edge.client.store import Store
from edge.client.trouble import StoreDamagedError, StoreError
from edge.core.clock import SystemClock
from edge.core.protocols import Clock
from edge.wire.settings import BrokerSettings, Pace
from edge.wire.tls import make_context

_LEAVE_S = 4.0
_POLL_S = 1.0
# Consumers are few and make no herd; devices that come back wait for them (edge.report.patience.Awaited).
_PACE = Pace(backoff_first_s=0.2, backoff_longest_s=2.0)


@dataclass(frozen=True, slots=True)
class ConsumerStats:
    """Counts since ``open``.

    events : stored for the first time
    repeats : had already, dropped
    lost : numbers that will never come
    refused : payloads that could not be read
    postponed : not taken for lack of room; they come again
    waiting : stored and not handed over yet, what failed included
    handed, failed : finished by the user, set aside by the user
    connects : connections with our subscriptions in place
    is_refused : a person has to act (credentials, access list)
    """

    events: int
    repeats: int
    lost: int
    refused: int
    postponed: int
    waiting: int
    handed: int
    failed: int
    connects: int
    is_refused: bool


class Consumer:
    """Follows devices in a thread of its own and keeps what comes in a file; the user takes from that file.

    What is promised, with a name: an event stored is confirmed to its device by the cursor and handed over at least
    once; more than once only if this process is killed between the end of the user's work and ``done``, or if the power
    goes soon after, and then with ``may_repeat`` and the same ``key``. Work written by ``done_with`` is in the same
    transaction as the striking out: exactly once, power cuts included. Without a name: what comes while it runs,
    repeats dropped.

    Parameters
    ----------
    tell : called from the thread of the network with gaps, losses and troubles; must return at once

    Examples
    --------
    >>> settings = ConsumerSettings("archive", Path("archive.db"))
    >>> with Consumer(settings, BrokerSettings("localhost", 1883)) as consumer:  # doctest: +SKIP
    ...     for delivery in consumer:
    ...         print(delivery.event())
    ...         consumer.done(delivery)
    """

    def __init__(
        self,
        settings: ConsumerSettings,
        broker: BrokerSettings,
        *,
        clock: Clock | None = None,
        pace: Pace | None = None,
        tell: Tell | None = None,
    ) -> None:
        self._broker = broker
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if settings.path is None:
            self._folder = tempfile.TemporaryDirectory(prefix="edge-watch-")
        path = settings.path or Path(self._folder.name if self._folder else "") / "events.db"
        clock = clock or SystemClock()
        self._store = Store(
            path,
            strict_order=settings.strict_order,
            most_waiting=settings.most_waiting,
            boot_id=clock.boot_id(),
        )
        self._tell = tell or _ignore
        self._deliveries = Deliveries(path, clock=clock, on_room=self._wake_follower)
        self._follower = Follower(
            settings,
            broker,
            self._store,
            clock=clock,
            pace=pace or _PACE,
            tell=self._tell,
            on_stored=self._deliveries.notify,
        )
        self._rest = threading.Event()  # never set
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Lock the file, begin to follow; a broker that is away is no error, see ``stats``.

        Raises
        ------
        ConfigError
            The file's place or a certificate can't be had.
        InUseError
            Another process follows as this consumer.
        StoreError
            The disk is full or fails.
        """
        if self._broker.tls is not None:
            make_context(self._broker.tls)
        doubts = self._store.open()
        self._deliveries.open()
        for doubt in doubts:
            self._tell(doubt_notice(doubt.device, doubt.epoch, doubt.ranges))
        self._thread = threading.Thread(target=self._follower.run, name="edge-consumer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Leave the broker in good order; what was not ``done`` is handed over at the next start."""
        self._follower.leave()
        if self._thread is not None:
            self._thread.join(_LEAVE_S)
            self._thread = None
        self._deliveries.close()
        self._store.close()
        if self._folder is not None:
            self._folder.cleanup()

    def __enter__(self) -> Consumer:
        self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __iter__(self) -> Iterator[Delivery]:
        """Every event, for ever; a disk that refuses is said once and waited for. Raises StoreDamagedError."""
        refusal = ""
        while True:
            delivery = None
            try:
                delivery = self.take(_POLL_S)
            except StoreDamagedError:
                raise
            except StoreError as error:
                if not refusal:
                    refusal = str(error)
                    self._tell(Notice(NoticeKind.TROUBLE, f"{refusal}; tried again until it works"))
                self._rest.wait(_POLL_S)
            if delivery is not None:
                refusal = ""
                yield delivery

    def take(self, timeout_s: float) -> Delivery | None:
        """The next event in order, one per device at a time; None when none came in time. From any thread.

        Raises
        ------
        StoreError
            The disk is full or fails: nothing was handed over; again after a rest.
        StoreDamagedError
            Following has ended; a new start goes on with what can be read.
        """
        if self._follower.damage is not None:
            raise self._follower.damage
        return self._deliveries.take(timeout_s)

    def done(self, delivery: Delivery) -> None:
        """The user has it. After a StoreError it is still in the user's hands: call it again after a rest."""
        self._deliveries.done(delivery)

    def done_with(self, delivery: Delivery) -> AbstractContextManager[sqlite3.Connection]:
        """The user has it when what is written with this connection is committed: one transaction, exactly once."""
        return self._deliveries.done_with(delivery)

    def retry(self, delivery: Delivery, after_s: float) -> None:
        """Again after a rest; later events of the same device wait for it."""
        self._deliveries.retry(delivery, after_s)

    def fail(self, delivery: Delivery) -> None:
        """Set aside until the next start; later events go on. After a StoreError call it again after a rest."""
        self._deliveries.fail(delivery)

    def _wake_follower(self) -> None:
        self._follower.wake()

    def stats(self) -> ConsumerStats:
        counts = self._follower.counts
        return ConsumerStats(
            events=counts.get("events", 0),
            repeats=counts.get("repeats", 0),
            lost=counts.get("lost", 0),
            refused=counts.get("refused", 0),
            postponed=counts.get("postponed", 0),
            waiting=self._deliveries.waiting(),
            handed=self._deliveries.handed,
            failed=self._deliveries.failed,
            connects=self._follower.connects,
            is_refused=self._follower.is_refused,
        )


def _ignore(_notice: Notice) -> None:
    return
