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

# A camera that comes back is seen again within two seconds; one that stays away for long costs next to nothing.
_FIRST_WAIT_S = 0.25
_LONG_WAIT_S = 1.2
_PATIENT_TRIES = 250  # five minutes
_LONGEST_WAIT_S = 15.0
_STEADY_NS = 5_000_000_000  # one that was here for less flaps: opening it again at once would cost more than it gives


class CameraWorker:
    """Runs in its own thread from ``start`` to ``ask_to_stop``, or until a recording has ended.

    put : takes each frame; may block
    tell : takes each change of state; called from this thread
    enter : hears what the thread is about to do: "opening", "reading" (from the first frame on) or "resting"
    """

    def __init__(
        self,
        camera: str,
        source: FrameSource,
        *,
        put: Callable[[Frame], None],
        tell: Callable[[CameraNews], None],
        enter: Callable[[str], None] = lambda _phase: None,
    ) -> None:
        self.camera = camera
        self._source = source
        self._put = put
        self._tell = tell
        self._enter = enter
        self._stop = threading.Event()
        self._state: CameraState | None = None
        self._thread = threading.Thread(target=self._run, name=f"capture-{camera}", daemon=True)
        self._was_steady = True
        self.captured = 0

    def start(self) -> None:
        self._thread.start()

    def ask_to_stop(self) -> None:
        self._stop.set()

    def join(self, timeout_s: float) -> bool:
        """Whether the thread ended in time; one that hangs in native code is left to the end of the process."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        wait_s, tries = _FIRST_WAIT_S, 0
        while not self._stop.is_set():
            before = self.captured
            try:
                self._enter("opening")
                self._source.open()
                self._read_until_it_ends()
                return
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
            tries = 0 if self.captured > before else tries + 1
            longest_s = _LONG_WAIT_S if tries < _PATIENT_TRIES else _LONGEST_WAIT_S
            wait_s = _FIRST_WAIT_S if self._was_steady else min(wait_s * 2, longest_s)
            self._was_steady = False
            # jitter, so that many cameras behind one switch do not come back in step
            self._enter("resting")
            self._stop.wait(wait_s * random.uniform(0.75, 1.25))  # noqa: S311

    def _read_until_it_ends(self) -> None:
        is_first, began_ns = True, 0
        while not self._stop.is_set():
            frame = self._source.read()
            if frame is None:
                self._become(CameraState.ENDED, None)
                return
            if is_first:
                self._enter("reading")
                is_first, began_ns = False, frame.captured_ns
            self._was_steady |= frame.captured_ns - began_ns >= _STEADY_NS
            self.captured += 1
            self._become(CameraState.ONLINE, None)
            self._put(frame)

    def _become(self, state: CameraState, error: EdgeError | None) -> None:
        if state is self._state:
            return
        self._state = state
        self._tell(CameraNews(self.camera, state, error))
