"""Detections become tracks: who continues whom, who is new, who is gone.

After ByteTrack (Zhang et al., ECCV 2022): strong detections continue tracks first, weak ones continue what is left,
and only strong ones start a track. Unlike it, all times are real seconds, so that 1 and 30 frames a second take the
same settings.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.core.values import Box, Detections, Track
from edge.track.association import best_pairs, likeness
from edge.track.kalman import Motion
from edge.track.settings import DEFAULT_START_SCORE, TrackerSettings
from edge.track.stillness import Stillness
from edge.track.thing import Thing

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

# Least likeness by kind of pair: [unbelieved + weak (never), unbelieved + strong, believed + weak, believed + strong].
# ByteTrack's own (1 - its cost thresholds): a weak detection must fit better than a strong one.
LEAST_ALIKE = np.array([2.0, 0.3, 0.5, 0.2])
# Another class continues a track only where nothing else does and the boxes are nearly the same.
OTHER_CLASS_ALIKE = 0.7
# A new thing must be seen again within this time, or in the very next frame.
_SECOND_SIGHT_S = 0.1
# How many standard deviations of doubt boxes are widened by, and at most what share of their size.
_MARGIN = 1.0
_WIDEST = 0.2
# While no frame comes nobody can be seen to leave: patience lasts so many times longer.
_BLIND_PATIENCE = 6.0


class Tracker:
    """Follows the things of one camera.

    Parameters
    ----------
    settings : names, thresholds, patience
    first_id : the id of the first track; later ones count up and are never used again
    """

    def __init__(self, settings: TrackerSettings, *, first_id: int = 1) -> None:
        self._settings = settings
        self._start_scores = np.array([*settings.start_scores, DEFAULT_START_SCORE], np.float32)
        self._next_id = first_id
        self._now_ns: int | None = None
        self._things: list[Thing] = []
        self._class_ids = np.zeros(0, np.int32)
        self._believed = np.zeros(0, np.int64)
        nothing = np.zeros((0, 4))
        self._motion = Motion.begin(nothing)
        self._stillness = Stillness.begin(nothing, 0.0)

    def update(self, detections: Detections, captured_ns: int) -> tuple[Track, ...]:
        """Take in the detections of a frame.

        Parameters
        ----------
        detections : source-frame pixels, any order
        captured_ns : the frame's monotonic time; one that runs backwards counts as standing still

        Returns
        -------
        Believed tracks that are alive, by id: seen in this frame (``last_seen_ns`` is its time) or expected to be
        seen again, at the place where they should be now.
        """
        elapsed_s = self._advance(captured_ns)
        self._forget_after_blindness(elapsed_s)
        found = detections.boxes.astype(np.float64)
        strong = detections.scores >= self._start_scores.take(detections.class_ids, mode="clip")
        self._motion.predict(elapsed_s)
        rows, columns = self._pair(found, detections.class_ids, strong)
        self._continue(rows, found[columns], detections.select(columns))
        self._miss(rows, elapsed_s)
        strong[columns] = False
        self._begin(found[strong], detections.select(strong))
        return self._alive()

    def _advance(self, captured_ns: int) -> float:
        before = captured_ns if self._now_ns is None else self._now_ns
        self._now_ns = max(before, captured_ns)
        return (self._now_ns - before) * 1e-9

    @property
    def _now_s(self) -> float:
        return (self._now_ns or 0) * 1e-9

    def _pair(self, found: Array, class_ids: NDArray[np.int32], strong: NDArray[np.bool_]) -> tuple[Rows, Rows]:
        """The stages of ByteTrack in one go: each kind of pair outranks all pairs of the kinds below it."""
        if not len(found) or not self._things:
            return np.zeros(0, np.intp), np.zeros(0, np.intp)
        sizes = np.sqrt(self._motion.place[:, 2] * self._motion.place[:, 3])
        margin = np.minimum(self._motion.doubt() * _MARGIN, sizes * _WIDEST)
        alike = likeness(self._motion.boxes(), found, margin)
        kind = self._believed[:, None] * 2 + strong
        rank = np.where(alike >= LEAST_ALIKE[kind], alike + kind, -1.0)
        other = self._class_ids[:, None] != class_ids
        if other.any():
            near = (alike >= OTHER_CLASS_ALIKE) & (self._believed[:, None] > 0)
            rank = np.where(other, np.where(near, alike, -1.0), rank)
        return best_pairs(rank, 0.0)

    def _continue(self, rows: Rows, boxes: Array, seen: Detections) -> None:
        if not len(rows):
            return
        now_ns = self._now_ns or 0
        self._motion.correct(rows, boxes)
        self._stillness.update(
            rows,
            self._motion.boxes()[rows],
            self._now_s,
            still_after_s=self._settings.still_after_s,
            moving_after_s=self._settings.moving_after_s,
        )
        for row, class_id, score in zip(rows.tolist(), seen.class_ids.tolist(), seen.scores.tolist(), strict=True):
            thing = self._things[row]
            thing.see(class_id, score, now_ns)
            if thing.class_id != self._class_ids[row]:
                self._class_ids[row] = thing.class_id
            if not thing.track_id and self._is_convincing(thing):
                self._believe(row, thing)

    def _is_convincing(self, thing: Thing) -> bool:
        return thing.evidence >= self._settings.confirm_score or thing.age_s >= self._settings.confirm_s

    def _believe(self, row: int, thing: Thing) -> None:
        thing.track_id = self._next_id
        self._next_id += 1
        self._believed[row] = 1

    def _miss(self, rows: Rows, elapsed_s: float) -> None:
        """Age what was not seen; drop what stayed away too long."""
        if len(rows) == len(self._things):
            return
        missed = np.ones(len(self._things), np.bool_)
        missed[rows] = False
        for row in np.nonzero(missed)[0].tolist():
            self._things[row].misses += 1
        self._motion.fade(missed, elapsed_s)
        self._motion.speed[missed & self._stillness.still] = 0.0
        self._keep([not gone or self._is_awaited(row) for row, gone in enumerate(missed.tolist())])

    def _is_awaited(self, row: int) -> bool:
        thing = self._things[row]
        unseen_s = ((self._now_ns or 0) - thing.last_seen_ns) * 1e-9
        if not thing.track_id:
            return unseen_s <= _SECOND_SIGHT_S
        return thing.misses < self._settings.lost_frames or unseen_s < self._patience_s(row)

    def _patience_s(self, row: int) -> float:
        still = bool(self._stillness.still[row])
        return self._settings.lost_after_s_still if still else self._settings.lost_after_s

    def _forget_after_blindness(self, elapsed_s: float) -> None:
        if elapsed_s > self._settings.lost_after_s * _BLIND_PATIENCE:
            rows = range(len(self._things))
            self._keep([elapsed_s <= self._patience_s(row) * _BLIND_PATIENCE for row in rows])

    def _keep(self, kept: list[bool]) -> None:
        if all(kept):
            return
        which = np.array(kept, np.bool_)
        self._things = [thing for thing, stays in zip(self._things, kept, strict=True) if stays]
        self._class_ids, self._believed = self._class_ids[which], self._believed[which]
        self._motion.keep(which)
        self._stillness.keep(which)

    def _begin(self, boxes: Array, seen: Detections) -> None:
        if not len(seen):
            return
        now_ns = self._now_ns or 0
        for class_id, score in zip(seen.class_ids.tolist(), seen.scores.tolist(), strict=True):
            self._things.append(Thing.begin(class_id, score, now_ns))
        self._class_ids = np.concatenate([self._class_ids, seen.class_ids])
        self._believed = np.concatenate([self._believed, np.zeros(len(seen), np.int64)])
        self._motion.extend(Motion.begin(boxes))
        self._stillness.extend(Stillness.begin(boxes, self._now_s))

    def _alive(self) -> tuple[Track, ...]:
        """What is told: believed tracks, by id."""
        label_of = self._settings.label_of
        tracks = [
            Track(
                thing.track_id,
                thing.class_id,
                label_of(thing.class_id),
                thing.score,
                thing.top_score,
                Box(*box),
                thing.first_seen_ns,
                thing.last_seen_ns,
                thing.frames,
                still,
            )
            for thing, box, still in zip(
                self._things, self._motion.boxes().tolist(), self._stillness.still.tolist(), strict=True
            )
            if thing.track_id
        ]
        tracks.sort(key=_by_id)
        return tuple(tracks)


def _by_id(track: Track) -> int:
    return track.track_id
