"""Who is there: tracks become visitors, and a track that continues a lost thing becomes the same visitor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import msgspec

from edge.core.values import Track
from edge.track.areas import Anchor, anchor_of
from edge.track.memory import Memory
from edge.track.moment import Moment, Moments
from edge.track.visitor import Revision, Sight, Stay, Visitor, overlap

# A thing that stood still and overlaps its place less has left it: a light change shifts an edge by a fifth.
_HOME_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Changes:
    """Who is gone, who is held for something else than before, and who has come; each by track id.

    come : the visitor as it was first seen, and the later sights of it, to be taken one by one with ``go_on``
    """

    gone: list[Visitor]
    renamed: list[Visitor]
    come: list[tuple[Visitor, list[Sight]]]


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

    def change(self, anchor: Anchor, revision: Revision) -> None:
        """Another configuration from now on."""
        self._anchor = anchor
        for visitor in (*self._there.values(), *self._memory.lost):
            visitor.forget(revision)

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
        come = []
        for track_id in sorted(alive.keys() - self._there.keys()):
            sights = self._sights(alive[track_id], now)
            self._there[track_id] = self._welcome(sights[0], size)
            come.append((self._there[track_id], sights[1:]))
        return Changes(gone, renamed, come)

    def go_on(self, visitor: Visitor, sight: Sight, size: tuple[int, int]) -> None:
        """Take in the next sight of one who has come."""
        visitor.sight, visitor.before = sight, visitor.anchor
        self._settle(visitor, sight, size)

    def dismiss(self, size: tuple[int, int]) -> list[Visitor]:
        """The camera sees nothing any more: all are gone, and recognised when they are seen again."""
        gone = [self._there.pop(track_id) for track_id in sorted(self._there)]
        for visitor in gone:
            self._memory.remember(visitor, size)
        return gone

    def _sights(self, track: Track, now: Moment) -> list[Sight]:
        """Those from before it was believed, and the one by which it came to be."""
        sights, best = [], 0.0
        for number, glimpse in enumerate(track.before, 1):
            best = max(best, glimpse.score)
            earlier = msgspec.structs.replace(
                track,
                score=glimpse.score,
                top_score=best,
                box=glimpse.box,
                last_seen_ns=glimpse.seen_ns,
                frames=number,
                stationary=False,
                before=(),
            )
            sights.append(Sight(self._moments.at(glimpse.seen_ns), earlier))
        return [*sights, Sight(now, track)]

    def _welcome(self, sight: Sight, size: tuple[int, int]) -> Visitor:
        anchor = anchor_of(sight.track.box, self._anchor, size)
        known = self._memory.recognise(sight.track, sight.moment)
        if known is not None:
            known = replace(known, sight=sight, before=known.anchor, is_seen=True, is_again=True)
            known.resumed, known.stays, known.doubts, known.passages = dict(known.stays), {}, {}, {}
            self._settle(known, sight, size)
            return known
        visitor = Visitor(self._next_number, sight, anchor, anchor, Stay(sight.moment))
        self._settle(visitor, sight, size)
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
        self._settle(visitor, visitor.sight, size)
        return track.label != label

    def _settle(self, visitor: Visitor, sight: Sight, size: tuple[int, int]) -> None:
        """Where it stands: where it is seen, unless it stands still; a light change moves its box, not the thing.

        The tracker takes its time to say that a thing has set off, so its box has a say as well.
        """
        track = sight.track
        if not track.stationary:
            visitor.still_since = visitor.home = None
        elif visitor.home is None:
            visitor.still_since, visitor.home = sight.moment, track.box
        visitor.is_home = visitor.home is not None and overlap(visitor.home, track.box) >= _HOME_IOU
        if not visitor.is_home:
            visitor.anchor = anchor_of(track.box, self._anchor, size)
