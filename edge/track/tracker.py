"""Detections become tracks: who continues whom, who is new, who is gone.

After ByteTrack (Zhang et al., ECCV 2022): strong detections continue tracks first, weak ones continue what is left,
and only strong ones start a track. Unlike it, all times are real seconds, so that 1 and 30 frames a second take the
same settings.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from edge.core.values import Box, Detections, Glimpse, Track
from edge.track.association import Pair, best_pairs, likeness
from edge.track.kalman import Motion, to_corners, to_places
from edge.track.settings import DEFAULT_START_SCORE, TrackerSettings
from edge.track.stillness import Stillness
from edge.track.sway import LEAST_WITNESSES, common_shift
from edge.track.thing import Thing

Array = NDArray[np.float64]

# Least likeness by kind of pair: [unbelieved + weak (never), unbelieved + strong, believed + weak, believed + strong].
# ByteTrack's own (1 - its cost thresholds): a weak detection must fit better than a strong one.
# A detection adds 1 when it is strong, a track 2 when it is believed.
_BELIEVED = 2
LEAST_ALIKE = (2.0, 0.3, 0.5, 0.2)
# Another class continues a track only where nothing else does and the boxes are nearly the same.
OTHER_CLASS_ALIKE = 0.7
# Of two things that a detection fits about alike, it is the one seen last: what a second out of sight costs, and how
# many count. After the cascade of DeepSORT (Wojke et al., 2017), which asks those first that were seen last.
_ABSENCE_PER_S = 0.1
_LONGEST_ABSENCE_S = 2.0
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
# A camera that gives a frame every ten seconds is slow, not blind: it is blind when it is so many times later than
# it was the last few times.
_LATE = 3.0
_PACE_OF = 2


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
        self._gaps_s: deque[float] = deque(maxlen=_PACE_OF)
        self._looked_ns = 0
        # Item i of each of these speaks of the same thing.
        self._things: list[Thing] = []
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
        found = to_places(detections.boxes)
        strong = (detections.scores >= self._start_scores.take(detections.class_ids, mode="clip")).tolist()
        if self._things:
            self._motion.predict(elapsed_s)
            pairs = self._pair(found, detections.class_ids.tolist(), strong)
            missed = self._continue(pairs, found, detections, now_ns)
            self._look(missed, now_ns)
            if missed:
                self._miss(missed, elapsed_s)
            for _, column in pairs:
                strong[column] = False
        if True in strong:
            self._begin(found[:, strong], detections.select(np.array(strong)), now_ns)
        return self._told()

    def forget(self) -> None:
        """Give up all that is followed: the camera was away, or its pixels mean something else now."""
        self._drop(set(range(len(self._things))))

    def _advance(self, captured_ns: int) -> tuple[int, float]:
        before = captured_ns if self._now_ns is None else self._now_ns
        self._now_ns = max(before, captured_ns)
        elapsed_s = (self._now_ns - before) * 1e-9
        if elapsed_s > _LEAST_PATIENCE_S * _BLIND_PATIENCE and elapsed_s > _LATE * max(self._gaps_s, default=0.0):
            self._forget_after_blindness(elapsed_s)
        self._gaps_s.append(elapsed_s)
        return self._now_ns, elapsed_s

    def _pair(self, found: Array, class_ids: list[int], strong: list[bool]) -> list[Pair]:
        """The stages of ByteTrack in one go: each kind of pair outranks all pairs of the kinds below it."""
        alike = likeness(self._motion.place, found, self._motion.doubt(_WIDEST))
        rows, columns = (alike >= LEAST_ALIKE[-1]).nonzero()
        ranked = []
        for like, row, column in zip(alike[rows, columns].tolist(), rows.tolist(), columns.tolist(), strict=True):
            thing = self._things[row]
            if thing.class_id != class_ids[column]:
                if like >= OTHER_CLASS_ALIKE and thing.track_id:
                    ranked.append((like, row, column))
                continue
            kind = (_BELIEVED if thing.track_id else 0) + strong[column]
            if like < LEAST_ALIKE[kind]:
                continue
            rank = like + kind
            if thing.misses:
                rank -= self._absence(thing)
            ranked.append((rank, row, column))
        return best_pairs(ranked)

    def _absence(self, thing: Thing) -> float:
        """What its time out of sight takes from a pair's rank."""
        return _ABSENCE_PER_S * min(self._unseen_s(thing), _LONGEST_ABSENCE_S)

    def _unseen_s(self, thing: Thing) -> float:
        assert self._now_ns is not None
        return (self._now_ns - thing.last_seen_ns) * 1e-9

    def _continue(self, pairs: Sequence[Pair], found: Array, detections: Detections, now_ns: int) -> list[int]:
        """Take in what was seen again; answer the things that were not."""
        scores, class_ids = detections.scores.tolist(), detections.class_ids.tolist()
        columns = [-1] * len(self._things)
        for row, column in pairs:
            columns[row] = column
            thing = self._things[row]
            if thing.see(class_ids[column], scores[column], now_ns):
                thing.label = self._settings.label_of(thing.class_id)
            if not thing.track_id:
                self._weigh(thing, detections.boxes[column])
        missed = [row for row, column in enumerate(columns) if column < 0] if len(pairs) < len(columns) else []
        if pairs:
            places = found.take(columns, axis=1)
            if missed and len(pairs) >= LEAST_WITNESSES:
                self._sway(pairs, places, missed)
            self._motion.correct(places, missed)
        return missed

    def _sway(self, pairs: Sequence[Pair], places: Array, missed: list[int]) -> None:
        """What is out of sight has moved in the picture, too, when the camera was turned; but for what stands still."""
        rows = [row for row, _ in pairs]
        shift = common_shift((places[:2] - self._motion.place[:2]).take(rows, axis=1).tolist())
        if any(shift):
            still = self._stillness.still
            self._motion.shift([row for row in missed if not still[row]], shift)

    def _weigh(self, thing: Thing, box: NDArray[np.float32]) -> None:
        """Believe in a thing that was seen again once enough speaks for it, or enough time has passed."""
        thing.evidence += self._settings.evidence(thing.class_id, thing.score)
        if thing.evidence >= self._settings.confirm_evidence or thing.age_s >= self._settings.confirm_s:
            thing.track_id = self._next_id
            self._next_id += 1
        else:
            thing.before += (Glimpse(thing.last_seen_ns, Box(*box.tolist()), thing.score),)

    def _look(self, missed: list[int], now_ns: int) -> None:
        """Judge from time to time who stands still."""
        if now_ns - self._looked_ns >= _LOOK_NS:
            self._looked_ns = now_ns
            seen = np.ones(len(self._things), np.bool_)
            seen[missed] = False
            self._stillness.look(to_corners(self._motion.place), seen, now_ns * 1e-9, self._settings)

    def _miss(self, missed: list[int], elapsed_s: float) -> None:
        """Age what was not seen; drop what stayed away too long."""
        self._motion.fade(missed, elapsed_s)
        resting = self._resting(missed)
        if resting:
            self._motion.stop(sorted(resting))
        gone = set()
        for row in missed:
            thing = self._things[row]
            thing.misses += 1
            if not self._is_awaited(thing, row in resting):
                gone.add(row)
        self._drop(gone)

    def _is_awaited(self, thing: Thing, rests: bool) -> bool:
        unseen_s = self._unseen_s(thing)
        if not thing.track_id:
            return unseen_s <= _SECOND_SIGHT_S
        return thing.misses < self._settings.lost_frames or unseen_s < self._patience_s(thing, rests)

    def _patience_s(self, thing: Thing, rests: bool) -> float:
        if rests:
            return self._settings.lost_after_s_still
        return min(self._settings.lost_after_s, max(_LEAST_PATIENCE_S, thing.age_s))

    def _resting(self, rows: Sequence[int]) -> set[int]:
        """Those of some things that are stationary, and in their place right now."""
        still = self._stillness.still.tolist()
        stands = [row for row in rows if still[row]]
        if not stands:
            return set()
        rests = self._stillness.resting(to_corners(self._motion.place[:, stands]), stands)
        return {row for row, is_home in zip(stands, rests, strict=True) if is_home}

    def _forget_after_blindness(self, elapsed_s: float) -> None:
        resting = self._resting(range(len(self._things)))
        patience = enumerate(self._patience_s(thing, row in resting) for row, thing in enumerate(self._things))
        self._drop({row for row, patience_s in patience if elapsed_s > patience_s * _BLIND_PATIENCE})

    def _drop(self, gone: set[int]) -> None:
        if not gone:
            return
        kept = [row not in gone for row in range(len(self._things))]
        self._things = [thing for thing, stays in zip(self._things, kept, strict=True) if stays]
        which = np.array(kept, np.bool_)
        self._motion.keep(which)
        self._stillness.keep(which)

    def _begin(self, places: Array, seen: Detections, now_ns: int) -> None:
        sights = zip(seen.class_ids.tolist(), seen.scores.tolist(), seen.boxes.tolist(), strict=True)
        for class_id, score, box in sights:
            label, evidence = self._settings.label_of(class_id), self._settings.evidence(class_id, score)
            glimpse = Glimpse(now_ns, Box(*box), score)
            self._things.append(Thing.begin(class_id, label, evidence=evidence, seen=glimpse))
        self._motion.extend(Motion.begin(places))
        self._stillness.extend(Stillness.begin(to_corners(places), now_ns * 1e-9))

    def _told(self) -> tuple[Track, ...]:
        """Believed tracks, by id."""
        boxes, still = to_corners(self._motion.place).T.tolist(), self._stillness.still.tolist()
        tracks = []
        for thing, box, stands in zip(self._things, boxes, still, strict=True):
            if not thing.track_id:
                continue
            tracks.append(
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
                    thing.before,
                )
            )
            thing.before = ()
        tracks.sort(key=_BY_ID)
        return tuple(tracks)
