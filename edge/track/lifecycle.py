"""When things come and go: the first and the last word about each track."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from edge.core.events import EventType, Occurrence
from edge.core.values import FrameFacts, Track


@dataclass(frozen=True, slots=True)
class _Moment:
    """When a frame was taken, by both clocks."""

    captured_ns: int
    captured_at: datetime
    sequence: int


@dataclass(slots=True)
class _Life:
    """A track and the frame it was last seen in."""

    track: Track
    seen: _Moment


class LifeCycle:
    """Turns the tracks of one camera's frames into ``track_start`` and ``track_end``.

    A start happens in the frame in which a track is first told. An end happened when the thing was last seen, which
    is earlier than the frame in which it is given up; its wall time is that of the frame then, so a wall clock that
    was stepped since cannot make it come before its start in monotonic time.
    """

    def __init__(self) -> None:
        self._lives: dict[int, _Life] = {}

    def update(self, tracks: Iterable[Track], frame: FrameFacts) -> list[Occurrence]:
        """What the tracks of this frame begin and end; ends first, each kind by id."""
        now = _Moment(frame.captured_ns, frame.captured_at, frame.sequence)
        alive = {track.track_id: track for track in tracks}
        ended = [self._end(track_id) for track_id in sorted(self._lives.keys() - alive.keys())]
        started = [self._start(alive[track_id], now) for track_id in sorted(alive.keys() - self._lives.keys())]
        for track_id, track in alive.items():
            self._lives[track_id] = self._lived(track, now)
        return ended + started

    def finish(self) -> list[Occurrence]:
        """End all that is alive, at the end of a recording or of the service."""
        return [self._end(track_id) for track_id in sorted(self._lives)]

    def _start(self, track: Track, now: _Moment) -> Occurrence:
        return _occurrence(EventType.TRACK_START, track, now)

    def _end(self, track_id: int) -> Occurrence:
        life = self._lives.pop(track_id)
        return _occurrence(EventType.TRACK_END, life.track, life.seen)

    def _lived(self, track: Track, now: _Moment) -> _Life:
        """Move on when the track was seen in this frame; otherwise remember how it was when it was."""
        life = self._lives.get(track.track_id)
        if life is None or track.last_seen_ns > life.track.last_seen_ns:
            return _Life(track, now)
        return life


def _occurrence(kind: EventType, track: Track, moment: _Moment) -> Occurrence:
    return Occurrence(kind, track.last_seen_ns, moment.captured_at, moment.sequence, track)
