"""What a model file is: decided once by the inspector, written down in its card, never guessed at run time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

import msgspec

from edge.core.values import ModelRef


class Family(StrEnum):
    """How the outputs are to be read."""

    SSD_POSTPROCESS = "ssd-postprocess"
    SSD_RAW = "ssd-raw"
    YOLOV5 = "yolov5"
    YOLOV8 = "yolov8"  # also YOLOv9, YOLO11
    YOLO_DFL = "yolo-dfl"
    YOLO_END2END = "yolo-end2end"  # YOLOv10, YOLO26
    YOLOX = "yolox"
    LTRB = "ltrb"  # our own
    BLAZEFACE = "blazeface"


class InputLayout(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The one input tensor, and how a picture gets into it.

    A pixel value p (0..255) becomes the real number ``(p - mean) / std``, per channel; a quantised
    input then takes ``round(real / scale) + zero_point``.
    colours : the order of the channels; mean and std are in it too
    pad : the pixel value that fills the letterbox, before normalisation
    """

    name: str
    width: int
    height: int
    dtype: Literal["uint8", "int8", "float32"]
    scale: float = 0.0
    zero_point: int = 0
    axes: Literal["nhwc", "nchw"] = "nhwc"
    colours: Literal["rgb", "bgr"] = "rgb"
    resize: Literal["letterbox", "stretch"] = "letterbox"
    pad: int = 114
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (255.0, 255.0, 255.0)


class OutputLayout(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One output tensor that plays a role. ``index`` counts the file's outputs; ``name`` is checked at load."""

    name: str
    index: int
    shape: tuple[int, ...]
    dtype: str = "float32"
    scale: float = 0.0
    zero_point: int = 0


class AnchorLayout(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a raw SSD's prior boxes come from.

    kind : "output" (an output tensor with the role ``anchors``), "constant" (a constant tensor in the file,
        by its index), "generated" (the TensorFlow Object Detection API's default SSD anchors for the input size).
    variances : divisors of the encodings (y, x, h, w).
    """

    kind: Literal["output", "constant", "generated"]
    tensor: int | None = None
    variances: tuple[float, float, float, float] = (10.0, 10.0, 5.0, 5.0)


class ModelLayout(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All that running the file needs to know.

    outputs : by role. Roles per family:
        ssd-postprocess: boxes, classes, scores, count
        ssd-raw: boxes, scores (, anchors)
        yolov5, yolox, yolo-end2end: output
        yolov8: output, or boxes and scores
        yolo-dfl: boxes, scores
        ltrb: boxes, scores
        blazeface: boxes, scores
    classes : number of classes the outputs hold, without background
    box_units : of decoded boxes: "normalised" (0..1 of the model input) or "pixels" (of the model input).
        Not used by yolo-dfl, ltrb, blazeface and raw heads, whose units follow from the family.
    score_kind : "probability" (the sigmoid is in the graph) or "logit"
    background : the score axis has a leading background column (raw SSD)
    grid : yolox: "decoded" (pixels come out) or "raw" (offsets and log sizes come out)
    transposed : the candidate axis comes before the channel axis ([1, N, channels])
    strides : of anchor-free and YOLO heads, in the order of the candidates
    nms_iou : overlap at which the weaker box of one class goes
    """

    family: Family
    backend: Literal["cpu", "edgetpu"] = "cpu"
    input: InputLayout
    outputs: dict[str, OutputLayout]
    classes: int
    box_units: Literal["normalised", "pixels"] = "normalised"
    score_kind: Literal["probability", "logit"] = "probability"
    background: bool = False
    grid: Literal["decoded", "raw"] = "decoded"
    transposed: bool = False
    strides: tuple[int, ...] = (8, 16, 32)
    anchors: AnchorLayout | None = None
    nms_iou: float = 0.6


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be run: file, layout and words.

    labels : one per class; ``labels[class_id]``
    threshold : the score from which its detections are worth telling, unless the configuration says otherwise
    groups : label -> the data set categories it stands for (for measuring); empty = its own name
    twin : the same network compiled for the other backend, if there is one
    smaller : a model that finds the same for less work, if there is one
    """

    name: str
    path: Path
    sha256: str
    layout: ModelLayout
    labels: tuple[str, ...]
    threshold: float = 0.5
    groups: dict[str, tuple[str, ...]] | None = None
    twin: str | None = None
    smaller: str | None = None

    @property
    def ref(self) -> ModelRef:
        return ModelRef(self.name, self.sha256)
