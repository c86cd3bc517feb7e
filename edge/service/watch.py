"""The cameras that are watched: their processes, what is known of them, and the memory they write into."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from edge.core.protocols import Clock
from edge.service.capture import Capture
from edge.service.contract import Contract
from edge.service.eye import Eye
from edge.service.governor import Restraint
from edge.service.lookout import Lookout, LookoutSettings
from edge.service.shared_frames import make_frame_memory


@dataclass(frozen=True, slots=True)
class Cast:
    """What is to be watched.

    disabled : cameras that are switched off
    lookouts : what is watched for at a camera; at one that is not named, nothing
    """

    captures: Sequence[Capture]
    lookouts: Mapping[str, LookoutSettings]
    disabled: frozenset[str] = frozenset()

    @property
    def cameras(self) -> tuple[str, ...]:
        return tuple(capture.camera for capture in self.captures)


class Watch:
    """All methods belong to one thread.

    eyes, lookouts : by camera; these mappings stay the same objects when cameras come and go
    """

    def __init__(self, cast: Cast, clock: Clock, waking: Clock) -> None:
        self._clock = clock
        self._waking = waking
        self._memories = {camera: make_frame_memory(camera) for camera in cast.cameras}
        self._settings: dict[str, LookoutSettings] = {}
        self._leaving: list[tuple[Eye, int]] = []
        self.eyes: dict[str, Eye] = {}
        self.lookouts: dict[str, Lookout] = {}
        self.change(cast)

    def memories_of(self, cameras: Iterable[str]) -> dict[str, int]:
        """The descriptor of each one's memory; made now for those who come."""
        for camera in cameras:
            if camera not in self._memories:
                self._memories[camera] = make_frame_memory(camera)
        return {camera: self._memories[camera] for camera in cameras}

    def change(self, cast: Cast) -> frozenset[str]:
        """Watch something else; returns the cameras whose pictures are others from now on, those that go included.

        Nobody may hold a frame of a camera that goes.
        """
        gone = self.eyes.keys() - set(cast.cameras)
        for camera in gone:
            self._dismiss(camera)
        renewed = {capture.camera for capture in cast.captures if self._put(capture, cast)}
        # what was made for a camera that did not come after all
        for camera in self._memories.keys() - self.eyes.keys():
            os.close(self._memories.pop(camera))
        return frozenset(gone | renewed)

    def tend(self) -> None:
        """Start what should run, end what hangs, notice what does not come, let go of those who have left."""
        now_s = self._clock.monotonic_ns() / 1e9
        for camera, eye in self.eyes.items():
            eye.tend()
            self.lookouts[camera].pass_time(now_s)
        for eye, memory in tuple(self._leaving):
            eye.receive()
            eye.tend()
            if eye.is_gone:
                self._leaving.remove((eye, memory))
                os.close(memory)

    def rousing(self) -> list[int]:
        """Of the cameras whose next frame goes to the model in any case."""
        eyes = (eye for camera, eye in self.eyes.items() if not self.lookouts[camera].is_gated)
        return [number for eye in eyes if (number := eye.fileno()) is not None]

    def filenos(self) -> list[int]:
        """To wait for."""
        return [number for eye in self.eyes.values() if (number := eye.fileno()) is not None]

    def restrain(self, restraint: Restraint, contract: Contract) -> None:
        """Look less often, but no less than was promised.

        A recording that is looked at as fast as it goes is seen whole, and is never late: its times are its own.
        """
        for camera, lookout in self.lookouts.items():
            if self.eyes[camera].is_whole:
                continue
            usual = lookout.usual_fps
            fps = None if restraint.rate >= 1.0 or usual is None else contract.least_rate(restraint.rate, usual)
            lookout.restrain(fps, has_gate=restraint.tightness > 1.0)
            self.eyes[camera].tighten(restraint.tightness)

    def close(self) -> None:
        """End all processes, whatever they do."""
        for eye in (*self.eyes.values(), *(eye for eye, _ in self._leaving)):
            eye.end()
        for memory in (*self._memories.values(), *(memory for _, memory in self._leaving)):
            os.close(memory)
        self._memories.clear()
        self._leaving.clear()

    def _dismiss(self, camera: str) -> None:
        eye = self.eyes.pop(camera)
        eye.stop()
        del self.lookouts[camera], self._settings[camera]
        self._leaving.append((eye, self._memories.pop(camera)))

    def _put(self, capture: Capture, cast: Cast) -> bool:
        """Whether a camera that was there shows other pictures from now on."""
        camera, is_enabled = capture.camera, capture.camera not in cast.disabled
        eye = self.eyes.get(camera)
        is_renewed = eye is not None and eye.change(capture)
        if eye is None:
            memory = self._memories[camera]
            eye = self.eyes[camera] = Eye(capture, memory, self._waking, is_enabled=is_enabled)
        elif eye.is_enabled != is_enabled:
            (eye.enable if is_enabled else eye.disable)()
        settings = cast.lookouts.get(camera, LookoutSettings())
        if is_renewed or self._settings.get(camera) != settings:
            self._settings[camera] = settings
            lookout = self.lookouts[camera] = Lookout(settings)
            if eye.state is not None:
                lookout.hear(eye.state)
        return is_renewed
