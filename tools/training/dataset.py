"""A COCO-format set of pictures as the trainer needs it: boxes, what to ignore, outlines for copy-paste."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.core.errors import ConfigError
from tools.training.classes import ClassPlan

# Pseudo-labels carry the teacher's score: from here on a box, down to there "something may be here: ask nothing".
# That is an SSD's scale; a teacher with another one has said of each box whether it is ``doubtful``.
SURE, UNSURE = 0.5, 0.3
# Frames of one recording look alike: they must not stand on both sides of a split.
_FRAME_NUMBER = re.compile(r"-\d{1,6}$")
# Pictures that figures are published on must never be trained on.
_FORBIDDEN = re.compile(r"val2017|coco-dev", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One picture with its labels, in the picture's pixels.

    boxes : (n, 4) float32 x1, y1, x2, y2
    classes : (n,) int64
    ignored : (n,) bool: neither an object to find nor background (crowds, unsure pseudo-labels)
    outlines : per box its polygons, each (m, 2) float32; () where the set has none
    """

    path: Path
    name: str
    source: str
    boxes: NDArray[np.float32]
    classes: NDArray[np.int64]
    ignored: NDArray[np.bool_]
    outlines: tuple[tuple[NDArray[np.float32], ...], ...]

    @property
    def group(self) -> str:
        """What it must not be parted from: the recording that it is a frame of, else itself."""
        return _FRAME_NUMBER.sub("", PurePosixPath(self.name).stem)


def read_file(path: Path) -> dict[str, Any]:
    """The JSON of a COCO file, with its three lists. Raises ConfigError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; expected a folder with instances.json and images/") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: expected COCO JSON; {error}") from error
    missing = [key for key in ("images", "annotations", "categories") if not isinstance(content.get(key), list)]
    if missing:
        raise ConfigError(f"{path}: expected COCO JSON with images, annotations and categories; missing: {missing}")
    return dict(content)


def refuse_test_pictures(path: Path, content: dict[str, Any]) -> None:
    """Training on the pictures that figures are told on makes the figures worthless. Raises ConfigError."""
    places = [str(path.resolve().parent), *(str(one.get("file_name", "")) for one in content["images"])]
    guilty = next((place for place in places if _FORBIDDEN.search(place)), None)
    if guilty is not None:
        raise ConfigError(
            f"{path}: {guilty} belongs to the pictures that figures are measured on (val2017, coco-dev); "
            "they may not be trained on, nor thresholds be chosen on them"
        )


def refuse_known_pictures(content: dict[str, Any], *, other: dict[str, Any], where: str) -> None:
    """Raise ConfigError where a picture's number (``coco_000000000139.jpg``) is one of the other set's too."""
    shared = _numbers(content) & _numbers(other)
    if shared:
        raise ConfigError(f"{len(shared)} pictures are in {where} too, such as {sorted(shared)[0]}; leave them out")


def _numbers(content: dict[str, Any]) -> set[str]:
    """COCO's twelve digits, wherever a name has them."""
    return {found[0] for one in content["images"] for found in re.findall(r"(?<!\d)(\d{12})(?!\d)()", one["file_name"])}


def read_training_samples(folder: Path, plan: ClassPlan) -> list[Sample]:
    """As `read_samples`. Raises ConfigError for a set with test pictures too."""
    path = folder / "instances.json"
    refuse_test_pictures(path, read_file(path))
    return read_samples(folder, plan)


def read_samples(folder: Path, plan: ClassPlan) -> list[Sample]:
    """The set in ``folder`` (``instances.json`` and ``images/``), in the file's order; to measure on.

    Raises
    ------
    ConfigError
        If the file is no COCO JSON, names pictures outside the folder, or has none of the plan's categories.
    """
    path = folder / "instances.json"
    content = read_file(path)
    names = {one["id"]: one["name"] for one in content["categories"]}
    wanted = plan.by_category()
    if not set(names.values()) & set(wanted):
        raise ConfigError(f"{path}: has none of the categories {sorted(wanted)}; it has {sorted(names.values())}")
    by_picture: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for one in content["annotations"]:
        if names.get(one["category_id"]) in wanted and not is_forgotten(one):
            by_picture[one["image_id"]].append(one)
    return [_sample(folder, one, by_picture[one["id"]], names, wanted) for one in content["images"]]


def _sample(
    folder: Path, picture: dict[str, Any], found: list[dict[str, Any]], names: dict[int, str], wanted: dict[str, int]
) -> Sample:
    name = str(picture["file_name"])
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        raise ConfigError(f"{folder}: file_name must lie inside images/, found {name!r}")
    corners = np.array([one["bbox"] for one in found], np.float32).reshape(-1, 4)
    corners[:, 2:] += corners[:, :2]
    return Sample(
        path=folder / "images" / name,
        name=name,
        source=str(picture.get("source", "")),
        boxes=corners,
        classes=np.array([wanted[names[one["category_id"]]] for one in found], np.int64),
        ignored=np.array([bool(one.get("iscrowd")) or is_doubtful(one) for one in found], np.bool_),
        outlines=tuple(_polygons(one) for one in found),
    )


def is_doubtful(annotation: dict[str, Any]) -> bool:
    """A teacher's box that is neither an object nor background."""
    return bool(annotation.get("doubtful", annotation.get("score", 1.0) < SURE))


def is_forgotten(annotation: dict[str, Any]) -> bool:
    """A teacher's box that says nothing."""
    return "doubtful" not in annotation and annotation.get("score", 1.0) < UNSURE


def _polygons(annotation: dict[str, Any]) -> tuple[NDArray[np.float32], ...]:
    """Run-length masks (crowds) are left out: there is no one object to cut out."""
    outline = annotation.get("segmentation")
    if not isinstance(outline, list) or annotation.get("iscrowd"):
        return ()
    return tuple(np.array(part, np.float32).reshape(-1, 2) for part in outline if len(part) >= 6 and len(part) % 2 == 0)


def split_samples(samples: Sequence[Sample], *, percent: int) -> tuple[list[Sample], list[Sample]]:
    """(to train on, held out): by a hash of the recording's or picture's name, so the same on every machine and day.

    The held-out part is for curves and thresholds. It is no test set: figures are told on pictures from elsewhere.
    """
    train: list[Sample] = []
    held: list[Sample] = []
    for one in samples:
        (held if is_held_out(one.group, percent=percent) else train).append(one)
    return train, held


def is_held_out(group: str, *, percent: int) -> bool:
    return int(hashlib.sha256(group.encode()).hexdigest()[:8], 16) % 100 < percent
