"""Writes the quantised graph as a .tflite file, labels and description in a zip at its end (TFLite Metadata's way)."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from tools.training.graph import Graph, Op
from tools.training.quantise import Steps, in_device_order, quantise_weights

_SCHEMA_VERSION = 3
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # zip's first day: the same weights give the same file
_TYPES = {"int8": schema.TensorType.INT8, "int32": schema.TensorType.INT32, "float32": schema.TensorType.FLOAT32}
# Operator and the version that knows int8 with scales per channel.
_CODES = {
    "pad": (schema.BuiltinOperator.PAD, 2),
    "conv": (schema.BuiltinOperator.CONV_2D, 3),
    "depthwise": (schema.BuiltinOperator.DEPTHWISE_CONV_2D, 3),
    "add": (schema.BuiltinOperator.ADD, 2),
    "double": (schema.BuiltinOperator.RESIZE_NEAREST_NEIGHBOR, 2),
    "rows": (schema.BuiltinOperator.RESHAPE, 1),
    "join": (schema.BuiltinOperator.CONCATENATION, 2),
    "stack": (schema.BuiltinOperator.CONCATENATION, 2),
    "pool": (schema.BuiltinOperator.MAX_POOL_2D, 2),
    "parts": (schema.BuiltinOperator.SPACE_TO_DEPTH, 2),
    "sigmoid": (schema.BuiltinOperator.LOGISTIC, 2),
}
_RELU6 = schema.ActivationFunctionType.RELU6
_LINEAR = schema.ActivationFunctionType.NONE


class TfliteWriter:
    """One graph for one picture size.

    shapes : of every value, (1, h, w, c) or (1, n, c)
    steps : of every value; None = the file stays in floating point
    """

    def __init__(self, graph: Graph, shapes: dict[str, tuple[int, ...]], steps: dict[str, Steps] | None) -> None:
        self._graph, self._shapes, self._steps = graph, shapes, steps
        self._buffers: list[bytes] = [b""]
        self._codes: list[str] = []
        self._tensors: list[Any] = []
        self._places: dict[str, int] = {}

    def content(self, *, description: str) -> bytes:
        """The file's bytes."""
        self._places[self._graph.input] = self._value(self._graph.input)
        operators = [self._operator(op) for op in self._graph.ops]
        subgraph = schema.SubGraphT()
        subgraph.name, subgraph.tensors, subgraph.operators = "main", self._tensors, operators
        subgraph.inputs = [self._places[self._graph.input]]
        subgraph.outputs = [self._places[name] for name in self._graph.outputs]
        model = schema.ModelT()
        model.version, model.description, model.subgraphs = _SCHEMA_VERSION, description, [subgraph]
        model.operatorCodes = [_operator_code(kind) for kind in self._codes]
        model.buffers = [_buffer(data) for data in self._buffers]
        builder = flatbuffers.Builder(1 << 21)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _operator(self, op: Op) -> Any:
        made = schema.OperatorT()
        inputs = [self._places[name] for name in op.inputs]
        made.inputs = inputs + self._constants(op)
        self._places[op.output] = self._value(op.output)
        made.outputs = [self._places[op.output]]
        if op.kind not in self._codes:
            self._codes.append(op.kind)
        made.opcodeIndex = self._codes.index(op.kind)
        made.builtinOptionsType, made.builtinOptions = _options(op, self._shapes[op.output])
        return made

    def _constants(self, op: Op) -> list[int]:
        if op.kind == "pad":
            return [
                self._constant(
                    f"{op.output}.amount", np.array([[0, 0], [op.margin] * 2, [op.margin] * 2, [0, 0]], np.int32)
                )
            ]
        if op.kind == "double":
            return [self._constant(f"{op.output}.size", np.array(self._shapes[op.output][1:3], np.int32))]
        if op.kind == "rows":
            return [self._constant(f"{op.output}.shape", np.array(self._shapes[op.output], np.int32))]
        return self._weights(op) if op.weight is not None else []

    def _weights(self, op: Op) -> list[int]:
        weight, bias = f"{op.output}.weight", f"{op.output}.bias"
        if self._steps is None:
            assert op.weight is not None and op.bias is not None
            return [self._constant(weight, in_device_order(op, op.weight)), self._constant(bias, op.bias)]
        scale = self._steps[op.inputs[0]].scale
        numbers = quantise_weights(op, input_scale=scale)
        axis = 3 if op.kind == "depthwise" else 0
        return [
            self._constant(weight, numbers.weight, _quantisation(numbers.scales, axis)),
            self._constant(bias, numbers.bias, _quantisation(numbers.scales * np.float32(scale), 0)),
        ]

    def _value(self, name: str) -> int:
        if self._steps is None:
            return self._tensor(name, self._shapes[name], "float32", 0)
        steps = self._steps[name]
        made = schema.QuantizationParametersT()
        made.scale, made.zeroPoint = [steps.scale], [steps.zero_point]
        return self._tensor(name, self._shapes[name], "int8", 0, made)

    def _constant(self, name: str, values: NDArray[Any], quantisation: Any = None) -> int:
        self._buffers.append(values.astype(values.dtype.newbyteorder("<")).tobytes())
        return self._tensor(name, values.shape, values.dtype.name, len(self._buffers) - 1, quantisation)

    def _tensor(self, name: str, shape: Sequence[int], dtype: str, buffer: int, quantisation: Any = None) -> int:
        made = schema.TensorT()
        made.name, made.shape, made.type, made.buffer = name, list(shape), _TYPES[dtype], buffer
        made.quantization = quantisation
        self._tensors.append(made)
        return len(self._tensors) - 1


