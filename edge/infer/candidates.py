"""Which of thousands of candidates score high enough: found in the tensor's own numbers, without dequantising them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edge.core.model import OutputLayout
from edge.core.values import Tensor

ScoreKind = Literal["probability", "logit"]
# exp(-x) leaves float32 at 88; MediaPipe clamps its face scores at 100 for the same reason.
_LOGIT_LIMIT = 80.0
# The top of a quantised range can lie some steps above 1; a product of two such scores a little further.
ABOVE_ONE = 1.25


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Those above the threshold.

    positions : (n,) places on the candidate axis
    scores : (n,) float32
    class_ids : (n,) int32, without background
    """

    positions: NDArray[np.intp]
    scores: NDArray[np.float32]
    class_ids: NDArray[np.int32]


def is_score(scores: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which numbers can be scores, whatever their threshold: a quantised one may come out a little above 1."""
    return np.asarray((scores > -ABOVE_ONE) & (scores < ABOVE_ONE), np.bool_)


def as_scores(real: NDArray[np.float32], kind: ScoreKind) -> NDArray[np.float32]:
    """Real numbers of a tensor as scores: as they are, or through the sigmoid."""
    if kind == "probability":
        return real
    scores = 1.0 / (1.0 + np.exp(-np.clip(real, -_LOGIT_LIMIT, _LOGIT_LIMIT)))
    # Minus infinity is a fair "never"; no model is infinitely sure of something.
    return np.where(np.isposinf(real), np.float32(np.nan), np.asarray(scores, np.float32))


def first_passing(output: OutputLayout, *, kind: ScoreKind, threshold: float) -> float:
    """The smallest raw number of a tensor whose score is at least the threshold.

    For a quantised tensor exactly that step, found among all it has (above them all when none passes).
    For a real one the threshold itself, a little lowered for logits: the sigmoid's rounding is settled later.
    """
    dtype = np.dtype(output.dtype)
    if dtype.kind not in "iu":
        return threshold if kind == "probability" else _logit(threshold) - 1e-3
    limits = np.iinfo(dtype)
    steps = np.arange(limits.min, limits.max + 1, dtype=np.int64)
    scores = as_scores(Tensor(steps, output.scale, output.zero_point).real(), kind)
    return float(limits.min + int(np.searchsorted(scores, np.float32(threshold), side="left")))


class ScoreGate:
    """Finds candidates in one score tensor.

    rejected : places dropped so far whose scores were none: not a number, infinite, or far above 1
    """

    def __init__(self, output: OutputLayout, *, kind: ScoreKind, threshold: float, multi_label: bool) -> None:
        """
        Parameters
        ----------
        threshold : scores from this one on pass, 0..1
        multi_label : each class above the threshold makes a candidate; else only a place's best class does
        """
        self._kind = kind
        self._threshold = np.float32(threshold)
        self._raw_threshold = first_passing(output, kind=kind, threshold=threshold)
        self._step = _step_of(self._raw_threshold, np.dtype(output.dtype))
        self._multi_label = multi_label
        self._table: _Table | None = None
        self.rejected = 0

    def select(self, tensor: Tensor, *, axis: int, first: int, last: int) -> Candidates:
        """The candidates of a 2-d tensor.

        Parameters
        ----------
        tensor : values (channels, n) or (n, channels)
        axis : which is the candidate axis: 1 or 0
        first, last : the channels of the classes, as in a slice

        Notes
        -----
        The work over all candidates is one comparison or one maximum in the raw dtype, along the axis that lies
        contiguous in memory; only survivors become real numbers.
        """
        raw = tensor.values
        if axis == 1:
            # maximum, not fmax: a place with a class that is no number is to be looked at.
            peaks = np.maximum.reduce(raw[first:last], axis=0)
            positions = self._may_pass(peaks).nonzero()[0]
            if not len(positions):
                return _none()
            survivors = raw[first:last, positions]
            if raw.dtype.kind in "iu" and not self._multi_label:
                best = peaks.take(positions)
                # the first that is as high as the highest: half the time of argmax over the numbers
                return self._settle_raw(positions, best, (survivors == best).argmax(axis=0), tensor)
            survivors = survivors.T
        else:
            # Comparing whole rows and blanking the other columns is 4 times faster than comparing a part of each row.
            passing = self._may_pass(raw)
            passing[:, :first] = False
            passing[:, last:] = False
            positions = _rows_with_any(passing)
            survivors = raw[positions, first:last]
        if raw.dtype.kind in "iu" and not self._multi_label:
            classes = survivors.argmax(axis=1)
            return self._settle_raw(positions, survivors[np.arange(len(positions)), classes], classes, tensor)
        scores = as_scores(Tensor(survivors, tensor.scale, tensor.zero_point).real(), self._kind)
        return self.settle(positions, scores)

    def _may_pass(self, raw: NDArray[Any]) -> NDArray[np.bool_]:
        """Where the score reaches the threshold or is no number: what is none is looked at, to be counted."""
        if raw.dtype.kind in "iu":
            return np.asarray(raw >= self._step, np.bool_)
        below = raw < self._raw_threshold
        return np.logical_not(below, out=below)

    def _settle_raw(
        self, positions: NDArray[np.intp], best: NDArray[Any], classes: NDArray[np.intp], tensor: Tensor
    ) -> Candidates:
        """From the whole steps of each survivor's best class, (n,), to candidates; steps keep the order of the scores.

        Each passes: the raw threshold is exactly the smallest step whose score does.
        """
        return Candidates(positions, self._scores_of(best, tensor), classes.astype(np.int32))

    def _scores_of(self, steps: NDArray[Any], tensor: Tensor) -> NDArray[np.float32]:
        """Of whole steps; those of one byte are looked up: a third of the time."""
        if steps.dtype.itemsize > 1:
            return _at_most_one(Tensor(steps, tensor.scale, tensor.zero_point), self._kind)
        table = self._table
        if table is None or not table.is_of(tensor):
            table = self._table = _Table(tensor, self._kind)
        return table.scores.take(steps.view(np.uint8))

    def settle(self, positions: NDArray[np.intp], scores: NDArray[np.float32]) -> Candidates:
        """From survivors' scores of all classes, (n, classes), to candidates; exact at the threshold.

        Scores that are none are dropped, and their places counted.
        """
        proper = is_score(scores)
        clean = scores
        if not proper.all():
            self.rejected += int(np.count_nonzero(~proper.all(axis=1)))
            clean = np.where(proper, scores, np.float32(-1.0))
        if self._multi_label:
            rows, classes = np.nonzero(clean >= self._threshold)
        else:
            classes = clean.argmax(axis=1) if len(clean) else np.zeros(0, np.intp)
            rows = np.flatnonzero(clean[np.arange(len(clean)), classes] >= self._threshold)
            classes = classes[rows]
        best = np.minimum(clean[rows, classes], np.float32(1.0))
        return Candidates(positions[rows], best, classes.astype(np.int32))


def _none() -> Candidates:
    return Candidates(np.zeros(0, np.intp), np.zeros(0, np.float32), np.zeros(0, np.int32))


class _Table:
    """The score of each step of one byte, in the order of the bytes."""

    def __init__(self, tensor: Tensor, kind: ScoreKind) -> None:
        self._scale, self._zero_point = tensor.scale, tensor.zero_point
        steps = np.arange(256, dtype=np.uint8).view(tensor.values.dtype)
        self.scores = _at_most_one(Tensor(steps, self._scale, self._zero_point), kind)

    def is_of(self, tensor: Tensor) -> bool:
        return self._scale == tensor.scale and self._zero_point == tensor.zero_point


def _step_of(threshold: float, dtype: np.dtype[Any]) -> Any:
    """In the tensor's own numbers where it is one of them: comparing those takes half the time."""
    if dtype.kind not in "iu" or threshold > np.iinfo(dtype).max:
        return threshold
    return dtype.type(threshold)


def _at_most_one(tensor: Tensor, kind: ScoreKind) -> NDArray[np.float32]:
    return np.minimum(as_scores(tensor.real(), kind), np.float32(1.0))


def _rows_with_any(passing: NDArray[np.bool_]) -> NDArray[np.intp]:
    # Few of very many pass: listing those and naming their rows beats any(axis=1), which visits every row.
    rows = np.flatnonzero(passing) // passing.shape[1]
    return rows[np.concatenate([[True], rows[1:] != rows[:-1]])] if len(rows) else rows


def _logit(score: float) -> float:
    if score <= 0.0:
        return -math.inf
    return math.inf if score >= 1.0 else math.log(score / (1.0 - score))


def raw_view(tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The same tensor in another shape of the same size, without copying."""
    values: NDArray[Any] = tensor.values.reshape(shape)
    return Tensor(values, tensor.scale, tensor.zero_point, tensor.name)
