"""What all rules have in common: what they look at, when they are awake, and why they spoke."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge.core.events import Reason, RuleHit, Severity
from edge.core.values import Track
from edge.track.hours import Hours
from edge.track.moment import Moment
from edge.track.visitor import Stay, Visitor


@dataclass(frozen=True, slots=True)
class Terms:
    """What the configuration says.

    label : None = any; zone : None = the whole picture
    hours : None = always
    threshold : class id -> the score from which a thing counts
    """

    name: str
    severity: Severity = Severity.ALERT
    label: str | None = None
    zone: str | None = None
    cooldown_s: float = 0.0
    hours: Hours | None = None
    threshold: Callable[[int], float] = lambda _class_id: 0.0


class Voice:
    """Speaks for a rule: when it is awake, and not sooner after it spoke than it may."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._spoke: Moment | None = None

    def is_awake(self, now: Moment) -> bool:
        hours = self.terms.hours
        return hours is None or hours.hold(now.captured_at)

    def means(self, visitor: Visitor) -> bool:
        """Whether the rule's label is the visitor's."""
        return self.terms.label in (None, visitor.track.label)

    def stay(self, visitor: Visitor) -> Stay | None:
        """The visitor's time where the rule looks; None when the rule does not mean it, or not there."""
        return visitor.stay(self.terms.zone) if self.means(visitor) else None

    def speak(self, now: Moment, track: Track | None, *reasons: Reason, place: str = "in_zone") -> RuleHit | None:
        """Say why; None while the rule sleeps or keeps quiet. ``place``: what is true of the rule's zone, if any."""
        if not self.is_awake(now):
            return None
        cooldown_s, spoke = self.terms.cooldown_s, self._spoke
        quiet = None if spoke is None else Reason("quiet_ms", _ms(now, spoke), round(cooldown_s * 1000))
        if quiet is not None and cooldown_s > 0.0 and quiet.value < quiet.threshold:
            return None
        self._spoke = now
        why = [*self._score(track), *reasons]
        if self.terms.zone is not None:
            why.append(holds(place))
        if self.terms.hours is not None:
            why.append(holds("in_schedule"))
        if quiet is not None and cooldown_s > 0.0:
            why.append(quiet)
        return RuleHit(self.terms.name, self.terms.severity, tuple(why))

    def _score(self, track: Track | None) -> list[Reason]:
        """The newest score where it reaches the threshold, else the best so far, which did."""
        if track is None:
            return []
        threshold = self.terms.threshold(track.class_id)
        if track.score >= threshold:
            return [Reason("score", track.score, threshold)]
        return [Reason("top_score", track.top_score, threshold)]


def holds(condition: str) -> Reason:
    """A condition that is true or not."""
    return Reason(condition, 1.0, 1.0)


def lasted(condition: str, now: Moment, since: Moment, seconds: float) -> Reason:
    """A condition on time, in milliseconds."""
    return Reason(condition, _ms(now, since), round(seconds * 1000))


def _ms(now: Moment, since: Moment) -> float:
    return max(0, now.captured_ns - since.captured_ns) // 1_000_000
