"""Messages as JSON lines: for replay, and for people without a broker."""

from __future__ import annotations

import base64
from typing import Any, TextIO

import msgspec

from edge.core.errors import BrokerError
from edge.core.values import Message

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class JsonLinesSink:
    """Writes one line per message: ``{"topic": ..., "qos": ..., "retain": ..., "payload": ...}``.

    The payload stands as JSON where it is JSON, as text where it is text, else as ``{"base64": "..."}``.
    The stream stays the caller's: ``close`` flushes it and leaves it open.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def open(self) -> None:
        """Nothing to get ready."""

    def send(self, message: Message) -> None:
        """Write and flush, so that whoever follows the file sees whole lines.

        Raises
        ------
        BrokerError
            The disk is full, or the file is gone. A reader that has left (``| head``) stays a BrokenPipeError,
            which ends a command quietly.
        """
        line = _encode(
            {
                "topic": message.topic,
                "qos": message.qos,
                "retain": message.retain,
                "payload": _readable(message.payload),
            }
        )
        try:
            self._stream.write(line.decode() + "\n")
            self._stream.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            name = getattr(self._stream, "name", "the stream")
            raise BrokerError(f"{name}: could not write a message: {error.strerror or error}") from error

    def close(self) -> None:
        """Flush what an interrupted write left behind; never raises."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            return


def _readable(payload: bytes) -> Any:
    try:
        return _decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(payload).decode("ascii")}
