"""What is remembered of one followed thing, apart from where it is."""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.values import Glimpse

# A vote for a class is worth its score; so many are remembered at most, so that a long life does not make deaf.
_MOST_VOTES = 5.0


@dataclass(slots=True)
class Thing:
    """One thing, believed (``track_id`` > 0) or not yet (0).

    evidence : what speaks for it, until it is believed
    votes : how sure its class is; majority vote after Boyer and Moore (1981), weighted by score
    misses : frames in a row without it
    before : how it was seen until it was believed, until that is told
    """

    class_id: int
    label: str
    score: float
    first_seen_ns: int
    last_seen_ns: int
    top_score: float
    evidence: float
    votes: float
    track_id: int = 0
    frames: int = 1
    misses: int = 0
    before: tuple[Glimpse, ...] = ()

    @classmethod
    def begin(cls, class_id: int, label: str, *, evidence: float, seen: Glimpse) -> Thing:
        """A thing seen once."""
        score, now_ns = seen.score, seen.seen_ns
        return cls(class_id, label, score, now_ns, now_ns, score, evidence, votes=score, before=(seen,))

    @property
    def age_s(self) -> float:
        """Seconds from the first to the newest sight of it."""
        return (self.last_seen_ns - self.first_seen_ns) * 1e-9

    def see(self, class_id: int, score: float, now_ns: int) -> bool:
        """It was seen again, perhaps taken for something else; True if that changed what it is held for."""
        self.score = score
        self.top_score = max(self.top_score, score)
        self.frames += 1
        self.misses = 0
        self.last_seen_ns = now_ns
        if class_id != self.class_id:
            return self._doubt(class_id, score)
        if self.votes < _MOST_VOTES:
            self.votes += score
        return False

    def _doubt(self, class_id: int, score: float) -> bool:
        self.votes -= score
        if self.votes >= 0.0:
            return False
        self.class_id, self.votes = class_id, -self.votes
        return True
