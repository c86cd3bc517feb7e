"""Which detections a camera asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from edge.core.errors import ConfigError
from edge.core.likeness import like
from edge.core.values import Detections
from edge.track.settings import DEFAULT_START_SCORE, kept_score

# No score reaches it: the class is never wanted.
_NEVER = 2.0


class Wanted:
    """The classes and scores a camera asked for.

    Parameters
    ----------
    labels : the model's labels, by class id
    chosen : the labels asked for; None or empty means all of them
    default : the score asked for where ``thresholds`` names none, 0..1
    thresholds : label -> the score asked for
    camera : its name, for messages

    Raises
    ------
    ConfigError
        If a label does not exist in the model, or a threshold is outside 0..1.
    """

    def __init__(
        self,
        labels: tuple[str, ...],
        *,
        chosen: Iterable[str] | None = None,
        default: float = DEFAULT_START_SCORE,
        thresholds: Mapping[str, float] | None = None,
        camera: str = "camera",
    ) -> None:
        chosen, thresholds = tuple(chosen or ()), dict(thresholds or {})
        _check_labels(labels, (*chosen, *thresholds), camera)
        for name, value in {"default": default, **thresholds}.items():
            _check_threshold(name, value, camera)
        self._labels, self._camera = labels, camera
        self._chosen = chosen
        self._default, self._thresholds = default, thresholds
        self.override({})

    def become(self, other: Wanted) -> None:
        """Ask for what another asks for, of the same model, from the next frame on."""
        self._chosen, self._default, self._thresholds = other._chosen, other._default, other._thresholds
        self.override({})

    def override(self, thresholds: Mapping[str, float]) -> None:
        """Ask for other scores, from the next frame on; labels that are not named keep the score they began with."""
        _check_labels(self._labels, tuple(thresholds), self._camera)
        for name, value in thresholds.items():
            _check_threshold(name, value, self._camera)
        scores, allowed = {**self._thresholds, **thresholds}, frozenset(self._chosen or self._labels)
        self.start_scores = tuple(
            scores.get(label, self._default) if label in allowed else _NEVER for label in self._labels
        )
        # Classes past the labels' end: wanted only by who wants everything.
        rest = _NEVER if self._chosen else self._default
        self._start = np.array([*self.start_scores, rest], np.float32)
        self._kept = np.array([kept_score(score) if score <= 1.0 else _NEVER for score in self._start], np.float32)

    @property
    def scores(self) -> dict[str, float]:
        """Label -> the score asked for, of all that are wanted."""
        told = zip(self._labels, self.start_scores, strict=True)
        return {label: score for label, score in told if label and score <= 1.0}

    @property
    def lowest_score(self) -> float:
        """The weakest score that may still continue a track: what the decoder must let through."""
        wanted = self._kept[self._kept <= 1.0]
        return float(wanted.min()) if len(wanted) else 1.0

    def select(self, detections: Detections) -> Detections:
        """What the tracker needs: wanted classes, down to the score that may continue a track."""
        return self._at_least(detections, self._kept)

    def confident(self, detections: Detections) -> Detections:
        """What a person asked to see: wanted classes at their thresholds."""
        return self._at_least(detections, self._start)

    def _at_least(self, detections: Detections, scores: NDArray[np.float32]) -> Detections:
        passing = detections.scores >= scores.take(detections.class_ids, mode="clip")
        return detections if passing.all() else detections.select(passing)


def lowest_score(wanted: Iterable[Wanted]) -> float:
    """The score threshold of a detector that several cameras share."""
    return min((each.lowest_score for each in wanted), default=1.0)


def _check_labels(labels: tuple[str, ...], named: tuple[str, ...], camera: str) -> None:
    known = set(labels)
    for name in named:
        if name in known:
            continue
        near = like(name, labels)
        hint = (
            f"; did you mean '{near[0]}'?"
            if near
            else f"; it knows {', '.join(labels[:10])}" + " ..." * (len(labels) > 10)
        )
        raise ConfigError(f"camera '{camera}': the model knows no label '{name}'{hint}")


def _check_threshold(name: str, value: float, camera: str) -> None:
    if not 0.0 <= value <= 1.0:
        raise ConfigError(f"camera '{camera}': threshold '{name}' must be between 0 and 1, found {value}")
