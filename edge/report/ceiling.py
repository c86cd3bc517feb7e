"""The largest packet of a broker that does not say its limit, but hangs up with reason 149 when it is exceeded."""

from __future__ import annotations

from dataclasses import replace

from edge.core.protocols import Clock
from edge.wire.packets import Limits

LEAST_BYTES = 512  # what is smaller is not to blame: a broker that hangs up on it means something else
_FORGET_NS = 3600 * 1_000_000_000  # its limit may have been raised meanwhile


class Ceiling:
    """Learnt from what was under way when the broker hung up. Without it the same message would go first each time.

    Examples
    --------
    >>> ceiling = Ceiling(clock)  # doctest: +SKIP
    >>> ceiling.learn(9000)  # doctest: +SKIP
    >>> ceiling.lowered(Limits()).packet_bytes  # doctest: +SKIP
    7875
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._packet_bytes: int | None = None
        self._learnt_ns = 0

    def learn(self, suspect_bytes: int) -> None:
        """The largest packet the broker may have hung up on."""
        if suspect_bytes > LEAST_BYTES:
            # an eighth less each time: one by one would take a connection per byte
            self._packet_bytes = max(LEAST_BYTES, suspect_bytes * 7 // 8)
            self._learnt_ns = self._clock.monotonic_ns()

    def lowered(self, limits: Limits) -> Limits:
        """What the broker said, and what it showed."""
        if self._packet_bytes is not None and self._clock.monotonic_ns() - self._learnt_ns >= _FORGET_NS:
            self._packet_bytes = None
        if self._packet_bytes is None:
            return limits
        return replace(limits, packet_bytes=min(limits.packet_bytes, self._packet_bytes))
