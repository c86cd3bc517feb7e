"""Several sets into one small folder: pictures made smaller, ids renumbered, test pictures refused."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.capture.pictures import read_picture
from edge.core.errors import ConfigError, EdgeError
from tools.training.dataset import read_file, refuse_known_pictures, refuse_test_pictures

_HASH_SIDE = 8
_SAME_BITS = 3  # of 64: the same picture at another size or quality


@dataclass(frozen=True, slots=True)
class Packing:
    """longest : side of the packed pictures, pixels; quality : of the JPEGs; limit_mb : of the folder."""

    longest: int = 416
    quality: int = 88
    limit_mb: float = 60.0


def pack(folders: Sequence[Path], out: Path, packing: Packing, *, never: Sequence[Path]) -> str:
    """Write ``out/instances.json`` and ``out/images``; returns a summary.

    never : folders of test sets; a set with one of their pictures (by COCO's number, or by its looks) is refused

    Raises
    ------
    ConfigError
        For a set that can't be read, or holds test pictures.
    EdgeError
        If the folder grows beyond the limit.
    """
    if out.exists() and any(out.iterdir()):
        raise ConfigError(f"{out}: expected an empty or new folder")
    tests = [read_file(folder / "instances.json") for folder in never]
    looks = np.array([look for folder in never for look in _looks_of(folder)], np.uint64)
    (out / "images").mkdir(parents=True)
    merged: dict[str, Any] = {"info": {"sets": [folder.name for folder in folders]}, "images": [], "annotations": []}
    categories: dict[str, int] = {}
    for folder in folders:
        content = read_file(folder / "instances.json")
        refuse_test_pictures(folder / "instances.json", content)
        for test, where in zip(tests, never, strict=True):
            refuse_known_pictures(content, other=test, where=str(where))
        if teacher := content.get("info", {}).get("teacher"):
            teachers = merged["info"].setdefault("teacher", [])
            merged["info"]["teacher"] = sorted({*teachers, f"{teacher} ({folder.name})"})
        _add(merged, _renumbered(content, categories), folder, out, packing, looks)
    merged["categories"] = [{"id": number, "name": name} for name, number in categories.items()]
    (out / "instances.json").write_text(json.dumps(merged), encoding="utf-8")
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 1e6
    if size > packing.limit_mb:
        raise EdgeError(f"{out}: {size:.1f} MB, more than {packing.limit_mb:g}; use a smaller --longest or --quality")
    sources = Counter(one.get("source", "") for one in merged["images"])
    told = ", ".join(f"{name or 'unnamed'} {count}" for name, count in sources.most_common())
    return f"{out}: {len(merged['images'])} pictures ({told}), {len(merged['annotations'])} boxes, {size:.1f} MB"


def _renumbered(content: dict[str, Any], known: dict[str, int]) -> dict[str, Any]:
    """The file with its categories under the numbers that their names have in all sets; new names are numbered on."""
    new = {one["id"]: known.setdefault(one["name"], len(known) + 1) for one in content["categories"]}
    pictures = [
        {**one, "labelled": sorted(new[number] for number in one["labelled"])} if "labelled" in one else one
        for one in content["images"]
    ]
    boxes = [{**one, "category_id": new[one["category_id"]]} for one in content["annotations"]]
    return {**content, "images": pictures, "annotations": boxes}


def _add(
    merged: dict[str, Any],
    content: dict[str, Any],
    folder: Path,
    out: Path,
    packing: Packing,
    looks: NDArray[np.uint64],
) -> None:
    scales, ids = {}, {}
    for picture in content["images"]:
        image = read_picture(folder / "images" / picture["file_name"])
        if len(looks) and _apart(looks, look_of(image)) <= _SAME_BITS:
            raise ConfigError(f"{folder}: {picture['file_name']} looks like a picture of a test set; leave it out")
        scale = min(1.0, packing.longest / max(image.shape[:2]))
        size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
        small = image if scale == 1.0 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        number = ids[picture["id"]] = len(merged["images"]) + 1
        scales[picture["id"]] = size[0] / image.shape[1], size[1] / image.shape[0]
        name = _free_name(merged, Path(picture["file_name"]).stem)
        cv2.imwrite(str(out / "images" / name), small[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, packing.quality])
        kept = {key: value for key, value in picture.items() if key in {"source", "labelled", "licence", "origin"}}
        merged["images"].append({"id": number, "file_name": name, "width": size[0], "height": size[1], **kept})
    for one in content["annotations"]:
        if one["image_id"] in ids:
            scaled = _scaled(one, *scales[one["image_id"]])
            merged["annotations"].append(
                {**scaled, "id": len(merged["annotations"]) + 1, "image_id": ids[one["image_id"]]}
            )


def _free_name(merged: dict[str, Any], stem: str) -> str:
    taken = {one["file_name"] for one in merged["images"]}
    name, number = f"{stem}.jpg", 1
    while name in taken:
        number += 1
        name = f"{stem}_{number}.jpg"
    return name


def _scaled(one: dict[str, Any], across: float, down: float) -> dict[str, Any]:
    x, y, width, height = one["bbox"]
    made = {**one, "bbox": [round(v, 2) for v in (x * across, y * down, width * across, height * down)]}
    made["area"] = round(one.get("area", width * height) * across * down, 1)
    outline = one.get("segmentation")
    made.pop("segmentation", None)
    if isinstance(outline, list) and not one.get("iscrowd"):
        factors = across, down
        made["segmentation"] = [[round(v * factors[i % 2], 1) for i, v in enumerate(part)] for part in outline]
    return made


def _looks_of(folder: Path) -> list[np.uint64]:
    content = read_file(folder / "instances.json")
    return [look_of(read_picture(folder / "images" / one["file_name"])) for one in content["images"]]


def _apart(looks: NDArray[np.uint64], look: np.uint64) -> int:
    """The fewest bits by which a look differs from any of the others."""
    return int(np.unpackbits((looks ^ look).view(np.uint8).reshape(-1, 8), axis=1).sum(1).min())


def look_of(image: NDArray[np.uint8]) -> np.uint64:
    """64 bits: where the picture gets brighter from left to right at 9 x 8 pixels (difference hash)."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_HASH_SIDE + 1, _HASH_SIDE), interpolation=cv2.INTER_AREA).astype(np.int16)
    bits = (small[:, 1:] > small[:, :-1]).ravel()
    return np.packbits(bits).view(">u8")[0].astype(np.uint64)
