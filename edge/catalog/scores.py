"""Judges numbers that should be scores or boxes: probabilities or logits, pixels or 0..1, alive or dead."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.catalog.evidence import Evidence, OutputView
from edge.catalog.grid import follows
from edge.core.errors import ModelError

_SQUASHERS = {"LOGISTIC", "SOFTMAX", "SIGMOID"}
# A probability may leave 0..1 by a rounding step of its quantisation, no more.
_SLACK = 0.05
# A coordinate beyond this multiple of the input's side is in pixels: decoded centres stay inside the picture.
_PIXEL_LIMIT = 2.0
# Scores that come in coarser steps than this cannot be told apart around a threshold (8 bit in 0..1: 0.004).
_COARSEST_STEP = 0.0125
# Key points reach across the picture; the scores of one class seldom rise steadily over half of 0..1.
_POINTS_SPAN = 0.5
_REAL_TYPES = {"float16", "float32", "float64"}
_PLAIN = "pose, segmentation and rotated-box models are not supported. Export a plain detection model (task detect)"


def score_kind(evidence: Evidence, view: OutputView, scores: NDArray[np.float32] | None) -> str:
    """ "probability" or "logit": by the run's numbers where they decide, else by the graph, else by the range."""
    if scores is not None and scores.size and (scores.min() < -_SLACK or scores.max() > 1 + _SLACK):
        return "logit"
    sources = evidence.graph.sources(view.tensor.index)
    if sources & _SQUASHERS:
        return "probability"
    if scores is not None and scores.size:
        return "probability"
    limits = view.limits
    return "logit" if limits and limits[0] < -1 else "probability"


def units_of_centres(centres: NDArray[np.float32] | None, view: OutputView) -> str:
    """ "pixels" or "normalised". ``centres``: coordinates that lie inside the picture (no widths, no heights)."""
    if centres is not None and centres.size:
        finite = centres[np.isfinite(centres)]
        return "pixels" if finite.size and np.abs(finite).max() > _PIXEL_LIMIT else "normalised"
    limits = view.limits
    return "pixels" if limits and limits[1] > 2 * _PIXEL_LIMIT else "normalised"


def check_class_scores(
    scores: NDArray[np.float32] | None, *, first: int, centres: NDArray[np.float32] | None = None
) -> None:
    """Refuse columns that are not class scores: what follows the boxes of pose, rotated-box and mask models.

    Parameters
    ----------
    scores : (candidates, classes), real numbers, before any sigmoid; first : number of the first column
    centres : (candidates, 2) x, y of each candidate's cell, where the head has one candidate per cell
    """
    if scores is None or not scores.size:
        return
    points = [] if centres is None else _coordinates(scores, centres)
    if points:
        raise ModelError(
            f"the columns {[first + at for at in points[:5]]} of the output are not class scores: they follow the "
            f"place on the picture, as key points do; {_PLAIN}"
        )
    outside = (scores < -_SLACK) | (scores > 1 + _SLACK)
    columns = outside.any(axis=0)
    if not columns.any():
        return
    # Logits: every class is outside 0..1 somewhere, and nearly all say "no" (negative).
    if columns.all() and float(np.median(scores)) < 0:
        return
    which = [first + int(i) for i in np.flatnonzero(columns)[:5]]
    raise ModelError(
        f"the columns {which} of the output are not class scores ({scores.min():.3g} to {scores.max():.3g}); {_PLAIN}"
    )


def _coordinates(scores: NDArray[np.float32], centres: NDArray[np.float32]) -> list[int]:
    """The columns that are places on the picture: across and down, over most of it."""
    wide = [at for at in range(scores.shape[1]) if float(np.ptp(scores[:, at])) > _POINTS_SPAN]
    across = [at for at in wide if follows(scores[:, at], centres[:, 0])]
    down = [at for at in wide if follows(scores[:, at], centres[:, 1])]
    return sorted(across + down) if across and down else []


def check_numbers(views: tuple[OutputView, ...]) -> None:
    """Refuse whole numbers that nothing makes real ones.

    Raises
    ------
    ModelError
        For an output that is neither real nor quantised by one scale.
    """
    for view in views:
        tensor = view.tensor
        if tensor.dtype in _REAL_TYPES or view.is_quantised:
            continue
        found = f"{len(tensor.scales)} scales" if tensor.scales else "no scale"
        raise ModelError(
            f"the output {tensor.name!r} is {tensor.dtype} with {found}; expected real numbers, or int8, uint8 or "
            "int16 with one scale and zero point. Export it again with float output or full integer quantisation"
        )


def check_resolution(evidence: Evidence, view: OutputView, *, kind: str) -> None:
    """Refuse scores that one scale has killed: the output's own, or that of a tensor they came through.

    Raises
    ------
    ModelError
        With the scale found and the way out.
    """
    coarsest = evidence.graph.coarsest(view.tensor.index)
    if kind == "logit" or coarsest is None or coarsest.scale <= _COARSEST_STEP:
        return
    step = coarsest.scale
    through = "is" if coarsest.index == view.tensor.index else f"comes from {coarsest.name!r}, which is"
    raise ModelError(
        f"the output {view.tensor.name!r} {through} {coarsest.dtype} with one scale of {step:.4g} for all its "
        f"numbers, so a score can only be a multiple of {step:.4g} and detections are lost (boxes in pixels do this). "
        "Export again with normalised boxes, with float output, or with boxes and scores as two outputs"
    )


def check_alive(views: tuple[OutputView, ...]) -> None:
    """Refuse a model whose run gave nothing but one number, or no number."""
    reals = [real for view in views if (real := view.real) is not None and real.size]
    if not reals:
        return
    for view in views:
        real = view.real
        if real is not None and real.size and not np.isfinite(real).any():
            raise ModelError(f"the output {view.tensor.name!r} holds no number at all in a trial run (NaN or infinite)")
    if all(float(np.nanmin(real)) == float(np.nanmax(real)) for real in reals):
        raise ModelError(
            f"every output is one constant ({float(reals[0].flat[0]):.4g}) in a trial run on a textured picture; the "
            "conversion or the quantisation went wrong. Convert it again, with representative pictures"
        )
