"""How often each line was crossed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from edge.core.events import LineCount
from edge.track.ledger import Ledger
from edge.track.lines import IN
from edge.track.moment import Moment


class Tallies:
    """The counts of one camera's lines, told when they change and kept where a restart finds them.

    Parameters
    ----------
    names : of the lines
    ledger : None = nothing is kept
    """

    def __init__(self, names: Iterable[str], ledger: Ledger | None = None) -> None:
        self._names = tuple(names)
        self._ledger = ledger
        self._counts: dict[str, LineCount] = {}
        self._told: dict[str, LineCount] = {}

    def change(self, names: Iterable[str], ledger: Ledger | None) -> None:
        """Other lines from now on; those that stay count on."""
        self._names, self._ledger = tuple(names), ledger
        self._counts = {name: count for name, count in self._counts.items() if name in self._names}
        self._told = {name: count for name, count in self._told.items() if name in self._names}

    def begin(self, now: Moment) -> None:
        """Take up the kept counts; lines without one begin at 0 now."""
        if len(self._counts) == len(self._names):
            return
        kept = {} if self._ledger is None else {count.line: count for count in self._ledger.read()}
        since_ms = round(now.captured_at.timestamp() * 1000)
        known = {name: self._counts.get(name) or kept.get(name) for name in self._names}
        self._counts = {name: count or LineCount(name, 0, 0, since_ms) for name, count in known.items()}

    def count(self, line: str, direction: str) -> None:
        before = self._counts[line]
        is_in = direction == IN
        self._counts[line] = replace(before, entered=before.entered + is_in, left=before.left + (not is_in))

    def keep(self, now: Moment) -> None:
        """Write what has changed, if it is time to."""
        if self._ledger is not None and self._counts:
            self._ledger.keep(tuple(self._counts.values()), now.captured_ns)

    def keep_all(self) -> None:
        """Write what has changed at once."""
        if self._ledger is not None and self._counts:
            self._ledger.write(tuple(self._counts.values()))

    def changes(self) -> list[LineCount]:
        """The counts that were not told yet, once each."""
        changed = [count for name, count in self._counts.items() if self._told.get(name) != count]
        self._told.update({count.line: count for count in changed})
        return changed
