"""Whether something listens at an address; no byte is sent."""

from __future__ import annotations

import socket

from edge.wire.reasons import network_words

_WITHIN_S = 5.0


def reach(host: str, port: int) -> str | None:
    """Why not, in words; None when it does."""
    try:
        socket.create_connection((host, port), timeout=_WITHIN_S).close()
    except OSError as error:
        return network_words(error).replace("the broker", "it")
    return None
