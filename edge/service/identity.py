"""Who an event is: device, epoch and a number that is never used twice."""

from __future__ import annotations

import secrets
from datetime import datetime

from edge.core.events import EventId, EventTime, Occurrence
from edge.core.protocols import Clock
from edge.core.values import FrameFacts

# Crockford's base 32: no I, L, O, U, so that a person can read an epoch aloud.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_epoch(clock: Clock) -> str:
    """A ULID: 48 bits of milliseconds, 80 random bits; sorts by time where the clock is right."""
    return _ulid(clock, secrets.randbits(80))


def replay_epoch(clock: Clock, recording: bytes) -> str:
    """The same for the same recording at the same time, so that a consumer takes a repetition for one.

    recording : a digest of its content, at least 10 bytes
    """
    return _ulid(clock, int.from_bytes(recording[:10], "big"))


def _ulid(clock: Clock, bits: int) -> str:
    number = (round(clock.utc_now().timestamp() * 1000) << 80) | bits
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -5, -5))


class Identities:
    """Gives each event its number. One epoch is one run: numbers start at 1 and have no holes."""

    def __init__(self, device: str, epoch: str) -> None:
        self._device = device
        self.epoch = epoch
        self._seq = 0

    def next(self) -> EventId:
        self._seq += 1
        return EventId(self._device, self.epoch, self._seq)


def event_time(occurrence: Occurrence, clock: Clock) -> EventTime:
    """When it happened, with the boot it happened in and whether the wall clock could be trusted."""
    return _time(occurrence.happened_at, occurrence.happened_ns, clock)


def frame_time(frame: FrameFacts, clock: Clock) -> EventTime:
    """When a frame was captured."""
    return _time(frame.captured_at, frame.captured_ns, clock)


def _time(at: datetime, monotonic_ns: int, clock: Clock) -> EventTime:
    return EventTime(
        wall_ms=round(at.timestamp() * 1000),
        monotonic_ms=monotonic_ns // 1_000_000,
        boot_id=clock.boot_id(),
        synced=clock.is_synced(),
    )
