"""Inside the model's process: one thread runs the model, another listens to the service meanwhile, a third reads.

While the model rests, the thread that runs it listens itself: a frame that comes then is looked at by the thread that
hears of it, and answered by the same, so that no frame waits for one thread to wake another. The others are woken
when the run begins, and no earlier: they would take Python's lock from the thread that fills the input.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

from edge.core.errors import EdgeError
from edge.core.protocols import Clock
from edge.core.values import Detections, Frame, FrameFacts, Sighting
from edge.service import infer_letters as letters
from edge.service.channel import Channel, ChannelClosedError
from edge.service.infer_letters import (
    Exercise,
    Exercised,
    Failed,
    Found,
    Look,
    Picture,
    Pictured,
    SelfTest,
    Skipped,
    Tested,
    Tune,
)
from edge.service.inside import Post, leave_at_once
from edge.service.shared_frames import SharedFrames
from edge.wire.wake import Wake

NO_JOB = 0


Task = Look | SelfTest | Exercise | Tune


class Album(Protocol):
    """Frames for pictures of them."""

    def keep(self, frame: Frame, found: Detections) -> None: ...

    def picture(self, camera: str, sequence: int, hidden: tuple[letters.Corners, ...]) -> bytes: ...


class Looker(Protocol):
    """What is needed of ``edge.infer``: all at once, or the run ahead and the rest later."""

    def see(self, frame: Frame) -> Sighting: ...

    def start(self, frame: Frame) -> None: ...


class Inferring:
    """Looks at the frames it is lent and answers for each, until the service is gone.

    rejected : how many boxes that were none there have been so far
    is_ahead : the model runs on the next frame while the other thread reads what it found in the one before

    ``listen_meanwhile`` has to be called right before each run.
    """

    def __init__(
        self,
        channel: Channel,
        lookers: Mapping[str, Looker],
        frames: Mapping[str, SharedFrames],
        *,
        tune: Callable[[float], None],
        test: Callable[[SelfTest], Tested],
        exercise: Callable[[float], Exercised],
        rejected: Callable[[], int],
        is_ahead: bool,
        clock: Clock,
        album: Album | None = None,
    ) -> None:
        self._channel = channel
        self._album = album
        self._post = Post(channel, letters.encode)
        self._lookers = lookers
        self._frames = frames
        self._tune = tune
        self._test = test
        self._exercise = exercise
        self._rejected = rejected
        self._rejected_before = 0
        self._is_ahead = is_ahead
        self._clock = clock
        self._wake = Wake()
        self._exchanging = threading.Lock()  # what waits; taken by itself, as a Condition takes five times as long
        self._changed = threading.Condition(self._exchanging)
        self._is_working = False
        self._listening = threading.Lock()  # whoever reads the channel
        self._answering = threading.Lock()  # whoever reads what the model has found
        self._waiting: deque[tuple[Task, Frame | None]] = deque()
        self._started: deque[tuple[Look, Frame]] = deque()
        self._failure: Failed | None = None
        self._unread = threading.Lock()  # free while something is to be read behind a run
        self._unread.acquire()
        self._threads = [
            threading.Thread(target=self._listen, name="listen", daemon=True),
            threading.Thread(target=self._read, name="read", daemon=True),
        ]

    def live(self) -> None:
        """Ends the process: when the service is gone, or after a run that failed."""
        for thread in self._threads:
            thread.start()
        while self._failure is None:
            with self._listening:
                while not self._waiting and self._failure is None:
                    self._hear()
            self._work()
        self._read_started()  # what was found before
        self._post.send(self._failure)
        self._post.finish(self._clock)
        leave_at_once(1)

    def listen_meanwhile(self) -> None:
        """A run begins now: one other thread listens until it is over, one reads what was found before it."""
        if self._is_working:
            # A lock, not the descriptor that the listener waits for: to write into that lets go of Python's lock, and
            # whoever wakes then takes it, with the run still to begin.
            if self._started and self._unread.locked():
                self._unread.release()
            return
        with self._changed:
            self._is_working = True
            self._changed.notify_all()

    def _listen(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_working)
            with self._listening:
                while self._is_working:
                    self._hear()

    def _read(self) -> None:
        while True:
            self._unread.acquire()
            self._read_started()

    def _hear(self) -> None:
        """Wait for letters and take them in."""
        try:
            if self._channel.wait(1.0, self._wake.fileno()):
                self._wake.clear()
            for frame in self._channel.receive():
                self._take(letters.read_by_infer(frame))
        except ChannelClosedError:
            leave_at_once(0)
        except Exception as error:  # noqa: BLE001  # whoever says what makes no sense is not to be listened to
            self._fail(None, error)
        self._post.flush()

    def _work(self) -> None:
        """All that waits."""
        while self._waiting and self._failure is None:
            with self._exchanging:  # nobody exchanges it now
                task, frame = self._waiting.popleft()
            try:
                self._do(task, frame)
            except Exception as error:  # noqa: BLE001  # this interpreter is not to be trusted any more
                self._fail(task, error)
        if self._is_working:
            self._is_working = False
            self._wake.set()

    def _take(self, letter: letters.ToInfer) -> None:
        match letter:
            case Look():
                skipped = self._put(letter)
                if skipped is not None:
                    self._post.send(Skipped(skipped.job))
            case SelfTest() | Exercise() | Tune():
                with self._exchanging:
                    self._waiting.append((letter, None))
            case Picture():
                self._picture(letter)
            case letters.Begin():
                pass

    def _put(self, look: Look) -> Look | None:
        """Let it wait, in the place of an older frame of its camera where there is one, which is returned.

        Its frame is put together here: between two runs, the thread that runs the model would need twice as long.
        """
        frame = self._frame(look)
        with self._exchanging:
            for place, (older, _) in enumerate(self._waiting):
                if isinstance(older, Look) and older.camera == look.camera and older.is_replaceable:
                    self._waiting[place] = look, frame
                    return older
            self._waiting.append((look, frame))
        return None

    def _do(self, task: Task, frame: Frame | None) -> None:
        match task:
            case Look():
                assert frame is not None
                self._look(task, frame)
            case Tune(threshold):
                self._tune(threshold)
            case SelfTest():
                self.listen_meanwhile()
                self._post.send(self._test(task))
            case Exercise(seconds):
                self._post.send(self._exercise(seconds))

    def _look(self, look: Look, frame: Frame) -> None:
        if not self._is_ahead:
            self._answer(look, frame)
            return
        self._read_started(but=1)  # behind this run the other thread reads the newest
        self._lookers[look.camera].start(frame)
        self._started.append((look, frame))
        if not self._waiting:  # nothing is gained by another thread
            self._read_started()

    def _read_started(self, *, but: int = 0) -> None:
        """All that was found and not read yet; ``but`` : so many of the newest."""
        if len(self._started) <= but:
            return
        with self._answering:
            while len(self._started) > but:
                look, frame = self._started.popleft()
                try:
                    self._answer(look, frame)
                except Exception as error:  # noqa: BLE001  # as above
                    self._fail(look, error)

    def _frame(self, look: Look) -> Frame:
        facts = FrameFacts(look.camera, look.sequence, look.captured_ns, look.captured_at, look.width, look.height)
        memory = self._frames[look.camera]
        small = None if look.small is None else memory.small(look.slot, facts, look.small)
        image = memory.image(look.slot, facts)
        is_blank = small is not None and not look.has_picture
        return Frame(
            image, look.camera, look.sequence, look.captured_ns, look.captured_at, small, is_blank, look.moving
        )

    def _picture(self, asked: Picture) -> None:
        jpeg = b"" if self._album is None else self._album.picture(asked.camera, asked.sequence, asked.hidden)
        self._post.send(Pictured(asked.camera, asked.sequence, jpeg))

    def _answer(self, look: Look, frame: Frame) -> None:
        """With the answer the frame's slot belongs to somebody else."""
        seen = self._lookers[look.camera].see(frame)
        found, times, rejected = seen.detections, seen.times, self._rejected()
        if self._album is not None:
            self._album.keep(frame, found)
        self._post.send(
            Found(
                look.job,
                found.boxes.tobytes(),
                found.scores.tobytes(),
                found.class_ids.tobytes(),
                (times.capture, times.preprocess, times.infer, times.decode),
                rejected - self._rejected_before,
            )
        )
        self._rejected_before = rejected

    def _fail(self, task: Task | None, error: Exception) -> None:
        words = str(error) if isinstance(error, EdgeError) else f"unexpected fault: {error!r}"
        self._failure = Failed(task.job if isinstance(task, Look) else NO_JOB, words)
        self._wake.set()
