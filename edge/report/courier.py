"""Takes events out of the outbox and to the broker, and learns what became of them.

Committed first, then sent: what is not in the file is not known here. Live events go before the backlog; what the
broker takes is not yet delivered, see ``patience``.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Iterable
from itertools import islice

from edge.core.protocols import Clock
from edge.report.outbox.reader import OutboxReader
from edge.report.outbox.values import Position, Replay, Stored
from edge.report.parcels import Parcel
from edge.report.patience import Ahead, Awaited, Refused, Unconfirmed, Unheard, is_covered
from edge.report.stats import EventStats
from edge.report.wrapping import Wrapping
from edge.wire import reasons
from edge.wire.packets import Limits, Version

logger = logging.getLogger(__name__)

# Late events per second. 100,000 of a day's outage are through in two minutes; a broker with mosquitto's default queue
# of 1000 for a slow consumer has a second before it throws away; ten cameras that come back at once are 10,000/s.
DRAIN_PER_S = 1000
_BURST = 20
_BATCH = 64
_POLL_NS = 1_000_000_000  # a hint that something was committed may get lost
_SOON_S = 0.02
_NS_PER_S = 1_000_000_000
OVERSIZE = "oversize"
_END = (1 << 40) - 1  # beyond every number of an epoch


class Courier:
    """All methods belong to the session's thread, but for ``hint``.

    Parameters
    ----------
    has_consumer : whether a cursor is to be expected
    drain_per_s : late events per second, at most
    """

    def __init__(
        self,
        reader: OutboxReader,
        *,
        has_consumer: bool,
        clock: Clock,
        drain_per_s: float = DRAIN_PER_S,
        unconfirmed: Unconfirmed | None = None,
        unheard: Unheard | None = None,
        refused: Refused | None = None,
    ) -> None:
        self._reader = reader
        self._has_consumer = has_consumer
        self._clock = clock
        self._drain_per_s = drain_per_s
        self._unconfirmed = unconfirmed or Unconfirmed()
        self._unheard = unheard or Unheard()
        self._refused = refused or Refused()
        self._awaited = Awaited()
        self._ahead = Ahead()
        self._denied: set[Position] = set()
        self._counts: Counter[str] = Counter()
        self._ready: deque[Stored] = deque()
        self._again: deque[Stored] = deque()
        self._in_flight: set[Position] = set()
        self._heard: list[Position] = []
        self._not_heard: list[Position] = []
        self._dead: list[Position] = []
        self._wrapping = Wrapping(clock)
        self._looked_ns = 0
        self._version: tuple[object, ...] = ()
        self._is_hinted = True
        self._has_more = False
        self._tokens = float(_BURST)
        self._tokens_ns = 0

    def hint(self) -> None:
        """Something was committed; from any thread."""
        self._is_hinted = True

    def connected(self, limits: Limits, version: Version) -> None:
        """A new connection, with what its broker takes."""
        now_ns = self._clock.monotonic_ns()
        self._wrapping.connected(limits, version)
        self._refused.clear()
        self._denied.clear()
        self._unheard.somebody_came(now_ns)
        if self._has_consumer:
            self._unconfirmed.connected(now_ns)
            self._awaited.connected(now_ns)
            self._ahead.clear()
        self._is_hinted = True

    def disconnected(self, under_way: Iterable[Parcel]) -> None:
        """What was under way may have arrived or not."""
        self._wrapping.disconnected(under_way)
        self._in_flight.clear()
        self._again.clear()
        self._ready.clear()
        self._write_down()

    def look(self) -> None:
        """Write down what was learnt, read what is new. The only method that touches the disk while connected."""
        now_ns = self._clock.monotonic_ns()
        self._write_down()
        if self._unheard.is_due(now_ns):
            self._unheard.tried(now_ns)
            self._is_hinted = bool(self._reader.retry_unheard()) or self._is_hinted
        if self._refused.release(now_ns):
            self._denied.clear()
            self._is_hinted = True
        if self._is_news(now_ns):
            self._read(now_ns)
        is_there = self._has_consumer and not self._awaited.holds_late(now_ns)
        if is_there and not self._again and self._unconfirmed.is_due(now_ns):
            self._find_unconfirmed(now_ns)

    def take(self) -> Parcel | None:
        """The next event to send, None if none may go now."""
        if self._refused.is_everything():
            return None
        now_ns = self._clock.monotonic_ns()
        while (stored := self._choose(now_ns)) is not None:
            parcel = self._pack(stored, now_ns)
            if parcel is not None:
                self._in_flight.add(stored.position)
                return parcel
        return None

    def settle(self, parcel: Parcel, code: int) -> None:
        """The broker's word on an event."""
        now_ns = self._clock.monotonic_ns()
        position = parcel.position
        self._in_flight.discard(position)
        match code:
            case reasons.SUCCESS:
                self._heard.append(position)
                self._counts["delivered"] += not parcel.is_again
                self._unheard.heard(parcel.topic, now_ns)
                self._unconfirmed.acknowledged(position, now_ns)
            case reasons.NO_SUBSCRIBER:
                self._not_heard.append(position)
                self._counts["unheard"] += not parcel.is_again
                self._unheard.add(parcel.topic, now_ns)
            case reasons.QUOTA_EXCEEDED:  # the session pauses
                self._is_hinted = True
            case reasons.PACKET_TOO_LARGE if not parcel.is_trimmed:  # though it did not say its limit
                self._wrapping.trim_next_time(position)
                self._is_hinted = True
            case reasons.PACKET_TOO_LARGE:
                self._bury(position)
            case _:
                self._refused.add(position, now_ns)
                if code == reasons.NOT_AUTHORIZED:
                    self._denied.add(position)

    def confirm(self, cursor: Position) -> None:
        """The consumer has everything up to here."""
        now_ns = self._clock.monotonic_ns()
        self._awaited.came()
        self._ahead.confirmed(cursor)
        self._reader.confirm(cursor)
        self._again = deque(event for event in self._again if not is_covered(event.position, cursor))
        self._unconfirmed.confirmed(cursor, now_ns)
        self._unheard.somebody_came(now_ns)

    def replay(self, epoch: str, first: int, last: int) -> Replay:
        """Send a range again; what can be and what can't."""
        self._awaited.came()
        self._write_down()
        self._again.clear()  # what of it is asked for comes with the others
        found = self._reader.replay(epoch, first, last)
        self._unheard.somebody_came(self._clock.monotonic_ns())
        self._is_hinted = True
        return found

    def patience_s(self) -> float | None:
        """How soon to look again, when nothing else happens; None = no hurry."""
        if self._is_hinted:
            return 0.0
        return _SOON_S if self._ready or self._again or self._has_more else None

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left that can be sent now."""
        waits = self._ready or self._again or self._has_more or self._is_hinted or self._in_flight
        return self._refused.is_everything() or not waits

    def stats(self) -> EventStats:
        return EventStats(
            unheard=self._unheard.count,
            denied=len(self._denied),
            refused=len(self._refused) - len(self._denied),
            delivered=self._counts["delivered"],
            ever_unheard=self._counts["unheard"],
            trimmed=self._counts["trimmed"],
            dead=self._counts["dead"],
        )

    def _is_news(self, now_ns: int) -> bool:
        if self._is_hinted or (self._has_more and len(self._ready) < _BURST):
            return True
        if now_ns - self._looked_ns < _POLL_NS:
            return False
        self._looked_ns = now_ns
        return self._reader.version() != self._version

    def _read(self, now_ns: int) -> None:
        self._is_hinted = False
        self._version = self._reader.version()
        batch = self._reader.pending(_BATCH, without=[*self._in_flight, *self._refused.held_back()])
        self._ready = deque(batch)
        self._has_more = len(batch) == _BATCH
        if self._reader.trouble:  # what could not be read is looked for again, though nothing new is committed
            self._version = ()
        self._looked_ns = now_ns
        self._wrapping.was_read(now_ns)

    def _find_unconfirmed(self, now_ns: int) -> None:
        """The oldest that the consumer seems to lack, of one epoch."""
        young = self._unconfirmed.too_young(now_ns) | self._in_flight
        limit = self._unconfirmed.count + len(young)
        after, is_all_quiet, found = None, True, list[Stored]()
        while not found and (oldest := self._reader.unconfirmed(limit, after=after)):
            epoch = oldest[0].position.epoch
            after = Position(epoch, _END)
            is_all_quiet = False
            if not self._unconfirmed.is_moving(epoch, now_ns):
                lacking = (event for event in oldest if event.position.epoch == epoch and event.position not in young)
                found = list(islice(lacking, self._unconfirmed.count))
        self._again = deque(found)
        self._unconfirmed.sent_again(
            [event.position for event in found], now_ns, is_all_quiet=is_all_quiet and not self._reader.trouble
        )
        if found:
            logger.info("the consumer has not confirmed %d event(s): sending them again", len(found))

    def _choose(self, now_ns: int) -> Stored | None:
        if self._awaited.holds_live(now_ns):
            return None
        if self._ready and not self._wrapping.is_late(self._ready[0], now_ns):
            return self._ready.popleft()
        queue = self._again or self._ready
        if not queue or self._awaited.holds_late(now_ns) or self._ahead.is_full(now_ns) or not self._has_token(now_ns):
            return None
        stored = queue.popleft()
        if self._has_consumer:
            self._ahead.sent(stored.position, now_ns)
        return stored

    def _has_token(self, now_ns: int) -> bool:
        gained = (now_ns - self._tokens_ns) / _NS_PER_S * self._drain_per_s
        self._tokens = min(float(_BURST), self._tokens + gained)
        self._tokens_ns = now_ns
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _pack(self, stored: Stored, now_ns: int) -> Parcel | None:
        """Ready for the wire; None if it never can be, which a gap will tell."""
        parcel = self._wrapping.wrap(stored, now_ns)
        if parcel is None:
            self._give_up(stored, now_ns)
            return None
        self._counts["trimmed"] += parcel.is_trimmed
        return parcel

    def _give_up(self, stored: Stored, now_ns: int) -> None:
        if stored.tells:  # given up, it would be told by another of its kind, for ever
            self._refused.add(stored.position, now_ns)
            return
        logger.warning("event %s is larger than the broker takes, even trimmed; a gap tells of it", stored.position)
        self._bury(stored.position)

    def _bury(self, position: Position) -> None:
        self._counts["dead"] += 1
        self._dead.append(position)

    def _write_down(self) -> None:
        for positions, mark in ((self._heard, self._reader.mark_sent), (self._not_heard, self._reader.mark_unheard)):
            if positions:
                mark(positions)
                positions.clear()
        for position in self._dead:
            self._reader.dead_letter(position, OVERSIZE)
        self._dead.clear()
