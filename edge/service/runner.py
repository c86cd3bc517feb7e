"""The running service: what was seen in, messages out; and an orderly end."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable

from edge.core.events import Occurrence
from edge.core.protocols import Clock
from edge.core.values import Message, Sighting
from edge.service import cradle
from edge.service.alive import Alive
from edge.service.doors import Outlet, Sight
from edge.service.news import BackendNews, CameraNews, CameraState, Thinking, camera_of
from edge.service.parts import Parts
from edge.service.reading import Outcome
from edge.service.steward import Care
from edge.service.systemd import Notifier
from edge.service.tidings import Tiding
from edge.service.vitals import Vitals

logger = logging.getLogger(__name__)

_IDLE_S = 0.2  # how long the loop waits for a frame before it looks at the clock
_ROUND_NS = 200_000_000  # with every frame anew it takes as long as the frame itself
_SOON_NS = 1_000_000_000  # after a change: cameras that come or go together are told in one health message
_LEAVE_S = 1.0  # cameras that are still open by then, and frames still with the model, are left behind
_JOIN_S = 0.5
_START_STEP_S = 15.0


class Service:
    """Everything that runs. ``run`` blocks until it is stopped, all recordings have ended or the time is up.

    Messages are made in the calling thread alone, so events are numbered in the order in which they are sent.
    """

    def __init__(self, parts: Parts, *, sight: Sight, outlet: Outlet, notifier: Notifier, clock: Clock) -> None:
        self._parts = parts
        self._sight = sight
        self._outlet = outlet
        self._notifier = notifier
        self._clock = clock
        self._stop = threading.Event()
        self._vitals = Vitals(sight, outlet, clock, parts.pipelines)
        self._next_round_ns = 0
        self._next_asking_ns = clock.monotonic_ns()
        self._next_health_ns = self._next_asking_ns + _SOON_NS
        self._told_signs: object = ()
        self._told_model: str | None = None
        self._early: deque[Sighting | CameraNews | BackendNews] = deque()  # came before the model ran
        self._alive = Alive(notifier, clock)
        self._watch_progress()
        self._is_closing = False
        self._outcome = Outcome()

    def stop(self) -> None:
        """Ask for an orderly end; safe from a signal handler."""
        self._outcome.is_stopped = True
        if self._is_closing:
            self._outlet.hurry()
        self._stop.set()
        self._sight.wake()

    def wake(self) -> None:
        """Have the next turn begin now; safe from a signal handler."""
        self._sight.wake()

    def change(self, parts: Parts) -> None:
        """Go on with other parts, between two frames."""
        before, self._parts = self._parts, parts
        for camera, pipeline in before.pipelines.items():
            if parts.pipelines.get(camera) is not pipeline:
                self._send_all(pipeline.finish())
        for camera in parts.renewed:
            self._outcome.cameras.pop(camera, None)
            self._outcome.errors.pop(camera, None)
        self._early = deque(item for item in self._early if camera_of(item) not in parts.renewed)
        self._vitals.change(parts.pipelines, parts.renewed)
        self._watch_progress()
        for errand in parts.errands:
            if errand not in before.errands:
                self._say(errand.open())
        self._tell_health_soon()

    def run(self, duration_s: float | None = None) -> Outcome:
        """Run to the end; returns how it went. Raises why the model can't run.

        duration_s : counted from when the model runs; None = until stopped
        """
        publisher = threading.Thread(target=self._outlet.run, name="publish", daemon=True)
        is_ready = self._start(publisher)
        try:
            if is_ready:
                self._outlet.tick()
                for errand in self._parts.errands:
                    self._say(errand.open())
                self._notifier.ready(f"watching {len(self._parts.pipelines)} camera(s)")
                self._loop(None if duration_s is None else self._clock.monotonic_ns() + round(duration_s * 1e9))
        finally:
            self._end(publisher)
        return self._outcome

    def _start(self, publisher: threading.Thread) -> bool:
        """Start everything at once; whether the model runs, else somebody stops us. What fails here ends all again."""
        try:
            self._sight.open()
            self._outlet.open()
            publisher.start()
            is_ready = self._wait_for_model()
            cradle.discard_all()  # begun early, and not needed
            return is_ready
        except BaseException:
            self._sight.close()
            if publisher.is_alive():
                self._outlet.close(is_hurried=True)
            raise

    def _wait_for_model(self) -> bool:
        """Whether it runs, else somebody stops us. What cameras say meanwhile is told after the info."""
        while not self._sight.is_ready:
            item = self._sight.take(_IDLE_S)
            if item is not None:
                self._early.append(item)
            self._ask_for_time()
            if self._stop.is_set():
                return False
        return True

    def _ask_for_time(self) -> None:
        """Trying a model that hangs, and then another, takes longer than systemd gives a start."""
        now_ns = self._clock.monotonic_ns()
        if now_ns >= self._next_asking_ns:
            self._next_asking_ns = now_ns + round(_START_STEP_S * 1e9)
            self._notifier.extend(_START_STEP_S * 4)

    def _loop(self, end_ns: int | None) -> None:
        while not self._is_over(end_ns):
            has_seen = self._take_in(_IDLE_S)
            for errand in self._parts.errands:
                self._say(errand.due())
            now_ns = self._clock.monotonic_ns()
            if not has_seen or now_ns >= self._next_round_ns:
                self._next_round_ns = now_ns + _ROUND_NS
                self._go_round(now_ns)

    def _go_round(self, now_ns: int) -> None:
        """What is no frame, and can wait for a moment."""
        self._outlet.tick()
        self._look_around(now_ns)
        self._report_health(now_ns)
        self._alive.turn(now_ns)

    def _is_over(self, end_ns: int | None) -> bool:
        is_late = end_ns is not None and self._clock.monotonic_ns() >= end_ns
        return self._stop.is_set() or is_late or self._all_ended()

    def _take_in(self, timeout_s: float) -> bool:
        """Whether it was a frame."""
        match self._early.popleft() if self._early else self._sight.take(timeout_s):
            case Sighting() as seen:
                self._tell_seen(seen)
                return True
            case CameraNews() as news:
                self._tell_change(news)
            case BackendNews() as news:
                self._tell_backend(news)
        return False

    def _tell_seen(self, seen: Sighting) -> None:
        pipeline = self._parts.pipelines[seen.frame.camera]
        if pipeline.tells_each(seen):
            self._outlet.rouse()
        self._send_all(pipeline.process(seen))
        if not seen.is_held and self._parts.steward is not None:
            self._parts.steward.add(seen.times)
        self._vitals.add(seen)

    def _tell_change(self, news: CameraNews) -> None:
        before = self._outcome.cameras.get(news.camera)
        self._outcome.cameras[news.camera] = news.state
        if news.error is not None:
            self._outcome.errors[news.camera] = news.error
            # a run that this ends says it once, as its last word
            is_last_word = news.state is CameraState.FAILED and len(self._parts.pipelines) == 1
            logger.log(logging.DEBUG if is_last_word else logging.ERROR, "camera %s: %s", news.camera, news.error)
        elif news.state in (CameraState.ONLINE, CameraState.DISABLED):
            self._outcome.errors.pop(news.camera, None)
            logger.info("camera %s: %s", news.camera, news.state)
        elif news.reason is not None:
            logger.warning("camera %s: %s: %s", news.camera, news.state, news.reason)
        self._tell_health_soon()
        pipeline = self._parts.pipelines[news.camera]
        if news.state not in _SEEING:
            self._send_all(pipeline.finish())
        pipeline.impair(is_impaired=news.state is CameraState.IMPAIRED)
        self._outlet.send(self._parts.reports.camera(news.camera, news.state))
        now_s = self._clock.monotonic_ns() / 1e9
        tiding = self._vitals.tidings[news.camera].hear(before, news.state, news.reason, now_s)
        self._tell_tiding(news.camera, tiding)

    def _tell_backend(self, news: BackendNews) -> None:
        """Told on the first camera's topic: the model serves all of them."""
        level = logging.INFO if news.is_accelerated else logging.ERROR
        logger.log(level, "%s: %s", "the Edge TPU works again" if news.is_accelerated else news.reason, news.words)
        self._tell_tiding(next(iter(self._parts.pipelines)), Tiding(news.event, news.reason))

    def _tell_model(self, thinking: Thinking) -> None:
        """What works now is told anew when it is something else: by info at once, by health soon."""
        before, self._told_model = self._told_model, thinking.model
        if before not in (None, thinking.model):
            self._say([self._outlet.describe()])
            self._tell_health_soon()

    def _tell_tiding(self, camera: str, tiding: Tiding | None) -> None:
        if tiding is not None:
            now_ns, now = self._clock.monotonic_ns(), self._clock.utc_now()
            occurrence = Occurrence(tiding.type, now_ns, now, frame_sequence=0, reason=tiding.reason)
            self._send_all([self._parts.pipelines[camera].tell(occurrence)])

    def _look_around(self, now_ns: int) -> None:
        """What has come to rest, and how the machine bears it."""
        for camera, tidings in self._vitals.tidings.items():
            self._tell_tiding(camera, tidings.look(now_ns / 1e9))
        if self._parts.steward is not None:
            states = self._outcome.cameras
            counts = {camera: total for camera, total in self._vitals.totals.items() if states.get(camera) in _SEEING}
            self._parts.steward.look(counts, now_ns / 1e9)

    @property
    def _care(self) -> Care:
        return Care() if self._parts.steward is None else self._parts.steward.care

    def _send_all(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self._outcome.events += message.qos > 0 and not message.retain
            self._outlet.send(message)

    def _say(self, messages: list[Message]) -> None:
        """What is no event."""
        for message in messages:
            self._outlet.send(message)

    def _all_ended(self) -> bool:
        states = self._outcome.cameras
        over = {CameraState.ENDED, CameraState.FAILED}
        return len(states) == len(self._parts.pipelines) and all(state in over for state in states.values())

    def _tell_health_soon(self) -> None:
        """The retained health must not deny for half a minute what is so, or what other topics say."""
        self._next_health_ns = min(self._next_health_ns, self._clock.monotonic_ns() + _SOON_NS)

    def _report_health(self, now_ns: int) -> None:
        self._tell_model(self._sight.thinking)
        signs = self._vitals.signs(self._care), self._parts.reports.standing()
        if signs != self._told_signs:
            self._told_signs = signs
            self._tell_health_soon()
        if now_ns >= self._next_health_ns:
            self._next_health_ns = now_ns + round(self._parts.reports.interval_s * 1e9)
            self._tell_health()

    def _tell_health(self) -> None:
        self._outlet.send(self._parts.reports.health(self._vitals.read(self._outcome.cameras, self._care)))

    def _watch_progress(self) -> None:
        self._alive.watch((*self._sight.stages(), *self._outlet.stages()))

    def _end(self, publisher: threading.Thread) -> None:
        self._notifier.stopping()
        self._sight.stop()
        give_up_ns = self._clock.monotonic_ns() + round(_LEAVE_S * 1e9)  # for all together
        while (self._early or not self._sight.is_quiet) and (left_ns := give_up_ns - self._clock.monotonic_ns()) > 0:
            self._take_in(min(_IDLE_S, left_ns / 1e9))
        self._sight.close()
        self._finish_tracks()
        self._outcome.seconds, self._outcome.frames = self._vitals.uptime_s, self._vitals.frames
        self._tell_health()
        self._is_closing = True
        self._outlet.close(is_hurried=self._stop.is_set())
        if publisher.is_alive():
            publisher.join(_JOIN_S)

    def _finish_tracks(self) -> None:
        for camera, pipeline in self._parts.pipelines.items():
            if self._outcome.cameras.get(camera) in _SEEING | {CameraState.FROZEN}:
                self._send_all(pipeline.finish())
                self._outlet.send(self._parts.reports.camera(camera, CameraState.OFFLINE))


# In these a camera delivers pictures that show something.
_SEEING = {CameraState.ONLINE, CameraState.IMPAIRED}
