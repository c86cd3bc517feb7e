"""How a picture gets into a model's input: size, axes, and the arithmetic from pixels to numbers."""

from __future__ import annotations

from typing import Literal, NamedTuple

from edge.catalog.metadata import Metadata
from edge.catalog.model_file import ModelFile, TensorInfo
from edge.core.errors import ModelError
from edge.core.model import Family, InputLayout

_CHANNELS = 3
_SMALLEST, _LARGEST = 16, 8192
_LETTERBOX_GREY = 114  # Ultralytics' and YOLOX's padding
_ROUNDING_STEPS = 2.0
_QUANTISED = {"uint8": 0, "int8": -128}
# (mean, std) on the 0..255 scale for real inputs, as each family's makers train.
_ZERO_TO_ONE = (0.0, 255.0)
_MINUS_ONE_TO_ONE = (127.5, 127.5)
_RAW_BYTES = (0.0, 1.0)
# Normalised pixels stay within a few units (ImageNet's reach 2.7); a range beyond holds bytes.
_NORMALISED_LIMIT = 8.0
_REAL = {
    Family.SSD_POSTPROCESS: _MINUS_ONE_TO_ONE,
    Family.SSD_RAW: _MINUS_ONE_TO_ONE,
    Family.BLAZEFACE: _MINUS_ONE_TO_ONE,
    Family.YOLOX: _RAW_BYTES,
}
_STRETCHED = {Family.SSD_POSTPROCESS, Family.SSD_RAW}

Axes = Literal["nhwc", "nchw"]
Triple = tuple[float, float, float]


class ImageSize(NamedTuple):
    width: int
    height: int
    axes: Axes


def check_input(model: ModelFile) -> ImageSize:
    """The size of the one picture that the model takes.

    Raises
    ------
    ModelError
        For several inputs, no picture, a batch, no colours, or numbers that no picture becomes.
    """
    if len(model.inputs) != 1:
        names = ", ".join(_words(model.tensors[i]) for i in model.inputs) or "none"
        raise ModelError(f"expected one input that takes a picture, found {len(model.inputs)} inputs: {names}")
    tensor = model.tensors[model.inputs[0]]
    size = _image_size(tensor)
    if tensor.dtype not in {"uint8", "int8", "float32"}:
        raise ModelError(
            f"the input {_words(tensor)} takes {tensor.dtype}; expected uint8, int8 or float32. "
            "Export it with int8 or float32 input"
        )
    if not (_SMALLEST <= size.width <= _LARGEST and _SMALLEST <= size.height <= _LARGEST):
        raise ModelError(f"the input {_words(tensor)} is too small or too large for a picture")
    return size


def _image_size(tensor: TensorInfo) -> ImageSize:
    shape = tensor.shape
    if len(shape) != 4:
        raise ModelError(f"expected an input that takes a picture [1, height, width, 3], found {_words(tensor)}")
    if any(side == -1 for side in tensor.signature[1:]) and min(shape[1:]) < _CHANNELS:
        raise ModelError(f"the input {_words(tensor)} has no fixed size; export it with a fixed picture size")
    if shape[0] != 1:
        raise ModelError(f"the input {_words(tensor)} takes {shape[0]} pictures at once; export it with batch size 1")
    if shape[3] == _CHANNELS:
        return ImageSize(shape[2], shape[1], "nhwc")
    if shape[1] == _CHANNELS:
        return ImageSize(shape[3], shape[2], "nchw")
    if shape[3] == 1 or shape[1] == 1:
        raise ModelError(f"the input {_words(tensor)} takes grey pictures; expected 3 colour channels")
    raise ModelError(f"the input {_words(tensor)} takes no colour picture; expected 3 channels, last or second")


def _words(tensor: TensorInfo) -> str:
    return f"{tensor.name!r} {list(tensor.shape)} {tensor.dtype}"


def layout_input(model: ModelFile, family: Family, metadata: Metadata) -> InputLayout:
    """The input as its family's makers feed it, or as the file's metadata states."""
    size = check_input(model)
    tensor = model.tensors[model.inputs[0]]
    quantised = tensor.dtype in _QUANTISED
    mean, std = _quantised_arithmetic(tensor, family, metadata) if quantised else _real_arithmetic(family, metadata)
    dtype: Literal["uint8", "int8", "float32"]
    dtype = "uint8" if tensor.dtype == "uint8" else "int8" if tensor.dtype == "int8" else "float32"
    return InputLayout(
        name=tensor.name,
        width=size.width,
        height=size.height,
        dtype=dtype,
        scale=(tensor.scale or 1.0) if quantised else 0.0,
        zero_point=_zero_point(tensor) if quantised else 0,
        axes=size.axes,
        colours="bgr" if family is Family.YOLOX else "rgb",  # YOLOX's makers train on pictures as OpenCV reads them
        resize="stretch" if family in _STRETCHED else "letterbox",
        pad=0 if family is Family.BLAZEFACE else _LETTERBOX_GREY,
        mean=mean,
        std=std,
    )


