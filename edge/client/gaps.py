"""What is missing: asked for where the device keeps events, passed over where it says that they are gone."""

from __future__ import annotations

from collections.abc import Iterable

from edge.client.addresses import Addresses
from edge.client.book import Book
from edge.client.confirmations import Confirmations
from edge.client.intake import Intake, Outcome
from edge.client.notices import Tell, gap_notice
from edge.client.payloads import Answer, replay_payload
from edge.client.replays import Replays, Request
from edge.core.protocols import Clock
from edge.core.values import Message
from edge.wire.connection import Connection

BEFORE_OUR_TIME = ""  # no loss to tell of
NOT_HELD = "the device does not hold them any more"
NOT_KEPT = "the device keeps nothing on disk"
NOT_ASKED = "not received; a consumer without a name can't ask for them"


class Gaps:
    """Looks at every device a few times a second, asks one thing at a time of each."""

    def __init__(
        self,
        book: Book,
        intake: Intake,
        replays: Replays,
        confirmations: Confirmations,
        addresses: Addresses,
        *,
        is_named: bool,
        clock: Clock,
        tell: Tell,
    ) -> None:
        self._book = book
        self._intake = intake
        self._replays = replays
        self._confirmations = confirmations
        self._addresses = addresses
        self._is_named = is_named
        self._clock = clock
        self._tell = tell
        self._told: dict[str, tuple[str, int]] = {}

    def connected(self) -> None:
        self._replays.connected()

    def note(self, outcome: Outcome) -> None:
        """What a batch brought; raises StoreError."""
        for device, answer in outcome.answers:
            request = self._replays.answered(device, answer.transaction)
            if request is not None and answer.status == "ok":
                self._settle(request, answer)
                self._confirmations.due([(device, request.epoch)])

    def look(self, connection: Connection) -> None:
        """Ask for what is due; raises StoreError."""
        now_ns = self._clock.monotonic_ns()
        for device in self._book.devices():
            if not (connection.is_open and connection.is_drained and self._confirmations.has_window):
                return
            if not self._is_named or not self._intake.can_replay(device):
                self._give_up(device, now_ns)
                continue
            request = self._replays.next(device, self._book.epochs(device), now_ns)
            if request is not None:
                self._ask(connection, request)

    def _ask(self, connection: Connection, request: Request) -> None:
        progress = self._book.find(request.device, request.epoch)
        if progress is not None and not request.is_closing:
            end = (request.epoch, progress.missing[-1][1])
            if self._told.get(request.device) != end:  # a long gap is asked for in pages, and told once
                self._told[request.device] = end
                self._tell(gap_notice(request.device, request.epoch, progress.missing, is_asked=True))
        payload = replay_payload(request.transaction, request.epoch, request.first, request.last)
        self._confirmations.publish(connection, Message(self._addresses.ask_replay(request.device), payload, qos=1))

    def _settle(self, request: Request, answer: Answer) -> None:
        """The device has said what it holds of the range, and what not."""
        held = [span[1] for span in answer.held if span[1] is not None]
        if request.is_closing:
            # what lies beyond everything held never was: only the holes before it are lost
            self._intake.change(request.device, request.epoch, heard=max(held, default=0), close=True)
        progress = self._book.find(request.device, request.epoch)
        highest = min(request.last, progress.heard if progress is not None else 0)
        gone = [
            (max(first, request.first), min(highest if last is None else last, highest))
            for first, last in answer.missing
        ]
        ranges = [(first, last) for first, last in gone if first <= last]
        if ranges and ranges[0][0] == 1 and self._book.begins_with(request.device, request.epoch):
            self._lose(request.device, request.epoch, ranges[:1], BEFORE_OUR_TIME)
            ranges = ranges[1:]
        self._lose(request.device, request.epoch, ranges, NOT_HELD)

    def _give_up(self, device: str, now_ns: int) -> None:
        """Nobody can be asked: after the grace, what is missing is lost, except what was before our time."""
        if not any(progress.missing for progress in self._book.epochs(device).values()):
            return
        if not self._replays.is_quiet(device, self._book.epochs(device), now_ns):
            return
        for epoch, progress in list(self._book.epochs(device).items()):
            missing = progress.missing
            if missing and missing[0][0] == 1 and self._book.begins_with(device, epoch):
                self._lose(device, epoch, missing[:1], BEFORE_OUR_TIME)
                missing = missing[1:]
            self._lose(device, epoch, missing, NOT_KEPT if self._is_named else NOT_ASKED)

    def _lose(self, device: str, epoch: str, ranges: Iterable[tuple[int, int]], cause: str) -> None:
        listed = list(ranges)
        if listed:
            self._intake.lose(device, epoch, listed, cause)
            self._confirmations.due([(device, epoch)])
