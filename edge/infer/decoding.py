"""Which decoder reads which family."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.core.errors import ConfigError
from edge.core.model import Family, ModelLayout
from edge.core.values import Detections, Tensor
from edge.infer.decoders.blazeface import BlazefaceDecoder
from edge.infer.decoders.ltrb import LtrbDecoder
from edge.infer.decoders.ssd_postprocess import SsdPostprocessDecoder
from edge.infer.decoders.ssd_raw import SsdRawDecoder
from edge.infer.decoders.yolo_dfl import YoloDflDecoder
from edge.infer.decoders.yolo_end2end import YoloEnd2EndDecoder
from edge.infer.decoders.yolov5 import Yolov5Decoder
from edge.infer.decoders.yolov8 import Yolov8Decoder
from edge.infer.decoders.yolox import YoloxDecoder
from edge.infer.head import DecodeSettings


class CountingDecoder(Protocol):
    """A Decoder that also counts what it had to reject."""

    @property
    def rejected(self) -> int: ...

    def decode(self, outputs: tuple[Tensor, ...]) -> Detections: ...


class _DecoderClass(Protocol):
    def __call__(self, layout: ModelLayout, settings: DecodeSettings) -> CountingDecoder: ...


DECODERS: dict[Family, _DecoderClass] = {
    Family.SSD_POSTPROCESS: SsdPostprocessDecoder,
    Family.YOLOV8: Yolov8Decoder,
    Family.BLAZEFACE: BlazefaceDecoder,
    Family.LTRB: LtrbDecoder,
    Family.SSD_RAW: SsdRawDecoder,
    Family.YOLO_DFL: YoloDflDecoder,
    Family.YOLO_END2END: YoloEnd2EndDecoder,
    Family.YOLOV5: Yolov5Decoder,
    Family.YOLOX: YoloxDecoder,
}


def make_decoder(
    layout: ModelLayout,
    *,
    threshold: float,
    nms_iou: float | None = None,
    max_boxes: int = 300,
    multi_label: bool = False,
    anchors: NDArray[np.float32] | None = None,
) -> CountingDecoder:
    """The decoder for a model.

    Parameters
    ----------
    threshold : scores from this one on are told, 0..1
    nms_iou : None = the layout's; not used by families that do their own NMS
    max_boxes : at most so many detections per frame, >= 1
    multi_label : one place may be several classes (for measuring); else its best class alone
    anchors : (n, 4) float32 centre y, centre x, height, width, 0..1: for ``layout.anchors.kind == "constant"``,
        read with `LiteInterpreter.constant`

    Raises
    ------
    ModelError
        When the layout contradicts itself.
    ConfigError
        When a number is out of its range.
    """
    iou = layout.nms_iou if nms_iou is None else nms_iou
    for name, value in (("threshold", threshold), ("nms_iou", iou)):
        if not 0.0 <= value <= 1.0:
            raise ConfigError(f"{name}: expected a number from 0 to 1, found {value}")
    if max_boxes < 1:
        raise ConfigError(f"max_boxes: expected 1 or more, found {max_boxes}")
    settings = DecodeSettings(threshold, iou, max_boxes, multi_label, anchors)
    return DECODERS[layout.family](layout, settings)
