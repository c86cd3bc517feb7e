"""Labels for pictures that have none: what a larger, freely licensed detector sees in the picture and in its tiles."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.capture.pictures import read_picture
from edge.catalog.inspector import inspect_file
from edge.catalog.trial import ChildTrial
from edge.core.errors import ConfigError
from edge.core.model import Family
from tools.training.classes import ClassPlan
from tools.training.dataset import SURE, UNSURE, refuse_test_pictures
from tools.training.judging import Judge, open_judge, watch
from tools.training.precision import Found, overlap_table

# A person's box and a teacher's box that agree so far are the same thing, whatever each calls it.
_SAME = 0.7
_COPYLEFT = re.compile(r"\b[AL]?GPL", re.IGNORECASE)
# Weights of these families are nearly always Ultralytics', AGPL-3.0, also where the file does not say so.
_SUSPECT = {Family.YOLOV5, Family.YOLOV8, Family.YOLO_DFL, Family.YOLO_END2END}


@dataclass(frozen=True, slots=True)
class Teacher:
    """A judge that may teach. licence : of its weights, as told or found."""

    judge: Judge
    licence: str


def open_teacher(name: str, *, licence: str | None, tiles: str) -> Teacher:
    """Read an SSD before its post-processing, which would keep ten boxes; others as they are.

    Raises
    ------
    ConfigError
        For weights whose licence is unknown, or would reach the detector that learns from them.
    """
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
    return Teacher(open_judge(name, boxes="raw" if raw else "graph", tiles=tiles), stated)


def teach(folder: Path, content: dict[str, Any], teacher: Teacher, plan: ClassPlan) -> dict[str, Any]:
    """The set's file with the teacher's boxes added: for each picture, of the categories that nobody has labelled.

    A picture's ``labelled`` names the category ids that people have labelled in full; without it, all of them are in
    a picture with labels, and none in one without.
    """
    refuse_test_pictures(folder / "instances.json", content)
    categories = {one["name"]: one["id"] for one in content["categories"]}
    missing = [name for names in plan.members for name in names if name not in categories]
    if missing:
        raise ConfigError(
            f"{folder}: categories {missing} are not in the set; add them, or leave them out of --classes"
        )
    own = ClassPlan(tuple(categories), tuple((name,) for name in categories))
    ids = list(categories.values())
    wanted = {categories[name] for names in plan.members for name in names}
    annotations = list(content["annotations"])
    last = max([one["id"] for one in annotations], default=0)
    people: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for one in annotations:
        if "score" not in one:
            people[one["image_id"]].append(one)
    open_ids = {
        picture["id"]: wanted - set(picture.get("labelled", ids if people[picture["id"]] else ()))
        for picture in content["images"]
    }
    pictures = [picture for picture in content["images"] if open_ids[picture["id"]]]
    images = (read_picture(folder / "images" / picture["file_name"]) for picture in pictures)
    for picture, seen in zip(pictures, watch(teacher.judge, images, own, floor=UNSURE), strict=True):
        number = picture["id"]
        for box, score, category in _new_boxes(seen, ids, open_ids[number], people[number]):
            last += 1
            annotations.append(_annotation(last, number, category, box, score))
    info = {**content.get("info", {}), "teacher": f"{teacher.judge.model.name}, {teacher.licence}"}
    return {**content, "info": info, "annotations": annotations}


def _new_boxes(seen: Found, ids: Sequence[int], wanted: set[int], known: Sequence[dict[str, Any]]) -> list[Any]:
    people = np.array([one["bbox"] for one in known], np.float32).reshape(-1, 4)
    people[:, 2:] += people[:, :2]
    doubled = overlap_table(seen.boxes, people).max(1, initial=0.0) > _SAME
    rows = zip(seen.boxes, seen.scores, (ids[number] for number in seen.classes), doubled, strict=True)
    return [(box, float(score), id_) for box, score, id_, double in rows if id_ in wanted and not double]


def _annotation(number: int, picture: Any, category: int, box: Any, score: float) -> dict[str, Any]:
    x1, y1, x2, y2 = (round(float(v), 2) for v in box)
    return {
        "id": number,
        "image_id": picture,
        "category_id": category,
        "bbox": [x1, y1, round(x2 - x1, 2), round(y2 - y1, 2)],
        "area": round((x2 - x1) * (y2 - y1), 1),
        "iscrowd": 0,
        "score": round(score, 4),
    }


def summary(before: dict[str, Any], after: dict[str, Any]) -> str:
    """What the teacher added, for the person who asked."""
    names = {one["id"]: one["name"] for one in after["categories"]}
    new = after["annotations"][len(before["annotations"]) :]
    sure = [names[one["category_id"]] for one in new if one["score"] >= SURE]
    counts = ", ".join(f"{name} {sure.count(name)}" for name in sorted(set(sure))) or "none"
    return f"boxes: {counts}; {len(new) - len(sure)} places where something may be are ignored"
