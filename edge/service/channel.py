"""Frames of bytes between two processes of ours, over a socket that nobody waits for."""

from __future__ import annotations

import select
import socket
import struct

LARGEST = 8 * 1024 * 1024  # bytes in one frame; a snapshot is the largest thing there is
_UNSENT = 256 * 1024  # bytes that may wait for the other side to read
_READ = 64 * 1024
_READS_AT_ONCE = 16
_LENGTH = struct.Struct(">I")
_NOTHING = b""  # a frame of no length says that one follows


_ROUSING = _LENGTH.pack(0)


class ChannelClosedError(Exception):
    """The other side is gone, or does not speak our language."""


class Channel:
    """One end. A frame is its length in 4 bytes and then itself; an empty one is none, it wakes. For one thread.

    descriptors : what has come with it
    """

    def __init__(self, end: socket.socket, descriptors: tuple[int, ...] = ()) -> None:
        end.setblocking(False)
        self._end = end
        self.descriptors = descriptors
        self._unsent = bytearray()
        self._received = bytearray()

    def fileno(self) -> int:
        return self._end.fileno()

    @property
    def has_room(self) -> bool:
        """Whether one more frame is taken; else the other side is slow, and the caller keeps or drops what it has."""
        return len(self._unsent) < _UNSENT

    @property
    def is_flushed(self) -> bool:
        return not self._unsent

    def send(self, frame: bytes) -> None:
        """Take a frame and send what goes at once; raises ChannelClosedError."""
        self._unsent += _LENGTH.pack(len(frame))
        self._unsent += frame
        self.flush()

    def rouse(self) -> None:
        """Wake the other side, as a frame follows soon: what it does to come to itself is done by then.

        Where something waits to be sent it is awake. Raises ChannelClosedError.
        """
        if not self._unsent:
            self.send(_NOTHING)

    def flush(self) -> None:
        """Send what waits, as far as it goes; raises ChannelClosedError."""
        try:
            while self._unsent:
                sent = self._end.send(self._unsent)
                del self._unsent[:sent]
        except BlockingIOError:
            return
        except OSError as error:
            raise ChannelClosedError(str(error)) from error

    def receive(self) -> list[bytes]:
        """The whole frames that have come; raises ChannelClosedError once there are none before the end."""
        is_over = self._read()
        frames = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        if is_over and not frames:
            raise ChannelClosedError("the other process has gone")
        return frames

    def receive_one(self) -> bytes | None:
        """The first frame alone; those after it stay for ``receive``."""
        is_over = self._read()
        frame = self._next()
        if is_over and frame is None:
            raise ChannelClosedError("the other process has gone")
        return frame

    def wait(self, timeout_s: float, *others: int) -> bool:
        """Until something can be read, what waits can be sent, one of the other descriptors is ready, or time is up.

        What ``receive_one`` has left can be read: nothing more need come for it.

        Returns
        -------
        Whether one of the others is ready.
        """
        if self._has_frame():
            return False
        poller = select.poll()
        poller.register(self._end, select.POLLIN | (select.POLLOUT if self._unsent else 0))
        for other in others:
            poller.register(other, select.POLLIN)
        ready = poller.poll(max(0.0, timeout_s) * 1000)
        return any(descriptor in others for descriptor, _ in ready)

    def close(self) -> None:
        self._end.close()

    def _read(self) -> bool:
        """Take in what is there; whether the other side has closed."""
        try:
            for _ in range(_READS_AT_ONCE):
                part = self._end.recv(_READ)
                if not part:
                    return True
                self._received += part
                if len(part) < _READ:  # that was all; asking once more would take as long again
                    return False
        except BlockingIOError:
            return False
        except OSError:
            return True
        return False

    def _has_frame(self) -> bool:
        """Whether a whole frame (or the length of an impossible one) has been taken in already."""
        if len(self._received) < _LENGTH.size:
            return False
        (length,) = _LENGTH.unpack_from(self._received)
        return bool(length > LARGEST or len(self._received) >= _LENGTH.size + length)

    def _next(self) -> bytes | None:
        while self._received.startswith(_ROUSING):
            del self._received[: _LENGTH.size]
        if len(self._received) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._received)
        if length > LARGEST:
            raise ChannelClosedError(f"a frame of {length} bytes is none of ours")
        end = _LENGTH.size + length
        if len(self._received) < end:
            return None
        frame = bytes(self._received[_LENGTH.size : end])
        del self._received[:end]
        return frame