def _zero_point(tensor: TensorInfo) -> int:
    """An 8-bit input without quantisation takes the bytes as they are."""
    return tensor.zero_point if tensor.scale else _QUANTISED[tensor.dtype]


def _real_arithmetic(family: Family, metadata: Metadata) -> tuple[Triple, Triple]:
    if metadata.mean:
        return _triple(metadata.mean), _triple(metadata.std)
    mean, std = _REAL.get(family, _ZERO_TO_ONE)
    return _triple((mean,)), _triple((std,))


def _quantised_arithmetic(tensor: TensorInfo, family: Family, metadata: Metadata) -> tuple[Triple, Triple]:
    """Mean and std so that ``round(real / scale) + zero_point`` is right for each pixel.

    A stated normalisation counts where the tensor's range can hold it, YOLO's 0..1 where the range speaks of neither
    bytes nor -1..1; else the pixel itself becomes the stored number, which is what a range fitted to the training
    pictures means. A stated one that comes to the pixel itself but for rounding (SSD: 127.5 against a scale of 1/128)
    is taken as the pixel: no half steps.
    """
    scale, zero_point, lowest = tensor.scale or 1.0, _zero_point(tensor), _QUANTISED[tensor.dtype]
    if metadata.mean and _holds(tensor, metadata.mean, metadata.std) and not _is_raw(tensor, metadata):
        return _triple(metadata.mean), _triple(metadata.std)
    if family not in _REAL and _is_for_zero_to_one(tensor):
        return _triple(_ZERO_TO_ONE[:1]), _triple(_ZERO_TO_ONE[1:])
    return _triple((float(zero_point - lowest),)), _triple(
        (round(1.0 / scale, 4),)
    )  # no digits of float32 noise in a card


def _holds(tensor: TensorInfo, mean: tuple[float, ...], std: tuple[float, ...]) -> bool:
    """Whether the tensor's range and the range of the normalised pixels are the same within a tenth."""
    scale, zero_point, lowest = tensor.scale or 1.0, _zero_point(tensor), _QUANTISED[tensor.dtype]
    low, high = scale * (lowest - zero_point), scale * (lowest + 255 - zero_point)
    darkest = min((0 - m) / s for m, s in zip(mean, std, strict=True))
    brightest = max((255 - m) / s for m, s in zip(mean, std, strict=True))
    slack = 0.1 * (brightest - darkest)
    return abs(low - darkest) <= slack and abs(high - brightest) <= slack


def _is_for_zero_to_one(tensor: TensorInfo) -> bool:
    """Whether a model that was trained on 0..1 gets just that, whatever pictures its range was fitted to.

    onnx2tf fits ranges to ImageNet-normalised pictures (-2.1 to 2.6) unless told otherwise, and many YOLOs were
    exported so: fed by their real range, YOLOv8n keeps 0.37 mAP of 0.40; by the bytes shifted, 0.21.
    """
    high = (tensor.scale or 1.0) * (_QUANTISED[tensor.dtype] + 255 - _zero_point(tensor))
    return 0 < high <= _NORMALISED_LIMIT and not _holds(tensor, _MINUS_ONE_TO_ONE[:1], _MINUS_ONE_TO_ONE[1:])


def _is_raw(tensor: TensorInfo, metadata: Metadata) -> bool:
    """Whether the stated normalisation stores each pixel as itself, give or take two steps of rounding."""
    scale, shift = tensor.scale or 1.0, _zero_point(tensor) - _QUANTISED[tensor.dtype]
    ends = [
        abs((pixel - mean) / std / scale + shift - pixel)
        for mean, std in zip(metadata.mean, metadata.std, strict=True)
        for pixel in (0, 255)
    ]
    return max(ends) <= _ROUNDING_STEPS


def _triple(values: tuple[float, ...]) -> Triple:
    return (values[0], values[0], values[0]) if len(values) == 1 else (values[0], values[1], values[2])
