"""All that is said about what one camera sees: who comes and goes, zones, lines, counts, and the rules' alerts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from edge.core.events import EventType, LineCrossing, Occurrence, Standing
from edge.core.values import FrameFacts, Track
from edge.track.areas import Anchor, Point
from edge.track.ledger import Ledger
from edge.track.lifecycle import LifeCycle
from edge.track.lines import Crossing, Lines
from edge.track.moment import Moments
from edge.track.occupancy import Headcount
from edge.track.rules.view import Happening, Rule, Speech, View
from edge.track.tallies import Tallies
from edge.track.visitor import Revision, Sight, Visitor
from edge.track.visitors import Visitors
from edge.track.zones import Step, Zones


@dataclass(frozen=True, slots=True)
class Layout:
    """What the configuration draws into a camera's picture, as parts of its width and height.

    zones : name -> corners; lines : name -> (from, to)
    anchor : which point of a box says where a thing is
    labels : those whose counts are told even while they are 0
    """

    zones: Mapping[str, Sequence[Point]] = field(default_factory=dict)
    lines: Mapping[str, tuple[Point, Point]] = field(default_factory=dict)
    anchor: Anchor = "bottom"
    labels: Sequence[str] = ()


class RuleBook:
    """The rules of one camera, and what they rest on.

    Durations are differences of the frames' monotonic times; the wall clock only says whether a rule is awake.

    Parameters
    ----------
    rules : in the order in which they are asked
    ledger : where line counts survive a restart; None = nowhere
    """

    def __init__(self, layout: Layout, rules: Sequence[Rule] = (), ledger: Ledger | None = None) -> None:
        self._layout = layout
        self._moments = Moments()
        self._visitors = Visitors(layout.anchor, self._moments)
        self._lives = LifeCycle()
        self._zones = Zones(layout.zones)
        self._lines = Lines(layout.lines)
        self._tallies = Tallies(layout.lines, ledger)
        self._headcount = Headcount(layout.labels, layout.zones)
        self._rules = tuple(rules)
        self._is_first = True
        self._is_impaired = False
        self._size = (1, 1)

    def change(self, layout: Layout, rules: Sequence[Rule], ledger: Ledger | None, *, fresh: frozenset[str]) -> None:
        """Another configuration from the next frame on; who is there stays there, and what has not changed goes on.

        Parameters
        ----------
        fresh : the names of rules that are new, or not what they were
        """
        before, self._layout = self._layout, layout
        revision = Revision(_changed(before.zones, layout.zones), _changed(before.lines, layout.lines), fresh)
        self._visitors.change(layout.anchor, revision)
        self._zones, self._lines = Zones(layout.zones), Lines(layout.lines)
        self._tallies.change(layout.lines, ledger)
        self._headcount.change(layout.labels, layout.zones)
        self._rules = tuple(rules)

    def update(self, tracks: Iterable[Track], frame: FrameFacts) -> list[Occurrence]:
        """What this frame gives reason to say, in order."""
        tracks = tuple(tracks)
        now, self._size = self._moments.add(frame), (frame.width, frame.height)
        self._tallies.begin(now)
        lives = self._lives.update(tracks, frame)
        changes = self._visitors.update(tracks, now, self._size)
        there = self._visitors.there
        steps, crossings = self._catch_up(changes.come)
        steps += self._zones.update(there, self._size)
        crossings += self._lines.update(there, self._size)
        happenings = self._farewells(changes.gone, lives)
        happenings += [self._start(each) for each in lives if each.type is EventType.TRACK_START]
        happenings += [_told(EventType.TRACK_UPDATE, each, each.sight) for each in changes.renamed]
        happenings += [_stepped(step) for step in steps]
        happenings += [self._crossed(crossing) for crossing in crossings]
        self._headcount.update(there)
        is_first = self._is_first or self._is_impaired or self._moments.is_after_blindness
        occurrences = self._judge(View(now, there, happenings, is_first))
        self._is_first = False
        self._tallies.keep(now)
        return occurrences

    def impair(self, *, is_impaired: bool) -> None:
        """Whether something is before the lens, or the like: who is not seen then may be there all the same."""
        self._is_impaired = is_impaired

    def finish(self) -> list[Occurrence]:
        """The camera sees nothing any more, or the recording has ended: so have the tracks.

        Nobody has left because the camera was switched off, so of the rules only those about lines speak.
        """
        happenings = self._farewells(self._visitors.dismiss(self._size), self._lives.finish())
        crossed = [each for each in happenings if each.occurrence.type is EventType.LINE_CROSS]
        if crossed:
            self._ask(View(self._moments.newest, (), crossed))
        self._headcount.update(())
        self._tallies.keep_all()
        self._is_first = True
        return [occurrence for each in happenings for occurrence in _with_hits(each)]

    def changes(self) -> list[Standing]:
        """Counts that have changed since they were last asked for."""
        return [*self._headcount.changes(), *self._tallies.changes()]

    def _catch_up(self, come: list[tuple[Visitor, list[Sight]]]) -> tuple[list[Step], list[Crossing]]:
        """What those who have come did before they were believed; each is left at its newest sight."""
        steps: list[Step] = []
        crossings: list[Crossing] = []
        for visitor, later in come:
            for sight in later:
                steps += self._zones.update([visitor], self._size)
                crossings += self._lines.update([visitor], self._size)
                self._visitors.go_on(visitor, sight, self._size)
        return steps, crossings

    def _judge(self, view: View) -> list[Occurrence]:
        own = [
            replace(speech.about, rule=speech.hit) for speech in self._ask(view) if isinstance(speech.about, Occurrence)
        ]
        return [occurrence for each in view.happenings for occurrence in _with_hits(each)] + own

    def _ask(self, view: View) -> list[Speech]:
        speeches = [speech for rule in self._rules for speech in rule.judge(view)]
        for speech in speeches:
            if isinstance(speech.about, Happening):
                speech.about.hits.append(speech.hit)
        return speeches

    def _farewells(self, gone: list[Visitor], lives: list[Occurrence]) -> list[Happening]:
        """For each track that has ended: what it crossed, the zones it was in, its end."""
        ends = {each.track.track_id: each for each in lives if each.type is EventType.TRACK_END and each.track}
        happenings = []
        for visitor in gone:
            happenings += [self._crossed(crossing) for crossing in self._lines.leave(visitor)]
            happenings += [_stepped(step) for step in self._zones.leave(visitor)]
            end = ends[visitor.track.track_id]
            happenings.append(Happening(replace(end, zones=visitor.zones), visitor))
        return happenings

    def _start(self, start: Occurrence) -> Happening:
        assert start.track is not None
        visitor = self._visitors.by_track(start.track.track_id)
        return Happening(replace(start, zones=visitor.zones), visitor, is_again=visitor.is_again)

    def _crossed(self, crossing: Crossing) -> Happening:
        self._tallies.count(crossing.line, crossing.direction)
        happening = _told(EventType.LINE_CROSS, crossing.visitor, crossing.sight)
        line = LineCrossing(crossing.line, crossing.direction)
        happening.occurrence = replace(happening.occurrence, line=line)
        return happening


def _changed(before: Mapping[str, object], now: Mapping[str, object]) -> frozenset[str]:
    """The names that stand for something else, or for nothing any more."""
    return frozenset(name for name, place in before.items() if now.get(name) != place)


def _stepped(step: Step) -> Happening:
    """The zone that was entered or left stands first; the others are those where the thing is besides."""
    happening = _told(EventType.ZONE_ENTER if step.is_in else EventType.ZONE_EXIT, step.visitor, step.sight)
    others = tuple(zone for zone in step.visitor.zones if zone != step.zone)
    happening.occurrence = replace(happening.occurrence, zones=(step.zone, *others))
    happening.zone, happening.is_again = step.zone, step.is_again
    return happening


def _told(kind: EventType, visitor: Visitor, sight: Sight) -> Happening:
    moment = sight.moment
    occurrence = Occurrence(
        kind, moment.captured_ns, moment.captured_at, moment.sequence, sight.track, zones=visitor.zones
    )
    return Happening(occurrence, visitor)


def _with_hits(happening: Happening) -> list[Occurrence]:
    """The happening, once for each rule that speaks about it."""
    if not happening.hits:
        return [happening.occurrence]
    return [replace(happening.occurrence, rule=hit) for hit in happening.hits]
