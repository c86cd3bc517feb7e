"""A flag that a thread can wait for together with a socket."""

from __future__ import annotations

import os
import select
import weakref


class Wake:
    """Set from any thread, waited for by one; ``fileno`` can stand in a poll beside a socket."""

    def __init__(self) -> None:
        self._descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        weakref.finalize(self, os.close, self._descriptor)

    def fileno(self) -> int:
        return self._descriptor

    def set(self) -> None:
        """Wake the waiter, or the next one to wait."""
        os.eventfd_write(self._descriptor, 1)

    def clear(self) -> None:
        """Forget the wake-ups so far; whoever clears looks for work afterwards, so that none is missed."""
        try:
            os.eventfd_read(self._descriptor)
        except BlockingIOError:
            return  # it was not set

    def wait(self, timeout_s: float) -> bool:
        """Whether it was set within the time; does not clear it."""
        poller = select.poll()
        poller.register(self, select.POLLIN)
        return bool(poller.poll(max(0.0, timeout_s) * 1000))
