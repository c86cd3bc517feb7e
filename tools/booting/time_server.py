"""A time server on this machine's loopback: what a router is to a camera that has no clock of its own."""

from __future__ import annotations

import socket
import struct
import threading
import time

_PORT = 123
_1900_TO_1970_S = 2_208_988_800
_PACKET = struct.Struct("!BBbb11I")  # RFC 5905, figure 8, without extensions


class TimeServer:
    """Answers until ``stop``. Port 123 takes root."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", _PORT))
        threading.Thread(target=self._serve, daemon=True).start()

    def stop(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                request, sender = self._socket.recvfrom(1024)
                if len(request) >= _PACKET.size:
                    self._socket.sendto(answer(request), sender)
            except OSError:
                return


def answer(request: bytes) -> bytes:
    now = time.time() + _1900_TO_1970_S
    seconds, fraction = int(now), int(now % 1 * 2**32)
    sent = _PACKET.unpack(request[: _PACKET.size])[13:15]  # the client's time of sending comes back to it
    stamp = (seconds, fraction)
    # no leap second, version 4, server; stratum 2; a precision of about 1 us; root delay, dispersion and id
    return _PACKET.pack(0x24, 2, 6, -20, 0, 1 << 8, 0x7F000001, *stamp, *sent, *stamp, *stamp)
