"""The service's way out: events into the outbox, state and detections to the publisher, a process of its own.

| lane | bound | what is dropped |
|---|---|---|
| events | the outbox's file | see edge.report.outbox |
| state | one value per topic, 10,000 topics | older values of the same topic |
| detections | 64 messages | the oldest, counted; all of them while there is no publisher |
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from edge.core.events import EventMessage
from edge.core.protocols import Clock
from edge.core.values import Message
from edge.report.listening import Heard
from edge.report.outbox.values import Mode, outgoing
from edge.report.outbox.writer import OutboxWriter
from edge.report.states import Delivery
from edge.service import letters
from edge.service.board import Board
from edge.service.child import Child
from edge.service.eye import LONGEST_WAIT_S, STABLE_S
from edge.service.letters import Arrived, Committed, Leave, Progress, Setup, Standing, Tell
from edge.service.neighbour import Neighbour
from edge.service.progress import Stage
from edge.service.publisher_change import PublisherChange
from edge.service.standing import standing_of
from edge.wire.wake import Wake

logger = logging.getLogger(__name__)

MODULE = "edge.assemble.publisher"
STOP_S = 2.5  # after SIGTERM: what is left is kept in the outbox anyway
FINISH_S = 60.0  # after the last recording: as long as something arrives
_COMMIT_S = 1.0
_GLANCE_S = 0.1
LOOK_S = 2.0  # the publisher says how it goes every second
_STUCK_S = 75.0  # the slowest thing it may do in one go is to resolve a name: 30 s and more with three dead servers
_STALL_S = 8.0
_DISK_S = 30.0  # a worn memory card can keep a commit waiting for many seconds
_NS_PER_S = 1_000_000_000


class Publishing:
    """Implements the service's ``Outlet``. ``run`` has its own thread; all else belongs to the thread of the service.

    A message goes to the publisher in the thread that sends it, where nothing stands in its way; else ``run`` passes it
    on. Waking another thread for each frame costs more than all the rest of the way out.

    Parameters
    ----------
    child : the publisher; its process is greeted with a Setup
    guarantee : the promise while the outbox is on disk
    describe : what to say when the promise in force changes
    hear : takes what came in for the service; called by the thread of ``run``
    """

    def __init__(
        self,
        child: Child,
        writer: OutboxWriter,
        *,
        guarantee: Delivery,
        describe: Callable[[Delivery], Message],
        hear: Callable[[Heard], None],
        clock: Clock,
    ) -> None:
        self._writer = writer
        self._wake = Wake()
        self._guarantee = guarantee
        self._describe = describe
        self._hear_out = hear
        self._clock = clock
        self._child = child
        self._talking = threading.Lock()  # to the child; nobody holds it while waiting
        self._board = Board()
        self._before = Progress()
        self._progress = Progress()
        self._progressed_ns = 0
        self._delivery: Delivery | None = None
        self._has_news = False
        self._leave: Leave | None = None
        self._is_over = threading.Event()
        self._is_hurried = False
        self._rounds = 0
        self._change = PublisherChange(clock)

    @property
    def publisher_pid(self) -> int | None:
        return self._child.pid

    def open(self) -> None:
        """Open the outbox; raises ConfigError if its path belongs to something else."""
        self._writer.start()

    def run(self) -> None:
        """Keep a publisher running until ``close``."""
        try:
            while not self._is_over.is_set():
                self._round()
        finally:
            with self._talking:
                self._child.end()

    def send(self, message: Message) -> None:
        """Take a message; never waits."""
        if isinstance(message, EventMessage):
            self._writer.append(outgoing(message))
            return
        self._board.put(message)
        if self._pass_on_at_once():
            # The kernel likes to wake the publisher on this very core, where it would wait for what comes after this.
            os.sched_yield()
        else:
            self._wake.set()

    def rouse(self) -> None:
        """A message follows soon; only while nobody else talks to the publisher, who is awake then."""
        if self._talking.acquire(blocking=False):
            try:
                self._child.rouse()
            finally:
                self._talking.release()

    def change(self, publisher: Child | None, guarantee: Delivery) -> None:
        """Another publisher takes the place of this one, which delivers what it can and says offline before.

        publisher : None = the same goes on
        """
        self._guarantee = guarantee
        if publisher is not None:
            self._change.plan(publisher)
            self._wake.set()

    def committed(self) -> None:
        """The outbox has something new; from any thread."""
        self._has_news = True
        self._wake.set()

    def tick(self) -> None:
        """To be called now and then: tells of losses, and of another promise."""
        self._writer.tick()
        delivery = self._guarantee if self._writer.reading().mode is Mode.DURABLE else Delivery.MEMORY
        if delivery is not self._delivery:
            self._delivery = delivery
            self.send(self._describe(delivery))

    def describe(self) -> Message:
        """What this device is, and which promise is in force."""
        return self._describe(self._delivery or self._guarantee)

    def is_settled(self) -> bool:
        """Whether the broker has all state as it is now."""
        progress = self._progress
        return progress.is_settled and self._board.is_known(progress.heard)

    def standing(self) -> Standing:
        """How it goes."""
        return standing_of(letters.total(self._before, self._progress), self._writer.reading(), self._board.drops)

    def stages(self) -> tuple[Stage, ...]:
        """What works by itself here. A broker that is away, or a disk that refuses, is no standstill."""
        return (
            Stage("publishing", lambda: self._rounds, lambda: _STALL_S),
            Stage("outbox", lambda: self._writer.rounds, lambda: _DISK_S),
        )

    def close(self, *, is_hurried: bool) -> None:
        """Commit what waits, let the publisher deliver what it can, end it.

        is_hurried : somebody has asked for the end; else recordings have ended, and what they brought should arrive
        """
        if not self._writer.stop(_COMMIT_S):
            logger.error("outbox: the disk did not take the last events in time; they are lost")
        within_s = STOP_S if is_hurried else FINISH_S
        self._leave = Leave(within_s - 0.5)
        self._wake.set()
        for _ in range(round(within_s / _GLANCE_S)):
            if self._is_hurried or self._is_over.wait(_GLANCE_S):
                break
        if not is_hurried and self._is_hurried:
            self._is_over.wait(_COMMIT_S)  # what is left is kept in the outbox
        self._is_over.set()
        self._wake.set()

    def hurry(self) -> None:
        """Somebody wants the end now, while the last delivery goes on; safe from a signal handler."""
        self._is_hurried = True

    def _round(self) -> None:
        self._rounds += 1
        with self._talking:
            if self._leave is not None:
                self._change.cancel()
            self._child = self._change.step(self._child)
            if self._child.has_gone:
                self._is_over.set()
                return
            if self._child.tend():
                self._start_anew()
            self._pass_on(self._child.send)
        self._child.wait(LOOK_S, self._wake.fileno())
        self._wake.clear()
        with self._talking:
            for frame in self._child.receive():
                try:
                    self._hear(frame)
                except (msgspec.DecodeError, ValueError) as error:
                    self._child.fail(f"said what makes no sense ({error})")
                    break
            self._watch()

    def _start_anew(self) -> None:
        """A new publisher knows nothing: all state is for it."""
        self._before = letters.total(self._before, self._progress)
        self._progress = Progress()
        self._progressed_ns = self._clock.monotonic_ns()
        self._has_news = False  # it reads the outbox anyway
        self._board.tell_all_again()

    def _pass_on_at_once(self) -> bool:
        """Whether nothing is left for ``run`` to pass on. Never waits: ``run`` may be starting or ending a process."""
        if not self._talking.acquire(blocking=False):
            return False
        try:
            return self._pass_on(self._child.offer) and self._child.is_flushed
        finally:
            self._talking.release()

    def _pass_on(self, send: Callable[[bytes], bool]) -> bool:
        """Give the publisher what it has room for; what it has none for waits here, each lane in its own way.

        Returns whether it took everything.
        """
        if self._has_news:
            self._has_news = False  # before it is told: what is committed meanwhile is news again
            if not send(_COMMITTED):
                self._has_news = True
        while (message := self._board.take()) is not None:
            if not send(letters.encode(Tell(message))):
                self._board.put_back(message)
                return False
        if self._leave is not None and not self._child.is_dismissed and send(letters.encode(self._leave)):
            self._child.dismiss()
        return not self._has_news

    def _hear(self, frame: bytes) -> None:
        word = letters.read_by_service(frame)
        if isinstance(word, Arrived):
            self._hear_out(Heard(word.topic, word.payload, word.retain))
            return
        if word.beat != self._progress.beat:
            self._progressed_ns = self._clock.monotonic_ns()
        self._progress = word

    def _watch(self) -> None:
        if self._child.pid is None:
            self._progress = msgspec.structs.replace(self._progress, is_connected=False)
        elif self._clock.monotonic_ns() - self._progressed_ns >= _STUCK_S * _NS_PER_S:
            self._child.fail("is stuck")


_COMMITTED = letters.encode(Committed())


def own_publisher(setup: Setup, clock: Clock) -> Child:
    """A publisher that this process starts and ends."""
    return Child(
        "publish",
        MODULE,
        greet=lambda: [letters.encode(setup)],
        clock=clock,
        stable_s=STABLE_S,
        longest_s=LONGEST_WAIT_S,
    )


def other_publisher(setup: Setup, clock: Clock, *, socket: Path) -> Neighbour:
    """A publisher that systemd starts, with the broker's secrets of its own: ``setup`` holds none."""
    return Neighbour("publish", socket, greet=lambda: [letters.encode(setup)], clock=clock)
