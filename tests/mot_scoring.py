"""MOTA and IDF1 over MOTChallenge rows, as py-motmetrics computes them (checked against its figures in the tests).

CLEAR MOT: Bernardin and Stiefelhagen, 2008. IDF1: Ristani et al., 2016.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.core.geometry import pairwise_iou

Rows = NDArray[np.float64]
_NEVER = 1e6


@dataclass(frozen=True)
class Score:
    mota: float
    idf1: float
    switches: int
    false_positives: int
    misses: int


def read_mot(path: Path) -> Rows:
    """(n, 7) frame, id, left, top, width, height, score."""
    text = path.read_text(encoding="utf-8").split()
    return np.array([[float(field) for field in line.split(",")[:7]] for line in text]).reshape(-1, 7)


def score_tracks(truth: Rows, told: Rows, *, least_iou: float = 0.5) -> Score:
    """Compare tracks with the truth, frame by frame and as a whole."""
    held: dict[int, int] = {}
    together: Counter[tuple[int, int]] = Counter()
    switches = false_positives = misses = 0
    for frame in np.unique(np.concatenate([truth[:, 0], told[:, 0]])):
        real, found = truth[truth[:, 0] == frame], told[told[:, 0] == frame]
        real_ids, found_ids = real[:, 1].astype(int).tolist(), found[:, 1].astype(int).tolist()
        iou = pairwise_iou(_corners(real), _corners(found)).astype(float)
        together.update((real_ids[i], found_ids[j]) for i, j in zip(*np.nonzero(iou >= least_iou), strict=True))
        pairs = _match(iou, real_ids, found_ids, held, least_iou)
        misses += len(real_ids) - len(pairs)
        false_positives += len(found_ids) - len(pairs)
        for i, j in pairs:
            switches += real_ids[i] in held and held[real_ids[i]] != found_ids[j]
            held[real_ids[i]] = found_ids[j]
    errors = switches + false_positives + misses
    idtp = _identified(together)
    return Score(1 - errors / len(truth), 2 * idtp / (len(truth) + len(told)), switches, false_positives, misses)


def _match(
    iou: NDArray[np.float64], real_ids: list[int], found_ids: list[int], held: dict[int, int], least: float
) -> list[tuple[int, int]]:
    """Pairs of a frame: whom the truth had before stays, the rest is assigned at best."""
    pairs = []
    iou = iou.copy()
    for i, real_id in enumerate(real_ids):
        j = found_ids.index(held[real_id]) if held.get(real_id) in found_ids else -1
        if j >= 0 and iou[i, j] >= least:
            pairs.append((i, j))
            iou[i, :] = iou[:, j] = 0.0
    cost = np.where(iou >= least, 1.0 - iou, _NEVER)
    return pairs + [(i, j) for i, j in assign(cost) if cost[i, j] < _NEVER]


def _identified(together: Counter[tuple[int, int]]) -> int:
    """Boxes that the best one-to-one assignment of told to real ids explains."""
    real, told = sorted({r for r, _ in together}), sorted({t for _, t in together})
    if not together:
        return 0
    counts = np.array([[together[r, t] for t in told] for r in real], float)
    return int(sum(counts[i, j] for i, j in assign(-counts)))


def assign(cost: NDArray[np.float64]) -> list[tuple[int, int]]:
    """The assignment of least total cost (Hungarian method with potentials, Kuhn 1955)."""
    if not cost.size:
        return []
    if cost.shape[0] > cost.shape[1]:
        return [(i, j) for j, i in assign(cost.T)]
    rows, columns = cost.shape
    u, v = np.zeros(rows + 1), np.zeros(columns + 1)
    owner = np.zeros(columns + 1, int)
    for row in range(1, rows + 1):
        owner[0], column = row, 0
        least, way, used = np.full(columns + 1, np.inf), np.zeros(columns + 1, int), np.zeros(columns + 1, bool)
        while owner[column]:
            used[column] = True
            slack = cost[owner[column] - 1] - u[owner[column]] - v[1:]
            better = ~used[1:] & (slack < least[1:])
            least[1:][better], way[1:][better] = slack[better], column
            following = int(np.argmin(np.where(used, np.inf, np.r_[np.inf, least[1:]])))
            step = least[following]
            u[owner[used]] += step
            v[used] -= step
            least[~used] -= step
            column = following
        while column:
            owner[column] = owner[way[column]]
            column = way[column]
    return [(int(owner[j]) - 1, j - 1) for j in range(1, columns + 1) if owner[j]]


def _corners(rows: Rows) -> NDArray[np.float32]:
    return np.concatenate([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]], axis=1).astype(np.float32)


def rows_by_frame(rows: Rows) -> dict[int, Rows]:
    """The rows of each frame."""
    frames: dict[int, list[NDArray[np.float64]]] = defaultdict(list)
    for row in rows:
        frames[int(row[0])].append(row)
    return {frame: np.array(group) for frame, group in frames.items()}
