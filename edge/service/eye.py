"""One camera as the service sees it: a process that captures, the memory it writes into, and its state."""

from __future__ import annotations

import logging
from dataclasses import replace

import msgspec

from edge.core.errors import Away, SourceError
from edge.core.protocols import Clock
from edge.core.values import FrameFacts
from edge.service import capture_letters as letters
from edge.service.announced import Announced
from edge.service.capture import Capture
from edge.service.capture_letters import Announce, Begin, Grant, Leave, Phase, Regard, Tighten, Told
from edge.service.child import Child
from edge.service.leases import LeaseError, Leases
from edge.service.news import CameraNews, CameraState
from edge.service.progress import Stage
from edge.service.trouble import Trouble

logger = logging.getLogger(__name__)

_OVER = {CameraState.ENDED, CameraState.FAILED}
_LEAVE_S = 1.0
# Whoever looks at an alarm must not wait for patience: the gap that a lost process leaves is below 3 s, always.
STABLE_S = 3.0
LONGEST_WAIT_S = 2.0
STALL_S = 8.0  # so much later than it should have been ended, a process that hangs is a fault of ours


class Eye:
    """Keeps a camera's process running while the camera is switched on, and gives it slots to write into.

    A recording that has come to its end, or can't be read, has no process any more; switched on again it begins anew.
    """

    def __init__(self, capture: Capture, memory: int, clock: Clock, *, is_enabled: bool = True) -> None:
        """
        Parameters
        ----------
        memory : the descriptor of the camera's shared memory
        """
        self._capture = capture
        self._memory = memory
        self._clock = clock
        self._child: Child | None = None
        self._leave_ns: int | None = None
        self._is_stopping = False
        self._restarts = 0
        self._deaths_seen = 0
        self._state: CameraState | None = None
        self._phase = "opening"
        self._news: list[CameraNews] = []
        self._tightness = 1.0
        self._words = 0
        self._is_changing = False
        self.era = 0
        self.leases = Leases()
        self.is_enabled = is_enabled

    @property
    def camera(self) -> str:
        return self._capture.camera

    @property
    def is_whole(self) -> bool:
        return self._capture.is_whole

    @property
    def state(self) -> CameraState | None:
        """As it was told last; None before the first word."""
        return self._state

    @property
    def restarts(self) -> int:
        """How often its process had to be started again."""
        return self._restarts + (0 if self._child is None else self._child.restarts)

    @property
    def is_gone(self) -> bool:
        """Whether it has no process, and gets none by itself."""
        return self._child is None and (self._is_stopping or not self.is_enabled or self._state in _OVER)

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.pid

    def fileno(self) -> int | None:
        """To wait for."""
        return None if self._child is None or self._child.channel is None else self._child.channel.fileno()

    def enable(self) -> None:
        """Open the source again; a recording that had ended begins anew."""
        self.is_enabled = True
        if self._state in _OVER or self._state is CameraState.DISABLED:
            self._state = None

    def disable(self) -> None:
        """Close the source; told as ``DISABLED`` once it is closed."""
        self.is_enabled = False
        self._ask_to_leave()

    def change(self, capture: Capture) -> bool:
        """Another source, or the same with pictures otherwise looked at; whether it takes another process."""
        before, self._capture = self._capture, capture
        if before == capture:
            return False
        is_same_source = before == replace(capture, look=before.look)
        if is_same_source and (self._child is None or self._child.send(letters.encode(Regard(capture.look)))):
            return False
        self.era += 1
        self._is_changing = self._child is not None
        if self.is_enabled:
            self._state = None
        self._ask_to_leave()
        return True

    def stop(self) -> None:
        """For good."""
        self._is_stopping = True
        self._ask_to_leave()

    def end(self) -> None:
        """Whatever the process does."""
        self._is_stopping = True
        if self._child is not None:
            self._child.end()
            self._let_go()

    def stage(self) -> Stage:
        """Standing still: it is to read, says nothing, and nobody ends its process. A camera that is away is tried."""
        return Stage(
            f"camera {self.camera}",
            lambda: None if self._child is None or self.leases.granted is None else (self._words, self.restarts),
            lambda: STALL_S + self._capture.patience.of(self._phase),
        )

    def tend(self) -> None:
        """Start what should run, end what hangs."""
        child = self._child
        if child is None:
            self._tend_nobody()
            return
        if self._leave_ns is not None and self._clock.monotonic_ns() >= self._leave_ns:
            child.end()
        if child.has_gone:
            self._let_go()
            return
        started = child.tend()
        self._look_for_death()
        if started:
            self._begin_anew()

    def receive(self) -> list[Announced | CameraNews]:
        """What the process has said, in order."""
        said: list[Announced | CameraNews] = [*self._take_news()]
        if self._child is None:
            return said
        for frame in self._child.receive():
            self._words += 1
            try:
                said += self._hear(letters.read_by_service(frame))
            except (msgspec.DecodeError, ValueError, LeaseError) as error:  # ValueError: no UTF-8, no known state
                self._child.fail(f"said what makes no sense ({error})")
                break
        self._look_for_death()
        return said + self._take_news()

    def grant(self) -> None:
        """Give the process a slot, if it has none and one is free."""
        if self._child is None or self._child.channel is None or self._leave_ns is not None:
            return
        slot = self.leases.grant()
        if slot is not None:
            self._child.send(letters.encode(Grant(slot)))
            self._child.expect(self._capture.patience.of(self._phase))

    def tighten(self, factor: float) -> None:
        """So many times more must change than usual before a frame asks to be looked at; 1 = as usual."""
        if factor != self._tightness:
            self._tightness = factor
            if self._child is not None:
                self._child.send(letters.encode(Tighten(factor)))

    def _hear(self, letter: letters.FromCapture) -> list[Announced | CameraNews]:
        if self._is_changing:  # what the old source still says
            if isinstance(letter, Announce):
                self.leases.announce(letter.slot)
                self.leases.free(letter.slot)
            return []
        match letter:
            case Announce():
                return [self._take(letter)]
            case Phase(name):
                self._phase = name
                self._expect()
            case Told(state, trouble):
                return self._change(CameraState(state), trouble)
        return []

    def _take(self, letter: Announce) -> Announced:
        self.leases.announce(letter.slot)
        self._expect()
        facts = FrameFacts(
            self.camera, letter.sequence, letter.captured_ns, letter.captured_at, letter.width, letter.height
        )
        return Announced(
            letter.slot, facts, letter.small, glance=letter.glance, era=self.era, has_picture=letter.has_picture
        )

    def _expect(self) -> None:
        """One that has no slot waits for us, and owes nothing."""
        if self._child is not None:
            waits_for_us = self.leases.granted is None and self._phase == "reading"
            self._child.expect(None if waits_for_us else self._capture.patience.of(self._phase))

    def _change(self, state: CameraState, trouble: Trouble | None) -> list[Announced | CameraNews]:
        if state is self._state:
            return []
        self._state = state
        if state in _OVER:
            self._ask_to_leave()
        return [CameraNews.away(self.camera, state, None if trouble is None else trouble.error())]

    def _tend_nobody(self) -> None:
        if self._is_stopping:
            return
        if not self.is_enabled:
            if self._state is not CameraState.DISABLED:
                self._state = CameraState.DISABLED
                self._news.append(CameraNews(self.camera, CameraState.DISABLED))
            return
        if self._state in _OVER:
            return
        capture = self._capture
        self._child = Child(
            f"capture-{self.camera}",
            capture.module,
            greet=self._greet,
            clock=self._clock,
            silent_s=capture.patience.opening_s,
            descriptors=(self._memory,),
            stable_s=STABLE_S,
            longest_s=LONGEST_WAIT_S,
        )
        self._deaths_seen = 0
        self._child.tend()
        self._begin_anew()

    def _greet(self) -> list[bytes]:
        capture = self._capture
        begin = Begin(self.camera, 0, capture.setup, logging.getLogger().level, capture.look)
        return [letters.encode(begin), letters.encode(Tighten(self._tightness))]

    def _begin_anew(self) -> None:
        self._phase = "opening"
        self.grant()

    def _ask_to_leave(self) -> None:
        child = self._child
        if child is None or self._leave_ns is not None:
            return
        child.dismiss()
        self._leave_ns = self._clock.monotonic_ns() + round(_LEAVE_S * 1e9)
        if not child.send(letters.encode(Leave())):
            child.end()

    def _let_go(self) -> None:
        if self._child is not None:
            self._restarts += self._child.restarts
        self._child, self._leave_ns, self._is_changing = None, None, False
        self.leases.lose_camera()

    def _look_for_death(self) -> None:
        """Whether the process has ended without being asked to."""
        if self._child is None or self._child.restarts == self._deaths_seen:
            return
        self._deaths_seen = self._child.restarts
        self.leases.lose_camera()
        if self._state is not CameraState.OFFLINE:
            self._state = CameraState.OFFLINE
            what, reason = ("ended", Away.CRASHED) if self._child.has_died else ("hung", Away.HUNG)
            error = SourceError(f"camera {self.camera}: its process {what}, and is started again", reason)
            self._news.append(CameraNews.away(self.camera, CameraState.OFFLINE, error))

    def _take_news(self) -> list[CameraNews]:
        news, self._news = self._news, []
        return news
