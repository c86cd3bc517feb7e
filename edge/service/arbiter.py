"""Between cameras and model: decides which frame is looked at next, and who may touch which memory. One thread.

| what | bound | when it is full |
|---|---|---|
| slots of a camera | 5, see ``leases`` | the camera waits for one (a live one never has to) |
| frames that wait here | 1 per live camera; a recording's slots | the newer takes the place of the older, counted |
| frames with the model | 2, and one on its way to replace the second | the others wait here |
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from edge.core.protocols import Clock
from edge.core.values import Sighting
from edge.service.announced import Announced
from edge.service.brains import Brains
from edge.service.capture import Capture
from edge.service.contract import Contract
from edge.service.eye import Eye
from edge.service.governor import Restraint
from edge.service.inference import Answer
from edge.service.lookout import Condition, LookoutSettings, Verdict
from edge.service.news import BackendNews, CameraNews, CameraState, Thinking, camera_of
from edge.service.progress import Stage
from edge.service.ready import wait_readable
from edge.service.succession import Succession
from edge.service.waiting import Held, WaitingRoom
from edge.service.watch import Cast, Watch
from edge.wire.wake import Wake

SUPERSEDED = "frame_overwritten"
LOST = "frame_lost"
REJECTED = "box_rejected"
MakeBrains = Callable[[Mapping[str, int]], Brains]
_TURNS = 2  # a frame that comes, and what is found in it: nobody else need stir in between
_TRIES = 1  # a recording's frame that ended two processes is left out


class Arbiter:
    """Cameras' processes and the model's process behind one ``take``. All methods belong to one thread, but ``wake``.

    drops : frames that were not looked at, by cause
    """

    def __init__(
        self,
        captures: Sequence[Capture],
        make_brains: MakeBrains,
        clock: Clock,
        *,
        disabled: frozenset[str] = frozenset(),
        lookouts: Mapping[str, LookoutSettings] | None = None,
        waking: Clock | None = None,
    ) -> None:
        """
        Parameters
        ----------
        make_brains : what runs the model, given the descriptor of each camera's memory
        disabled : cameras that begin switched off
        lookouts : what is watched for at a camera; at one that is not named, nothing
        waking : by which processes are measured; ``clock`` if there is no other
        """
        cast = Cast(captures, lookouts or {}, disabled)
        self._watch = Watch(cast, clock, waking or clock)
        self._eyes, self._lookouts = self._watch.eyes, self._watch.lookouts
        self._minds = Succession(make_brains(self._watch.memories_of(cast.cameras)))
        self._room = WaitingRoom(self._eyes)
        self._out: deque[Sighting | CameraNews | BackendNews] = deque()
        self._wake = Wake()
        self.drops: Counter[str] = Counter()

    @property
    def eyes(self) -> Mapping[str, Eye]:
        return self._eyes

    @property
    def conditions(self) -> dict[str, Condition]:
        """Of each camera by its name."""
        return {camera: lookout.condition for camera, lookout in self._lookouts.items()}

    @property
    def brain(self) -> Brains:
        """Who is at work; another one after a ``change`` that was rehearsed."""
        return self._minds.now

    @property
    def thinking(self) -> Thinking:
        """What runs the model, for health."""
        return self.brain.thinking

    @property
    def is_ready(self) -> bool:
        """Whether the model runs. Raises why it can't, where trying again will not help."""
        if self.brain.error is not None:
            raise self.brain.error
        return self.brain.ready is not None

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is left to be told: no camera, no frame, no news."""
        is_told = self._room.is_empty and self.brain.is_idle and not self._out
        return is_told and all(eye.is_gone for eye in self._eyes.values())

    def stages(self) -> tuple[Stage, ...]:
        """What works by itself here."""
        return self.brain.stage(), *(eye.stage() for eye in self._eyes.values())

    def open(self) -> None:
        """Start all processes."""
        self._minds.tend()
        self._watch.tend()

    def rehearse(self, cameras: Sequence[str], make_brains: MakeBrains, *, is_tried: bool) -> None:
        """Have another model, or the same for other cameras, ready for a ``change``; see ``Succession``."""
        self._minds.rehearse(make_brains(self._watch.memories_of(cameras)), is_tried=is_tried)

    def is_rehearsed(self) -> bool:
        """Whether a ``change`` may come now: all that was seen is told. Raises why it never may."""
        is_untold = any(isinstance(item, Sighting) and not item.is_held for item in self._out)
        return self._minds.is_rehearsed() and not is_untold

    def abandon(self) -> None:
        """There is no change after all."""
        self._minds.abandon()

    def change(self, cast: Cast, *, is_alike: bool = False) -> frozenset[str]:
        """Watch something else, with who was rehearsed; returns the cameras whose pictures are others from now on.

        Cameras come and go only with another ``Brains``. Where that finds the same (``is_alike``), what was seen holds.
        """
        if self._minds.succeed() and not is_alike:
            self._forget_what_was_seen()
        renewed = self._watch.change(cast)
        self._room.change(self._eyes)
        for camera in renewed & self._eyes.keys():
            for announced in self._room.empty(camera):
                self._eyes[camera].leases.free(announced.slot)
        self._out = deque(item for item in self._out if camera_of(item) not in renewed)
        return renewed

    def wake(self) -> None:
        """Have ``take`` return early; from any thread, and from a signal handler."""
        self._wake.set()

    def restrain(self, restraint: Restraint, contract: Contract) -> None:
        """Do with less, but with no less than was promised."""
        self._watch.restrain(restraint, contract)

    def take(self, timeout_s: float) -> Sighting | CameraNews | BackendNews | None:
        """What was seen, in each camera's order, or what is new of a camera or the model; None = nothing in time.

        What the model has found is given out before anything else is done: all that can wait is done in the next call.
        """
        if not self._out:
            self._take_answers()
            self._go_round()
        for _ in range(_TURNS):
            if self._out:
                break
            ready = self._wait(timeout_s)
            if not ready.isdisjoint(self._watch.rousing()):
                self.brain.rouse()
            if not ready or not ready.isdisjoint(self._minds.filenos()):
                self._take_answers()
            if not self._out:
                self._go_round()
            if not ready or self._wake.fileno() in ready:
                break
        return self._out.popleft() if self._out else None

    def stop(self) -> None:
        """Have all cameras closed; what is under way still comes from ``take``."""
        for eye in self._eyes.values():
            eye.stop()

    def close(self) -> None:
        """End all processes, whatever they do."""
        self._minds.end()
        self._watch.close()

    def _take_answers(self) -> None:
        """What the model has found; the next frame goes to it before anything is told."""
        for answer in self._minds.receive():
            self._settle(answer)
        self._dispatch()

    def _go_round(self) -> None:
        """All the rest."""
        for eye in self._eyes.values():
            self._hear(eye)
        self._dispatch()
        if self._minds.rejected:
            self.drops[REJECTED] = self._minds.rejected
        for eye in self._eyes.values():
            if not (eye.is_whole and self._room.has_frame(eye.camera)):
                eye.grant()
        if self.brain.ready is None:
            self._let_news_pass()
        for item in self._room.take_news(lambda camera: not self.brain.is_at(camera)):
            self._pass_on(item)
        self._minds.tend()
        while (news := self.brain.take_news()) is not None:
            self._out.append(news)
        self._watch.tend()

    def _wait(self, timeout_s: float) -> set[int]:
        """The descriptors of cameras and model on which something has come, and our own, if somebody wants us back."""
        ready = wait_readable((*self._minds.filenos(), *self._watch.filenos(), self._wake.fileno()), timeout_s)
        if self._wake.fileno() in ready:
            self._wake.clear()
        return ready

    def _settle(self, answer: Answer) -> None:
        announced = answer.announced
        eye = self._eyes[announced.frame.camera]
        eye.leases.take_back(announced.slot)
        if announced.era != eye.era:  # of a source that is not this camera's any more
            eye.leases.free(announced.slot)
            return
        if answer.is_lost and eye.is_whole and announced.tries < _TRIES:
            self._room.put_back(replace(announced, tries=announced.tries + 1))
            return
        eye.leases.free(announced.slot)
        self._lookouts[eye.camera].look_ends(answer.seen)
        if answer.seen is None:
            self.drops[LOST if answer.is_lost else SUPERSEDED] += 1
        elif eye.is_enabled:
            self._out.append(answer.seen)

    def _hear(self, eye: Eye) -> None:
        lookout = self._lookouts[eye.camera]
        for said in eye.receive():
            match said:
                case Announced():
                    before = lookout.state
                    self._admit(eye, said, lookout.judge(said.frame, said.glance))
                    if lookout.state is not before:
                        reason = lookout.troubles[0] if lookout.state is not CameraState.ONLINE else None
                        self._room.tell(CameraNews(eye.camera, lookout.state, reason=reason))
                case CameraNews():
                    lookout.hear(said.state, said.reason)
                    self._room.tell(said)

    def _admit(self, eye: Eye, announced: Announced, verdict: Verdict) -> None:
        match verdict:
            case Verdict.LOOK:
                older = self._room.put(announced, is_replacing=not eye.is_whole)
                if older is not None:
                    self._drop(eye, older, SUPERSEDED)
            case Verdict.HOLD:
                eye.leases.free(announced.slot)
                self._room.hold(Held(announced.frame), is_replacing=not eye.is_whole)
            case _:
                self._drop(eye, announced, verdict.value)

    def _pass_on(self, item: Held | CameraNews) -> None:
        if isinstance(item, CameraNews):
            self._out.append(item)
        elif (seen := self._lookouts[item.frame.camera].hold(item.frame)) and self._eyes[item.frame.camera].is_enabled:
            self._out.append(seen)

    def _drop(self, eye: Eye, announced: Announced, cause: str) -> None:
        eye.leases.free(announced.slot)
        self.drops[cause] += 1

    def _dispatch(self) -> None:
        if self._minds.is_held:
            return
        while self.brain.has_room() and self._lend(lambda _camera: True):
            continue
        self._lend(self.brain.may_replace)

    def _lend(self, fits: Callable[[str], bool]) -> bool:
        """Whether a frame went to the model."""
        announced = self._room.take_frame(fits)
        if announced is None:
            return False
        eye = self._eyes[announced.frame.camera]
        if not self.brain.look(announced, is_replaceable=not eye.is_whole):
            self._room.put_back(announced)
            return False
        eye.leases.lend(announced.slot)
        self._lookouts[eye.camera].look_begins()
        return True

    def _forget_what_was_seen(self) -> None:
        """Another model may have other classes: what the one before saw is held no longer."""
        for lookout in self._lookouts.values():
            lookout.forget()
        self._out = deque(item for item in self._out if not isinstance(item, Sighting))

    def _let_news_pass(self) -> None:
        """While no model runs, that a live camera has gone does not wait for a look at its last frame."""
        for eye in self._eyes.values():
            if not eye.is_whole:
                for announced in self._room.clear_for_news(eye.camera):
                    self._drop(eye, announced, SUPERSEDED)
