"""Layouts of every family, at any size, dtype and axis order."""

from __future__ import annotations

from typing import Any, Literal

from edge.core.model import AnchorLayout, Family, InputLayout, ModelLayout, OutputLayout
from edge.infer.grid import count_cells
from edge.infer.ssd_anchors import default_anchors

Dtype = Literal["float32", "int8", "uint8"]
ZERO_POINTS = {"float32": 0, "int8": -128, "uint8": 0}
# Largest numbers that each kind of tensor must hold: what its 255 steps have to span, and from where.
_SPAN: dict[str, tuple[float, float]] = {
    "probability": (0.0, 1.0),
    "logit": (-10.0, 10.0),
    "joined": (0.0, 1.25),
    "distances": (0.0, 40.0),
    "bins": (-12.0, 12.0),
    "encodings": (-12.0, 12.0),
    "anchors": (0.0, 1.0),
    "face": (-64.0, 192.0),
}


def make_layout(
    family: Family,
    *,
    dtype: Dtype = "float32",
    transposed: bool | None = None,
    size: tuple[int, int] = (128, 96),
    classes: int = 3,
    **changes: Any,
) -> ModelLayout:
    """A consistent layout. ``transposed`` None = the family's usual order; ``size`` is (width, height)."""
    usual = family not in (Family.YOLOV8,)
    by_candidate = usual if transposed is None else transposed
    if family is Family.BLAZEFACE:
        classes, size = 1, (128, 128)
        changes.setdefault("score_kind", "logit")
    kind = changes.get("score_kind", "probability")
    count = candidates_of(family, size)
    background = int(changes.get("background", False))

    def output(index: int, name: str, channels: int, span: str) -> OutputLayout:
        shape = (1, count, channels) if by_candidate else (1, channels, count)
        return OutputLayout(name=name, index=index, shape=shape, dtype=dtype, **quantisation(dtype, span))

    score_output = output(1, "scores", classes + background, kind)
    outputs: dict[str, OutputLayout]
    if family is Family.SSD_POSTPROCESS:
        shapes = {"boxes": (1, 20, 4), "classes": (1, 20), "scores": (1, 20), "count": (1,)}
        outputs = {r: OutputLayout(name=r, index=i, shape=s) for i, (r, s) in enumerate(shapes.items())}
    elif family is Family.YOLO_END2END:
        outputs = {"output": OutputLayout(name="o", index=0, shape=(1, 6, 30) if not by_candidate else (1, 30, 6))}
    elif family in (Family.YOLOV5, Family.YOLOX, Family.YOLOV8) and not changes.pop("split", False):
        extra = 4 if family is Family.YOLOV8 else 5
        raw = changes.get("grid") == "raw"
        outputs = {"output": output(0, "output", extra + classes, "bins" if raw else "joined")}
    else:
        channels, span = {
            Family.YOLOV8: (4, "joined"),
            Family.YOLO_DFL: (64, "bins"),
            Family.LTRB: (4, "distances"),
            Family.BLAZEFACE: (16, "face"),
            Family.SSD_RAW: (4, "encodings"),
        }[family]
        outputs = {"boxes": output(0, "boxes", channels, span), "scores": score_output}
        if family is Family.SSD_RAW:
            changes.setdefault("anchors", AnchorLayout(kind="generated"))
            if changes["anchors"].kind == "output":
                outputs["anchors"] = output(2, "anchors", 4, "anchors")
    layout_input = changes.pop("input", None) or InputLayout(
        name="image", width=size[0], height=size[1], dtype="uint8", scale=1 / 255
    )
    return ModelLayout(
        family=family,
        input=layout_input,
        outputs=outputs,
        classes=classes,
        transposed=by_candidate,
        nms_iou=changes.pop("nms_iou", 0.5123),
        **changes,
    )


def quantisation(dtype: str, span: str) -> dict[str, Any]:
    if dtype == "float32":
        return {"scale": 0.0, "zero_point": 0}
    low, high = _SPAN[span]
    scale = (high - low) / 255
    return {"scale": scale, "zero_point": round(ZERO_POINTS[dtype] - low / scale)}


def candidates_of(family: Family, size: tuple[int, int]) -> int:
    if family is Family.BLAZEFACE:
        return 896
    if family is Family.SSD_RAW:
        return len(default_anchors(width=size[0], height=size[1]))
    if family is Family.YOLOV5:
        return 3 * count_cells(*size, (8, 16, 32))
    return count_cells(*size, (8, 16, 32))
