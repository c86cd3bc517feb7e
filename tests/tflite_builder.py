"""Writes small, real .tflite files, so that every model family can be tested with the real runtime and no test data.

    build = TfliteBuilder()
    build.input("image", (1, 64, 64, 3), "int8", scale=1 / 255, zero_point=-128)
    build.output("Identity", values)                                  # float32 (or any dtype), as given
    build.output("scores", raw, scale=1 / 256, zero_point=-128)       # raw quantised numbers
    build.output("scores", logits, through="LOGISTIC")                # the model's own sigmoid of the values
    path = build.write(tmp_path / "model.tflite")

An output's numbers are constants in the file that pass through a real operator (RESHAPE unless told otherwise),
so the runtime returns exactly those numbers for every picture.

Parts, for graphs of another shape (each returns a tensor's index):
    build.constant(name, values, scale=, zero_point=)
    build.op("CONCATENATION", [a, b], name=, shape=, dtype=, scale=, zero_point=, options=)
    build.custom("TFLite_Detection_PostProcess", inputs, outputs=[(name, shape, dtype), ...], options={...})
    build.mark_output(index)
    build.sign({"output_0": index}, key="serving_default")
    build.attach("labelmap.txt", "person\\ncar\\n")                     # in a zip appended to the file
    build.buffer_metadata("TFLITE_METADATA", b"...")                  # a named buffer inside the file
    build.normalisation(mean=[127.5], std=[127.5])                    # TFLite Metadata: how pixels become numbers

Ready-made: ``ssd_postprocess``, ``plain`` (below).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers
from numpy.typing import NDArray

_TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "float16": schema.TensorType.FLOAT16,
    "int32": schema.TensorType.INT32,
    "int64": schema.TensorType.INT64,
    "uint8": schema.TensorType.UINT8,
    "int8": schema.TensorType.INT8,
    "int16": schema.TensorType.INT16,
}
POSTPROCESS_OPTIONS = {
    "max_detections": 10,
    "max_classes_per_detection": 1,
    "nms_score_threshold": 1e-8,
    "nms_iou_threshold": 0.6,
    "num_classes": 90,
    "y_scale": 10.0,
    "x_scale": 10.0,
    "h_scale": 5.0,
    "w_scale": 5.0,
}


class TfliteBuilder:
    """One subgraph, put together tensor by tensor."""

    def __init__(self, *, description: str = "made by a test") -> None:
        self._graph = schema.SubGraphT()
        self._graph.name = "main"
        self._graph.tensors, self._graph.inputs, self._graph.outputs, self._graph.operators = [], [], [], []
        self._buffers: list[bytes] = [b""]
        self._codes: list[schema.OperatorCodeT] = []
        self._signatures: list[schema.SignatureDefT] = []
        self._metadata: list[tuple[str, int]] = []
        self._attachments: dict[str, bytes] = {}
        self._description = description

    def input(
        self,
        name: str,
        shape: Sequence[int],
        dtype: str,
        *,
        scale: float = 0.0,
        zero_point: int = 0,
        signature: Sequence[int] | None = None,
    ) -> int:
        """A tensor that the caller fills. ``signature``: the shape with -1 where it is dynamic."""
        index = self._tensor(name, shape, dtype, scale=scale, zero_point=zero_point)
        if signature is not None:
            self._graph.tensors[index].shapeSignature = list(signature)
        self._graph.inputs.append(index)
        return index

    def constant(self, name: str, values: NDArray[Any], *, scale: float = 0.0, zero_point: int = 0) -> int:
        """A tensor whose numbers lie in the file."""
        self._buffers.append(np.ascontiguousarray(values).tobytes())
        index = self._tensor(name, values.shape, str(values.dtype), scale=scale, zero_point=zero_point)
        self._graph.tensors[index].buffer = len(self._buffers) - 1
        return index

    def output(
        self,
        name: str,
        values: NDArray[Any],
        *,
        scale: float = 0.0,
        zero_point: int = 0,
        through: str = "RESHAPE",
        shape: Sequence[int] | None = None,
    ) -> int:
        """A graph output that always has these numbers. ``shape`` is what the file states ([] = not known)."""
        source = self.constant(f"{name}/constant", values, scale=scale, zero_point=zero_point)
        inputs = [source]
        if through == "RESHAPE":
            inputs.append(self.constant(f"{name}/shape", np.array(values.shape, np.int32)))
        stated = values.shape if shape is None else shape
        options = schema.SoftmaxOptionsT() if through == "SOFTMAX" else None
        if options is not None:
            options.beta = 1.0
        index = self.op(
            through,
            inputs,
            name=name,
            shape=stated,
            dtype=str(values.dtype),
            scale=scale,
            zero_point=zero_point,
            options=options,
        )
        self.mark_output(index)
        return index

    def op(
        self,
        operator: str,
        inputs: Sequence[int],
        *,
        name: str,
        shape: Sequence[int],
        dtype: str,
        scale: float = 0.0,
        zero_point: int = 0,
        options: Any = None,
    ) -> int:
        """A builtin operator with one output."""
        index = self._tensor(name, shape, dtype, scale=scale, zero_point=zero_point)
        made = self._operator(self._code(getattr(schema.BuiltinOperator, operator)), inputs, [index])
        if options is not None:
            made.builtinOptions = options
            made.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
        return index

    def custom(
        self,
        code: str,
        inputs: Sequence[int],
        *,
        outputs: Sequence[tuple[str, Sequence[int], str]],
        options: Mapping[str, Any] | None = None,
    ) -> list[int]:
        """A custom operator; its options are written as a flexbuffer map, as the converters do."""
        indices = [self._tensor(name, shape, dtype) for name, shape, dtype in outputs]
        made = self._operator(self._code(schema.BuiltinOperator.CUSTOM, code), inputs, indices)
        if options is not None:
            made.customOptions = list(flexbuffers.Dumps(dict(options)))
        return indices

    def output_indices(self) -> list[int]:
        """The tensors that are outputs so far, in order."""
        return list(self._graph.outputs)

    def mark_output(self, index: int) -> None:
        self._graph.outputs.append(index)

    def sign(self, outputs: Mapping[str, int], *, key: str = "serving_default") -> None:
        """A signature: names for inputs and outputs."""
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = key, 0
        names = {self._graph.tensors[i].name: i for i in self._graph.inputs}
        signature.inputs = [self._map(name, index) for name, index in names.items()]
        signature.outputs = [self._map(name, index) for name, index in outputs.items()]
        self._signatures.append(signature)

    def attach(self, name: str, content: str | bytes) -> None:
        """A file in the zip at the end."""
        self._attachments[name] = content.encode() if isinstance(content, str) else content

    def buffer_metadata(self, name: str, content: bytes) -> None:
        self._buffers.append(content)
        self._metadata.append((name, len(self._buffers) - 1))

    def normalisation(self, *, mean: Sequence[float], std: Sequence[float]) -> None:
        """TFLite Metadata that states how pixels become the model's numbers."""
        self.buffer_metadata("TFLITE_METADATA", _normalisation_metadata(mean, std))

    def to_bytes(self) -> bytes:
        model = schema.ModelT()
        model.version, model.description = 3, self._description
        model.subgraphs, model.operatorCodes = [self._graph], self._codes
        model.buffers = [self._buffer(content) for content in self._buffers]
        model.signatureDefs = self._signatures
        model.metadata = [self._named(name, index) for name, index in self._metadata]
        packer = flatbuffers.Builder(1024)
        packer.Finish(model.Pack(packer), file_identifier=b"TFL3")
        return bytes(packer.Output()) + self._zip()

    def write(self, path: Path) -> Path:
        path.write_bytes(self.to_bytes())
        return path

    def _zip(self) -> bytes:
        if not self._attachments:
            return b""
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self._attachments.items():
                archive.writestr(name, content)
        return held.getvalue()

    def _tensor(self, name: str, shape: Sequence[int], dtype: str, *, scale: float = 0.0, zero_point: int = 0) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, [int(n) for n in shape], _TYPES[dtype], 0
        if scale:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [zero_point]
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def _operator(self, code: int, inputs: Sequence[int], outputs: Sequence[int]) -> schema.OperatorT:
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = code, list(inputs), list(outputs)
        self._graph.operators.append(made)
        return made

    def _code(self, builtin: int, custom: str | None = None) -> int:
        code = schema.OperatorCodeT()
        code.builtinCode, code.deprecatedBuiltinCode = builtin, min(builtin, 127)
        code.customCode, code.version = custom, 1
        self._codes.append(code)
        return len(self._codes) - 1

    @staticmethod
    def _map(name: str, index: int) -> schema.TensorMapT:
        made = schema.TensorMapT()
        made.name, made.tensorIndex = name, index
        return made

    @staticmethod
    def _named(name: str, index: int) -> schema.MetadataT:
        made = schema.MetadataT()
        made.name, made.buffer = name, index
        return made

    @staticmethod
    def _buffer(content: bytes) -> schema.BufferT:
        made = schema.BufferT()
        made.data = np.frombuffer(content, np.uint8) if content else None
        return made


