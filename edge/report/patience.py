"""When to send again what arrived at the broker and, it seems, no further. Pure; times are monotonic nanoseconds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from edge.report.outbox.values import Position

_NS_PER_S = 1_000_000_000
_EPOCHS = 1000  # cursors remembered; an epoch is a start of the service


class Unconfirmed:
    """Events that the consumer's cursor does not pass.

    A broker that was killed has forgotten what it acknowledged, and one that is full throws away; neither says so. What
    comes next after a cursor that stands still is what the consumer lacks, so the oldest few are sent again: more of
    them each time the cursor then moves on, ever more seldom while it does not.

    Each epoch has a cursor of its own: that of the newest may run on while an older one is stuck.

    first_s : how long a cursor may stand still; the reference consumer moves it five times a second
    longest_s : between two attempts for a consumer that is away
    few, many : events sent again at once, at first and at most
    """

    def __init__(self, *, first_s: float = 5.0, longest_s: float = 600.0, few: int = 20, many: int = 1280) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._few = few
        self._many = many
        self._wait_s = first_s
        self.count = few
        self._tried: Position | None = None
        self._due_ns: int | None = None
        self._acknowledged: deque[tuple[int, Position]] = deque()
        self._cursors: dict[str, tuple[int, int]] = {}  # epoch -> (number, when it came there)

    def connected(self, now_ns: int) -> None:
        """Another connection, perhaps another broker: whatever is unconfirmed may be gone."""
        self._acknowledged.clear()
        self._start_over(now_ns, wait_s=min(2.0, self._first_s))

    def acknowledged(self, position: Position, now_ns: int) -> None:
        """The broker has it; the consumer is given its time."""
        self._acknowledged.append((now_ns, position))
        self._forget(now_ns)
        if self._due_ns is None:
            self._due_ns = now_ns + self._ns(self._wait_s)

    def confirmed(self, cursor: Position, now_ns: int) -> None:
        """A cursor came; one that says again what is known moves nothing."""
        before = self._cursors.pop(cursor.epoch, (-1, 0))
        if cursor.seq <= before[0]:
            self._cursors[cursor.epoch] = before
            return
        self._cursors[cursor.epoch] = (cursor.seq, now_ns)
        if len(self._cursors) > _EPOCHS:
            del self._cursors[next(iter(self._cursors))]
        if self._tried is not None and is_covered(self._tried, cursor):
            # that was what it needed, and more may be missing
            self.count = min(self._many, self.count * 2)
            self._wait_s = self._first_s
            self._due_ns = now_ns + self._ns(min(1.0, self._first_s))

    def is_due(self, now_ns: int) -> bool:
        return self._due_ns is not None and now_ns >= self._due_ns

    def is_moving(self, epoch: str, now_ns: int) -> bool:
        """Whether the consumer is at work on this epoch: it has what it needs, it is only not through."""
        if self._tried is not None and self._tried.epoch == epoch:
            return False
        moved_ns = self._cursors.get(epoch, (0, None))[1]
        return moved_ns is not None and now_ns - moved_ns < self._ns(self._first_s)

    def too_young(self, now_ns: int) -> set[Position]:
        """Acknowledged so recently that a confirmation may be under way."""
        self._forget(now_ns)
        return {position for _, position in self._acknowledged}

    def sent_again(self, found: Sequence[Position], now_ns: int, *, is_all_quiet: bool) -> None:
        """What was found to send again; with nothing, and nothing to come, there is nothing to wait for."""
        if found:
            self._tried = found[-1]
            self._wait_s = min(self._longest_s, self._wait_s * 2)
            self._due_ns = now_ns + self._ns(self._wait_s)
            return
        self._start_over(now_ns, wait_s=self._first_s)
        if is_all_quiet and not self._acknowledged:
            self._due_ns = None

    def _start_over(self, now_ns: int, *, wait_s: float) -> None:
        self._wait_s = self._first_s
        self.count = self._few
        self._tried = None
        self._due_ns = now_ns + self._ns(wait_s)

    def _forget(self, now_ns: int) -> None:
        while self._acknowledged and now_ns - self._acknowledged[0][0] >= self._ns(self._first_s):
            self._acknowledged.popleft()

    @staticmethod
    def _ns(seconds: float) -> int:
        return round(seconds * _NS_PER_S)


class Awaited:
    """The consumer on a new connection, until it has spoken there.

    A broker that was killed has forgotten its subscription and its cursor. Both are back when it is, and what is sent
    before that is sent to others alone and has to be sent again. A broker that has forgotten nothing gives the cursor
    with the subscription, so that nothing waits at all.

    live_s, late_s : how long events wait for it: an alert hardly, a backlog a while
    """

    def __init__(self, *, live_s: float = 1.0, late_s: float = 15.0) -> None:
        self._live_ns = round(live_s * _NS_PER_S)
        self._late_ns = round(late_s * _NS_PER_S)
        self._since_ns: int | None = None

    def connected(self, now_ns: int) -> None:
        self._since_ns = now_ns

    def came(self) -> None:
        self._since_ns = None

    def holds_live(self, now_ns: int) -> bool:
        return self._since_ns is not None and now_ns - self._since_ns < self._live_ns

    def holds_late(self, now_ns: int) -> bool:
        return self._since_ns is not None and now_ns - self._since_ns < self._late_ns


class Ahead:
    """How far a backlog may run ahead of the consumer's cursor.

    What the broker has taken and the consumer not yet waits in the broker's queue for it; mosquitto keeps 1000 there
    and throws away the rest without a word, and then it has to be sent again. Live events are not counted: they are
    few, and the cursor does not pass them before the backlog is through. What is ahead when a broker is killed has to
    be sent again: with 500, 27 % of all messages were repeats under a storm of kills.

    most : late events sent and not confirmed, at a time
    forget_s : after so long an event counts no more: a cursor that stands still slows a backlog, and never ends it
    """

    def __init__(self, *, most: int = 200, forget_s: float = 2.0) -> None:
        self._most = most
        self._forget_ns = round(forget_s * _NS_PER_S)
        self._sent: deque[tuple[int, Position]] = deque()

    def sent(self, position: Position, now_ns: int) -> None:
        self._sent.append((now_ns, position))

    def confirmed(self, cursor: Position) -> None:
        self._sent = deque(each for each in self._sent if not is_covered(each[1], cursor))

    def clear(self) -> None:
        """Another connection: what was under way is settled in another way."""
        self._sent.clear()

    def is_full(self, now_ns: int) -> bool:
        while self._sent and now_ns - self._sent[0][0] >= self._forget_ns:
            self._sent.popleft()
        return len(self._sent) >= self._most


def is_covered(position: Position, cursor: Position) -> bool:
    """Whether a cursor has passed it."""
    return position.epoch == cursor.epoch and position.seq <= cursor.seq


class Unheard:
    """Events that the broker took and had nobody to give to.

    Tried again when somebody has come: an event on such a topic was heard, or a consumer spoke. Else seldom.
    """

    def __init__(self, *, first_s: float = 60.0, longest_s: float = 3600.0, least_s: float = 10.0) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._least_ns = round(least_s * _NS_PER_S)
        self._wait_s = first_s
        self._topics: set[str] = set()
        self._due_ns: int | None = 0
        self._tried_ns: int | None = None
        self.count = 0

    def add(self, topic: str, now_ns: int) -> None:
        self.count += 1
        self._topics.add(topic)
        if self._due_ns is None:
            self._due_ns = now_ns + round(self._wait_s * _NS_PER_S)

    def heard(self, topic: str, now_ns: int) -> None:
        """Somebody listens to this topic."""
        if topic in self._topics:
            self._topics.discard(topic)
            self.somebody_came(now_ns)

    def somebody_came(self, now_ns: int) -> None:
        self._wait_s = self._first_s
        if self.count:
            earliest_ns = now_ns if self._tried_ns is None else self._tried_ns + self._least_ns
            self._due_ns = min(max(now_ns, earliest_ns), now_ns if self._due_ns is None else self._due_ns)

    def is_due(self, now_ns: int) -> bool:
        return self._due_ns is not None and now_ns >= self._due_ns

    def tried(self, now_ns: int) -> None:
        """All of them are on their way again."""
        self.count = 0
        self._due_ns = None
        self._tried_ns = now_ns
        self._wait_s = min(self._longest_s, self._wait_s * 2)


class Refused:
    """Events the broker said no to: kept, counted, and tried again after a while.

    most : held back one by one; with more, all events wait, for then it is not about one topic
    """

    def __init__(self, *, wait_s: float = 60.0, most: int = 200) -> None:
        self._wait_ns = round(wait_s * _NS_PER_S)
        self._most = most
        self._until: dict[Position, int] = {}

    def __len__(self) -> int:
        return len(self._until)

    def add(self, position: Position, now_ns: int) -> None:
        self._until.pop(position, None)
        self._until[position] = now_ns + self._wait_ns

    def clear(self) -> None:
        """Another connection: the access list may be another."""
        self._until.clear()

    def held_back(self) -> Iterable[Position]:
        return self._until.keys()

    def is_everything(self) -> bool:
        return len(self._until) >= self._most

    def release(self, now_ns: int) -> bool:
        """Let go of those whose time has come; whether there were any."""
        due = [position for position, until_ns in self._until.items() if now_ns >= until_ns]
        for position in due:
            del self._until[position]
        return bool(due)
