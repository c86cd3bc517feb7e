"""Messages become stored events and a position, in one transaction; only then does the broker hear of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from edge.client.addresses import Addresses, device_of, kind_of
from edge.client.book import Book, Key
from edge.client.notices import Notice, NoticeKind, Tell, lost_notice
from edge.client.numbers import Numbers, Range
from edge.client.payloads import Answer, PayloadError, ReceivedEvent, can_replay, read_answer, read_event
from edge.client.progress import Progress, Verdict
from edge.client.store import Store
from edge.wire.packets import Incoming


@dataclass(slots=True)
class Outcome:
    """What one batch brought.

    moved : positions that changed or whose events came again; their cursor is due
    heard : (device, epoch) of new events
    """

    moved: dict[Key, None] = field(default_factory=dict)
    heard: dict[Key, None] = field(default_factory=dict)
    answers: list[tuple[str, Answer]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


class Intake:
    """Belongs to the thread of the network.

    strict_order : events wait in the file until those before them are there
    """

    def __init__(self, store: Store, book: Book, addresses: Addresses, *, strict_order: bool, tell: Tell) -> None:
        self._store = store
        self._book = book
        self._addresses = addresses
        self._strict_order = strict_order
        self._tell = tell
        self._told: set[str] = set()
        self._cannot_replay: set[str] = set()
        self.counts: Counter[str] = Counter()

    def can_replay(self, device: str) -> bool:
        """Whether the device keeps events; until its info says otherwise, yes."""
        return device not in self._cannot_replay

    def take(self, messages: Sequence[Incoming]) -> Outcome:
        """Store what is new; raises StoreError with nothing changed, and the messages still the broker's."""
        outcome = Outcome()
        counts = Counter(self.counts)
        try:
            with self._store.transaction():
                for message in messages:
                    self._take_one(message, outcome)
                outcome.moved.update(dict.fromkeys(self._book.save()))
        except BaseException:
            self.counts = counts
            self._book.load()
            raise
        for notice in outcome.notices:
            self._tell(notice)
        return outcome

    def lose(self, device: str, epoch: str, ranges: Sequence[tuple[int, int | None]], cause: str) -> None:
        """Events that will not come are passed over, and said; raises StoreError with nothing changed.

        cause : empty = they were before our time, which is no loss to tell of
        """
        notices: list[Notice] = []
        try:
            with self._store.transaction():
                self._lose(device, epoch, ranges, cause, notices)
                self._book.save()
        except BaseException:
            self._book.load()
            raise
        for notice in notices:
            self._tell(notice)

    def change(self, device: str, epoch: str, *, heard: int = 0, close: bool = False) -> None:
        """What a device says it has of an epoch; raises StoreError with nothing changed."""
        try:
            with self._store.transaction():
                progress = self._book.change(device, epoch)
                progress.hear(heard)
                progress.is_closed = progress.is_closed or close
                self._book.save()
        except BaseException:
            self._book.load()
            raise

    def _take_one(self, message: Incoming, outcome: Outcome) -> None:
        device, kind = device_of(message.topic), kind_of(message.topic)
        try:
            if device is None or kind is None or not self._addresses.wants(device):
                return
            if kind == "info":
                self._note_info(device, message.payload)
            elif message.retain:
                raise PayloadError("it is retained, and a device never retains it: somebody else put it there")
            elif kind == "response":
                outcome.answers.append((device, read_answer(message.payload)))
            else:
                self._take_event(read_event(message.topic, message.payload), outcome)
        except PayloadError as error:
            self._refuse(message.topic, error, outcome)

    def _take_event(self, event: ReceivedEvent, outcome: Outcome) -> None:
        key = (event.device, event.epoch)
        verdict = self._book.take(*key, event.seq)
        if verdict is Verdict.REPEAT:
            self.counts["repeats"] += 1
            outcome.moved[key] = None  # it does not know that we have it: tell it once more
            return
        if verdict is Verdict.NO_ROOM:
            self.counts["postponed"] += 1
            return
        self.counts["events"] += 1
        outcome.heard[key] = None
        self._store.add(event, in_turn=not self._strict_order)
        if event.lost is not None:
            self._lose(event.device, event.lost.epoch, event.lost.ranges, event.lost.cause, outcome.notices)

    def _lose(
        self,
        device: str,
        epoch: str,
        ranges: Sequence[tuple[int, int | None]],
        cause: str,
        notices: list[Notice],
    ) -> None:
        if not epoch:
            return  # a damaged file did not even tell which; the event itself says so to the user
        progress: Progress = self._book.change(device, epoch)
        news: list[Range] = [change for first, last in ranges for change in progress.lose(first, last)]
        if news and cause:
            self.counts["lost"] += sum(last - first + 1 for first, last in news)
            notices.append(lost_notice(device, epoch, Numbers(news).ranges, cause))

    def _note_info(self, device: str, payload: bytes) -> None:
        if can_replay(payload):
            self._cannot_replay.discard(device)
        else:
            self._cannot_replay.add(device)

    def _refuse(self, topic: str, error: PayloadError, outcome: Outcome) -> None:
        self.counts["refused"] += 1
        if topic not in self._told and len(self._told) < 1000:
            self._told.add(topic)
            words = f"a message on {topic} was not taken: {error}"
            outcome.notices.append(Notice(NoticeKind.REFUSED, words, device_of(topic)))
