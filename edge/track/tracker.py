"""Detections become tracks: who continues whom, who is new, who is gone.

After ByteTrack (Zhang et al., ECCV 2022): strong detections continue tracks first, weak ones continue what is left,
and only strong ones start a track. Unlike it, all times are real seconds, so that 1 and 30 frames a second take the
same settings.
"""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from edge.core.values import Box, Detections, Track
from edge.track.association import Pairs, best_pairs, likeness
from edge.track.kalman import Motion, to_corners, to_places
from edge.track.settings import DEFAULT_START_SCORE, TrackerSettings
from edge.track.stillness import Stillness
from edge.track.thing import Thing

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

# Least likeness by kind of pair: [unbelieved + weak (never), unbelieved + strong, believed + weak, believed + strong].
# ByteTrack's own (1 - its cost thresholds): a weak detection must fit better than a strong one.
# A detection adds 1 when it is strong, a track 2 when it is believed.
_BELIEVED = 2
LEAST_ALIKE = np.array([2.0, 0.3, 0.5, 0.2])
# Another class continues a track only where nothing else does and the boxes are nearly the same.
OTHER_CLASS_ALIKE = 0.7
# A new thing must be seen again within this time, or in the very next frame.
_SECOND_SIGHT_S = 0.1
# Patience is earned: what was seen for a second is awaited for a second, so that a false alarm leaves no ghost.
_LEAST_PATIENCE_S = 0.5
# Boxes are widened by the doubt about their place, but at most by this share of their size.
_WIDEST = 0.4
# Whether things stand still is looked at this often: at high frame rates looking at each frame tells no more.
_LOOK_NS = 500_000_000
_BY_ID = attrgetter("track_id")
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
        self._looked_ns = 0
        # Row i of each of these speaks of the same thing.
        self._things: list[Thing] = []
        self._class_ids = np.zeros(0, np.int32)
        self._believed = np.zeros(0, np.int64)
        self._motion = Motion.begin(np.zeros((4, 0)))
        self._stillness = Stillness.begin(np.zeros((4, 0)), 0.0)

    def change_start_scores(self, start_scores: tuple[float, ...]) -> None:
        """From the next frame on; tracks that are there go on."""
        self._settings = replace(self._settings, start_scores=start_scores)
        self._start_scores = np.array([*start_scores, DEFAULT_START_SCORE], np.float32)

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
        now_ns, elapsed_s = self._advance(captured_ns)
        self._forget_after_blindness(elapsed_s)
        found = to_places(detections.boxes)
        strong = detections.scores >= self._start_scores.take(detections.class_ids, mode="clip")
        if self._things:
            self._motion.predict(elapsed_s)
            pairs = self._pair(found, detections.class_ids, strong)
            missed = self._continue(pairs, found, detections, now_ns)
            self._look(missed, now_ns)
            if missed is not None:
                self._miss(missed, elapsed_s, now_ns)
            strong[pairs[1]] = False
        if strong.any():
            self._begin(found[:, strong], detections.select(strong), now_ns)
        return self._told()

    def forget(self) -> None:
        """Give up all that is followed: the camera was away, or its pixels mean something else now."""
        self._keep([False] * len(self._things))

    def _advance(self, captured_ns: int) -> tuple[int, float]:
        before = captured_ns if self._now_ns is None else self._now_ns
        self._now_ns = max(before, captured_ns)
        return self._now_ns, (self._now_ns - before) * 1e-9

    def _pair(self, found: Array, class_ids: NDArray[np.int32], strong: NDArray[np.bool_]) -> Pairs:
        """The stages of ByteTrack in one go: each kind of pair outranks all pairs of the kinds below it."""
        margin = self._motion.doubt(_WIDEST)
        alike = likeness(to_corners(self._motion.place), to_corners(found), margin)
        rows, columns = (alike >= LEAST_ALIKE[-1]).nonzero()
        alike = alike[rows, columns]
        kind = self._believed[rows] + strong[columns]
        ranks = np.where(alike >= LEAST_ALIKE[kind], alike + kind, -1.0)
        other = self._class_ids[rows] != class_ids[columns]
        if other.any():
            near = (alike >= OTHER_CLASS_ALIKE) & (self._believed[rows] > 0)
            ranks = np.where(other, np.where(near, alike, -1.0), ranks)
        return best_pairs(rows, columns, ranks)

    def _continue(self, pairs: Pairs, found: Array, detections: Detections, now_ns: int) -> NDArray[np.bool_] | None:
        """Take in what was seen again; answer what was not, None if all was."""
        rows, columns = pairs
        everywhere, missed = self._motion.place.copy(), None
        everywhere[:, rows] = found[:, columns]
        if len(rows) < len(self._things):
            missed = np.ones(len(self._things), np.bool_)
            missed[rows] = False
        self._motion.correct(everywhere, missed)
        class_ids, scores = detections.class_ids[columns].tolist(), detections.scores[columns].tolist()
        for row, class_id, score in zip(rows.tolist(), class_ids, scores, strict=True):
            thing = self._things[row]
            if thing.see(class_id, score, now_ns):
                self._class_ids[row] = thing.class_id
                thing.label = self._settings.label_of(thing.class_id)
            if not thing.track_id:
                self._weigh(row, thing)
        return missed

    def _weigh(self, row: int, thing: Thing) -> None:
        """Believe in a thing that was seen again once enough speaks for it, or enough time has passed."""
        thing.evidence += self._settings.evidence(thing.class_id, thing.score)
        if thing.evidence >= self._settings.confirm_evidence or thing.age_s >= self._settings.confirm_s:
            thing.track_id = self._next_id
            self._next_id += 1
            self._believed[row] = _BELIEVED

    def _look(self, missed: NDArray[np.bool_] | None, now_ns: int) -> None:
        """Judge from time to time who stands still."""
        if now_ns - self._looked_ns >= _LOOK_NS:
            self._looked_ns = now_ns
            seen = np.ones(len(self._things), np.bool_) if missed is None else ~missed
            self._stillness.look(to_corners(self._motion.place), seen, now_ns * 1e-9, self._settings)

    def _miss(self, missed: NDArray[np.bool_], elapsed_s: float, now_ns: int) -> None:
        """Age what was not seen; drop what stayed away too long."""
        self._motion.fade(missed, elapsed_s)
        resting = self._resting()
        self._motion.stop(missed & resting)
        for row in np.nonzero(missed)[0].tolist():
            self._things[row].misses += 1
        gone = zip(self._things, missed.tolist(), resting.tolist(), strict=True)
        self._keep([not miss or self._is_awaited(thing, rests, now_ns) for thing, miss, rests in gone])

    def _is_awaited(self, thing: Thing, rests: bool, now_ns: int) -> bool:
        unseen_s = (now_ns - thing.last_seen_ns) * 1e-9
        if not thing.track_id:
            return unseen_s <= _SECOND_SIGHT_S
        return thing.misses < self._settings.lost_frames or unseen_s < self._patience_s(thing, rests)

    def _patience_s(self, thing: Thing, rests: bool) -> float:
        if rests:
            return self._settings.lost_after_s_still
        return min(self._settings.lost_after_s, max(_LEAST_PATIENCE_S, thing.age_s))

    def _resting(self) -> NDArray[np.bool_]:
        return self._stillness.resting(to_corners(self._motion.place))

    def _forget_after_blindness(self, elapsed_s: float) -> None:
        if elapsed_s > _LEAST_PATIENCE_S * _BLIND_PATIENCE:
            blind = zip(self._things, self._resting().tolist(), strict=True)
            self._keep([elapsed_s <= self._patience_s(thing, rests) * _BLIND_PATIENCE for thing, rests in blind])

    def _keep(self, kept: list[bool]) -> None:
        if all(kept):
            return
        which = np.array(kept, np.bool_)
        self._things = [thing for thing, stays in zip(self._things, kept, strict=True) if stays]
        self._class_ids, self._believed = self._class_ids[which], self._believed[which]
        self._motion.keep(which)
        self._stillness.keep(which)

    def _begin(self, places: Array, seen: Detections, now_ns: int) -> None:
        for class_id, score in zip(seen.class_ids.tolist(), seen.scores.tolist(), strict=True):
            label = self._settings.label_of(class_id)
            evidence = self._settings.evidence(class_id, score)
            self._things.append(Thing.begin(class_id, label, score, evidence, now_ns))
        self._class_ids = np.concatenate([self._class_ids, seen.class_ids])
        self._believed = np.concatenate([self._believed, np.zeros(len(seen), np.int64)])
        self._motion.extend(Motion.begin(places))
        self._stillness.extend(Stillness.begin(to_corners(places), now_ns * 1e-9))

    def _told(self) -> tuple[Track, ...]:
        """Believed tracks, by id."""
        boxes, still = to_corners(self._motion.place).T.tolist(), self._stillness.still.tolist()
        told = zip(self._things, boxes, still, strict=True)
        tracks = [
            Track(
                thing.track_id,
                thing.class_id,
                thing.label,
                thing.score,
                thing.top_score,
                Box(*box),
                thing.first_seen_ns,
                thing.last_seen_ns,
                thing.frames,
                stands,
            )
            for thing, box, stands in told
            if thing.track_id
        ]
        tracks.sort(key=_BY_ID)
        return tuple(tracks)
