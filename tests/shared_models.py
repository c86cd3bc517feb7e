"""The test data's models with layouts written by hand from its manifest (the inspector has its own tests)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from edge.core.model import Family, InputLayout, Model, ModelLayout, OutputLayout

_SSD_ROLES = ("boxes", "classes", "scores", "count")
# How the pictures go in and how the outputs are to be read, where the manifest says it in words.
_LETTERBOX: dict[str, Any] = {"resize": "letterbox", "pad": 114}
_RAW_BYTES: dict[str, Any] = {"resize": "stretch", "mean": (128.0,) * 3, "std": (128.0,) * 3}
_FACE: dict[str, Any] = {"resize": "letterbox", "pad": 0, "mean": (127.5,) * 3, "std": (127.5,) * 3}
_SETTINGS: dict[str, tuple[Family, tuple[str, ...], dict[str, Any], dict[str, Any]]] = {
    "ssd-postprocess": (Family.SSD_POSTPROCESS, _SSD_ROLES, _RAW_BYTES, {}),
    "yolov8": (Family.YOLOV8, ("output",), _LETTERBOX, {}),
    "yolov5": (Family.YOLOV5, ("output",), _LETTERBOX, {"transposed": True}),
    "blazeface": (
        Family.BLAZEFACE,
        ("boxes", "scores"),
        _FACE,
        {"transposed": True, "score_kind": "logit", "nms_iou": 0.3},
    ),
}


def shared_model(shared: Path, file: str) -> Model:
    """One of the manifest's models, ready to be opened."""
    folder = shared / "models"
    manifest = yaml.safe_load((folder / "manifest.yaml").read_text(encoding="utf-8"))
    entry = next(one for one in manifest["models"] if one["file"] == file)
    labels = tuple((folder / entry["label_file"]).read_text(encoding="utf-8").splitlines())
    family, roles, into, out = _SETTINGS[entry["family"]]
    if into is _RAW_BYTES:
        scale, zero = entry["inputs"][0]["scale"], float(entry["inputs"][0]["zero_point"])
        into = {"resize": "stretch", "mean": (zero,) * 3, "std": (1 / scale,) * 3}
    layout = ModelLayout(
        family=family,
        input=_input(entry["inputs"][0], into),
        outputs={role: _output(i, entry["outputs"][i]) for i, role in enumerate(roles)},
        classes=len(labels),
        **out,
    )
    return Model(Path(file).stem, folder / file, entry["sha256"], layout, labels)


def _input(entry: dict[str, Any], into: dict[str, Any]) -> InputLayout:
    _, height, width, _ = entry["shape"]
    return InputLayout(
        name=entry["name"],
        width=width,
        height=height,
        dtype=entry["dtype"],
        scale=entry["scale"],
        zero_point=entry["zero_point"],
        **into,
    )


def _output(index: int, entry: dict[str, Any]) -> OutputLayout:
    return OutputLayout(
        name=entry["name"],
        index=index,
        shape=tuple(entry["shape"]),
        dtype=entry["dtype"],
        scale=entry["scale"],
        zero_point=entry["zero_point"],
    )