def quantise(values: NDArray[Any], scale: float, zero_point: int, dtype: str = "int8") -> NDArray[Any]:
    """Real numbers -> stored ones."""
    limits = np.iinfo(dtype)
    return np.clip(np.round(values / scale) + zero_point, limits.min, limits.max).astype(dtype)


def plain(
    outputs: Mapping[str, NDArray[Any]],
    *,
    size: tuple[int, int] = (64, 64),
    dtype: str = "float32",
    scale: float = 0.0,
    zero_point: int = 0,
    axes: str = "nhwc",
) -> TfliteBuilder:
    """One image input (``size`` is width, height) and these outputs, in this order."""
    build = TfliteBuilder()
    width, height = size
    shape = (1, height, width, 3) if axes == "nhwc" else (1, 3, height, width)
    build.input("image", shape, dtype, scale=scale, zero_point=zero_point)
    for name, values in outputs.items():
        build.output(name, values)
    return build


def ssd_postprocess(
    *,
    encodings: NDArray[np.float32],
    scores: NDArray[np.float32],
    anchors: NDArray[np.float32],
    order: Sequence[str] = ("boxes", "classes", "scores", "count"),
    size: tuple[int, int] = (96, 96),
    dtype: str = "uint8",
    scale: float = 1 / 128,
    zero_point: int = 128,
    options: Mapping[str, Any] | None = None,
) -> TfliteBuilder:
    """An SSD tail around the real TFLite_Detection_PostProcess.

    encodings : (1, n, 4) y, x, h, w against the anchors; scores : (1, n, 1 + classes), background first
    anchors : (n, 4) y, x, h, w in 0..1; order : how the graph lists the operator's four outputs
    """
    build = TfliteBuilder()
    build.input("image", (1, size[1], size[0], 3), dtype, scale=scale, zero_point=zero_point)
    classes = scores.shape[2] - 1
    settings = {**POSTPROCESS_OPTIONS, "num_classes": classes, **(options or {})}
    inputs = [
        build.constant("encodings", encodings),
        build.constant("class_scores", scores),
        build.constant("anchors", anchors),
    ]
    names = [(name, (), "float32") for name in _slot_names()]
    slots = dict(
        zip(
            ("boxes", "classes", "scores", "count"),
            build.custom("TFLite_Detection_PostProcess", inputs, outputs=names, options=settings),
            strict=True,
        )
    )
    for role in order:
        build.mark_output(slots[role])
    return build


