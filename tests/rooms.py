"""A made-up room as a living camera sees it: furniture, light, sensor noise, somebody in front of the lens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.capture.glancing import Glancer
from edge.capture.mishaps import Mishaps
from edge.service.condition.sight import Sight, SightSettings
from edge.service.condition.trouble import Trouble

Picture = NDArray[np.uint8]

WIDTH, HEIGHT = 320, 240
FPS = 4.0


class Room:
    """Pictures of one room; the same seed gives the same."""

    def __init__(self, seed: int = 1) -> None:
        self._random = np.random.default_rng(seed)
        # made once and shifted about: making noise takes ten times as long as looking at it
        self._noise = self._random.normal(0, 1, HEIGHT * WIDTH * 2).astype(np.float32)
        scene = np.full((HEIGHT, WIDTH), 130.0, np.float32)
        for _ in range(60):
            x, y = self._random.integers(0, WIDTH - 30), self._random.integers(0, HEIGHT - 30)
            w, h = self._random.integers(10, 80), self._random.integers(10, 80)
            scene[y : y + h, x : x + w] = self._random.uniform(20, 220)
        self._scene = cv2.GaussianBlur(scene, (0, 0), 0.5)  # no lens is perfect

    def seen(self, *, light: float = 1.0, noise: float = 3.0, blur: float = 0.0) -> Picture:
        """light : of the lamps, 1 = as usual; noise : of the sensor, levels; blur : of the lens, pixels"""
        return self._sensed(self._scene, light=light, noise=noise, blur=blur)

    def with_person(self, phase: float, *, close: bool = False) -> Picture:
        """Somebody passes, or stands so close that little else is seen. ``phase`` : where in the movement, 0..1."""
        scene = self._scene.copy()
        width = int(WIDTH * 0.9) if close else WIDTH // 8
        left = int((WIDTH - width) * phase)
        top = 0 if close else HEIGHT // 3
        cloth = 70 + 12 * np.sin((np.arange(width) + 200 * phase) / 25)[None, :]  # folds that move with the body
        scene[top:, left : left + width] = cloth
        return self._sensed(scene)

    def covered(self, *, level: float = 45.0) -> Picture:
        """A hand on the lens: some light through the skin, no edge."""
        slope = np.linspace(-12, 12, WIDTH)[None, :] + np.zeros((HEIGHT, 1))
        return self._sensed(level + slope)

    def black(self) -> Picture:
        """The cap is on: the sensor's own noise."""
        return self._sensed(np.full((HEIGHT, WIDTH), 4.0), noise=2.0)

    def burnt_out(self) -> Picture:
        return self._sensed(np.full((HEIGHT, WIDTH), 300.0))

    def _sensed(
        self, scene: NDArray[np.floating], *, light: float = 1.0, noise: float = 3.0, blur: float = 0
    ) -> Picture:
        seen = cv2.GaussianBlur(scene, (0, 0), blur) if blur else scene
        start = int(self._random.integers(0, HEIGHT * WIDTH))
        field = self._noise[start : start + HEIGHT * WIDTH].reshape(HEIGHT, WIDTH)
        grey = np.clip(seen * light + field * noise, 0, 255).astype(np.uint8)
        return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB))


@dataclass(frozen=True, slots=True)
class Told:
    at_s: float
    troubles: tuple[Trouble, ...]


class Watcher:
    """A camera's frames through the look and the judgement that the service gives them."""

    def __init__(self, settings: SightSettings | None = None, *, fps: float = FPS) -> None:
        self.mishaps = Mishaps()
        self.sight = Sight(settings or SightSettings(frozen_s=2.5))
        self._glancer = Glancer(mishaps=self.mishaps)
        self._period_s = 1 / fps
        self.now_s = 0.0

    def show(self, picture: Picture) -> tuple[Trouble, ...]:
        """One frame; what is wrong after it."""
        self.now_s += self._period_s
        self.sight.see(self._glancer.look(picture, round(self.now_s * 1e9)), self.now_s)
        return self.sight.troubles

    def watch(self, pictures: Iterable[Picture]) -> Iterator[Told]:
        """Each change of what is wrong."""
        before = self.sight.troubles
        for picture in pictures:
            now = self.show(picture)
            if now != before:
                yield Told(self.now_s, now)
            before = now

    def learn(self, room: Room, seconds: float = 70.0) -> None:
        """Get used to a quiet room."""
        assert list(self.watch(room.seen() for _ in range(frames(seconds)))) == []


def frames(seconds: float, fps: float = FPS) -> int:
    return round(seconds * fps)
