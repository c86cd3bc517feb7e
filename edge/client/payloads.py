"""What comes in, read and checked: events, replay's answers, a device's promise; and what goes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec

from edge.client.addresses import device_of
from edge.core.names import is_name

SCHEMA = 1
PAYLOAD_LIMIT = 256 * 1024  # bytes; far above any event, so that a broken sender can't fill the disk
HIGHEST = 2**53 - 1  # beyond it not every JSON reader counts exactly

_Seq = Annotated[int, msgspec.Meta(ge=1, le=HIGHEST)]
_Epoch = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Bound = Annotated[int, msgspec.Meta(ge=0, le=HIGHEST)]
_Span = tuple[_Bound, _Bound | None]


class PayloadError(ValueError):
    """A payload that is not what the contract says; its text tells a person why."""


class Lost(msgspec.Struct, frozen=True):
    """Numbers that a device names as never coming; the last of a range is null where it runs to the epoch's end."""

    epoch: str
    ranges: Annotated[list[_Span], msgspec.Meta(max_length=1000)]
    cause: Annotated[str, msgspec.Meta(max_length=200)] = "unknown"


class _Event(msgspec.Struct, frozen=True):
    schema: int
    device: str
    epoch: _Epoch
    seq: _Seq
    type: Annotated[str, msgspec.Meta(max_length=64)]
    camera: str
    replayed: bool = False
    lost: Lost | None = None


class _Schema(msgspec.Struct, frozen=True):
    schema: int


class Answer(msgspec.Struct, frozen=True):
    """A device's answer to ``command/replay``."""

    transaction: str
    status: str
    held: list[_Span] = []
    missing: list[_Span] = []
    reason: str = ""


class _Info(msgspec.Struct, frozen=True):
    delivery: str = "unknown"


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """An event as it came in.

    payload : the bytes of the device, unchanged
    replayed : sent late by the device
    lost : earlier events that will not come, when this one tells of them
    """

    device: str
    epoch: str
    seq: int
    type: str
    camera: str
    payload: bytes
    replayed: bool = False
    lost: Lost | None = None


_read_event = msgspec.json.Decoder(_Event).decode
_read_schema = msgspec.json.Decoder(_Schema).decode
_read_answer = msgspec.json.Decoder(Answer).decode
_read_info = msgspec.json.Decoder(_Info).decode
_encode = msgspec.json.Encoder().encode


def read_event(topic: str, payload: bytes) -> ReceivedEvent:
    """Read an event; raises PayloadError, also when it claims to come from another device than its topic says."""
    if len(payload) > PAYLOAD_LIMIT:
        raise PayloadError(f"{len(payload)} bytes are more than an event has ({PAYLOAD_LIMIT})")
    try:
        schema = _read_schema(payload).schema
        if schema != SCHEMA:
            raise PayloadError(f"it has schema {schema}, this consumer knows {SCHEMA}: update it; nothing is lost")
        event = _read_event(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PayloadError(f"it is no event: {error}") from error
    if event.device != device_of(topic) or not is_name(event.camera):
        raise PayloadError(f"it claims to come from device {event.device!r:.80}, camera {event.camera!r:.80}")
    return ReceivedEvent(
        event.device, event.epoch, event.seq, event.type, event.camera, payload, event.replayed, event.lost
    )


def read_answer(payload: bytes) -> Answer:
    """Raises PayloadError."""
    try:
        return _read_answer(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PayloadError(f"it is no answer: {error}") from error


def can_replay(payload: bytes) -> bool:
    """Whether a device's info says that it keeps events; true where it does not say."""
    try:
        return _read_info(payload).delivery != "memory"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return True


def cursor_payload(epoch: str, seq: int) -> bytes:
    return _encode({"epoch": epoch, "seq": seq})


def replay_payload(transaction: str, epoch: str, first: int, last: int) -> bytes:
    return _encode({"transaction": transaction, "epoch": epoch, "from": first, "to": last})
