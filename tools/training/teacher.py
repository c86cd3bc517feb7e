"""Labels for pictures that have none: what a larger, freely licensed detector sees in the picture and in its tiles."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from edge.capture.pictures import read_picture
from edge.catalog.inspector import inspect_file
from edge.catalog.trial import ChildTrial
from edge.core.errors import ConfigError
from edge.core.model import Family
from tools.training.classes import ClassPlan
from tools.training.dataset import SURE, UNSURE, refuse_test_pictures
from tools.training.judging import Image, open_judge, watch
from tools.training.precision import Found, overlap_table

# A person's box and a teacher's box that agree so far are the same thing, whatever each calls it.
_SAME = 0.7
# Where a person has drawn things of this category, the teacher's are new only if they are elsewhere.
_GAP = 0.3
_COPYLEFT = re.compile(r"\b[AL]?GPL", re.IGNORECASE)
# Weights of these families are nearly always Ultralytics', AGPL-3.0, also where the file does not say so.
_SUSPECT = {Family.YOLOV5, Family.YOLOV8, Family.YOLO_DFL, Family.YOLO_END2END}


class Watch(Protocol):
    """What is seen in each picture of a plan's classes, from a score on."""

    def __call__(self, images: Iterable[Image], plan: ClassPlan, *, floor: float) -> Iterator[Found]: ...


@dataclass(frozen=True, slots=True)
class Teacher:
    """licence : of its weights, as told or found. sure, unsure : scores of what counts as seen, and as perhaps seen."""

    name: str
    licence: str
    watch: Watch
    sure: float = SURE
    unsure: float = UNSURE


def open_teacher(name: str, *, licence: str | None, tiles: str) -> Teacher:
    """YOLOX-nano's ``.param`` file, or a model as `edge` runs it: an SSD before its post-processing, which would keep
    ten boxes; others as they are.

    Raises
    ------
    ConfigError
        For weights whose licence is unknown, or would reach the detector that learns from them.
    """
    if name.endswith(".param"):
        return _yolox(Path(name), licence)
    path = open_judge(name).model.path
    found = inspect_file(path, trial=ChildTrial())
    stated = licence or found.licence
    if _COPYLEFT.search(f"{stated} {found.licence}"):
        raise ConfigError(f"{path}: its weights are under {found.licence or stated}; a teacher must be freely licensed")
    if found.family in _SUSPECT and not licence:
        raise ConfigError(
            f"{path}: weights of the family {found.family} are usually AGPL-3.0, which no teacher may be; "
            "if these are not, say so with --licence"
        )
    if not stated:
        raise ConfigError(f"{path}: the file does not tell the licence of its weights; say it with --licence")
    raw = found.family is Family.SSD_POSTPROCESS
    judge = open_judge(name, boxes="raw" if raw else "graph", tiles=tiles)
    return Teacher(judge.model.name, stated, partial(watch, judge))


def _yolox(param: Path, licence: str | None) -> Teacher:
    """Its score is a product of two, so less of it says as much."""
    from tools.training.many_looks import ManyLooks  # needs torch, which the other teachers do without
    from tools.training.yolox import Yolox

    if not licence:
        raise ConfigError(f"{param}: the file does not tell the licence of its weights; say it with --licence")
    if _COPYLEFT.search(licence):
        raise ConfigError(f"{param}: its weights are under {licence}; a teacher must be freely licensed")

    def watch(images: Iterable[Image], plan: ClassPlan, *, floor: float) -> Iterator[Found]:
        return ManyLooks(Yolox(param, plan)).watch(images, floor=floor)

    return Teacher(param.stem, licence, watch, sure=0.4, unsure=0.15)


def teach(
    folder: Path, content: dict[str, Any], teacher: Teacher, plan: ClassPlan, *, fill: bool = False
) -> dict[str, Any]:
    """The set's file with the teacher's boxes added: for each picture, of the categories that nobody has labelled.

    A picture's ``labelled`` names the category ids that people have labelled in full; without it, all of them are in
    a picture with labels, and none in one without.

    fill : people's labels have gaps: what the teacher sees where nobody has drawn anything counts there, too
    """
    refuse_test_pictures(folder / "instances.json", content)
    categories = {one["name"]: one["id"] for one in content["categories"]}
    missing = [name for names in plan.members for name in names if name not in categories]
    if missing:
        raise ConfigError(
            f"{folder}: categories {missing} are not in the set; add them, or leave them out of --classes"
        )
    asked = [name for names in plan.members for name in names]
    own = ClassPlan(tuple(asked), tuple((name,) for name in asked))
    ids = [categories[name] for name in asked]
    wanted = set(ids)
    annotations = list(content["annotations"])
    last = max([one["id"] for one in annotations], default=0)
    people: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for one in annotations:
        if "score" not in one:
            people[one["image_id"]].append(one)
    labelled = {
        picture["id"]: wanted & set(picture.get("labelled", wanted if people[picture["id"]] else ()))
        for picture in content["images"]
    }
    pictures = [picture for picture in content["images"] if fill or labelled[picture["id"]] != wanted]
    images = (read_picture(folder / "images" / picture["file_name"]) for picture in pictures)
    for picture, seen in zip(pictures, teacher.watch(images, own, floor=teacher.unsure), strict=True):
        number = picture["id"]
        for box, score, category in _new_boxes(seen, ids, labelled[number], people[number], fill=fill):
            last += 1
            doubtful = score < teacher.sure
            annotations.append(_annotation(last, number, category, box, score, doubtful=doubtful))
    info = {**content.get("info", {}), "teacher": f"{teacher.name}, {teacher.licence}"}
    return {**content, "info": info, "annotations": annotations}


def _new_boxes(
    seen: Found, ids: Sequence[int], labelled: set[int], known: Sequence[dict[str, Any]], *, fill: bool
) -> list[tuple[Any, float, int]]:
    """(box, score, category) of what nobody has drawn."""
    people = np.array([one["bbox"] for one in known], np.float32).reshape(-1, 4)
    people[:, 2:] += people[:, :2]
    overlaps = overlap_table(seen.boxes, people).max(1, initial=0.0)
    rows = [
        (box, float(score), ids[number], overlap)
        for box, score, number, overlap in zip(seen.boxes, seen.scores, seen.classes, overlaps, strict=True)
    ]
    return [
        (box, score, id_)
        for box, score, id_, overlap in rows
        if (overlap <= _GAP if fill and id_ in labelled else overlap <= _SAME and id_ not in labelled)
    ]


def _annotation(number: int, picture: Any, category: int, box: Any, score: float, *, doubtful: bool) -> dict[str, Any]:
    x1, y1, x2, y2 = (round(float(v), 2) for v in box)
    return {
        "id": number,
        "image_id": picture,
        "category_id": category,
        "bbox": [x1, y1, round(x2 - x1, 2), round(y2 - y1, 2)],
        "area": round((x2 - x1) * (y2 - y1), 1),
        "iscrowd": 0,
        "score": round(score, 4),
        "doubtful": doubtful,
    }


def summary(before: dict[str, Any], after: dict[str, Any]) -> str:
    """What the teacher added, for the person who asked."""
    names = {one["id"]: one["name"] for one in after["categories"]}
    new = after["annotations"][len(before["annotations"]) :]
    sure = [names[one["category_id"]] for one in new if not one["doubtful"]]
    counts = ", ".join(f"{name} {sure.count(name)}" for name in sorted(set(sure))) or "none"
    return f"boxes: {counts}; {len(new) - len(sure)} places where something may be are ignored"
