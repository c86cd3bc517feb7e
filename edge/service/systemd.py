"""What systemd is told: READY, STATUS, WATCHDOG, STOPPING (sd_notify(3)). Silent where there is no systemd."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

from edge.core.plain_text import plain_text

logger = logging.getLogger(__name__)

_LONGEST_DIGITS = 20  # of 64 bits; beyond it somebody jokes
_UNWATCHED_S = 30.0  # without a watchdog the word is harmless, and who listens by hand hears it now and then


class Notifier:
    """Sends state lines to the socket systemd names in the environment; does nothing without one.

    A line end in a status would begin another assignment, which systemd would believe, so there is none.

    alive_every_s : how often ``alive`` is due: thrice within the unit's WatchdogSec, so that one late turn is forgiven
    note : stands before every status, such as "safe mode"
    """

    def __init__(
        self, address: str | None = None, *, environment: Mapping[str, str] = os.environ, note: str = ""
    ) -> None:
        self.note = note
        self._is_deaf = False
        self._address = address if address is not None else environment.get("NOTIFY_SOCKET", "")
        asked_s = _watchdog_s(environment)
        self._is_watched = asked_s is not None
        self.alive_every_s = (_UNWATCHED_S if asked_s is None else asked_s) / 3

    def ready(self, status: str) -> None:
        self._send(f"READY=1\nSTATUS={self._noted(status)}")

    def status(self, text: str) -> None:
        self._send(f"STATUS={self._noted(text)}")

    def reloading(self, now_ns: int) -> None:
        """A reload begins, at ``now_ns`` of the monotonic clock; it ends with ``ready``, whatever came of it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={now_ns // 1000}")

    def extend(self, seconds: float) -> None:
        """Starting takes longer than the unit allows: so long from now at least."""
        self._send(f"EXTEND_TIMEOUT_USEC={round(seconds * 1e6)}")

    def alive(self) -> None:
        """To be called when work advanced, not merely because time passed."""
        self._send("WATCHDOG=1")

    def stalled(self, what: str) -> None:
        """Work does not advance: where a watchdog is set, it is to bite now."""
        self._send(f"STATUS=standing still: {plain_text(what)}")
        if self._is_watched:
            self._send("WATCHDOG=trigger")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def _noted(self, text: str) -> str:
        return plain_text(f"{self.note}: {text}" if self.note else text)

    def _send(self, lines: str) -> None:
        if not self._address:
            return
        # A leading @ stands for the abstract name space's leading NUL.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            # Never wait: a listener that does not read must not stop the detector.
            with socket.socket(
                socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
            ) as channel:
                channel.sendto(lines.encode(), address)
        except BlockingIOError:
            logger.debug("systemd is not listening just now; not told: %s", lines)
            self._is_deaf = False
        except OSError as error:  # it may be back: without the next ping it would take us for dead
            if not self._is_deaf:
                logger.warning("systemd could not be told: %s; trying on", error)
            self._is_deaf = True


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """What WATCHDOG_USEC asks of this process (sd_watchdog_enabled(3)); the environment of a parent asks nothing."""
    asked, process = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    is_ours = not process or process == str(os.getpid())
    is_number = asked.isascii() and asked.isdigit() and len(asked) <= _LONGEST_DIGITS
    return int(asked) / 1e6 if is_ours and is_number and int(asked) else None
