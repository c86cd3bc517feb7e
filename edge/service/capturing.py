"""Inside a camera's process: one thread reads the source, this one talks to the service."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from edge.core.clock import BorrowedClock
from edge.core.glance import Glance
from edge.core.protocols import Clock, FrameSource
from edge.core.values import Frame
from edge.service import capture_letters as letters
from edge.service.camera import CameraWorker
from edge.service.capture_letters import Announce, Grant, Leave, Phase, Tighten, Told
from edge.service.channel import Channel, ChannelClosedError
from edge.service.inside import Post, leave_at_once
from edge.service.news import CameraNews
from edge.service.shared_frames import SharedFrames
from edge.service.trouble import trouble_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CLOSE_S = 0.5  # a source that takes longer to close is left to the end of the process
_WORD_S = 0.5  # a long wait says so often that it is one


class Glancer(Protocol):
    """A cheap look at each frame."""

    def look(self, image: NDArray[np.uint8], captured_ns: int) -> Glance: ...

    def pass_over(self) -> Glance: ...

    def tighten(self, factor: float) -> None: ...


class Shrinker(Protocol):
    """Makes a picture small ahead of the model."""

    def small_size(self, image: NDArray[np.uint8]) -> tuple[int, int]: ...

    def shrink(self, image: NDArray[np.uint8], into: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]: ...


@dataclass(frozen=True, slots=True)
class Regard:
    """How pictures are looked at on the way.

    glancer : looks at each frame
    shrinker : None = nobody makes them small here
    has_gate : whether that look decides what becomes of the frame; else it comes after the frame is announced, and is
        told with the next
    is_watched : whether anybody wants to know what pictures say about the camera; else none is looked at without a gate
    keeps_pictures : whether anybody needs the picture besides the one made small
    """

    glancer: Glancer | None = None
    shrinker: Shrinker | None = None
    has_gate: bool = False
    is_watched: bool = True
    keeps_pictures: bool = True

    def glance(self, frame: Frame) -> Glance | None:
        """The look itself."""
        return None if self.glancer is None else self.glancer.look(frame.image, frame.captured_ns)

    def glance_later(self, frame: Frame) -> Glance | None:
        """The look where nothing is decided by it."""
        return self.glance(frame) if self.is_watched or self.glancer is None else self.glancer.pass_over()


class Capturing:
    """Reads one source into the slots that the service grants, until it is told to leave.

    Live or recorded makes no difference here: there is always a slot for the next frame of a live camera, and a
    recording waits for one.
    """

    def __init__(
        self,
        channel: Channel,
        make_source: Callable[[Clock], FrameSource],
        frames: SharedFrames,
        *,
        camera: str,
        clock: Clock,
        regard: Callable[[bytes], Regard] = lambda _look: Regard(),
        look: bytes = b"",
    ) -> None:
        """
        Parameters
        ----------
        make_source : given a clock whose long waits are signs of life
        regard, look : makes what looks at the pictures, of a look such as this one
        """
        self._channel = channel
        self._post = Post(channel, letters.encode)
        self._frames = frames
        self._make_regard = regard
        self._regard = regard(look)
        self._tightness = 1.0
        self._glanced: Glance | None = None
        self._granted: deque[int] = deque()
        self._changed = threading.Condition()
        self._is_leaving = False
        waiting = WaitingClock(clock, lambda: self._tell_phase("reading"))
        self._worker = CameraWorker(
            camera, make_source(waiting), put=self._put, tell=self._tell, enter=self._tell_phase
        )

    def live(self) -> None:
        """Ends the process."""
        self._worker.start()
        try:
            while not self._is_leaving:
                self._channel.wait(1.0)
                for frame in self._channel.receive():
                    self._obey(frame)
                self._post.flush()
        except ChannelClosedError:
            leave_at_once(0)
        self._worker.ask_to_stop()
        with self._changed:
            self._changed.notify_all()
        self._worker.join(_CLOSE_S)
        leave_at_once(0)

    def _obey(self, frame: bytes) -> None:
        match letters.read_by_capture(frame):
            case Grant(slot):
                with self._changed:
                    self._granted.append(slot)
                    self._changed.notify_all()
            case Tighten(factor):
                self._tightness = factor
                self._tighten()
            case letters.Regard(look):
                self._regard = self._make_regard(look)
                self._tighten()
            case Leave():
                self._is_leaving = True

    def _tighten(self) -> None:
        if self._regard.glancer is not None:
            self._regard.glancer.tighten(self._tightness)

    def _put(self, frame: Frame) -> None:
        regard = self._regard
        is_gated = regard.has_gate or self._tightness > 1.0
        if is_gated:
            self._glanced = regard.glance(frame)
        slot, small = (self._granted.popleft(), None) if self._granted else self._await_slot(frame, regard)
        if slot is None:
            return
        self._announce(slot, frame, small, regard)
        if not is_gated:
            # The kernel likes to wake the service on this very core, where it would wait for the look to end.
            os.sched_yield()
            self._glanced = regard.glance_later(frame)

    def _await_slot(self, frame: Frame, regard: Regard) -> tuple[int | None, NDArray[np.uint8] | None]:
        """A slot, None when it is time to leave; and the picture made small meanwhile."""
        small = None if regard.shrinker is None else regard.shrinker.shrink(frame.image)
        with self._changed:
            self._changed.wait_for(lambda: bool(self._granted) or self._is_leaving)
            return (None if self._is_leaving else self._granted.popleft()), small

    def _announce(self, slot: int, frame: Frame, small: NDArray[np.uint8] | None, regard: Regard) -> None:
        size = self._write_small(slot, frame, small, regard.shrinker)
        has_picture = regard.keeps_pictures or size is None
        if has_picture:
            self._frames.write(slot, frame.image)
        self._post.send(
            Announce(
                slot,
                frame.sequence,
                frame.captured_ns,
                frame.captured_at,
                frame.width,
                frame.height,
                small=size,
                glance=self._glanced,
                has_picture=has_picture,
            )
        )

    def _write_small(
        self, slot: int, frame: Frame, small: NDArray[np.uint8] | None, shrinker: Shrinker | None
    ) -> tuple[int, int] | None:
        """Straight into the slot, where one was free before the picture was made small; its (width, height)."""
        if shrinker is None:
            return None
        size = shrinker.small_size(frame.image)
        room = self._frames.room_for_small(slot, frame.facts, size)
        if room is None:
            return None
        if small is None:
            shrinker.shrink(frame.image, room)
        else:
            room[...] = small
        return size

    def _tell(self, news: CameraNews) -> None:
        self._post.send(Told(news.state.value, None if news.error is None else trouble_of(news.error)))

    def _tell_phase(self, name: str) -> None:
        self._post.send(Phase(name))


class WaitingClock(BorrowedClock):
    """A clock whose long waits give a sign of life now and then."""

    def __init__(self, clock: Clock, tell: Callable[[], None]) -> None:
        super().__init__(clock)
        self._tell = tell

    def sleep(self, seconds: float) -> None:
        while seconds > _WORD_S:
            self._clock.sleep(_WORD_S)
            seconds -= _WORD_S
            self._tell()
        self._clock.sleep(seconds)
