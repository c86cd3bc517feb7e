"""An event made ready for the broker of this connection: marked when it is late or sent again, cut to what is taken."""

from __future__ import annotations

from collections.abc import Iterable

from edge.core.protocols import Clock
from edge.report.outbox.reader import LIVE_MS
from edge.report.outbox.values import Position, Stored
from edge.report.parcels import Parcel, mark_replayed, trim
from edge.wire.packets import Limits, Version, packet_bytes

_NS_PER_MS = 1_000_000


class Wrapping:
    """Belongs to the session's thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._limits = Limits()
        self._protocol = Version.V5
        self._handed_out: dict[str, int] = {}  # epoch -> highest number that may have left without our knowing
        self._to_trim: set[Position] = set()
        self._read_ns = 0

    def connected(self, limits: Limits, version: Version) -> None:
        """What this broker takes."""
        self._limits, self._protocol = limits, version

    def disconnected(self, under_way: Iterable[Parcel]) -> None:
        """What was under way may have arrived or not."""
        for parcel in under_way:
            epoch, seq = parcel.position.epoch, parcel.position.seq
            self._handed_out[epoch] = max(seq, self._handed_out.get(epoch, 0))

    def was_read(self, now_ns: int) -> None:
        """The ages that events say they have are those of now."""
        self._read_ns = now_ns

    def trim_next_time(self, position: Position) -> None:
        """The broker found it too large, though it did not say its limit."""
        self._to_trim.add(position)

    def is_late(self, stored: Stored, now_ns: int) -> bool:
        """Made 10 s ago, or committed 10 s ago, and no clock that is set can hide that.

        A disk that hangs makes the two differ by seconds. A clock that is set forward while an event is on its way may
        say so wrongly.
        """
        waited_ms = (now_ns - self._read_ns) / _NS_PER_MS
        wall_ms = self._clock.utc_now().timestamp() * 1000 - stored.happened_wall_ms
        return not stored.live or stored.age_ms + waited_ms >= LIVE_MS or wall_ms >= LIVE_MS

    def wrap(self, stored: Stored, now_ns: int) -> Parcel | None:
        """Ready for the wire; None if it is too large even when it is trimmed."""
        position = stored.position
        is_again = stored.sends > 0 or position.seq <= self._handed_out.get(position.epoch, 0)
        is_replayed = is_again or stored.is_replayed or self.is_late(stored, now_ns)
        payload = mark_replayed(stored.payload) if is_replayed else stored.payload
        whole = Parcel(stored.topic, payload, qos=1, position=position, is_again=is_again)
        excess = packet_bytes(whole, self._protocol) - self._limits.packet_bytes
        if excess <= 0 and position not in self._to_trim:
            return whole
        smaller = trim(payload, len(payload) - max(1, excess))
        self._to_trim.discard(position)
        if smaller is None:
            return None
        return Parcel(stored.topic, smaller, qos=1, position=position, is_again=is_again, is_trimmed=True)
