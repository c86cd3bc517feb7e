"""Ground truth: a COCO annotation file, read and checked once."""

from __future__ import annotations

import codecs
import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

import msgspec

from edge.core.errors import ConfigError, UsageError

# instances_train2017.json, the largest of COCO's own, has 449 MB.
_MAX_BYTES = 768 * 1024 * 1024

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of the set. width and height are 0 where the file does not tell them.

    file_name : relative to the folder of pictures
    """

    file_name: str
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class TrueBox:
    """One labelled object in source-frame pixels.

    picture : index into ``Annotations.pictures``
    area : in square pixels, of the object's outline where the file has it, else of the box
    crowd : a group too dense to tell apart: detections inside it count neither for nor against
    """

    picture: int
    category: str
    x1: float
    y1: float
    x2: float
    y2: float
    area: float
    crowd: bool = False


@dataclass(frozen=True, slots=True)
class Annotations:
    """A labelled set of pictures, in the file's order."""

    pictures: tuple[Picture, ...]
    categories: tuple[str, ...]
    boxes: tuple[TrueBox, ...]

    def select(self, indices: Sequence[int]) -> Annotations:
        """Those pictures alone, in that order, with their boxes."""
        places = {old: new for new, old in enumerate(indices)}
        boxes = tuple(replace(box, picture=places[box.picture]) for box in self.boxes if box.picture in places)
        return Annotations(tuple(self.pictures[index] for index in indices), self.categories, boxes)


class _Category(msgspec.Struct):
    id: int
    name: str


class _Image(msgspec.Struct):
    id: int | str
    file_name: str
    width: float | None = None
    height: float | None = None


class _Annotation(msgspec.Struct):
    image_id: int | str
    category_id: int
    bbox: tuple[float, float, float, float]
    area: float | None = None
    iscrowd: int | bool = 0


class _File(msgspec.Struct):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


def read_annotations(path: Path) -> Annotations:
    """Read an object-detection file in COCO's JSON format.

    Raises
    ------
    UsageError
        If there is no such file.
    ConfigError
        If it is not COCO JSON, contradicts itself or holds no picture; the message names the place.
    """
    parsed = _parse(path, _read_bytes(path))
    if not parsed.images:
        raise ConfigError(f"{path}: expected at least one entry in `images`, found none")
    categories = _by_id(path, "categories", [(entry.id, entry.name) for entry in parsed.categories])
    places = _by_id(path, "images", [(entry.id, index) for index, entry in enumerate(parsed.images)])
    pictures = tuple(_picture(path, index, entry) for index, entry in enumerate(parsed.images))
    boxes = []
    for index, entry in enumerate(parsed.annotations):
        where = f"{path}: annotations[{index}]"
        if entry.image_id not in places:
            raise ConfigError(f"{where}: image_id {entry.image_id!r} names no entry of `images`")
        if entry.category_id not in categories:
            raise ConfigError(f"{where}: category_id {entry.category_id} names no entry of `categories`")
        boxes.append(_true_box(where, entry, places[entry.image_id], categories[entry.category_id]))
    return Annotations(pictures, tuple(dict.fromkeys(categories.values())), tuple(boxes))


def _read_bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise ConfigError(
                f"{path}: expected an annotation file of at most {_MAX_BYTES >> 20} MiB, found {size >> 20} MiB"
            )
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no such file; --annotations takes a COCO JSON file") from error
    except IsADirectoryError as error:
        raise UsageError(f"{path}: this is a folder; --annotations takes a COCO JSON file") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error


def _parse(path: Path, content: bytes) -> _File:
    try:
        return msgspec.json.decode(content.removeprefix(codecs.BOM_UTF8), type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(
            f"{path}: expected COCO JSON with `images`, `annotations` and `categories`; {error}. "
            "See https://cocodataset.org/#format-data"
        ) from error


def _by_id(path: Path, list_name: str, pairs: list[tuple[Key, Value]]) -> dict[Key, Value]:
    found: dict[Key, Value] = {}
    for index, (key, value) in enumerate(pairs):
        if key in found:
            raise ConfigError(f"{path}: {list_name}[{index}]: id {key!r} is used twice")
        found[key] = value
    return found


def _picture(path: Path, index: int, entry: _Image) -> Picture:
    name = PurePosixPath(entry.file_name)
    if not entry.file_name or name.is_absolute() or ".." in name.parts:
        raise ConfigError(
            f"{path}: images[{index}]: file_name must lie inside the folder of pictures, found {entry.file_name!r}"
        )
    return Picture(entry.file_name, max(0, round(entry.width or 0)), max(0, round(entry.height or 0)))


def _true_box(where: str, entry: _Annotation, picture: int, category: str) -> TrueBox:
    x, y, width, height = entry.bbox
    if not all(map(math.isfinite, entry.bbox)) or width < 0 or height < 0:
        raise ConfigError(f"{where}: bbox must be x, y, width, height with sizes >= 0, found {list(entry.bbox)}")
    area = width * height if entry.area is None else entry.area
    return TrueBox(picture, category, x, y, x + width, y + height, area, bool(entry.iscrowd))