def _slot_names() -> list[str]:
    stem = "TFLite_Detection_PostProcess"
    return [stem, f"{stem}:1", f"{stem}:2", f"{stem}:3"]


def _normalisation_metadata(mean: Sequence[float], std: Sequence[float]) -> bytes:
    """ModelMetadata.subgraph_metadata[0].input_tensor_metadata[0].process_units[0] = NormalizationOptions."""
    b = flatbuffers.Builder(256)

    def floats(values: Sequence[float]) -> int:
        b.StartVector(4, len(values), 4)
        for value in reversed(values):
            b.PrependFloat32(value)
        return int(b.EndVector())

    def tables(offset: int) -> int:
        b.StartVector(4, 1, 4)
        b.PrependUOffsetTRelative(offset)
        return int(b.EndVector())

    means, stds = floats(mean), floats(std)
    b.StartObject(2)
    b.PrependUOffsetTRelativeSlot(0, means, 0)
    b.PrependUOffsetTRelativeSlot(1, stds, 0)
    options = b.EndObject()
    b.StartObject(2)
    b.PrependUint8Slot(0, 1, 0)  # ProcessUnitOptions: NormalizationOptions
    b.PrependUOffsetTRelativeSlot(1, options, 0)
    units = tables(b.EndObject())
    b.StartObject(7)
    b.PrependUOffsetTRelativeSlot(4, units, 0)  # TensorMetadata.process_units
    tensors = tables(b.EndObject())
    b.StartObject(8)
    b.PrependUOffsetTRelativeSlot(2, tensors, 0)  # SubGraphMetadata.input_tensor_metadata
    graphs = tables(b.EndObject())
    b.StartObject(7)
    b.PrependUOffsetTRelativeSlot(3, graphs, 0)  # ModelMetadata.subgraph_metadata
    b.Finish(b.EndObject(), file_identifier=b"M001")
    return bytes(b.Output())
