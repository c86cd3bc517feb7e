"""Who is there: tracks become visitors, and a track that continues a lost thing becomes the same visitor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from edge.core.values import Track
from edge.track.areas import Anchor, anchor_of
from edge.track.memory import Memory
from edge.track.moment import Moment, Moments
from edge.track.visitor import Sight, Stay, Visitor, overlap

# A thing was there before it was believed; a longer way back would be a guess at where it was.
_BELIEF_S = 1.0
# A thing that stood still and overlaps its place less has left it: a light change shifts an edge by a fifth.
_HOME_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Changes:
    """Who is gone, and who is held for something else than before; each by track id."""

    gone: list[Visitor]
    renamed: list[Visitor]


class Visitors:
    """The visitors of one camera.

    Parameters
    ----------
    anchor : which point of a box says where the thing is
    moments : the camera's frames
    """

    def __init__(self, anchor: Anchor, moments: Moments) -> None:
        self._anchor: Anchor = anchor
        self._moments = moments
        self._memory = Memory()
        self._there: dict[int, Visitor] = {}
        self._next_number = 1

    @property
    def there(self) -> list[Visitor]:
        """Those whose tracks are alive."""
        return list(self._there.values())

    def by_track(self, track_id: int) -> Visitor:
        return self._there[track_id]

    def update(self, tracks: Iterable[Track], now: Moment, size: tuple[int, int]) -> Changes:
        """Take in the tracks of a frame of ``size`` (width, height)."""
        alive = {track.track_id: track for track in tracks}
        gone = [self._there.pop(track_id) for track_id in sorted(self._there.keys() - alive.keys())]
        for visitor in gone:
            self._memory.remember(visitor, size)
        known = [(self._there[track_id], track) for track_id, track in alive.items() if track_id in self._there]
        renamed = [visitor for visitor, track in known if self._see(visitor, track, now, size)]
        for track_id in sorted(alive.keys() - self._there.keys()):
            self._there[track_id] = self._welcome(alive[track_id], now, size)
        return Changes(gone, renamed)

    def dismiss(self, size: tuple[int, int]) -> list[Visitor]:
        """The camera sees nothing any more: all are gone, and recognised when they are seen again."""
        gone = [self._there.pop(track_id) for track_id in sorted(self._there)]
        for visitor in gone:
            self._memory.remember(visitor, size)
        return gone

    def _welcome(self, track: Track, now: Moment, size: tuple[int, int]) -> Visitor:
        sight, anchor = Sight(now, track), anchor_of(track.box, self._anchor, size)
        known = self._memory.recognise(track, now)
        if known is not None:
            known = replace(known, sight=sight, before=known.anchor, is_seen=True, is_again=True)
            known.stays, known.doubts, known.passages = dict(known.stays), {}, {}
            self._settle(known, track, now, size)
            return known
        since = self._moments.at(max(track.first_seen_ns, now.captured_ns - round(_BELIEF_S * 1e9)))
        visitor = Visitor(self._next_number, sight, anchor, anchor, Stay(since))
        self._settle(visitor, track, since, size)
        self._next_number += 1
        return visitor

    def _see(self, visitor: Visitor, track: Track, now: Moment, size: tuple[int, int]) -> bool:
        """Whether it is held for something else now."""
        visitor.is_again = False
        visitor.is_seen = track.last_seen_ns > visitor.track.last_seen_ns
        if not visitor.is_seen:
            return False
        label = visitor.track.label
        visitor.sight = Sight(now, track)
        visitor.before = visitor.anchor
        self._settle(visitor, track, now, size)
        return track.label != label

    def _settle(self, visitor: Visitor, track: Track, since: Moment, size: tuple[int, int]) -> None:
        """Where it stands: where it is seen, unless it stands still; a light change moves its box, not the thing.

        The tracker takes its time to say that a thing has set off, so its box has a say as well.
        """
        if not track.stationary:
            visitor.still_since = visitor.home = None
        elif visitor.home is None:
            visitor.still_since, visitor.home = since, track.box
        visitor.is_home = visitor.home is not None and overlap(visitor.home, track.box) >= _HOME_IOU
        if not visitor.is_home:
            visitor.anchor = anchor_of(track.box, self._anchor, size)