def _quantisation(scales: NDArray[np.float32], axis: int) -> Any:
    made = schema.QuantizationParametersT()
    made.scale, made.zeroPoint, made.quantizedDimension = scales.tolist(), [0] * len(scales), axis
    return made


def _options(op: Op, shape: tuple[int, ...]) -> tuple[int, Any]:
    kinds = schema.BuiltinOptions
    if op.kind in {"conv", "depthwise"}:
        made = schema.Conv2DOptionsT() if op.kind == "conv" else schema.DepthwiseConv2DOptionsT()
        assert op.weight is not None
        is_padded = op.stride == 2 and op.weight.shape[-1] % 2  # by an operator of its own
        made.padding = schema.Padding.VALID if is_padded else schema.Padding.SAME
        made.strideW = made.strideH = op.stride
        made.dilationWFactor = made.dilationHFactor = 1
        made.fusedActivationFunction = _RELU6 if op.relu6 else _LINEAR
        if op.kind == "conv":
            return kinds.Conv2DOptions, made
        made.depthMultiplier = 1
        return kinds.DepthwiseConv2DOptions, made
    if op.kind in {"join", "stack"}:
        joined = schema.ConcatenationOptionsT()
        joined.axis = 1 if op.kind == "join" else 3
        return kinds.ConcatenationOptions, joined
    if op.kind == "parts":
        parted = schema.SpaceToDepthOptionsT()
        parted.blockSize = 2
        return kinds.SpaceToDepthOptions, parted
    if op.kind == "pool":
        pooled = schema.Pool2DOptionsT()
        pooled.padding = schema.Padding.SAME
        pooled.strideW = pooled.strideH = 1
        pooled.filterWidth = pooled.filterHeight = op.kernel
        pooled.fusedActivationFunction = _LINEAR
        return kinds.Pool2DOptions, pooled
    if op.kind == "rows":
        reshaped = schema.ReshapeOptionsT()
        reshaped.newShape = list(shape)
        return kinds.ReshapeOptions, reshaped
    plain = {
        "add": (kinds.AddOptions, schema.AddOptionsT),
        "double": (kinds.ResizeNearestNeighborOptions, schema.ResizeNearestNeighborOptionsT),
        "pad": (kinds.PadOptions, schema.PadOptionsT),
    }
    kind, make = plain.get(op.kind, (kinds.NONE, lambda: None))
    return kind, make()


def _operator_code(kind: str) -> Any:
    made = schema.OperatorCodeT()
    made.builtinCode, made.version = _CODES[kind]
    made.deprecatedBuiltinCode = made.builtinCode
    return made


def _buffer(data: bytes) -> Any:
    made = schema.BufferT()
    made.data = np.frombuffer(data, np.uint8) if data else None
    return made


def attach(content: bytes, labels: Sequence[str], facts: dict[str, Any]) -> bytes:
    """The file with ``labels.txt`` and ``model.json`` in a zip behind it, where ``edge models inspect`` reads them."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as files:
        for name, text in (
            ("labels.txt", "\n".join(labels) + "\n"),
            ("model.json", json.dumps(facts, indent=1) + "\n"),
        ):
            files.writestr(zipfile.ZipInfo(name, _LONG_AGO), text)
    return content + archive.getvalue()
