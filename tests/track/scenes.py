"""Scenes with known things, and a plain SORT to compare with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge.core.geometry import pairwise_iou
from edge.core.values import Detections, Track, as_detections
from edge.track.settings import TrackerSettings
from edge.track.tracker import Tracker
from tests.mot_scoring import assign

LABELS = ("person", "car")
Box = tuple[float, float, float, float]


def make_tracker(**settings: float) -> Tracker:
    return Tracker(TrackerSettings(LABELS, (0.5, 0.5), **settings))  # type: ignore[arg-type]


def person_at(x: float, y: float = 100.0) -> Box:
    """A person 40 wide and 100 high whose left top corner is there."""
    return (x, y, x + 40.0, y + 100.0)


def sight(*boxes: Sequence[float], score: float = 0.9, class_id: int = 0) -> Detections:
    return as_detections(boxes, [score] * len(boxes), [class_id] * len(boxes))


@dataclass
class Watch:
    """A tracker with its own hand on the time; remembers what it was told."""

    tracker: Tracker = field(default_factory=make_tracker)
    now_s: float = 0.0
    told: tuple[Track, ...] = ()
    ids: set[int] = field(default_factory=set)

    def see(self, detections: Detections, *, after_s: float = 0.1) -> tuple[Track, ...]:
        self.now_s += after_s
        self.told = self.tracker.update(detections, round(self.now_s * 1e9))
        self.ids |= {track.track_id for track in self.told}
        return self.told

    def see_nothing(self, *, for_s: float, every_s: float = 0.1) -> tuple[Track, ...]:
        for _ in range(round(for_s / every_s)):
            self.see(Detections.empty(), after_s=every_s)
        return self.told

    def see_still(self, box: Box, *, for_s: float, every_s: float = 0.1, score: float = 0.9) -> tuple[Track, ...]:
        for _ in range(round(for_s / every_s)):
            self.see(sight(box, score=score), after_s=every_s)
        return self.told


@dataclass(frozen=True)
class Scene:
    """truth and detections as MOT rows: frame, id, left, top, width, height, score."""

    truth: NDArray[np.float64]
    found: NDArray[np.float64]
    times_s: NDArray[np.float64]


def walkers(seed: int, *, fps: float, seconds: float = 20.0, count: int = 8, irregular: bool = False) -> Scene:
    """People who wander about: 15 % of the detections missing in runs, one false alarm in two frames, 4 % jitter."""
    random = np.random.default_rng(seed)
    gaps = np.full(round(seconds * fps), 1 / fps)
    if irregular:
        gaps *= random.uniform(0.4, 1.6, len(gaps))
    place = random.uniform((50, 50), (1150, 550), (count, 2))
    speed = random.normal(0, 45, (count, 2))
    size = random.uniform((35, 90), (60, 150), (count, 2))
    hidden = np.zeros(count, int)
    truth, found = [], []
    for frame, gap in enumerate(gaps, 1):
        speed += random.normal(0, 25, (count, 2)) * np.sqrt(gap)
        place += speed * gap
        speed = np.where((place < 0) & (speed < 0) | (place > (1220, 620)) & (speed > 0), -speed, speed)
        hidden = np.where(random.random(count) < 0.05, random.integers(1, 6, count), np.maximum(hidden - 1, 0))
        for who in range(count):
            truth.append([frame, who + 1, *place[who], *size[who], 1.0])
            if not hidden[who]:
                jitter = random.normal(0, 0.04, 4)
                left_top = place[who] + jitter[:2] * size[who]
                found.append([frame, -1, *left_top, *(size[who] * (1 + jitter[2:])), random.uniform(0.4, 0.95)])
        if random.random() < 0.5:
            found.append([frame, -1, *random.uniform((0, 0), (1200, 600)), 50, 120, random.uniform(0.3, 0.65)])
    return Scene(np.array(truth), np.array(found).reshape(-1, 7), np.cumsum(gaps))


def detections_of(rows: NDArray[np.float64]) -> Detections:
    rows = rows[np.argsort(-rows[:, 6], kind="stable")]
    boxes = np.concatenate([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]], axis=1)
    return Detections(boxes.astype(np.float32), rows[:, 6].astype(np.float32), np.zeros(len(rows), np.int32))


def follow(tracker: Tracker, scene: Scene) -> NDArray[np.float64]:
    """Rows of the tracks seen in each frame."""
    rows = []
    for frame, time_s in enumerate(scene.times_s, 1):
        now_ns = round(time_s * 1e9)
        for track in tracker.update(detections_of(scene.found[scene.found[:, 0] == frame]), now_ns):
            box = track.box
            if track.last_seen_ns == now_ns:
                rows.append([frame, track.track_id, box.x1, box.y1, box.x2 - box.x1, box.y2 - box.y1, track.score])
    return np.array(rows).reshape(-1, 7)


class PlainSort:
    """The reference: SORT (Bewley et al., 2016) with its published defaults, its motion in fixed gains.

    Constant velocity per frame, optimal assignment on IoU >= 0.3, gone after 1 frame, told after 3 in a row. Its
    Kalman filter settles within a few frames; here it has settled from the start.
    """

    _PLACE_GAIN, _SPEED_GAIN = 0.8, 0.3

    def __init__(self, *, most_misses: int = 1) -> None:
        self._most_misses = most_misses
        self._tracks: list[dict[str, NDArray[np.float64] | int]] = []
        self._next = 1

    def follow(self, scene: Scene, *, least_score: float) -> NDArray[np.float64]:
        rows = []
        for frame in range(1, len(scene.times_s) + 1):
            found = scene.found[(scene.found[:, 0] == frame) & (scene.found[:, 6] >= least_score)]
            boxes = np.concatenate([found[:, 2:4], found[:, 2:4] + found[:, 4:6]], axis=1)
            rows += [[frame, number, *box[:2], *(box[2:] - box[:2]), 1.0] for number, box in self._step(boxes, frame)]
        return np.array(rows).reshape(-1, 7)

    def _step(self, boxes: NDArray[np.float64], frame: int) -> Iterable[tuple[int, NDArray[np.float64]]]:
        for track in self._tracks:
            track["box"] = track["box"] + track["speed"]
        expected = np.array([track["box"] for track in self._tracks]).reshape(-1, 4)
        iou = pairwise_iou(expected.astype(np.float32), boxes.astype(np.float32))
        pairs = {i: j for i, j in assign(-iou.astype(float)) if iou[i, j] >= 0.3}
        for i, track in enumerate(self._tracks):
            self._age(track, boxes[pairs[i]] if i in pairs else None)
        for j in set(range(len(boxes))) - set(pairs.values()):
            self._tracks.append({"box": boxes[j], "speed": np.zeros(4), "id": self._next, "streak": 1, "misses": 0})
            self._next += 1
        told = [
            (int(track["id"]), np.asarray(track["box"]))
            for track in self._tracks
            if track["misses"] == 0 and (track["streak"] >= 3 or frame <= 3)
        ]
        self._tracks = [track for track in self._tracks if track["misses"] <= self._most_misses]
        return told

    def _age(self, track: dict[str, NDArray[np.float64] | int], box: NDArray[np.float64] | None) -> None:
        if box is None:
            track["misses"] += 1
            track["streak"] = 0
            return
        surprise = box - track["box"]
        track["box"] = track["box"] + self._PLACE_GAIN * surprise
        track["speed"] = track["speed"] + self._SPEED_GAIN * surprise
        track["misses"], track["streak"] = 0, track["streak"] + 1
