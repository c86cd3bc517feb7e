"""A model's figures on labelled pictures, with their uncertainty, and its failures drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.capture.pictures import read_picture
from tools.training.classes import ClassPlan
from tools.training.dataset import Sample
from tools.training.precision import (
    ALL_AREAS,
    AREAS,
    Count,
    Found,
    Matches,
    count_at,
    interval,
    match_all,
    overlap_table,
    precision_of,
    threshold_for_recall,
)

_CELL = (480, 360)
_RIGHT, _WRONG, _MISSED = (60, 160, 60), (40, 40, 220), (220, 140, 20)  # BGR


@dataclass(frozen=True, slots=True)
class Figures:
    """One class, one size of object. interval: 95 % bootstrap of ap50."""

    label: str
    size: str
    objects: int
    ap: float | None
    ap50: float | None
    interval: tuple[float, float] | None


def read_all(samples: Sequence[Sample]) -> list[NDArray[np.uint8]]:
    return [read_picture(one.path) for one in samples]


def figures_of(samples: Sequence[Sample], found: Sequence[Found], plan: ClassPlan) -> list[Figures]:
    """Per class over all objects, then by COCO's sizes."""
    rows = []
    for number, label in enumerate(plan.labels):
        for size, area in {"all": ALL_AREAS, **AREAS}.items():
            matches = match_all(samples, found, class_id=number, area=area)
            figures, objects = precision_of(matches), sum(one.objects for one in matches)
            spread = interval(matches) if objects else None
            rows.append(Figures(label, size, objects, figures.ap, figures.ap50, spread))
    return rows


def table_of(rows: Sequence[Figures]) -> str:
    lines = ["| class | size | objects | AP | AP50 | 95 % interval of AP50 |", "| --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        spread = f"{row.interval[0]:.3f} to {row.interval[1]:.3f}" if row.interval else "-"
        lines.append(f"| {row.label} | {row.size} | {row.objects} | {_text(row.ap)} | {_text(row.ap50)} | {spread} |")
    return "\n".join(lines) + "\n"


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


@dataclass(frozen=True, slots=True)
class Level:
    """A class at one threshold. wrong_a_picture: boxes that are no object, per picture."""

    threshold: float
    precision: float | None
    recall: float | None
    wrong_a_picture: float


def levels_of(matches: Sequence[Matches], thresholds: Sequence[float]) -> list[Level]:
    counts = [(value, count_at(matches, value)) for value in thresholds]
    return [_level(value, count, len(matches)) for value, count in counts]


def _level(threshold: float, count: Count, pictures: int) -> Level:
    return Level(threshold, count.precision, count.recall, count.wrong / max(pictures, 1))


def choose_threshold(matches: Sequence[Sequence[Matches]], *, wrong_a_picture: float) -> float:
    """The lowest of 0.20, 0.21, ... 0.90 at which all classes together are wrong this seldom per picture."""
    for hundredths in range(20, 91):
        wrong = sum(count_at(one, hundredths / 100).wrong for one in matches)
        if wrong / max(len(matches[0]), 1) <= wrong_a_picture:
            return hundredths / 100
    return 0.9


@dataclass(frozen=True, slots=True)
class Comparison:
    """False boxes per picture of two models where both reach the recall that ours has at its threshold."""

    label: str
    recall: float
    ours: float
    theirs: float | None


def compare_at_recall(
    label: str, ours: Sequence[Matches], theirs: Sequence[Matches], *, threshold: float
) -> Comparison:
    count = count_at(ours, threshold)
    recall = count.recall or 0.0
    there = threshold_for_recall(theirs, recall)
    other = None if there is None else count_at(theirs, there).wrong / max(len(theirs), 1)
    return Comparison(label, recall, count.wrong / max(len(ours), 1), other)


def draw_failures(
    samples: Sequence[Sample], found: Sequence[Found], plan: ClassPlan, path: Path, *, threshold: float, most: int = 12
) -> int:
    """The pictures with the most mistakes in one sheet: wrong boxes red, missed objects orange, right ones green."""
    tallies = [match_all(samples, found, class_id=number) for number in range(len(plan))]
    mistakes = [
        sum(
            one[i].objects - count_at([one[i]], threshold).right + count_at([one[i]], threshold).wrong
            for one in tallies
        )
        for i in range(len(samples))
    ]
    worst = [i for i in np.argsort(mistakes, kind="stable")[::-1][:most] if mistakes[i]]
    cells = [_draw(samples[i], found[i], plan, threshold) for i in worst]
    if cells:
        cells += [np.full_like(cells[0], 255)] * (-len(cells) % 3)
        rows = [np.hstack(cells[i : i + 3]) for i in range(0, len(cells), 3)]
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.vstack(rows))
    return len(worst)


def _draw(sample: Sample, seen: Found, plan: ClassPlan, threshold: float) -> NDArray[np.uint8]:
    image = np.ascontiguousarray(read_picture(sample.path)[:, :, ::-1])
    for number, label in enumerate(plan.labels):
        mine = seen.classes == number
        matches = match_all([sample], [seen], class_id=number)[0]
        for box, score, right in zip(seen.boxes[mine], matches.scores, matches.right[0], strict=True):
            if score >= threshold:
                _box(image, box, f"{label} {score:.2f}", _RIGHT if right else _WRONG)
        reached = seen.boxes[mine][matches.right[0] & (matches.scores >= threshold)]
        for box in sample.boxes[(sample.classes == number) & ~sample.ignored]:
            if not len(reached) or _best(reached, box) < 0.5:
                _box(image, box, label, _MISSED)
    scale = min(_CELL[0] / image.shape[1], _CELL[1] / image.shape[0])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[: _CELL[1], : _CELL[0]]
    cell = np.full((_CELL[1], _CELL[0], 3), 255, np.uint8)
    cell[: small.shape[0], : small.shape[1]] = small
    return cell


def _best(boxes: NDArray[np.float32], box: NDArray[np.float32]) -> float:
    return float(overlap_table(boxes, box[None]).max())


def _box(image: NDArray[np.uint8], box: NDArray[np.float32], text: str, colour: tuple[int, int, int]) -> None:
    x1, y1, x2, y2 = (int(v) for v in box)
    cv2.rectangle(image, (x1, y1), (x2, y2), colour, 2)
    cv2.putText(image, text, (x1 + 2, max(y1 + 14, 14)), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, 1, cv2.LINE_AA)
