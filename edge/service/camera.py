"""One camera's capture thread: opens, reads, and opens again after a fault, with growing patience."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable

from edge.core.errors import EdgeError, RecordingError
from edge.core.protocols import FrameSource
from edge.core.values import Frame
from edge.service.news import CameraNews, CameraState

logger = logging.getLogger(__name__)

# A camera that comes back is seen again within two seconds; one that stays away costs next to nothing.
_FIRST_WAIT_S = 0.25
_LONGEST_WAIT_S = 15.0


class CameraWorker:
    """Runs in its own thread from ``start`` to ``stop``; switched off in between it holds no source and reads nothing.

    put : takes each frame; may block (recordings read whole) or not (live)
    tell : takes each change of state; called from this thread
    is_enabled : whether it begins switched on
    """

    def __init__(
        self,
        camera: str,
        source: FrameSource,
        *,
        put: Callable[[Frame], None],
        tell: Callable[[CameraNews], None],
        is_enabled: bool = True,
    ) -> None:
        self.camera = camera
        self._source = source
        self._put = put
        self._tell = tell
        self._stop = threading.Event()
        self._changed = threading.Event()  # it is to stop, or was switched
        self._state: CameraState | None = None
        self._thread = self._make_thread()
        self.is_enabled = is_enabled
        self.captured = 0

    @property
    def state(self) -> CameraState | None:
        """As it was told last; None before the first word."""
        return self._state

    def start(self) -> None:
        self._thread.start()

    def enable(self) -> None:
        """Open the source again; a recording that had ended begins anew."""
        self.is_enabled = True
        self._wake()

    def disable(self) -> None:
        """Close the source; told as ``DISABLED`` once it is closed."""
        self.is_enabled = False
        self._wake()

    def ask_to_stop(self) -> None:
        self._stop.set()
        self._changed.set()

    def join(self, timeout_s: float) -> bool:
        """Whether the thread ended in time; one that hangs in native code is left to the end of the process."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _wake(self) -> None:
        self._changed.set()
        if not self._thread.is_alive() and not self._stop.is_set():
            self._thread = self._make_thread()
            self._thread.start()

    def _make_thread(self) -> threading.Thread:
        return threading.Thread(target=self._run, name=f"capture-{self.camera}", daemon=True)

    def _run(self) -> None:
        wait_s = _FIRST_WAIT_S
        while not self._stop.is_set():
            if not self.is_enabled:
                self._rest()
                wait_s = _FIRST_WAIT_S
                continue
            before = self.captured
            try:
                self._source.open()
                if self._read_until_it_ends():
                    return
                continue
            except RecordingError as error:
                self._become(CameraState.FAILED, error)
                return
            except EdgeError as error:
                self._become(CameraState.OFFLINE, error)
            except Exception as error:  # a fault in a foreign library must not silence the camera for good
                if self._state is not CameraState.OFFLINE:  # the first time in full; it may go on for days
                    logger.exception("camera %s: unexpected fault in its source", self.camera)
                self._become(CameraState.OFFLINE, EdgeError(f"unexpected fault in its source: {error!r}"))
            finally:
                self._source.close()
            wait_s = _FIRST_WAIT_S if self.captured > before else min(wait_s * 2, _LONGEST_WAIT_S)
            # jitter, so that many cameras behind one switch do not come back in step
            self._changed.wait(wait_s * random.uniform(0.75, 1.25))  # noqa: S311
            self._changed.clear()

    def _rest(self) -> None:
        """Wait to be switched on."""
        self._become(CameraState.DISABLED, None)
        while not (self.is_enabled or self._stop.is_set()):
            self._changed.wait()
            self._changed.clear()

    def _read_until_it_ends(self) -> bool:
        """Whether it ended by itself; else it was stopped or switched off."""
        while self.is_enabled and not self._stop.is_set():
            frame = self._source.read()
            if frame is None:
                self._become(CameraState.ENDED, None)
                return True
            self.captured += 1
            self._become(CameraState.ONLINE, None)
            self._put(frame)
        return False

    def _become(self, state: CameraState, error: EdgeError | None) -> None:
        if state is self._state:
            return
        self._state = state
        self._tell(CameraNews(self.camera, state, error))
