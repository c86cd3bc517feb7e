"""What the consumer tells the publisher: how far it is, and what it lacks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec

from edge.core.protocols import Clock
from edge.core.values import Message
from edge.report.courier import Courier
from edge.report.listening import PAYLOAD_LIMIT, Heard, Subscription
from edge.report.outbox.spans import Span
from edge.report.outbox.trouble import OutboxError
from edge.report.outbox.values import Position
from edge.report.topics import Topics

logger = logging.getLogger(__name__)

REPLAY = "replay"
MOST_SPANS = 1000  # in one answer: some 20 kB
# With commands on a broker hands out each request twice, once for each of two subscriptions; QoS 1 may repeat it too.
_REPEATED_NS = 1_000_000_000
# Each costs a search in the outbox. A consumer asks for a gap at a time, and again after ten seconds.
MOST_ASKED_A_SECOND = 50
_SECOND_NS = 1_000_000_000

_Epoch = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Seq = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
_Number = Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]


class _Cursor(msgspec.Struct, frozen=True):
    epoch: _Epoch
    seq: _Seq


class _Replay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    transaction: Annotated[str, msgspec.Meta(max_length=64, pattern=r"\A[!-~]+\Z")]
    epoch: Annotated[str, msgspec.Meta(pattern=r"\A[0-9A-Za-z_-]{1,64}\Z")]
    first: _Number = msgspec.field(name="from")
    last: _Number = msgspec.field(name="to")


_read_cursor = msgspec.json.Decoder(_Cursor).decode
_read_replay = msgspec.json.Decoder(_Replay).decode
_encode = msgspec.json.Encoder().encode


class Receipts:
    """Belongs to the session's thread.

    Parameters
    ----------
    consumer : whose cursor counts; None = nobody's
    answer : sends a response
    """

    def __init__(
        self,
        courier: Courier,
        topics: Topics,
        *,
        consumer: str | None,
        answer: Callable[[Message], None],
        clock: Clock,
    ) -> None:
        self._courier = courier
        self._cursor = None if consumer is None else topics.cursor(consumer)
        self._replay = topics.command(REPLAY)
        self._response = topics.response(REPLAY)
        self._answer = answer
        self._clock = clock
        self._newest = (b"", 0)
        self._second_ns, self._asked = 0, 0

    def subscriptions(self) -> list[Subscription]:
        """What to listen to."""
        asked = Subscription(self._replay, self._hear_request, as_published=True)
        return [asked] if self._cursor is None else [asked, Subscription(self._cursor, self._hear_cursor)]

    def _hear_cursor(self, heard: Heard) -> None:
        if _is_short(heard):
            self._confirm(heard.payload)

    def _hear_request(self, heard: Heard) -> None:
        # a retained command would be carried out again on every connect
        if not heard.retained and _is_short(heard) and not self._is_repeated(heard.payload):
            self._ask(heard.payload)

    def _is_repeated(self, payload: bytes) -> bool:
        """Whether the very same was asked just now: its events are on their way already."""
        (before, heard_ns), now_ns = self._newest, self._clock.monotonic_ns()
        self._newest = (payload, now_ns)
        return payload == before != b"" and now_ns - heard_ns < _REPEATED_NS

    def _confirm(self, payload: bytes) -> None:
        try:
            cursor = _read_cursor(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if payload:  # an empty one is how a retained cursor is taken back
                logger.warning("the cursor on %s can't be read: %s", self._cursor, error)
            return
        self._courier.confirm(Position(cursor.epoch, cursor.seq))

    def _is_too_many(self) -> bool:
        """Whether more is asked than one second's worth."""
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._second_ns >= _SECOND_NS:
            self._second_ns, self._asked = now_ns, 0
        self._asked += 1
        return self._asked > MOST_ASKED_A_SECOND

    def _ask(self, payload: bytes) -> None:
        if self._is_too_many():
            if self._asked == MOST_ASKED_A_SECOND + 1:  # the rest is passed over: an answer to each is a flood as well
                reason = f"too many: {MOST_ASKED_A_SECOND} a second are carried out; ask again later"
                self._respond({"transaction": _transaction(payload), "status": "error", "reason": reason})
            return
        try:
            wanted = _read_replay(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._respond({"transaction": _transaction(payload), "status": "error", "reason": str(error)})
            return
        if wanted.first > wanted.last:
            self._respond({"transaction": wanted.transaction, "status": "error", "reason": "from is beyond to"})
            return
        try:
            found = self._courier.replay(wanted.epoch, wanted.first, wanted.last)
        except OutboxError as error:  # "missing" would be believed, and given up for good
            reason = f"the outbox can't be read just now ({error}): ask again"
            self._respond({"transaction": wanted.transaction, "status": "error", "reason": reason})
            return
        if len(found.held) + len(found.missing) > MOST_SPANS:
            reason = "more holes than one answer takes: ask for a smaller range"
            self._respond({"transaction": wanted.transaction, "status": "error", "reason": reason})
            return
        self._respond(
            {
                "transaction": wanted.transaction,
                "status": "ok",
                "held": _pairs(found.held),
                "missing": _pairs(found.missing),
            }
        )

    def _respond(self, answer: dict[str, Any]) -> None:
        self._answer(Message(self._response, _encode(answer), qos=1))


def _is_short(heard: Heard) -> bool:
    """Before anything is parsed: a cursor has 50 bytes, a request some hundred."""
    if len(heard.payload) <= PAYLOAD_LIMIT:
        return True
    logger.warning("a message on %.100s is larger than %d bytes: ignored", heard.topic, PAYLOAD_LIMIT)
    return False


def _pairs(spans: Sequence[Span]) -> list[tuple[int, int | None]]:
    return [(span.first, span.last) for span in spans]


def _transaction(payload: bytes) -> str:
    """As far as it can be told, so that whoever asked finds the answer."""
    try:
        asked = msgspec.json.decode(payload, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    transaction = asked.get("transaction")
    return transaction[:64] if isinstance(transaction, str) else ""
